"""What was told to fire and is seen by nobody any more (its rule was taken out): told to be over, after a while."""

from __future__ import annotations

from collections.abc import Container, Iterable

from ..alert import Alert
from ..clock import Clock
from ..text import Shown
from .channel import Channel
from .due import Due
from .ledger import Ledger, Mark

GONE = 300.0
"""Seconds for which an alert must have been absent: after a start, all are until they are measured again."""


class Absences:
    """Since when alerts that were told to fire are absent."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._since: dict[str, float] = {}

    def forget(self) -> None:
        """Nobody can say now what is absent."""
        self._since.clear()

    def due(self, ledger: Ledger, present: Container[str], channels: Iterable[Channel], now: float) -> list[Due]:
        """What is to be told to be over at `now` (UTC seconds), because it is absent from what is `present` by fingerprint.
        What another host told to fire may be watched there alone: that host says when it is over."""
        monotonic = self._clock.monotonic()
        hear = {each.title for each in channels if "resolved" in each.on}
        absent = [each for each in ledger.open() if each[0] not in present and ledger.begun_here(*each)]
        self._since = {each[0]: self._since.get(each[0], monotonic) for each in absent}
        return [
            Due(title, fingerprint, _stand_in(fingerprint, stamp, now), Mark("resolved", "", stamp))
            for fingerprint, title, stamp in absent
            if title in hear and monotonic - self._since[fingerprint] >= GONE
        ]


def _stand_in(fingerprint: str, stamp: int, now: float) -> Alert:
    """An alert of which no more is known."""
    return Alert(
        fingerprint=fingerprint,
        rule="an alert",
        panel="",
        signal="",
        labels=(),
        severity="P3",
        state="resolved",
        value=None,
        threshold=0.0,
        unit="count",
        way="above",
        since=float(stamp),
        fired_at=float(stamp),
        ended=now,
        says=Shown("no longer watched"),
    )
