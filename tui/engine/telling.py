"""An engine's way to tell people (`notify/`): loaded when it is first needed, and nothing at all where no `[[notify]]` is set.

leads    tells what is due, with each judgement          (every engine that polls)
follows  tells nothing by itself, and may call for help  (every other)
watches  (`--read-only`) tells nobody anything, and says so while it polls
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from .alert import Alert
from .clock import Clock
from .connections import Tools
from .entries import Paged, Said
from .escalation import BACKUP, Called, Escalation, to_page
from .feed import Level
from .journal import Journal
from .judge import Judgement
from .redact import redact
from .setup import Setup
from .text import Shown, clean
from .together import Together

if TYPE_CHECKING:
    from .notify.notifier import Notifier

CALLED_AGAIN = 30.0
"""Seconds after which the clock calls again where somebody could not be told."""
STILL = 10.0
"""Seconds between two judgements past which nobody was watching: they come each second."""
JUMP = 2.0
"""Seconds by which the wall clock has moved against the boot clock where somebody set it, or the machine was stopped from
outside: the escalation clocks go by it."""
AWAKE = 60.0
"""Seconds after either in which the clock calls nobody: what fired before may be over, and is measured anew first."""
READ_ONLY = Shown("read-only: while this dashboard polls, nobody is told of an alert")


class Telling:
    """Who is told, as one engine needs it. `news` is called in the loop when there is something else to warn of; `writes` takes
    what the one who polls says by itself at a moment (UTC seconds), and writes it down as soon as the disk takes it."""

    def __init__(
        self,
        setup: Setup,
        level: Level,
        tools: Tools,
        journal: Journal | None,
        clock: Clock,
        together: Together,
        news: Callable[[], None],
        writes: Callable[[Sequence[Said], float], None],
    ) -> None:
        self._setup = setup
        self._level = level
        self._means = (tools, journal, clock, news)
        self._together = together
        self._writes = writes
        self._notifier: Notifier | None = None
        self._running: asyncio.Future[None] | None = None
        self.leads = False
        self._calling: dict[str, asyncio.Future[None]] = {}
        """By fingerprint: the clock's call that is under way, or was a moment ago."""
        self.elsewhere: Callable[[], bool] = lambda: False
        """Whether others poll by another config, whose alerts are not seen here."""
        self._looked = clock.boottime()
        self._woken = float("-inf")
        """When the machine, or this process, was last found to have stood still, or its wall clock to have jumped: boot-clock
        seconds."""
        self._wall = clock.utc() - clock.boottime()

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
            ending = [running, *self._calling.values()]
            for task in ending:
                task.cancel()
            await asyncio.wait(ending, timeout=0.5)

    def take(self, judgement: Judgement) -> Judgement:
        """Has told what is due by a judgement of this process; returns it with what a person must know of the telling, and by
        what the escalation clocks would call."""
        now = self._means[2].boottime()
        wall = self._means[2].utc() - now
        if now - self._looked > STILL or abs(wall - self._wall) > JUMP:
            self._woken = now
        self._looked, self._wall = now, wall
        judgement = self._named(judgement)
        if not self.leads or all(each.on_screen for each in self._setup.channels):
            return judgement
        if self._level is Level.WATCH:
            return replace(judgement, troubles=(READ_ONLY,))
        notifier = self._loaded()
        notifier.take(judgement.folds, judgement.at)
        if self.pager is not None and now - self._woken >= AWAKE:
            self._call_by_the_clock(judgement)
        return replace(judgement, troubles=notifier.warnings)

    @property
    def pager(self) -> Callable[[Alert, str], Awaitable[Called]] | None:
        """What calls for help, for a person; None where nothing is configured that could, or nothing may leave."""
        if not self._may_tell or not any("escalated" in each.on for each in self._setup.channels):
            return None
        return self._page

    async def _page(self, alert: Alert, whom: str) -> Called:
        return await self._loaded().page(alert, whom)

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
        """Calls whoever is due; again, after a moment, where a channel did not tell them. What was told is not told twice: each
        call is claimed in the journal."""
        alerts = {each.fingerprint: each for each in judgement.alerts}
        for each in to_page(judgement.escalations, judgement.at):
            alert = alerts.get(each.fingerprint)
            if alert is not None and each.fingerprint not in self._calling:
                task = self._calling[each.fingerprint] = asyncio.ensure_future(self._call(each, alert))
                task.add_done_callback(functools.partial(self._called, each.fingerprint))

    async def _call(self, due: Escalation, alert: Alert) -> None:
        """One call, and what came of it written down: also where nobody was reached, once for each reason."""
        whom = due.person or BACKUP
        try:
            called = await self._loaded().page(alert, whom, by_itself=True)
        except Exception as error:  # a defect of ours must be seen, and must not end the calls
            called = Called(clean(redact(f"{whom}: not called: {type(error).__name__}: {error}")), reached=False)
        if called.reached or not (called.elsewhere or called.says == due.unreached):
            said = Paged(due.fingerprint, whom, True, called.reached, called.says, called.told, called.missed)
            self._writes((said,), self._means[2].utc())
        await self._means[2].sleep(CALLED_AGAIN)

    def _called(self, fingerprint: str, _: asyncio.Future[None]) -> None:
        del self._calling[fingerprint]

    @property
    def _may_tell(self) -> bool:
        return self._level is not Level.WATCH and any(not each.on_screen for each in self._setup.channels)

    def _loaded(self) -> Notifier:
        if self._notifier is None:
            from .notify.notifier import Notifier  # late: most configs tell nobody

            tools, journal, clock, news = self._means
            team = self._together.claim if self._together.configured else None
            self._notifier = Notifier(self._setup, tools, journal, clock, news, team)
            self._notifier.elsewhere = lambda: self.elsewhere()
        return self._notifier
