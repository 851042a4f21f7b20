"""`watchfloor`: the engine in its thread, the screen in this one."""

from __future__ import annotations

import asyncio

from tui.commands.printing import complain
from tui.commands.state import lease_on, open_journal
from tui.config import Loaded
from tui.engine.engine import Engine
from tui.engine.feed import Level
from tui.engine.journal import Journal, JournalError
from tui.engine.secrets import SecretError, SecretText
from tui.engine.text import EMPTY, Shown, clean


def dashboard(loaded: Loaded, *, read_only: bool, ascii_only: bool) -> int:
    """Opens the dashboard and returns its exit code when it is left."""
    from tui.app import USAGE, refusal, run

    if why := refusal():  # before anything is asked
        complain(why)
        return USAGE
    setup = loaded.setup
    journal: Journal | None = None
    problem = ""
    try:
        journal = open_journal(setup)
    except JournalError as error:
        problem = str(error)
    level = Level.WATCH if read_only else Level.ARMED if setup.allow else Level.RESPOND
    engine = Engine(setup, level, journal=journal, lease=lease_on(journal, setup, "dashboard"))
    if problem:
        engine.warn(clean(problem))
    if loaded.sentry_dsn and (unreported := _reporting(loaded.sentry_dsn, setup.environment)):
        engine.warn(unreported)
    engine.start()
    try:
        return run(engine.feed, stop=engine.stop, theme=setup.theme, ascii_only=ascii_only, keys=dict(setup.keys))
    finally:
        engine.stop()


def _reporting(dsn: SecretText, environment: str) -> Shown:
    """Has crashes reported; where that cannot be, says why: the dashboard opens all the same."""
    from tui import sentry  # late: only where a DSN is set

    try:
        asyncio.run(sentry.start(dsn, environment))
    except (SecretError, ValueError) as error:
        return clean(f"crashes are not reported: {error}")
    return EMPTY
