"""Where things are kept on this machine."""

from __future__ import annotations

import re

import platformdirs

from tui.engine.journal import Journal
from tui.engine.setup import Setup


def open_journal(setup: Setup) -> Journal:
    """The environment's journal, in the user's state folder; made where there is none. Raises JournalError."""
    readable = re.sub(r"[^A-Za-z0-9]+", "-", f"{setup.name}-{setup.environment}").strip("-").lower()
    return Journal(platformdirs.user_state_path("watchfloor") / f"journal-{readable}-{setup.identity}.sqlite")
