"""More users than usual, who do nothing wrong."""

import asyncio
import random

from tui.demo.faults.fault import Fault
from tui.demo.services.users import SHARES, USUAL_RATE, Users
from tui.demo.stack import Parts


class Crowd(Fault):
    """With those who always come, three to four times as many requests as usual."""

    WANTS = (SHARES, {"projects": 1.0}, {"clips": 4.0, "projects": 1.0})
    """What everybody wants, one page asked again and again, or what a link from outside leads to."""

    def __init__(self) -> None:
        self._crowd: asyncio.Task[None] | None = None

    async def apply(self, parts: Parts, rng: random.Random) -> None:
        wants, rate = rng.choice(self.WANTS), USUAL_RATE * rng.uniform(2.4, 3.0)
        self._crowd = asyncio.create_task(Users(parts.web_url, rng, rate, 0.0, wants).run())

    async def heal(self, parts: Parts) -> None:
        if self._crowd is not None:
            self._crowd.cancel()
            self._crowd = None

    async def active(self, parts: Parts) -> bool:
        return self._crowd is not None
