"""What the config says of a service's requests, errors and latencies."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Literal

from pydantic import Field, model_validator

from tui.engine.http import HttpSettings
from tui.engine.panel import PanelConfig, Settings
from tui.engine.secrets import SecretUrl
from tui.engine.units import Duration, Unit

MetricName = Annotated[str, Field(pattern=r"^[a-zA-Z_:][a-zA-Z0-9_:]*$")]
LabelName = Annotated[str, Field(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$")]
TILE_SIGNALS: dict[Unit, str] = {
    "count": "tile",
    "ratio": "tile_ratio",
    "s": "tile_seconds",
    "1/s": "tile_rate",
    "bytes": "tile_bytes",
}
"""The signal that a tile feeds, by its unit: a signal has one unit, so that a rule's limit can be read in it."""


class MetricNames(Settings):
    """What the service calls its metrics; agent-factory's names where nothing is said."""

    requests: MetricName = "http_requests_total"
    """The counter of requests."""
    errors: MetricName = "http_errors_total"
    """The counter of failed requests. It may be missing: then requests with a 5xx status are counted, or none."""
    duration: MetricName | Literal[""] = "http_request_duration_seconds"
    """The histogram of response times, without `_bucket`; empty where there is none: then no percentiles are shown."""


class LabelNames(Settings):
    """What the service calls its labels."""

    route: LabelName = "route"
    """The label that tells routes apart."""
    status: LabelName = "status"
    """The label with the HTTP status."""
    method: LabelName = "method"
    """The label with the HTTP method; it stands before the route on screen."""
    tier: LabelName | Literal[""] = ""
    """A label that says how much a route (or a tenant in its place) matters: it becomes the label `tier` of its signals, so
    that a rule can be raised by it (`raise = { tier = { enterprise = "P1" } }`)."""


class Queries(Settings):
    """PromQL in place of the built-in queries, which are made from `metrics`, `labels`, `job` and `window`."""

    requests: str = ""
    """Requests a second, one series."""
    error_rate: str = ""
    """Failed share of requests, 0 to 1, one series."""
    p50: str = ""
    """The median response time in seconds, one series."""
    p95: str = ""
    """The response time in seconds that 95 of 100 stay within, one series."""
    p99: str = ""
    """The response time in seconds that 99 of 100 stay within, one series."""
    routes_rate: str = ""
    """Requests a second by route (and method)."""
    routes_errors: str = ""
    """Failed requests a second by route."""
    routes_p95: str = ""
    """The 95th percentile of response times in seconds by route."""


class Tile(Settings):
    """One figure more: any query, or a metric of the scraped page."""

    name: str = Field(pattern=r"^[A-Za-z0-9_-]+$", max_length=40)
    """What rules call it: `tile{name="…"}`, or with a unit `tile_ratio`, `tile_seconds`, `tile_rate`, `tile_bytes`."""
    title: str = Field(default="", max_length=40)
    """What it is called on screen; its name where it is not given."""
    query: str = ""
    """PromQL that gives one series (with `prometheus`)."""
    metric: MetricName | None = None
    """A metric of the page (with `scrape`): its series are added up; of a counter, the rate a second."""
    where: dict[LabelName, str] = Field(default_factory=dict)
    """Only series with these labels, such as `{ state = "idle" }` (with `scrape`)."""
    of: dict[LabelName, str] | None = None
    """As a share of the series with these labels, such as `{ api = "openai" }`; of counters, of what they grew by in the window
    (with `scrape`; the unit is `ratio`)."""
    unit: Unit = "count"
    """`count`, `ratio`, `s`, `1/s` or `bytes`."""
    worse: Literal["higher", "lower"] | None = None
    """Which way is bad; said where the figure is opened."""

    @property
    def signal(self) -> str:
        """The name of the signal that it feeds."""
        return TILE_SIGNALS[self.unit]


class MetricsConfig(PanelConfig, HttpSettings):
    """The `[[panel]]` of kind `metrics`: figures from a Prometheus server, or straight from a service's `/metrics` page."""

    kind: Literal["metrics"] = "metrics"
    prometheus: SecretUrl | None = None
    """A Prometheus server's root URL; Thanos and Mimir answer as well (with `X-Scope-OrgID` in `headers`)."""
    scrape: SecretUrl | None = None
    """A `/metrics` page, read directly: also when Prometheus is down. It must be one process, not a balancer of several."""
    window: Duration = 300.0
    """Over how long rates and percentiles are taken. A scrape begins with what it has."""
    job: str = ""
    """Prometheus's job, where the metrics are those of several services."""
    metrics: MetricNames = MetricNames()
    """What the service calls its metrics."""
    labels: LabelNames = LabelNames()
    """What the service calls its labels."""
    queries: Queries = Queries()
    """PromQL of one's own (with `prometheus`)."""
    tiles: tuple[Tile, ...] = Field(default=(), max_length=12)
    """Further figures (`[[panel.tiles]]`)."""

    __hash__ = HttpSettings.__hash__

    @model_validator(mode="after")
    def _one_source(self) -> MetricsConfig:
        if (self.prometheus is None) == (self.scrape is None):
            found = "prometheus and scrape are two sources: keep one" if self.prometheus else "nothing to watch"
            raise ValueError(f'{found}; write prometheus = "http://…:9090" or scrape = "https://…/metrics"')
        if self.window < 1:
            raise ValueError('the window must be a second at least, such as "5m"')
        if self.scrape and (self.job or self.queries != Queries()):
            raise ValueError(
                "job and queries are asked of a Prometheus; with scrape, name the page's metrics in [panel.metrics]"
            )
        return self

    @model_validator(mode="after")
    def _tiles_fit(self) -> MetricsConfig:
        twice = [name for name, count in Counter(each.name for each in self.tiles).items() if count > 1]
        if twice:
            raise ValueError(f"two tiles are called {', '.join(twice)}: give each a name of its own")
        for each in self.tiles:
            if self.prometheus and (not each.query or each.metric or each.where or each.of is not None):
                raise ValueError(f"the tile {each.name} needs a query (metric, where and of are for scrape)")
            if self.scrape and (each.metric is None or each.query):
                raise ValueError(f"the tile {each.name} needs a metric (a query is for prometheus)")
            if each.of is not None and each.unit != "ratio":
                raise ValueError(f'the tile {each.name} is a share: write unit = "ratio"')
        return self
