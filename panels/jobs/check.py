"""Tries the queue's database and its admin endpoints once, for `config check --connect`. Acts on nothing."""

from __future__ import annotations

from collections.abc import Sequence

from tui.engine.connections import Tools
from tui.engine.panel import Checked
from tui.engine.reading import ProbeError
from tui.engine.text import Shown, clean

from . import admin
from .config import JobsConfig
from .statements import OPTIONAL, Shape, quoted, read, read_shape

DEADLINE = 5.0


async def check(config: JobsConfig, tools: Tools) -> Sequence[Checked]:
    """A line for the database, and one for the admin endpoints where there are any."""
    lines = [await _database(config, tools)]
    if config.admin:
        lines.append(await _admin(config, tools))
    return lines


async def _database(config: JobsConfig, tools: Tools) -> Checked:
    source = clean(f"{config.title}  {config.tables.jobs}  {config.dsn.masked}")
    reached = False
    try:
        async with tools.postgres(config.dsn).look(DEADLINE) as session:
            reached = True
            shape = await read_shape(config, session)
            names = {name: getattr(config.columns, name) for name in ("created_at", "status", "run_after")}
            indexes = await session.one(read("indexes"), {"table": quoted(config.tables.jobs), **names})
    except ProbeError as error:
        return Checked(source, reached, error.failure.says, (error.failure.hint,) if error.failure.hint else ())
    absent = sorted(set(OPTIONAL) - shape.optional)
    without = f"; does without {', '.join(absent)}" if absent else ""
    return Checked(source, True, clean(f"reads it as {shape.role}{without}"), _missing(config, shape, indexes))


def _missing(config: JobsConfig, shape: Shape, indexes: dict[str, bool]) -> tuple[Shown, ...]:
    """What is to be mended, ready to run where it can be."""
    table, columns = config.tables.jobs, config.columns
    found = list(shape.notes)
    if shape.guarded:
        policy = f"CREATE POLICY watchfloor ON {table} FOR SELECT TO {shape.role} USING (true);"
        found.append(clean(f"row-level security may hide jobs: {policy}"))
    if not indexes["created"]:
        found.append(clean(f"each poll would scan it: CREATE INDEX CONCURRENTLY ON {table} ({columns.created_at});"))
    if not indexes["queued"]:
        where = f"WHERE {columns.status} = '{config.states.queued}'"
        index = f"CREATE INDEX CONCURRENTLY ON {table} ({columns.status}, {columns.run_after}) {where};"
        found.append(clean(f"each poll would scan it: {index}"))
    return tuple(found)


async def _admin(config: JobsConfig, tools: Tools) -> Checked:
    """Whether something answers there. Whether the token may act shows at the first deed alone: nothing else asks for it."""
    assert config.admin is not None
    source = clean(f"{config.title}  admin  {config.admin.masked}")
    try:
        fetched = await admin.reach(config, tools)
    except ProbeError as error:
        return Checked(source, False, clean(str(error)), (error.failure.hint,) if error.failure.hint else ())
    if fetched.status in (401, 403):
        return Checked(source, True, clean(f"HTTP {fetched.status}: it refuses our credentials"), (Shown("mend `token`"),))
    return Checked(source, True, clean(f"answers (HTTP {fetched.status}); the token is tried by the first deed alone"))
