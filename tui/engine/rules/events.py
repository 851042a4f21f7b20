"""How many events came within a window.

Two kinds of signal count events, and only the config can say which one is: a *counter* only grows (its increase counts, and a
fall is a restart, from zero on), another says with each reading how many came since the one before (they are added up). What
came in a hole of the measurements a counter has in it; of the other kind it is not known.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Literal

from ..panel import Threshold
from ..text import Shown
from ..units import show_count, show_duration, show_limit
from .rule import Measure, Rule, Series

FIRST_PART = 10
"""The history reaches back over the window where something was measured in its first tenth, or before it."""


class Events(Measure, frozen=True):
    """The number of events in the last `window` seconds. Before it has been watched for so long, and over a hole, they are at
    least what was seen: that may be enough to fire and never is enough to be well, or where few are bad the other way round."""

    window: float
    counted: Literal["increase", "sum"] = "increase"

    def value(self, series: Series, rule: Rule, place: int) -> float | None:
        start = series.at - self.window
        points = series.history.points(series.panel, series.key, self.window * 1.1, series.at)
        known = [(at, value) for at, value in points if not math.isnan(value)]
        found = _increase(known, start) if self.counted == "increase" else sum(value for at, value in known if at > start)
        whole = bool(known) and known[0][0] <= start + self.window / FIRST_PART
        if self.counted == "sum" and whole:
            whole = _whole(points, start, series.longest)
        limit = rule.levels[place].limit
        enough = found > limit if rule.way == "above" else found >= limit
        return found if whole or enough else None

    def says(self, value: float, rule: Rule, place: int) -> Shown:
        return Shown(f"{show_count(round(value, 1))} in {show_duration(self.window)}")

    def limit(self, rule: Rule, level: Threshold) -> Shown:
        return Shown(f"limit {show_limit(level.limit, rule.unit)} in {show_duration(self.window)}")


def _increase(points: list[tuple[float, float]], start: float) -> float:
    """What a counter grew by after `start`. The value before it is where the window begins; a fall is a restart from zero."""
    first = max((place for place, (at, _) in enumerate(points) if at <= start), default=0)
    values = [value for _, value in points[first:]]
    return sum(after - before if after >= before else after for before, after in pairwise(values))


def _whole(points: list[tuple[float, float]], start: float, longest: float) -> bool:
    """Whether all that came after `start` was counted: each reading has a value, and stands no longer after the one before than
    `longest` seconds."""
    first = max((place for place, (at, _) in enumerate(points) if at <= start), default=0)
    counted = points[first:]
    if any(math.isnan(value) for at, value in counted if at > start):
        return False
    return all(after[0] - before[0] <= longest for before, after in pairwise(counted))
