"""`watchfloor mark`: something happened that may be a cause, said by CI or from a shell; it stands on every chart."""

from __future__ import annotations

import asyncio
import time
import uuid

from tui.commands.printing import complain, say
from tui.commands.state import lease_on, open_journal
from tui.config import Loaded
from tui.engine.clock import SystemClock, clock_time
from tui.engine.entries import Marked
from tui.engine.feed import Level
from tui.engine.journal import Journal, JournalError
from tui.engine.reading import Change
from tui.engine.redact import redact
from tui.engine.setup import Setup
from tui.engine.term import RANK, LeaseError
from tui.engine.text import clean
from tui.engine.together import Together
from tui.stopping import stops_without_the_file

LONGEST = 200
ALONE = 7
"""The exit code where it is recorded on this host and nobody else can see it: done, not verified."""


def mark(loaded: Loaded, text: str) -> int:
    """Records a mark, and sends it to the team where there is one; returns the exit code: 0 done, 5 not recorded, 7 recorded
    here alone.

    Out of the team's reach it is kept on this host. Where something polls here that sends, it is as good as sent; where nothing
    does, as in a CI job's container, it may be lost with the host, so that is no success.
    """
    title = clean(redact(" ".join(text.split())), LONGEST)
    if not title:
        complain("mark: say what happened, such as  watchfloor mark 'flag new-checkout on'")
        return 64
    at = time.time()
    try:
        journal = open_journal(loaded.setup)
        with stops_without_the_file():
            journal.say(at, loaded.setup.user, Marked(Change(f"mark-{uuid.uuid4().hex}", at, "mark", title)))
    except JournalError as error:
        complain(str(error))
        return 5
    say(f"{clock_time(at)}  {loaded.setup.user}  {title}")
    if loaded.setup.journal_url is None or not (alone := asyncio.run(_sent(loaded.setup, journal))):
        return 0
    if sender := _sender(journal, loaded.setup):
        complain(f"{alone}; it is kept on this host, and {sender} sends it when the team is in reach")
        return 0
    complain(
        f"{alone}; it is kept on this host, where nothing polls: whichever watchfloor runs here next sends it,"
        " and with the host it is lost"
    )
    return ALONE


def _sender(journal: Journal, setup: Setup) -> str:
    """Who polls here by the same config, and sends what is kept; empty where nobody does. What is read-only sends nothing."""
    lease, _ = lease_on(journal, setup, "watch")
    try:
        holder = lease.living() if lease else None
    except LeaseError:
        return ""
    return f"{holder.kind} ({holder.named})" if holder and RANK[holder.kind] else ""


async def _sent(setup: Setup, journal: Journal) -> str:
    """Sends it; returns why that could not be."""
    return await Together(setup, Level.RESPOND, journal, SystemClock(), lambda: None).look()
