"""Sessions that hurt the database: connections that nobody gives back, and a transaction that nobody ends.

Both notice when one of their sessions is ended by somebody, and then let go of the rest, as the application behind them
would; neither comes back by itself.
"""

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, LiteralString

import psycopg
from psycopg import AsyncConnection

from tui.demo.database.server import MAX_CONNECTIONS
from tui.demo.faults.fault import Fault
from tui.demo.stack import Parts

Connection = AsyncConnection[tuple[Any, ...]]


class LeakedConnections(Fault):
    """An application opens connections and gives none back, until the server refuses."""

    APPLICATIONS = (("shop_api", "vercel-functions"), ("shop_worker", "shop_worker"), ("shop_api", "analytics-export"))
    LEAKS_EVERY = 2.0
    LAST = "SELECT id, title, status FROM projects WHERE status = 'ready' ORDER BY updated_at DESC LIMIT 20"

    def __init__(self) -> None:
        self._leaked: list[Connection] = []
        self._leaking: asyncio.Task[None] | None = None

    async def apply(self, parts: Parts, rng: random.Random) -> None:
        role, name = rng.choice(self.APPLICATIONS)
        left_open = rng.uniform(0.0, 0.3)
        await self._leak(parts, role, name, rng, left_open)
        self._leaking = asyncio.create_task(self._leak_on(parts, role, name, rng, left_open))

    async def heal(self, parts: Parts) -> None:
        if self._leaking is not None:
            self._leaking.cancel()
            await asyncio.wait({self._leaking})  # else it goes on with a connection that is closed under it
            self._leaking = None
        await self._let_go()

    async def active(self, parts: Parts) -> bool:
        return bool(self._leaked)

    async def _leak_on(self, parts: Parts, role: str, name: str, rng: random.Random, left_open: float) -> None:
        """Takes what becomes free, until one of its own is ended: then its pool is discarded as a whole."""
        while not any(connection.closed for connection in self._leaked):
            await asyncio.sleep(self.LEAKS_EVERY)
            if not any(connection.closed for connection in self._leaked):
                await self._leak(parts, role, name, rng, left_open)
        await self._let_go()

    async def _leak(self, parts: Parts, role: str, name: str, rng: random.Random, left_open: float) -> None:
        with suppress(psycopg.OperationalError):
            while len(self._leaked) < MAX_CONNECTIONS:
                connection = await parts.database.connect(role, name)
                self._leaked.append(connection)
                if rng.random() < left_open:
                    await connection.set_autocommit(False)
                await connection.execute(self.LAST)
                _when_ended(connection, partial(_drop, connection))

    async def _let_go(self) -> None:
        leaked, self._leaked = self._leaked, []
        for connection in leaked:
            _drop(connection)


class LockChain(Fault):
    """A session holds a row and idles in its transaction; others wait for the row; its sibling runs a long statement."""

    ROOTS = (("shop_worker", "usage-backfill"), ("shop_api", "shop_api"), ("shop_worker", "nightly-rollup"))
    WAITERS = ("shop_api", "shop_worker")
    TABLES: tuple[tuple[str, LiteralString, tuple[LiteralString, ...]], ...] = (
        (
            "project-{}",
            "UPDATE projects SET status = 'archived', updated_at = now() WHERE id = md5(%s)::uuid",
            (
                "UPDATE projects SET updated_at = now() WHERE id = md5(%s)::uuid",
                "SELECT id, title FROM projects WHERE id = md5(%s)::uuid FOR UPDATE",
                "UPDATE projects SET title = trim(title) WHERE id = md5(%s)::uuid",
            ),
        ),
        (
            "workspace-{}",
            "UPDATE subscriptions SET status = 'past_due' WHERE workspace_id = md5(%s)::uuid",
            (
                "UPDATE subscriptions SET current_period_end = now() + interval '30 days' WHERE workspace_id = md5(%s)::uuid",
                "SELECT id, plan FROM subscriptions WHERE workspace_id = md5(%s)::uuid FOR UPDATE",
            ),
        ),
        (
            "account-{}",
            "UPDATE connected_accounts SET expires_at = now() + interval '60 days' WHERE id = md5(%s)::uuid",
            (
                "UPDATE connected_accounts SET external_id = trim(external_id) WHERE id = md5(%s)::uuid",
                "SELECT platform FROM connected_accounts WHERE id = md5(%s)::uuid FOR UPDATE",
            ),
        ),
    )
    NUMBERS = {"project-{}": (201, 240), "workspace-{}": (1, 12), "account-{}": (1, 24)}
    """Rows that the users' requests read but do not write."""
    LONG = "SELECT refresh_usage(7200)"

    def __init__(self) -> None:
        self._root: Connection | None = None
        self._long: asyncio.Task[None] | None = None
        self._waiting: set[asyncio.Task[None]] = set()

    async def apply(self, parts: Parts, rng: random.Random) -> None:
        row, holds, wants = rng.choice(self.TABLES)
        key = row.format(rng.randint(*self.NUMBERS[row]))
        role, name = rng.choice(self.ROOTS)
        self._root = await parts.database.connect(role, name)
        await self._root.set_autocommit(False)
        await self._root.execute(holds, [key])
        _when_ended(self._root, self._let_go)
        self._long = asyncio.create_task(_run(await parts.database.connect(role, name), self.LONG))
        for _ in range(rng.randint(2, 5)):
            role = rng.choice(self.WAITERS)
            waiter = await parts.database.connect(role, role)
            task = asyncio.create_task(_run(waiter, rng.choice(wants), key))
            self._waiting.add(task)
            task.add_done_callback(self._waiting.discard)
            await asyncio.sleep(0.15)

    async def heal(self, parts: Parts) -> None:
        self._let_go()

    async def active(self, parts: Parts) -> bool:
        return self._root is not None

    def _let_go(self) -> None:
        """The root's application ends: its transaction is rolled back, its statement cancelled, and the row is free."""
        if self._root is not None:
            _drop(self._root)
            self._root = None
        if self._long is not None:
            self._long.cancel()
            self._long = None


async def _run(connection: Connection, statement: LiteralString, *arguments: str) -> None:
    """One statement on a connection of its own, which is closed afterwards; somebody may end either."""
    with suppress(psycopg.Error, asyncio.CancelledError):
        try:
            await connection.execute(statement, arguments)
        finally:
            await connection.close()


def _when_ended(connection: Connection, then: Callable[[], None]) -> None:
    """Calls `then` when the server ends the session: an idle one has nothing else to say."""
    asyncio.get_running_loop().add_reader(connection.fileno(), then)


async def ended(connection: Connection, within: float) -> bool:
    """Whether the server ends an idle session in the next seconds: it waits for as long, or until that happens."""
    loop, said = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(connection.fileno(), said.set)
    try:
        with suppress(TimeoutError):
            await asyncio.wait_for(said.wait(), within)
    finally:
        loop.remove_reader(connection.fileno())
    return said.is_set()


def _drop(connection: Connection) -> None:
    """Closes it from our side. Its descriptor leaves the loop first, as the number will be used again."""
    if not connection.closed:
        asyncio.get_running_loop().remove_reader(connection.fileno())
        connection.pgconn.finish()
