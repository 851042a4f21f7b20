"""The panel in the engine: what its figures make of its status, and what `config check --connect` says of its source."""

from __future__ import annotations

import pytest

from panels.metrics import CARD
from panels.metrics.check import check
from panels.metrics.config import MetricsConfig
from panels.metrics.figures import Figures, Route
from panels.metrics.probe import ask, found
from tests.clocks import START, DrivenClock
from tests.engine.test_rules import Watch
from tests.panels.metrics.conftest import values, watch
from tests.panels.metrics.story import SHOP
from tests.servers.prometheus import Service, start_prometheus
from tests.waiting import GRACE, LONG, Stopwatch, eventually
from tui.engine.connections import Tools
from tui.engine.engine import Engine
from tui.engine.feed import Level, Snapshot
from tui.engine.history import History
from tui.engine.panel import PanelConfig, Target, Threshold, load_named
from tui.engine.reading import Reading, Status, signal
from tui.engine.rules import Rule
from tui.engine.setup import PanelSetup, Setup
from tui.engine.text import clean


def dashboard(settings: PanelConfig) -> Setup:
    """This panel alone, with the rules that it brings along."""
    units = {spec.name: spec.unit for spec in CARD.signals}
    rules = tuple(Rule(each.name, "metrics", each.signal, units[each.signal], each.way, each.levels) for each in CARD.rules)
    panel = PanelSetup("metrics", "metrics", CARD, settings)
    return Setup("shop", "test", False, "abc", "anna", 2.0, LONG, (panel,), rules)


async def judged(service: Service, *, failed: int, slow: int, served: int = 1000) -> Snapshot:
    """The dashboard after so many requests, of which some failed and some were slow."""
    settings = MetricsConfig.model_validate({"kind": "metrics", "scrape": service.url})
    service.observe("/api/orders", times=1)
    async with Engine(dashboard(settings), Level.WATCH).session() as engine:
        await engine.poller.once()
        assert engine.judge_now().panels[0].status is Status.OK
        service.observe("/api/orders", times=served - failed - slow)
        service.observe("/api/orders", status="500", times=failed)
        service.observe("/api/orders", seconds=2.4, times=slow)
        await engine.poller.once()
        return engine.judge_now()


def test_a_route_that_fires_is_told_for_as_long_as_it_is_there() -> None:
    """However many that fail more often, or are slower, come before it: what falls off the list would look resolved."""
    watch = Watch(Rule("RouteErrors", "metrics", "route_error_rate", "ratio", "above", (Threshold("P1", 0.3),)))
    tools = Tools()
    tools.open_series = watch.book.open_series
    target = Target("metrics", "metrics", SHOP, None, 15.0, 5.0)

    def look(*routes: Route) -> list[str]:
        signals = found(Figures(request_rate=1.0, error_rate=0.0, routes=routes), target, tools, {}).signals
        return [state for _, state, _ in watch.after(15).sees(*signals, panel="metrics")]

    rare = Route("/rare", 0.1, 0.5)
    crowd = [Route(f"/{number}", 10.0, 0.2, 5.0) for number in range(60)]
    assert look(rare) == ["firing"]
    assert look(rare, *crowd) == ["firing"]
    assert look(Route("/rare", 0.1, 0.0), *crowd) == ["resolved"]


async def test_well_is_ok(service: Service) -> None:
    snapshot = await judged(service, failed=1, slow=10)
    assert snapshot.panels[0].status is Status.OK and not snapshot.alerts


async def test_one_error_in_a_hundred_is_p0_at_once(service: Service) -> None:
    snapshot = await judged(service, failed=20, slow=0)
    alert = snapshot.alerts[0]
    assert snapshot.panels[0].status is Status.FAILING
    assert (alert.rule, alert.severity, alert.state) == ("HighErrorRate", "P0", "firing")


async def test_one_in_a_hundred_and_fifty_is_p1_when_it_lasts(service: Service) -> None:
    alert = (await judged(service, failed=7, slow=0)).alerts[0]
    assert (alert.rule, alert.severity, alert.state) == ("HighErrorRate", "P1", "pending")


async def test_slow_is_judged_by_p95(service: Service) -> None:
    alert = (await judged(service, failed=0, slow=200)).alerts[0]
    assert (alert.rule, alert.severity, alert.key) == ("SlowResponseTime", "P0", "metrics.p95")


async def test_usual_is_the_median_of_the_last_hour_after_ten_minutes(service: Service, without_a_second_look: None) -> None:
    clock, history = DrivenClock(), History()
    tools = Tools(clock=clock, history=history)
    read = watch(tools, scrape=service.url, window="1m")
    await read.look()
    assert "baseline" not in values(await read.look())
    for second in range(0, 700, 10):
        at = START - 700 + second
        history.record(Reading("metrics", "metrics", "figures", at, 0.1, Status.OK, (signal("request_rate", 4.0, "1/s"),)))
    service.observe("/api/orders", times=200)
    clock.move(20)
    said = values(await read.look())
    assert said["baseline"] == 4 and said["surge"] == 2.5  # 200 in 20 s are 10 a second
    await tools.close()


async def test_check_says_what_was_reached_and_what_lacks(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("panels.metrics.check.DEADLINE", LONG)
    service.observe("/api/orders", times=5)
    tools = Tools()
    reached = await check(MetricsConfig.model_validate({"kind": "metrics", "scrape": service.url}), tools)
    assert [(each.reached, each.missing) for each in reached] == [(True, ())]
    assert reached[0].source == clean(f"metrics  scrape  {service.url}")
    assert "asked anonymously: 0.0 /s on 1 routes" in reached[0].says
    renamed = MetricsConfig.model_validate({"kind": "metrics", "scrape": service.url, "metrics": {"requests": "served"}})
    assert (await check(renamed, tools))[0].missing == ("no served on the page: name yours in [panel.metrics]",)
    service.status = 403
    refused = (await check(MetricsConfig.model_validate({"kind": "metrics", "scrape": service.url}), tools))[0]
    assert refused.reached and "rights: HTTP 403" in refused.says and refused.missing
    with start_prometheus(service.port) as server:
        config = MetricsConfig.model_validate({"kind": "metrics", "prometheus": server.url, "job": "shop"})
        said = (await check(config, tools))[0]
        assert said.reached and said.missing[0].startswith("no series for requests")
    await tools.close()


def test_the_card_names_what_is_there() -> None:
    assert load_named(CARD.view) and load_named(CARD.check) is check and CARD.probes[0].ask is ask


def test_a_second_prometheus_panel_shares_its_lines(service: Service) -> None:
    """Four questions at a time for one server, whatever the number of panels."""
    engine = Engine(dashboard(MetricsConfig.model_validate({"kind": "metrics", "scrape": service.url})), Level.WATCH)
    url = MetricsConfig.model_validate({"kind": "metrics", "prometheus": service.url}).prometheus
    assert url is not None and engine.tools.prometheus(url) is engine.tools.prometheus(url)


def test_the_engine_stops_while_a_prometheus_hangs(service: Service) -> None:
    with start_prometheus(service.port) as server:
        config = MetricsConfig.model_validate({"kind": "metrics", "prometheus": server.url, "deadline": "20s"})
        server.pause()
        engine = Engine(dashboard(config), Level.WATCH)
        engine.start()
        eventually(lambda: engine.poller.jobs[0].running is not None)
        watch = Stopwatch()
        engine.stop()
        assert watch.took < 2.0 + GRACE
