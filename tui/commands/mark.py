"""`watchfloor mark`: something happened that may be a cause, said by CI or from a shell; it stands on every chart."""

from __future__ import annotations

import asyncio
import time
import uuid

from tui.commands.printing import complain, say
from tui.commands.state import open_journal
from tui.config import Loaded
from tui.engine.clock import SystemClock, clock_time
from tui.engine.entries import Marked
from tui.engine.feed import Level
from tui.engine.journal import Journal, JournalError
from tui.engine.reading import Change
from tui.engine.redact import redact
from tui.engine.setup import Setup
from tui.engine.text import clean
from tui.engine.together import Together

LONGEST = 200


def mark(loaded: Loaded, text: str) -> int:
    """Records a mark, and sends it to the team where there is one; returns the exit code: 0 recorded, 5 not.

    Out of the team's reach it is kept here, and sent by the next dashboard on this host.
    """
    title = clean(redact(" ".join(text.split())), LONGEST)
    if not title:
        complain("mark: say what happened, such as  watchfloor mark 'flag new-checkout on'")
        return 64
    at = time.time()
    try:
        journal = open_journal(loaded.setup)
        journal.say(at, loaded.setup.user, Marked(Change(f"mark-{uuid.uuid4().hex}", at, "mark", title)))
    except JournalError as error:
        complain(str(error))
        return 5
    say(f"{clock_time(at)}  {loaded.setup.user}  {title}")
    if loaded.setup.journal_url is not None and (alone := asyncio.run(_sent(loaded.setup, journal))):
        complain(f"{alone}; it is kept on this host, and sent when the team is in reach")
    return 0


async def _sent(setup: Setup, journal: Journal) -> str:
    """Sends it; returns why that could not be."""
    return await Together(setup, Level.RESPOND, journal, SystemClock(), lambda: None).look()
