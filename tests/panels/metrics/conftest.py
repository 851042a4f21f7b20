"""Three services under a steady load, a Prometheus that scrapes them, and ways to look at both."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TypedDict, Unpack

import pytest
from msgspec.structs import replace

from panels.metrics.config import MetricsConfig
from panels.metrics.probe import ask
from tests.servers.prometheus import Prometheus, Service, serve_metrics, start_prometheus
from tests.servers.prometheus import service as service
from tests.waiting import LONG
from tui.engine.connections import Tools
from tui.engine.history import History
from tui.engine.panel import Memory, Target
from tui.engine.reading import Found

WINDOW = 8.0


@dataclass(frozen=True)
class Shop:
    """`busy` fails one request of ten; `calm` never had an error, so it has no error counter; nobody asks `asleep`."""

    prometheus: Prometheus
    busy: Service
    calm: Service
    asleep: Service


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    """For the tests of one file: look at it, do not stop it."""
    with ExitStack() as stack:
        busy, calm, asleep = (stack.enter_context(serve_metrics()) for _ in range(3))
        server = stack.enter_context(start_prometheus(busy.port, calm=calm.port, asleep=asleep.port))
        asleep.observe("/api/night", times=0)
        ended = threading.Event()
        users = threading.Thread(target=_drive, args=(busy, calm, ended), daemon=True)
        users.start()
        yield Shop(server, busy, calm, asleep)
        ended.set()
        users.join(5)


def _drive(busy: Service, calm: Service, ended: threading.Event) -> None:
    """Fifty requests a second at `busy`, ten at `calm`."""
    while not ended.wait(0.2):
        busy.observe("/api/orders", seconds=0.03, times=6)
        busy.observe("/api/checkout", seconds=0.2, times=3, method="POST")
        busy.observe("/api/checkout", status="502", seconds=0.7, times=1, method="POST")
        calm.observe("/api/me", seconds=0.02, times=2)


@dataclass(frozen=True)
class Watch:
    """One panel's source, looked at again and again."""

    target: Target
    tools: Tools
    memory: Memory

    def within(self, deadline: float) -> Watch:
        """The same with another deadline."""
        return dataclasses.replace(self, target=replace(self.target, deadline=deadline))

    async def look(self) -> Found:
        return await ask(self.target, self.tools, self.memory)


class Settings(TypedDict, total=False):
    """A `[[panel]]` as it is typed."""

    prometheus: str
    scrape: str
    job: str
    window: str
    queries: Mapping[str, str]
    metrics: Mapping[str, str]
    labels: Mapping[str, str]
    headers: Mapping[str, str]
    tiles: Sequence[Mapping[str, object]]


def watch(tools: Tools, deadline: float = LONG, interval: float = 1.0, **settings: Unpack[Settings]) -> Watch:
    """A panel of these settings."""
    config = MetricsConfig.model_validate({"kind": "metrics", "window": f"{WINDOW}s", **settings})
    return Watch(Target("metrics", "metrics", config, None, interval, deadline), tools, {})


@pytest.fixture
def without_a_second_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """No deadline leaves time for one."""
    monkeypatch.setattr("panels.metrics.scraped.SECOND_LOOK", LONG)


@pytest.fixture
async def tools() -> AsyncIterator[Tools]:
    found = Tools(history=History())
    yield found
    await found.close()


def values(found: Found) -> dict[str, float | None]:
    """The signals by key."""
    return {each.key: each.value for each in found.signals}
