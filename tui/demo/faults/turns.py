"""A session that keeps others from their turn for longer than it should."""

import asyncio
import random
from contextlib import suppress

import psycopg

from tui.demo.faults.fault import Fault
from tui.demo.faults.sessions import Connection, ended
from tui.demo.services.timer import EVERY
from tui.demo.stack import Parts
from tui.demo.web.admin import TURN


class KeptTurn(Fault):
    """Something else that goes through the schedules keeps the turn while it talks to somebody, again and again.

    The schedule scan comes `EVERY` seconds after its last turn ended, which is when the other one's began: so it waits for the
    rest. Whoever ends the session ends it for good.
    """

    APPLICATIONS = ("calendar-sync", "timezone-repair", "schedule-export")
    WAITS = (11.0, 14.0)
    """Seconds that are left of the turn when the scan comes."""
    GOES_THROUGH = "SELECT count(*) FROM schedules WHERE status = 'scheduled'"

    def __init__(self) -> None:
        self._keeping: asyncio.Task[None] | None = None

    async def apply(self, parts: Parts, rng: random.Random) -> None:
        connection = await parts.database.connect("shop_worker", rng.choice(self.APPLICATIONS))
        self._keeping = asyncio.create_task(self._keep(connection, EVERY + rng.uniform(*self.WAITS)))

    async def heal(self, parts: Parts) -> None:
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.wait({self._keeping})
            self._keeping = None

    async def active(self, parts: Parts) -> bool:
        return self._keeping is not None and not self._keeping.done()

    async def _keep(self, connection: Connection, seconds: float) -> None:
        """Takes one turn after the other; who waits for it has it in between."""
        over = False
        with suppress(psycopg.Error):
            async with connection:
                while not over:
                    async with connection.transaction():
                        await connection.execute(TURN.encode())
                        await connection.execute(self.GOES_THROUGH)
                        over = await ended(connection, seconds)
