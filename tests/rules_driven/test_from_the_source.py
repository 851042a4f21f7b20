"""A rule of each panel, with real sources and the panel's own probe: a fault there makes it fire, its end resolves it; a sleep
in between and another process change nothing of it, and a source that flaps begins anew."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest
from msgspec.structs import replace

from tests.clocks import START, DrivenClock
from tests.panels.jobs.queue import make_queue
from tests.servers.http import Web
from tests.servers.http import web as web
from tests.servers.postgres import Server
from tests.servers.postgres import postgres as postgres
from tests.servers.prometheus import serve_metrics, start_prometheus
from tests.servers.vercel import PROJECT, TOKEN, Vercel, deployed, failed
from tests.servers.vercel import vercel as vercel
from tests.waiting import eventually
from tui.config import load
from tui.engine.alert import Alert
from tui.engine.engine import Engine
from tui.engine.feed import Level

Does = Callable[[], Awaitable[None]]
STEP = 20.0
"""Seconds of the driven clock between two polls."""


@dataclass
class Source:
    """A panel as the config has it, what makes its source bad and well again, and the rule that sees it."""

    panel: str
    rule: str
    breaks: Does
    mends: Does
    pends: bool
    """Whether the rule waits before it fires."""
    began: float = START
    """What time it is: a source with a clock of its own takes the real one."""


@dataclass
class Floor:
    """An engine on a driven clock, polled when told to."""

    config: Path
    source: Source
    engine: Engine
    clock: DrivenClock
    told: list[tuple[str, str]] = field(default_factory=list)

    async def polls(self, step: float = STEP) -> str:
        """Time passes, everything is asked; gives the alert's state."""
        self.clock.move(step)
        await self.engine.poller.once()
        return self.looks()

    def looks(self) -> str:
        alert = self.alert
        self.told += [(each.was, each.alert.state) for each in self.engine.rules.moves() if each.alert.rule == self.source.rule]
        return alert.state if alert and alert.open else "inactive"

    @property
    def alert(self) -> Alert | None:
        alerts = self.engine.judge_now().alerts
        return next((each for each in alerts if each.rule == self.source.rule), None)

    async def until(self, *states: str, step: float = 0.01) -> str:
        """Polls until the alert stands so: the source takes its own time, in which next to none passes here."""
        end = time.monotonic() + 30
        while (state := await self.polls(step)) not in states:
            assert time.monotonic() < end, (state, self.engine.feed.peek().panels[0].failures)
            await asyncio.sleep(0.05)
        return state

    def sleeps(self) -> str:
        """The machine sleeps for an hour; the poller marks everything stale."""
        self.clock.suspend(3600)
        for job in self.engine.poller.jobs:
            job.state = replace(job.state, good_at=None, read_at=None)
        return self.looks()


@asynccontextmanager
async def watched(config: Path, source: Source, clock: DrivenClock, state: bytes = b"") -> AsyncIterator[Floor]:
    """A process that watches, going on from another's state where it is given."""
    engine = Engine(load(config).setup, Level.WATCH, clock=clock)
    if state:
        engine.rules.restore(state, clock.utc())
    async with engine.session():
        yield Floor(config, source, engine, clock)


@pytest.fixture
def health(web: Web) -> Source:
    async def breaks() -> None:
        web.says("/api/readyz", {"ok": False, "service": "api", "checks": {"env": True, "db": False}}, 503)

    async def mends() -> None:
        web.says("/api/readyz", {"ok": True, "service": "api", "checks": {"env": True, "db": True}})

    panel = f'kind = "health"\ninterval = "20s"\nendpoints = ["{web.url}/api/readyz"]\n'
    rule = '[[rule]]\nname = "ServiceDown"\nsignal = "health.up"\nbelow = 1\nin_a_row = 2\nseverity = "P0"\n'
    return Source(panel + rule, "ServiceDown", breaks, mends, pends=True)


@pytest.fixture
def metrics() -> Iterator[Source]:
    """Prometheus itself scrapes the service. Whether it has seen what happened is a matter of its own second."""
    with serve_metrics() as service, start_prometheus(service.port) as server:
        service.observe("/api/orders", times=100)
        service.observe("/api/orders", status="500", times=0)
        eventually(lambda: server.value('http_errors_total{job="agent-factory"}') == 0)

        asked = 1000.0

        async def breaks() -> None:
            nonlocal asked
            service.requests.labels("GET", "/api/orders", "500").inc(asked)
            service.errors.labels("GET", "/api/orders").inc(asked)
            asked *= 2

        async def mends() -> None:
            """So many good requests that the window's errors are few among them: nobody waits five minutes here."""
            nonlocal asked
            service.requests.labels("GET", "/api/orders", "200").inc(99 * asked)
            asked *= 100

        panel = f'kind = "metrics"\nname = "api"\ninterval = "20s"\nprometheus = "{server.url}"\njob = "agent-factory"\n'
        rule = '[[rule]]\nname = "HighErrorRate"\nsignal = "api.error_rate"\nabove = "5 %"\nfor = "1m"\nseverity = "P0"\n'
        yield Source(panel + rule, "HighErrorRate", breaks, mends, pends=True, began=time.time())


