"""What marks the way through what was recorded: alerts that fired or were resolved, and changes, from the journal's entries."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Literal

from msgspec import Struct

from . import entries
from .entries import AlertMoved, ChangeSeen, Marked
from .journal import data_of
from .text import Shown, clean


class Mark(Struct, frozen=True):
    """Something that rewind jumps to: an alert that fired or was resolved, or a change. `at` is UTC seconds."""

    at: float
    kind: Literal["fired", "resolved", "change"]
    title: Shown
    panel: str = ""
    severity: str = ""


def marks(file: sqlite3.Connection, since: float, until: float) -> Sequence[Mark]:
    """Those between two moments (UTC seconds), oldest first. Raises sqlite3.Error."""
    sql = (
        "SELECT at, kind, version, data FROM entry WHERE at >= ? AND at <= ? "
        "AND kind IN ('alert', 'marked', 'change') ORDER BY at, id"
    )
    rows = file.execute(sql, (since, until)).fetchall()
    found = (_mark(at, entries.read(kind, version, data_of(data))) for at, kind, version, data in rows)
    return sorted((each for each in found if each), key=lambda each: each.at)


def _mark(at: float, said: entries.Said | None) -> Mark | None:
    """What an entry marks on the way, if anything."""
    match said:
        case AlertMoved(alert, was):
            if alert.state == "firing" and was != "firing":
                return Mark(at, "fired", alert_title(alert.rule, alert.labels), alert.panel, alert.severity)
            if alert.state == "resolved":
                return Mark(at, "resolved", alert_title(alert.rule, alert.labels), alert.panel, alert.severity)
            return None
        case Marked(change):
            return Mark(change.at, "change", change.title)
        case ChangeSeen(panel, change):
            return Mark(change.at, "change", change.title, panel)
    return None


def alert_title(rule: str, labels: Iterable[tuple[str, str]]) -> Shown:
    """A rule's name with the labels that tell one of its alerts from another."""
    which = " ".join(value for _, value in labels)
    return clean(f"{rule} {which}".strip())
