"""Counters seen again and again → how much each grew since the last look.

A counter falls only when its process began anew: then it counts from zero, a histogram's buckets all together. A series that
first shows on a page that was read before began at zero in between (a service's first error must not be lost, as Prometheus's
`rate` loses it).
"""

from __future__ import annotations

from collections.abc import Mapping

from tui.engine.reading import Labels

from .page import Series

FORGET_ABOVE = 100_000
"""Series remembered though the page no longer has them; beyond it the labels change with every restart."""
Group = tuple[str, Labels]


class Growth:
    """What is remembered of one page's counters."""

    def __init__(self) -> None:
        self._last: dict[Series, float] = {}
        self._first = True

    def since_last(self, samples: Mapping[Series, float]) -> dict[Series, float]:
        """By how much each counter grew since the last look; by nothing at the first."""
        if self._first:
            self._first, self._last = False, dict(samples)
            return dict.fromkeys(samples, 0.0)
        anew = {_group(each) for each, value in samples.items() if value < self._last.get(each, 0.0)}
        grown = {}
        for series, value in samples.items():
            before = 0.0 if anew and _group(series) in anew else self._last.get(series, 0.0)
            grown[series] = value - before
        self._last.update(samples)
        if len(self._last) > FORGET_ABOVE:
            self._last = dict(samples)
        return grown


def _group(series: Series) -> Group:
    """What begins anew together: a counter alone, a histogram's buckets with each other."""
    if not series.name.endswith("_bucket"):
        return series.name, series.labels
    return series.name, tuple(pair for pair in series.labels if pair[0] != "le")
