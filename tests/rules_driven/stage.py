"""What the rules are driven on: the demo's whole product, a real Prometheus that scrapes it, a real Alertmanager that the
Prometheus tells, and agent-factory's and cliply's own configs pointed at them."""

from __future__ import annotations

import asyncio
import functools
import hashlib
import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from tests.demo.conftest import View
from tests.servers.alertmanager import Alertmanager, start_alertmanager
from tests.servers.prometheus import Prometheus, start_prometheus
from tests.servers.proxy import Proxy, start_proxy
from tests.test_examples import ROOT
from tests.waiting import eventually
from tui.config import load
from tui.demo import Stack, start
from tui.engine.setup import Setup

SCRAPES_EACH = "500ms"
WINDOW = "5s"
"""Over how long the metrics panel takes its rates here: nobody waits five minutes to see a fault end."""
THEIRS = """\
groups:
- name: theirs
  rules:
  - alert: HighErrorRate
    expr: sum(rate(http_errors_total{job="cliply"}[5s])) / sum(rate(http_requests_total{job="cliply"}[5s])) > 0.05
    labels: {severity: page, service: cliply}
    annotations: {summary: "more than one request in twenty fails"}
"""
"""The table's first rule once more, as the product's own Prometheus has it."""


@dataclass
class Stage:
    """Everything that runs, and where the configs stand."""

    stack: Stack
    view: View
    prometheus: Prometheus
    way: Proxy
    """Between the panels and Prometheus."""
    alertmanager: Alertmanager
    folder: Path
    leaked: list[psycopg.Connection[tuple[Any, ...]]] = field(default_factory=list)
    exports: list[asyncio.Task[None]] = field(default_factory=list)

    def setup(self, system: str) -> Setup:
        """A system's example as its people would have it, on the demo's places."""
        path = self.folder / f"{system}.toml"
        path.write_text(self._on_the_demo((ROOT / "examples" / f"{system}.toml").read_text()))
        return load(path).setup

    def _on_the_demo(self, example: str) -> str:
        places = {
            "https://api.agentfactory.io": self.view.web,
            "https://app.cliply.ai": self.view.web,
            'project = "agent-factory"': f'project = "prj_cliply", base = "{self.view.deployments}"',
            'project = "cliply"': f'project = "prj_cliply", base = "{self.view.deployments}"',
            'job = "agent-factory"\n': f'job = "agent-factory"\nwindow = "{WINDOW}"\n',
            'job = "cliply"\n': f'job = "cliply"\nwindow = "{WINDOW}"\n',
            "[5m]": f"[{WINDOW}]",
            'quota = "8 GB"': f'quota = "{self.view.panels["database"]["quota"]}"',
            "# alertmanager =": f'alertmanager = "{self.alertmanager.url}" #',
        }
        for there, here in places.items():
            example = example.replace(there, here)
        return example

    def leak(self, used: int) -> None:
        """Takes connections of the database until so many are in use; gives all of them back where it is 0."""
        sessions = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"
        while used and self.view.value(sessions) < used:
            self.leaked.append(psycopg.connect(self.view.dsn("dsn_for_actions")))
        while not used and self.leaked:
            self.leaked.pop().close()

    async def export(self, pause: float) -> None:
        """Asks for page after page, each of which takes four times the pause (seconds), until cancelled."""
        async with await psycopg.AsyncConnection.connect(self.view.dsn("dsn_for_actions"), autocommit=True) as connection:
            while True:
                await connection.execute("SELECT export_page(md5('workspace-1')::uuid, %s)", [pause])

    def ask_models(self) -> None:
        """One more user has both models suggest something."""
        clip = str(uuid.UUID(hashlib.md5(b"clip-1", usedforsecurity=False).hexdigest()))
        for what in ("titles", "captions"):
            self.view.ask(f"{self.view.web}/api/suggest/{what}", "POST", {"clip_id": clip}, Content_Type="application/json")

    def retry_failed(self) -> None:
        """Every job that failed within the hour is retried, through the admin endpoint."""
        failed = "SELECT id::text FROM jobs WHERE status = 'failed' AND finished_at > now() - interval '1 hour'"
        for (job,) in self.view.rows(failed):
            eventually(functools.partial(self._retries, job))

    def _retries(self, job: str) -> bool:
        """Whether a job is retried, or needs it no more; not where the service is too busy just now."""
        status, _ = self.view.admin(f"/api/admin/jobs/{job}/retry")
        assert status in (200, 409) or status >= 500
        return status < 500

    async def fault(self, name: str, seed: int = 0) -> None:
        """Brings a fault of the demo about."""
        await asyncio.to_thread(self.stack.fault, name, seed)

    async def heal(self, name: str) -> None:
        await asyncio.to_thread(self.stack.heal, name)


@contextmanager
def staged(folder: Path, setenv: Callable[[str, str], None]) -> Iterator[Stage]:
    """Starts it all; the secrets stand in environment variables, as in production."""
    with ExitStack() as those:
        stack = those.enter_context(start(seed=7))
        view = View(stack)
        web = urlsplit(view.web).port or 0
        manager = those.enter_context(start_alertmanager())
        server = those.enter_context(
            start_prometheus(web, interval=SCRAPES_EACH, rules=THEIRS, alertmanager=manager.port, cliply=web)
        )
        way = those.enter_context(start_proxy(server.port))
        for name in re.findall(r"env:([A-Z_]+)", "".join(each.read_text() for each in (ROOT / "examples").glob("*.toml"))):
            setenv(name, "unused")
        for name, value in {
            "PROMETHEUS_URL": f"http://127.0.0.1:{way.port}",
            "DATABASE_URL": view.dsn(),
            "DATABASE_OPS_URL": view.dsn("dsn_for_actions"),
            "CLIPLY_ADMIN_TOKEN": view.secret("admin.token"),
            "VERCEL_TOKEN": view.secret("vercel.token"),
        }.items():
            setenv(name, value)
        eventually(lambda: (server.value('sum(rate(http_requests_total{job="cliply"}[5s]))') or 0) > 5, within=120)
        yield Stage(stack, view, server, way, manager, folder)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory, state_home: Path) -> Iterator[Stage]:
    with pytest.MonkeyPatch.context() as patch, staged(tmp_path_factory.mktemp("stage"), patch.setenv) as there:
        yield there
