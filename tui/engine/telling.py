"""An engine's way to tell people (`notify/`): loaded when it is first needed, and nothing at all where no `[[notify]]` is set.

leads    tells what is due, with each judgement          (every engine that polls)
follows  tells nothing by itself, and may call for help  (every other)
watches  (`--read-only`) tells nobody anything, and says so while it polls
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec.structs import replace

from .alert import Alert
from .clock import Clock
from .connections import Tools
from .feed import Level
from .journal import Journal
from .judge import Judgement
from .setup import Setup
from .text import Shown
from .together import Together

if TYPE_CHECKING:
    from .notify.notifier import Notifier

READ_ONLY = Shown("read-only: while this dashboard polls, nobody is told of an alert")


class Telling:
    """Who is told, as one engine needs it. `news` is called in the loop when there is something else to warn of."""

    def __init__(
        self,
        setup: Setup,
        level: Level,
        tools: Tools,
        journal: Journal | None,
        clock: Clock,
        together: Together,
        news: Callable[[], None],
    ) -> None:
        self._setup = setup
        self._level = level
        self._means = (tools, journal, clock, news)
        self._together = together
        self._notifier: Notifier | None = None
        self._running: asyncio.Future[None] | None = None
        self.leads = False

    def use(self, setup: Setup) -> None:
        """The config was read again."""
        self._setup = setup
        if self._notifier is not None:
            self._notifier.use(setup)
        if self.leads:
            self.lead()

    def lead(self) -> None:
        """This process polls from now on, so it tells; nothing where it does already."""
        self.leads = True
        if self._may_tell and (self._running is None or self._running.done()):
            self._running = asyncio.ensure_future(self._loaded().run())

    async def rest(self, grace: float = 1.0) -> None:
        """It does not any more; what is under way may still arrive."""
        self.leads = False
        running, self._running = self._running, None
        if self._notifier is not None and running is not None:
            await self._notifier.finish(grace)
            running.cancel()
            await asyncio.wait([running], timeout=0.5)

    def take(self, judgement: Judgement) -> Judgement:
        """Has told what is due by a judgement of this process; returns it with what a person must know of the telling."""
        if not self.leads or all(each.on_screen for each in self._setup.channels):
            return judgement
        if self._level is Level.WATCH:
            return replace(judgement, troubles=(READ_ONLY,))
        notifier = self._loaded()
        notifier.take(judgement.folds, judgement.at)
        return replace(judgement, troubles=notifier.warnings)

    @property
    def pager(self) -> Callable[[Alert, str], asyncio.Future[Shown]] | None:
        """What calls for help, for a person; None where nothing is configured that could, or nothing may leave."""
        if not self._may_tell or not any("escalated" in each.on for each in self._setup.channels):
            return None
        return lambda alert, whom: asyncio.ensure_future(self._loaded().page(alert, whom))

    @property
    def _may_tell(self) -> bool:
        return self._level is not Level.WATCH and any(not each.on_screen for each in self._setup.channels)

    def _loaded(self) -> Notifier:
        if self._notifier is None:
            from .notify.notifier import Notifier  # late: most configs tell nobody

            tools, journal, clock, news = self._means
            team = self._together.claim if self._together.configured else None
            self._notifier = Notifier(self._setup, tools, journal, clock, news, team)
        return self._notifier
