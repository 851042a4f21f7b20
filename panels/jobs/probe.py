"""The probe of the queue: looks, each poll; looks for jobs older than a day, each five minutes; makes a reading of it."""

from __future__ import annotations

import asyncio
import math

from tui.engine.connections import Tools
from tui.engine.panel import Memory, Target
from tui.engine.reading import Found, ProbeError, Status, no_answer

from .config import JobsConfig
from .figures import notes, signals
from .look import CHANGED_UNDER_US, RUNNING_LIMIT, Kept, Look
from .rows import rows
from .window import ALL_EACH, KEPT

BEYOND_EACH = 300.0
"""Seconds between two runs of the one statement that may scan the table, and its time limit."""
BEYOND_LIMIT = 1.0
MARGIN = 0.3
ROUND_SHARE = 0.4
"""The share of the deadline after which a round over the whole day goes on with the next poll."""


async def ask(target: Target, tools: Tools, memory: Memory) -> Found:
    """One look at the queue."""
    config: JobsConfig = target.settings
    kept: Kept = memory.setdefault("kept", Kept())
    began = asyncio.get_running_loop().time()
    try:
        async with tools.postgres(config.dsn).look(target.deadline) as session:
            await Look(config, kept, session, began + ROUND_SHARE * target.deadline).everything()
        left = began + target.deadline - asyncio.get_running_loop().time()
        if kept.now - kept.beyond_tried >= BEYOND_EACH and left > MARGIN:
            await _beyond_the_window(config, kept, tools, left)
    except ProbeError as error:
        if getattr(error, "sqlstate", "") in CHANGED_UNDER_US:
            kept.shape_at = -math.inf
        raise
    _check_visible(config, kept)
    kept.alerting = tools.alerting(target.panel, "kind")
    # A round's cost is spread over the time to the next one: it is no reason to ask the rest less often.
    spent = session.spent - kept.round_spent + kept.round_cost * min(1.0, target.interval / ALL_EACH)
    return Found(Status.OK, signals(config, kept), rows(config, kept), notes=notes(kept), spent=spent)


async def _beyond_the_window(config: JobsConfig, kept: Kept, tools: Tools, left: float) -> None:
    """Looks for jobs that run since before the window, and has those it finds watched by their ids.

    That it has no answer (it may take too long) is no failure of the poll: the panel then says that they are not known.
    """
    kept.beyond_tried, kept.beyond_at = kept.now, None
    before = (int(kept.now // 60) - KEPT + 1) * 60.0
    limit = min(BEYOND_LIMIT, left - MARGIN / 2)
    try:
        async with tools.postgres(config.dsn).look(left, statement_timeout=limit) as session:
            found = await session.rows(kept.sql["running_beyond"], {"before": before, "limit": RUNNING_LIMIT})
    except ProbeError:
        return
    kept.beyond_at = kept.now
    kept.running.update((row["id"], row) for row in found)


def _check_visible(config: JobsConfig, kept: Kept) -> None:
    """Raises ProbeError where an empty queue may be one whose rows are hidden from us: that is not *ok*."""
    assert kept.shape is not None
    if kept.shape.guarded and not kept.recent:
        role = kept.shape.role
        says = f"{role} sees no job at all, and row-level security is active for it"
        hint = f"CREATE POLICY watchfloor ON {config.tables.jobs} FOR SELECT TO {role} USING (true);"
        raise no_answer("rights", says, hint)
