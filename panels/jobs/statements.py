"""The statements that the panel runs: its `.sql` files with the configured names put in, safely quoted.

What the database has is read from its catalog first (`read_shape`): optional columns may be absent, and an identity's type
is needed so that looking it up uses the primary key.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from tui.engine.reading import ProbeError, no_answer
from tui.engine.text import Shown, clean

from .config import JobsConfig

if TYPE_CHECKING:
    from psycopg import sql

    from tui.engine.postgres import Session

FOLDER = Path(__file__).parent
REQUIRED = ("id", "kind", "status", "worker", "heartbeat", "run_after", "created_at")
OPTIONAL = {"payload": "jsonb", "attempts": "int", "error": "text", "finished_at": "timestamptz"}
"""The columns that may be absent, and the type of the NULL that then stands in their place."""
_COMMENT = re.compile(r"^--.*\n", re.M)
_WHOLE = ("smallint", "integer", "bigint")


class Shape(Struct, frozen=True):
    """What the database has of what the config names. `id_type` is the identity's type as SQL; `optional` the optional
    columns that are there and readable; `schedules` whether schedules can be read; `guarded` whether row-level security
    may hide jobs from `role`; `notes` what a person must know of what is missing."""

    id_type: str
    optional: frozenset[str]
    schedules: bool
    guarded: bool
    role: str
    notes: tuple[Shown, ...] = field(default=())


def quoted(table: str) -> str:
    """A table's name from the config, `name` or `schema.name`, quoted for a statement."""
    return _table(table).as_string(None)


def _table(table: str) -> sql.Identifier:
    from psycopg import sql  # late: psycopg costs 160 ms, and a card must be light

    return sql.Identifier(*table.split(".", 1))


def read(name: str) -> str:
    """The text of one `.sql` file without its comments."""
    return _COMMENT.sub("", (FOLDER / f"{name}.sql").read_text(encoding="utf-8"))


def statements(config: JobsConfig, shape: Shape) -> dict[str, str]:
    """Every statement by its file's name, ready to run."""
    from psycopg import sql

    columns: dict[str, sql.Composable] = {name: sql.Identifier("queue", getattr(config.columns, name)) for name in REQUIRED}
    for name, kind in OPTIONAL.items():
        there = name in shape.optional
        columns[name] = sql.Identifier("queue", getattr(config.columns, name)) if there else sql.SQL(f"NULL::{kind}")
    names: dict[str, sql.Composable] = {
        **columns,
        **{state: sql.Literal(word) for state, word in config.states.model_dump().items()},
        "jobs": _table(config.tables.jobs),
        "id_type": sql.SQL(shape.id_type),
        "schedules": _table(config.tables.schedules or "schedules"),
        "schedule_id": sql.Identifier("schedule", config.schedule_columns.id),
        "publish_at": sql.Identifier("schedule", config.schedule_columns.publish_at),
        "schedule_status": sql.Identifier("schedule", config.schedule_columns.status),
    }
    names["job"] = sql.SQL(read("job")).format(**names)
    files = sorted(path.stem for path in FOLDER.glob("*.sql") if path.stem != "job")
    return {name: sql.SQL(read(name)).format(**names).as_string(None) for name in files}


async def read_shape(config: JobsConfig, session: Session) -> Shape:
    """What the catalog says. Raises ProbeError where the queue is not as the config says, or not ours to read."""
    found = await _columns(config.tables.jobs, session)
    role = next(iter(found.values()))["role"] if found else await _role(session)
    wanted = {getattr(config.columns, name): name for name in REQUIRED}
    _check(config.tables.jobs, found, wanted, "columns", role)
    optional = {name for name in OPTIONAL if found.get(getattr(config.columns, name), {}).get("readable")}
    if "payload" in optional and found[config.columns.payload]["type"] not in ("json", "jsonb"):
        optional.discard("payload")
    schedules, notes = await _schedules(config, session, role)
    return Shape(
        id_type=found[config.columns.id]["type"],
        optional=frozenset(optional),
        schedules=schedules,
        guarded=any(column["guarded"] for column in found.values()),
        role=role,
        notes=notes,
    )


async def _columns(table: str, session: Session) -> dict[str, dict[str, Any]]:
    """A table's columns by name; empty where it is not there, or not for us."""
    rows = await session.rows(read("catalog"), {"table": quoted(table)})
    return {row["name"]: row for row in rows}


async def _role(session: Session) -> str:
    return str((await session.one("SELECT current_user AS role"))["role"])


def _check(table: str, found: Mapping[str, dict[str, Any]], wanted: Mapping[str, str], place: str, role: str) -> None:
    """Raises ProbeError, saying what to write or to grant, where a column that is needed is missing or closed to us."""
    if not found:
        schema = table.partition(".")[0] if "." in table else "public"
        hint = f"mend `tables` in the config, or GRANT USAGE ON SCHEMA {schema} TO {role};"
        raise no_answer("config", f"{role} sees no table {table}", hint)
    missing = [column for column in wanted if column not in found]
    if missing:
        names = ", ".join(f'{wanted[column]} = "…"' for column in missing)
        raise no_answer("config", f"{table} has no column {', '.join(missing)}", f"name it in [panel.{place}]: {names}")
    if any(not found[column]["readable"] for column in wanted):
        raise no_answer("rights", f"{role} may not read {table}", grant(table, role))


def grant(table: str, role: str) -> str:
    """The statement that lets a role read a table."""
    from psycopg import sql

    return sql.SQL("GRANT SELECT ON {} TO {};").format(_table(table), sql.Identifier(role)).as_string(None)


async def _schedules(config: JobsConfig, session: Session, role: str) -> tuple[bool, tuple[Shown, ...]]:
    """Whether schedules can be read, and what to say where the config names some that cannot."""
    table = config.tables.schedules
    if not table:
        return False, ()
    names = config.schedule_columns
    wanted = {names.id: "id", names.publish_at: "publish_at", names.status: "status"}
    try:
        _check(table, await _columns(table, session), wanted, "schedule_columns", role)
    except ProbeError as error:
        return False, (clean(f"schedules: {error.failure.says} · {error.failure.hint}"),)
    return True, ()


def can_be_id(key: str, id_type: str) -> bool:
    """Whether a key that a person typed can be an identity of this type at all: the server would answer with an error."""
    if id_type == "uuid":
        try:
            uuid.UUID(key)
        except ValueError:
            return False
        return True
    if id_type in _WHOLE:
        return re.fullmatch(r"-?\d{1,18}", key) is not None
    return "\0" not in key
