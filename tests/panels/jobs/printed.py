"""A layout as printed text, so that a test reads like the screen. Columns are dropped by rank and grown as a widget would."""

from __future__ import annotations

from tui.engine.panel import Cell, Column, Facts, Layout
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
        cells = [_text(row.cells[place[each.name]], row.depth if index == 0 else 0) for index, each in enumerate(columns)]
        lines.append("  ".join(_placed(text, each, needs) for text, each in zip(cells, columns, strict=True)))
    lines += [layout.trailer] if layout.trailer else []
    return "\n".join(line.rstrip()[:width] for line in lines)


def _has_glyphs(layout: Layout, place: int) -> bool:
    return any(row.cells[place].status for row in layout.rows)


def _facts(line: Facts) -> str:
    return "   ".join(f"{each.label} {each.text}{GLYPH[each.status or Status.OK]}".strip() for each in line.facts)


def _text(cell: Cell, depth: int) -> str:
    if cell.spark:
        return "".join("·" if value is None else "▁▂▃▄▅▆▇█"[min(7, int(value))] for value in cell.spark.values)
    return "  " * depth + cell.text + GLYPH[cell.status or Status.OK]


def _placed(text: str, column: Column, widths: dict[str, int]) -> str:
    width = widths[column.name]
    cut = text if len(text) <= width else text[: width - 1] + "…"
    return cut.rjust(width) if column.right else cut.ljust(width)
