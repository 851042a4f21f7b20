"""Changes, other alerts and lock waits on one line of time: what happened shortly before something broke.

What happened within 15 minutes before an alert began is its suspect: first what touches the thing that the alert is about, and
of that the nearest. It is a coincidence in time, no proof, and the words say no more than that.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from .alert import Alert, Fold, Suspect
from .clock import clock_time
from .reading import Change
from .text import EMPTY, Shown, clean
from .units import show_duration

BEFORE = 900.0
"""Seconds before an alert in which a change is suspect."""
ECHO = 120.0
"""Seconds after a deployment within which services say their new release."""
SLACK = 10.0
"""Seconds by which an alert may seem to begin before its cause: clocks and polling intervals differ."""
MOST = 8
"""So many suspects are kept of one alert."""
TOUCHING = {
    "deployment": "it changed what runs",
    "config": "it changed what is watched, and how",
    "mark": "somebody said that it happened",
}


class Timeline:
    """Changes and alerts by when they happened: in a storm of alerts each looks at its nearest neighbours alone."""

    def __init__(self, changes: Sequence[Change], alerts: Iterable[Alert] = ()) -> None:
        self._changes = sorted(changes, key=lambda each: each.at)
        self._changed_at = [each.at for each in self._changes]
        self._alerts = sorted((each for each in alerts if each.state != "pending"), key=lambda each: each.since)
        self._began_at = [each.since for each in self._alerts]
        self._about: dict[str, list[Alert]] = {}
        for each in self._alerts:
            self._about.setdefault(each.target, []).append(each)

    def changes(self, alert: Alert) -> list[Change]:
        """The changes in the 15 minutes before an alert began, and in what clocks may differ by after it."""
        first = bisect_left(self._changed_at, alert.since - BEFORE)
        return self._changes[first : bisect_right(self._changed_at, alert.since + SLACK)]

    def alerts(self, alert: Alert) -> list[Alert]:
        """The alerts that began nearest before this one, and those on what it depends on. What began within the slack may as
        well be after it."""
        first = bisect_left(self._began_at, alert.since - BEFORE)
        last = bisect_right(self._began_at, alert.since - SLACK)
        near = self._alerts[max(first, last - MOST) : last]
        roots = [each for each in self._about.get(alert.root, ()) if alert.root and each not in near]
        return near + [each for each in roots if SLACK <= alert.since - each.since <= BEFORE]


def suspects_of(alert: Alert, timeline: Timeline) -> tuple[Suspect, ...]:
    """What happened in the 15 minutes before the alert began: first what touches it, and of that the nearest."""
    near = timeline.changes(alert)
    found = [_changed(alert, each) for each in near if not _is_echo(each, near)]
    found += [_alerted(alert, each) for each in timeline.alerts(alert) if each.fingerprint != alert.fingerprint]
    return tuple(sorted(found, key=lambda each: (not each.touches, each.lead, each.key))[:MOST])


def _is_echo(change: Change, near: Sequence[Change]) -> bool:
    """Whether a release that was seen to change only repeats a deployment just before it: then that is named."""
    return change.kind == "release" and any(each.kind == "deployment" and 0 <= change.at - each.at <= ECHO for each in near)


def _changed(alert: Alert, change: Change) -> Suspect:
    touched = sorted(set(change.about) & _affected(alert))
    touches = not change.about or bool(touched)
    says = TOUCHING.get(change.kind, "") if not change.about else f"it touches {', '.join(touched)}" if touched else ""
    detail = f"{change.detail}" if change.detail else ""
    return Suspect(
        *(change.key, change.kind, change.at, change.title, max(0.0, alert.since - change.at), touches),
        evidence=clean(" · ".join(each for each in (clock_time(change.at), says or "elsewhere", detail) if each)),
    )


def _alerted(alert: Alert, other: Alert) -> Suspect:
    """Another alert that began before: it touches this one where it is about what this one depends on."""
    touches = bool(alert.root) and other.target == alert.root
    says = f"{alert.target} depends on {alert.root}" if touches else f"{other.severity} on {other.panel}"
    at = clean(f"{clock_time(other.since)} · {says}{'' if other.open else ' · over'}")
    return Suspect(other.fingerprint, "alert", other.since, _name(other), max(0.0, alert.since - other.since), touches, at)


def _name(alert: Alert) -> Shown:
    return clean(alert.rule if alert.source else alert.name, 80)


def _affected(alert: Alert) -> set[str]:
    """Everything that an alert may be said to be about."""
    return ({alert.panel, alert.target, alert.root} | {value for _, value in alert.labels}) - {""}


def in_words(suspect: Suspect) -> Shown:
    """`deploy 9f3c2a1 main, 80s before`."""
    return clean(f"{suspect.what}, {show_duration(suspect.lead)} before")


def with_suspects(alerts: Iterable[Alert], changes: Sequence[Change]) -> tuple[Alert, ...]:
    """The alerts, each with its suspects and the first of them in words."""
    alerts = tuple(alerts)
    timeline = Timeline(changes, alerts)
    return tuple(_with_suspects(alert, timeline) for alert in alerts)


def _with_suspects(alert: Alert, timeline: Timeline) -> Alert:
    if alert.state == "resolved":
        return alert
    found = suspects_of(alert, timeline)
    # One that touches it or is a change is worth a place on line 2; that something else broke elsewhere before is not.
    first = next((each for each in found if each.touches or each.kind != "alert"), None)
    return replace(alert, suspects=found, suspect=in_words(first) if first else EMPTY)


def suspected_in(
    alerts: Iterable[Alert], folds: Iterable[Fold], changes: Sequence[Change]
) -> tuple[tuple[Alert, ...], tuple[Fold, ...]]:
    """Alerts and the lines made of them, both with their suspects."""
    told = with_suspects(alerts, changes)
    by_print = {each.fingerprint: each for each in told}
    lines = (replace(fold, alerts=tuple(by_print[print_] for print_ in fold.fingerprints)) for fold in folds)
    return told, tuple(lines)


def followed_by(alerts: Iterable[Alert], changes: Sequence[Change]) -> dict[str, Shown]:
    """By change key: what rose after it (`error rate 80s after`), the worst alert whose likeliest change it is."""
    found: dict[str, Shown] = {}
    keys = {(each.key, each.kind): each.key for each in changes}
    for alert in sorted(alerts, key=lambda each: (each.severity, each.since)):
        first = next((each for each in alert.suspects if each.kind != "alert"), None)
        if first is not None and alert.state != "resolved" and (first.key, first.kind) in keys:
            found.setdefault(first.key, clean(f"{alert.rule} {show_duration(first.lead)} after"))
    return found
