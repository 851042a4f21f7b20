"""How late endpoints that hang are reported, past their deadline (DESIGN.md: 250 ms at the most)."""

from __future__ import annotations

import asyncio
import statistics
import time

from tests.bench.polling import setup
from tui.engine.engine import Engine
from tui.engine.feed import Level

ENDPOINTS, ROUNDS = 50, 20
DEADLINE = 0.4


async def lateness(urls: list[str]) -> float:
    """The 95th percentile of milliseconds, over rounds in which all of them are asked at once."""
    engine, late = Engine(setup(urls, DEADLINE), Level.WATCH), []
    async with engine.session():
        for _ in range(ROUNDS):
            began = time.monotonic()
            await engine.poller.once()
            late.append(1000 * (time.monotonic() - began - DEADLINE))
    assert all(job.state.reading and job.state.reading.error for job in engine.poller.jobs), "one of them answered"
    return statistics.quantiles(late, n=20)[18]


def hanging(urls: list[str]) -> float:
    """`lateness`, for who has no loop."""
    return asyncio.run(lateness(urls))
