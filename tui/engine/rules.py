"""Signals → alerts: every threshold is a rule, held `for` a time, with one or two levels of severity.

One alert per rule and series. Its life, as in Prometheus:

    inactive ──breached──▶ pending ──held `for`──▶ firing ──measured well──▶ resolved
                   ◀──measured well──┘                        (then inactive)

*Unknown* (no value, or a reading past its freshness) neither fires nor resolves: the alert stays as it is. One that fires
does so until it is measured well on every level; its severity follows the levels that have held. A panel shows the worst level
breached now, pending or firing.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Literal

from msgspec import Struct, field
from msgspec.structs import replace

from .alert import Alert, status_of
from .history import History
from .panel import Judged, Threshold
from .reading import Labels, Signal, Status
from .text import EMPTY, Shown, clean
from .units import Unit, show, show_limit

RESOLVED_SHOWN = 300.0
"""Seconds for which a resolved alert is still listed."""


class Rule(Struct, frozen=True):
    """A threshold on one panel's signal. `labels` are patterns a series must match (`PUBLISH_*`); `window` in seconds takes
    the mean over it instead of the newest value. `levels` are ordered as given; limits in the signal's base unit."""

    name: str
    panel: str
    signal: str
    unit: Unit
    way: Literal["above", "below"]
    levels: tuple[Threshold, ...]
    labels: Labels = ()
    window: float = 0.0
    why: Shown = EMPTY
    link: str = ""
    playbook: str = ""

    def matches(self, signal: Signal) -> bool:
        """Whether the rule looks at this series."""
        if signal.name != self.signal:
            return False
        have = dict(signal.labels)
        return all(label in have and _fits(have[label], pattern) for label, pattern in self.labels)

    def breached(self, value: float, limit: float) -> bool:
        """Whether the value lies beyond the limit; on it is not beyond it."""
        return value > limit if self.way == "above" else value < limit


class _Held(Struct):
    """What a rule remembers of one series: since when each level is breached, and the alert as it stands."""

    breached_since: dict[int, float] = field(default_factory=dict)
    alert: Alert | None = None
    resolved_at: float | None = None
    value: float | None = None


class RuleBook:
    """All rules of one dashboard, and the alerts they make. `hold` false counts every breach as firing (`check`)."""

    def __init__(self, rules: Sequence[Rule], environment: str, history: History, *, hold: bool = True) -> None:
        self._rules: dict[tuple[str, str], list[Rule]] = {}
        """By panel and signal: most signals have none, and all are looked at with every snapshot."""
        for rule in rules:
            self._rules.setdefault((rule.panel, rule.signal), []).append(rule)
        self._environment = environment
        self._history = history
        self._hold = hold
        self._held: dict[tuple[str, str, str], _Held] = {}

    def judge(self, panel: str, signals: Iterable[tuple[Signal, bool]], now: float) -> dict[str, Judged]:
        """Looks at a panel's newest signals, each with whether it is fresh, at `now` (UTC seconds).

        A series that a good reading no longer has is gone, and its alert with it. Returns, by signal key, the limit that
        bites first and the status that the rules give it.
        """
        judged: dict[str, Judged] = {}
        present = set()
        for signal, fresh in signals:
            present.add(signal.key)
            for rule in self._rules.get((panel, signal.name), ()):
                if not rule.matches(signal):
                    continue
                held = self._held.get((panel, rule.name, signal.key))
                if held is None:
                    held = self._held[panel, rule.name, signal.key] = _Held()
                self._step(rule, signal, held, self._value(rule, signal, now) if fresh else None, now)
                before = judged.get(signal.key)
                mine = _judgement(rule, held, signal)
                if before is None or mine.status > before.status:
                    judged[signal.key] = mine
        for (of, _, key), held in self._held.items():
            if of == panel and key not in present and held.breached_since:
                held.breached_since.clear()
                self._resolve(held, None, now)
        return judged

    def alerts(self, now: float) -> tuple[Alert, ...]:
        """Pending, firing and lately resolved alerts: the worst severity first, then the longest."""
        found = []
        for held in self._held.values():
            if held.alert is None:
                continue
            if held.alert.state == "resolved" and held.resolved_at is not None and now - held.resolved_at > RESOLVED_SHOWN:
                held.alert = None
                continue
            found.append(held.alert)
        rank = {"firing": 0, "pending": 1, "resolved": 2}
        return tuple(sorted(found, key=lambda each: (rank[each.state], each.severity, each.since, each.key)))

    def _value(self, rule: Rule, signal: Signal, now: float) -> float | None:
        """The value that the rule compares: the newest, or the mean over its window."""
        if signal.value is None or not rule.window:
            return signal.value
        values = self._history.values(rule.panel, signal.key, rule.window, now)
        return sum(values) / len(values) if values else signal.value

    def _step(self, rule: Rule, signal: Signal, held: _Held, value: float | None, now: float) -> None:
        """One step of one series' life."""
        held.value = value
        if value is None:
            return
        for place, level in enumerate(rule.levels):
            if rule.breached(value, level.limit):
                held.breached_since.setdefault(place, now)
            else:
                held.breached_since.pop(place, None)
        if not held.breached_since:
            self._resolve(held, value, now)
            return
        held.resolved_at = None
        before = held.alert if held.alert and held.alert.state != "resolved" else None
        level, firing = self._level(rule, held, before is not None and before.state == "firing", now)
        since = min(held.breached_since.values())
        held.alert = Alert(
            fingerprint=fingerprint(self._environment, rule.name, rule.panel, signal.labels),
            rule=rule.name,
            panel=rule.panel,
            signal=signal.name,
            labels=signal.labels,
            severity=level.severity,
            state="firing" if firing else "pending",
            value=value,
            threshold=level.limit,
            unit=rule.unit,
            way=rule.way,
            since=before.since if before else since,
            fired_at=(before.fired_at if before and before.fired_at else now) if firing else None,
            acked_by=before.acked_by if before else "",
            acked_at=before.acked_at if before else None,
            why=rule.why,
            link=rule.link,
            playbook=rule.playbook,
        )

    def _level(self, rule: Rule, held: _Held, fired: bool, now: float) -> tuple[Threshold, bool]:
        """The level that the alert stands at, and whether it fires: the worst that has held for as long as it must; where
        none has, the worst breached is pending, but an alert that `fired` before goes on, at the mildest."""
        breached = sorted((rule.levels[place] for place in held.breached_since), key=lambda level: level.severity)
        long_enough = sorted(
            (
                rule.levels[place]
                for place, since in held.breached_since.items()
                if not self._hold or now - since >= rule.levels[place].hold
            ),
            key=lambda level: level.severity,
        )
        if long_enough:
            return long_enough[0], True
        return (breached[-1], True) if fired else (breached[0], False)

    def _resolve(self, held: _Held, value: float | None, now: float) -> None:
        """Measured well: a firing alert is resolved, a pending one was nothing."""
        if held.alert is None or held.alert.state == "resolved":
            return
        if held.alert.state == "pending":
            held.alert = None
            return
        held.alert = replace(held.alert, state="resolved", value=value)
        held.resolved_at = now


