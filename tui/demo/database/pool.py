"""A small pool of PostgreSQL connections: a fixed number, opened early, replaced when broken."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from psycopg import AsyncConnection
from psycopg.pq import TransactionStatus

OPTIONS = "-c statement_timeout=15s -c lock_timeout=3s"
WAITS = 3.0
"""Seconds a caller waits for a free connection."""


class PoolTimeout(Exception):
    """All connections stayed busy."""


class Pool:
    """Lends connections in autocommit. One that comes back within a transaction is closed, not reused.

    `dsn` may change: it is for the connections made from then on.
    """

    def __init__(self, dsn: str, size: int, name: str) -> None:
        self.dsn = dsn
        self._name = name
        self._idle: asyncio.Queue[AsyncConnection | None] = asyncio.Queue()
        for _ in range(size):
            self._idle.put_nowait(None)

    async def fill(self) -> None:
        """Opens all of them now, and fails if one cannot be opened."""
        for _ in range(self._idle.qsize()):
            self._idle.put_nowait(self._idle.get_nowait() or await self.connect())

    async def connect(self) -> AsyncConnection:
        """A connection of the caller's own, outside the pool."""
        return await AsyncConnection.connect(
            self.dsn, autocommit=True, application_name=self._name, connect_timeout=3, options=OPTIONS
        )

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[AsyncConnection]:
        try:
            async with asyncio.timeout(WAITS):
                connection = await self._idle.get()
        except TimeoutError:
            raise PoolTimeout("timed out waiting for a database connection") from None
        try:
            if connection is None or connection.closed:
                connection = None
                connection = await self.connect()
            yield connection
        finally:
            if connection is not None and connection.info.transaction_status != TransactionStatus.IDLE:
                await connection.close()
            self._idle.put_nowait(connection)
