"""Time, injected everywhere, so that a test can drive it and a suspended laptop cannot lie.

Three clocks, because each lies in its own way: UTC jumps when it is set, the monotonic clock stands still while the
machine sleeps, boot time does neither but means nothing to a person.
"""

from __future__ import annotations

import asyncio
import datetime
import time
from typing import Protocol

from .text import Shown


class Clock(Protocol):
    """What the engine asks of time. All in seconds."""

    def utc(self) -> float:
        """Seconds since 1970, UTC: for what people and journals read."""
        ...

    def monotonic(self) -> float:
        """Seconds that never jump: for intervals, deadlines and ages."""
        ...

    def boottime(self) -> float:
        """Like `monotonic`, but runs on while the machine sleeps: for noticing that it slept."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Waits; a driven clock wakes it when told."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def utc(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    def boottime(self) -> float:
        # Only Linux has it; elsewhere the monotonic clock is the best there is.
        return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def clock_time(utc: float) -> Shown:
    """`03:12:09Z`: the second at which something was measured."""
    return Shown(datetime.datetime.fromtimestamp(utc, datetime.UTC).strftime("%H:%M:%SZ"))


def date_time(utc: float) -> Shown:
    """`2026-11-21 03:12:09Z`: for records and details."""
    return Shown(datetime.datetime.fromtimestamp(utc, datetime.UTC).strftime("%Y-%m-%d %H:%M:%SZ"))


def moment(utc: float, now: float) -> Shown:
    """The clock time where it was today, else the day: `03:01:40Z`, `19 Nov`."""
    then, today = (datetime.datetime.fromtimestamp(at, datetime.UTC) for at in (utc, now))
    return clock_time(utc) if then.date() == today.date() else Shown(f"{then.day} {then.strftime('%b')}")
