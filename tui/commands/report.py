"""`watchfloor report`: a shift for the handover, as Markdown."""

from __future__ import annotations

import time

from tui.commands.journal import moment_of
from tui.commands.printing import complain, say
from tui.commands.state import open_journal
from tui.config import Loaded
from tui.engine.journal import JournalError
from tui.engine.report import report
from tui.engine.report_words import markdown


def print_report(loaded: Loaded, *, since: str) -> int:
    """Prints the report since an age (`8h`) or a moment; returns the exit code."""
    now = time.time()
    try:
        start = moment_of(since, now)
    except ValueError as error:
        complain(f"--since: {error}")
        return 64
    if start >= now:
        complain(f"--since: {since} is not in the past")
        return 64
    setup = loaded.setup
    try:
        entries = open_journal(setup).entries()
    except JournalError as error:
        complain(str(error))
        return 5
    say(markdown(report(entries, start, now), setup.name, setup.environment, setup.user).rstrip("\n"))
    return 0
