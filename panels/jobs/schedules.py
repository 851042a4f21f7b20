"""The probe of the schedules: what is overdue, what of it no job was made from, and when a job last was.

That last is as near as one comes to "when did cron last run" where the vendor keeps no history to ask; it is labelled so.
Each job is looked at about once: what named a schedule is remembered for a day.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from tui.engine.connections import Tools
from tui.engine.panel import Memory, Target
from tui.engine.reading import Found, ProbeError, Row, Signal, Status, Value, signal
from tui.engine.text import Shown, clean

from .config import JobsConfig
from .look import CHANGED_UNDER_US, SHAPE_EACH
from .statements import Shape, read, read_shape, statements

if TYPE_CHECKING:
    from tui.engine.postgres import Session

LISTED = 200
STEP = 4_000
"""Jobs that one statement looks at: about 8 ms of server time."""
DAY = 86400.0
SETTLING = 120.0
"""Seconds for which newly created jobs are looked at again: a transaction commits them later than it created them."""
UNTAKEN = 120.0
"""Seconds after which an overdue schedule without a job is one that was missed: the scan runs each minute."""
SHARE = 0.005
"""The share of the time that looking for overdue schedules may take of the server: without an index it is asked less often."""


class Kept(Struct):
    """What the probe keeps. Times are UTC seconds by the server's clock."""

    now: float = 0.0
    shape: Shape | None = None
    shape_at: float = -math.inf
    sql: dict[str, str] = field(default_factory=dict)
    made: dict[str, float] = field(default_factory=dict)
    """When the newest job of each schedule was created."""
    looked: tuple[float, float] | None = None
    """The stretch of creation times whose jobs were looked at."""
    overdue: list[dict[str, Any]] = field(default_factory=list)
    overdue_at: float = -math.inf
    overdue_next: float = -math.inf

    @property
    def newest(self) -> float | None:
        """When a job was last made from a schedule."""
        return max(self.made.values(), default=None)

    @property
    def altogether(self) -> int:
        """How many schedules are overdue."""
        return int(self.overdue[0]["altogether"]) if self.overdue else 0

    def has_job(self, row: dict[str, Any]) -> bool | None:
        """Whether a job was made from an overdue schedule; None where the jobs since it was due were not all looked at."""
        if row["id"] in self.made:
            return True
        return False if self.looked and self.looked[0] <= row["publish_at"] else None


async def ask(target: Target, tools: Tools, memory: Memory) -> Found:
    """One look at the schedules; nothing where there are none to look at."""
    config: JobsConfig = target.settings
    kept: Kept = memory.setdefault("kept", Kept())
    if not config.tables.schedules:
        return Found(Status.OK)
    try:
        async with tools.postgres(config.dsn).look(target.deadline) as session:
            await _look(config, kept, session)
    except ProbeError as error:
        if getattr(error, "sqlstate", "") in CHANGED_UNDER_US:
            kept.shape_at = -math.inf
        raise
    assert kept.shape is not None
    if not kept.shape.schedules:
        return Found(Status.OK, notes=kept.shape.notes, spent=session.spent)
    return Found(Status.OK, _signals(kept), tuple(_row(row, kept) for row in kept.overdue), spent=session.spent)


async def _look(config: JobsConfig, kept: Kept, session: Session) -> None:
    """What is overdue, and the jobs created since the look before."""
    kept.now = float((await session.one(read("clock")))["now"])
    if kept.shape is None or kept.now - kept.shape_at >= SHAPE_EACH:
        kept.shape = await read_shape(config, session)
        kept.sql, kept.shape_at = statements(config, kept.shape), kept.now
    if not kept.shape.schedules:
        return
    if kept.now >= kept.overdue_next:
        before = session.spent
        kept.overdue = await session.rows(kept.sql["overdue"], {"limit": LISTED})
        kept.overdue_at, kept.overdue_next = kept.now, kept.now + (session.spent - before) / SHARE
    if "payload" in kept.shape.optional:
        await _look_at_jobs(config, kept, session)


async def _look_at_jobs(config: JobsConfig, kept: Kept, session: Session) -> None:
    """The newest jobs; and a step further back, while the newest job of a schedule, or an overdue one's, may lie there."""
    start, end = kept.looked or (kept.now, kept.now)
    reached = await _step(config, kept, session, end - SETTLING, kept.now + 1)
    start = min(start, reached) if reached <= end else reached  # more jobs than a step since the last look: a new beginning
    kept.looked = (start, kept.now)
    oldest = min((row["publish_at"] for row in kept.overdue if kept.has_job(row) is None), default=math.inf)
    day_ago = kept.now - DAY
    if start > day_ago and (kept.newest is None or oldest < start):
        kept.looked = (await _step(config, kept, session, day_ago, start), kept.now)
    kept.made = {schedule: at for schedule, at in kept.made.items() if at >= day_ago}


async def _step(config: JobsConfig, kept: Kept, session: Session, since: float, before: float) -> float:
    """Looks at the newest jobs of a stretch; returns how far back it got."""
    parameters = {"since": since, "before": before, "limit": STEP, "key": config.schedule_columns.payload_key}
    rows = await session.rows(kept.sql["scheduled"], parameters)
    for row in rows:
        if row["schedule"] is not None:
            kept.made[row["schedule"]] = max(row["created"], kept.made.get(row["schedule"], -math.inf))
    whole = not rows or rows[0]["looked"] < STEP
    return since if whole else float(rows[0]["reached"])


def _signals(kept: Kept) -> tuple[Signal, ...]:
    """The signals of the schedules. Ages run on between two looks."""
    passed = kept.now - kept.overdue_at
    told = [kept.has_job(row) for row in kept.overdue if row["overdue"] + passed > UNTAKEN]
    known = kept.shape is not None and "payload" in kept.shape.optional
    return (
        signal("overdue_schedules", kept.altogether),
        signal("oldest_overdue", kept.overdue[0]["overdue"] + passed if kept.overdue else 0.0, "s"),
        signal("orphan_schedules", told.count(False) if known and None not in told else None),
        signal("cron_age", max(0.0, kept.now - kept.newest) if kept.newest is not None else None, "s"),
    )


def _row(row: dict[str, Any], kept: Kept) -> Row:
    """An overdue schedule."""
    has_job = kept.has_job(row)
    cells: dict[str, Value] = {
        "schedule": clean(row["id"], 80),
        "overdue": row["overdue"] + kept.now - kept.overdue_at,
        "job": Shown("not known" if has_job is None else "has a job" if has_job else "no job"),
    }
    return Row(f"schedule:{row['id']}", cells, group="schedule")
