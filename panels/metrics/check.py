"""Tries the source once, for `config check --connect`."""

from __future__ import annotations

from collections.abc import Sequence

from tui.engine.connections import Tools
from tui.engine.panel import Checked, Target
from tui.engine.reading import Found, ProbeError
from tui.engine.text import Shown, clean
from tui.engine.units import show_rate

from .config import MetricsConfig
from .probe import ask

DEADLINE = 5.0


async def check(config: MetricsConfig, tools: Tools) -> Sequence[Checked]:
    """Whether Prometheus or the page answers, as whom it is asked, and which figures have no data."""
    url = config.prometheus or config.scrape
    kind = "prometheus" if config.prometheus else "scrape"
    source = clean(f"{config.title}  {kind}  {url.masked if url else ''}")
    target = Target(config.title, config.title, config, None, 60.0, DEADLINE, tools.environment)
    try:
        found = await ask(target, tools, {})
    except ProbeError as error:
        failure = error.failure
        reached = failure.phase in ("status", "contract", "rights", "query", "body")
        return [Checked(source, reached, clean(f"{failure.phase}: {failure.says}"), (failure.hint,) if failure.hint else ())]
    return [Checked(source, True, _says(found, config), found.notes)]


def _says(found: Found, config: MetricsConfig) -> Shown:
    """What came, in a line."""
    values = {each.name: each.value for each in found.signals}
    whom = f"with the header {', '.join(config.headers)}" if config.headers else "anonymously"
    rate = values.get("request_rate")
    if rate is None:
        return clean(f"answers, asked {whom}; no requests counted")
    return clean(f"answers, asked {whom}: {show_rate(rate)} on {values.get('routes') or 0:.0f} routes")
