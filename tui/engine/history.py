"""The last readings of each signal, in memory: for sparklines, windows and baselines.

Written by the engine's thread, read by the screen's; a lock is held for microseconds on either side. Values are kept in
flat arrays (16 bytes a point), an hour of them, so that 200 endpoints cost a few megabytes.
"""

from __future__ import annotations

import bisect
import itertools
import math
import threading
from abc import ABC, abstractmethod
from array import array
from collections.abc import Iterable, Mapping

from .layout import Spark
from .reading import Change, Reading

KEPT = 3600.0
"""Seconds for which every value is kept."""
CHANGES_KEPT = 86400.0
AXES = (120.0, 300.0, 600.0, 1200.0, 3600.0)
"""The spans that a sparkline's axis may have: the smallest that shows all there is, so that a new screen is not empty."""

BRIDGED = 2
"""Stretches of a sparkline without a poll that are filled however often is polled."""
STEADY = 16 / 7
"""A full bar for a value of 1 that stands in the middle of the fourth of eight bars."""
LATELY, ENOUGH = 10, 3
"""So many of the last measurements tell how far they are apart, if there are so many distances."""


class Series:
    """One signal's values over time, oldest first. NaN stands for *measured, but no value*."""

    __slots__ = ("at", "values")

    def __init__(self) -> None:
        self.at = array("d")
        self.values = array("d")

    def add(self, at: float, value: float | None) -> None:
        """Appends a value; what is older than an hour goes, in blocks, so that the cost stays even."""
        if self.at and at <= self.at[-1]:
            # A clock was set back: what lies in the future now was never so late, and must not shut out what comes.
            keep = bisect.bisect_left(self.at, at)
            del self.at[keep:], self.values[keep:]
        self.at.append(at)
        self.values.append(math.nan if value is None else value)
        if self.at[0] < at - 1.25 * KEPT:
            old = bisect.bisect_left(self.at, at - KEPT)
            del self.at[:old], self.values[:old]

    def between(self, start: float, end: float) -> tuple[array[float], array[float]]:
        """Times and values with start < at <= end; NaN where nothing was measured."""
        low, high = bisect.bisect_right(self.at, start), bisect.bisect_right(self.at, end)
        return self.at[low:high], self.values[low:high]


class Trends(ABC):
    """What views read of signals over time: the live history, or the past as it was recorded (`past.py`)."""

    def __init__(self) -> None:
        self._drawn: dict[tuple[str, str, int], tuple[object, Spark]] = {}
        """The last picture of each series and width, and what it was drawn for: the reader's alone."""

    @abstractmethod
    def between(self, panel: str, key: str, start: float, end: float) -> tuple[array[float], array[float]]:
        """When a signal was measured after `start`, up to `end` (UTC seconds), and its values; NaN where there was none."""

    @abstractmethod
    def changes(self, seconds: float, now: float) -> list[Change]:
        """What happened in the last `seconds`, oldest first."""

    @abstractmethod
    def _age(self, panel: str, now: float) -> float:
        """Seconds since this panel's first value."""

    @abstractmethod
    def _newest(self, panel: str, key: str) -> tuple[int, float]:
        """How many values a series has, and when its newest was measured: what tells whether it has changed."""

    def points(self, panel: str, key: str, seconds: float, now: float) -> list[tuple[float, float]]:
        """The (at, value) pairs of the last `seconds`; NaN where nothing was measured."""
        return list(zip(*self.between(panel, key, now - seconds, now), strict=True))

    def values(self, panel: str, key: str, seconds: float, now: float) -> list[float]:
        """What was measured in the last `seconds`, oldest first, without the gaps."""
        return [value for value in self.between(panel, key, now - seconds, now)[1] if not math.isnan(value)]

    def span(self, panel: str, now: float) -> float:
        """The seconds that this panel's sparklines show now: one axis for all of them."""
        age = self._age(panel, now)
        return next((each for each in AXES if age <= each), AXES[-1])

    def spark(
        self, panel: str, key: str, width: int, now: float, top: float | None = None, least: float | None = None
    ) -> Spark:
        """The signal as `width` values on the panel's axis: each the mean of its stretch of time, None where
        nothing was measured; with the places of changes marked. A full bar is `top`. Where `least` is given instead, it is
        the highest value, but no less than `least`, and so much that what is steady stands in the middle of the fourth bar of
        eight: a rise and a fall are both seen, and a seventh more or less is no movement.

        Stretches lie at multiples of their length, so that a picture moves once a stretch and not with every poll.
        """
        if width <= 0:
            return Spark(())
        step = self.span(panel, now) / width
        end = (math.floor(now / step) + 1) * step
        start = end - width * step
        changed = tuple(each.at for each in self.changes(now - start, now))
        drawn_for = (start, step, top, least, changed, self._newest(panel, key))
        kept = self._drawn.get((panel, key, width))
        if kept and kept[0] == drawn_for:
            return kept[1]
        times, measured = self.between(panel, key, start, now)
        edges = [bisect.bisect_left(times, start + place * step) for place in range(width)] + [len(times)]
        values = [_mean(measured[first:last]) for first, last in itertools.pairwise(edges)]
        marks = frozenset(min(int((at - start) / step), width - 1) for at in changed)
        looked = [last > first for first, last in itertools.pairwise(edges)]
        stands = max(BRIDGED, math.ceil(1.5 * _usual(times) / step))  # from one poll to the next, a late one too
        if top is None and least is not None:
            top = _steady_top(values, least)
        spark = Spark(_bridge(values, looked, stands), marks, top)
        self._drawn[panel, key, width] = (drawn_for, spark)
        return spark


