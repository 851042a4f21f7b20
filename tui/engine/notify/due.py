"""What is to be told and was not: pure, from how things stand.

    firing          it fires, a channel is told of such, and was not told of it as this bad
    acknowledged    a channel was told that it fires, and somebody has been at it for 10 s
    resolved        a channel was told that it fires, or was called for it, and it is over

Escalations are not due by themselves: somebody calls (`Notifier.page`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from ..alert import Alert, Fold
from ..desk import ELSEWHERE
from .channel import Channel, Transition
from .ledger import Key, Ledger, Mark, firing, plain, worst
from .routing import routes

UNDO = 10.0
"""Seconds after which an acknowledgement is told: until then it can be taken back and nobody was bothered."""


class Due(Struct, frozen=True):
    """One alert's news for one channel. `again` where it was claimed by a sender that is gone, and the channel takes it twice
    unharmed."""

    channel: str
    fold: str
    alert: Alert
    mark: Mark
    why: str = ""
    again: bool = False

    @property
    def key(self) -> Key:
        """What it is known by while it waits."""
        return (self.alert.fingerprint, self.channel, self.mark.name)

    @property
    def written(self) -> tuple[str, str, str]:
        """What stands in the journal."""
        return (self.alert.fingerprint, self.channel, str(self.mark))


def due(folds: Iterable[Fold], channels: Sequence[Channel], ledger: Ledger, now: float) -> list[Due]:
    """Everything that is to be told at `now` (UTC seconds); what waits to be told is still among it."""
    return [
        found
        for fold in folds
        for alert in fold.alerts
        if alert.state != "pending"
        for kind in _kinds(alert, now)
        for channel in routes(alert, kind, now, channels)
        if (found := _due(fold, alert, kind, channel, ledger, now)) is not None
    ]


def _kinds(alert: Alert, now: float) -> tuple[Transition, ...]:
    """What there may be to tell of an alert."""
    if alert.state == "resolved":
        return ("resolved",)
    if alert.acked_by and alert.acked_at is not None and not -ELSEWHERE <= now - alert.acked_at < UNDO:
        return ("firing", "acknowledged")  # one in the future is of before a clock was set back
    return ("firing",)


def _due(fold: Fold, alert: Alert, kind: Transition, channel: Channel, ledger: Ledger, now: float) -> Due | None:
    """What one channel is to be told of one alert, of one kind; None where it was, or need not be."""
    print_, name = alert.fingerprint, channel.title
    stamp = ledger.episode(print_, name, alert.fired_at or alert.since)
    mark = _mark(alert, kind, stamp)
    standing = ledger.standing(print_, name, mark)
    if standing is not None and standing.counts:
        lost = standing.state == "claimed" and channel.by_key and not standing.in_flight(now)
        return Due(name, fold.key, alert, standing.mark, fold.why, again=True) if lost else None
    told = ledger.severities(print_, name, stamp)
    if kind == "firing":
        return Due(name, fold.key, alert, mark, fold.why) if worst(told) > alert.severity else None
    if told or ledger.told(print_, name, "escalated", stamp):
        return Due(name, fold.key, alert, mark, fold.why)
    return None


def _mark(alert: Alert, kind: Transition, stamp: int) -> Mark:
    match kind:
        case "acknowledged":
            return Mark("acknowledged", plain(alert.acked_by), int(alert.acked_at or 0))
        case "resolved":
            return Mark("resolved", "", stamp)
        case _:
            return firing(alert.severity, stamp)
