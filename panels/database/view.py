"""Database readings → what is drawn: how full, what waits, and below it sessions, statements, tables and applications.

Who blocks whom stands first, as a tree. Idle sessions are listed where connections run short, or zoomed; else counted.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from tui.engine.history import Trends
from tui.engine.layout import Cell, Column, DrawnRow, Fact, Facts, Gauge, Layout, Room
from tui.engine.panel import Judged, Readings
from tui.engine.reading import Reading, Row, Status
from tui.engine.text import EMPTY, Shown
from tui.engine.units import show_count, show_duration, show_latency, show_rate, show_ratio, show_size

from . import CARD
from .probe import SLOW, WAITS
from .sections import application_rows, idle_rows, statement_rows, table_rows, text
from .statements import MISSING

LISTED = 1.0
"""Seconds from which a running statement or an idle transaction is listed; quicker ones would only flicker."""
SPARK = 12
MOST, MOST_ZOOMED = 8, 20
"""Statements and tables listed."""


def view(readings: Readings, history: Trends, room: Room) -> Layout:
    """Figures, then rows by section: the worst first."""
    reading = readings.one("sessions")
    if reading is None or (not reading.rows and reading.error is not None):
        return Layout(headline=Shown("no answer"), empty=Shown("no answer yet"))
    sessions = [row for row in reading.rows if row.group == "session"]
    crowded = any(_judged(readings, name).status is not Status.OK for name in ("connections", "pool"))
    drawn, left_out = _sessions(sessions, reading, readings, all_of_them=crowded or room.zoomed)
    most = MOST_ZOOMED if room.zoomed else MOST
    statements, tables = statement_rows(readings, most), table_rows(readings, most)
    sampled = any(MISSING in each.notes for each in readings.of("statements"))
    sections = [drawn, statements, tables, application_rows(reading)]
    if crowded:
        sections = [drawn[: _busy(drawn)], application_rows(reading), idle_rows(drawn[_busy(drawn) :]), statements, tables]
    rows = [row for section in sections for row in section]
    columns = CARD.columns
    if rows and rows[0].heading:  # the first section's heading is the table's own
        columns = tuple(_titled(column, cell) for column, cell in zip(columns, rows.pop(0).cells, strict=True))
    return Layout(
        headline=_headline(reading),
        source=Shown("sampled") if sampled else EMPTY,
        figures=_figures(readings, reading, history, room),
        notes=_notes(readings),
        columns=columns,
        rows=tuple(rows),
        trailer=Shown(f"{left_out} sessions idle or quick: z lists them") if left_out else EMPTY,
        empty=Shown("nobody waits, nothing runs long"),
    )


def _titled(column: Column, heading: Cell) -> Column:
    """The column as a section's heading calls it, above its figures."""
    text = heading.text.rjust(column.width) if heading.right and heading.text and not column.right else heading.text
    return replace(column, title=Shown(text))


def _judged(readings: Readings, key: str) -> Judged:
    return readings.judgement(key)


def _bad(readings: Readings, key: str) -> Status | None:
    """The status that the rules give a signal, None where it is well."""
    status = readings.judgement(key).status
    return None if status is Status.OK else status


def _headline(reading: Reading) -> Shown:
    """How full it is, and who waits."""
    used, most, blocked = (reading.value(name) for name in ("connections_used", "connections_max", "blocked"))
    waits = f", {show_count(blocked)} blocked" if blocked else ""
    return Shown(f"{show_count(used)} of {show_count(most)} connections{waits}")


def _notes(readings: Readings) -> tuple[Shown, ...]:
    """What each probe says besides, each once."""
    found = (note for probe in ("sessions", "statements", "sizes") for reading in readings.of(probe) for note in reading.notes)
    return tuple(note for note in dict.fromkeys(found) if note != MISSING)  # the panel's rule says `sampled` then


# --- figures ---------------------------------------------------------------------------------------------------------


def _figures(readings: Readings, reading: Reading, history: Trends, room: Room) -> tuple[Gauge | Facts, ...]:
    """The limit and how near it is; then what the sessions do; then how the database does."""
    used, most, pool = (reading.value(name) for name in ("connections_used", "connections_max", "pool"))
    found: list[Gauge | Facts] = [_filling(readings, reading, history, "connections", used, most)]
    if pool is not None:
        size = readings.settings.pool_size
        found.append(_filling(readings, reading, history, "pool", round(pool * size), size))
    found.append(Facts(tuple(_doing(readings, reading))))
    found.append(Facts(tuple(_being(readings, reading))))
    return tuple(found)


def _filling(readings: Readings, reading: Reading, history: Trends, name: str, used: float | None, most: float | None) -> Gauge:
    """What is used of what there is, by a signal that is its share: full is a full bar."""
    text, limit = Shown(f"{show_count(used)} / {show_count(most)}"), _judged(readings, name).limit
    return Gauge(
        Shown(name), text, _bad(readings, name), history.spark(reading.panel, name, SPARK, reading.at, top=1.0), limit, name
    )


def _doing(readings: Readings, reading: Reading) -> Iterable[Fact]:
    """What the sessions do, what hurts first; what is nothing is left out where it is usually nothing."""
    yield _count(readings, reading, "active", "active")
    yield _count(readings, reading, "idle tx", "idle_in_transaction", "longest_idle_in_transaction")
    yield _count(readings, reading, "blocked", "blocked", "longest_wait")
    yield _count(readings, reading, "slow", "slow_queries", "long_queries")
    longest = reading.value("longest")
    if longest is not None and longest >= LISTED:
        yield Fact(Shown("longest"), show_duration(longest), key="longest")
    yield _count(readings, reading, "idle", "idle")


