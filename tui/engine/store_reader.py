"""Reading what was recorded: a moment, the hour before it, and what marks the way there. Never writes.

A moment is the full set before it and what changed since; minutes and blocks that were decoded are kept for the next step.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

from msgspec import Struct

from . import frame, series
from .frame import Batch, Frame, Unreadable, Whole
from .past import Past, PastTrends, by_panel, unknown
from .reading import Reading
from .series import Block, Points, Values
from .store_blocks import Blocks
from .store_marks import Mark, marks
from .store_writer import MINUTE, take
from .text import clean

HOUR = 3600.0
REACH = HOUR + 300.0
"""Seconds before a moment that its sparklines may look at: an hour, and a slow probe's last reading before that."""
MINUTES_KEPT = 8
WHOLE = "SELECT id, at, step, version, data, watched FROM reading WHERE whole = 1 AND at <= ? ORDER BY at DESC, id DESC LIMIT 1"
OURS = """
SELECT id, at, step, version, data, watched FROM reading
WHERE whole = 1 AND at <= ? AND at > ? AND watched = ? ORDER BY at DESC, id DESC LIMIT 1
"""
AFTER = "SELECT id, at, whole, version, data FROM reading WHERE id > ? AND step = 0 AND watched = ? ORDER BY id"


class _Minute(Struct):
    """A full set and what changed after it until the next one, as far as it was read."""

    id: int
    at: float
    step: int
    watched: str
    whole: Whole
    batches: list[tuple[float, Batch]] = []
    last: int = 0
    closed: bool = False
    broken: str = ""


