"""A real Prometheus for tests, and a real service with a `/metrics` page that it scrapes.

    with serve_metrics() as service, start_prometheus(service.port) as prometheus:
        service.observe("/api/orders", status="500", seconds=0.2)

Debian's binary, loopback TCP, a temporary folder, gone with the test. The service's counters are prometheus_client's; a test
may also have it serve any bytes (`service.page`), or begin anew (`service.restart`).
"""

import json
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics, generate_latest

from tests.servers.children import HOST, Child, begin, find_program, own_folder, port_of_its_own, ready
from tests.servers.listening import Handler, listening

ALERTING = "alerting: {{alertmanagers: [{{static_configs: [{{targets: ['{host}:{port}']}}]}}]}}"
BUCKETS = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class Service:
    """A process's metrics, under agent-factory's names, and the page that shows them."""

    def __init__(self) -> None:
        self.page: bytes | None = None
        """What the page is, in place of the counters."""
        self.status = 200
        self.content_type = "text/plain; version=0.0.4; charset=utf-8"
        self.asked: list[dict[str, str]] = []
        """The headers of every request so far."""
        self.port = 0
        self.restart()

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}/metrics"

    def restart(self) -> None:
        """Begins anew: every counter is gone, until something happens again."""
        disable_created_metrics()
        registry = CollectorRegistry()
        labels = ("method", "route")
        self.requests = Counter("http_requests", "Requests.", (*labels, "status"), registry=registry)
        self.errors = Counter("http_errors", "Failed requests.", labels, registry=registry)
        self.seconds = Histogram("http_request_duration_seconds", "Time.", labels, buckets=BUCKETS, registry=registry)
        self.registry = registry

    def observe(self, route: str, status: str = "200", seconds: float = 0.02, times: int = 1, method: str = "GET") -> None:
        """So many requests were served."""
        self.requests.labels(method, route, status).inc(times)
        if status.startswith("5"):
            self.errors.labels(method, route).inc(times)
        for _ in range(times):
            self.seconds.labels(method, route).observe(seconds)

    def body(self) -> bytes:
        """The page as it is now."""
        return generate_latest(self.registry) if self.page is None else self.page


@dataclass(frozen=True)
class Prometheus(Child):
    """One Prometheus server."""

    def query(self, promql: str) -> list[dict[str, Any]]:
        """The result of an instant query, asked with nothing of ours in between."""
        asked = f"{self.url}/api/v1/query?{urllib.parse.urlencode({'query': promql})}"
        with urllib.request.urlopen(asked, timeout=90) as answer:
            result: list[dict[str, Any]] = json.load(answer)["data"]["result"]
        return result

    def value(self, promql: str) -> float | None:
        """The one number of a query; None where it has no series."""
        result = self.query(promql)
        return float(result[0]["value"][1]) if result else None


@contextmanager
def serve_metrics() -> Iterator[Service]:
    """A service on a port of its own."""
    service = Service()

    class Asked(Handler):
        def do_GET(self) -> None:
            service.asked.append(dict(self.headers.items()))
            self.reply(service.status, service.body(), service.content_type)

    with listening(Asked) as service.port:
        yield service


@contextmanager
def start_prometheus(
    *ports: int, interval: str = "1s", rules: str = "", alertmanager: int = 0, **jobs: int
) -> Iterator[Prometheus]:
    """A server of one's own, removed afterwards. It scrapes the services on these ports as job `agent-factory`, and each that
    is given by name as a job of that name; `rules` is a file of rules that it evaluates, telling the Alertmanager on a port."""
    binary = find_prometheus()
    port = port_of_its_own()
    watched = {"agent-factory": ports, **{name: (each,) for name, each in jobs.items()}}
    scraped = [
        f"- job_name: {name}\n  static_configs: [{{targets: {json.dumps([f'{HOST}:{each}' for each in those])}}}]"
        for name, those in watched.items()
    ]
    with own_folder("prom") as folder:
        (folder / "prometheus.yml").write_text(
            f"global: {{scrape_interval: {interval}, scrape_timeout: {interval}, evaluation_interval: {interval}}}\n"
            + "scrape_configs:\n"
            + "\n".join(scraped)
            + ("\nrule_files: [rules.yml]\n" if rules else "\n")
            + (ALERTING.format(host=HOST, port=alertmanager) if alertmanager else "")
        )
        if rules:
            (folder / "rules.yml").write_text(rules)
        argv = [
            *(binary, f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data"),
            *(f"--web.listen-address={HOST}:{port}", "--log.level=warn", "--storage.tsdb.retention.time=1h"),
        ]
        with ready(Prometheus(folder, port, begin(argv, folder))) as server:
            yield server


@pytest.fixture
def service() -> Iterator[Service]:
    """A service with a metrics page of its own."""
    with serve_metrics() as served:
        yield served


def find_prometheus() -> str:
    """Debian's binary; without it the test is skipped, and says what to install."""
    return find_program("prometheus", package="prometheus")