def _count(readings: Readings, reading: Reading, label: str, name: str, *also: str) -> Fact:
    """A count, with the worst that the rules say of it and of the signals that measure the same trouble."""
    statuses = [status for key in (name, *also) if (status := _bad(readings, key)) is not None]
    return Fact(Shown(label), show_count(reading.value(name)), max(statuses, default=None), name)


def _being(readings: Readings, reading: Reading) -> Iterable[Fact]:
    """How the database does: work, cache, size, replicas."""
    sizes, statements = readings.one("sizes"), readings.one("statements")
    yield Fact(Shown("tx"), show_rate(reading.value("transactions")), _bad(readings, "transactions"), "transactions")
    yield Fact(Shown("cache"), show_ratio(reading.value("cache_hit")), _bad(readings, "cache_hit"), "cache_hit")
    if sizes and sizes.error is None:
        yield Fact(Shown("size"), _size(sizes), _bad(readings, "size_used"), "size")
    lag = reading.value("replication_lag")
    if lag is not None:
        yield Fact(Shown("lag"), show_duration(lag), _bad(readings, "replication_lag"), "replication_lag")
    p95 = statements.value("query_p95") if statements else None
    if p95 is not None:
        yield Fact(Shown("≈ p95"), show_latency(p95), _bad(readings, "query_p95"), "query_p95")
    deadlocks = reading.value("deadlocks")
    if deadlocks:
        yield Fact(Shown("deadlocks"), show_count(deadlocks), _bad(readings, "deadlocks"), "deadlocks")


def _size(sizes: Reading) -> Shown:
    """`4.1 GB +12 MB/h`, with its share of the quota where there is one."""
    growth, used = sizes.value("growth"), sizes.value("size_used")
    grows = f" {'+' if growth > 0 else ''}{show_size(growth)}/h" if growth else ""
    share = f" {show_ratio(used, 0)}" if used is not None else ""
    return Shown(f"{show_size(sizes.value('size'))}{share}{grows}")


# --- sessions --------------------------------------------------------------------------------------------------------


def _sessions(rows: list[Row], reading: Reading, readings: Readings, *, all_of_them: bool) -> tuple[list[DrawnRow], int]:
    """The sessions to list, children under their parents, and how many are left out."""
    blocking = {row.parent for row in rows if row.parent}
    listed = [row for row in rows if all_of_them or row.parent or row.key in blocking or _remarkable(row)]
    children: dict[str | None, list[Row]] = {}
    for row in listed:
        children.setdefault(row.parent, []).append(row)
    drawn: list[DrawnRow] = []

    def add(row: Row, depth: int) -> None:
        status = readings.row_status(reading, _status(row, row.key in blocking, readings))
        drawn.append(_session(row, status, depth))
        for child in children.get(row.key, ()):
            add(child, depth + 1)

    for row in children.get(None, ()):
        add(row, 0)
    return drawn, len(rows) - len(listed)


def _remarkable(row: Row) -> bool:
    """Whether a session is worth a line when all is well: it runs or idles in a transaction for more than a moment."""
    return text(row, "state") not in ("idle", "hidden") and (row.number("for") or 0.0) >= LISTED


def _status(row: Row, blocks: bool, readings: Readings) -> Status:
    """What the rules say of the signal that the session is part of."""
    statuses = [Status.OK]
    age = row.number("for") or 0.0
    if blocks or (text(row, "waits") and age > WAITS):
        statuses += [readings.judgement(name).status for name in ("blocked", "longest_wait")]
    if text(row, "state") == "active" and age > SLOW:
        statuses.append(readings.judgement("slow_queries").status)
    if text(row, "state") == "active" and age > readings.settings.long_query:
        statuses.append(readings.judgement("long_queries").status)
    if text(row, "state").startswith("idle tx") and age >= 60.0:
        statuses.append(readings.judgement("longest_idle_in_transaction").status)
    return max(statuses)


def _session(row: Row, status: Status, depth: int) -> DrawnRow:
    """One session's cells, in the order of the columns."""
    quiet = text(row, "state") in ("idle", "hidden")
    pid, age = Shown(text(row, "pid")), row.number("for")
    by_name = {
        "pid": Cell(pid, order=float(pid)),
        "for": Cell(show_duration(age), None if status is Status.OK else status, order=age),
        "state": Cell(Shown(text(row, "state")), dim=quiet, order=text(row, "state")),
        "waits": Cell(Shown(text(row, "waits")), order=text(row, "waits")),
        "who": Cell(Shown(text(row, "application") or text(row, "user")), dim=True, order=text(row, "application")),
        "query": Cell(Shown(text(row, "query")), dim=quiet, order=text(row, "query")),
    }
    return DrawnRow(row.key, _in_order(by_name, CARD.columns), status, depth, dim=quiet)


def _in_order(by_name: dict[str, Cell], columns: tuple[Column, ...]) -> tuple[Cell, ...]:
    return tuple(by_name[column.name] for column in columns)


def _busy(drawn: list[DrawnRow]) -> int:
    """How many of the listed sessions come before the idle ones."""
    return next((place for place, row in enumerate(drawn) if row.dim and row.depth == 0), len(drawn))
