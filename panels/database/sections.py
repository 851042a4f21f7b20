"""The sections under the sessions: statements, tables, applications; each with a heading that says what its columns mean.

They share the sessions' columns, so that a figure's column never moves and one table serves the panel.
"""

from __future__ import annotations

from tui.engine.panel import Cell, DrawnRow, Readings
from tui.engine.reading import Reading, Row
from tui.engine.text import EMPTY, Shown, clean
from tui.engine.units import NOT_MEASURED, show_count, show_duration, show_latency, show_rate, show_ratio, show_size

from .sampling import WINDOW

NO_CELL = Cell()
SMALLEST_SHARE = 0.005


def number(row: Row, name: str) -> float | None:
    """A cell's number; None where it was not measured."""
    value = row.cells.get(name)
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def text(row: Row, name: str) -> str:
    """A cell's text; empty where there is none."""
    value = row.cells.get(name)
    return value if isinstance(value, str) else ""


def statement_rows(readings: Readings, most: int) -> list[DrawnRow]:
    """The statements that take most of the time; sampled ones where no others are to be had."""
    counted = readings.one("statements")
    rows = [row for row in counted.rows if row.group == "statement"] if counted else []
    if rows:
        seconds = number(rows[0], "over")
        over = f"last {show_duration(seconds)}" if seconds else "since the last reset"
        head = _heading("statements", "share", "mean", "calls", EMPTY, f"statement, {over}")
        return [head, *(_statement(row) for row in rows[:most] if (number(row, "share") or 0.0) >= SMALLEST_SHARE)]
    reading = readings.one("sessions")
    sampled = [row for row in reading.rows if row.group == "sampled"] if reading else []
    if not sampled:
        return []
    head = _heading("sampled", "share", "longest", "seen", EMPTY, f"statement, sampled, last {show_duration(WINDOW)}")
    return [head, *(_sampled(row) for row in sampled[:most])]


def _statement(row: Row) -> DrawnRow:
    rate, calls = number(row, "rate"), number(row, "calls")
    often = show_rate(rate) if rate is not None else show_count(calls)
    return _row(
        row,
        Cell(show_ratio(number(row, "share")), order=number(row, "share")),
        Cell(show_latency(number(row, "mean")), order=number(row, "mean")),
        Cell(often, order=rate if rate is not None else calls),
        NO_CELL,
        text(row, "query"),
    )


def _sampled(row: Row) -> DrawnRow:
    longest = number(row, "longest")
    return _row(
        row,
        Cell(show_ratio(number(row, "share"), 0), order=number(row, "share")),
        Cell(show_latency(longest) if (longest or 0) < 1 else show_duration(longest), order=longest),
        Cell(Shown(f"{show_count(number(row, 'seen'))} ×"), order=number(row, "seen")),
        NO_CELL,
        text(row, "query"),
    )


def table_rows(readings: Readings, most: int) -> list[DrawnRow]:
    """The largest tables, with what they grow by in an hour."""
    reading = readings.one("sizes")
    rows = [row for row in reading.rows if row.group == "table"] if reading else []
    if not rows:
        return []
    return [_heading("tables", "size", "an hour", "rows ≈", "dead rows", "table"), *(_table(row) for row in rows[:most])]


def _table(row: Row) -> DrawnRow:
    growth = number(row, "growth")
    grows = (
        NOT_MEASURED if growth is None else Shown(f"{'+' if growth > 0 else ''}{show_size(growth)}") if growth else Shown("0")
    )
    return _row(
        row,
        Cell(show_size(number(row, "size")), order=number(row, "size")),
        Cell(grows, order=growth),
        Cell(_short(number(row, "rows")), order=number(row, "rows")),
        Cell(_short(number(row, "dead")), order=number(row, "dead")),
        text(row, "table"),
    )


def application_rows(reading: Reading) -> list[DrawnRow]:
    """Who holds the connections."""
    rows = [row for row in reading.rows if row.group == "application"]
    if not rows:
        return []
    head = _heading("applications", "holds", "active", "idle", "idle tx", "by application")
    return [head, *(_application(row) for row in rows)]


def _application(row: Row) -> DrawnRow:
    held, active, idle, idle_tx = (number(row, name) for name in ("connections", "active", "idle", "idle_in_transaction"))
    return _row(
        row,
        Cell(show_count(held), order=held),
        Cell(show_count(active), order=active),
        Cell(show_count(idle), order=idle),
        Cell(show_count(idle_tx), order=idle_tx),
        text(row, "application"),
    )


def _short(count: float | None) -> Shown:
    """A large number in three digits: `1.2 M`."""
    if count is None or count < 100_000:
        return show_count(round(count) if count is not None else None)
    return Shown(f"{count / 1e6:.1f} M" if count < 1e9 else f"{count / 1e9:.1f} G")


def _heading(key: str, first: str, second: str, third: str, fourth: str, last: str) -> DrawnRow:
    """A section's heading: what its columns mean. Its key is no row's, so it offers nothing."""
    cells = [Cell(clean(title), dim=True) for title in (first, second, third, fourth, "", last)]
    return DrawnRow(f"heading:{key}", tuple(cells), dim=True)


def _row(row: Row, first: Cell, second: Cell, third: Cell, fourth: Cell, last: str) -> DrawnRow:
    """A section's row, in the places of the sessions' columns; the application's is left empty."""
    return DrawnRow(row.key, (first, second, third, fourth, NO_CELL, Cell(clean(last), order=last)))
