"""Prometheus and the page itself, looked at side by side: a real server, a real service, a steady load."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.panels.metrics.conftest import Settings, Shop, Watch, values, watch
from tests.servers.prometheus import Service
from tests.waiting import Stopwatch, looked, soon
from tui.engine.connections import Tools
from tui.engine.reading import Found, ProbeError, Status


async def until(source: Watch, right: Callable[[Found], bool]) -> Found:
    """Looks each half a second until it is right."""

    async def look() -> Found | None:
        found = await source.look()
        return found if right(found) else None

    found = await looked(look, within=40.0, each=0.5)
    assert found is not None
    return found


def is_known(found: Found) -> bool:
    """Whether there was enough to tell a rate by."""
    return values(found)["request_rate"] is not None


def well(found: Found) -> bool:
    """That, and nothing wrong: a scrape that a busy machine had come late makes its target one that is not reached."""
    return is_known(found) and found.status is Status.OK


def near(one: float | None, other: float | None, tolerance: float) -> bool:
    return one is not None and other is not None and abs(one - other) <= tolerance * max(abs(one), abs(other))


async def test_both_sources_say_the_same(shop: Shop, tools: Tools) -> None:
    """Rates within a tenth (Prometheus extrapolates to its window), shares and quantiles within a hundredth."""
    asked = watch(tools, prometheus=shop.prometheus.url, job="agent-factory")
    read = watch(tools, scrape=shop.busy.url)
    exact = {"error_rate", "p50", "p95", "p99", 'route_error_rate{route="/api/checkout"}', 'route_p95{route="/api/checkout"}'}
    rates = {"request_rate", 'route_rate{route="/api/orders"}', 'route_rate{route="/api/checkout"}'}
    one, other = {}, {}

    async def agree() -> bool:
        nonlocal one, other
        one, other = values(await asked.look()), values(await read.look())
        return all(near(one.get(key), other.get(key), 0.02) for key in exact) and all(
            near(one.get(key), other.get(key), 0.1) for key in rates
        )

    await looked(agree, within=40.0, each=0.5)
    assert other["error_rate"] == pytest.approx(0.1, abs=0.01)
    assert other['route_error_rate{route="/api/checkout"}'] == pytest.approx(0.25, abs=0.02)
    assert one['route_error_rate{route="/api/orders"}'] == other['route_error_rate{route="/api/orders"}'] == 0
    assert one.keys() == other.keys()


async def test_no_error_counter_beside_requests_is_no_error(shop: Shop, tools: Tools) -> None:
    asked = watch(tools, prometheus=shop.prometheus.url, job="calm")
    found = await until(asked, well)
    assert values(found)["error_rate"] == 0
    assert shop.prometheus.value('http_errors_total{job="calm"}') is None
    read = values(await watch(tools, scrape=shop.calm.url).look())
    assert read["error_rate"] == 0


async def test_a_query_of_ones_own_without_errors_yet_says_how_it_is_counted(shop: Shop, tools: Tools) -> None:
    ratio = 'sum(rate(http_errors_total{job="calm"}[8s])) / sum(rate(http_requests_total{job="calm"}[8s]))'
    asked = watch(tools, prometheus=shop.prometheus.url, job="calm", queries={"error_rate": ratio})
    found = await until(asked, lambda each: values(each)["error_rate"] is not None)
    assert values(found)["error_rate"] == 0
    assert "counted as no errors" in " ".join(found.notes)


async def test_nothing_asked_is_no_share_and_no_quantile(shop: Shop, tools: Tools) -> None:
    """0/0 is NaN there, and *no data* here: no threshold is ever compared with it. The rate itself is known, and zero."""
    for source in (
        watch(tools, prometheus=shop.prometheus.url, job="asleep"),
        watch(tools, scrape=shop.asleep.url),
    ):
        said = values(await until(source, well))
        assert said["request_rate"] == 0
        assert said["error_rate"] is said["p95"] is said['route_p95{route="/api/night"}'] is None


async def test_a_service_that_nobody_asked_since_it_began_is_known_to_be_idle(service: Service, tools: Tools) -> None:
    """Its page declares the metrics, and has no series of them yet."""
    found = await watch(tools, scrape=service.url).look()
    assert b"http_requests_total{" not in service.body()
    assert found.status is Status.OK and values(found)["request_rate"] == 0 and not found.notes


async def test_no_such_service_is_unknown_and_says_which_names_to_mend(shop: Shop, tools: Tools) -> None:
    asked = await watch(tools, prometheus=shop.prometheus.url, metrics={"requests": "requests_served"}).look()
    assert asked.status is Status.UNKNOWN and values(asked)["request_rate"] is values(asked)["error_rate"] is None
    assert "no series for requests" in " ".join(asked.notes)
    read = await watch(tools, scrape=shop.busy.url, metrics={"requests": "requests_served"}).look()
    assert read.status is Status.UNKNOWN and values(read)["request_rate"] is values(read)["error_rate"] is None
    assert "no requests_served on the page" in " ".join(read.notes)


async def test_a_target_that_prometheus_cannot_reach_is_said(service: Service, shop: Shop, tools: Tools) -> None:
    """Its last figures live on for a window: nobody must take them for now."""
    asked = watch(tools, prometheus=shop.prometheus.url, job="nobody")
    found = await asked.look()
    assert found.status is Status.UNKNOWN
    shop.asleep.status = 500
    try:
        asked = watch(tools, prometheus=shop.prometheus.url, job="asleep")
        found = await until(asked, lambda each: any("reaches 0 %" in note for note in each.notes))
        assert found.status is Status.UNKNOWN
    finally:
        shop.asleep.status = 200


async def test_tiles_take_any_query_or_metric(shop: Shop, tools: Tools) -> None:
    asked = watch(
        tools,
        prometheus=shop.prometheus.url,
        job="agent-factory",
        tiles=[
            {"name": "up", "query": 'sum(up{job="agent-factory"})'},
            {"name": "seven", "query": "7", "unit": "s"},
            {"name": "nan", "query": "0/0"},
            {"name": "endless", "query": "1/0", "unit": "ratio"},
            {"name": "none", "query": "no_such_metric"},
        ],
    )
    said = values(await until(asked, lambda each: is_known(each) and values(each)['tile{name="up"}'] == 1))
    assert said['tile_seconds{name="seven"}'] == 7
    assert said['tile{name="nan"}'] is said['tile_ratio{name="endless"}'] is said['tile{name="none"}'] is None
    read = watch(
        tools,
        scrape=shop.busy.url,
        tiles=[
            {"name": "paid", "metric": "http_requests_total", "where": {"route": "/api/checkout"}, "unit": "1/s"},
            {"name": "all", "metric": "http_request_duration_seconds_count", "unit": "1/s"},
            {"name": "share", "metric": "http_requests_total", "where": {"route": "/api/checkout"}, "of": {}, "unit": "ratio"},
            {"name": "nothing", "metric": "http_requests_total", "of": {"route": "/none"}, "unit": "ratio"},
            {"name": "none", "metric": "no_such_metric"},
        ],
    )
    rates = {'tile_rate{name="all"}': 50, 'tile_rate{name="paid"}': 20, 'tile_ratio{name="share"}': 0.4}
    found = await until(read, lambda each: all(near(values(each)[key], rate, 0.2) for key, rate in rates.items()))
    said = values(found)
    assert said['tile_ratio{name="nothing"}'] is None and said['tile{name="none"}'] is None
    assert "no no_such_metric for none" in found.notes


async def test_a_query_with_a_mistake_is_named_with_prometheuss_own_words(shop: Shop, tools: Tools) -> None:
    """It costs its own figure; the others are there. The panel is unknown, because it was asked what it cannot tell."""
    tiles = [{"name": "typo", "query": "sum(rate(x[5m])"}]
    asked = watch(tools, prometheus=shop.prometheus.url, job="calm", tiles=tiles)
    found = await until(asked, is_known)
    assert found.status is Status.UNKNOWN and values(found)['tile{name="typo"}'] is None
    assert any(note.startswith("tile typo: ") and "unclosed left parenthesis" in note for note in found.notes), found.notes


async def test_where_requests_themselves_cannot_be_asked_there_is_no_reading(shop: Shop, tools: Tools) -> None:
    asked = watch(tools, prometheus=shop.prometheus.url, queries={"requests": "rate(http_requests_total)"})
    with pytest.raises(ProbeError, match="expected type range vector") as caught:
        await asked.look()
    assert caught.value.failure.phase == "query" and not caught.value.failure.refused


async def test_many_series_where_one_is_needed_are_no_figure(shop: Shop, tools: Tools) -> None:
    asked = watch(tools, prometheus=shop.prometheus.url, queries={"p95": "up"})
    found = await until(asked, lambda each: any("3 series where one is needed" in note for note in each.notes))
    assert values(found)["p95"] is None


async def test_the_last_hour_is_asked_once_for_the_sparklines(shop: Shop, tools: Tools) -> None:
    """In steps of 15 s: what Prometheus remembered before we looked for the first time, so it must be some steps old."""
    remembered = 'count(count_over_time(http_requests_total{job="agent-factory"}[1m]) > 20)'
    await soon(lambda: shop.prometheus.value(remembered), 40)
    asked = watch(tools, prometheus=shop.prometheus.url, job="agent-factory")
    await until(asked, is_known)
    history = tools.history
    assert history is not None
    await soon(lambda: history.points("metrics", "p99", 3600, time.time()))
    points = history.points("metrics", "request_rate", 3600, time.time())
    assert points and all(at <= time.time() + 1 for at, _ in points)


async def test_the_first_look_at_a_page_gives_figures_at_once(shop: Shop, tools: Tools) -> None:
    timed = Stopwatch()
    found = await watch(tools, scrape=shop.busy.url, interval=5.0).look()
    assert timed.took < 5.0, "before the next poll"
    assert found.status is Status.OK and (values(found)["request_rate"] or 0) > 0


async def test_without_time_for_a_second_look_rates_come_with_the_next_poll(
    shop: Shop, tools: Tools, without_a_second_look: None
) -> None:
    read = watch(tools, scrape=shop.busy.url)
    found = await read.look()
    assert found.status is Status.UNKNOWN and values(found)["request_rate"] is None
    assert found.notes == ("rates after the next poll",)
    await until(read, lambda each: each.status is Status.OK and near(values(each)["request_rate"], 50, 0.3))


async def test_a_service_that_begins_anew_is_counted_on(service: Service, tools: Tools) -> None:
    """A restart is neither a negative rate nor a spike of all that was ever counted."""
    service.observe("/api/orders", times=1000)
    read = watch(tools, scrape=service.url)
    await read.look()
    service.observe("/api/orders", times=30)
    before = values(await read.look())
    service.restart()
    service.observe("/api/orders", times=10)
    service.observe("/api/orders", times=10, status="500")
    after = values(await read.look())
    assert before["request_rate"] and after["request_rate"] and before["window"] and after["window"]
    assert before["request_rate"] * before["window"] == pytest.approx(30)
    assert after["request_rate"] * after["window"] == pytest.approx(50)
    assert after["error_rate"] == pytest.approx(10 / 50)  # the first errors ever count, too


async def test_without_an_error_counter_a_5xx_status_is_an_error(service: Service, tools: Tools) -> None:
    read = watch(tools, scrape=service.url, metrics={"errors": "no_such_counter"})
    await read.look()
    service.observe("/api/orders", times=9)
    service.observe("/api/orders", times=1, status="503")
    assert values(await read.look())["error_rate"] == pytest.approx(0.1)


async def test_errors_that_tell_no_route_make_no_route_well(service: Service, tools: Tools) -> None:
    """Known for the whole, unknown for each."""

    def page(requests: int, errors: int) -> bytes:
        return f'http_requests_total{{route="/a"}} {requests}\nhttp_errors_total {errors}\n'.encode()

    read = watch(tools, scrape=service.url, metrics={"duration": ""})
    service.page = page(100, 3)
    await read.look()
    service.page = page(110, 4)
    said = values(await read.look())
    assert said["error_rate"] == pytest.approx(0.1) and said['route_error_rate{route="/a"}'] is None
    assert "p95" not in said  # a service without a histogram says so, and then has no such figure


async def test_how_much_a_route_matters_is_a_label_of_its_signals(shop: Shop, tools: Tools) -> None:
    """Either source; the label is the config's: here the method stands in for a tenant's tier."""
    sources: tuple[Settings, ...] = (
        {"prometheus": shop.prometheus.url, "job": "agent-factory", "labels": {"tier": "method"}},
        {"scrape": shop.busy.url, "labels": {"tier": "method"}},
    )
    for source in sources:
        found = await until(
            watch(tools, **source),
            lambda each: any(signal.name == "route_rate" for signal in each.signals),
        )
        tiers = {dict(each.labels)["route"]: dict(each.labels).get("tier") for each in found.signals if "route_" in each.name}
        assert tiers["/api/checkout"] == "POST", source
