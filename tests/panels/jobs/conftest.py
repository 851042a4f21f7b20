"""A panel of the queue in a running engine, without a screen."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from panels.jobs import CARD
from panels.jobs.config import JobsConfig
from tests.panels.jobs.queue import Queue, make_queue
from tests.servers.postgres import Server
from tests.waiting import LONG
from tui.engine.engine import Engine
from tui.engine.feed import Level, PanelState
from tui.engine.journal import Journal
from tui.engine.reading import Reading, Row
from tui.engine.rules import Rule
from tui.engine.setup import PanelSetup, Setup


@dataclass
class Watched:
    """The panel as it stands after each `poll`."""

    engine: Engine

    async def poll(self) -> PanelState:
        await self.engine.poller.once()
        return self.panel

    @property
    def panel(self) -> PanelState:
        found = self.engine.judge_now().panel("jobs")
        assert found is not None
        return found

    def reading(self, probe: str = "queue") -> Reading:
        reading = next(each.reading for each in self.panel.probes if each.probe == probe)
        assert reading is not None
        return reading

    def value(self, name: str, **labels: str) -> float | None:
        return next(
            (
                each.reading.value(name, **labels)
                for each in self.panel.probes
                if each.reading and name in {signal.name for signal in each.reading.signals}
            ),
            None,
        )

    def rows(self, group: str, probe: str = "queue") -> list[Row]:
        return [row for row in self.reading(probe).rows if row.group == group]

    def alerts(self) -> set[tuple[str, str]]:
        return {(alert.rule, alert.severity) for alert in self.engine.judge_now().alerts}


Watch = Callable[..., AbstractAsyncContextManager[Watched]]


def aged(seconds: float) -> Any:
    """Compares with an age that was this when it was put into the queue: it grows until it is read, on a busy machine by some
    seconds."""
    return pytest.approx(seconds + 10, abs=11)


def setup(dsn: str, **settings: Any) -> Setup:
    """A dashboard of this one panel, with its default rules. It has time: how late an answer may come is not tested here."""
    config = JobsConfig.model_validate({"dsn": dsn, **settings})
    units = {spec.name: spec.unit for spec in CARD.signals}
    rules = tuple(Rule(each.name, "jobs", each.signal, units[each.signal], each.way, each.levels) for each in CARD.rules)
    panel = PanelSetup("jobs", "jobs", CARD, config)
    return Setup("test", "test", False, "identity", "me", 5.0, LONG, (panel,), rules, allow=("jobs.*",))


@pytest.fixture
def watch(unhurried: None, monkeypatch: pytest.MonkeyPatch) -> Watch:
    """Opens the panel on a DSN; its config by name."""
    monkeypatch.setattr("panels.jobs.probe.BEYOND_LIMIT", LONG)

    @asynccontextmanager
    async def open_panel(dsn: str, **settings: Any) -> AsyncIterator[Watched]:
        engine = Engine(setup(dsn, **settings), Level.ARMED, journal=Journal(":memory:"))
        async with engine.session():
            yield Watched(engine)

    return open_panel


@pytest.fixture
def queue(postgres: Server, request: pytest.FixtureRequest) -> Queue:
    """An empty queue of the test's own."""
    return make_queue(postgres, f"jobs_{abs(hash(request.node.nodeid)) % 10**10}")
