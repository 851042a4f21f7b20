"""A layout as plain text, so that a view's test compares what a person would read.

    assert printed(view(readings, History(), Room(58, 18, NOW)), 58) == '''\\
     endpoint        says        now
     readyz ●        ok        41 ms'''

What the widget does with colour is left out; what it does with room is done here in the simplest way: columns of the highest
rank go first, columns that grow share what is left, text is cut with `…`. No line ends in blanks. Every line is checked to fit.
"""

from __future__ import annotations

from rich.cells import cell_len, set_cell_size

from tui.engine.panel import Cell, Column, DrawnRow, Facts, Gauge, Layout, Spark
from tui.engine.reading import Status

GLYPHS = {Status.OK: "●", Status.DEGRADED: "▲", Status.UNKNOWN: "?", Status.FAILING: "✖"}
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
    glyph = GLYPHS[gauge.status] if gauge.status is not None else " "
    picture = sparkline(gauge.spark) if gauge.spark else ""
    return f" {_fit(gauge.label, label)}  {_fit(gauge.text, text, right=True)} {glyph}  {picture}  {gauge.limit}".rstrip()


def _facts(facts: Facts, width: int) -> str:
    line = ""
    for fact in facts.facts:
        glyph = f" {GLYPHS[fact.status]}" if fact.status not in (None, Status.OK) else ""
        longer = f"{line}{'   ' if line else ' '}{fact.label} {fact.text}{glyph}"
        if cell_len(longer) > width:
            break
        line = longer
    return line


def _table(layout: Layout, width: int) -> list[str]:
    """The heading and the rows, or what stands in their place."""
    if not layout.rows:
        return [cut(f" {layout.empty}", width)] if layout.empty else []
    shown = fitting(layout, width)
    heading = [_fit(column.title, size, right=column.right) for _, column, size in shown]
    lines = [" " + (" " * GAP).join(heading)] if any(column.title for _, column, _ in shown) else []
    return lines + [_row(row, shown) for row in layout.rows]


def fitting(layout: Layout, width: int) -> list[tuple[int, Column, int]]:
    """The columns that fit, each with its place and the cells it gets."""
    chosen = list(enumerate(layout.columns))
    while sum(_needs(layout, place) + GAP for place, _ in chosen) - GAP + 1 > width:
        highest = max(column.rank for _, column in chosen)
        if highest == 0:
            break
        dropped = max(place for place, column in chosen if column.rank == highest)
        chosen = [each for each in chosen if each[0] != dropped]
    spare = width - 1 - sum(_needs(layout, place) + GAP for place, _ in chosen) + GAP
    growing = [place for place, column in chosen if column.grows]
    sizes = {place: _needs(layout, place) for place, _ in chosen}
    for place in growing:
        sizes[place] += max(0, spare) // len(growing)
    return [(place, column, sizes[place]) for place, column in chosen]


def _needs(layout: Layout, place: int) -> int:
    """A column's cells, with room for a glyph where one of its rows has one."""
    column = layout.columns[place]
    glyphs = any(place < len(row.cells) and row.cells[place].status is not None for row in layout.rows)
    return max(column.width, cell_len(column.title)) + (2 if glyphs and column.right else 0)


def _row(row: DrawnRow, shown: list[tuple[int, Column, int]]) -> str:
    pieces = []
    for position, (place, column, size) in enumerate(shown):
        indent = "  " * (row.depth - 1) + "└ " if row.depth and position == 0 else ""
        pieces.append(_cell(row.cells[place], column, size, indent))
    return " " + (" " * GAP).join(pieces)


def _cell(cell: Cell, column: Column, size: int, indent: str) -> str:
    if cell.spark:
        return _fit(sparkline(cell.spark), size)
    glyph = f" {GLYPHS[cell.status]}" if cell.status is not None else ""
    if column.right:
        return _fit(cell.text, size - 2, right=True) + (glyph or "  ") if glyph else _fit(cell.text, size, right=True)
    return _fit(cut(indent + cell.text, size - len(glyph)) + glyph, size)


def _fit(text: str, size: int, right: bool = False) -> str:
    """The text in exactly `size` cells."""
    short = cut(text, size)
    blank = " " * (size - cell_len(short))
    return blank + short if right else short + blank
