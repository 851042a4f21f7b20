"""A database of a test's own with a table to fight over, sessions that fight, and a way to ask the panel's probes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import psycopg
import pytest

from panels.database.config import DatabaseConfig
from tests.servers.postgres import Server
from tests.waiting import LONG, looked
from tui.engine.actions import Context
from tui.engine.connections import Tools
from tui.engine.panel import Ask, Memory, Target
from tui.engine.reading import Found, Row

Client = psycopg.AsyncConnection[tuple[Any, ...]]


@dataclass
class Shop:
    """One database under watch, and everybody who is connected to it."""

    server: Server
    name: str
    tools: Tools
    stack: AsyncExitStack
    memories: dict[str, Memory] = field(default_factory=dict)
    running: list[asyncio.Future[Any]] = field(default_factory=list)

    def config(self, **settings: Any) -> DatabaseConfig:
        """Looks as `watch`, acts as `ops`, unless said otherwise."""
        given = {"dsn": self.server.dsn("watch", self.name), "dsn_for_actions": self.server.dsn("ops", self.name), **settings}
        return DatabaseConfig(**given)

    async def ask(self, probe: Ask, config: DatabaseConfig | None = None) -> Found:
        """One poll of one probe, which remembers the last one."""
        target = Target("database", "database", config or self.config(), None, 2.0, LONG, "test")
        return await probe(target, self.tools, self.memories.setdefault(probe.__name__, {}))

    def context(self, config: DatabaseConfig | None = None) -> Context:
        """What an action is given."""
        return Context("database", config or self.config(), self.tools, "test", False)

    async def client(self, user: str = "app", application: str = "web", *, autocommit: bool = True) -> Client:
        """Somebody's connection, closed with the test."""
        dsn = self.server.dsn(user, self.name)
        client = await psycopg.AsyncConnection.connect(dsn, application_name=application, autocommit=autocommit)
        self.stack.push_async_callback(client.close)
        return client

    def start(self, client: Client, statement: bytes) -> asyncio.Future[Any]:
        """A statement that takes long or waits."""
        self.running.append(asyncio.ensure_future(client.execute(statement)))
        return self.running[-1]

    async def sessions(self, config: DatabaseConfig | None = None) -> dict[int, Row]:
        """The session rows by pid, from a fresh poll."""
        from panels.database.probe import ask

        found = await self.ask(ask, config)
        assert found.error is None, found.error
        return {int(str(row.cells["pid"])): row for row in found.rows if row.group == "session"}

    async def chain(self) -> tuple[Client, Client, Client]:
        """Who holds a row in an idle transaction, who waits for it, and who waits behind that one."""
        holder = await self.client(application="backfill", autocommit=False)
        await holder.execute("UPDATE orders SET state = 'held' WHERE id = 1")
        waiters = []
        for statement in (
            b"UPDATE orders SET note = 'secret word' WHERE id = 1",
            b"SELECT * FROM orders WHERE id = 1 FOR UPDATE",
        ):
            waiter = await self.client()
            self.start(waiter, statement)
            await self.waits(waiter.info.backend_pid)
            waiters.append(waiter)
        return holder, waiters[0], waiters[1]

    async def waits(self, pid: int) -> None:
        """Until the server says that it waits for a lock."""
        await self._state("wait_event_type = 'Lock'", pid)

    async def runs(self, pid: int) -> None:
        """Until the server says that it runs something."""
        await self._state("state = 'active'", pid)

    async def alone(self) -> None:
        """Until nobody else is connected to the server: the sessions of an earlier test end a moment after it."""
        others = b"SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        async with await psycopg.AsyncConnection.connect(self.server.superuser, autocommit=True) as connection:

            async def so() -> bool:
                return await (await connection.execute(others)).fetchone() == (0,)

            await looked(so)

    async def _state(self, what: str, pid: int) -> None:
        sql = f"SELECT count(*) FROM pg_stat_activity WHERE {what} AND pid = {pid}".encode()
        async with await psycopg.AsyncConnection.connect(self.server.superuser, autocommit=True) as connection:

            async def so() -> bool:
                return await (await connection.execute(sql)).fetchone() == (1,)

            await looked(so)


@pytest.fixture
async def shop(postgres: Server, unhurried: None) -> AsyncIterator[Shop]:
    name = "shop"
    with psycopg.connect(postgres.new_database(name), autocommit=True) as connection:
        connection.execute("CREATE TABLE orders (id int PRIMARY KEY, state text, note text)")
        connection.execute("INSERT INTO orders SELECT g, 'new', repeat('x', 100) FROM generate_series(1, 5000) AS g")
        connection.execute("GRANT ALL ON orders TO app")
        connection.execute("ANALYZE orders")
    async with AsyncExitStack() as stack:
        tools = Tools("test")
        stack.push_async_callback(tools.close)
        there = Shop(postgres, name, tools, stack)
        yield there
        for each in there.running:
            each.cancel()
        await asyncio.gather(*there.running, return_exceptions=True)
