"""Asks the API once, for `config check --connect`."""

from __future__ import annotations

from collections.abc import Sequence

from tui.engine.connections import Tools
from tui.engine.panel import Checked
from tui.engine.reading import ProbeError
from tui.engine.text import clean

from .config import DeploysConfig
from .probe import look
from .vercel import Vercel

DEADLINE = 8.0


async def check(config: DeploysConfig, tools: Tools) -> Sequence[Checked]:
    """One line: whether the project is seen with this token, and what serves."""
    settings = config.vercel
    source = clean(f"{config.title}  {settings.base.masked}  {settings.project}")
    vercel = Vercel(f"{config.title}/check", config, tools, DEADLINE)
    try:
        looked = await look(vercel, tools, config.limit, config.target)
    except ProbeError as error:
        missing = (error.failure.hint,) if error.failure.hint else ()
        return [Checked(source, False, clean(f"{error.failure.phase}: {error.failure.says}"), missing)]
    if looked.failure is not None:
        return [Checked(source, True, clean(f"sees deployments, but not {looked.failure.says}"), (looked.failure.hint,))]
    project = looked.project
    assert project is not None, "without a failure there is an answer"
    team = f" of {settings.team}" if settings.team else ""
    serving = f"live is {looked.serving.title}" if looked.serving else "it does not say which deployment is live"
    return [Checked(source, True, clean(f"sees project {project.name or settings.project}{team}; {serving}"))]
