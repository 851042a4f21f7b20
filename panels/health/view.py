"""Health readings → what is drawn: the worst first, children of a failed parent folded under it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from msgspec.structs import replace

from tui.engine.history import Trends
from tui.engine.layout import Cell, Column, DrawnRow, Later, Layout, Room
from tui.engine.panel import Readings
from tui.engine.reading import Reading, Row, Status, series_key
from tui.engine.text import Shown
from tui.engine.units import NOT_MEASURED, show_duration, show_latency, show_ratio

from . import CARD

DAY = 86400.0
STALE = Shown("no answer lately")
NOISE, UNDER = 0.010, Shown("<10 ms")
LEAST_TOP = 0.1
"""Seconds that fill a sparkline at least: a few milliseconds more or less are no mountain."""
PICTURE = 16
"""Cells of an endpoint's sparkline."""


def view(readings: Readings, history: Trends, room: Room) -> Layout:
    """A row an endpoint: how fast, its uptime, since when, and what it says, or while that is *ok* its latency's picture."""
    found = readings.rows("endpoint")
    statuses = {row.key: readings.row_status(reading, row.status) for reading, row in found}
    folded = _folded(found, statuses)
    ordered = sorted((each for each in found if each[1].key not in folded), key=lambda each: -statuses[each[1].key])
    up = sum(1 for status in statuses.values() if status is Status.OK)
    measured = max((row.number("uptime_measured") or 0.0 for _, row in found), default=0.0)
    columns = tuple(_titled(column, measured) for column in CARD.columns)
    rows = []
    for reading, row in ordered:
        cells = Later(partial(_cells, reading, row, statuses[row.key], columns, history, readings))
        rows.append(DrawnRow(row.key, cells, statuses[row.key]))
    return Layout(
        headline=Shown(f"{up} of {len(found)} up"),
        notes=tuple(dict.fromkeys(note for reading, _ in found for note in reading.notes)),
        columns=columns,
        rows=tuple(rows),
        trailer=_behind(folded),
        empty=Shown("no answer yet"),
    )


def _titled(column: Column, measured: float) -> Column:
    """The uptime's column says over how long, until it is a whole day."""
    if column.name != "uptime":
        return column
    hours, minutes = int(measured // 3600), int(measured // 60)
    window = "24h" if measured > 0.95 * DAY else f"{hours}h" if hours else f"{minutes}m" if minutes else ""
    return replace(column, title=Shown(f"up {window}".strip()))


def _folded(found: list[tuple[Reading, Row]], statuses: Mapping[str, Status]) -> dict[str, str]:
    """Endpoints that are not well while the one they depend on fails, by key, with that one's key: one cause, one line."""
    rows = {row.key: row for _, row in found}
    folded = {}
    for key, row in rows.items():
        root = row
        seen = {key}
        while root.parent in rows and root.parent not in seen and statuses[rows[root.parent].key] is Status.FAILING:
            root = rows[root.parent]
            seen.add(root.key)
        if root is not row and statuses[key] is not Status.OK:
            folded[key] = root.key
    return folded


def _behind(folded: Mapping[str, str]) -> Shown:
    """`behind readyz: admin, web`: what is not listed, because what it depends on fails."""
    roots = dict.fromkeys(folded.values())
    return Shown("   ".join(f"behind {root}: {', '.join(key for key, of in folded.items() if of == root)}" for root in roots))


def _cells(
    reading: Reading,
    row: Row,
    status: Status,
    columns: tuple[Column, ...],
    history: Trends,
    readings: Readings,
) -> tuple[Cell, ...]:
    """One endpoint's cells, in the order of the columns."""
    says = STALE if status is not Status.OK and row.status is Status.OK else Shown(str(row.cells["says"]))

    def judged(name: str) -> Status | None:
        found = readings.judgement(series_key(name, (("endpoint", row.key),))).status
        return None if found is Status.OK else found

    latency, p95, uptime, since = map(row.number, ("latency", "latency_p95", "uptime", "since"))
    by_name = {
        "endpoint": Cell(Shown(row.key), status, order=row.key),
        "says": _picture(reading, row, history) if status is Status.OK else Cell(says, order=says),
        "latency": Cell(_quick(latency), judged("latency"), order=latency),
        "p95": Cell(_quick(p95), judged("latency_p95"), order=p95, dim=True),
        "uptime": Cell(show_ratio(uptime, 2), judged("uptime"), order=uptime),
        "since": Cell(show_duration(since), order=since, dim=status is Status.OK),
        "certificate_left": _certificate(row.number("certificate_left"), judged("certificate_left")),
    }
    return tuple(by_name[column.name] for column in columns)


def _quick(latency: float | None) -> Shown:
    """A response time; under 10 ms they are all alike, and their noise would only redraw the screen."""
    return UNDER if latency is not None and latency < NOISE else show_latency(latency)


def _picture(reading: Reading, row: Row, history: Trends) -> Cell:
    """While all is well its latency is drawn where else its words stand: *ok* is said by the sign."""
    latency = series_key("latency", (("endpoint", row.key),))
    return Cell(spark=history.spark(reading.panel, latency, PICTURE, reading.at, least=LEAST_TOP), order="")


def _certificate(left: float | None, status: Status | None) -> Cell:
    """Whole days until the certificate ends; nothing where there is no TLS."""
    if left is None:
        return Cell(NOT_MEASURED, dim=True)
    return Cell(Shown(f"{int(left // DAY)}d"), status, order=left, dim=status is None)
