"""Ratio to a baseline: how many times what it was at the same time an hour or a day ago.

A baseline that Prometheus knows better is a figure of the config's own (`[[panel.tiles]]` with `offset` in its query) under a
plain threshold.
"""

from __future__ import annotations

from ..panel import Threshold
from ..text import Shown
from ..units import show_count, show_duration
from .rule import Measure, Rule, Series

WINDOW = 300.0


class Baseline(Measure, frozen=True):
    """The mean over the last `window` seconds as a multiple of the mean over the same window `before` seconds ago. Unknown
    where that was not recorded, or was nothing: there is no multiple of nothing."""

    before: float
    window: float = WINDOW

    @property
    def reach(self) -> float:
        return self.before + self.window

    def value(self, series: Series, rule: Rule, place: int) -> float | None:
        start, end = series.at - self.window, series.at
        usual = series.means.mean(series.panel, series.key, start - self.before, end - self.before)
        if not usual or usual < 0:
            return None
        newest = series.means.mean(series.panel, series.key, start, end)
        return None if newest is None else newest / usual

    def says(self, value: float, rule: Rule, place: int) -> Shown:
        return Shown(f"{show_count(round(value, 1))} × what it was {self._ago()}")

    def limit(self, rule: Rule, level: Threshold) -> Shown:
        return Shown(f"limit {level.limit:g} × {self._ago()}")

    def _ago(self) -> str:
        return {3600.0: "an hour ago", 86400.0: "a day ago"}.get(self.before, f"{show_duration(self.before)} ago")
