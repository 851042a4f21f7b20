"""Changes and alerts on one line of time: what happened shortly before something broke.

A change within 15 minutes before an alert began is its suspect, the nearest first. It is a coincidence in time, no proof,
and the words say no more than that.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from .alert import Alert
from .reading import Change
from .text import Shown, clean
from .units import show_duration

BEFORE = 900.0
"""Seconds before an alert in which a change is suspect."""
ECHO = 120.0
"""Seconds after a deployment within which services say their new release."""
SLACK = 10.0
"""Seconds by which an alert may seem to begin before its cause: clocks and polling intervals differ."""


def suspect_of(alert: Alert, changes: Sequence[Change]) -> Change | None:
    """The change nearest before the alert's beginning; None where there is none in the last 15 minutes before it.

    A release that was seen to change is the deployment's echo where there was one just before it: then that is named.
    """
    near = [each for each in changes if -SLACK <= alert.since - each.at <= BEFORE]
    nearest = max(near, key=lambda each: each.at, default=None)
    if nearest is None or nearest.kind != "release":
        return nearest
    deployed = [each for each in near if each.kind == "deployment" and nearest.at - each.at <= ECHO]
    return max(deployed, key=lambda each: each.at, default=nearest)


def with_suspects(alerts: Iterable[Alert], changes: Sequence[Change]) -> tuple[Alert, ...]:
    """The alerts, each with its suspect in words (`deploy 9f3c2a1 main, 80s before`)."""
    return tuple(_with_suspect(alert, suspect_of(alert, changes)) for alert in alerts)


def _with_suspect(alert: Alert, change: Change | None) -> Alert:
    if change is None or alert.state == "resolved":
        return alert
    lead = max(0.0, alert.since - change.at)
    return replace(alert, suspect=clean(f"{change.title}, {show_duration(lead)} before"))


def followed_by(alerts: Iterable[Alert], changes: Sequence[Change]) -> dict[str, Shown]:
    """By change key: what rose after it (`error rate 80s after`), the worst alert that suspects it."""
    found: dict[str, Shown] = {}
    for alert in sorted(alerts, key=lambda each: (each.severity, each.since)):
        change = suspect_of(alert, changes) if alert.state != "resolved" else None
        if change is not None:
            lead = max(0.0, alert.since - change.at)
            found.setdefault(change.key, clean(f"{alert.rule} {show_duration(lead)} after"))
    return found
