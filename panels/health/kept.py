"""What is kept of one endpoint from poll to poll, and from one process to the next."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping

from msgspec import Struct, field

from tui.engine.clock import Clock
from tui.engine.history import History
from tui.engine.reading import Reading, Status, Value, labels_of, series_key
from tui.engine.text import EMPTY

from .uptime import Uptime

TAKEN_OVER = 300.0
"""Seconds that a restart, or a reboot, may take: within them an endpoint that stands as before has stood so all along."""
ANSWERS = 240
"""So many of the last answers are looked at for their 95th percentile."""
ENOUGH = 20
"""From so many on a 95th percentile is not simply the slowest."""
RECORDED = 3600.0
"""Seconds back for which a restart is given every answer's latency."""


class Kept(Struct):
    """What is kept of one endpoint between polls."""

    failures: int = 0
    waiting: bool = False
    status: Status | None = None
    since: float = 0.0
    release: str = ""
    uptime: Uptime = field(default_factory=Uptime)
    latencies: deque[float] = field(default_factory=lambda: deque(maxlen=ANSWERS))
    began: float = 0.0
    """When this process looked first, UTC seconds."""
    p95_before: float | None = None
    """The 95th percentile that the process before this one came to; None where there is none, or that is too long ago."""
    taken_back: bool = False

    @classmethod
    def begun(cls, before: Reading | None, wanted: int, clock: Clock) -> Kept:
        """What a process knows at its first look, from the last reading of the one before it. `wanted` failures in a row make
        it failing. Uptime and release are taken over whatever the time between; how it stood only over a short one, as
        nobody knows how it stood in a long one."""
        if before is None or not before.rows:
            return cls(began=clock.utc())
        row, passed = before.rows[0], max(0.0, clock.utc() - before.at)
        ratio, known, since, p95 = map(row.number, ("uptime", "uptime_measured", "since", "latency_p95"))
        kept = cls(release=str(release_of(row.cells)), began=clock.utc(), p95_before=p95 if passed <= TAKEN_OVER else None)
        if ratio is not None and known:
            kept.uptime = Uptime.resumed(ratio, known, clock.monotonic() - passed)
        if passed <= TAKEN_OVER and since is not None:
            kept.status, kept.since = row.status, before.at - since
            kept.failures = wanted if row.status is Status.FAILING else 0
        return kept

    def take_back(self, history: History | None, panel: str, endpoint: str) -> None:
        """The good answers of before this process began, as soon as the history has them: it is given them back beside the
        first polls. Then never again."""
        if self.taken_back or history is None:
            return
        keys = (series_key(name, labels_of({"endpoint": endpoint})) for name in ("latency", "up"))
        (at, took), up = (history.between(panel, key, self.began - RECORDED, self.began) for key in keys)
        well = {moment for moment, value in zip(*up, strict=True) if value == 1.0}
        found = [each for moment, each in zip(at, took, strict=True) if moment < self.began and moment in well]
        found = [each for each in found if not math.isnan(each)]
        if found:
            self.latencies = deque([*found, *self.latencies], maxlen=ANSWERS)
            self.taken_back = True

    @property
    def p95(self) -> float | None:
        """The nearest-rank 95th percentile of the last good answers. Just after a restart, until the answers of before it are
        there or there are enough of its own, it is what it was."""
        if self.p95_before is not None and not self.taken_back and len(self.latencies) < ENOUGH:
            return self.p95_before
        latencies = sorted(self.latencies)
        return latencies[-(-95 * len(latencies) // 100) - 1] if latencies else None


def release_of(facts: Mapping[str, Value]) -> Value:
    """The release or version among an endpoint's facts; empty where it names none."""
    return facts.get("release") or facts.get("releaseId") or facts.get("version") or EMPTY
