"""Means over long windows: of what this process measured, else of what the journal's record holds.

Kept only for the series that a baseline or a budget looks at, as running totals in steps: a mean over any window is two
look-ups, whatever its length. Three days of one series are 100 kB.
"""

from __future__ import annotations

import bisect
import math
from array import array
from collections.abc import Callable

from ..history import History

PastMeans = Callable[[str, str, float, float], float | None]
"""`(panel, key, start, end)` → the mean of what was recorded between, None where nothing was. UTC seconds."""
STEPS = 4320
SHORTEST_STEP = 5.0
FIRST_PART = 12
"""The record reaches back over a window where something stands in its first twelfth."""
REMEMBERED = 2000


def step_of(reach: float) -> float:
    """The step in seconds, for means that are wanted so far back."""
    return max(SHORTEST_STEP, reach / STEPS)


class Totals:
    """One series as running totals by steps of time: `total[i]` and `count[i]` are of everything up to the end of step i."""

    __slots__ = ("at", "before", "count", "step", "total")

    def __init__(self, reach: float) -> None:
        self.step = step_of(reach)
        self.at = array("d")
        self.total = array("d")
        self.count = array("d")
        self.before = (0.0, 0.0)
        """Total and count of what is older than the first step kept."""

    def add(self, at: float, value: float) -> None:
        """Takes a value. Where the clock was set back, what lies in the future now was never so late."""
        begin = math.floor(at / self.step) * self.step
        if self.at and begin < self.at[-1]:
            keep = bisect.bisect_right(self.at, begin)
            del self.at[keep:], self.total[keep:], self.count[keep:]
        if not self.at or self.at[-1] < begin:
            total, count = self._until(len(self.at))
            self.at.append(begin)
            self.total.append(total)
            self.count.append(count)
        self.total[-1] += value
        self.count[-1] += 1
        if len(self.at) > 1.25 * STEPS:
            old = len(self.at) - STEPS
            self.before = self._until(old)
            del self.at[:old], self.total[:old], self.count[:old]

    def _until(self, place: int) -> tuple[float, float]:
        """Total and count of all steps before a place."""
        return (self.total[place - 1], self.count[place - 1]) if place else self.before

    def reaches(self, start: float) -> bool:
        """Whether it holds what was at `start`."""
        return bool(self.at) and self.at[0] <= start + self.step

    def mean(self, start: float, end: float) -> float | None:
        """The mean of the values between, to a step; None where there are none."""
        low = bisect.bisect_left(self.at, math.floor(start / self.step) * self.step)
        high = bisect.bisect_right(self.at, end)
        (total, count), (less, fewer) = self._until(high), self._until(low)
        return (total - less) / (count - fewer) if count > fewer else None

    def after(self, points: list[tuple[float, float]], reach: float) -> Totals:
        """The same with older points before it."""
        made = Totals(reach)
        first = self.at[0] if self.at else math.inf
        for at, value in points:
            if at < first and not math.isnan(value):
                made.add(at, value)
        total, count = (made.total[-1], made.count[-1]) if made.at else (0.0, 0.0)
        made.at.extend(self.at)
        made.total.extend(each + total for each in self.total)
        made.count.extend(each + count for each in self.count)
        return made


class Means:
    """The means of every series that asks for them. `past` is the journal's record, where there is one."""

    def __init__(self, history: History, past: PastMeans | None = None) -> None:
        self._history = history
        self._kept: dict[tuple[str, str], Totals] = {}
        self._remembered: dict[tuple[str, str, int, int], float | None] = {}
        self.past = past

    def add(self, panel: str, key: str, at: float, value: float, reach: float) -> None:
        """Takes a newly measured value of a series whose means are wanted `reach` seconds back."""
        kept = self._kept.get((panel, key))
        if kept is None or kept.step < step_of(reach):
            kept = self._kept[panel, key] = Totals(reach)
        kept.add(at, value)
        first = self._history.first(panel, key)
        if first is not None and first < kept.at[0] - kept.step:
            points = self._history.points(panel, key, at - first + 1, at)
            self._kept[panel, key] = kept.after(points, reach)

    def mean(self, panel: str, key: str, start: float, end: float) -> float | None:
        """The mean of what was measured between (UTC seconds); None where what is known does not reach back to `start`."""
        kept = self._kept.get((panel, key))
        if kept is not None and kept.reaches(start):
            return kept.mean(start, end)
        return self._from_record(panel, key, start, end) if self.past else None

    def _from_record(self, panel: str, key: str, start: float, end: float) -> float | None:
        """The same from the journal's record, asked a few times a window: it is on disk."""
        step = (end - start) / FIRST_PART
        asked = (panel, key, int(start // step), int(end // step))
        if asked not in self._remembered:
            if len(self._remembered) >= REMEMBERED:
                self._remembered.clear()
            self._remembered[asked] = self._asked(panel, key, start, end)
        return self._remembered[asked]

    def _asked(self, panel: str, key: str, start: float, end: float) -> float | None:
        """What the record says; nothing where it cannot be read just now."""
        from ..store import StoreError  # late: who has a record has loaded it

        assert self.past is not None
        try:
            if self.past(panel, key, start, start + (end - start) / FIRST_PART) is None:
                return None
            return self.past(panel, key, start, end)
        except StoreError:
            return None