def _judgement(rule: Rule, held: _Held, signal: Signal) -> Judged:
    """The status that a rule gives a signal now, and its first limit in words."""
    first = min(rule.levels, key=lambda level: level.limit if rule.way == "above" else -level.limit)
    limit = Shown(f"limit {show_limit(first.limit, rule.unit)}")
    if not held.breached_since:
        return Judged(Status.OK, limit)
    place = min(held.breached_since, key=lambda each: rule.levels[each].severity)
    level = rule.levels[place]
    limit = Shown(f"limit {show_limit(level.limit, rule.unit)}")
    return Judged(status_of(level.severity), limit, min(held.breached_since.values()))


def fingerprint(environment: str, rule: str, panel: str, labels: Labels) -> str:
    """An alert's lasting identity: a hash of environment, rule, panel and labels (DESIGN.md)."""
    return hashlib.sha256(json.dumps([environment, rule, panel, labels]).encode()).hexdigest()[:16]


def _fits(value: str, pattern: str) -> bool:
    """Whether a label's value is the one written, or fits the pattern (`PUBLISH_*`); `/clips/[id]` is itself as well."""
    return value == pattern or fnmatchcase(value, pattern)


_LABEL = re.compile(r'\s*([A-Za-z_]\w*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*', re.S)
_ESCAPED = re.compile(r"\\(.)", re.S)


def parse_signal(text: str) -> tuple[str, str, dict[str, str]]:
    """Panel, signal and labels in `jobs.failure_rate{kind="PUBLISH_*"}`, as `series_key` writes them. Raises ValueError,
    saying what to write."""
    head, brace, rest = text.partition("{")
    panel, dot, name = head.strip().partition(".")
    if not dot or not panel or not name:
        raise ValueError('expected PANEL.SIGNAL, such as "metrics.error_rate" or "jobs.failure_rate{kind=\\"CLIP_RENDER\\"}"')
    return panel, name.strip(), _labels(rest.rstrip()) if brace else {}


def _labels(rest: str) -> dict[str, str]:
    """The labels in `kind="CLIP_RENDER", route="/a,b"}`. Raises ValueError."""
    if not rest.endswith("}"):
        raise ValueError("the labels are not closed: expected }")
    labels: dict[str, str] = {}
    place, end = 0, len(rest) - 1
    while rest[place:end].strip():
        found = _LABEL.match(rest, place, end)
        if not found or (found.end() < end and rest[found.end()] != ","):
            raise ValueError(f'expected label="value", found {rest[place:end].strip()}')
        labels[found.group(1)] = _ESCAPED.sub(lambda at: "\n" if at.group(1) == "n" else at.group(1), found.group(2))
        place = found.end() + 1
    return labels


def describe(alert: Alert) -> Shown:
    """The alert in a few words: `error rate 6.2 % > 5 %`, with the labels that tell it apart."""
    sign = ">" if alert.way == "above" else "<"
    which = " ".join(value for _, value in alert.labels)
    name = f"{alert.rule} {which}" if which and which not in alert.rule else alert.rule
    return clean(f"{name} {show(alert.value, alert.unit)} {sign} {show_limit(alert.threshold, alert.unit)}")


def worst_judged(judged: Mapping[str, Judged]) -> Status:
    """The worst that the rules say of any signal."""
    return max((each.status for each in judged.values()), default=Status.OK)
