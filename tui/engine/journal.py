"""The record on disk: what was decided and done, append-only, synced before it happens.

One SQLite file an environment, 0600, in the user's state folder. Its table `entry` refuses UPDATE and DELETE by trigger. A deed
writes an `intent` before its first byte leaves and an `outcome` after; an intent without outcome may have happened and is shown
at the next start. Data is redacted before it comes here: no secrets, SQL with literals folded.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from .text import Shown, clean

VERSION = 1
SCHEMA = """
CREATE TABLE IF NOT EXISTS entry (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at REAL NOT NULL,
    kind TEXT NOT NULL,
    version INTEGER NOT NULL,
    who TEXT NOT NULL,
    deed TEXT,
    data TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS entry_deed ON entry (deed) WHERE deed IS NOT NULL;
CREATE INDEX IF NOT EXISTS entry_at ON entry (at);
CREATE TRIGGER IF NOT EXISTS entry_is_new BEFORE INSERT ON entry WHEN EXISTS (SELECT 1 FROM entry WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER IF NOT EXISTS entry_stays BEFORE UPDATE ON entry BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER IF NOT EXISTS entry_remains BEFORE DELETE ON entry BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
"""
OPEN = """
SELECT intent.deed, intent.at, intent.who, intent.data FROM entry AS intent
WHERE intent.kind = 'intent' AND NOT EXISTS (
    SELECT 1 FROM entry AS later WHERE later.deed = intent.deed AND later.kind IN ('outcome', 'settled'))
ORDER BY intent.at
"""


class JournalError(Exception):
    """Nothing was recorded; the message says why and what to do. No record, no deed."""


class Entry(Struct, frozen=True):
    """One line of the record. `at` is UTC seconds, `who` as claimed, `deed` what ties an intent to its outcome."""

    id: int
    at: float
    kind: str
    version: int
    who: Shown
    deed: str | None
    data: Mapping[str, Any]


class Journal:
    """The record of one environment. Calls block for the disk: the engine makes them in a thread of their own.

    `path` ":memory:" keeps nothing (tests, `check`).
    """

    def __init__(self, path: Path | str) -> None:
        self.path = path
        self._lock = threading.Lock()
        try:
            if isinstance(path, Path):
                path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=2.0)
            # FULL syncs the WAL at each commit: an intent is on the disk before the request leaves.
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=FULL")
            found = self._connection.execute("PRAGMA user_version").fetchone()[0]
            if found > VERSION:
                raise JournalError(f"{path} was written by a newer Watchfloor: upgrade this one, or move the file away")
            self._connection.executescript(SCHEMA)
            if found != VERSION:
                self._connection.execute(f"PRAGMA user_version={VERSION}")
        except (OSError, sqlite3.Error) as error:
            raise JournalError(f"the journal {path} cannot be written: {error}") from error

    def append(self, at: float, kind: str, who: str, data: Mapping[str, Any], deed: str | None = None) -> int:
        """Adds an entry and returns its id when it is on the disk. Raises JournalError: then nothing was recorded."""
        with self._lock:
            try:
                cursor = self._connection.execute(
                    "INSERT INTO entry (at, kind, version, who, deed, data) VALUES (?, ?, ?, ?, ?, ?)",
                    (at, kind, VERSION, who, deed, json.dumps(data, sort_keys=True)),
                )
            except sqlite3.Error as error:
                raise JournalError(f"the journal {self.path} cannot be written: {error}") from error
            return int(cursor.lastrowid or 0)

    def open_intents(self) -> Sequence[Entry]:
        """Intents that have neither an outcome nor were settled by a person: they may have happened."""
        with self._lock:
            rows = self._connection.execute(OPEN).fetchall()
        return [Entry(0, at, "intent", VERSION, clean(who), deed, json.loads(data)) for deed, at, who, data in rows]

    def entries(self, since: float = 0.0, kinds: Sequence[str] = ()) -> Sequence[Entry]:
        """Entries from `since` (UTC seconds) on, oldest first, of the given kinds or all."""
        marks = ",".join("?" * len(kinds))
        only = f" AND kind IN ({marks})" if kinds else ""
        sql = f"SELECT id, at, kind, version, who, deed, data FROM entry WHERE at >= ?{only} ORDER BY id"  # noqa: S608  # only marks
        with self._lock:
            rows = self._connection.execute(sql, (since, *kinds)).fetchall()
        return [
            Entry(i, at, kind, version, clean(who), deed, json.loads(data)) for i, at, kind, version, who, deed, data in rows
        ]

    def close(self) -> None:
        """Closes the file."""
        with self._lock:
            self._connection.close()
