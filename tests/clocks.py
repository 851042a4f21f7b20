"""A clock that a test drives: time passes only when told to, and whoever sleeps is woken at its very moment."""

from __future__ import annotations

import asyncio
import heapq
from itertools import count

START = 1_795_230_732.0
"""2026-11-21 03:12:12 UTC: the moment of screens.md's pictures."""


class DrivenClock:
    """Three clocks in step, until a test sets one of them apart."""

    def __init__(self, utc: float = START, monotonic: float = 1000.0) -> None:
        self._utc = utc
        self._monotonic = monotonic
        self._slept = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = count()

    def utc(self) -> float:
        return self._utc

    def monotonic(self) -> float:
        return self._monotonic

    def boottime(self) -> float:
        return self._monotonic + self._slept

    async def sleep(self, seconds: float) -> None:
        """Until `advance` has come that far."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._monotonic + seconds, next(self._order), waiting))
        await waiting

    @property
    def sleepers(self) -> int:
        """How many sleep now."""
        return sum(1 for _, _, waiting in self._sleepers if not waiting.done())

    async def advance(self, seconds: float) -> None:
        """Lets time pass, stopping at each sleeper's moment to wake it and to let it do what needs no waiting.

        What it starts on a real socket goes on in real time: wait for that by its effect.
        """
        until = self._monotonic + seconds
        await settle()
        while self._sleepers and self._sleepers[0][0] <= until:
            at, _, waiting = heapq.heappop(self._sleepers)
            self.move(max(0.0, at - self._monotonic))
            if not waiting.done():
                waiting.set_result(None)
                await settle()
        self.move(until - self._monotonic)
        await settle()

    def move(self, seconds: float) -> None:
        """Time passes and wakes nobody: for code that only asks what time it is."""
        self._monotonic += seconds
        self._utc += seconds

    def set_wall(self, seconds: float) -> None:
        """Somebody sets the wall clock by so much."""
        self._utc += seconds

    def suspend(self, seconds: float) -> None:
        """The machine sleeps: the wall clock and boot time run on, the monotonic clock stands still."""
        self._utc += seconds
        self._slept += seconds


def passes(seconds: float) -> None:
    """The running loop's own clock goes on by so much at once: whatever waits for a moment until then is due. For deadlines: so
    nothing needs to be quick in order to come before a short one."""
    loop = asyncio.get_running_loop()
    before = loop.time
    loop.time = lambda: before() + seconds  # type: ignore[method-assign]  # the test's own loop, gone with it


async def settle(rounds: int = 20) -> None:
    """Lets every task run until it waits for something."""
    for _ in range(rounds):
        await asyncio.sleep(0)