class Reader:
    """One read-only connection to the file, and what was decoded lately."""

    def __init__(self, path: Path, watched: str = "") -> None:
        self._path = path
        self._watched = watched
        self._lock = threading.Lock()
        self._opened: sqlite3.Connection | None = None
        self._minutes: OrderedDict[tuple[int, int], _Minute] = OrderedDict()
        self._blocks = Blocks()
        self._joined_before: PastTrends | None = None
        """The trends of the step before: what they have joined serves the next one as long as it stands on the same blocks."""

    @property
    def _connection(self) -> sqlite3.Connection:
        if self._opened is None:
            url = f"file:{quote(str(self._path))}?mode=ro"
            self._opened = sqlite3.connect(url, uri=True, isolation_level=None, check_same_thread=False, timeout=2.0)
        return self._opened

    def close(self) -> None:
        """Closes the file."""
        with self._lock:
            if self._opened:
                self._opened.close()

    # --- a moment -----------------------------------------------------------------------------------------------------

    def past(self, at: float) -> Past:
        """Everything as it was at `at`. Raises sqlite3.Error."""
        with self._lock, self._one_moment():
            try:
                minute = self._minute(at)
            except Unreadable as error:
                return unknown(at, clean(f"what was recorded then cannot be read: {error}"))
            if minute is None:
                return unknown(at)
            return self._past(minute, at)

    @contextlib.contextmanager
    def _one_moment(self) -> Iterator[None]:
        """The file as it is at one moment, whatever is thinned out meanwhile: a full set goes with what changed after it."""
        self._connection.execute("BEGIN")
        try:
            yield
        finally:
            with contextlib.suppress(sqlite3.Error):  # a fault of the file has ended it already
                self._connection.execute("COMMIT")

    def _past(self, minute: _Minute, at: float) -> Past:
        known, recorded, problem = _replayed(minute, at)
        if problem:
            return unknown(at, clean(f"what was recorded then cannot be read: {problem}"))
        history = PastTrends(at, self._hour(at), known.said.changes, self._joined_before)
        self._joined_before = history
        covered = minute.step and at - minute.at <= minute.step
        states = by_panel(known.states(at if covered else None))
        return Past(at, states, known.judgement(recorded), history, recorded, minute.step)

    def _minute(self, at: float) -> _Minute | None:
        """The full set before a moment with what changed after it. Raises Unreadable."""
        found = self._connection.execute(WHOLE, (at,)).fetchone()
        if found is None:
            return None
        if found[-1] != self._watched:  # another config's; ours where both were watched at once
            found = self._connection.execute(OURS, (at, found[1] - 2 * MINUTE, self._watched)).fetchone() or found
        id_, began, step, version, data, watched = found
        minute = self._minutes.get((id_, step))
        if minute is None:
            whole = frame.read(version, True, data)
            assert isinstance(whole, Whole)
            minute = self._minutes[id_, step] = _Minute(id_, began, step, watched, whole, last=id_, closed=bool(step))
            while len(self._minutes) > MINUTES_KEPT:
                self._minutes.popitem(last=False)
        self._minutes.move_to_end((id_, step))
        if not minute.closed:
            self._extend(minute)
        return minute

    def _extend(self, minute: _Minute) -> None:
        """Reads on to the next full set, or to what was written last."""
        for id_, at, whole, version, data in self._connection.execute(AFTER, (minute.last, minute.watched)):
            if whole or at // MINUTE != minute.at // MINUTE:  # each minute has a full set of its own
                minute.closed = True
                return
            if not minute.broken:
                try:
                    row = frame.read(version, False, data)
                    assert isinstance(row, Batch)
                    minute.batches.append((at, row))
                except Unreadable as error:
                    minute.broken = str(error)
                    minute.batches.append((at, BROKEN))
            minute.last = id_

    # --- signals ------------------------------------------------------------------------------------------------------

    def _hour(self, at: float) -> dict[str, list[Block]]:
        """The blocks of the hour before a moment, by panel, with the minute under way."""
        found: dict[str, list[Block]] = {}
        newest = 0
        for block, panel in self._blocks.between(self._connection, at - REACH, at):
            found.setdefault(panel, []).append(block)
            newest = max(newest, block.start if not block.step else 0)
        minute, points = self._unfinished(max(newest + MINUTE, int((at - 2 * MINUTE) // MINUTE) * MINUTE), at)
        for panel, values in points.items():
            found.setdefault(panel, []).append(series.in_memory(minute, values))
        return found

    def points(self, start: float, end: float) -> dict[str, dict[str, Values]]:
        """Every signal between two moments, by panel and key. Raises sqlite3.Error."""
        with self._lock:
            blocks = self._hour(end)
        found: dict[str, dict[str, Values]] = {}
        for panel, of in blocks.items():
            keys = dict.fromkeys(key for block in of for key in block.places)
            found[panel] = {key: series.between(series.joined(of, key), start, end) for key in keys}
        return found

    def signals(self, panel: str, keys: Sequence[str], start: float, end: float) -> dict[str, Values]:
        """Some of a panel's signals between two moments. Raises sqlite3.Error."""
        with self._lock:
            blocks = [block for block, _ in self._blocks.between(self._connection, start, end, panel)]
            self._blocks.forget()  # days of them: nobody steps through these
        are_apart = series.apart(blocks)
        return {key: series.between(series.joined(blocks, key, are_apart), start, end) for key in keys}

    def last_row(self) -> int:
        """The number of the newest row of this config; 0 where there is none. Raises sqlite3.Error."""
        with self._lock:
            sql = "SELECT id FROM reading WHERE watched = ? ORDER BY id DESC LIMIT 1"
            found = self._connection.execute(sql, (self._watched,)).fetchone()
        return int(found[0]) if found else 0

    def unfinished(self) -> tuple[int, dict[str, Points]]:
        """The newest minute, where its signals stand in no block yet, and their values by panel. Raises sqlite3.Error."""
        with self._lock:
            newest = self._connection.execute(
                "SELECT at FROM reading WHERE step = 0 AND watched = ? ORDER BY at DESC LIMIT 1", (self._watched,)
            ).fetchone()
            if newest is None:
                return 0, {}
            (newest,) = newest
            minute = int(newest // MINUTE) * MINUTE
            sql = "SELECT 1 FROM series WHERE start = ? AND step = 0 AND watched = ?"
            if self._connection.execute(sql, (minute, self._watched)).fetchone():
                return minute, {}
            return self._unfinished(minute, newest)

    def _unfinished(self, since: int, until: float) -> tuple[int, dict[str, Points]]:
        """The values of rows whose minute is not in a block yet."""
        points: dict[str, Points] = {}
        for _, _, reading in self._replay(since, until):
            take(points, reading)
        return since, points

    def _replay(self, since: float, until: float) -> Iterator[tuple[float, Frame, Reading]]:
        """The readings of the rows between two moments, in full, as far as they can be read."""
        sql = "SELECT id FROM reading WHERE at >= ? AND at <= ? AND step = 0 AND whole = 1 AND watched = ? ORDER BY at LIMIT 1"
        first = self._connection.execute(sql, (since, until, self._watched)).fetchone()
        known = Frame()
        for _, at, whole, version, data in self._connection.execute(AFTER, (first[0] - 1, self._watched)) if first else ():
            if at > until:
                return
            try:
                for reading in known.take(frame.read(version, bool(whole), data)):
                    yield at, known, reading
            except (Unreadable, LookupError, TypeError, AttributeError):
                known = Frame()

    # --- the way there --------------------------------------------------------------------------------------------------

    def moments(self, since: float, until: float, panel: str | None) -> Sequence[float]:
        """When rows were written. Raises sqlite3.Error."""
        only, values = (" AND instr(panels, ?)", (f",{panel},",)) if panel else ("", ())
        sql = f"SELECT at FROM reading WHERE at >= ? AND at <= ?{only} ORDER BY at"  # noqa: S608  # fixed words
        with self._lock:
            return [at for (at,) in self._connection.execute(sql, (since, until, *values))]

    def span(self) -> tuple[float, float] | None:
        """The first and the last row's moment. Raises sqlite3.Error."""
        with self._lock:
            oldest, newest = self._connection.execute("SELECT min(at), max(at) FROM reading").fetchone()
        return None if oldest is None else (oldest, newest)

    def marks(self, since: float, until: float) -> Sequence[Mark]:
        """What the entries say happened. Raises sqlite3.Error."""
        with self._lock:
            return marks(self._connection, since, until)


BROKEN = Batch()


def _replayed(minute: _Minute, at: float) -> tuple[Frame, float, str]:
    """The frame at a moment, when its last row was written, and why it cannot be known where it cannot."""
    known, recorded = Frame(), minute.at
    known.take(minute.whole)
    for written, row in minute.batches:
        if written > at:
            break
        if row is BROKEN:
            return known, recorded, minute.broken
        try:
            known.take(row)
        except (LookupError, TypeError, AttributeError) as error:
            return known, recorded, f"a row does not fit the one before it ({type(error).__name__})"
        recorded = written
    return known, recorded, ""
