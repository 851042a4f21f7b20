"""Where things are kept on this machine."""

from __future__ import annotations

import os
import re
import uuid
from pathlib import Path

import platformdirs

from tui.commands.folder import network_file_system, why_not_shared
from tui.commands.status_line import name_of
from tui.config import Loaded
from tui.engine.clock import SystemClock
from tui.engine.journal import Journal, JournalError
from tui.engine.lease import Lease
from tui.engine.setup import Setup
from tui.engine.status_file import StatusPlace
from tui.engine.term import Holder, Kind
from tui.engine.text import EMPTY, Shown, clean


def open_journal(setup: Setup) -> Journal:
    """The environment's journal, in the user's state folder or the group's; made where there is none. Raises JournalError."""
    readable = re.sub(r"[^A-Za-z0-9]+", "-", f"{setup.name}-{setup.environment}").strip("-").lower()
    name = f"journal-{readable}-{setup.identity}.sqlite"
    if not setup.journal_folder:
        return Journal(platformdirs.user_state_path("watchfloor") / name)
    folder = Path(setup.journal_folder)
    if why := why_not_shared(folder):
        raise JournalError(f"[journal] folder: {why}")
    return Journal(folder / name, group=True)


def status_place(loaded: Loaded) -> StatusPlace:
    """Where the line of `watchfloor status-line` goes: a group's folder, else the user's run-time or state folder."""
    config = os.path.realpath(loaded.source.path)
    if loaded.setup.journal_folder:
        return StatusPlace(Path(loaded.setup.journal_folder) / name_of(config), config, 0o640)
    run_time = os.environ.get("XDG_RUNTIME_DIR", "")
    folder = (
        Path(run_time) / "watchfloor" if run_time and Path(run_time).is_dir() else platformdirs.user_state_path("watchfloor")
    )
    return StatusPlace(folder / name_of(config), config)


def lease_on(journal: Journal | None, setup: Setup, kind: Kind) -> tuple[Lease | None, Shown]:
    """This process's side of the lease by which those who share a journal have one poller; None where there is none to be had,
    and why."""
    if journal is None or not isinstance(journal.path, Path):
        return None, EMPTY
    if network := network_file_system(journal.path.parent):
        says = f"polling alone: {journal.path.parent} is on {network}, a network file system, where no lease holds"
        return None, clean(f"{says}; set $XDG_STATE_HOME or [journal] folder to a local directory")
    return Lease(journal.path, setup.watched, Holder(uuid.uuid4().hex, setup.user, os.getpid(), kind), SystemClock()), EMPTY
