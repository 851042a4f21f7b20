"""Blocks of signals from the file: those that cover a stretch of time, decoded once and kept for the next step back."""

from __future__ import annotations

import sqlite3
from collections import OrderedDict
from collections.abc import Iterator

from . import series
from .frame import Unreadable
from .series import Block
from .store_writer import MINUTE

KEPT = 40_000_000
"""Bytes of decoded blocks that are kept."""
LONGEST = 86400


class Blocks:
    """What was decoded lately, by the block's number in the file. Its owner sees to it that one thread asks at a time."""

    def __init__(self) -> None:
        self._kept: OrderedDict[int, tuple[Block, int]] = OrderedDict()
        self._bytes = 0

    def between(
        self, file: sqlite3.Connection, start: float, end: float, panel: str | None = None
    ) -> Iterator[tuple[Block, str]]:
        """The blocks that may hold values between two moments, each with its panel. Raises sqlite3.Error."""
        rows = file.execute(
            "SELECT id, start, step, panel FROM series WHERE start > ? AND start <= ? AND start + "
            "CASE step WHEN 0 THEN 60 WHEN 60 THEN 3600 ELSE 86400 END > ? ORDER BY start",
            (start - LONGEST - MINUTE, end, start),
        ).fetchall()
        for id_, begins, step, of in rows:
            if panel in (None, of):
                yield self._block(file, id_, begins, step), of

    def forget(self) -> None:
        """Lets go of what was decoded."""
        self._kept.clear()
        self._bytes = 0

    def _block(self, file: sqlite3.Connection, id_: int, start: int, step: int) -> Block:
        """One block; an empty one where it is damaged, or was thinned out just now."""
        kept = self._kept.get(id_)
        if kept:
            self._kept.move_to_end(id_)
            return kept[0]
        row = file.execute("SELECT version, data FROM series WHERE id = ?", (id_,)).fetchone()
        try:
            block = series.block(start, step, *row) if row else Block(start, step)
        except Unreadable:
            block = Block(start, step)
        size = sum(map(len, block.parts))
        self._kept[id_] = (block, size)
        self._bytes += size
        while self._bytes > KEPT and len(self._kept) > 1:
            self._bytes -= self._kept.popitem(last=False)[1][1]
        return block


def of_step(file: sqlite3.Connection, start: float, end: float, step: int) -> dict[str, list[Block]]:
    """The blocks of one step that begin within a stretch, by panel; not kept. Raises sqlite3.Error."""
    rows = file.execute(
        "SELECT start, panel, version, data FROM series WHERE start >= ? AND start < ? AND step = ? ORDER BY start",
        (start, end, step),
    ).fetchall()
    found: dict[str, list[Block]] = {}
    for begins, panel, version, data in rows:
        try:
            found.setdefault(panel, []).append(series.block(begins, step, version, data))
        except Unreadable:
            found.setdefault(panel, [])
    return found
