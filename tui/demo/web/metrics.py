"""The service's metrics page, in a registry of its own, under the names that agent-factory's document gives them.

Health and metrics requests are not counted: they are the monitor's, not the users'.
`http_errors_total` has no series until the first error, as in the original.
"""

from aiohttp import web
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 7.5, 10.0, 15.0, 30.0, 60.0)
MODELS = ("openai", "anthropic")
"""Companies whose calls are counted from the start, so that a share of none yet is not a metric that is missing."""


class Metrics:
    """Counters of one process, which start at zero with it."""

    def __init__(self) -> None:
        disable_created_metrics()
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "http_requests_total", "Requests served.", ("method", "route", "status"), registry=self.registry
        )
        self.seconds = Histogram(
            "http_request_duration_seconds",
            "Time to serve a request.",
            ("method", "route"),
            buckets=BUCKETS,
            registry=self.registry,
        )
        self.errors = Counter("http_errors_total", "Requests answered with a 5xx.", ("method", "route"), registry=self.registry)
        self.agents = Counter("agent_executions_total", "Agents run.", ("agent",), registry=self.registry)
        self.workflows = Counter("workflow_executions_total", "Workflows run.", ("workflow",), registry=self.registry)
        self.external = Counter(
            "external_api_requests_total", "Calls to other companies.", ("api", "outcome"), registry=self.registry
        )
        for api in MODELS:
            self.external.labels(api, "success")
            self.external.labels(api, "failure")
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        self.requests.labels(method, route, str(status)).inc()
        self.seconds.labels(method, route).observe(seconds)
        if status >= 500:
            self.errors.labels(method, route).inc()

    async def page(self, _: web.Request) -> web.Response:
        text = generate_latest(self.registry)
        return web.Response(body=text, headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})
