"""`watchfloor journal`: what was recorded, oldest first, by age, kind, person and panel."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Sequence
from typing import Any

from tui.commands.printing import complain, in_json, say
from tui.commands.state import open_journal
from tui.config import Loaded
from tui.engine.clock import date_time
from tui.engine.entries import KINDS
from tui.engine.entry_words import Names, line_of
from tui.engine.journal import Entry, JournalError
from tui.engine.units import parse_duration
from tui.nearest import nearest

OF_DEEDS = ("intent", "item", "outcome", "proof", "settled")
NAMING = ("alert", "intent")
"""The kinds that say what others are about."""


def print_journal(loaded: Loaded, *, as_json: bool, since: str, kinds: Sequence[str], who: str, panel: str) -> int:
    """Prints the entries since an age (`8h`) or a moment, those that fit every filter; returns the exit code."""
    try:
        start = moment_of(since, time.time())
    except ValueError as error:
        complain(f"--since: {error}")
        return 64
    if unknown := [each for each in kinds if each not in (*KINDS, *OF_DEEDS)]:
        complain(_no_such_kind(unknown[0]))
        return 64
    try:
        journal = open_journal(loaded.setup)
        names = Names(journal.entries(kinds=NAMING))
        entries = journal.entries(start, kinds)
    except JournalError as error:
        complain(str(error))
        return 5
    fits = _fits(who, panel, names)
    any_fits = False
    for entry in filter(fits, entries):
        any_fits = True
        say(in_json(_data(entry)) if as_json else line_of(entry, names))
    if not any_fits:
        complain(f"nothing recorded since {date_time(start)} fits")
    return 0


def moment_of(text: str, now: float) -> float:
    """UTC seconds of an age (`8h`) or a moment (`2026-11-21T03:00`, UTC where no zone is said). Raises ValueError."""
    try:
        return now - parse_duration(text)
    except ValueError:
        pass
    try:
        moment = datetime.datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f'expected an age such as "8h", or a moment such as "2026-11-21T03:00", found "{text}"') from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)).timestamp()


def _fits(who: str, panel: str, names: Names) -> Callable[[Entry], bool]:
    """Whether an entry is by a person (`ben`, or `ben@host`) and about a panel."""

    def fits(entry: Entry) -> bool:
        by = who in ("", entry.who, f"{entry.who}@{entry.origin}")
        return by and (not panel or panel in names.panels(entry))

    return fits


def _no_such_kind(kind: str) -> str:
    known = sorted((*KINDS, *OF_DEEDS))
    return f"--kind: there is no kind {kind!r}{nearest(kind, known) or '; there are: ' + ', '.join(known)}"


def _data(entry: Entry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "at": date_time(entry.at).replace(" ", "T"),
        "kind": entry.kind,
        "version": entry.version,
        "who": entry.who,
        "origin": entry.origin,
        "uid": entry.uid,
        "deed": entry.deed,
        "data": dict(entry.data),
    }
