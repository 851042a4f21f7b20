"""A table that grows and grows."""

import asyncio
import random
from contextlib import suppress

import psycopg

from tui.demo.database.server import NAME, QUOTA
from tui.demo.faults.fault import Fault
from tui.demo.stack import Parts


class GrowingTable(Fault):
    """An import fetches, and nobody takes what it put down: most of the quota is used at once, and a little more each time.

    Once somebody has emptied the table, the import is over.
    """

    SOURCES = ("rss", "drive", "dropbox", "vimeo")
    AT_ONCE = (0.84, 0.90)
    AT_MOST = 0.98
    """Shares of the quota."""
    MORE_EVERY = 10.0
    PAYLOAD = 1600
    """Bytes a row, below what PostgreSQL would compress."""
    FETCH = """
        INSERT INTO import_staging (source, payload)
        SELECT %s, repeat(md5(random()::text), %s / 32) FROM generate_series(1, %s)
    """
    SIZE = "SELECT pg_database_size(%s)"
    ROWS_A_PAGE = 4

    def __init__(self) -> None:
        self._fetching: asyncio.Task[None] | None = None

    async def apply(self, parts: Parts, rng: random.Random) -> None:
        source, share = rng.choice(self.SOURCES), rng.uniform(*self.AT_ONCE)
        await self._fetch(parts, source, share)
        self._fetching = asyncio.create_task(self._fetch_on(parts, source, share))

    async def heal(self, parts: Parts) -> None:
        if self._fetching is not None:
            self._fetching.cancel()
            await asyncio.wait({self._fetching})
            self._fetching = None
        async with parts.database.session() as connection:
            await connection.execute("TRUNCATE import_staging")

    async def active(self, parts: Parts) -> bool:
        return self._fetching is not None and not self._fetching.done()

    async def _fetch_on(self, parts: Parts, source: str, share: float) -> None:
        """A hundredth of the quota each time. A server that takes no connection is asked again the next time."""
        while True:
            await asyncio.sleep(self.MORE_EVERY)
            with suppress(psycopg.Error):
                if not await self._is_there(parts):
                    return
                share = min(share + 0.01, self.AT_MOST)
                await self._fetch(parts, source, share)

    async def _is_there(self, parts: Parts) -> bool:
        async with parts.database.session("shop_worker") as connection:
            return (await connection.execute("SELECT FROM import_staging LIMIT 1")).rowcount > 0

    async def _fetch(self, parts: Parts, source: str, share: float) -> None:
        """Rows until the database has a share of its quota, and counted, as bulk loads are."""
        async with parts.database.session() as connection:
            row = await (await connection.execute(self.SIZE, [NAME])).fetchone()
            missing = share * QUOTA - (row[0] if row else 0)
            rows = max(0, round(missing / 8192 * self.ROWS_A_PAGE))
            await connection.execute(self.FETCH, [source, self.PAYLOAD, rows])
            await connection.execute("ANALYZE import_staging")
