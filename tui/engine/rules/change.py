"""Rate of change: by how much a signal rose or fell within a time."""

from __future__ import annotations

import math

from ..panel import Threshold
from ..text import Shown
from ..units import show, show_duration, show_limit
from .rule import Measure, Rule, Series

FIRST_PART = 10
"""The history reaches back over the time where something was measured in its first tenth, or just before."""


class Change(Measure, frozen=True):
    """The newest value less the one `over` seconds ago, in the signal's unit: negative where it fell. Unknown until it has been
    measured for so long."""

    over: float

    def value(self, series: Series, rule: Rule, place: int) -> float | None:
        start, slack = series.at - self.over, self.over / FIRST_PART
        points = zip(*series.history.between(series.panel, series.key, start - slack, start + slack), strict=True)
        near = [(abs(at - start), value) for at, value in points if not math.isnan(value)]
        return series.value - min(near)[1] if near else None

    def says(self, value: float, rule: Rule, place: int) -> Shown:
        way = "fell" if value < 0 else "rose"
        return Shown(f"{way} by {show(abs(value), rule.unit)} in {show_duration(self.over)}")

    def limit(self, rule: Rule, level: Threshold) -> Shown:
        sign = "-" if level.limit < 0 else "+"
        return Shown(f"limit {sign}{show_limit(abs(level.limit), rule.unit)} in {show_duration(self.over)}")
