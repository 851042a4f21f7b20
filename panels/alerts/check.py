"""Asks the source once, for `config check --connect`."""

from __future__ import annotations

from collections.abc import Sequence

from tui.engine.connections import Tools
from tui.engine.panel import Checked, Target
from tui.engine.reading import ProbeError
from tui.engine.text import clean

from .config import AlertsConfig, sources
from .probe import ask

DEADLINE = 8.0


async def check(config: AlertsConfig, tools: Tools) -> Sequence[Checked]:
    """One line: whether the source answers, and how much fires there. None where there is no source."""
    return [await _check(config, tools, each.name, each.part) for each in sources(config)]


async def _check(config: AlertsConfig, tools: Tools, name: str, part: object) -> Checked:
    source = clean(f"{config.title}  {part.masked if hasattr(part, 'masked') else name}  {name}")
    try:
        found = await ask(Target(config.title, name, config, part, DEADLINE, DEADLINE), tools, {})
    except ProbeError as error:
        missing = (error.failure.hint,) if error.failure.hint else ()
        return Checked(source, False, clean(f"{error.failure.phase}: {error.failure.says}"), missing)
    firing = sum(each.state == "firing" for each in found.alerts)
    says = (f"{firing} firing", f"{len(found.silences)} silences in force", *found.notes)
    return Checked(source, True, clean(", ".join(says)))
