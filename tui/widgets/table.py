"""A layout's rows as lines: which columns fit, how wide, and each cell in its place.

A column never moves while its layout stays: numbers are right-aligned, and a glyph stands in the gap behind them, so that
their digits stay in line. Columns of the highest rank are left out first; growing ones share the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from msgspec import Struct
from rich.cells import cell_len

from tui.engine.layout import Cell, Column, DrawnRow, Layout
from tui.engine.reading import Status
from tui.engine.text import EMPTY, Shown

from .glyphs import Glyphs
from .ink import ROLES, Line, Piece, Role, cut, fit, spaces

GAP = 2
GLYPH = 2
"""The cells of a glyph behind a number, with the blank before it."""
MOST_GROWTH = 2
"""How many times its width a column grows that has others behind it."""
MARGIN = 1
"""The cells before the first column: the cursor and the mark stand there."""


MOST_KEPT = 100
"""Rows whose lines are kept; a terminal shows fewer."""


class Fitted(Struct, frozen=True):
    """A column that is shown: its place among the layout's columns, and its cells."""

    place: int
    column: Column
    size: int


def fitting(layout: Layout, width: int) -> list[Fitted]:
    """The columns that fit into `width` cells, in the layout's order. Only titles and widths count, never what the cells hold,
    so that no figure's column moves while the layout stays."""
    columns = layout.columns
    chosen = list(range(len(columns)))
    while (spare := _spare(columns, chosen, width)) < 0:
        last = max(chosen, key=lambda each: (columns[each].rank, each))
        if columns[last].rank == 0:
            break
        chosen.remove(last)
    sizes = {each: _size(columns[each]) for each in chosen}
    _grow(columns, chosen, sizes, spare)
    return [Fitted(each, columns[each], sizes[each]) for each in chosen]


def _size(column: Column) -> int:
    return max(column.width, cell_len(column.title))


def _gap(column: Column) -> int:
    """The cells behind a column: a number's glyph stands in them."""
    return GAP + 1 if column.right else GAP


def _spare(columns: Sequence[Column], chosen: Sequence[int], width: int) -> int:
    """The cells left over, negative where some are missing."""
    gaps = sum(_gap(columns[each]) for each in chosen[:-1]) + (GLYPH if chosen and columns[chosen[-1]].right else 0)
    return width - MARGIN - gaps - sum(_size(columns[each]) for each in chosen) - 1


def _grow(columns: Sequence[Column], chosen: Sequence[int], sizes: dict[int, int], spare: int) -> None:
    """Gives growing columns what is left, or takes from the widest of them what is missing.

    The last column of a table may take everything; one with figures behind it grows to a few times its width, so that the
    eye finds the figures.
    """
    growing = [each for each in chosen if columns[each].grows]
    if not growing:
        return
    if spare < 0:
        widest = max(growing, key=lambda each: sizes[each])
        sizes[widest] = max(4, sizes[widest] + spare)
        return
    for order, each in enumerate(growing):
        share = spare // (len(growing) - order)
        more = share if each == chosen[-1] else min(share, MOST_GROWTH * sizes[each])
        sizes[each] += more
        spare -= more


def heading(shown: Sequence[Fitted], sorted_by: str | None) -> Line:
    """The columns' titles; the one that rows are sorted by is underlined by its colour."""
    pieces = [spaces(MARGIN)]
    for order, each in enumerate(shown):
        role: Role = "focus" if each.column.name == sorted_by else "dim"
        pieces.append(Piece(fit(each.column.title, each.size, each.column.right), role))
        if order < len(shown) - 1:
            pieces.append(spaces(_gap(each.column)))
    return Line(tuple(pieces))


