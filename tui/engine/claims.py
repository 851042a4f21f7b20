"""No action runs twice on one target: who is at what, on this host by the journal, and over all hosts by the team's.

    intent in the journal (one transaction with the look at other intents) → claim in the team's → execute → outcome → released

A claim ends with the outcome, or, where its process died, by its time: as long as an item may take, and its proof.
"""

from __future__ import annotations

import json
import os
import sqlite3
import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from .journal import COLUMNS, INSERT, Entry, Journal, entry_of
from .text import Shown, clean
from .units import show_duration

LASTS = 50.0
"""Seconds that an intent which does not say so lasts: of an older version."""
OPEN = f"""
SELECT {COLUMNS}, (SELECT max(moved.at) FROM entry AS moved WHERE moved.deed = intent.deed) AS moved
FROM entry AS intent
WHERE intent.kind = 'intent' AND NOT EXISTS (
    SELECT 1 FROM entry AS later WHERE later.deed = intent.deed AND later.kind IN ('outcome', 'settled'))
ORDER BY intent.at
"""  # noqa: S608  # names alone


class Holder(Struct, frozen=True):
    """Who is at a target, on which other host (empty for this one), and since how many seconds."""

    who: Shown
    origin: Shown
    seconds: float

    @property
    def words(self) -> Shown:
        """`ben@bastion-2 is at it since 12s`."""
        where = f"@{self.origin}" if self.origin else ""
        return clean(f"{self.who}{where} is at it since {show_duration(max(0.0, self.seconds))}")


class OpenDeed(Struct, frozen=True):
    """An intent without an outcome, and when anything was last heard of its deed (UTC seconds)."""

    intent: Entry
    moved: float

    def under_way(self, now: float) -> bool:
        """Whether it may still be running: its time is not over, and its process lives, as far as can be seen from here."""
        age, lasts = now - self.moved, float(self.intent.data.get("lasts", LASTS))
        if self.intent.origin is not None:  # by that host's clock, which may be far ahead of ours
            return abs(age) < lasts
        return age < lasts and _lives(self.process)

    @property
    def process(self) -> object:
        """The process that began it, on its host."""
        return self.intent.data.get("process")

    def is_at(self, action: object, keys: frozenset[str]) -> bool:
        """Whether it does the same to one of these."""
        return self.intent.data.get("action") == action and not keys.isdisjoint(keys_of(self.intent.data))


def keys_of(data: Mapping[str, Any]) -> Iterator[str]:
    """The raw keys of what an intent's data act on."""
    return (str(item.get("key")) for item in data.get("items", []) if isinstance(item, Mapping))


def intend(journal: Journal, at: float, who: str, data: Mapping[str, Any], deed: str) -> Holder | None:
    """Writes a deed's intent; where another one is at one of its targets, on this host or as far as is known on others, returns
    who, and writes nothing. Blocks for the disk. Raises JournalError: then nothing was written."""
    keys = frozenset(keys_of(data))
    with journal.transaction() as file:
        for each in _open(file):
            if each.is_at(data.get("action"), keys) and each.under_way(at):
                return Holder(each.intent.who, clean(each.intent.origin or ""), at - each.intent.at)
        file.execute(INSERT, (at, "intent", 1, who, deed, json.dumps(data, sort_keys=True), uuid.uuid4().hex, None))
    return None


def left_open(journal: Journal, now: float) -> Sequence[Entry]:
    """Intents that have neither an outcome nor were settled by a person, and that no other process is about any more: they may
    have happened. Blocks for the disk. Raises JournalError."""
    found = map(_of, journal.query(OPEN))
    return [each.intent for each in found if _is_ours(each) or not each.under_way(now)]


def _is_ours(deed: OpenDeed) -> bool:
    """Whether this process began it: it knows itself what it is about."""
    return deed.intent.origin is None and deed.process == os.getpid()


def _open(file: sqlite3.Connection) -> Iterator[OpenDeed]:
    return map(_of, file.execute(OPEN).fetchall())


def _of(row: Sequence[Any]) -> OpenDeed:
    return OpenDeed(entry_of(row[:-1]), row[-1])


def _lives(process: object) -> bool:
    """Whether a process of this host is there; one that says nothing of itself is taken for gone."""
    if not isinstance(process, int) or process <= 0:
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True  # another user's
    return True
