"""A layout as plain text, so that a view's test compares what a person would read.

    assert printed(view(readings, History(), Room(58, 18, NOW)), 58) == '''\\
     endpoint        says        now
     readyz ●        ok        41 ms'''

What the widget does with colour is left out; what it does with room is done here in the simplest way: columns of the highest
rank go first, columns that grow share what is left, text is cut with `…`. No line ends in blanks. Every line is checked to fit.
"""

from __future__ import annotations

from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size

from tui.engine.layout import Cell, Column, DrawnRow, Facts, Gauge, Layout, Spark
from tui.engine.reading import Status

BARS = "▁▂▃▄▅▆▇█"
GAP = 2


def printed(layout: Layout, width: int) -> str:
    """The layout's figures, notes, heading, rows and trailer, a line each, in `width` cells.

    The headline and the source stand on a line of their own before them: `[headline · source]`.
    """
    rule = " · ".join(filter(None, (layout.headline, layout.source)))
    lines = [f"[{rule}]"] if rule else []
    lines += _figures(layout, width)
    lines += [cut(f" {note}", width) for note in layout.notes]
    lines += _table(layout, width)
    if layout.trailer:
        lines.append(cut(f" {layout.trailer}", width))
    assert all(cell_len(line) <= width for line in lines), "a line is wider than its room"
    return "\n".join(line.rstrip() for line in lines)


def sparkline(spark: Spark) -> str:
    """The values as bars, a change as `◆`, a gap as a blank."""
    known = [value for value in spark.values if value is not None]
    top = spark.top or max(known, default=0.0)
    return "".join("◆" if place in spark.marks else _bar(value, top) for place, value in enumerate(spark.values))


def cut(text: str, width: int) -> str:
    """The text in at most `width` cells, a cut shown as `…`."""
    return text if cell_len(text) <= width else set_cell_size(text, max(width - 1, 0)) + "…"


def _bar(value: float | None, top: float) -> str:
    if value is None:
        return " "
    return BARS[min(int(value / top * len(BARS)), len(BARS) - 1)] if top > 0 else BARS[0]


def _figures(layout: Layout, width: int) -> list[str]:
    """Gauges under one another in columns; facts on one line, as many as fit."""
    gauges = [each for each in layout.figures if isinstance(each, Gauge)]
    label = max((cell_len(each.label) for each in gauges), default=0)
    text = max((cell_len(each.text) for each in gauges), default=0)
    lines = []
    for figure in layout.figures:
        if isinstance(figure, Facts):
            lines.append(_facts(figure, width))
        else:
            lines.append(cut(_gauge(figure, label, text), width))
    return lines


def _gauge(gauge: Gauge, label: int, text: int) -> str:
    glyph = gauge.status.sign if gauge.status is not None else " "
    picture = sparkline(gauge.spark) if gauge.spark else ""
    return f" {_fit(gauge.label, label)}  {_fit(gauge.text, text, right=True)} {glyph}  {picture}  {gauge.limit}".rstrip()


def _facts(facts: Facts, width: int) -> str:
    line = ""
    for fact in facts.facts:
        glyph = f" {fact.status.sign}" if fact.status not in (None, Status.OK) else ""
        longer = f"{line}{'   ' if line else ' '}{fact.label} {fact.text}{glyph}"
        if cell_len(longer) > width:
            break
        line = longer
    return line


@dataclass(frozen=True)
class Fitted:
    """A column that is shown: its place among the layout's columns, its cells, whether a glyph stands behind its texts."""

    place: int
    column: Column
    size: int
    glyphs: bool


def fitting(layout: Layout, width: int) -> list[Fitted]:
    """The columns that fit, in the layout's order."""
    needs = [_needs(layout, place) for place in range(len(layout.columns))]
    chosen = list(range(len(layout.columns)))
    while (spare := width - 1 - sum(needs[each] + GAP for each in chosen) + GAP) < 0:
        last = max(chosen, key=lambda each: (layout.columns[each].rank, each))
        if layout.columns[last].rank == 0:
            break
        chosen.remove(last)
    growing = [each for each in chosen if layout.columns[each].grows]
    for each in growing:
        needs[each] += max(0, spare) // len(growing)
    return [Fitted(each, layout.columns[each], needs[each], _has_glyphs(layout, each)) for each in chosen]


def _has_glyphs(layout: Layout, place: int) -> bool:
    return any(row.cells[place].status is not None for row in layout.rows)


def _needs(layout: Layout, place: int) -> int:
    """A column's cells; numbers keep two more for a glyph where one of them has one, so that their digits stay in line."""
    column = layout.columns[place]
    return max(column.width, cell_len(column.title)) + (2 if column.right and _has_glyphs(layout, place) else 0)


def _table(layout: Layout, width: int) -> list[str]:
    """The heading and the rows, or what stands in their place."""
    if not layout.rows:
        return [cut(f" {layout.empty}", width)] if layout.empty else []
    shown = fitting(layout, width)
    heading = _line([_heading(each) for each in shown])
    return ([cut(heading, width)] if heading.strip() else []) + [cut(_row(row, shown), width) for row in layout.rows]


def _heading(fitted: Fitted) -> str:
    if fitted.column.right and fitted.glyphs:
        return _fit(fitted.column.title, fitted.size - 2, right=True) + "  "
    return _fit(fitted.column.title, fitted.size, right=fitted.column.right)


def _row(row: DrawnRow, shown: list[Fitted]) -> str:
    tree = "  " * (row.depth - 1) + "└ " if row.depth else ""
    return _line([_cell(row.cells[each.place], each, tree if order == 0 else "") for order, each in enumerate(shown)])


def _line(pieces: list[str]) -> str:
    return " " + (" " * GAP).join(pieces)


def _cell(cell: Cell, fitted: Fitted, tree: str) -> str:
    if cell.spark:
        return _fit(sparkline(cell.spark), fitted.size)
    glyph = f" {cell.status.sign}" if cell.status is not None else ""
    if fitted.column.right and fitted.glyphs:
        return _fit(cell.text, fitted.size - 2, right=True) + (glyph or "  ")
    if fitted.column.right:
        return _fit(cell.text, fitted.size, right=True)
    return _fit(cut(tree + cell.text, fitted.size - len(glyph)) + glyph, fitted.size, right=cell.right)


def _fit(text: str, size: int, right: bool = False) -> str:
    """The text in exactly `size` cells."""
    short = cut(text, size)
    blank = " " * (size - cell_len(short))
    return blank + short if right else short + blank
