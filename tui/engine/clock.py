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


def ahead_of_ours(said: float, asked: float, answered: float, step: float = 0.0) -> float:
    """How far another clock is ahead of ours, in seconds (below zero: behind), as far as that is certain. It `said` a time, in
    steps of `step` seconds, at some moment between `asked` and `answered` by ours: what an answer takes on its way is none."""
    return max(0.0, said - answered) or min(0.0, said + step - asked)


def clock_time(utc: float) -> Shown:
    """`03:12:09Z`: the second at which something was measured."""
    return Shown(datetime.datetime.fromtimestamp(utc, datetime.UTC).strftime("%H:%M:%SZ"))


def date_time(utc: float) -> Shown:
    """`2026-11-21 03:12:09Z`: for records and details."""
    return Shown(datetime.datetime.fromtimestamp(utc, datetime.UTC).strftime("%Y-%m-%d %H:%M:%SZ"))


def moment(utc: float, now: float) -> Shown:
    """The clock time where it is today, else the day: `03:01:40Z`, `19 Nov`."""
    return clock_time(utc) if _day(utc) == _day(now) else _day_in_words(utc)


def minute(utc: float, now: float) -> Shown:
    """The same in fewer cells: `03:01Z`, `19 Nov`."""
    return Shown(f"{clock_time(utc)[:5]}Z") if _day(utc) == _day(now) else _day_in_words(utc)


def day_and_time(utc: float, now: float) -> Shown:
    """The clock time where it is today, else with its day: `03:01:40Z`, `19 Nov 03:01Z`."""
    return clock_time(utc) if _day(utc) == _day(now) else Shown(f"{_day_in_words(utc)} {clock_time(utc)[:5]}Z")


def _day(utc: float) -> datetime.date:
    return datetime.datetime.fromtimestamp(utc, datetime.UTC).date()


def _day_in_words(utc: float) -> Shown:
    then = _day(utc)
    return Shown(f"{then.day} {then.strftime('%b')}")
