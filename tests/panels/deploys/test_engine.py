"""The panel in a running engine, from a config as a person types it: its rule, its changes, its back-off, its hint."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.clocks import DrivenClock
from tests.servers.vercel import NOW, PROJECT, TOKEN, Vercel, deployed, failed, limited
from tui.config import load
from tui.engine.engine import Engine
from tui.engine.feed import Level, PanelState
from tui.engine.reading import Status

CONFIG = """
[watchfloor]
name = "shop"
environment = "production"

[[panel]]
kind = "deploys"
vercel = {{ project = "{project}", token = "env:VERCEL_TEST_TOKEN", base = "{base}" }}
"""


@pytest.fixture
async def engine(vercel: Vercel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Engine]:
    """An engine on the look-alike, read-only, on a driven clock."""
    monkeypatch.setenv("VERCEL_TEST_TOKEN", TOKEN)
    file = tmp_path / "config.toml"
    file.write_text(CONFIG.format(project=PROJECT, base=vercel.url))
    engine = Engine(load(file).setup, Level.WATCH, clock=DrivenClock())
    async with engine.session():
        yield engine


async def polled(engine: Engine) -> PanelState:
    await engine.poller.once()
    panel = engine.judge_now().panel("deploys")
    assert panel is not None
    return panel


async def test_it_is_asked_each_20s(engine: Engine) -> None:
    (job,) = engine.poller.jobs
    assert (job.target.interval, job.target.deadline) == (20, 10)


async def test_a_newest_deployment_that_failed_degrades_and_the_next_good_one_clears(engine: Engine, vercel: Vercel) -> None:
    vercel.deployments = [failed("aa00bb1", 60), deployed("5be0d17", 93_632)]
    vercel.serve("dpl_5be0d17")
    assert (await polled(engine)).status is Status.DEGRADED
    (alert,) = engine.judge_now().alerts
    assert (alert.rule, alert.severity, alert.key) == ("FailedDeployment", "P2", "deploys.newest_failed")

    vercel.deployments.insert(0, deployed("9f3c2a1", 5))
    vercel.serve("dpl_9f3c2a1")
    assert (await polled(engine)).status is Status.OK


async def test_one_that_went_live_is_a_change_for_every_chart(engine: Engine, vercel: Vercel) -> None:
    vercel.deployments = [deployed("9f3c2a1", 632)]
    vercel.serve("dpl_9f3c2a1")
    await polled(engine)
    await polled(engine)
    assert [(each.key, each.at) for each in engine.history.changes(3600, NOW)] == [("dpl_9f3c2a1", NOW - 632)]


async def test_an_api_that_limits_us_makes_deployments_unknown_and_is_left_alone(engine: Engine, vercel: Vercel) -> None:
    vercel.deployments = [deployed("9f3c2a1", 632)]
    vercel.serve("dpl_9f3c2a1")
    await polled(engine)
    vercel.instead["/v"] = limited(300)

    panel = await polled(engine)

    assert panel.status is Status.UNKNOWN
    (probe,) = panel.probes
    assert probe.interval >= 300
    assert "refuses us" in probe.slowed
    assert probe.good is not None and probe.good.rows, "the last good figures stay"


async def test_the_hint_is_offered_at_every_level(engine: Engine, vercel: Vercel) -> None:
    vercel.deployments = [deployed("9f3c2a1", 632), deployed("5be0d17", 93_632)]
    vercel.serve("dpl_9f3c2a1")
    (offer,) = (await polled(engine)).offers
    assert (offer.action, offer.key, offer.refused) == ("deploys.rollback-hint", "B", "")
    plan = await engine.gate.plan("deploys.rollback-hint", ())
    assert plan.copy == "vercel rollback shop-5be0d17-team.vercel.app"
