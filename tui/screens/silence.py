"""`S`: nobody is told of what matches, for a time and with a reason. What it hides now stands there before it is made.

On what is silenced already, `S` ends the silence.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from tui.engine.alert import Alert
from tui.engine.ask import Ask, EndSilence, MakeSilence, Matcher
from tui.engine.clock import day_and_time
from tui.engine.feed import Snapshot
from tui.engine.silences import Silence, hidden_by, in_words, matchers_for, too_broad, wrong_with
from tui.engine.text import EMPTY, Shown, clean
from tui.engine.units import show_duration, show_many
from tui.widgets.glyphs import Glyphs
from tui.widgets.ink import Line, Piece, cut_line, spaces
from tui.widgets.top import alert_pieces, whole_figures

from .form import Choice, Field, Tick, Words
from .plan import fact, texts

DURATIONS = {
    "15m": 900.0, "30m": 1800.0, "1h": 3600.0, "4h": 14400.0, "8h": 28800.0, "1d": 86400.0, "7d": 604800.0
}  # fmt: skip
LENGTHS = tuple(map(Shown, DURATIONS))
USUAL = 2
"""The place of the duration that is chosen at first: an hour."""
LISTED = 12


def prefilled(alerts: Sequence[Alert]) -> list[tuple[Matcher, bool]]:
    """Conditions from the alerts' names and labels, each with whether it is in at first: what holds for all of them."""
    lead = alerts[0]
    names = sorted({each.rule for each in alerts})
    found = []
    for matcher in matchers_for(lead):
        same = all(matcher in matchers_for(each) for each in alerts)
        if matcher.name == "alertname" and not same:
            found.append((Matcher("alertname", "|".join(map(re.escape, names)), is_regex=True), True))
        else:
            found.append((matcher, same))
    return sorted(found, key=lambda each: each[0].name != "alertname")


class SilenceForm:
    """A silence in the making. `holders` are the panels whose Alertmanager may hold it, `ours` stands before them."""

    def __init__(self, alerts: Sequence[Alert], holders: Sequence[str]) -> None:
        self._about = frozenset(each.fingerprint for each in alerts)
        self._matchers = [matcher for matcher, _ in prefilled(alerts)]
        self._holders = ("", *holders)
        theirs = self._holders.index(alerts[0].panel) if alerts[0].source and alerts[0].panel in holders else 0
        self.title = Shown("silence")
        fields: list[Field] = [Tick(Shown("matches"), in_words([each]), on) for each, on in prefilled(alerts)]
        fields.append(Choice(Shown("for"), LENGTHS, USUAL))
        if holders:
            names = tuple(clean(f"Alertmanager ({each})") for each in holders)
            fields.append(Choice(Shown("held by"), (Shown("Watchfloor"), *names), theirs))
        self.fields: tuple[Field, ...] = (*fields, Words(Shown("reason")))

    @property
    def matchers(self) -> tuple[Matcher, ...]:
        """The conditions that are in."""
        ticks = [each for each in self.fields if isinstance(each, Tick)]
        return tuple(matcher for matcher, tick in zip(self._matchers, ticks, strict=True) if tick.on)

    def _chosen(self, label: str) -> int:
        return next((each.at for each in self.fields if isinstance(each, Choice) and each.label == label), 0)

    @property
    def length(self) -> Shown:
        """How long it is to last, in words."""
        return LENGTHS[self._chosen("for")]

    @property
    def seconds(self) -> float:
        """How long it is to last."""
        return DURATIONS[self.length]

    @property
    def reason(self) -> str:
        """Why, as typed."""
        return next(each.text.strip() for each in self.fields if isinstance(each, Words))

    def missing(self) -> Shown:
        """Why it cannot be made yet."""
        return wrong_with(self.matchers) or (EMPTY if self.reason else Shown("say why: whoever comes after you reads it"))

    def effect(self, snapshot: Snapshot, width: int, glyphs: Glyphs) -> Sequence[Line]:
        """What it hides now: what it was made for, then what else."""
        until = day_and_time(snapshot.at + self.seconds, snapshot.at)
        lines = fact(Shown("until"), Shown(f"{until}, in {self.length}"), width)
        if wrong := wrong_with(self.matchers):
            return [*lines, *fact(Shown("hides"), wrong, width, "degraded")]
        hidden = hidden_by(self.matchers, snapshot.alerts)
        meant = [each for each in hidden if each.fingerprint in self._about]
        besides = [each for each in hidden if each.fingerprint not in self._about]
        if not hidden:
            lines += fact(Shown("hides"), Shown("nothing that is there now"), width, "degraded")
        else:
            lines += fact(Shown("hides"), Shown(f"{show_many(len(hidden), 'alert')} now"), width)
        lines += alert_lines(meant, snapshot, width, glyphs)
        if besides:
            lines += fact(
                Shown("besides"), Shown(f"{show_many(len(besides), 'other alert')} that you did not select"), width, "degraded"
            )
            lines += alert_lines(besides, snapshot, width, glyphs)
        if too_broad(self.matchers):
            says = Shown("no condition names one value: whatever comes and matches is hidden too")
            lines += fact(Shown("broad"), says, width, "degraded")
        return [*lines, *texts(Shown("It fires on; nobody is told. When it ends, who is on call is told again."), width, "dim")]

    def deed(self, snapshot: Snapshot) -> Shown:
        """What `y` does."""
        hidden = len(hidden_by(self.matchers, snapshot.alerts))
        return Shown(f"silence {show_many(hidden, 'alert')} for {self.length}")

    def question(self) -> Ask:
        """What the engine is asked."""
        holder = self._holders[self._chosen("held by")]
        return MakeSilence(self.matchers, self.seconds, self.reason, holder, sure=too_broad(self.matchers))

    def told(self, answer: Any) -> Shown:
        """What has come of it."""
        return clean(f"silenced for {self.length}: {in_words(self.matchers)}")

    def to_copy(self, answer: Any) -> str:
        """Nothing."""
        return ""


