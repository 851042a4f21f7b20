"""A service's requests, errors and latencies: as a whole, by route, and any figure more.

From a Prometheus server (through prometheus-api-client), or read straight from a service's `/metrics` page, which still works
when Prometheus is the thing that is down. Both give the same figures.
"""

from __future__ import annotations

from tui.engine.layout import Column
from tui.engine.panel import Card, DefaultRule, Probe, SignalSpec, Threshold
from tui.engine.text import Shown

from .config import MetricsConfig
from .probe import ask

ROUTE = ("route", "tier")
"""The labels of a route's signals; `tier` where the config says which label it is."""

CARD = Card(
    kind="metrics",
    title="requests, errors and latencies",
    config=MetricsConfig,
    probes=(Probe("figures", ask),),
    signals=(
        SignalSpec("request_rate", "1/s", "requests a second, over the window"),
        SignalSpec("error_rate", "ratio", "failed share of requests; none where nothing was asked", "higher"),
        SignalSpec("p50", "s", "median response time", "higher"),
        SignalSpec("p95", "s", "95 of 100 requests were answered within this time", "higher"),
        SignalSpec("p99", "s", "99 of 100 requests were answered within this time", "higher"),
        SignalSpec("baseline", "1/s", "the usual request rate: the median of the last hour, after ten minutes"),
        SignalSpec("surge", "count", "how many times the usual the request rate is", "higher"),
        SignalSpec("routes", "count", "routes that are known; 50 at most are listed"),
        SignalSpec("window", "s", "over how long rates are taken: a scrape begins with what it has"),
        SignalSpec("route_rate", "1/s", "requests a second on one route", None, ROUTE),
        SignalSpec("route_error_rate", "ratio", "failed share of one route's requests", "higher", ROUTE),
        SignalSpec("route_p95", "s", "the 95th percentile of one route's response times", "higher", ROUTE),
        SignalSpec("tile", "count", "a figure of the config, a plain number", None, ("name",)),
        SignalSpec("tile_ratio", "ratio", "a figure of the config, a share", None, ("name",)),
        SignalSpec("tile_seconds", "s", "a figure of the config, a time", None, ("name",)),
        SignalSpec("tile_rate", "1/s", "a figure of the config, a rate", None, ("name",)),
        SignalSpec("tile_bytes", "bytes", "a figure of the config, a size", None, ("name",)),
    ),
    columns=(
        Column("route", Shown("route"), 18, grows=True),
        Column("rate", Shown("rate"), 9, "1/s", rank=1),
        Column("errors", Shown("errors"), 7, "ratio"),
        Column("p95", Shown("p95"), 9, "s"),
        Column("spark", Shown("errors"), 14, "spark", rank=2),
    ),
    rules=(
        DefaultRule(
            "HighErrorRate",
            "error_rate",
            "above",
            (Threshold("P1", 0.005, 300.0), Threshold("P0", 0.01)),
            "The target is under 0.1 % of requests.",
        ),
        DefaultRule(
            "SlowResponseTime",
            "p95",
            "above",
            (Threshold("P1", 1.0, 300.0), Threshold("P0", 2.0)),
            "The target is a p95 under 500 ms.",
        ),
        DefaultRule(
            "RequestSurge",
            "surge",
            "above",
            (Threshold("P2", 2.0),),
            "More than twice the usual: a campaign, a retry storm, or an attack.",
        ),
    ),
    view="panels.metrics.view:view",
    check="panels.metrics.check:check",
    example="""\
[[panel]]
kind = "metrics"
prometheus = "http://prometheus.example:9090"   # or: scrape = "https://shop.example/metrics"
# job = "shop"                    # where Prometheus knows several services
# window = "5m"

# [panel.metrics]                 # what the service calls its metrics
# requests = "http_requests_total"
# errors = "http_errors_total"
# duration = "http_request_duration_seconds"

# [[panel.tiles]]                 # any figure more
# name = "pool"
# query = "sum(db_pool_in_use) / sum(db_pool_size)"      # with scrape: metric = "db_pool_in_use"
# unit = "ratio"
""",
)
