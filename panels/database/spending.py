"""What a probe costs the server, steadied: one dear poll (the first on a new connection, a busy moment here) is no reason to
ask less often; two of three are."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from statistics import median


@dataclass(slots=True)
class Spending:
    """The last three polls' server time in seconds; those that were not yet count as nothing."""

    last: deque[float] = field(default_factory=lambda: deque((0.0, 0.0), maxlen=3))

    def steadied(self, spent: float) -> float:
        """Takes a poll's server time; returns what to answer for: the median of the last three."""
        self.last.append(spent)
        return median(self.last)
