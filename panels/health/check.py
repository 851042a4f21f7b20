"""Tries each endpoint once, for `config check --connect`."""

from __future__ import annotations

from collections.abc import Sequence

from tui.engine.connections import Tools
from tui.engine.panel import Checked, Target
from tui.engine.reading import Status
from tui.engine.text import Shown, clean

from .config import Endpoint, HealthConfig
from .probe import ask

DEADLINE = 5.0


async def check(config: HealthConfig, tools: Tools) -> Sequence[Checked]:
    """A line an endpoint: whether it was reached, and what it said."""
    return [await _one(config, endpoint, tools) for endpoint in config.endpoints]


async def _one(config: HealthConfig, endpoint: Endpoint, tools: Tools) -> Checked:
    target = Target(config.title, endpoint.label(), config, endpoint, 60.0, DEADLINE, tools.environment)
    found = await ask(target, tools, {})
    source = clean(f"{config.title}  {endpoint.label()}  {endpoint.url.masked}")
    reached = bool(found.rows and found.rows[0].cells.get("http_status"))
    says = Shown(str(found.rows[0].cells["says"])) if found.rows else Shown("no answer")
    hint = (found.error.hint,) if found.error and found.error.hint and found.status is not Status.OK else ()
    return Checked(source, reached, says, hint)
