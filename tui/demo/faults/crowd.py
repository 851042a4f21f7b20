"""More users than usual, who do nothing wrong."""

import asyncio
import random

from tui.demo.faults.fault import Fault
from tui.demo.services.users import SHARES, USUAL_RATE, Users
from tui.demo.stack import Parts


class Crowd(Fault):
    """With those who always come, three to four times as many requests as usual."""

    THREE_TIMES = 3
    EACH = (0.8, 1.0)
    """The usual rate times this, for each of as many again: on a busy machine all of them come less often alike."""
    AT_ONCE = 8
    """A crowd that waits asks for nothing more, so that the service is busy and never overrun."""
    WANTS = (SHARES, {"projects": 1.0}, {"clips": 4.0, "projects": 1.0})
    """What everybody wants, one page asked again and again, or what a link from outside leads to."""

    def __init__(self) -> None:
        self._crowd: list[asyncio.Task[None]] = []

    async def apply(self, parts: Parts, rng: random.Random) -> None:
        wants, rate = rng.choice(self.WANTS), USUAL_RATE * rng.uniform(*self.EACH)
        crowd = (Users(parts.web_url, rng, rate, self.AT_ONCE, wants) for _ in range(self.THREE_TIMES))
        self._crowd = [asyncio.create_task(users.run()) for users in crowd]

    async def heal(self, parts: Parts) -> None:
        for users in self._crowd:
            users.cancel()
        self._crowd = []

    async def active(self, parts: Parts) -> bool:
        return bool(self._crowd)
