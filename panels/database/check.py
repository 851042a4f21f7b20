"""Tries the database once with each role, for `config check --connect`: who we are there, and the GRANT that is missing."""

from __future__ import annotations

from collections.abc import Sequence

from tui.engine.connections import Tools
from tui.engine.panel import Checked
from tui.engine.postgres import DatabaseError
from tui.engine.text import Shown, clean

from .config import DatabaseConfig
from .rights import Rights, quoted, read_rights
from .sql import statement

DEADLINE = 5.0


async def check(config: DatabaseConfig, tools: Tools) -> Sequence[Checked]:
    """A line for the role that looks, and one for the role that acts where it is another."""
    source = clean(f"{config.title}  looks  {config.dsn.masked}")
    try:
        login = await tools.postgres(config.acts_with, acts=True).login()
        async with tools.postgres(config.dsn).look(DEADLINE) as session:
            server = await session.one(statement("server"))
            rights = await read_rights(session, login)
    except DatabaseError as error:
        return [_unreached(source, error)]
    missing = [rights.missing_to_look] if rights.missing_to_look else []
    if not server["has_statements"]:
        missing.append("CREATE EXTENSION pg_stat_statements;  -- after adding it to shared_preload_libraries; else sampled")
    says = f"PostgreSQL {server['version']}, as {rights.looks_as}{', a standby' if server['standby'] else ''}"
    return [Checked(source, True, clean(says), tuple(map(clean, missing))), await _acts(config, rights, tools)]


async def _acts(config: DatabaseConfig, rights: Rights, tools: Tools) -> Checked:
    """Whether the role that acts logs in, and may do what the remedies need."""
    source = clean(f"{config.title}  acts   {config.acts_with.masked}")
    try:
        async with tools.postgres(config.acts_with, acts=True).act(DEADLINE) as session:
            who = str((await session.one("SELECT current_user AS who"))["who"])
    except DatabaseError as error:
        return _unreached(source, error)
    missing = clean(rights.missing_to_act or ("" if rights.acts_as else _all_grants(who)))
    return Checked(source, True, clean(f"as {who}"), (missing,) if missing else ())


def _all_grants(who: str) -> str:
    """Where the login's name tells nothing of its rights, the whole of what it needs."""
    return f"GRANT pg_monitor, pg_signal_backend TO {quoted(who)};"


def _unreached(source: Shown, error: DatabaseError) -> Checked:
    hint = (error.failure.hint,) if error.failure.hint else ()
    return Checked(source, False, clean(f"{error.failure.phase}: {error.failure.says}"), hint)
