"""Where things are kept on this machine."""

from __future__ import annotations

import os
import re
import uuid
from pathlib import Path

import platformdirs

from tui.engine.clock import SystemClock
from tui.engine.journal import Journal
from tui.engine.lease import Holder, Kind, Lease
from tui.engine.setup import Setup


def open_journal(setup: Setup) -> Journal:
    """The environment's journal, in the user's state folder; made where there is none. Raises JournalError."""
    readable = re.sub(r"[^A-Za-z0-9]+", "-", f"{setup.name}-{setup.environment}").strip("-").lower()
    return Journal(platformdirs.user_state_path("watchfloor") / f"journal-{readable}-{setup.identity}.sqlite")


def lease_on(journal: Journal | None, setup: Setup, kind: Kind) -> Lease | None:
    """This process's side of the lease by which those who share a journal have one poller; None where there is no file."""
    if journal is None or not isinstance(journal.path, Path):
        return None
    return Lease(journal.path, setup.watched, Holder(uuid.uuid4().hex, setup.user, os.getpid(), kind), SystemClock())
