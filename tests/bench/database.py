"""What the database panel costs its server: measured by the server itself, in pg_stat_statements."""

from __future__ import annotations

import asyncio

import psycopg

from tests.servers.postgres import start_postgres

POLLS = 50
SPENT = """
    SELECT coalesce(sum(total_exec_time + total_plan_time), 0) FROM pg_stat_statements
    WHERE userid = (SELECT oid FROM pg_roles WHERE rolname = 'watch')
"""


def server_time() -> float:
    """Milliseconds of execution and planning per poll of the sessions, over fifty of them."""
    with start_postgres() as server:
        dsn = server.new_database("bench")
        watch = server.dsn("watch", "bench")
        asyncio.run(_poll(watch, 3))
        with psycopg.connect(dsn, autocommit=True) as connection:
            before = _spent(connection)
            asyncio.run(_poll(watch, POLLS))
            return (_spent(connection) - before) / POLLS


def _spent(connection: psycopg.Connection) -> float:
    row = connection.execute(SPENT).fetchone()
    assert row is not None
    return float(row[0])


async def _poll(dsn: str, times: int) -> None:
    from panels.database.config import DatabaseConfig
    from panels.database.probe import ask
    from tui.engine.connections import Tools
    from tui.engine.panel import Memory, Target

    config = DatabaseConfig.model_validate({"kind": "database", "dsn": dsn})
    target = Target("database", "database", config, None, 2.0, 2.0)
    tools, memory = Tools(), Memory()
    for _ in range(times):
        await ask(target, tools, memory)
    await tools.close()
