"""Lines of alerts → what is drawn: what fires, what may, what is over, what is silenced; a section each, the worst first."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from tui.engine.alert import Alert, Fold
from tui.engine.clock import day_and_time, minute, moment
from tui.engine.escalation import Escalation, in_few_words, in_words
from tui.engine.history import Trends
from tui.engine.layout import Cell, Column, DrawnRow, Layout, Room
from tui.engine.panel import Readings
from tui.engine.reading import Status
from tui.engine.silences import Silence
from tui.engine.silences import in_words as matchers_in_words
from tui.engine.text import EMPTY, Shown, clean
from tui.engine.units import NOT_MEASURED, show, show_duration

from . import CARD
from .config import AlertsConfig

SECTIONS = (("firing", "firing"), ("pending", "pending"), ("resolved", "over lately"))
"""A line's state, and what stands above its section."""
WIDE, ENOUGH = 100, 56
"""Cells from which what was said of an alert is told whole, and from which it has a column at all; below, it stands in the
value's place once it was said."""
WHOLE, SHORT = 36, 13
"""How wide that column is."""
VALUE, UNKNOWN = 24, len("unknown 03:11Z")
"""How wide the value's column may be where there is room, and what is never cut of it."""
BESIDE, COUNT = 32, 6
"""Cells of a narrow line that are neither name nor value, and those that a count takes besides."""
NAME = 20
"""So much of a rule's name goes before the column of what was said of it."""
APART = 3
"""Cells between two columns, at the most."""
SAID = len("acked 03:11Z")
"""What was said of a line, where it stands in the value's place."""


def view(readings: Readings, history: Trends, room: Room) -> Layout:
    """A row a line of alerts, by state; then the silences and windows in force."""
    clocks = {each.fingerprint: each for each in readings.escalations}
    columns = _columns(readings.folds, room)
    rows: list[DrawnRow] = []
    for state, heading in SECTIONS:
        found = [fold for fold in readings.folds if fold.lead.state == state]
        if found and (rows or state != "firing"):
            rows.append(_heading(heading, len(columns)))
        rows += [_drawn(fold, clocks, room, columns) for fold in found]
    if readings.silences:
        rows.append(_heading("silences", len(columns)))
        rows += [_silence(each, room.now, columns) for each in readings.silences]
    reading = readings.one("alerts")
    return Layout(
        headline=_headline(readings.folds),
        source=Shown(reading.target) if reading else EMPTY,
        notes=reading.notes if reading else (),
        columns=columns,
        rows=tuple(rows),
        empty=_empty(readings),
        calm=EMPTY,
    )


def _headline(folds: Sequence[Fold]) -> Shown:
    """`2 firing, 1 not acked, 1 pending`; nothing where the line below says that nothing fires, or that nobody knows."""
    firing = [fold for fold in folds if fold.lead.state == "firing"]
    parts = [f"{len(firing)} firing"] if firing else []
    if wanting := sum(fold.wants_answer for fold in firing):
        parts.append(f"{wanting} not acked")
    if pending := sum(fold.lead.state == "pending" for fold in folds):
        parts.append(f"{pending} pending")
    return clean(", ".join(parts))


def _empty(readings: Readings) -> Shown:
    """What no rows mean; that a source has not answered is no calm."""
    config: AlertsConfig = readings.settings
    asked = bool(getattr(config, "alertmanager", None) or getattr(config, "prometheus", None))
    return Shown("no answer yet") if asked and readings.one("alerts") is None else Shown("nothing fires")


def _columns(folds: Sequence[Fold], room: Room) -> tuple[Column, ...]:
    """The card's columns that there is room and use for, no wider than what stands in them."""
    lost = {"count"} if all(fold.count < 2 for fold in folds) else set()
    value = max((len(_value(fold.lead, room.now)) for fold in folds), default=0)
    name = min(max((len(_name(fold)) for fold in folds), default=0), NAME)
    wide = room.width >= WIDE
    least = UNKNOWN if any(fold.lead.unknown_since is not None for fold in folds) else SHORT
    spare = room.width - BESIDE - name - (0 if lost else COUNT)
    if room.width < ENOUGH or (not wide and spare < min(max(value, 5), least)):
        lost.add("says")
        spare += SHORT + APART - 1
        value = max(value, SAID if any(_said(fold.lead) for fold in folds) else 0)
    most = VALUE if wide else min(VALUE, max(least, spare))
    widths = {"value": min(max(value, 5), most), "says": WHOLE if wide else SHORT}
    kept = (each for each in CARD.columns if each.name not in lost)
    return tuple(replace(each, width=widths[each.name]) if each.name in widths else each for each in kept)


def _heading(text: str, columns: int) -> DrawnRow:
    cells = [Cell(), Cell(Shown(text), dim=True), *(Cell() for _ in range(columns - 2))]
    return DrawnRow(f"heading:{text}", tuple(cells), heading=True, dim=True)