class History(Trends):
    """All series and changes, by panel and signal key, of the last hour."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._series: dict[tuple[str, str], Series] = {}
        self._began: dict[str, float] = {}
        self._changes: dict[tuple[str, str], Change] = {}
        self._pruned = 0.0

    def record(self, reading: Reading) -> None:
        """Takes a reading's signals and changes."""
        with self._lock:
            self._began.setdefault(reading.panel, reading.at)
            for each in reading.signals:
                self._series.setdefault((reading.panel, each.key), Series()).add(reading.at, each.value)
            for change in reading.changes:
                self._changes[change.kind, change.key] = change
            if len(self._changes) > 500:
                recent = reading.at - CHANGES_KEPT
                self._changes = {key: each for key, each in self._changes.items() if each.at >= recent}
            if reading.at - self._pruned > KEPT:
                self._pruned = reading.at
                self._prune(reading.at - 1.25 * KEPT)

    def _prune(self, before: float) -> None:
        """Drops series that nobody has measured for so long: labels come and go (a route, a kind of job)."""
        self._series = {key: each for key, each in self._series.items() if each.at and each.at[-1] > before}

    def happened(self, change: Change) -> None:
        """Takes a change that no probe saw: a mark, a config that was read again."""
        with self._lock:
            self._changes[change.kind, change.key] = change

    def backfill(self, panel: str, key: str, points: Iterable[tuple[float, float | None]]) -> None:
        """Takes a series from a source with a memory of its own (Prometheus), where none is kept yet or it is older."""
        ordered = sorted(points)
        if not ordered:
            return
        with self._lock:
            kept = self._series.get((panel, key), Series())
            first = kept.at[0] if kept.at else math.inf
            series = Series()
            for at, value in ordered:
                if at < first:
                    series.add(at, value)
            series.at.extend(kept.at)
            series.values.extend(kept.values)
            self._series[panel, key] = series
            self._began[panel] = min(self._began.get(panel, math.inf), ordered[0][0])

    def take_back(
        self, panel: str, recorded: Mapping[str, tuple[array[float], array[float]]], changes: Iterable[Change]
    ) -> None:
        """Takes what was recorded before this process began: times and values by signal key, oldest first, and changes."""
        with self._lock:
            for key, (at, values) in recorded.items():
                series = self._series.setdefault((panel, key), Series())
                before = bisect.bisect_left(at, series.at[0]) if series.at else len(at)
                series.at = at[:before] + series.at
                series.values = values[:before] + series.values
                if series.at:
                    self._began[panel] = min(self._began.get(panel, math.inf), series.at[0])
            for change in changes:
                self._changes.setdefault((change.kind, change.key), change)

    def between(self, panel: str, key: str, start: float, end: float) -> tuple[array[float], array[float]]:
        with self._lock:
            series = self._series.get((panel, key))
            return series.between(start, end) if series else (array("d"), array("d"))

    def first(self, panel: str, key: str) -> float | None:
        """When the oldest value kept of a series was measured; None where there is none."""
        with self._lock:
            series = self._series.get((panel, key))
            return series.at[0] if series and series.at else None

    def changes(self, seconds: float, now: float) -> list[Change]:
        with self._lock:
            return sorted((each for each in self._changes.values() if now - seconds <= each.at <= now), key=lambda c: c.at)

    def _age(self, panel: str, now: float) -> float:
        return now - self._began.get(panel, now)

    def _newest(self, panel: str, key: str) -> tuple[int, float]:
        with self._lock:
            series = self._series.get((panel, key))
            return (len(series.at), series.at[-1]) if series and series.at else (0, 0.0)


def _mean(values: array[float]) -> float | None:
    """The mean of what was measured; None where nothing was."""
    total = sum(values)
    if not math.isnan(total):
        return total / len(values) if values else None
    known = [each for each in values if not math.isnan(each)]
    return sum(known) / len(known) if known else None


def _steady_top(values: Iterable[float | None], least: float) -> float | None:
    """What a full bar means where steady values stand in the middle; None where there is none above zero."""
    known = sorted(value for value in values if value is not None)
    if not known:
        return least or None
    median = (known[(len(known) - 1) // 2] + known[len(known) // 2]) / 2
    return max(known[-1], STEADY * median, least) or None


def _usual(times: array[float]) -> float:
    """Seconds from one measurement to the next, as they came lately; 0 where there are too few to tell."""
    apart = sorted(after - before for before, after in itertools.pairwise(times[-LATELY:]))
    return apart[len(apart) // 2] if len(apart) >= ENOUGH else 0.0


def _bridge(values: list[float | None], looked: list[bool], most: int) -> tuple[float | None, ...]:
    """Fills stretches in which nobody `looked` with the value before them, at most so many in a row. Longer gaps stay gaps, and
    so does what was looked at and had no value."""
    filled: list[float | None] = []
    stands, gap = False, 0
    for value, was_looked in zip(values, looked, strict=True):
        stands, gap = (value is not None, 0) if was_looked else (stands, gap + 1)
        filled.append(filled[-1] if stands and 0 < gap <= most else value)
    return tuple(filled)
