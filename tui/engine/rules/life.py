"""One series under one rule, from measurement to measurement.

    inactive ──breached──▶ pending ──held `for`, `in_a_row`──▶ firing ──measured well for `keep_firing_for`──▶ resolved
                   ◀──measured well──┘

Time counts only where it was measured: between two measurements no further apart than a reading counts as fresh. So *unknown*,
a suspend, a stall or a restart neither lets a hold run out nor ends an alert; what was held before goes on counting after it.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from ..alert import Alert, Severity, status_of
from ..panel import Judged, Threshold
from ..reading import Labels, Status
from ..text import EMPTY, Shown
from ..units import show_duration
from .rule import Rule
from .words import fingerprint

Values = Sequence[float | None]


class Level(Struct):
    """What is remembered of one level: since when it is breached (UTC seconds; None where it is not), for how long that was
    measured, in how many readings in a row, and the value last compared."""

    since: float | None = None
    held: float = 0.0
    count: int = 0
    value: float | None = None

    def take(self, value: float, breached: bool, at: float, passed: float) -> None:
        """A new measurement, `passed` measured seconds after the one before."""
        self.value = value
        if not breached:
            self.since, self.held, self.count = None, 0.0, 0
            return
        if self.since is None:
            self.since = at
        else:
            self.held += passed
        self.count += 1


class Held(Struct):
    """What a rule remembers of one series. `at` is when it was last measured (UTC seconds), `mono` the same by the clock that
    never jumps: None after a restart, until it is measured again."""

    rule: Rule
    labels: Labels
    key: str
    source: tuple[str, str]
    """The target and probe that measure it."""
    levels: list[Level]
    raised: tuple[Severity, Shown] | None = None
    at: float | None = None
    mono: float | None = None
    known: bool = False
    """Whether its newest reading has a value."""
    well: float | None = 0.0
    """Measured seconds since it is well on every level; None while it is not."""
    silent: float = 0.0
    """Seconds for which nothing was measured, of a rule that looks for that (absent.py)."""
    alert: Alert | None = None
    judged: Judged | None = field(default=None)
    """What the panel is told; None where it must be made anew."""

    @property
    def open(self) -> bool:
        """Whether its alert is pending or firing."""
        return self.alert is not None and self.alert.state != "resolved"

    @property
    def breached(self) -> bool:
        """Whether any level is."""
        return self.well is None

    def take(self, values: Values, at: float, mono: float, fresh_for: float) -> None:
        """A new measurement of each level; None is unknown and leaves that level as it is."""
        self.known = any(value is not None for value in values)
        if not self.known:
            return
        counted = self.mono is None and at == self.at  # before a restart, or before the rule changed: it must not count twice
        passed = 0.0 if counted else self._passed(at, mono, fresh_for)
        for level, threshold, value in zip(self.levels, self.rule.levels, values, strict=True):
            if value is not None and not (counted and level.since is not None):
                level.take(value, self.rule.breached(value, threshold.limit), at, passed)
        self._measured(at, mono, passed)

    def take_gone(self, at: float, mono: float, fresh_for: float) -> None:
        """A good reading that no longer has the series: well, as far as can be."""
        passed = self._passed(at, mono, fresh_for)
        self.levels = [Level() for _ in self.levels]
        self.known = True
        self._measured(at, mono, passed)

    def _measured(self, at: float, mono: float, passed: float) -> None:
        """Moves on to a measurement."""
        for level in self.levels:
            if level.since is not None:
                self.well = None
                break
        else:
            self.well = 0.0 if self.well is None else self.well + passed
        self.at, self.mono, self.judged = at, mono, None

    def _passed(self, at: float, mono: float, fresh_for: float) -> float:
        """The seconds since the last measurement; 0 over a gap. Over a restart the wall clock is all there is."""
        if self.at is None:
            return 0.0
        passed = mono - self.mono if self.mono is not None else at - self.at
        return passed if 0 <= passed <= fresh_for else 0.0

    def severity(self, level: Threshold) -> Severity:
        """The level's severity, raised by the series' labels."""
        return min(level.severity, self.raised[0]) if self.raised else level.severity


def standing(held: Held, tail: float, now: float, environment: str, hold: bool) -> Alert | None:
    """The alert as it stands `tail` seconds after the last measurement; None for none. `now` is UTC seconds; without `hold`
    every breach counts as firing."""
    before = held.alert if held.open else None
    if held.breached:
        made = _breached(held, before, tail, now, environment, hold)
        return before if made == before else made
    if before is None:
        return held.alert
    return None if before.state == "pending" else _well(held, before, tail, now)


def _breached(held: Held, before: Alert | None, tail: float, now: float, environment: str, hold: bool) -> Alert:
    """The alert of a series that is beyond a limit."""
    rule = held.rule
    place, firing = _level(held, before is not None and before.state == "firing", tail, hold)
    threshold, value = rule.levels[place], held.levels[place].value
    severity = held.severity(threshold)
    since = min(each.since for each in held.levels if each.since is not None)
    return Alert(
        fingerprint=before.fingerprint if before else fingerprint(environment, rule.name, rule.panel, held.labels),
        rule=rule.name,
        panel=rule.panel,
        signal=rule.signal,
        labels=held.labels,
        severity=severity,
        state="firing" if firing else "pending",
        value=value,
        threshold=threshold.limit,
        unit=rule.unit,
        way=rule.way,
        since=before.since if before else min(since, now),
        fired_at=(before.fired_at if before and before.fired_at else now) if firing else None,
        says=_says(held, place),
        why=rule.why,
        link=rule.link,
        playbook=rule.playbook,
        target=rule.target(held.labels),
        raised_by=held.raised[1] if held.raised and severity != threshold.severity else EMPTY,
    )


def _level(held: Held, fired: bool, tail: float, hold: bool) -> tuple[int, bool]:
    """The level that the alert stands at, by its place, and whether it fires: the worst that has held for as long and as often
    as it must; where none has, the worst breached is pending, but an alert that `fired` before goes on, at the mildest."""
    rule = held.rule
    breached = [place for place, level in enumerate(held.levels) if level.since is not None]
    breached.sort(key=lambda place: (held.severity(rule.levels[place]), rule.levels[place].severity))
    for place in breached:
        level = held.levels[place]
        if not hold or (level.held + tail >= rule.levels[place].hold and level.count >= rule.in_a_row):
            return place, True
    return (breached[-1], True) if fired else (breached[0], False)


def _says(held: Held, place: int) -> Shown:
    """What is wrong in words, where value and limit do not say it all."""
    rule, level = held.rule, held.levels[place]
    if rule.in_a_row > 1:
        return Shown(f"{level.count} in a row")
    return EMPTY if level.value is None else rule.measure.says(level.value, rule, place)


def _well(held: Held, before: Alert, tail: float, now: float) -> Alert:
    """A firing alert whose series is measured well: over, unless it must stay well for a while first."""
    rule, value = held.rule, held.levels[0].value
    if (held.well or 0.0) + tail < rule.keep_firing_for:
        says = Shown(f"well again, kept firing for {show_duration(rule.keep_firing_for)}")
        return replace(before, value=value, says=says, unknown_since=None)
    return replace(before, state="resolved", value=value, ended=now, unknown_since=None)


def judged(held: Held) -> Judged:
    """The status that the rule gives its signal now, and its first limit in words."""
    rule = held.rule
    sign = 1 if rule.way == "above" else -1
    breached = [place for place, level in enumerate(held.levels) if level.since is not None]
    if not breached:
        first = min(rule.levels, key=lambda level: sign * level.limit)
        status, since = (held.alert.status, held.alert.since) if held.alert and held.open else (Status.OK, None)
        return Judged(status, rule.measure.limit(rule, first), since)
    worst = min((rule.levels[place] for place in breached), key=held.severity)
    since = min(each.since for each in held.levels if each.since is not None)
    return Judged(status_of(held.severity(worst)), rule.measure.limit(rule, worst), since)


def new(rule: Rule, labels: Labels, key: str, source: tuple[str, str]) -> Held:
    """What is remembered of a series that the rule sees for the first time."""
    return Held(rule, labels, key, source, [Level() for _ in rule.levels], rule.raised(labels))
