"""How what was recorded grows old: in full for an hour, by minute for a day, by ten minutes for a month, never beyond a size.

Of each minute (ten minutes) one set stays: of each probe the worst reading, else the last. Signals keep a mean a minute, as
soon as a whole hour has aged. What is pinned stays in full, up to a quarter of the size. Entries stay: a year at least, and
beyond it for as long as there is room.

Works in slices of some milliseconds, each its own short transaction, so that nobody waits.
"""

from __future__ import annotations

import sqlite3

from . import frame, series
from .frame import Frame, Unreadable
from .journal_schema import ENTRY_REMAINS
from .series import Block
from .store_blocks import of_step
from .store_worst import Worst

MINUTE, TEN_MINUTES, HOUR, DAY = 60, 600, 3600, 86400
IN_FULL = HOUR
MONTH = 31 * DAY
YEAR = 366 * DAY
PINNED = 4
"""Pinned rows may take one part in so many of the size."""
SLACK = 8
"""One part in so many of the size is left for the write-ahead log and for what comes before the next slice."""
AT_ONCE = 50
"""Rows that are dropped in one slice."""
PAGES = 256
"""Pages that are given back in one slice."""
UNPINNED = "NOT EXISTS (SELECT 1 FROM pin WHERE {at} + {span} > since - 60 AND {at} < until + 60)"


