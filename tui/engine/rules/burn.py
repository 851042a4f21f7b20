"""Multi-window burn rates of an error budget, as in Google's SRE workbook, chapter 5, "Alerting on SLOs", its sixth approach
and table 5-8 (https://sre.google/workbook/alerting-on-slos/): a long window says that it matters, a short one that it goes on.

    burn    windows       budget of 30 days spent when it fires      severity (ours)
    14.4    1 h, 5 min     2 %                                       P0
    6       6 h, 30 min    5 %                                       P1
    3       1 d, 2 h      10 %                                       P2
    1       3 d, 6 h      10 %                                       P3
"""

from __future__ import annotations

from ..panel import Threshold
from ..text import Shown
from ..units import show_count, show_duration, show_limit
from .rule import Measure, Rule, Series

LEVELS = (Threshold("P0", 14.4), Threshold("P1", 6.0), Threshold("P2", 3.0), Threshold("P3", 1.0))
WINDOWS = ((3600.0, 300.0), (21600.0, 1800.0), (86400.0, 7200.0), (259200.0, 21600.0))
"""Seconds, long and short, by level."""


class Burn(Measure, frozen=True):
    """How many times as fast as it may be the error budget is spent: the mean share of errors over 1 − `slo`, the smaller of
    the two windows, each reading for as long as it stands for. Unknown where less than the long window was recorded.

    `of_successes`: the signal is the share of what is well (`up`, an uptime), not of errors.
    """

    slo: float
    of_successes: bool = False

    @property
    def reach(self) -> float:
        return WINDOWS[-1][0]

    def value(self, series: Series, rule: Rule, place: int) -> float | None:
        rates = [self._burn(series, window) for window in WINDOWS[place]]
        known = [each for each in rates if each is not None]
        return min(known) if len(known) == len(rates) else None

    def _burn(self, series: Series, window: float) -> float | None:
        """The burn rate over one window."""
        mean = series.means.mean(series.panel, series.key, series.at - window, series.at)
        if mean is None:
            return None
        return (1 - mean if self.of_successes else mean) / (1 - self.slo)

    def says(self, value: float, rule: Rule, place: int) -> Shown:
        long, short = WINDOWS[place]
        spans = f"{show_duration(long)} and {show_duration(short)}"
        return Shown(f"spends its error budget {show_count(round(value, 1))} × too fast over {spans}")

    def limit(self, rule: Rule, level: Threshold) -> Shown:
        return Shown(f"SLO {show_limit(self.slo, 'ratio')}")
