"""An engine's way to tell people (`notify/`): loaded when it is first needed, and nothing at all where no `[[notify]]` is set.

leads    tells what is due, with each judgement          (every engine that polls)
follows  tells nothing by itself, and may call for help  (every other)
watches  (`--read-only`) tells nobody anything, and says so while it polls
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from msgspec.structs import replace

from .alert import Alert
from .clock import Clock
from .connections import Tools
from .escalation import BACKUP
from .feed import Level
from .journal import Journal
from .judge import Judgement
from .setup import Setup
from .text import Shown, clean
from .together import Together

if TYPE_CHECKING:
    from .notify.notifier import Notifier

CALLED_AGAIN = 30.0
"""Seconds after which the clock calls again where nobody could be reached."""
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
        self._called: set[tuple[str, float]] = set()
        """For which alerts, and at which time that was due, the clock has called or is calling."""
        self._calling: set[asyncio.Future[None]] = set()

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
            for task in (running, *self._calling):
                task.cancel()
            await asyncio.wait([running], timeout=0.5)

    def take(self, judgement: Judgement) -> Judgement:
        """Has told what is due by a judgement of this process; returns it with what a person must know of the telling, and by
        what the escalation clocks would call."""
        judgement = self._named(judgement)
        if not self.leads or all(each.on_screen for each in self._setup.channels):
            return judgement
        if self._level is Level.WATCH:
            return replace(judgement, troubles=(READ_ONLY,))
        notifier = self._loaded()
        notifier.take(judgement.folds, judgement.at)
        self._call_by_the_clock(judgement)
        return replace(judgement, troubles=notifier.warnings)

    @property
    def pager(self) -> Callable[[Alert, str], Awaitable[Shown]] | None:
        """What calls for help, for a person; None where nothing is configured that could, or nothing may leave."""
        if not self._may_tell or not any("escalated" in each.on for each in self._setup.channels):
            return None
        return self._page

    async def _page(self, alert: Alert, whom: str) -> Shown:
        return (await self._loaded().page(alert, whom)).says

    def _named(self, judgement: Judgement) -> Judgement:
        """With the channels that each escalation clock would call by."""
        if not judgement.escalations or self.pager is None:
            return judgement
        from .notify.routing import routes  # late: only where somebody could be called

        alerts = {each.fingerprint: each for each in judgement.alerts}
        clocks = []
        for each in judgement.escalations:
            alert = alerts.get(each.fingerprint)
            found = routes(alert, "escalated", judgement.at, self._setup.channels, each.person or BACKUP) if alert else ()
            clocks.append(replace(each, channels=tuple(clean(channel.title) for channel in found)))
        return replace(judgement, escalations=tuple(clocks))

    def _call_by_the_clock(self, judgement: Judgement) -> None:
        """Calls for what the escalation clock paged by itself; again where nobody could be reached."""
        alerts = {each.fingerprint: each for each in judgement.alerts}
        for each in judgement.escalations:
            if not each.pages or each.due is None or each.paged_at is None or each.paged_at < each.due:
                continue
            key, alert = (each.fingerprint, each.due), alerts.get(each.fingerprint)
            if alert is not None and key not in self._called:
                self._called.add(key)
                task = asyncio.ensure_future(self._call(key, alert, each.person or BACKUP))
                self._calling.add(task)
                task.add_done_callback(self._calling.discard)

    async def _call(self, key: tuple[str, float], alert: Alert, whom: str) -> None:
        called = await self._loaded().page(alert, whom, by_itself=True)
        if not called.reached:
            await self._means[2].sleep(CALLED_AGAIN)
            self._called.discard(key)

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