class Ageing:
    """Thins out one file. `connection` is its own; all calls come from one thread at a time."""

    def __init__(self, connection: sqlite3.Connection, size: int) -> None:
        self._connection = connection
        self._size = size
        self._done = {0: 0.0, MINUTE: 0.0}
        """By step: up to where everything that may be thinned has been; what is left before it is pinned."""
        self._blocks_done = {0: 0, MINUTE: 0}
        self._pinned_seen = 0.0

    def close(self) -> None:
        """Closes its connection."""
        self._connection.close()

    def slice(self, now: float) -> bool:
        """The next piece of work at `now` (UTC seconds); says whether there was any. Raises sqlite3.Error."""
        return (
            self._keep_to_size(now)
            or self._thin(now - IN_FULL, 0, MINUTE)
            or self._thin(now - DAY, MINUTE, TEN_MINUTES)
            or self._thin_blocks(now - IN_FULL, 0, HOUR, MINUTE)
            or self._thin_blocks(now - DAY, MINUTE, DAY, TEN_MINUTES)
            or self._drop_before(now - MONTH)
            or self._give_back()
        )

    # --- rows ---------------------------------------------------------------------------------------------------------

    def _thin(self, before: float, step: int, wider: int) -> bool:
        """Makes one set of the oldest stretch of `wider` seconds that has wholly aged."""
        before = before // wider * wider
        unpinned = UNPINNED.format(at="at", span=0)
        sql = f"SELECT at, watched FROM reading WHERE at >= ? AND at < ? AND step = ? AND {unpinned} ORDER BY at LIMIT 1"  # noqa: S608  # fixed words
        oldest = self._connection.execute(sql, (self._done[step], before, step)).fetchone()
        if oldest is None:
            self._done[step] = max(self._done[step], before)
            return False
        start = oldest[0] // wider * wider
        self._thin_stretch(oldest[1], start, step, wider)
        self._done[step] = start
        return True

    def _thin_stretch(self, watched: str, start: float, step: int, wider: int) -> None:
        sql = (
            "SELECT id, at, whole, version, data FROM reading WHERE at >= ? AND at < ? AND step = ? AND watched = ? ORDER BY id"
        )
        rows = self._connection.execute(sql, (start, start + wider, step, watched)).fetchall()
        worst = Worst()
        known = Frame()
        for _, at, whole, version, data in rows:
            try:
                known.take(frame.read(version, bool(whole), data))
            except (Unreadable, LookupError, TypeError, AttributeError):
                known = Frame()  # what is damaged says nothing; the next full set is good again
                continue
            worst.look(known, at, thinned=bool(step))
        with self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            first, *others = rows
            if worst.seen:
                values = (worst.last, wider, frame.VERSION, worst.panels, frame.written(worst.whole()), first[0])
                self._connection.execute(
                    "UPDATE reading SET at=?, step=?, whole=1, version=?, panels=?, data=? WHERE id=?", values
                )
            else:
                others = rows
            self._connection.executemany("DELETE FROM reading WHERE id = ?", [(each[0],) for each in others])

    # --- signals ------------------------------------------------------------------------------------------------------

    def _thin_blocks(self, before: float, step: int, span: int, wider: int) -> bool:
        """Makes one block a panel of the oldest stretch of `span` seconds that has wholly aged."""
        before = int(before // span) * span
        unpinned = UNPINNED.format(at="start", span=HOUR if step else MINUTE)
        if step:
            unpinned = "1"  # a pinned minute stands in full beside the means
        sql = f"SELECT start FROM series WHERE start >= ? AND start < ? AND step = ? AND {unpinned} ORDER BY start LIMIT 1"  # noqa: S608  # fixed words
        oldest = self._connection.execute(sql, (self._blocks_done[step], before, step)).fetchone()
        if oldest is None:
            self._blocks_done[step] = max(self._blocks_done[step], before)
            return False
        start = oldest[0] // span * span
        packed = [
            (panel, series.written(series.thinned(blocks, wider)))
            for panel, blocks in self._with_means(start, span, step, wider).items()
        ]
        with self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany(
                "INSERT OR REPLACE INTO series (start, step, panel, watched, version, data) VALUES (?, ?, ?, '', ?, ?)",
                [(start, wider, panel, series.VERSION, data) for panel, data in packed],
            )
            self._connection.execute(
                f"DELETE FROM series WHERE start >= ? AND start < ? AND step = ? AND {unpinned}",  # noqa: S608  # fixed words
                (start, start + span, step),
            )
        self._blocks_done[step] = start
        return True

    def _with_means(self, start: int, span: int, step: int, wider: int) -> dict[str, list[Block]]:
        """The blocks of a stretch, with what was thinned of it before where some of it was pinned then."""
        found = of_step(self._connection, start, start + span, step)
        for panel, blocks in of_step(self._connection, start, start + 1, wider).items():
            found.setdefault(panel, []).extend(blocks)
        return found

    # --- bounds -------------------------------------------------------------------------------------------------------

    def _drop_before(self, before: float) -> bool:
        """Drops readings that are older than a month and not pinned."""
        return self._drop("reading", "at", 0, before) or self._drop("series", "start", DAY, before)

    def _drop(self, table: str, at: str, span: int, before: float) -> bool:
        """Drops some of the oldest rows of a table that end before a moment; says whether there were any."""
        unpinned = UNPINNED.format(at=at, span=span)
        sql = (
            f"DELETE FROM {table} WHERE id IN "  # noqa: S608  # fixed words
            f"(SELECT id FROM {table} WHERE {at} < ? AND {unpinned} ORDER BY {at} LIMIT {AT_ONCE})"
        )
        with self._connection:
            return self._connection.execute(sql, (before - span,)).rowcount > 0

    def _keep_to_size(self, now: float) -> bool:
        """Drops the oldest while there is too much: readings that are not pinned, what is pinned, entries beyond a year."""
        if now - self._pinned_seen >= MINUTE or now < self._pinned_seen:
            if self._pinned(now - IN_FULL) > self._size // PINNED and self._release():
                return True
            self._pinned_seen = now
        used, there = self._bytes()
        bound = self._size - self._size // SLACK
        if used > bound:
            return self._drop_oldest() or self._release() or self._drop_entries(now - YEAR) or self._vacuum()
        return there > bound and self._vacuum()

    def _drop_oldest(self) -> bool:
        """Drops the oldest minute of rows that are not pinned, or the oldest blocks. A minute's rows go together: what changed
        says nothing without the full set before it."""
        oldest = {}
        for table, at in (("reading", "at"), ("series", "start")):
            unpinned = UNPINNED.format(at=at, span=0)
            sql = f"SELECT {at} FROM {table} WHERE {unpinned} ORDER BY {at} LIMIT 1"  # noqa: S608  # fixed words
            if row := self._connection.execute(sql).fetchone():
                oldest[row[0]] = table, at
        if not oldest:
            return False
        table, at = oldest[min(oldest)]
        minute = min(oldest) // MINUTE * MINUTE
        sql = f"DELETE FROM {table} WHERE {at} >= ? AND {at} < ?"  # noqa: S608  # fixed words
        with self._connection:
            return self._connection.execute(sql, (minute, minute + MINUTE)).rowcount > 0

    def _pinned(self, before: float) -> int:
        """Bytes of pinned rows that would have been thinned: all before a moment."""
        total = 0
        for table, at in (("reading", "at"), ("series", "start")):
            sql = (
                f"SELECT coalesce(sum(length(data)), 0) FROM pin JOIN {table} "  # noqa: S608  # fixed words
                f"ON {at} > since - 60 AND {at} < min(until + 60, ?) WHERE step = 0"
            )
            total += int(self._connection.execute(sql, (before,)).fetchone()[0])
        return total

    def _release(self) -> bool:
        """Gives up ten minutes of what has been pinned the longest: they are thinned as the rest was."""
        oldest = self._connection.execute("SELECT id, since, until FROM pin ORDER BY since LIMIT 1").fetchone()
        if oldest is None:
            return False
        id_, since, until = oldest
        with self._connection:
            if since + TEN_MINUTES < until:
                self._connection.execute("UPDATE pin SET since = since + ? WHERE id = ?", (TEN_MINUTES, id_))
            else:
                self._connection.execute("DELETE FROM pin WHERE id = ?", (id_,))
        self._done = {step: min(done, since - TEN_MINUTES) for step, done in self._done.items()}
        self._blocks_done = {step: min(done, int(since - DAY)) for step, done in self._blocks_done.items()}
        return True

    def _drop_entries(self, before: float) -> bool:
        """Drops some of the oldest entries that are over a year old: the one place where an entry ever goes."""
        old = self._connection.execute("SELECT id FROM entry WHERE at < ? ORDER BY at LIMIT ?", (before, AT_ONCE)).fetchall()
        if not old:
            return False
        with self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.execute("DROP TRIGGER entry_remains")
            self._connection.executemany("DELETE FROM entry WHERE id = ?", old)
            self._connection.execute(ENTRY_REMAINS)
        return True

    def _bytes(self) -> tuple[int, int]:
        """Bytes of the file that hold something, and all of its bytes."""
        pages, free, size = (
            self._connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
        )
        return (pages - free) * size, pages * size

    def _give_back(self) -> bool:
        """Has the file shrink where much of it is free."""
        used, there = self._bytes()
        return there - used > max(PAGES * 1024, there // SLACK) and self._vacuum()

    def _vacuum(self) -> bool:
        """Gives some free pages back to the disk; says whether there were any."""
        free = self._connection.execute("PRAGMA freelist_count").fetchone()[0]
        self._connection.execute(f"PRAGMA incremental_vacuum({PAGES})").fetchall()
        return bool(free) and self._connection.execute("PRAGMA freelist_count").fetchone()[0] < free