@pytest.fixture
def database(postgres: Server) -> Iterator[Source]:
    """cliply's rule: connections against the pool, held for two minutes."""
    name = "rules_driven"
    superuser = postgres.new_database(name)
    clients: list[psycopg.Connection[tuple[object, ...]]] = []

    async def breaks() -> None:
        clients.extend(psycopg.connect(superuser) for _ in range(9))

    async def mends() -> None:
        while clients:
            clients.pop().close()

    panel = f'kind = "database"\ninterval = "20s"\ndsn = "{postgres.dsn("watch", name)}"\npool_size = 10\n'
    rule = '[[rule]]\nname = "PoolHigh"\nsignal = "database.pool"\nabove = "80 %"\nfor = "2m"\nseverity = "P0"\n'
    yield Source(panel + rule, "PoolHigh", breaks, mends, pends=True, began=time.time())
    for each in clients:
        each.close()


@pytest.fixture
def jobs(postgres: Server) -> Source:
    """A worker that dies with a job, and its job that is failed by hand."""
    queue = make_queue(postgres, "rules_driven_jobs")

    async def breaks() -> None:
        queue.add("CLIP_RENDER", "running", worker_id="w1", last_heartbeat=600, created_at=900)

    async def mends() -> None:
        queue.run("UPDATE jobs SET status = 'failed'")

    return Source(f'kind = "jobs"\ninterval = "20s"\ndsn = "{queue.watch}"\n', "StuckJobs", breaks, mends, False, time.time())


@pytest.fixture
def deploys(vercel: Vercel, monkeypatch: pytest.MonkeyPatch) -> Source:
    monkeypatch.setenv("VERCEL_TEST_TOKEN", TOKEN)

    def next_one() -> tuple[str, float]:
        """A commit, and how long ago: each is newer than the one before."""
        return f"{len(vercel.deployments):07x}", 9000 - 600.0 * len(vercel.deployments)

    async def breaks() -> None:
        vercel.deployments.insert(0, failed(*next_one()))

    async def mends() -> None:
        sha, ago = next_one()
        vercel.deployments.insert(0, deployed(sha, ago))
        vercel.serve(f"dpl_{sha}")

    settings = f'vercel = {{ project = "{PROJECT}", token = "env:VERCEL_TEST_TOKEN", base = "{vercel.url}" }}\n'
    return Source(f'kind = "deploys"\n{settings}', "FailedDeployment", breaks, mends, pends=False)


@pytest.fixture(params=["health", "metrics", "database", "jobs", "deploys"])
def source(request: pytest.FixtureRequest) -> Source:
    """Each of the five."""
    found: Source = request.getfixturevalue(request.param)
    return found


async def test_a_fault_at_the_source_fires_and_its_end_resolves(source: Source, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[watchfloor]\nname = "shop"\nenvironment = "production"\n\n[[panel]]\n' + source.panel)
    clock = DrivenClock(source.began)
    await source.mends()
    async with watched(config, source, clock) as floor:
        for _ in range(3):
            assert await floor.polls() == "inactive"
        await source.breaks()
        begins = await floor.until("pending", "firing")
        assert begins == ("pending" if source.pends else "firing")
        assert floor.sleeps() == begins, "a sleep is evidence of nothing"
        assert floor.alert is not None and floor.alert.unknown_since is not None
        first, state = floor.alert, floor.engine.rules.state(clock.utc())
        expected = [("inactive", begins)]
        assert floor.told == expected
    clock.move(30)
    async with watched(config, source, clock, state) as floor:
        assert floor.looks() == begins, "what was recorded, before anything is asked"
        assert await floor.until("firing", step=STEP) == "firing"
        assert floor.alert is not None and floor.alert.since == first.since
        assert floor.told == ([("pending", "firing")] if source.pends else [])
        floor.told.clear()
        assert floor.sleeps() == "firing"
        await source.mends()
        assert floor.looks() == "firing", "nobody has seen it yet"
        assert await floor.until("inactive") == "inactive"
        assert floor.told == [("firing", "resolved")]
        floor.told.clear()
        await source.breaks()
        assert await floor.until("pending", "firing") == begins, "it flaps: it begins anew"
        await source.mends()
        assert await floor.until("inactive") == "inactive"
        assert floor.told == [("inactive", begins), (begins, "resolved")]
