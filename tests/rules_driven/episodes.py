"""What is done to the demo, and which rules see it: every rule of agent-factory's and cliply's tables (systems.md) whose signal
the five panels have."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.rules_driven.floor import GLANCE
from tests.rules_driven.stage import Stage

Does = Callable[[Stage], Awaitable[None]]


@dataclass(frozen=True)
class Episode:
    """What is done to the demo, and the rules that see it."""

    name: str
    rules: tuple[tuple[str, str], ...]
    """System and rule."""
    breaks: Does
    mends: Does
    step: float = GLANCE
    """What passes here between two polls until the rule sees what was done: next to nothing while the source takes its own
    time, the panel's pace (0) where the rule looks back over what was measured here."""
    warm: float = 0.0
    """Seconds for which all is well first, looked at each minute; three polls of the panel's own otherwise."""
    nudge: Does | None = None
    """What is done before each poll, where the demo's own users are too few."""
    afresh: bool = False
    """Whether the probes have forgotten what they saw before it broke: else the source would have to be silent for as long as
    the rule says, in its own time."""


def seen(*rules: str) -> tuple[tuple[str, str], ...]:
    """System and rule of each `system rule`."""
    return tuple((system, rule) for system, _, rule in (each.partition(" ") for each in rules))


def of_the_demo(fault: str, seed: int) -> tuple[Does, Does]:
    """One of the demo's own faults, and its end."""

    async def breaks(stage: Stage) -> None:
        await stage.fault(fault, seed)

    async def mends(stage: Stage) -> None:
        await stage.heal(fault)

    return breaks, mends


async def leaks(stage: Stage) -> None:
    """Connections are taken and not given back, until nine of ten are in use."""
    await asyncio.to_thread(stage.leak, 54)


async def gives_back(stage: Stage) -> None:
    await asyncio.to_thread(stage.leak, 0)


async def cut_off(stage: Stage) -> None:
    """Prometheus is out of reach."""
    stage.way.shut()


async def reached(stage: Stage) -> None:
    stage.way.open()


async def mended_and_retried(stage: Stage) -> None:
    """What failed by it is retried, as 4.2 of the playbooks says."""
    await stage.heal("job-failures")
    await asyncio.to_thread(stage.retry_failed)


async def exported(stage: Stage) -> None:
    """The demo's slow export, wider: of the few statements between two looks here, well more than one in twenty is slow."""
    stage.exports = [asyncio.create_task(stage.export(0.26 + 0.007 * place)) for place in range(20)]


async def exported_no_more(stage: Stage) -> None:
    for each in stage.exports:
        each.cancel()
    await asyncio.gather(*stage.exports, return_exceptions=True)


async def more_suggestions(stage: Stage) -> None:
    """Of the demo's users about one a second asks a model: too few for a share over seconds."""
    await asyncio.gather(*(asyncio.to_thread(stage.ask_models) for _ in range(4)))


async def a_second(_: Stage) -> None:
    """What is measured while it is bad stays little beside the hour before it; and statements are looked at by the hundred."""
    await asyncio.sleep(1.0)


API_DOWN, CACHE_DOWN = of_the_demo("health-down", 2), of_the_demo("health-down", 6)
"""The database's login, which both readyz look at; and the cache, which agent-factory's endpoint looks at."""
ERRORS = of_the_demo("api-5xx", 0)
"""A route that carries more than a third of all requests."""
SURGE = of_the_demo("surge", 0)
PUBLISHING = of_the_demo("job-failures", 0)
STALLED = of_the_demo("cron-stalled", 3)
SLOW_ROUTES = [
    Episode(
        "slow uploads",
        seen("agent-factory SlowResponseTime", "cliply SlowResponseTime", "cliply upload slow"),
        *of_the_demo("api-slow", 3),
    ),
    Episode("slow publishing", seen("cliply publish slow"), *of_the_demo("api-slow", 4)),
    Episode("slow scan", seen("cliply scan slow"), *of_the_demo("scan-slow", 3)),
]
"""Routes that take seconds, each of which is waited for."""
REQUESTS = [
    Episode("errors", seen("agent-factory HighErrorRate", "cliply HighErrorRate"), *ERRORS),
    Episode("budget", seen("agent-factory error budget"), *ERRORS, step=20.0, warm=4000.0),
    Episode("surge by the hour", seen("agent-factory RequestSurge"), *SURGE, step=20.0, warm=4500.0, nudge=a_second),
    Episode("surge", seen("cliply RequestSurge"), *SURGE, step=0.0, warm=4500.0, nudge=a_second),
    Episode("openai", seen("agent-factory OpenAI"), *of_the_demo("models-down", 37), nudge=more_suggestions),
    Episode("anthropic", seen("agent-factory Anthropic"), *of_the_demo("models-down", 46), nudge=more_suggestions),
    Episode("no figures", seen("agent-factory no figures"), cut_off, reached, step=0.0),
]
"""All other figures of the metrics panel."""
PLACES = [
    Episode("down", seen("cliply ServiceDown"), *API_DOWN),
    Episode("cache down", seen("agent-factory ServiceDown"), *CACHE_DOWN),
    Episode("uptime", seen("agent-factory Uptime"), *CACHE_DOWN, step=0.0, warm=4000.0),
    Episode("pool", seen("agent-factory DatabaseConnectionPoolHigh", "cliply PoolHigh"), leaks, gives_back),
    Episode("grows", seen("agent-factory DatabaseSize"), *of_the_demo("db-grows", 3), step=0.0),
    Episode("slow statements", seen("agent-factory QueryTime"), exported, exported_no_more, step=0.0, nudge=a_second),
    Episode("slow query", seen("cliply SlowQueries"), *of_the_demo("slow-query", 3)),
    Episode("build", seen("agent-factory FailedDeployment", "cliply FailedDeployment"), *of_the_demo("deploy-failed", 3)),
    Episode("stuck", seen("cliply StuckJobs"), *of_the_demo("stuck-jobs", 3)),
    Episode("worker", seen("cliply NoWorker"), *of_the_demo("worker-dead", 3), afresh=True),
    Episode("overdue", seen("cliply OverdueSchedules"), *STALLED),
    Episode("cron", seen("cliply cron not run"), *STALLED, afresh=True),
    Episode("failures", seen("cliply PublishFailures", "cliply JobFailureRate"), PUBLISHING[0], mended_and_retried),
]
"""Health, database, jobs, deployments."""
