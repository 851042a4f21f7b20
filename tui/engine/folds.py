"""Alerts → lines: those of one cause are one line, ours and theirs, with a count.

Two alerts belong together where they share

    their target         what both are about (`Alert.target`)
    a dependency's root  the target whose failure explains both (`Alert.root`), or is what one of them is about
    their rule           one rule over several label values
    their start          both began within 60 s of the first of them

and two that belong with a third belong together. The line's key is the fingerprint of its oldest alert, so it lasts as long as
that one does: for that, which start an alert shares is settled once (`Alert.stretch`) and carried along (`carried`). What was
so already when watching began has no known start, and is not held together by it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import inf

from msgspec.structs import replace

from .alert import Alert, Fold, by_badness
from .rules.words import affected
from .text import EMPTY, Shown, clean

TOGETHER = 60.0
"""Seconds within which alerts began together."""
FIRST_LOOK = 20.0
"""Seconds after watching began in which what is found may have been so for long."""


def folded(alerts: Iterable[Alert], watching_since: float = -inf) -> tuple[Fold, ...]:
    """The alerts as lines, the worst first; every alert is in exactly one."""
    ordered = _settled(sorted(alerts, key=lambda each: (each.since, each.fingerprint, by_badness(each))), watching_since)
    groups = _Groups(len(ordered))
    for shared in _shared(ordered):
        for place in shared[1:]:
            groups.join(shared[0], place)
    lines = [_line([ordered[place] for place in group]) for group in groups.all()]
    return tuple(sorted(lines, key=lambda line: (by_badness(line.lead), line.key)))


class _Groups:
    """Which places belong together; each group's root is its first place (union-find)."""

    def __init__(self, size: int) -> None:
        self._above = list(range(size))

    def _root(self, place: int) -> int:
        while self._above[place] != place:
            self._above[place] = place = self._above[self._above[place]]
        return place

    def join(self, one: int, other: int) -> None:
        first, second = sorted((self._root(one), self._root(other)))
        self._above[second] = first

    def all(self) -> list[list[int]]:
        found: dict[int, list[int]] = {}
        for place in range(len(self._above)):
            found.setdefault(self._root(place), []).append(place)
        return list(found.values())


def carried(alerts: Iterable[Alert], before: Iterable[Alert]) -> tuple[Alert, ...]:
    """The alerts, each with the stretch that it had `before`, where it is the same life of it."""
    known = {(each.fingerprint, each.since): each.stretch for each in before}
    return tuple(replace(each, stretch=known.get((each.fingerprint, each.since))) for each in alerts)


def _settled(ordered: Sequence[Alert], watching_since: float) -> list[Alert]:
    """Each alert with its stretch: one that began within 60 s of it, else one of its own. Bounded: a trickle is no chain."""
    stretches = sorted({each.stretch for each in ordered if each.stretch is not None})
    found = []
    for alert in ordered:
        if alert.stretch is None and _start_known(alert, watching_since):
            near = next((each for each in stretches if abs(alert.since - each) <= TOGETHER), None)
            if near is None:
                near = alert.since
                stretches.append(near)
            alert = replace(alert, stretch=near)
        found.append(alert)
    return found


def _shared(ordered: Sequence[Alert]) -> Iterable[list[int]]:
    """The places of alerts that share something."""
    by: dict[tuple[object, ...], list[int]] = {}
    for place, alert in enumerate(ordered):
        for target in {alert.target, alert.root} - {""}:
            by.setdefault(("target", target), []).append(place)
        by.setdefault(("rule", alert.panel, alert.source, alert.rule), []).append(place)
        if alert.stretch is not None:
            by.setdefault(("start", alert.stretch), []).append(place)
    return by.values()


def _start_known(alert: Alert, watching_since: float) -> bool:
    """Whether it began when it says; of theirs, their system knows."""
    return bool(alert.source) or not watching_since <= alert.since <= watching_since + FIRST_LOOK


def _line(alerts: Sequence[Alert]) -> Fold:
    """One line, its oldest alert given first."""
    return Fold(alerts[0].fingerprint, tuple(sorted(alerts, key=by_badness)), _why(alerts))


def _why(alerts: Sequence[Alert]) -> Shown:
    """What holds them together: the reasons that hold for more than one of them, the strongest first, two at the most."""
    if len(alerts) < 2:
        return EMPTY
    roots = {each.root for each in alerts} - {""}
    dependent = [each for each in alerts if each.root in roots or each.target in roots]
    reasons = [f"depends on {', '.join(sorted(roots))}"] if len(dependent) > 1 else []
    for rule in sorted({(each.panel, each.source, each.rule) for each in alerts}):
        same = [each for each in alerts if (each.panel, each.source, each.rule) == rule]
        if len(same) > 1:
            reasons.append(_affected(same))
    targets = [each.target for each in alerts if each.target]
    for target in sorted({each for each in targets if targets.count(each) > 1}):
        if len(alerts) == targets.count(target) or not reasons:
            reasons.append(f"about {target}")
    stretches = [each.stretch for each in alerts if each.stretch is not None]
    if len(set(stretches)) < len(stretches):
        reasons.append(f"within {TOGETHER:.0f}s")
    return clean(" · ".join([each for each in dict.fromkeys(reasons) if each][:2]))


def _affected(alerts: Sequence[Alert]) -> str:
    """How many series of one rule are affected, which, and how many a label raised: `3 tenants: a, b, c, all enterprise`."""
    says = affected(alerts)
    raised = [each.raised_by for each in alerts if each.raised_by]
    if not says or not raised:
        return says
    tier = raised[0].rpartition(" ")[2] if len(set(raised)) == 1 else "raised"
    return f"{says}, {'all' if len(raised) == len(alerts) else len(raised)} {tier}"
