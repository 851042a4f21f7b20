"""Uptime over the last 24 hours, weighted by time; what was not measured is left out, and how much was is known."""

from __future__ import annotations

from collections import deque

from msgspec import Struct, field

WINDOW = 86400.0
BUCKET = 300.0
MEANINGFUL = 3600.0
"""Seconds that must be known before the ratio is a signal: one failed poll of two is no uptime of 50 %."""


class Uptime(Struct):
    """Time up and time known, in buckets of five minutes. Times are monotonic seconds."""

    _buckets: deque[list[float]] = field(default_factory=deque)
    """[bucket's number, seconds up, seconds known], oldest first."""
    _last: float | None = None
    _was: float | None = None

    @classmethod
    def resumed(cls, ratio: float, known: float, ended: float) -> Uptime:
        """Goes on from what another process knew: so many seconds, up to `ended` (monotonic), of which it was up for `ratio`.
        When in them it was down is not handed on: they leave the window evenly."""
        resumed, begin = cls(), ended - min(known, WINDOW)
        number = begin // BUCKET
        while number * BUCKET < ended:
            span = min((number + 1) * BUCKET, ended) - max(number * BUCKET, begin)
            resumed._buckets.append([number, span * ratio, span])
            number += 1
        return resumed

    def add(self, now: float, up: float | None, longest: float) -> None:
        """Takes a measurement: the time since the one before counts as that one said, but no longer than `longest` seconds
        (beyond it nobody looked)."""
        if self._last is not None and self._was is not None:
            span = min(now - self._last, longest)
            number = now // BUCKET
            if not self._buckets or self._buckets[-1][0] != number:
                self._buckets.append([number, 0.0, 0.0])
            self._buckets[-1][1] += span * self._was
            self._buckets[-1][2] += span
            while self._buckets[0][0] < (now - WINDOW) // BUCKET:
                self._buckets.popleft()
        self._last, self._was = now, up

    @property
    def known(self) -> float:
        """Seconds of the window that were measured."""
        return sum(bucket[2] for bucket in self._buckets)

    @property
    def ratio(self) -> float | None:
        """The share of the known time in which it was up; None while nothing is known."""
        known = self.known
        return sum(bucket[1] for bucket in self._buckets) / known if known else None

    @property
    def meaningful(self) -> bool:
        """Whether enough is known to compare with a target."""
        return self.known >= MEANINGFUL
