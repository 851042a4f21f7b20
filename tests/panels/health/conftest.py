"""Endpoints on a real server, asked as the poller asks them, on a driven clock."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from panels.health.config import HealthConfig, endpoints
from panels.health.probe import ask
from tests.clocks import DrivenClock
from tests.servers.http import Web
from tests.servers.http import authority as authority
from tests.servers.http import web as web
from tests.waiting import LONG
from tui.engine.connections import Tools
from tui.engine.history import History
from tui.engine.panel import Memory, Readings, Target
from tui.engine.reading import Found, Reading, Row


@dataclass
class Asker:
    """A health panel as configured, with what it keeps between polls."""

    web: Web
    tools: Tools
    clock: DrivenClock
    history: History
    settings: dict[str, Any] = field(default_factory=dict)
    memories: dict[str, Memory] = field(default_factory=dict)
    readings: dict[str, Reading] = field(default_factory=dict)

    @property
    def config(self) -> HealthConfig:
        settings = {"endpoints": [f"{self.web.url}/health"]} if not self.settings.keys() & {"endpoints", "endpoint"} else {}
        return HealthConfig.model_validate({"kind": "health", **settings, **self.settings})

    async def ask(self, name: str = "", deadline: float = LONG, config: HealthConfig | None = None) -> Found:
        """One poll of one endpoint, the first where no name is given."""
        config = config or self.config
        wanted = next(each for each in endpoints(config) if name in ("", each.name))
        target = Target("health", wanted.name, config, wanted.part, wanted.interval or 5.0, deadline, "production")
        found = await ask(target, self.tools, self.memories.setdefault(wanted.name, {}))
        assert found.error is None or found.error.says
        self._keep(wanted.name, found)
        return found

    async def ask_all(self) -> Readings:
        """One poll of each, as the view is given it."""
        for wanted in endpoints(self.config):
            await self.ask(wanted.name)
        names = [wanted.name for wanted in endpoints(self.config)]
        return Readings("health", self.config, {"endpoint": tuple(self.readings[name] for name in names)})

    def _keep(self, name: str, found: Found) -> None:
        now = self.clock.utc()
        self.readings[name] = Reading(
            "health",
            name,
            "endpoint",
            now,
            0.04,
            found.status,
            found.signals,
            found.rows,
            found.changes,
            found.error,
            found.notes,
        )
        self.history.record(self.readings[name])


def the_row(found: Found) -> Row:
    """The endpoint's one row."""
    (row,) = found.rows
    return row


def value(found: Found, name: str) -> float | None:
    """One signal's value."""
    return next(each.value for each in found.signals if each.name == name)


@pytest.fixture
async def health(web: Web) -> AsyncIterator[Asker]:
    """A panel with one endpoint, `health`, on a server that answers 404."""
    clock, history = DrivenClock(), History()
    tools = Tools("production", clock, history)
    yield Asker(web, tools, clock, history)
    await tools.close()
