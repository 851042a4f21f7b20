"""A real Prometheus for tests, and a real service with a `/metrics` page that it scrapes.

    with serve_metrics() as service, start_prometheus(service.port) as prometheus:
        service.observe("/api/orders", status="500", seconds=0.2)

Debian's binary, loopback TCP, a temporary folder, gone with the test. The service's counters are prometheus_client's; a test
may also have it serve any bytes (`service.page`), or begin anew (`service.restart`).
"""

import ctypes
import json
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics, generate_latest

HOST = "127.0.0.1"
STARTS_WITHIN = 30.0
"""Seconds a server may take to be ready; one is usual."""
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
class Prometheus:
    """One Prometheus server: where it is, and the faults a test can put it through."""

    folder: Path
    port: int
    process: "subprocess.Popen[bytes]" = field(repr=False)

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def query(self, promql: str) -> list[dict[str, Any]]:
        """The result of an instant query, asked with nothing of ours in between."""
        asked = f"{self.url}/api/v1/query?{urllib.parse.urlencode({'query': promql})}"
        with urllib.request.urlopen(asked, timeout=10) as answer:
            result: list[dict[str, Any]] = json.load(answer)["data"]["result"]
        return result

    def value(self, promql: str) -> float | None:
        """The one number of a query; None where it has no series."""
        result = self.query(promql)
        return float(result[0]["value"][1]) if result else None

    def pause(self) -> None:
        """It still holds its port and connections, and answers nothing, until `resume`."""
        self.process.send_signal(signal.SIGSTOP)
        threads = Path(f"/proc/{self.process.pid}/task")  # each of its threads stops in its own time
        deadline = time.monotonic() + 5
        while any(_state(each) != "T" for each in threads.iterdir()):
            assert time.monotonic() < deadline, "it does not stop"
            time.sleep(0.005)

    def resume(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def ready(self) -> bool:
        with suppress(OSError), urllib.request.urlopen(f"{self.url}/-/ready", timeout=2):
            return True
        return False

    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")


@contextmanager
def serve_metrics() -> Iterator[Service]:
    """A service on a port of its own."""
    service = Service()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            service.asked.append(dict(self.headers.items()))
            body = service.body()
            self.send_response(service.status)
            self.send_header("Content-Type", service.content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with suppress(OSError):  # who asked may have seen enough
                self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None: ...  # a client that hangs up is what some tests are about

    server = Server((HOST, 0), Handler)
    service.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def start_prometheus(
    *ports: int, interval: str = "1s", rules: str = "", alertmanager: int = 0, **jobs: int
) -> Iterator[Prometheus]:
    """A server of one's own, removed afterwards. It scrapes the services on these ports as job `agent-factory`, and each that
    is given by name as a job of that name; `rules` is a file of rules that it evaluates, telling the Alertmanager on a port."""
    binary = find_prometheus()
    folder = Path(tempfile.mkdtemp(prefix="wf-prom-", dir="/tmp"))
    port = _free_port()
    watched = {"agent-factory": ports, **{name: (each,) for name, each in jobs.items()}}
    scraped = [
        f"- job_name: {name}\n  static_configs: [{{targets: {json.dumps([f'{HOST}:{each}' for each in those])}}}]"
        for name, those in watched.items()
    ]
    (folder / "prometheus.yml").write_text(
        f"global: {{scrape_interval: {interval}, scrape_timeout: {interval}, evaluation_interval: {interval}}}\n"
        + "scrape_configs:\n"
        + "\n".join(scraped)
        + ("\nrule_files: [rules.yml]\n" if rules else "\n")
        + (
            f"alerting: {{alertmanagers: [{{static_configs: [{{targets: ['{HOST}:{alertmanager}']}}]}}]}}"
            if alertmanager
            else ""
        )
    )
    if rules:
        (folder / "rules.yml").write_text(rules)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                *(binary, f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data"),
                *(f"--web.listen-address={HOST}:{port}", "--log.level=warn", "--storage.tsdb.retention.time=1h"),
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=folder,
            preexec_fn=_end_with_parent,
        )
    server = Prometheus(folder, port, process)
    try:
        deadline = time.monotonic() + STARTS_WITHIN
        while not server.ready():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"Prometheus did not start:\n{server.log()}")
            time.sleep(0.05)
        yield server
    finally:
        server.resume()
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(5)
        process.kill()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def service() -> Iterator[Service]:
    """A service with a metrics page of its own."""
    with serve_metrics() as served:
        yield served


def find_prometheus() -> str:
    """Debian's binary; without it the test is skipped, and says what to install."""
    found = shutil.which("prometheus")
    if found is None:
        pytest.skip("NO PROMETHEUS: no such program in PATH. Install it: apt-get install prometheus")
    return found


def _state(thread: Path) -> str:
    """What the kernel says of a thread: `R`, `S`, `T` where it is stopped."""
    return (thread / "stat").read_text().rpartition(")")[2].split()[0]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _end_with_parent() -> None:
    """In the new process: a test run that is killed takes its servers with it (Linux alone knows how)."""
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)
