"""A layout as printed text, so that a test reads like the screen. Columns are dropped by rank and grown as a widget would."""

from __future__ import annotations

from tui.engine.layout import Cell, Column, Facts, Layout
from tui.engine.reading import Status

GLYPH = {Status.OK: "", Status.DEGRADED: " ▲", Status.UNKNOWN: " ?", Status.FAILING: " ✖"}


def printed(layout: Layout, width: int) -> str:
    """The layout in lines of at most `width` cells."""
    place = {each.name: index for index, each in enumerate(layout.columns)}
    needs = {each.name: each.width + 2 * (each.right and _has_glyphs(layout, place[each.name])) for each in layout.columns}
    columns = list(layout.columns)
    while (left := width - sum(needs[each.name] + 2 for each in columns) + 2) < 0 and max(each.rank for each in columns):
        columns.remove(max(columns, key=lambda each: each.rank))
    needs[[each for each in columns if each.grows][-1].name] += left
    lines = [_facts(each) for each in layout.figures if isinstance(each, Facts)]
    lines += [f"! {note}" for note in layout.notes]
    if layout.rows:
        lines.append("  ".join(_placed(each.title, each, needs) for each in columns))
    else:
        lines.append(layout.empty)
    for row in layout.rows:
        drawn = [_cell(row.cells[place[each.name]], row.depth * (not order), each, needs) for order, each in enumerate(columns)]
        lines.append("  ".join(drawn))
    lines += [layout.trailer] if layout.trailer else []
    return "\n".join(line.rstrip()[:width] for line in lines)


def _has_glyphs(layout: Layout, place: int) -> bool:
    return any(row.cells[place].status for row in layout.rows)


def _facts(line: Facts) -> str:
    return "   ".join(f"{each.label} {each.text}{GLYPH[each.status or Status.OK]}".strip() for each in line.facts)


def _cell(cell: Cell, depth: int, column: Column, needs: dict[str, int]) -> str:
    """One cell in its column's width; a cut spares the glyph."""
    if cell.spark:
        return "".join("·" if value is None else "▁▂▃▄▅▆▇█"[min(7, int(value))] for value in cell.spark.values)
    glyph = GLYPH[cell.status or Status.OK]
    width = needs[column.name] - len(glyph)
    text = "  " * depth + cell.text
    return _placed((text if len(text) <= width else text[: width - 1] + "…") + glyph, column, needs)


def _placed(text: str, column: Column, needs: dict[str, int]) -> str:
    return text.rjust(needs[column.name]) if column.right else text.ljust(needs[column.name])
