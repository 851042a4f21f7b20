"""The mean over a window in place of the newest value: for signals that jump about."""

from __future__ import annotations

from ..panel import Threshold
from ..text import Shown
from ..units import show_duration, show_limit
from .rule import Measure, Rule, Series


class Mean(Measure, frozen=True):
    """The mean of what was measured in the last `window` seconds, each reading alike; of as much of it as there is yet."""

    window: float

    def value(self, series: Series, rule: Rule, place: int) -> float | None:
        values = series.history.values(series.panel, series.key, self.window, series.at)
        return sum(values) / len(values) if values else series.value

    def limit(self, rule: Rule, level: Threshold) -> Shown:
        return Shown(f"limit {show_limit(level.limit, rule.unit)} over {show_duration(self.window)}")
