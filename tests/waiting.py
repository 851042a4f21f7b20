"""Waiting for an effect: ask until it is there, or fail in time. Nothing sleeps a while and hopes.

What is promised in seconds is measured in seconds that the machine gave: many tests run at once on few cores, and a thread
that was ready to run while others ran instead is not slow. Linux counts that for each thread (`schedstat`), and on a virtual
machine for how long its host gave the cores to somebody else (`steal`).
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
Says = str | Callable[[], str]
"""What is said where it does not come true; a function where that is how things stand then."""

LONG = 30.0
"""Seconds for what is not promised in seconds: long enough for any machine, shorter than the test's own limit."""
DEADLINES = (0.5, 2.0, 8.0, LONG)
"""For what is to be cut off while the other side hangs: one after the other, until it came that far. A deadline that passes
while the machine stands still cuts off something else."""
GRACE = 3.0
"""Seconds that a busy machine may add to what is promised in seconds, over and above what `Stopwatch` leaves out: what the test
waits for would take far longer if nothing ended it. How exactly the promise is kept is measured by `tests/bench`."""


class Stopwatch:
    """Seconds since it was made, without those for which this process (and `others`, by pid) waited for a core, or the machine
    for its host."""

    def __init__(self, *others: int) -> None:
        self._processes = (os.getpid(), *others)
        self._withheld = 0.0
        self._seen = self._waits()
        self._began = time.monotonic()

    @property
    def withheld(self) -> float:
        """Seconds for which they waited for a core so far."""
        now, seen = self._waits(), self._seen
        self._withheld += sum(max(0, waited - seen.get(thread, 0)) for thread, waited in now.items()) / 1e9
        self._seen = now
        return self._withheld

    @property
    def took(self) -> float:
        """Seconds so far; none where several threads waited at once for longer than the wall's clock went on."""
        return max(0.0, time.monotonic() - self._began - self.withheld)

    def passed(self, seconds: float) -> bool:
        """Whether so many are over. Costs nothing before they are by the wall's clock."""
        return time.monotonic() - self._began > seconds and self.took > seconds

    def _waits(self) -> dict[str, int]:
        """How long each thread waited for a core in its life, in nanoseconds, and the machine for its host; nothing where the
        system does not say."""
        found = {"steal": _stolen()}
        for process in self._processes:
            for thread in Path(f"/proc/{process}/task").glob("*/schedstat"):
                with suppress(OSError, IndexError):  # it has ended
                    found[str(thread)] = int(thread.read_text().split()[1])
        return found


def _stolen() -> int:
    """For how long in all the host gave this machine's cores to others, in nanoseconds (proc(5): the eighth of `cpu`)."""
    try:
        ticks = int(Path("/proc/stat").read_text().split(maxsplit=9)[8])
    except (OSError, IndexError):
        return 0
    return ticks * 1_000_000_000 // os.sysconf("SC_CLK_TCK")


def eventually(
    what: Callable[[], T], within: float = LONG, says: Says = "", each: float = 0.02, watch: Stopwatch | None = None
) -> T:
    """Asks again and again until it is true, `each` so many seconds, and gives what it came to; `watch` measures the time where
    other processes' counts as well."""
    watch = watch or Stopwatch()
    while not (found := what()):
        assert not watch.passed(within), _said(says)
        time.sleep(each)
    return found


async def looked(what: Callable[[], Awaitable[T]], within: float = LONG, says: Says = "", each: float = 0.05) -> T:
    """`soon`, where looking takes its time as well."""
    watch = Stopwatch()
    while not (found := await what()):
        assert not watch.passed(within), _said(says)
        await asyncio.sleep(each)
    return found


async def soon(what: Callable[[], T], within: float = LONG, says: Says = "") -> T:
    """`eventually`, where the loop has to go on meanwhile."""

    async def look() -> T:
        return what()

    return await looked(look, within, says, 0.01)


def _said(says: Says) -> str:
    return (says if isinstance(says, str) else says()) or "it did not come true in time"
