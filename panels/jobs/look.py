"""One look at the queue: a handful of short statements in one read-only transaction, none of which scans it (costs.md).

`Kept` is what stays from poll to poll, `Look` does one poll's asking. Judges and draws nothing.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from .config import JobsConfig
from .failures import Failures
from .statements import Shape, read, read_shape, statements
from .window import STEP, Window, stretches

if TYPE_CHECKING:
    from tui.engine.postgres import Session

Rows = list[dict[str, Any]]

SHAPE_EACH = 600.0
"""Seconds after which the catalog is asked again: columns come and go with migrations."""
THROUGHPUT_OVER = 60.0
HEARTBEATS_KEPT = 86400.0
QUEUE_LIMIT = 10_000
RUNNING_LIMIT = 2_000
FAILED_LIMIT = 1_000
LISTED = 20
UNBOUNDED = 100_000_000
CHANGED_UNDER_US = frozenset({"42P01", "42703", "42501", "42704", "42883"})
"""SQLSTATEs after which the catalog is asked anew: a table, column, right or type is not as it was."""


class Kept(Struct):
    """What the probe keeps from poll to poll. Times are UTC seconds by the server's clock."""

    now: float = 0.0
    shape: Shape | None = None
    shape_at: float = -math.inf
    sql: dict[str, str] = field(default_factory=dict)
    window: Window = field(default_factory=Window)
    failures: Failures = field(default_factory=Failures)
    unread: set[int] = field(default_factory=set)
    """Minutes whose failed jobs are others than those that were read."""
    running: dict[str, dict[str, Any]] = field(default_factory=dict)
    heartbeats: dict[str, float] = field(default_factory=dict)
    """Each worker's newest."""
    ended: deque[tuple[float, int]] = field(default_factory=deque)
    """When we looked, and how many jobs had ended since the look before."""
    queue: Rows = field(default_factory=list)
    due: Rows = field(default_factory=list)
    recent: Rows = field(default_factory=list)
    beyond_tried: float = -math.inf
    beyond_at: float | None = None
    """When jobs that run since before the window were last looked for; None where that was not answered."""
    alerting: frozenset[str] = frozenset()
    """The kinds with an open alert."""
    round_cost: float = 0.0
    """Seconds of server time that the present round over the whole day has cost, and of these the last poll's."""
    round_spent: float = 0.0

    def throughput(self) -> float | None:
        """Jobs that ended in a second, over the last minute; None until there are two looks to compare."""
        if len(self.ended) < 2:
            return None
        span = self.ended[-1][0] - self.ended[0][0]
        return sum(count for _, count in list(self.ended)[1:]) / span if span > 0 else None

    def note_ended(self, count: int, lately: int | None) -> None:
        """Takes how many jobs ended since the look before; at the first look, how many did in the last minute, where a
        finished-at column tells (`lately`)."""
        if not self.ended and lately is not None:
            self.ended.append((self.now - THROUGHPUT_OVER, 0))
            count = lately
        self.ended.append((self.now, count))
        while len(self.ended) > 2 and self.ended[1][0] <= self.now - THROUGHPUT_OVER:
            self.ended.popleft()


