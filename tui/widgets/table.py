"""A layout's rows as lines: which columns fit, how wide, and each cell in its place.

A column never moves while its layout stays: numbers are right-aligned and keep two cells behind them for a glyph where one
of them has one, so that their digits stay in line. Columns of the highest rank are left out first; growing ones share the
rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len

from tui.engine.panel import Cell, Column, DrawnRow, Layout
from tui.engine.reading import Status
from tui.engine.text import EMPTY, Shown

from .glyphs import Glyphs
from .ink import ROLES, Line, Piece, Role, cut, fit, spaces

GAP = 2
MARGIN = 1
"""The cells before the first column: the cursor and the mark stand there."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """A column that is shown: its place among the layout's columns, its cells, whether glyphs stand behind its texts."""

    place: int
    column: Column
    size: int
    glyphs: bool


def fitting(layout: Layout, width: int) -> list[Fitted]:
    """The columns that fit into `width` cells, in the layout's order."""
    needs = [_needs(layout, place) for place in range(len(layout.columns))]
    chosen = list(range(len(layout.columns)))
    while (spare := _spare(chosen, needs, width)) < 0:
        last = max(chosen, key=lambda each: (layout.columns[each].rank, each))
        if layout.columns[last].rank == 0:
            break
        chosen.remove(last)
    _grow(layout, chosen, needs, spare)
    return [Fitted(each, layout.columns[each], needs[each], _has_glyphs(layout, each)) for each in chosen]


def _spare(chosen: Sequence[int], needs: Sequence[int], width: int) -> int:
    return width - MARGIN - sum(needs[each] for each in chosen) - GAP * max(0, len(chosen) - 1) - 1


def _grow(layout: Layout, chosen: Sequence[int], needs: list[int], spare: int) -> None:
    """Gives growing columns what is left, or, where nothing more can be left out, takes what is missing from them."""
    growing = [each for each in chosen if layout.columns[each].grows]
    if not growing:
        return
    if spare > 0:
        # The last growing column is the one with sentences in it; the others need no more than their longest text.
        *others, last = growing
        for each in others:
            longest = max((cell_len(row.cells[each].text) + 2 * row.depth + 2 for row in layout.rows), default=0)
            more = min(max(0, longest - needs[each]), spare // len(growing))
            needs[each] += more
            spare -= more
        needs[last] += spare
    else:
        widest = max(growing, key=lambda each: needs[each])
        needs[widest] = max(4, needs[widest] + spare)


def _has_glyphs(layout: Layout, place: int) -> bool:
    return any(row.cells[place].status is not None for row in layout.rows if place < len(row.cells))


def _needs(layout: Layout, place: int) -> int:
    column = layout.columns[place]
    return max(column.width, cell_len(column.title)) + (2 if column.right and _has_glyphs(layout, place) else 0)


def heading(shown: Sequence[Fitted], sorted_by: str | None) -> Line:
    """The columns' titles; the one that rows are sorted by is underlined by its colour."""
    pieces = [spaces(MARGIN)]
    for order, each in enumerate(shown):
        if order:
            pieces.append(spaces(GAP))
        size = each.size - 2 if each.column.right and each.glyphs else each.size
        role: Role = "focus" if each.column.name == sorted_by else "dim"
        pieces.append(Piece(fit(each.column.title, size, each.column.right), role))
        pieces.append(spaces(each.size - size))
    return Line(tuple(pieces))


def row_line(row: DrawnRow, shown: Sequence[Fitted], tree: str, glyphs: Glyphs, sign: Piece, cursor: bool, dim: bool) -> Line:
    """One row. `sign` is the cursor or mark before it, `tree` the lines that hang it under its parent."""
    pieces = [sign]
    dim = dim or row.dim
    for order, each in enumerate(shown):
        if order:
            pieces.append(spaces(GAP))
        cell = row.cells[each.place] if each.place < len(row.cells) else Cell()
        pieces.extend(_cell(cell, each, tree if order == 0 else "", glyphs, dim))
    return Line(tuple(pieces), cursor)


def _cell(cell: Cell, fitted: Fitted, tree: str, glyphs: Glyphs, dim: bool) -> list[Piece]:
    """One cell in exactly its column's size."""
    if cell.spark is not None:
        bars = glyphs.sparkline(cell.spark, fitted.size)
        used = sum(cell_len(bar.text) for bar in bars)
        return [*((Piece(bar.text, "dim") for bar in bars) if dim else bars), spaces(fitted.size - used)]
    role: Role = "dim" if dim or cell.dim else "text"
    if cell.status not in (None, Status.OK) and not dim:
        role = ROLES[cell.status]
    glyph = Piece(Shown(f" {glyphs.status[cell.status]}" if cell.status is not None else ""), role)
    if fitted.column.right:
        behind = 2 if fitted.glyphs else 0
        blank = spaces(behind - cell_len(glyph.text))
        return [Piece(fit(cell.text, fitted.size - behind, right=True), role), glyph, blank]
    branch = Piece(Shown(tree), "faint")
    room = fitted.size - cell_len(tree) - cell_len(glyph.text)
    text = cut(cell.text, max(room, 0))
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
