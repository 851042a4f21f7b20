"""A histogram's quantile, computed as Prometheus's `histogram_quantile` computes it (promql/quantile.go), to the digit.

The value is interpolated within the bucket in which the rank falls; what lies in the last bucket (+Inf) is reported as the
largest finite bound, because nothing more is known of it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping


def histogram_quantile(quantile: float, buckets: Mapping[float, float]) -> float | None:
    """The `quantile` (0 to 1) of observations in cumulative buckets, upper bound → count or rate.

    None where Prometheus says NaN: no observations, no +Inf bucket, fewer than two buckets, or the quantile 0 of an empty
    first bucket. Counts that fall from one
    bucket to the next (read while they moved) are raised to the one before.
    """
    bounds = sorted(buckets)
    if len(bounds) < 2 or bounds[-1] != math.inf:
        return None
    counts: list[float] = []
    for bound in bounds:
        counts.append(max(buckets[bound], counts[-1]) if counts else buckets[bound])
    observations = counts[-1]
    if not observations > 0:
        return None
    rank = quantile * observations
    place = next((each for each in range(len(bounds) - 1) if counts[each] >= rank), len(bounds) - 1)
    if place == len(bounds) - 1:
        return bounds[-2]
    if place == 0 and bounds[0] <= 0:
        return bounds[0]
    start, below = (bounds[place - 1], counts[place - 1]) if place else (0.0, 0.0)
    within = counts[place] - below
    return start + (bounds[place] - start) * ((rank - below) / within) if within else None
