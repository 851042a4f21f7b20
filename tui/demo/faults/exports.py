"""Statements that are slow without being stuck: none of them is worth a look, but there are many."""

import asyncio
import random
from contextlib import suppress

import psycopg

from tui.demo.faults.fault import Fault
from tui.demo.faults.sessions import Connection
from tui.demo.stack import Parts


class SlowExport(Fault):
    """An export asks for page after page, several at a time, each of which takes more than a second."""

    APPLICATIONS = ("data-export", "partner-feed", "bi-extract")
    PAGE = "SELECT export_page(md5(%s)::uuid, %s)"

    def __init__(self) -> None:
        self._pages: list[asyncio.Task[None]] = []

    async def apply(self, parts: Parts, rng: random.Random) -> None:
        name, pause = rng.choice(self.APPLICATIONS), rng.uniform(0.31, 0.45)
        for _ in range(rng.randint(7, 10)):
            connection = await parts.database.connect("shop_worker", name)
            workspace = f"workspace-{rng.randint(1, 12)}"
            self._pages.append(asyncio.create_task(self._export(connection, workspace, pause)))

    async def heal(self, parts: Parts) -> None:
        pages, self._pages = self._pages, []
        for page in pages:
            page.cancel()
        if pages:
            await asyncio.wait(pages)

    async def active(self, parts: Parts) -> bool:
        return any(not page.done() for page in self._pages)

    async def _export(self, connection: Connection, workspace: str, pause: float) -> None:
        """One page after the other, until somebody ends the statement or the session."""
        with suppress(psycopg.Error):
            async with connection:
                while True:
                    await connection.execute(self.PAGE, [workspace, pause])
