"""The deeds that a screen shows: this process's, as they move on, and those of earlier runs whose outcome nobody knows."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from .claims import left_open
from .clock import Clock
from .feed import Deed, OpenIntent
from .journal import Journal, JournalError
from .text import EMPTY, Shown, clean
from .threads import in_daemon_thread

SHOWN = 20
"""So many deeds at the most, besides those that are under way."""


class Deeds:
    """One engine's deeds. Lives in its loop; `news` is called when one moved on."""

    def __init__(self, journal: Journal | None, clock: Clock, news: Callable[[], object]) -> None:
        self.intents: tuple[OpenIntent, ...] = ()
        """Deeds of earlier runs that may have happened."""
        self.problem: Shown = EMPTY
        """Why that cannot be known; empty while it can."""
        self._journal = journal
        self._clock = clock
        self._news = news
        self._deeds: dict[str, Deed] = {}
        self._tasks: set[asyncio.Future[Deed]] = set()

    @property
    def shown(self) -> tuple[Deed, ...]:
        """The last deeds of this process, oldest first."""
        return tuple(self._deeds.values())

    @property
    def under_way(self) -> bool:
        """Whether something more will come of one."""
        return any(deed.ended is None for deed in self._deeds.values())

    def moved(self, deed: Deed) -> None:
        """A deed has moved on."""
        self._deeds[deed.id] = deed
        ended = [key for key, each in self._deeds.items() if each.ended is not None]
        for key in ended[: max(0, len(self._deeds) - SHOWN)]:
            del self._deeds[key]
        self._news()

    async def keep(self, deed: Awaitable[Deed]) -> Deed:
        """Deeds belong to the engine: whoever asked may go away, the deed goes on."""
        task = asyncio.ensure_future(deed)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return await asyncio.shield(task)

    def cancel(self) -> set[asyncio.Future[Deed]]:
        """The process ends: what is still looking for its proof is broken off."""
        for task in self._tasks:
            task.cancel()
        return self._tasks

    def is_open(self, deed: str | None) -> bool:
        """Whether a deed is among the open intents."""
        return any(each.id == deed for each in self.intents)

    async def read_intents(self) -> None:
        """Reads the open intents again; where that cannot be, says so in `problem`, and all else goes on."""
        journal = self._journal
        if journal is None:
            return
        now = self._clock.utc()
        try:
            found = await in_daemon_thread(lambda: left_open(journal, now))
        except JournalError as error:
            self.problem = clean(f"whether earlier deeds were left without an outcome cannot be read: {error}")
            return
        self.problem = EMPTY
        running = set(self._deeds)
        self.intents = tuple(
            OpenIntent(each.deed or "", each.at, each.who, clean(each.data.get("action", "")), clean(each.data.get("what", "")))
            for each in found
            if each.deed not in running
        )
