"""What is kept of one endpoint from poll to poll, and from one process to the next."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from msgspec import Struct, field

from tui.engine.clock import Clock
from tui.engine.reading import Reading, Status, Value
from tui.engine.text import EMPTY

from .uptime import Uptime

TAKEN_OVER = 300.0
"""Seconds that a restart, or a reboot, may take: within them an endpoint that stands as before has stood so all along."""


class Kept(Struct):
    """What is kept of one endpoint between polls."""

    failures: int = 0
    waiting: bool = False
    status: Status | None = None
    since: float = 0.0
    release: str = ""
    uptime: Uptime = field(default_factory=Uptime)
    latencies: deque[float] = field(default_factory=lambda: deque(maxlen=240))

    @classmethod
    def begun(cls, before: Reading | None, wanted: int, clock: Clock) -> Kept:
        """What a process knows at its first look, from the last reading of the one before it. `wanted` failures in a row make
        it failing. Uptime and release are taken over whatever the time between; how it stood only over a short one, as
        nobody knows how it stood in a long one."""
        if before is None or not before.rows:
            return cls()
        row, passed = before.rows[0], max(0.0, clock.utc() - before.at)
        ratio, known, since = (_number(row.cells.get(name)) for name in ("uptime", "uptime_measured", "since"))
        kept = cls(release=str(release_of(row.cells)))
        if ratio is not None and known:
            kept.uptime = Uptime.resumed(ratio, known, clock.monotonic() - passed)
        if passed <= TAKEN_OVER and since is not None:
            kept.status, kept.since = row.status, before.at - since
            kept.failures = wanted if row.status is Status.FAILING else 0
        return kept


def release_of(facts: Mapping[str, Value]) -> Value:
    """The release or version among an endpoint's facts; empty where it names none."""
    return facts.get("release") or facts.get("releaseId") or facts.get("version") or EMPTY


def _number(value: Value) -> float | None:
    return float(value) if isinstance(value, int | float) else None