class Look(Struct):
    """One poll's questions. `asked` are the minutes asked for so far, `known` those that were known before."""

    config: JobsConfig
    kept: Kept
    session: Session
    until: float
    """The loop's time after which a round over the whole day goes on with the next poll."""
    asked: set[int] = field(default_factory=set)
    known: frozenset[int] = frozenset()
    ended: int = 0
    lately: int = 0

    async def everything(self) -> None:
        """Asks all that a poll asks. Raises ProbeError."""
        kept = self.kept
        kept.now = float((await self.session.one(read("clock")))["now"])
        if kept.shape is None or kept.now - kept.shape_at >= SHAPE_EACH:
            kept.shape = await read_shape(self.config, self.session)
            kept.sql, kept.shape_at = statements(self.config, kept.shape), kept.now
        kept.queue = await self._rows("queued", limit=QUEUE_LIMIT)
        kept.due = await self._rows("due", limit=LISTED)
        kept.recent = await self._rows("recent", limit=LISTED)
        await self._window()
        await self._running()
        await self._failures()
        for worker in [name for name, at in kept.heartbeats.items() if kept.now - at > HEARTBEATS_KEPT]:
            del kept.heartbeats[worker]

    async def _rows(self, name: str, **parameters: Any) -> Rows:
        """The rows of one of the statements."""
        return await self.session.rows(self.kept.sql[name], parameters)

    async def _window(self) -> None:
        """The minutes that can have changed, and a piece of the round over all of them."""
        kept, window = self.kept, self.kept.window
        self.known = frozenset(window.minutes)
        if window.move(kept.now):
            kept.round_cost = 0.0
        first = not window.complete
        await self._round()
        rest = [minute for minute in window.to_ask(kept.now) if minute not in self.asked]
        if rest:
            self._take(rest, await self._minutes(stretches(rest), UNBOUNDED))
        whole = first and window.complete and kept.shape is not None and "finished_at" in kept.shape.optional
        kept.note_ended(self.ended, self.lately if whole else None)

    async def _round(self) -> None:
        """Goes on with the round over all minutes, step by step, the newest first."""
        window, before = self.kept.window, self.session.spent
        while window.owed and asyncio.get_running_loop().time() < self.until:
            first, last = window.owed
            rows = await self._minutes([(first * 60.0, (last + 1) * 60.0)], STEP)
            seen = [row["minute"] for row in rows if row["minute"] is not None]
            whole = sum(row["total"] for row in rows if row["minute"] is not None) < STEP
            reached = first if whole else min(seen) + 1
            if reached > last:  # one minute holds more than a step
                rows, reached = await self._minutes([(last * 60.0, (last + 1) * 60.0)], UNBOUNDED), last
            self._take(range(reached, last + 1), rows)
            window.went_back_to(reached)
        self.kept.round_spent = self.session.spent - before
        self.kept.round_cost += self.kept.round_spent

    async def _minutes(self, wanted: Iterable[tuple[float, float]], limit: int) -> Rows:
        """What has become of the jobs of some stretches of time."""
        starts, ends = _unzipped(wanted)
        return await self._rows("minutes", starts=starts, ends=ends, limit=limit)

    def _take(self, minutes: Iterable[int], rows: Rows) -> None:
        """Keeps an answer: counts by minute, and workers' heartbeats."""
        kept, minutes = self.kept, list(minutes)
        taken = kept.window.take(minutes, rows, kept.now)
        self.asked.update(minutes)
        self.ended += taken.ended
        self.lately += sum(row["ended_lately"] for row in rows if row["minute"] is not None)
        kept.unread |= taken.failures
        for row in rows:
            if row["worker"] is not None and row["heartbeat_age"] is not None:
                self._heard(row["worker"], row["heartbeat_age"])

    def _heard(self, worker: str, age: float) -> None:
        """A worker's heartbeat, which may be its newest."""
        at = self.kept.now - age
        self.kept.heartbeats[worker] = max(at, self.kept.heartbeats.get(worker, at))

    async def _running(self) -> None:
        """Who runs now: in the minutes that were asked for by their time, elsewhere by the ids that were seen to run."""
        kept = self.kept
        found: Rows = []
        for step in self._steps(kept.window.with_running(self.asked)):
            found += await self._members(step, self.config.states.running, RUNNING_LIMIT)
        elsewhere = [key for key, row in kept.running.items() if int(row["created"] // 60) not in self.asked]
        found += await self.by_id(elsewhere)
        kept.running = {row["id"]: row for row in found if row["status"] == self.config.states.running}
        for row in kept.running.values():
            if row["worker"] is not None and row["heartbeat_age"] is not None:
                self._heard(row["worker"], row["heartbeat_age"])

    async def by_id(self, ids: Sequence[str]) -> Rows:
        """Jobs by their identity, as they are now."""
        return await self._rows("by_id", ids=list(ids)) if ids else []

    async def _failures(self) -> None:
        """The failed jobs of the minutes in which others are failed than before, the newest minutes first."""
        kept, before = self.kept, self.session.spent
        kept.unread &= kept.window.minutes.keys()
        for step in self._steps(sorted(kept.unread, reverse=True)):
            rows = await self._members(step, self.config.states.failed, FAILED_LIMIT)
            kept.failures.take(step, rows, self.known, kept.now)
            kept.unread.difference_update(step)
            if asyncio.get_running_loop().time() >= self.until:
                break
        kept.failures.move(kept.now)
        if kept.round_spent:
            kept.round_spent += self.session.spent - before
            kept.round_cost += self.session.spent - before

    async def _members(self, minutes: list[int], status: str, limit: int) -> Rows:
        """The jobs of one state that were created in some minutes, the newest first."""
        starts, ends = _unzipped(stretches(sorted(minutes)))
        return await self._rows("members", starts=starts, ends=ends, status=status, limit=limit)

    def _steps(self, minutes: Iterable[int]) -> Iterator[list[int]]:
        """Minutes in pieces that one statement may look at."""
        piece: list[int] = []
        held = 0
        for number in minutes:
            total = self.kept.window.minutes[number].total
            if piece and held + total > STEP:
                yield piece
                piece, held = [], 0
            piece.append(number)
            held += total
        if piece:
            yield piece


def _unzipped(wanted: Iterable[tuple[float, float]]) -> tuple[list[float], list[float]]:
    """Stretches as two arrays, as the statements take them."""
    pairs = list(wanted)
    return [start for start, _ in pairs], [end for _, end in pairs]