def _drawn(fold: Fold, clocks: dict[str, Escalation], room: Room, columns: Sequence[Column]) -> DrawnRow:
    """One line's cells."""
    lead, now, name = fold.lead, room.now, _with_why(fold, room, columns)
    over, quiet = not lead.open, not fold.wants_answer
    status = None if over else lead.status
    width = next((each.width for each in columns if each.name == "says"), 0)
    says = _says(fold, clocks, now) if width == WHOLE else _in_short(fold, clocks, now)
    age = (lead.ended or now) - lead.since
    cells = {
        "severity": Cell(Shown(lead.severity), status, order=lead.severity, dim=over),
        "alert": Cell(name, order=name, dim=over),
        "count": Cell(Shown(f"+{fold.count - 1}") if fold.count > 1 else EMPTY, order=float(fold.count), dim=quiet),
        "value": Cell(says if not width and _said(lead) else _value(lead, now), dim=quiet or over, order=lead.value),
        "age": Cell(show_duration(age), dim=quiet, order=age),
        "says": Cell(says, dim=quiet, order=says),
    }
    return DrawnRow(fold.key, tuple(cells[each.name] for each in columns), Status.OK if quiet else lead.status, dim=over)


def _with_why(fold: Fold, room: Room, columns: Sequence[Column]) -> Shown:
    """The name, and behind it what holds the line together, where that is not cut."""
    name = _name(fold)
    whole = clean(f"{name} · {fold.why}") if fold.why else name
    taken = sum(each.width + APART for each in columns if each.name != "alert")
    return whole if room.width >= WIDE or len(whole) + APART <= room.width - taken else name


def _name(fold: Fold) -> Shown:
    """What is wrong, with what it is about."""
    lead = fold.lead
    which = lead.target or " ".join(value for _, value in lead.labels if not lead.source)
    return clean(lead.named(which))


def _value(alert: Alert, now: float) -> Shown:
    """`6.2 % > 5 %`; the rule's own words where value and limit do not say it."""
    if alert.unknown_since is not None and alert.open:
        return clean(f"unknown {minute(alert.unknown_since, now)}")
    if alert.says or alert.source:
        return alert.says or (NOT_MEASURED if alert.value is None else show(alert.value, "count"))
    return alert.wrong


def _said(alert: Alert) -> bool:
    return bool(alert.acked_by or alert.silenced)


def _says(fold: Fold, clocks: dict[str, Escalation], now: float) -> Shown:
    """What was said of a line: what came back, whose clock runs out first, who took it on, what keeps it quiet."""
    lead = fold.lead
    if lead.state == "resolved":
        return clean(f"over {moment(lead.ended, now)}") if lead.ended else Shown("over")
    if first := _first(fold, clocks):
        return clean(f"{fold.joined} · {in_words(first, now)}") if fold.joined else in_words(first, now)
    if lead.in_maintenance:
        return lead.silenced
    if lead.silenced:
        return clean(f"silenced {lead.silenced}")
    if lead.acked_by:
        return clean(f"acked {moment(lead.acked_at or now, now)} {lead.acked_by}")
    return Shown("not acked") if lead.state == "firing" else EMPTY


def _in_short(fold: Fold, clocks: dict[str, Escalation], now: float) -> Shown:
    """The same where there is little room: the clock without its words before, who took it on without their name."""
    lead = fold.lead
    if lead.state == "resolved":
        return clean(f"over {minute(lead.ended, now)}") if lead.ended else _says(fold, clocks, now)
    if fold.wants_answer:
        first = _first(fold, clocks)
        return in_few_words(first, now) if first else Shown("not acked")
    if lead.in_maintenance or lead.silenced:
        return Shown("maintenance") if lead.in_maintenance else Shown("silenced")
    return clean(f"acked {minute(lead.acked_at, now)}") if lead.acked_at is not None else _says(fold, clocks, now)


def _first(fold: Fold, clocks: dict[str, Escalation]) -> Escalation | None:
    """The clock of the line that runs out first; None where none runs."""
    running = [clocks[each] for each in fold.fingerprints if each in clocks]
    return min(running, key=lambda each: (each.due or each.acknowledge_by, each.fingerprint), default=None)


def _silence(silence: Silence, now: float, columns: Sequence[Column]) -> DrawnRow:
    """One silence or window: what it covers, how old it is, until when, by whom and why, and that it matches nothing."""
    covers = matchers_in_words(silence.matchers) or clean(", ".join(silence.panels) or "everything")
    where = f" in {silence.at}" if silence.at else ""
    who = silence.who or (Shown("config") if silence.from_config else EMPTY)
    until = clean(f"until {day_and_time(silence.until, now)} {who}{where}: {silence.reason}")
    if any(each.name == "says" and each.width == SHORT for each in columns):
        until = clean(f"until {minute(silence.until, now)}")
    idle = not silence.hides and silence.kind == "silence"
    count = Shown("hides none") if idle else clean(f"hides {len(silence.hides)}")
    cells = {
        "severity": Cell(EMPTY),
        "alert": Cell(clean(f"{'maintenance ' if silence.kind == 'maintenance' else ''}{covers}"), order=covers),
        "count": Cell(EMPTY),
        "value": Cell(count, dim=not idle, order=float(len(silence.hides))),
        "age": Cell(show_duration(now - silence.since), dim=True, order=now - silence.since),
        "says": Cell(until, dim=True, order=until),
    }
    return DrawnRow(f"silence:{silence.id or covers}", tuple(cells[each.name] for each in columns))
