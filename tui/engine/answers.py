"""What people say of alerts, answered: checked, written into the journal, and only then in force.

Nothing here acts on production; it is refused all the same at the level `watch`, and where it cannot be recorded.
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from typing import Any

from .alert import Alert
from .ask import (
    Acknowledge,
    Ask,
    CallItFalse,
    EndSilence,
    Maintain,
    MakeSilence,
    Mark,
    Page,
    Tuning,
    Unacknowledge,
    Unrecorded,
)
from .clock import Clock
from .connections import Tools
from .entries import (
    Acknowledged,
    CalledFalse,
    Maintained,
    Marked,
    Paged,
    Silenced,
    SilenceEnded,
    Unacknowledged,
)
from .escalation import BACKUP, Called
from .feed import Level
from .history import History
from .judge import Judge
from .panel import load_named
from .reading import Change, ProbeError
from .redact import redact
from .sayings import Sayings
from .setup import PanelSetup, Setup
from .silences import Silence, Silencer, too_broad, wrong_with
from .text import Shown, clean
from .units import show_duration

LONGEST_SILENCE = 30 * 86400.0
"""Seconds: who wants something quiet for longer changes its rule."""
Pager = Callable[[Alert, str], Awaitable[Called]]
"""Calls somebody for an alert; answers who was told by which channel."""


class Answers:
    """What answers. `sayings` is the way into the journal; `pager`, where something can call, is `notify`'s."""

    def __init__(
        self, setup: Setup, level: Level, tools: Tools, judge: Judge, history: History, sayings: Sayings, clock: Clock
    ) -> None:
        self.setup = setup
        self._level = level
        self._tools = tools
        self._judge = judge
        self._history = history
        self._sayings = sayings
        self._clock = clock
        self.pager: Pager | None = None

    async def answer(self, question: Ask) -> Any:
        """Answers one question. Raises Unrecorded, or ProbeError where another system was to be told."""
        if self._level is Level.WATCH:
            raise Unrecorded("read-only: nothing leaves, so nothing is said either. Start without --read-only")
        match question:
            case Acknowledge(fingerprints):
                await self._acknowledge(fingerprints)
            case Unacknowledge(fingerprints):
                await self._say(Unacknowledged(fingerprints))
            case MakeSilence():
                return await self._silence(question)
            case EndSilence(id_):
                await self._end(id_)
            case Maintain(panels, seconds, reason):
                return await self._maintain(panels, seconds, reason)
            case CallItFalse(fingerprint, why):
                return await self._call_false(fingerprint, why)
            case Page(fingerprint):
                return await self._page(fingerprint)
            case Mark(text):
                await self._mark(text)
        return None

    async def _say(self, said: Any) -> None:
        await self._sayings.say(self.setup.user, said)

    def _alert(self, fingerprint: str) -> Alert:
        """An alert that is there now. Raises Unrecorded."""
        found = next((each for each in self._judge.newest.alerts if each.fingerprint == fingerprint), None)
        if found is None:
            raise Unrecorded("that alert is not there any more")
        return found

    async def _acknowledge(self, fingerprints: tuple[str, ...]) -> None:
        """Those of them that are not over; exactly what was shown, and nothing that joined meanwhile."""
        open_ = [each for each in self._judge.newest.alerts if each.fingerprint in fingerprints and each.open]
        if not open_:
            raise Unrecorded("there is nothing to acknowledge: it is over")
        await self._say(Acknowledged(tuple((each.fingerprint, each.severity) for each in open_)))

    async def _silence(self, asked: MakeSilence) -> str:
        """Makes a silence, ours or another system's, and returns its id."""
        if wrong := wrong_with(asked.matchers):
            raise Unrecorded(wrong)
        if not asked.reason.strip():
            raise Unrecorded("why? A silence needs a reason")
        if not 0 < asked.seconds <= LONGEST_SILENCE:
            raise Unrecorded(f"a silence lasts {show_duration(LONGEST_SILENCE)} at the most")
        if too_broad(asked.matchers) and not asked.sure:
            raise Unrecorded("nothing but patterns says what is hidden: say that this is meant")
        now = self._clock.utc()
        id_ = uuid.uuid4().hex[:12]
        said = Silenced(id_, asked.matchers, now + asked.seconds, redact(asked.reason), asked.at)
        there = self._silencer(asked.at) if asked.at else None
        await self._say(said)
        if there is None:
            return id_
        panel, silencer = there
        try:
            wanted = Silence(id_, "silence", now, said.until, clean(self.setup.user), clean(said.reason), asked.matchers)
            made = await silencer.make(panel.name, panel.settings, self._tools, wanted)
        except ProbeError:
            await self._say(SilenceEnded(id_))  # so that the record does not say that it holds
            raise
        return f"{panel.name}/{made}"

    def _silencer(self, name: str) -> tuple[PanelSetup, Silencer]:
        """A panel whose source holds silences. Raises Unrecorded."""
        panel = self.setup.panel(name)
        if panel is None or panel.card is None or not panel.card.silencer or not panel.card.silences_now(panel.settings):
            raise Unrecorded(f"{name} holds no silences")
        silencer: Silencer = load_named(panel.card.silencer)
        return panel, silencer

    async def _end(self, id_: str) -> None:
        silence = next((each for each in self._judge.newest.silences if each.id == id_ and not each.from_config), None)
        if silence is None:
            raise Unrecorded("there is no such silence any more, or it stands in the config")
        name, slash, there = id_.rpartition("/")
        if not slash:
            await self._say(SilenceEnded(id_))
            return
        panel, silencer = self._silencer(name)
        said = self._sayings.desk.quiet.made_here(silence)
        await self._say(SilenceEnded(said.id if said else id_))
        try:
            await silencer.end(panel.name, panel.settings, self._tools, there)
        except ProbeError:
            if said:
                await self._say(said)  # so that the record does not say that it is over
            raise

    async def _maintain(self, panels: tuple[str, ...], seconds: float, reason: str) -> str:
        unknown = [each for each in panels if self.setup.panel(each) is None]
        if unknown:
            raise Unrecorded(f"there is no panel {', '.join(unknown)}")
        if not 0 < seconds <= LONGEST_SILENCE:
            raise Unrecorded(f"a maintenance window lasts {show_duration(LONGEST_SILENCE)} at the most")
        now, id_ = self._clock.utc(), uuid.uuid4().hex[:12]
        await self._say(Maintained(id_, panels, now, now + seconds, redact(reason)))
        return id_

    async def _call_false(self, fingerprint: str, why: str) -> Tuning:
        """Whoever calls an alert false has seen it: it is acknowledged with that."""
        from .tuning import tune  # late: seldom asked

        alert = self._alert(fingerprint)
        rule = next((each for each in self.setup.rules if (each.name, each.panel) == (alert.rule, alert.panel)), None)
        await self._say(CalledFalse(fingerprint, alert.rule, redact(why), alert.value))
        if alert.open and not alert.acked_by:
            await self._say(Acknowledged(((fingerprint, alert.severity),)))
        return tune(alert, rule, self._history, self._clock.utc())

    async def _page(self, fingerprint: str) -> Shown:
        alert = self._alert(fingerprint)
        clock = next((each for each in self._judge.newest.escalations if each.fingerprint == fingerprint), None)
        whom = (clock.person if clock else "") or BACKUP
        if self.pager is None:
            raise Unrecorded("nothing is configured that could call anybody: see [[notify]] in the config")
        called = await self.pager(alert, whom)
        try:
            await self._say(Paged(fingerprint, whom, False, called.reached, called.says, called.told, called.missed))
        except Unrecorded as error:  # they were called all the same, and whoever called must know
            return clean(f"{called.says} (not recorded: {error})")
        return called.says

    async def _mark(self, text: str) -> None:
        title = clean(redact(text.strip()), 120)
        if not title:
            raise Unrecorded("what happened? A mark needs a text")
        await self._say(Marked(Change(uuid.uuid4().hex[:12], self._clock.utc(), "mark", title, clean(f"by {self.setup.user}"))))
