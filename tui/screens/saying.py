"""What else a person may say of alerts, each a form of `dialog.py`: give back, page, false positive, maintenance, mark."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tui.engine.alert import Alert
from tui.engine.ask import Ask, CallItFalse, Maintain, Mark, Page, Tuning, Unacknowledge
from tui.engine.clock import day_and_time
from tui.engine.escalation import Escalation
from tui.engine.feed import Snapshot
from tui.engine.text import EMPTY, Shown, clean
from tui.engine.units import show_many
from tui.widgets.glyphs import Glyphs
from tui.widgets.ink import Line

from .answering import in_short
from .form import Choice, Field, Tick, Words
from .plan import fact, texts
from .silence import DURATIONS, LENGTHS, USUAL, alert_lines


class _Form:
    """What most forms have in common: no fields, nothing missing, nothing to copy."""

    title: Shown = EMPTY
    fields: tuple[Field, ...] = ()

    def missing(self) -> Shown:
        """The first field that is needed and empty."""
        empty = [each for each in self.fields if isinstance(each, Words) and each.needed and not each.text.strip()]
        return Shown(f"{empty[0].label}: say it in a few words") if empty else EMPTY

    def to_copy(self, answer: Any) -> str:
        """Nothing."""
        return ""

    def words(self) -> str:
        """What the person typed."""
        return next((each.text.strip() for each in self.fields if isinstance(each, Words)), "")


class GiveBack(_Form):
    """Unacknowledge: it wants an answer again."""

    def __init__(self, alerts: Sequence[Alert]) -> None:
        self._alerts = tuple(alerts)
        self.title = Shown("give it back: not acknowledged any more")

    def effect(self, snapshot: Snapshot, width: int, glyphs: Glyphs) -> Sequence[Line]:
        """Who had it, and what follows."""
        lines = alert_lines(self._alerts, snapshot, width, glyphs)
        for each in self._alerts[:1]:
            at = f" at {day_and_time(each.acked_at, snapshot.at)}" if each.acked_at is not None else ""
            lines += fact(Shown("acked"), clean(f"by {each.acked_by}{at}"), width)
        return [
            *lines,
            *texts(Shown("It stands on line 2 again, its clock goes on, and who is on call is told."), width, "dim"),
        ]

    def deed(self, snapshot: Snapshot) -> Shown:
        """What `y` does."""
        return Shown(f"give back {in_short(self._alerts)}")

    def question(self) -> Ask:
        """What the engine is asked."""
        return Unacknowledge(tuple(each.fingerprint for each in self._alerts))

    def told(self, answer: Any) -> Shown:
        """What has come of it."""
        return Shown(f"given back: {in_short(self._alerts)}")


class Escalate(_Form):
    """`E`: whoever is next is paged now."""

    def __init__(self, alert: Alert, clock: Escalation) -> None:
        self._alert, self._clock = alert, clock
        self.title = clean(f"page {clock.whom}")

    def effect(self, snapshot: Snapshot, width: int, glyphs: Glyphs) -> Sequence[Line]:
        """Who is called by what, and for what."""
        clock = next((each for each in snapshot.escalations if each.fingerprint == self._alert.fingerprint), self._clock)
        lines = fact(Shown("for"), in_short([self._alert]), width, "strong")
        lines += alert_lines([self._alert], snapshot, width, glyphs)
        lines += fact(Shown("pages"), clock.whom, width, "strong")
        if clock.channels:
            lines += fact(Shown("by"), Shown(", ".join(clock.channels)), width)
        else:
            lines += fact(Shown("by"), Shown("nothing: no channel is configured that calls anybody"), width, "degraded")
        if clock.paged_at is not None:
            paged = day_and_time(clock.paged_at, snapshot.at)
            lines += fact(Shown("before"), Shown(f"paged already at {paged}"), width, "degraded")
        elif clock.unreached:
            lines += fact(Shown("before"), clock.unreached, width, "degraded" if clock.partly else "failing")
        elif clock.due is not None:
            by_itself = "by itself" if clock.pages else "nobody is paged by itself: [escalation] page is off"
            lines += fact(Shown("else due"), Shown(f"{day_and_time(clock.due, snapshot.at)}, {by_itself}"), width)
        return lines

    def deed(self, snapshot: Snapshot) -> Shown:
        """What `y` does."""
        return Shown(f"page {self._clock.whom} now")

    def question(self) -> Ask:
        """What the engine is asked."""
        return Page(self._alert.fingerprint)

    def told(self, answer: Any) -> Shown:
        """Who was told by what, in the engine's words."""
        return clean(answer or f"paged: {self._clock.whom}")


