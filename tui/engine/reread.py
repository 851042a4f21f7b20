"""The config, read again while everything runs: when its file changes, and when somebody asks (SIGUSR1).

A good one takes effect; a bad one is said, and the old one stays. What reading a file means is not known here: `look` is given.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from msgspec import Struct

from .clock import Clock
from .setup import Setup
from .text import Shown, clean
from .threads import in_daemon_thread

LOOK_EACH = 2.0
"""Seconds between two looks whether the file has changed."""


class Reread(Struct, frozen=True):
    """A config that was read again: what it makes, None where it cannot be used; `says` what is wrong with it, or what it does
    not change without a new start. `digest` tells one content of the file from another."""

    digest: str
    setup: Setup | None
    says: Shown


Look = Callable[[bool], Reread | None]
"""Reads the file again if it has changed since last time, or in any case where told to; blocks. None where nothing is new."""


class Rereading:
    """Looks for a new config and hands it over. `taken(reread)` is called in the engine's loop."""

    def __init__(self, look: Look, taken: Callable[[Reread], Awaitable[None]], clock: Clock) -> None:
        self._look = look
        self._taken = taken
        self._clock = clock
        self._one_at_a_time = asyncio.Lock()

    async def run(self) -> None:
        """Looks again and again, until cancelled."""
        while True:
            await self._clock.sleep(LOOK_EACH)
            await self.now(asked=False)

    async def now(self, *, asked: bool = True) -> None:
        """Looks at once; where it was `asked` for also at a file that has not changed."""
        async with self._one_at_a_time:
            try:
                found = await in_daemon_thread(lambda: self._look(asked))
            except Exception as error:  # a defect in reading one content must not keep the next from being read
                found = Reread("", None, clean(f"the config cannot be read again: {type(error).__name__}: {error}"))
            if found is not None:
                await self._taken(found)