class RowLines:
    """The lines of a panel's rows, each drawn once while neither the row nor how it is shown changes: a cursor that moves draws
    two lines and not the whole panel."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[DrawnRow, object, Line]] = {}

    def drawn(self, row: DrawnRow, how: object, draw: Callable[[], Line]) -> Line:
        """The row's line: the one that was drawn of it, shown in the same way, else a new one. `how` is all that `draw` depends
        on besides the row."""
        kept = self._kept.get(row.key)
        if kept is not None and kept[1] == how and (kept[0] is row or kept[0] == row):
            return kept[2]
        line = draw()
        self._kept[row.key] = (row, how, line)
        return line

    def keep(self, rows: Iterable[DrawnRow]) -> None:
        """Forgets the lines of all other rows."""
        if len(self._kept) > 2 * MOST_KEPT:
            keys = {row.key for row in rows}
            self._kept = {key: kept for key, kept in self._kept.items() if key in keys}


def row_line(row: DrawnRow, shown: Sequence[Fitted], tree: str, glyphs: Glyphs, sign: Piece, cursor: bool, dim: bool) -> Line:
    """One row. `sign` is the cursor or mark before it, `tree` the lines that hang it under its parent."""
    pieces = [sign]
    dim = dim or row.dim
    for order, each in enumerate(shown):
        cell = row.cells[each.place] if each.place < len(row.cells) else Cell()
        pieces.extend(_cell(cell, each, tree if order == 0 else "", glyphs, dim))
        if order < len(shown) - 1:
            pieces.append(spaces(_gap(each.column) - (GLYPH if each.column.right else 0)))
    return Line(tuple(pieces), cursor)


def _cell(cell: Cell, fitted: Fitted, tree: str, glyphs: Glyphs, dim: bool) -> list[Piece]:
    """One cell in exactly its column's size; a number with the place of its glyph behind it."""
    if cell.spark is not None:
        bars = glyphs.sparkline(cell.spark, fitted.size)
        used = sum(cell_len(bar.text) for bar in bars)
        return [*((Piece(bar.text, "dim") for bar in bars) if dim else bars), spaces(fitted.size - used)]
    role: Role = "dim" if dim or cell.dim else "text"
    if cell.status not in (None, Status.OK) and not dim:
        role = ROLES[cell.status]
    sign: Role = "faint" if cell.status is Status.OK else role
    glyph = Piece(Shown(f" {glyphs.status[cell.status]}" if cell.status is not None else ""), sign)
    if fitted.column.right:
        return [Piece(fit(cell.text, fitted.size, right=True), role), glyph, spaces(GLYPH - cell_len(glyph.text))]
    branch = Piece(Shown(tree), "faint")
    room = fitted.size - cell_len(tree) - cell_len(glyph.text)
    text = fit(cell.text, room, right=True) if cell.right else cut(cell.text, max(room, 0))
    blank = spaces(fitted.size - cell_len(tree) - cell_len(text) - cell_len(glyph.text))
    return [branch, Piece(text, role), glyph, blank]


def tree_lines(rows: Sequence[DrawnRow], glyphs: Glyphs) -> list[str]:
    """For each row, the lines that hang it under its parent: `├ ` where a sibling follows, `└ ` at the last."""
    drawn = []
    for place, row in enumerate(rows):
        if row.depth <= 0:
            drawn.append("")
            continue
        trunk = "".join(glyphs.trunk if _continues(rows, place, depth) else "  " for depth in range(1, row.depth))
        drawn.append(trunk + (glyphs.branch if _continues(rows, place, row.depth) else glyphs.last))
    return drawn


def _continues(rows: Sequence[DrawnRow], place: int, depth: int) -> bool:
    """Whether another row of this depth follows under the same parent."""
    for later in rows[place + 1 :]:
        if later.depth < depth:
            return False
        if later.depth == depth:
            return True
    return False


def matches(row: DrawnRow, words: str) -> bool:
    """Whether every word of a filter stands somewhere in the row's cells, whatever its case."""
    text = " ".join(cell.text for cell in row.cells).casefold()
    return all(word in text for word in words.casefold().split())


def sort_key(row: DrawnRow, place: int) -> tuple[int, float, str]:
    """How a row compares in one column: numbers from the largest, then texts from A; what was not measured comes last."""
    cell = row.cells[place] if place < len(row.cells) else Cell(EMPTY)
    value = cell.order if cell.order is not None else (str(cell.text) or None)
    if value is None:
        return (2, 0.0, "")
    return (0, -value, "") if isinstance(value, (int, float)) else (1, 0.0, value.casefold())