class EndForm:
    """Ending a silence or maintenance window; which, where several are in force."""

    def __init__(self, silences: Sequence[Silence]) -> None:
        self._silences = tuple(silences)
        self.title = Shown(f"end the {silences[0].kind}") if len(silences) == 1 else Shown("end a silence")
        options = tuple(clean(f"{each.reason or each.kind}", 40) for each in silences)
        self.fields: tuple[Field, ...] = (Choice(Shown("which"), options),) if len(silences) > 1 else ()

    @property
    def chosen(self) -> Silence:
        """Which one."""
        first = self.fields[0] if self.fields else None
        return self._silences[first.at if isinstance(first, Choice) else 0]

    def missing(self) -> Shown:
        """Nothing but what the config alone ends."""
        return EMPTY if not self.chosen.from_config else Shown("it stands in the config: it is ended there")

    def effect(self, snapshot: Snapshot, width: int, glyphs: Glyphs) -> Sequence[Line]:
        """What it is, and what will be told of again."""
        return [*silence_lines(self.chosen, snapshot, width), *_comes_back(self.chosen, snapshot, width, glyphs)]

    def deed(self, snapshot: Snapshot) -> Shown:
        """What `y` does."""
        return Shown(f"end this {self.chosen.kind} now")

    def question(self) -> Ask:
        """What the engine is asked."""
        return EndSilence(self.chosen.id)

    def told(self, answer: Any) -> Shown:
        """What has come of it."""
        return clean(f"ended: the {self.chosen.kind} {self.chosen.reason}".rstrip())

    def to_copy(self, answer: Any) -> str:
        """Nothing."""
        return ""


def silence_detail(silence: Silence, snapshot: Snapshot, width: int, glyphs: Glyphs) -> list[Line]:
    """Everything known about it, and what it keeps quiet now."""
    lines = silence_lines(silence, snapshot, width)
    hidden = [each for each in snapshot.alerts if each.fingerprint in silence.hides]
    says = Shown(f"{show_many(len(hidden), 'alert')} now") if hidden else Shown("nothing that is there now")
    lines += fact(Shown("hides"), says, width, "text" if hidden else "degraded")
    return [*lines, *alert_lines(hidden, snapshot, width, glyphs)]


def _comes_back(silence: Silence, snapshot: Snapshot, width: int, glyphs: Glyphs) -> list[Line]:
    hidden = [each for each in snapshot.alerts if each.fingerprint in silence.hides]
    if not hidden:
        return fact(Shown("hides"), Shown("nothing any more"), width, "degraded")
    lines = fact(Shown("then"), Shown(f"{show_many(len(hidden), 'alert')} tell{'s' if len(hidden) == 1 else ''} again"), width)
    return [*lines, *alert_lines(hidden, snapshot, width, glyphs)]


def silence_lines(silence: Silence, snapshot: Snapshot, width: int) -> list[Line]:
    """A silence or maintenance window: what it covers, by whom, since and until when, and why."""
    covers = in_words(silence.matchers) if silence.kind == "silence" else clean(", ".join(silence.panels) or "all panels")
    left = show_duration(silence.until - snapshot.at)
    lines = fact(Shown("covers"), covers, width)
    age = show_duration(snapshot.at - silence.since)
    holder = f", held by {silence.at}" if silence.at else ", from the config" if silence.from_config else ""
    lines += fact(Shown("by"), clean(f"{silence.who or 'the config'}, {age} ago{holder}"), width)
    lines += fact(Shown("until"), Shown(f"{day_and_time(silence.until, snapshot.at)}, {left} left"), width)
    return lines + (fact(Shown("reason"), silence.reason, width) if silence.reason else [])


def alert_lines(alerts: Sequence[Alert], snapshot: Snapshot, width: int, glyphs: Glyphs) -> list[Line]:
    """Alerts, a line each; those beyond a dozen are counted."""
    shown = alerts[:LISTED] if len(alerts) > LISTED + 1 else alerts
    found = (whole_figures(alert_pieces(each, snapshot.at, glyphs), width - 11) for each in shown)
    lines = [cut_line(Line((spaces(11), *pieces)), width) for pieces in found]
    more = len(alerts) - len(shown)
    return [*lines, Line((spaces(11), Piece(Shown(f"…{more} more"), "dim")))] if more else lines
