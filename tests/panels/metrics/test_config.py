"""What the config takes, and what its mistakes are told."""

from typing import Any

import pytest
from pydantic import ValidationError

from panels.metrics import CARD
from panels.metrics.config import TILE_SIGNALS, MetricsConfig
from panels.metrics.promql import queries

PROM = {"prometheus": "http://prometheus:9090"}
PAGE = {"scrape": "https://shop.example/metrics"}


def config(**settings: Any) -> MetricsConfig:
    return MetricsConfig.model_validate({"kind": "metrics", **settings})


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({}, 'nothing to watch; write prometheus = "http://…:9090" or scrape = "https://…/metrics"'),
        ({**PROM, **PAGE}, "two sources: keep one"),
        ({"scrape": "shop.example/metrics"}, "begins with https:// or http://"),
        ({"prometheus": "http://me:secret@prometheus"}, "a password never stands in the config"),
        ({**PAGE, "job": "shop"}, "asked of a Prometheus"),
        ({**PAGE, "queries": {"p95": "x"}}, "asked of a Prometheus"),
        ({**PAGE, "window": "0.2s"}, "a second at least"),
        ({**PAGE, "window": 300}, "a duration needs a unit"),
        ({**PAGE, "metrics": {"requests": 'x{a="b"}'}}, "metrics.requests"),
        ({**PAGE, "labels": {"route": "a-b"}}, "labels.route"),
        ({**PAGE, "headers": {"Authorization": "Bearer abc"}}, "looks like a secret"),
        ({**PROM, "tiles": [{"name": "pool"}]}, "the tile pool needs a query"),
        ({**PROM, "tiles": [{"name": "pool", "metric": "x"}]}, "the tile pool needs a query"),
        ({**PAGE, "tiles": [{"name": "pool", "query": "x"}]}, "the tile pool needs a metric"),
        ({**PAGE, "tiles": [{"name": "pool", "metric": "x", "of": {"api": "a"}}]}, "the tile pool is a share"),
        ({**PROM, "tiles": [{"name": "pool", "query": "x", "of": {"api": "a"}}]}, "the tile pool needs a query"),
        ({**PAGE, "tiles": [{"name": "a", "metric": "x"}, {"name": "a", "metric": "y"}]}, "two tiles are called a"),
    ],
)
def test_mistakes_say_what_to_write(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError) as caught:
        config(**settings)
    assert says in str(caught.value)


def test_the_default_queries_fit_agent_factory() -> None:
    asked = queries(config(**PROM, job="agent-factory"))
    assert asked.requests == 'sum(rate(http_requests_total{job="agent-factory"}[300s]))'
    assert asked.p95 == (
        'histogram_quantile(0.95, sum by (le) (rate(http_request_duration_seconds_bucket{job="agent-factory"}[300s])))'
    )
    assert asked.targets == 'avg(up{job="agent-factory"})'


def test_own_names_window_and_queries_take_their_place() -> None:
    settings = config(
        **PROM,
        window="1m",
        job='a"b\\c',
        metrics={"requests": "served", "errors": "failed", "duration": ""},
        labels={"route": "path", "status": "code", "method": "verb"},
        queries={"error_rate": "my:error_rate"},
    )
    asked = queries(settings)
    assert asked.requests == 'sum(rate(served{job="a\\"b\\\\c"}[60s]))'
    assert asked.error_rate == "my:error_rate"
    assert asked.routes_rate == 'sum by (path, verb) (rate(served{job="a\\"b\\\\c"}[60s]))'
    assert 'code=~"5.."' in asked.routes_errors
    assert asked.p50 == asked.p95 == asked.p99 == asked.routes_p95 == ""


def test_every_signal_is_on_the_card_with_its_unit() -> None:
    units = {spec.name: spec.unit for spec in CARD.signals}
    assert all(units[name] == unit for unit, name in TILE_SIGNALS.items())
    assert {rule.signal for rule in CARD.rules} <= units.keys()
