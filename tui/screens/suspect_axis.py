"""What may have caused an alert, on one axis of time, with the evidence. Pure.

02:48Z ──────────────────────◆────┃━━━━━━━━━━━━━━━━━━━━ 03:12:12Z
◆ deploy 9f3c2a1      1m20s before   touches it   main: checkout in one step
✖ P1 connections      3m32s before
"""

from __future__ import annotations

from itertools import zip_longest

from rich.cells import cell_len

from tui.engine.alert import Alert, Suspect
from tui.engine.clock import clock_time
from tui.engine.suspects import BEFORE
from tui.engine.text import EMPTY, Shown, clean
from tui.engine.units import show_duration
from tui.widgets.glyphs import Glyphs
from tui.widgets.ink import Line, Piece, Role, cut_line, fit, joined, spaces, wrap

LISTED = 8
NAME, LEAD = 40, 13
"""Cells of what happened, at the most, and of how long before."""


def suspect_lines(alert: Alert, at: float, width: int, glyphs: Glyphs) -> list[Line]:
    """The heading, the axis, and each suspect with what speaks for it, the likeliest first."""
    heading = Line((spaces(1), Piece(Shown("suspects"), "strong")))
    if not alert.suspects:
        says = f"{glyphs.change} {alert.suspect}" if alert.suspect else f"nothing seen in the {show_duration(BEFORE)} before it"
        return [heading, Line((spaces(1), Piece(Shown(says), "change" if alert.suspect else "dim")))]
    shown = alert.suspects[:LISTED]
    name = min(NAME, max(12, width // 3), max(cell_len(each.what) for each in shown))
    lines = [
        heading,
        _axis(alert, at, width, glyphs),
        *(line for each in shown for line in _suspect(each, name, width, glyphs)),
    ]
    more = len(alert.suspects) - len(shown)
    return [*lines, Line((spaces(1), Piece(Shown(f"…{more} more, less likely"), "dim")))] if more else lines


def _axis(alert: Alert, at: float, width: int, glyphs: Glyphs) -> Line:
    """From 15 minutes before it began until now: what happened, when it began, and for how long it has been."""
    start, end = alert.since - BEFORE, max(alert.ended or at, alert.since + 60)
    first, last = clock_time(start), clock_time(end)
    cells = max(10, width - len(first) - len(last) - 6)
    step = (end - start) / cells
    began = min(int((alert.since - start) / step), cells - 1)
    marks = {min(max(int((each.at - start) / step), 0), cells - 1): each for each in reversed(alert.suspects)}
    pieces = [spaces(1), Piece(first, "dim"), spaces(1)]
    for cell in range(cells):
        if cell in marks:
            pieces.append(_sign(marks[cell], glyphs))
        elif cell == began:
            pieces.append(Piece(Shown(glyphs.begins), "failing"))
        else:
            pieces.append(Piece(Shown(glyphs.lasts if cell > began else glyphs.rule), "failing" if cell > began else "faint"))
    return Line((*joined(pieces), spaces(1), Piece(last, "dim")))


def _sign(suspect: Suspect, glyphs: Glyphs) -> Piece:
    if suspect.kind == "alert":
        return Piece(Shown(glyphs.begins), "degraded")
    return Piece(Shown(glyphs.change), "change")


def _suspect(suspect: Suspect, name: int, width: int, glyphs: Glyphs) -> list[Line]:
    """What happened, how long before, and what speaks for it; what touches the alert's own thing stands out."""
    lead = clean(f"{show_duration(suspect.lead)} before")
    room = max(20, width - name - LEAD - 6)
    role: Role = "strong" if suspect.touches else "text"
    lines = []
    for order, (what, words) in enumerate(zip_longest(wrap(suspect.what, name), wrap(suspect.evidence, room), fillvalue=EMPTY)):
        first = order == 0
        head = [spaces(1), _sign(suspect, glyphs) if first else spaces(1), spaces(1), Piece(fit(what, name), role), spaces(1)]
        head += [Piece(fit(lead if first else EMPTY, LEAD)), spaces(1)]
        lines.append(cut_line(Line((*head, Piece(words, "dim"))), width))
    return lines
