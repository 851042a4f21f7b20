"""The sections under the sessions: statements, tables, applications; each with a heading that says what its columns mean.

They share the sessions' columns, so that a figure's column never moves and one table serves the panel.
"""

from __future__ import annotations

from tui.engine.layout import Cell, DrawnRow
from tui.engine.panel import Readings
from tui.engine.reading import Reading, Row
from tui.engine.text import EMPTY, Shown, clean
from tui.engine.units import show_count, show_duration, show_per_second, show_ratio

from . import CARD
from .sampling import WINDOW
from .statements import show_mean

NO_CELL = Cell()
SMALLEST_SHARE = 0.005


def text(row: Row, name: str) -> str:
    """A cell's text; empty where there is none."""
    value = row.cells.get(name)
    return value if isinstance(value, str) else ""


def statement_rows(readings: Readings, most: int) -> list[DrawnRow]:
    """The statements that take most of the time; sampled ones where no others are to be had."""
    counted = readings.one("statements")
    rows = [row for row in counted.rows if row.group == "statement"] if counted else []
    if rows:
        head = _heading("statements", "share", "mean", "calls", EMPTY, f"statement, {text(rows[0], 'over')}")
        listed = [row for row in rows[:most] if (_numbers(row)[0] or 0.0) >= SMALLEST_SHARE]
        return [head, *map(_counted, listed)]
    reading = readings.one("sessions")
    rows = [row for row in reading.rows if row.group == "sampled"] if reading else []
    if not rows:
        return []
    head = _heading("sampled", "share", "longest", "seen", EMPTY, f"statement, sampled, last {show_duration(WINDOW)}")
    return [head, *(_drawn(row, ("share", "longest", "seen"), "query") for row in rows[:most])]


def table_rows(readings: Readings, most: int) -> list[DrawnRow]:
    """The largest tables, with what they grow by in an hour."""
    reading = readings.one("sizes")
    rows = [row for row in reading.rows if row.group == "table"] if reading else []
    if not rows:
        return []
    names = ("size", "an hour", "rows ≈", "dead rows")
    return [_heading("tables", *names, "table"), *(_drawn(row, names, "table") for row in rows[:most])]


def _counted(row: Row) -> DrawnRow:
    """A statement's row. Calls a second, however rare, where they are known over a time: one column, one unit."""
    share, mean, often, _, over = (*_numbers(row), *[None] * 5)[:5]  # fewer in what an older version recorded
    calls = show_per_second(often) if over else show_count(often)
    figures = (_figure(show_ratio(share), share), _figure(show_mean(mean), mean), _figure(calls, often))
    return _row(row, *figures, NO_CELL, text(row, "query"))


def _numbers(row: Row) -> tuple[float | None, ...]:
    """The row's figures as the probe left them for sorting."""
    found = row.cells.get("numbers")
    return found if isinstance(found, tuple) else ()


def _drawn(row: Row, names: tuple[str, ...], last: str) -> DrawnRow:
    """A section's row: the named cells, each sorted by its number, and the text that grows."""
    cells = [_figure(Shown(text(row, name)), number) for name, number in zip(names, _numbers(row), strict=False)]
    cells += [NO_CELL] * (4 - len(cells))
    return _row(row, cells[0], cells[1], cells[2], cells[3], text(row, last))


def application_rows(reading: Reading) -> list[DrawnRow]:
    """Who holds the connections."""
    rows = [row for row in reading.rows if row.group == "application"]
    if not rows:
        return []
    head = _heading("applications", "holds", "active", "idle", "idle tx", "by application")
    return [head, *(_application(row) for row in rows)]


def idle_rows(sessions: list[DrawnRow]) -> list[DrawnRow]:
    """The idle sessions below another section, with the sessions' own titles."""
    if not sessions:
        return []
    titles = [NO_CELL if column.name == "who" else Cell(column.title, dim=True) for column in CARD.columns]
    return [DrawnRow("heading:idle", tuple(titles), dim=True, heading=True), *sessions]


def _application(row: Row) -> DrawnRow:
    held, active, idle, idle_tx = (row.number(name) for name in ("connections", "active", "idle", "idle_in_transaction"))
    return _row(
        row,
        _figure(show_count(held), held),
        _figure(show_count(active), active),
        _figure(show_count(idle), idle),
        _figure(show_count(idle_tx), idle_tx),
        text(row, "application"),
    )


def _figure(shown: Shown, order: float | None) -> Cell:
    """A figure, at the right also where the sessions' column holds text."""
    return Cell(shown, order=order, right=True)


def _heading(key: str, first: str, second: str, third: str, fourth: str, last: str) -> DrawnRow:
    """A section's heading: what its columns mean. Its key is no row's, so it offers nothing."""
    cells = [Cell(clean(title), dim=True, right=True) for title in (first, second, third, fourth)]
    cells += [NO_CELL, Cell(clean(last), dim=True)]
    return DrawnRow(f"heading:{key}", tuple(cells), dim=True, heading=True)


def _row(row: Row, first: Cell, second: Cell, third: Cell, fourth: Cell, last: str) -> DrawnRow:
    """A section's row, in the places of the sessions' columns; the application's is left empty."""
    return DrawnRow(row.key, (first, second, third, fourth, NO_CELL, Cell(clean(last), order=last)))
