"""One poller a host: leadership is a row in the journal's file, which whoever polls must keep alive.

    free ──take──▶ held (epoch n) ──no heartbeat for 2 s──▶ taken over (epoch n + 1)
     ▲── given up (exit, Ctrl-Z, one that goes before it asks) ──┘

    goes before   `record`, which goes on when every screen is closed; a dashboard; one that is read-only, which tells nobody

A row is of what is watched (a digest of panels and rules), so that two configs on one journal have a poller each. Heartbeats
are boot-clock seconds, which all processes of a host share. Whoever writes as leader does so in a transaction that first looks
whether its epoch still stands (`term.py`): one that was stopped and is woken finds a newer one, writes nothing, and follows.
Calls block for the file: the engine makes them in a thread of their own, and polls alone where they fail.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from .clock import Clock
from .file_use import using_file
from .journal_schema import in_words
from .term import RANK, Deposed, Duties, Holder, Kind, Leader, LeaseError, Term, boot_id, fence

BEAT = 0.5
"""Seconds between two heartbeats."""
LOST = 2.0
"""Seconds without a heartbeat after which another takes over."""
PATIENCE = 1.0
"""Seconds that a call waits for a locked file, or for the call before it."""
KEPT = 86400.0
"""Seconds for which what was shared of another config stays in the file."""

OTHERS = "SELECT 1 FROM lease WHERE watched <> ? AND holder <> '' AND boot = ? AND beat >= ? LIMIT 1"
ROW = "SELECT epoch, holder, who, pid, kind, boot, beat, claim, number, followed FROM lease WHERE watched = ?"


class _Row(Struct, frozen=True, array_like=True):
    """The lease as it stands in the file."""

    epoch: int = 0
    holder: str = ""
    who: str = ""
    pid: int = 0
    kind: Kind = "dashboard"
    boot: str = ""
    beat: float = 0.0
    claim: float = 0.0
    number: int = 0
    followed: float = 0.0


class Lease:
    """This process's side of the lease on what it watches. `path` is the journal's file, which must be there already."""

    def __init__(self, path: Path, watched: str, holder: Holder, clock: Clock, boot: str | None = None) -> None:
        self.watched = watched
        self.holder = holder
        self._path = path
        self._clock = clock
        self._boot = boot_id() if boot is None else boot
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None

    @property
    def goes_last(self) -> bool:
        """Whether any other process leads rather than this one."""
        return not RANK[self.holder.kind]

    def of(self, watched: str) -> Lease:
        """The same process's lease on something else: another config."""
        return Lease(self._path, watched, self.holder, self._clock, self._boot)

    def seek(self) -> Term | Leader | None:
        """Takes the lease where nobody holds it; else tells who does, None where it was given up for one that goes before.

        Raises LeaseError.
        """
        with self.transaction() as connection:
            row = self._row(connection)
            now = self._clock.boottime()
            living = bool(row.holder) and row.boot == self._boot and now - row.beat <= LOST
            if row.holder == self.holder.id:
                return Term(self.watched, row.epoch, self.holder.id)
            if living:
                self._claim(connection, row, now)
                return _leader(row)
            if self._claimed(row, now) and not self._goes_before(row):
                return None
            return self._taken(connection, row, now)

    def take_over(self, lost: Leader) -> Term | None:
        """Takes the lease from a leader that has not been heard of; None where it has, or another was faster.

        Raises LeaseError.
        """
        with self.transaction() as connection:
            row = self._row(connection)
            if (row.epoch, row.beat, row.holder) != (lost.epoch, lost.beat, lost.holder.id):
                return None
            return self._taken(connection, row, self._clock.boottime())

    def look(self) -> Leader | None:
        """Who holds the lease; None where it is free, or of another boot of this machine. Raises LeaseError."""
        with self.reading() as connection:
            row = self._row(connection)
        if not row.holder or row.boot != self._boot:
            return None
        return _leader(row)

    def living(self) -> Holder | None:
        """Who polls now, by its heartbeat; None where nobody does. Raises LeaseError."""
        found = self.look()
        return found.holder if found is not None and self._clock.boottime() - found.beat <= LOST else None

    def beat(self, term: Term) -> Duties:
        """A heartbeat. Raises Deposed, LeaseError."""
        with self.transaction(term) as connection:
            now = self._clock.boottime()
            row = self._row(connection)
            others = connection.execute(OTHERS, (self.watched, self._boot, now - LOST)).fetchone() is not None
            connection.execute("UPDATE lease SET beat = ? WHERE watched = ?", (now, self.watched))
            wished = connection.execute("SELECT panel FROM wish WHERE watched = ?", (self.watched,)).fetchall()
            if wished:
                connection.execute("DELETE FROM wish WHERE watched = ?", (self.watched,))
        return Duties(
            self._claimed(row, now),
            _lately(row.followed, now),
            tuple(panel or None for (panel,) in dict.fromkeys(wished)),
            others,
        )

    def left(self) -> list[str]:
        """Other configs that nobody polls any more, of those that were polled here lately. Raises LeaseError."""
        with self.reading() as connection:
            living = "holder <> '' AND boot = ? AND beat >= ?"
            sql = f"SELECT watched FROM lease WHERE watched <> ? AND NOT ({living})"  # noqa: S608  # fixed words
            found = connection.execute(sql, (self.watched, self._boot, self._clock.boottime() - LOST)).fetchall()
        return [watched for (watched,) in found]

    def give_up(self, term: Term) -> None:
        """Frees the lease at once; where it is another's by now, nothing happens. Raises LeaseError."""
        with contextlib.suppress(Deposed), self.transaction(term) as connection:
            connection.execute("UPDATE lease SET holder = '' WHERE watched = ?", (self.watched,))

    def follows(self) -> None:
        """Tells the leader that somebody follows: it then shares at once what it finds. One that goes before it asks it to hand
        over. Raises LeaseError."""
        with self.transaction() as connection:
            now = self._clock.boottime()
            self._claim(connection, self._row(connection), now)
            connection.execute("UPDATE lease SET followed = ? WHERE watched = ?", (now, self.watched))

    def wish(self, panel: str | None) -> None:
        """Asks the leader to poll a panel at once, all where none is named. Raises LeaseError."""
        with self.transaction() as connection:
            connection.execute("INSERT INTO wish (watched, panel) VALUES (?, ?)", (self.watched, panel or ""))

    def close(self) -> None:
        """Lets go of the file; the lease stays whose it is."""
        if self._lock.acquire(timeout=PATIENCE):
            with contextlib.suppress(sqlite3.Error), using_file():
                if self._connection:
                    self._connection.close()
            self._connection = None
            self._lock.release()

    @contextlib.contextmanager
    def transaction(self, term: Term | None = None) -> Iterator[sqlite3.Connection]:
        """A write to the file, all or nothing; with a `term` only while that stands. Raises Deposed, LeaseError."""
        with self.reading() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                if term:
                    fence(connection, term)
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):  # where the disk is full SQLite has rolled back by itself
                    connection.execute("ROLLBACK")
                raise

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The connection, for this thread alone. Raises LeaseError."""
        if not self._lock.acquire(timeout=PATIENCE):
            raise LeaseError("the journal's disk does not answer")
        try:
            with using_file():
                yield self._open()
        except sqlite3.Error as error:
            raise LeaseError(in_words(error)) from error
        finally:
            self._lock.release()

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            uri = f"{self._path.absolute().as_uri()}?mode=rw"  # where the journal is not, no empty file must stand
            made = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, timeout=PATIENCE)
            # What is shared is worth nothing after a crash of the machine: it is not waited for on the disk.
            made.execute("PRAGMA synchronous=NORMAL")
            self._connection = made
        return self._connection

    def _row(self, connection: sqlite3.Connection) -> _Row:
        found = connection.execute(ROW, (self.watched,)).fetchone()
        return _Row(*found) if found else _Row()

    def _claimed(self, row: _Row, now: float) -> bool:
        """Whether one that goes before who leads, or led last, has asked for the lease just now."""
        return row.boot == self._boot and _lately(row.claim, now)

    def _goes_before(self, row: _Row) -> bool:
        """Whether this process goes before the one that leads, or led last."""
        return RANK[self.holder.kind] > RANK.get(row.kind, 1)  # another version may know more kinds

    def _claim(self, connection: sqlite3.Connection, row: _Row, now: float) -> None:
        """Asks who leads to hand over, where this process goes before it."""
        if row.holder and self._goes_before(row):
            connection.execute("UPDATE lease SET claim = ? WHERE watched = ?", (now, self.watched))

    def _taken(self, connection: sqlite3.Connection, row: _Row, now: float) -> Term:
        """The lease is ours from now on, under the next number."""
        mine = self.holder
        connection.execute(
            "INSERT INTO lease (watched, epoch, holder, who, pid, kind, boot, beat) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (watched) DO UPDATE SET epoch = excluded.epoch, holder = excluded.holder, who = excluded.who,"
            " pid = excluded.pid, kind = excluded.kind, boot = excluded.boot, beat = excluded.beat, claim = 0",
            (self.watched, row.epoch + 1, mine.id, mine.who, mine.pid, mine.kind, self._boot, now),
        )
        if row.boot != self._boot:  # another boot's monotonic clock says nothing of how old a state is
            connection.execute("DELETE FROM share WHERE watched = ?", (self.watched,))
        _forget_others(connection, self.watched, self._boot, now)
        return Term(self.watched, row.epoch + 1, mine.id)


def _lately(at: float, now: float) -> bool:
    """Whether something was said within the last moments; 0 stands for never, which a machine that has just begun is near."""
    return at > 0 and 0 <= now - at <= LOST


def _leader(row: _Row) -> Leader:
    return Leader(row.epoch, Holder(row.holder, row.who, row.pid, row.kind), row.beat, row.number)


def _forget_others(connection: sqlite3.Connection, watched: str, boot: str, now: float) -> None:
    """What was shared of configs that nobody has polled for a day goes; their numbers stay, so that none comes twice."""
    old = "SELECT watched FROM lease WHERE watched <> ? AND (boot <> ? OR beat < ?)"
    for table in ("share", "judgement", "wish"):
        connection.execute(f"DELETE FROM {table} WHERE watched IN ({old})", (watched, boot, now - KEPT))  # noqa: S608  # names alone
