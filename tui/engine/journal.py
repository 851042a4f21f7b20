"""The record on disk: what was decided and done, append-only, synced before it happens.

One SQLite file an environment, 0600, in the user's state folder. Its table `entry` refuses UPDATE and DELETE by trigger. A deed
writes an `intent` before its first byte leaves and an `outcome` after; an intent without outcome may have happened and is shown
at the next start. Data is redacted before it comes here: no secrets, SQL with literals folded.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from . import entries
from .entries import Said
from .file_use import using_file
from .journal_schema import VERSION, in_words, make_file, migrate, prepare
from .text import Shown, clean


class JournalError(Exception):
    """Nothing was recorded; the message says why and what to do. No record, no deed."""


INSERT = "INSERT INTO entry (at, kind, version, who, deed, data, uid, origin) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
COLUMNS = "id, at, kind, version, who, deed, data, uid, origin"


class Entry(Struct, frozen=True):
    """One line of the record. `at` is UTC seconds, `who` as claimed, `deed` what ties an intent to its outcome.

    `uid` is the entry's identity over all hosts (None for those of the first version), `origin` the host it came from where
    that is another one.
    """

    id: int
    at: float
    kind: str
    version: int
    who: Shown
    deed: str | None
    data: Mapping[str, Any]
    uid: str | None = None
    origin: str | None = None

    @property
    def said(self) -> Said | None:
        """What it says, as a model; None for a deed's, whose data are plain, and for kinds this version does not know."""
        return entries.read(self.kind, self.version, self.data)


def entry_of(row: Sequence[Any]) -> Entry:
    """A row of COLUMNS."""
    id_, at, kind, version, who, deed, data, uid, origin = row
    return Entry(id_, at, kind, version, clean(who), deed, data_of(data), uid, origin)


def data_of(text: str) -> dict[str, Any]:
    """An entry's data from what stands in a database. What cannot be read is kept as it is, and says nothing: it must not hide
    what stands beside it."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    return found if isinstance(found, dict) else {"unreadable": text}


class Journal:
    """The record of one environment. Calls block for the disk: the engine makes them in a thread of their own.

    `path` ":memory:" keeps nothing (tests, `check`). `group` lets the people of the folder's group write it too.
    """

    def __init__(self, path: Path | str, *, group: bool = False) -> None:
        self.path = path
        self._lock = threading.Lock()
        try:
            with using_file():
                self._open(path, 0o660 if group else 0o600)
        except (OSError, sqlite3.Error) as error:
            raise JournalError(f"the journal {path} cannot be written: {in_words(error)}") from error

    def _open(self, path: Path | str, mode: int) -> None:
        if isinstance(path, Path):
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            make_file(path, mode)
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=2.0)
        prepare(self._connection)
        # FULL syncs the WAL at each commit: an intent is on the disk before the request leaves.
        self._connection.execute("PRAGMA synchronous=FULL")
        if migrate(self._connection) > VERSION:
            raise JournalError(f"{path} was written by a newer Watchfloor: upgrade this one, or move the file away")

    def append(self, at: float, kind: str, who: str, data: Mapping[str, Any], deed: str | None = None) -> int:
        """Adds a deed's entry and returns its id when it is on the disk. Raises JournalError: then nothing was recorded."""
        return self._insert((at, kind, 1, who, deed, json.dumps(data, sort_keys=True), uuid.uuid4().hex, None))

    def say(self, at: float, who: str, said: Said, fence: Callable[[sqlite3.Connection], None] | None = None) -> int:
        """Adds what was decided or said, and returns its id when it is on the disk. `fence` is asked in the same transaction
        whether it may still be said, and raises where not. Raises JournalError."""
        values = (at, said.kind, said.version, who, None, entries.written(said), uuid.uuid4().hex, None)
        if fence is None:
            return self._insert(values)
        with self.transaction() as connection:
            fence(connection)
            return int(connection.execute(INSERT, values).lastrowid or 0)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """The file in a transaction of its own, begun for writing: for what must be looked at and added at one moment, over all
        processes. Raises JournalError where it cannot be written; then, and where the block raises, nothing was."""
        with self._lock, using_file():
            try:
                self._connection.execute("BEGIN IMMEDIATE")
            except sqlite3.Error as error:
                raise self._refused(error) from error
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException as error:
                with contextlib.suppress(sqlite3.Error):  # a full disk has ended it already
                    self._connection.execute("ROLLBACK")
                if isinstance(error, sqlite3.Error):
                    raise self._refused(error) from error
                raise

    def _insert(self, values: tuple[object, ...]) -> int:
        with self._lock, using_file():
            try:
                cursor = self._connection.execute(INSERT, values)
            except sqlite3.Error as error:
                raise self._refused(error) from error
            return int(cursor.lastrowid or 0)

    def _refused(self, error: sqlite3.Error) -> JournalError:
        return JournalError(f"the journal {self.path} cannot be written: {in_words(error)}")

    def entries(self, since: float = 0.0, kinds: Sequence[str] = ()) -> Sequence[Entry]:
        """Entries from `since` (UTC seconds) on, oldest first, of the given kinds or all."""
        marks = ",".join("?" * len(kinds))
        only = f" AND kind IN ({marks})" if kinds else ""
        return self._read(f"SELECT {COLUMNS} FROM entry WHERE at >= ?{only} ORDER BY id", (since, *kinds))  # noqa: S608  # only marks

    def newest(self) -> int:
        """The number of the entry written last; 0 where there is none."""
        return int(self.query("SELECT coalesce(max(id), 0) FROM entry")[0][0])

    def after(self, id_: int) -> Sequence[Entry]:
        """Entries that were written after one, in the order written, by whichever process of this host."""
        return self._read(f"SELECT {COLUMNS} FROM entry WHERE id > ? ORDER BY id", (id_,))  # noqa: S608  # names alone

    def ours(self, after: int, most: int) -> Sequence[Entry]:
        """At most so many entries of this host that were written after one, in the order written: what others may not have."""
        where = "id > ? AND origin IS NULL AND uid IS NOT NULL"
        return self._read(f"SELECT {COLUMNS} FROM entry WHERE {where} ORDER BY id LIMIT ?", (after, most))  # noqa: S608  # names alone

    def query(self, sql: str, values: tuple[object, ...] = ()) -> Sequence[Sequence[Any]]:
        """What a statement of ours reads from the file. Raises JournalError."""
        with self._lock, using_file():
            try:
                return self._connection.execute(sql, values).fetchall()
            except sqlite3.Error as error:
                raise JournalError(f"the journal {self.path} cannot be read: {in_words(error)}") from error

    def _read(self, sql: str, values: tuple[object, ...]) -> Sequence[Entry]:
        return [entry_of(row) for row in self.query(sql, values)]

    def close(self) -> None:
        """Closes the file."""
        with self._lock, using_file():
            self._connection.close()
