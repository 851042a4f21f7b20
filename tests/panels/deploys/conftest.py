"""One project at a look-alike of Vercel, and ways to look at it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from panels.deploys.config import DeploysConfig
from panels.deploys.probe import ask
from tests.clocks import DrivenClock
from tests.servers.vercel import PROJECT, TOKEN, Vercel
from tests.servers.vercel import vercel as vercel
from tests.waiting import LONG
from tui.engine.connections import Tools
from tui.engine.panel import Memory, Readings, Target
from tui.engine.reading import Found, Reading
from tui.engine.text import Shown


@dataclass
class Project:
    """A panel on the look-alike."""

    server: Vercel
    tools: Tools
    clock: DrivenClock
    settings: dict[str, Any] = field(default_factory=dict)
    memory: Memory = field(default_factory=dict)
    team: str = ""
    deadline: float = LONG

    @property
    def config(self) -> DeploysConfig:
        settings = {"project": PROJECT, "token": "env:VERCEL_TEST_TOKEN", "base": self.server.url, "team": self.team}
        return DeploysConfig.model_validate({"kind": "deploys", "vercel": settings, **self.settings})

    async def look(self, config: DeploysConfig | None = None) -> Found:
        """One poll."""
        target = Target("deploys", "deploys", config or self.config, None, 20.0, self.deadline, "production")
        return await ask(target, self.tools, self.memory)

    async def readings(self, suspected: Mapping[str, str] | None = None) -> Readings:
        """One poll, as the view is given it."""
        return readings(await self.look(), self.config, self.clock.utc(), suspected or {})


def readings(found: Found, config: DeploysConfig, now: float, suspected: Mapping[str, str]) -> Readings:
    """A finding as the view is given it."""
    reading = Reading(
        "deploys",
        "deploys",
        "deployments",
        now,
        0.1,
        found.status,
        found.signals,
        found.rows,
        found.changes,
        found.error,
        found.notes,
    )
    shown = {key: Shown(says) for key, says in suspected.items()}
    return Readings("deploys", config, {"deployments": (reading,)}, suspected=shown)


@pytest.fixture
async def project(vercel: Vercel, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Project]:
    """A panel on a look-alike that knows nothing yet."""
    monkeypatch.setenv("VERCEL_TEST_TOKEN", TOKEN)
    clock = DrivenClock()
    tools = Tools("production", clock)
    yield Project(vercel, tools, clock)
    await tools.close()
