"""Changes, other alerts and lock waits on one line of time: what happened shortly before something broke.

What happened within 15 minutes before an alert began is its suspect: first what touches the thing that the alert is about, and
of that the nearest. It is a coincidence in time, no proof, and the words say no more than that.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from .alert import Alert, Fold, Suspect
from .clock import clock_time
from .reading import Change
from .text import Shown, clean
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


def suspects_of(alert: Alert, changes: Sequence[Change], alerts: Iterable[Alert] = ()) -> tuple[Suspect, ...]:
    """Everything that happened in the 15 minutes before the alert began: first what touches it, and of that the nearest."""
    near = [each for each in changes if _before(alert, each.at)]
    found = [_changed(alert, each) for each in near if not _is_echo(each, near)]
    found += [_alerted(alert, each) for each in alerts if each.fingerprint != alert.fingerprint and _rose_before(alert, each)]
    return tuple(sorted(found, key=lambda each: (not each.touches, each.lead, each.key))[:MOST])


def suspect_of(alert: Alert, changes: Sequence[Change]) -> Change | None:
    """The change that is the likeliest cause; None where there is none in the last 15 minutes before it."""
    first = next(iter(suspects_of(alert, changes)), None)
    return next((each for each in changes if first and (each.key, each.kind) == (first.key, first.kind)), None)


def _before(alert: Alert, at: float) -> bool:
    return -SLACK <= alert.since - at <= BEFORE


def _rose_before(alert: Alert, other: Alert) -> bool:
    """Whether another alert began before this one; what began within the slack may as well be after it."""
    return other.state != "pending" and SLACK <= alert.since - other.since <= BEFORE


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
    says = f"{alert.target} depends on {alert.root}" if touches else f"alert on {other.panel}"
    at = clean(f"{clock_time(other.since)} · {says}{f' · {other.state}' if not other.open else ''}")
    return Suspect(other.fingerprint, "alert", other.since, _name(other), max(0.0, alert.since - other.since), touches, at)


def _name(alert: Alert) -> Shown:
    which = " ".join(value for _, value in alert.labels)
    return clean(f"{alert.rule} {which}" if which and which not in alert.rule and not alert.source else alert.rule, 80)


def _affected(alert: Alert) -> set[str]:
    """Everything that an alert may be said to be about."""
    return ({alert.panel, alert.target, alert.root} | {value for _, value in alert.labels}) - {""}


def in_words(suspect: Suspect) -> Shown:
    """`deploy 9f3c2a1 main, 80s before`."""
    return clean(f"{suspect.what}, {show_duration(suspect.lead)} before")


def with_suspects(alerts: Iterable[Alert], changes: Sequence[Change]) -> tuple[Alert, ...]:
    """The alerts, each with its suspects and the first of them in words."""
    alerts = tuple(alerts)
    return tuple(_with_suspects(alert, changes, alerts) for alert in alerts)


def _with_suspects(alert: Alert, changes: Sequence[Change], alerts: Sequence[Alert]) -> Alert:
    if alert.state == "resolved":
        return alert
    found = suspects_of(alert, changes, alerts)
    # One that touches it or is a change is worth a place on line 2; that something else broke elsewhere before is not.
    first = next((each for each in found if each.touches or each.kind != "alert"), None)
    return replace(alert, suspects=found, suspect=in_words(first)) if first else replace(alert, suspects=found)


def suspected_in(
    alerts: Iterable[Alert], folds: Iterable[Fold], changes: Sequence[Change]
) -> tuple[tuple[Alert, ...], tuple[Fold, ...]]:
    """Alerts and the lines made of them, both with their suspects."""
    told = with_suspects(alerts, changes)
    by_print = {each.fingerprint: each for each in told}
    lines = (replace(fold, alerts=tuple(by_print[print_] for print_ in fold.fingerprints)) for fold in folds)
    return told, tuple(lines)


def followed_by(alerts: Iterable[Alert], changes: Sequence[Change]) -> dict[str, Shown]:
    """By change key: what rose after it (`error rate 80s after`), the worst alert that suspects it."""
    found: dict[str, Shown] = {}
    for alert in sorted(alerts, key=lambda each: (each.severity, each.since)):
        change = suspect_of(alert, changes) if alert.state != "resolved" else None
        if change is not None:
            lead = max(0.0, alert.since - change.at)
            found.setdefault(change.key, clean(f"{alert.rule} {show_duration(lead)} after"))
    return found
