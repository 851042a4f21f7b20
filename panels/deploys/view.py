"""Deployments → what is drawn: the newest first, which one serves, what followed it, which was good before it."""

from __future__ import annotations

from msgspec.structs import replace

from tui.engine.clock import moment
from tui.engine.history import Trends
from tui.engine.layout import Cell, Column, DrawnRow, Fact, Facts, Layout, Room
from tui.engine.panel import Readings
from tui.engine.reading import Reading, Row, Status
from tui.engine.text import EMPTY, Shown
from tui.engine.units import NOT_MEASURED, show_count, show_duration, show_ratio

from . import CARD
from .last_good import Choice, NothingGood, choose, text, title

DAY = 86400.0
WIDE = 70
"""Cells from which branches and what is said get more room, and the rest only what is left."""


def view(readings: Readings, history: Trends, room: Room) -> Layout:
    """A row a deployment; the one that serves says `live` in place of `ready`."""
    reading = readings.one("deployments")
    if reading is None:
        return Layout(columns=CARD.columns, empty=Shown("no answer yet"))
    rows = sorted(reading.rows, key=lambda row: -(row.number("created") or 0.0))
    try:
        choice = choose(rows, readings.suspected)
    except NothingGood:
        choice = None
    live = next((row for row in rows if row.cells.get("live") is True), None)
    stale = (reading.target, reading.probe) in readings.stale
    return Layout(
        headline=_headline(reading, live, room.now),
        source=Shown("vercel"),
        figures=(Facts(_facts(reading, readings, live, room.now)),) if rows else (),
        notes=reading.notes,
        columns=_columns(rows, room),
        rows=tuple(_drawn(row, readings, choice, room.now, stale) for row in rows),
        empty=Shown("nothing was ever deployed") if reading.error is None else EMPTY,
    )


def _headline(reading: Reading, live: Row | None, now: float) -> Shown:
    """What serves, for how long, and what is coming."""
    parts = [f"live {title(live)}, {_age(live, now)}" if live else "which one serves is not known"]
    if reading.value("newest_failed"):
        parts.append("the newest failed")
    if building := reading.value("building"):
        parts.append(f"{show_count(building)} building")
    return Shown(", ".join(parts))


def _facts(reading: Reading, readings: Readings, live: Row | None, now: float) -> tuple[Fact, ...]:
    """The figures on one line, the most wanted first."""
    serving = Shown(f"{text(live, 'commit')} for {_age(live, now)}") if live else Shown("not known")
    failed, success = reading.value("deployments_failed_24h"), reading.value("success_rate")
    facts = [
        Fact(Shown("live"), serving),
        Fact(Shown("failed 24h"), show_count(failed), _judged(readings, "deployments_failed_24h"), "deployments_failed_24h"),
        Fact(Shown("success"), show_ratio(success, 0), _judged(readings, "success_rate"), "success_rate"),
    ]
    if building := reading.value("building"):
        facts.append(Fact(Shown("building"), show_count(building), key="building"))
    return tuple(facts)


def _judged(readings: Readings, key: str) -> Status | None:
    status = readings.judgement(key).status
    return None if status is Status.OK else status


def _age(row: Row, now: float) -> Shown:
    """How long it has been serving, or is there, at the view's moment."""
    at = row.number("live_since") or row.number("created")
    return show_duration(None if at is None else now - at)


def _columns(rows: list[Row], room: Room) -> tuple[Column, ...]:
    """The card's columns, no wider than what stands in them: the room is the text's."""
    branch = max((len(text(row, "branch")) for row in rows), default=0)
    state = max((len(_state(row)) + 2 * bool(row.status) for row in rows), default=0)
    wide = room.width >= WIDE
    widths = {"branch": min(branch, 18 if wide else 10), "state": max(state, 5), "says": 30 if wide else 16}
    return tuple(replace(each, width=widths[each.name]) if each.name in widths else each for each in CARD.columns)


def _state(row: Row) -> Shown:
    """`live` where it serves; else the state's word."""
    return Shown("live") if row.cells.get("live") is True else text(row, "state")


def _drawn(row: Row, readings: Readings, choice: Choice | None, now: float, stale: bool) -> DrawnRow:
    """One deployment's cells, in the order of the columns."""
    live = row.cells.get("live") is True
    status = _status(row, now)
    quiet = not live and status is Status.OK
    at = row.number("live_since") or row.number("created")
    says, speaks = _says(row, readings, choice)
    cells = {
        "commit": Cell(text(row, "commit"), dim=quiet, order=text(row, "commit")),
        "branch": Cell(text(row, "branch") or NOT_MEASURED, dim=quiet, order=text(row, "branch")),
        "state": Cell(_state(row), None if status is Status.OK else status, dim=quiet, order=_state(row)),
        "at": Cell(moment(at, now) if at is not None else NOT_MEASURED, dim=quiet, order=at),
        "says": Cell(says, dim=not speaks, order=says),
        "author": Cell(text(row, "author"), dim=True, order=text(row, "author")),
        "built_in": Cell(show_duration(row.number("built_in")), dim=True, order=row.number("built_in")),
    }
    return DrawnRow(row.key, tuple(cells[each.name] for each in CARD.columns), status, dim=stale)


def _status(row: Row, now: float) -> Status:
    """As the source says; what failed more than a day ago is history, and no colour on a screen where all is well."""
    created = row.number("created")
    return Status.OK if row.status is Status.FAILING and created is not None and now - created > DAY else row.status


def _says(row: Row, readings: Readings, choice: Choice | None) -> tuple[Shown, bool]:
    """What there is to say of it, and whether that is more than its commit's message."""
    message = text(row, "message")
    followed = readings.suspected.get(row.key) or readings.suspected.get(text(row, "pointed"))
    if followed:
        return Shown(f"◆ {followed}"), True
    for said in (text(row, "pointing"), text(row, "error"), Shown("rolled back") if row.cells.get("rolled_back") else EMPTY):
        if said:
            return said, True
    if choice and choice.good is row:
        good = f"last good, {show_duration(row.number('served_for'))}"
        return Shown(f"{good} · {message}" if message else good), True
    return message, False
