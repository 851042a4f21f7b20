"""Which channels are told of an alert: severity, rule, panel, label and hours → channels. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from ..alert import Alert
from .channel import Channel, Transition, When
from .hours import parse_hours


def routes(
    alert: Alert, transition: Transition, now: float, channels: Iterable[Channel], whom: str = ""
) -> tuple[Channel, ...]:
    """The channels that are told, at `now` (UTC seconds), that the alert has come to this.

    That something is over, or that somebody is at it, is told to whom it was told that it fires, whatever the hour: who that
    was, the ledger knows; here only what the channel wants to hear is looked at. Silenced, in maintenance or pending: nobody.
    """
    if alert.state == "pending":
        return ()
    if transition != "resolved" and (alert.silenced or alert.in_maintenance):
        return ()
    wanted = [each for each in channels if transition in each.on and not each.on_screen]
    if transition in ("acknowledged", "resolved"):
        return tuple(wanted)
    return tuple(each for each in wanted if fits(each.when, alert, now, whom if transition == "escalated" else None))


def fits(when: When, alert: Alert, now: float, whom: str | None = None) -> bool:
    """Whether an alert, at this hour, is one that the channel is told of; `whom` is who is called by an escalation."""
    return (
        (not when.severity or alert.severity in when.severity)
        and _one(alert.rule, when.rules)
        and _one(alert.panel, when.panels)
        and _labelled(when, alert)
        and (when.theirs or not alert.source)
        and (whom is None or any(_one(each, when.whom) for each in _called(whom)))
        and parse_hours(when.hours).cover(now)
    )


def _called(whom: str) -> tuple[str, ...]:
    """Who is called, as a config may name them: `kim (backup)` is `kim` as well as `backup`."""
    name, bracket, role = whom.removesuffix(")").rpartition(" (")
    return (whom, name, role) if bracket else (whom,)


def _one(value: str, patterns: tuple[str, ...]) -> bool:
    """Whether a value is one of those written, or fits one; anything does where none is."""
    return not patterns or any(value == each or fnmatchcase(value, each) for each in patterns)


def _labelled(when: When, alert: Alert) -> bool:
    have = dict(alert.labels)
    return all(
        label in have and _one(have[label], (patterns,) if isinstance(patterns, str) else patterns)
        for label, patterns in when.labels.items()
    )
