"""The readings on disk: what was measured and judged, so that one can go back to it, and start again with it.

Stands in the journal's file beside the entries: rows that say what changed, a full set each minute, signals in blocks, thinned
as they grow old (`store_ageing.py`). The one who polls writes; anybody reads. Calls block for the disk: each in a thread.

An entry is synced before it counts; a row of readings is not (`synchronous=NORMAL`): a power cut may cost the last seconds,
never the file.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec

from . import frame, series
from .clock import Clock
from .file_use import using_file
from .history import History
from .journal_schema import VERSION, in_words, make_file, make_shrinkable, migrate, prepare
from .judge import Judgement, States
from .past import Past
from .series import Points, Values
from .store_ageing import Ageing
from .store_marks import Mark
from .store_reader import Reader
from .store_writer import MINUTE, Differ, Next
from .text import EMPTY, Shown, clean

SIZE = 256_000_000
"""Bytes that the file may have."""
Fence = Callable[[sqlite3.Connection], None]
LASTING = ("written", "thinned")
"""What is tried again each second, so that a fault is shown until it is over."""
RESTORED = 3600.0
"""Seconds of history that a start takes back."""


class StoreError(Exception):
    """Readings cannot be recorded or read; the message says why. Monitoring goes on."""


class Store:
    """The readings of one environment, in the journal's file at `path`, which may grow to `size` bytes.

    `watched` says of which config the readings are, so that two that are watched at once are told apart. All methods may be
    called from any thread.
    """

    def __init__(
        self,
        path: Path,
        clock: Clock,
        size: int = SIZE,
        *,
        watched: str = "",
    ) -> None:
        self.path = path
        self._problems: dict[str, Shown] = {}
        self._clock = clock
        self._watched = watched
        self._lock = threading.Lock()
        self._differ = Differ()
        self._last_row = -1
        """The newest row, where it is this process's own: what changed since is told against it."""
        with self._faults("opened"):
            self._connection = _connect(path, size)
            self.reader = Reader(path, watched)
            self.ageing = Ageing(_connect(path, size), size)

    @property
    def problem(self) -> Shown:
        """Why readings are not recorded, or do not grow old, at present, in words; empty while they do."""
        return next(iter(self._problems.values()), EMPTY)

    # --- writing ------------------------------------------------------------------------------------------------------

    def write(self, states: States, judgement: Judgement, at: float, fence: Fence | None = None) -> bool:
        """Records what changed since the call before, in one transaction; says whether anything had. `at` is UTC seconds.

        `fence` is asked within the transaction, before anything is written: it raises where another process polls by now.
        Raises StoreError: then nothing of it was recorded, `problem` says why, and the next call writes a full set.
        """
        with self._lock, self._faults("written"):
            if self.reader.last_row() != self._last_row:
                self._take_up(at)
            try:
                next_ = self._differ.next(states, judgement, at)
                if next_ is None:
                    return False
                with self._transaction():
                    if fence:
                        fence(self._connection)
                    self._insert(next_, at)
            except BaseException:
                self._last_row = -1
                raise
            self._differ.wrote(next_, judgement, at)
            return True

    def _insert(self, next_: Next, at: float) -> None:
        whole = isinstance(next_.row, frame.Whole)
        panels = f",{','.join(sorted(next_.panels))},"
        data = frame.written(next_.row)
        values = (self._watched, at, int(whole), frame.VERSION, panels, data)
        cursor = self._connection.execute(
            "INSERT INTO reading (watched, at, step, whole, version, panels, data) VALUES (?, ?, 0, ?, ?, ?, ?)", values
        )
        self._last_row = int(cursor.lastrowid or 0)
        if next_.flushed:
            self._insert_blocks(*next_.flushed)

    def _insert_blocks(self, minute: int, points: dict[str, Points]) -> None:
        for panel, values in points.items():
            self._connection.execute(
                "INSERT OR REPLACE INTO series (start, step, panel, watched, version, data) VALUES (?, 0, ?, ?, ?, ?)",
                (minute, panel, self._watched, series.VERSION, series.written(values)),
            )

    def _take_up(self, at: float) -> None:
        """Goes on from what another process wrote, or from before a fault: with a full set, and with the minute that is not in
        a block yet."""
        self._differ = Differ()
        minute, points = self.reader.unfinished()
        if minute == int(at // MINUTE) * MINUTE:
            self._differ.minute, self._differ.points = minute, points
        elif points:
            with self._transaction():
                self._insert_blocks(minute, points)
        self._last_row = self.reader.last_row()

    def pin(self, since: float, until: float, why: str) -> None:
        """Keeps everything between two moments (UTC seconds) in full, whatever its age: around a P0 or P1 alert, or an
        incident. Spans that touch become one. Raises StoreError."""
        with self._lock, self._faults("written"), self._transaction():
            touching = self._connection.execute(
                "SELECT id, since, until FROM pin WHERE since <= ? AND until >= ? ORDER BY since", (until, since)
            ).fetchall()
            since, until = min((since, *(each[1] for each in touching))), max((until, *(each[2] for each in touching)))
            self._connection.executemany("DELETE FROM pin WHERE id = ?", [(each[0],) for each in touching])
            self._connection.execute("INSERT INTO pin (since, until, why) VALUES (?, ?, ?)", (since, until, why))

    def age(self) -> bool:
        """One small slice of thinning out what is old and of keeping to the size; says whether more is to do. Raises
        StoreError. To be called about each second, and again at once while there is more."""
        with self._faults("thinned"):
            return self.ageing.slice(self._clock.utc())

    # --- reading ------------------------------------------------------------------------------------------------------

    def past(self, at: float) -> Past:
        """Everything as it was at `at` (UTC seconds). What is damaged is *unknown*, and says so. Raises StoreError where the
        file cannot be read at all."""
        with self._faults("read"):
            return self.reader.past(at)

    def moments(self, since: float, until: float, panel: str | None = None) -> Sequence[float]:
        """When something was recorded (UTC seconds, ascending): of everything, or a panel's readings. Raises StoreError."""
        with self._faults("read"):
            return self.reader.moments(since, until, panel)

    def marks(self, since: float, until: float) -> Sequence[Mark]:
        """Alerts that fired or were resolved, and changes, between two moments, oldest first. Raises StoreError."""
        with self._faults("read"):
            return self.reader.marks(since, until)

    def span(self) -> tuple[float, float] | None:
        """The oldest and the newest moment recorded; None where there is none. Raises StoreError."""
        with self._faults("read"):
            return self.reader.span()

    def signals(self, panel: str, keys: Sequence[str], start: float, end: float) -> dict[str, Values]:
        """Some of a panel's signals between two moments, as fine as they are kept; the last minute may be missing. Raises
        StoreError."""
        with self._faults("read"):
            return self.reader.signals(panel, keys, start, end)

    def restore(self, history: History, now: float) -> None:
        """Gives a fresh history the last hour back, and what changed lately. Raises StoreError."""
        with self._faults("read"):
            past = self.reader.past(now)
            for panel, points in self.reader.points(now - RESTORED, now).items():
                history.take_back(panel, points, ())
            history.take_back("", {}, past.judgement.changes)

    # --- the file -----------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Closes the file; the minute under way is taken up from its rows by whoever opens it next."""
        with self._lock, using_file():
            self._connection.close()
            self.ageing.close()
            self.reader.close()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):  # a full disk has rolled it back by itself
                self._connection.execute("ROLLBACK")
            raise

    @contextlib.contextmanager
    def _faults(self, what: str) -> Iterator[None]:
        """Faults of the disk and of what was to be written, as StoreError in words; one that lasts is a `problem` meanwhile."""
        try:
            with using_file():
                yield
        except (OSError, sqlite3.Error, msgspec.MsgspecError, UnicodeError, OverflowError, TypeError) as error:
            says = f"readings cannot be {what}: {in_words(error)}"
            if what in LASTING:
                self._problems[what] = clean(says)
            raise StoreError(says) from error
        self._problems.pop(what, None)


def _connect(path: Path, size: int) -> sqlite3.Connection:
    """The file, with all it needs. Raises OSError, sqlite3.Error."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    make_file(path, 0o600)
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=2.0)
    prepare(connection)
    # What is recorded each second need not be on the disk before anything else happens.
    connection.execute("PRAGMA synchronous=NORMAL")
    pages = min(1000, size // 4096 // 16)
    connection.execute(f"PRAGMA wal_autocheckpoint={pages}")
    connection.execute(f"PRAGMA journal_size_limit={pages * 4096}")
    if migrate(connection) > VERSION:
        connection.close()
        raise OSError(f"{path} was written by a newer Watchfloor")
    with contextlib.suppress(sqlite3.Error):  # somebody else has it open: the next start tries again
        make_shrinkable(connection)
    return connection