class FalsePositive(_Form):
    """`F`: it was none; what would have kept it quiet."""

    def __init__(self, alert: Alert) -> None:
        self._alert = alert
        self._tuning: Tuning | None = None
        self.title = Shown("a false positive")
        self.fields = (Words(Shown("why")),)

    def effect(self, snapshot: Snapshot, width: int, glyphs: Glyphs) -> Sequence[Line]:
        """What is said of which alert, and afterwards what would have kept it quiet."""
        lines = alert_lines([self._alert], snapshot, width, glyphs)
        if self._tuning is not None:
            return [*lines, *fact(Shown("tuning"), self._tuning.says, width, "strong")]
        says = "It counts against its rule and is acknowledged with that; what would have kept it quiet is offered."
        return [*lines, *texts(Shown(says), width, "dim")]

    def deed(self, snapshot: Snapshot) -> Shown:
        """What `y` does."""
        return Shown("record it as a false positive")

    def question(self) -> Ask:
        """What the engine is asked."""
        return CallItFalse(self._alert.fingerprint, self.words())

    def told(self, answer: Any) -> Shown:
        """What has come of it."""
        self._tuning = answer if isinstance(answer, Tuning) else None
        return Shown("recorded")

    def to_copy(self, answer: Any) -> str:
        """The lines of config."""
        return answer.toml if isinstance(answer, Tuning) else ""


class Maintenance(_Form):
    """`M`: a window in which panels page nobody."""

    def __init__(self, panels: Sequence[str], chosen: Sequence[str]) -> None:
        self._panels = tuple(panels)
        self.title = Shown("maintenance")
        ticks = tuple(Tick(Shown("panels"), clean(each), each in chosen) for each in panels)
        self.fields = (*ticks, Choice(Shown("for"), LENGTHS, USUAL), Words(Shown("reason")))

    @property
    def chosen(self) -> tuple[str, ...]:
        """The panels that are in; empty where all are."""
        ticks = [each for each in self.fields if isinstance(each, Tick)]
        found = tuple(name for name, tick in zip(self._panels, ticks, strict=True) if tick.on)
        return () if len(found) == len(self._panels) else found

    @property
    def seconds(self) -> float:
        """How long it is to last."""
        return DURATIONS[self.length]

    @property
    def length(self) -> Shown:
        """How long, in words."""
        return next(LENGTHS[each.at] for each in self.fields if isinstance(each, Choice))

    def missing(self) -> Shown:
        """Why it cannot begin yet."""
        if not any(isinstance(each, Tick) and each.on for each in self.fields):
            return Shown("choose a panel at least")
        return super().missing()

    def effect(self, snapshot: Snapshot, width: int, glyphs: Glyphs) -> Sequence[Line]:
        """What it covers now."""
        covered = [each for each in snapshot.alerts if each.open and (not self.chosen or each.panel in self.chosen)]
        until = day_and_time(snapshot.at + self.seconds, snapshot.at)
        lines = fact(Shown("until"), Shown(f"{until}, in {self.length}"), width)
        lines += fact(Shown("covers"), Shown(f"{show_many(len(covered), 'alert')} now"), width)
        lines += alert_lines(covered, snapshot, width, glyphs)
        return [*lines, *texts(Shown("It pages nobody, counts against no uptime, and is shown on line 1."), width, "dim")]

    def deed(self, snapshot: Snapshot) -> Shown:
        """What `y` does."""
        over = ", ".join(self.chosen) or "all panels"
        return clean(f"begin maintenance of {over} for {self.length}")

    def question(self) -> Ask:
        """What the engine is asked."""
        return Maintain(self.chosen, self.seconds, self.words())

    def told(self, answer: Any) -> Shown:
        """What has come of it."""
        return clean(f"maintenance of {', '.join(self.chosen) or 'all panels'} for {self.length}")


class MarkIt(_Form):
    """Something happened that may be a cause."""

    def __init__(self) -> None:
        self.title = Shown("mark a change")
        self.fields = (Words(Shown("happened")),)

    def effect(self, snapshot: Snapshot, width: int, glyphs: Glyphs) -> Sequence[Line]:
        """What a mark is for."""
        return texts(Shown("It is marked on every chart, and suspected of what breaks within 15 minutes."), width, "dim")

    def deed(self, snapshot: Snapshot) -> Shown:
        """What `y` does."""
        return clean(f"mark: {self.words()}")

    def question(self) -> Ask:
        """What the engine is asked."""
        return Mark(self.words())

    def told(self, answer: Any) -> Shown:
        """What has come of it."""
        return clean(f"marked: {self.words()}")
