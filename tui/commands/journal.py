"""`watchfloor journal`: what was recorded, oldest first."""

from __future__ import annotations

import json
import time
from typing import Any

from tui.commands.printing import complain, say
from tui.commands.state import open_journal
from tui.config import Loaded
from tui.engine.clock import date_time
from tui.engine.journal import Entry, JournalError
from tui.engine.text import clean
from tui.engine.units import parse_duration


def print_journal(loaded: Loaded, *, as_json: bool, since: str) -> int:
    """Prints the entries since an age (`8h`); returns the exit code."""
    try:
        start = time.time() - parse_duration(since)
    except ValueError as error:
        complain(f"--since: {error}")
        return 64
    try:
        journal = open_journal(loaded.setup)
        entries = journal.entries(start)
    except JournalError as error:
        complain(str(error))
        return 5
    for entry in entries:
        say(json.dumps(_data(entry), ensure_ascii=False) if as_json else _line(entry))
    return 0


def _data(entry: Entry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "at": date_time(entry.at).replace(" ", "T"),
        "kind": entry.kind,
        "version": entry.version,
        "who": entry.who,
        "deed": entry.deed,
        "data": dict(entry.data),
    }


def _line(entry: Entry) -> str:
    """`2026-11-21 03:12:09Z  anna  intent   database.terminate  ends session 8121`."""
    data = entry.data
    match entry.kind:
        case "intent":
            says = f"{data.get('action')}  {data.get('what')}"
        case "outcome":
            says = "; ".join(f"{key}: {result}{f' ({why})' if why else ''}" for key, result, why in data.get("items", []))
        case "proof":
            words = {True: "verified", False: "not verified", None: "could not tell"}
            says = "; ".join(f"{key}: {words[verified]}" for key, verified, _ in data.get("proofs", []))
        case _:
            says = json.dumps(dict(data), ensure_ascii=False)
    return f"{date_time(entry.at)}  {entry.who}  {entry.kind:<8} {(entry.deed or '')[:8]}  {clean(says)}"
