"""Lines 3 and 4 while one looks back: how far, and where that is among the alerts and changes. Pure.

◀◀ 03:02:30Z   9m42s ago · not live · actions off                    esc: live
02:12 ──────────────────────────────────────────◆┃─P0━━━━P1━━━━━━━━━━━━━━━━ now
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable

from tui.engine.clock import clock_time, date_time
from tui.engine.rewind import DAY, Rewound
from tui.engine.store_marks import Mark
from tui.engine.text import Shown, clean
from tui.engine.units import show_duration

from .glyphs import Glyphs
from .ink import Line, Piece, Role, apart, joined, spaces

LATE = 60.0
"""Seconds for which nothing was recorded before a moment, after which that is said."""


def rewound_lines(past: Rewound, now: float, width: int, glyphs: Glyphs) -> list[Line]:
    """Both lines; `now` is the UTC second of the newest snapshot, so that they move with the polls."""
    return [_says(past, now, width, glyphs), scrub_bar(past, now, width, glyphs)]


def _says(past: Rewound, now: float, width: int, glyphs: Glyphs) -> Line:
    when = date_time(past.at) if _day(past.at) != _day(now) else clock_time(past.at)
    left = [spaces(1), Piece(Shown(f"{glyphs.back} {when}"), "alarm"), spaces(3)]
    left.append(Piece(Shown(f"{show_duration(now - past.at)} ago · not live · actions off"), "strong"))
    if problem := _problem(past):
        left.append(Piece(Shown(f" · {problem}"), "unknown"))
    return apart(left, [spaces(2), Piece(Shown("esc: live"), "key"), spaces(1)], width)


def _problem(past: Rewound) -> Shown:
    """What a person must know to read the figures rightly."""
    if past.problem:
        return past.problem
    if past.recorded is None:
        return Shown("nothing was recorded then")
    if past.at - past.recorded > max(LATE, past.step):
        return clean(f"nothing recorded since {clock_time(past.recorded)}")
    return Shown(f"one picture each {show_duration(past.step).removesuffix('00s')}") if past.step else Shown("")


def _day(at: float) -> datetime.date:
    return datetime.datetime.fromtimestamp(at, datetime.UTC).date()


def scrub_bar(past: Rewound, now: float, width: int, glyphs: Glyphs) -> Line:
    """From the start of the axis until now: changes, alerts as long as they fired, and where one is."""
    first = Shown(clock_time(past.start)[:5] if now - past.start <= DAY else date_time(past.start)[:10])
    cells = max(10, width - len(first) - 7)
    step = (now - past.start) / cells

    def place(at: float) -> int:
        return max(0, min(int((at - past.start) / step), cells - 1))

    drawn: list[tuple[str, Role]] = [(glyphs.rule, "faint")] * cells
    spans = sorted(_spans(past.marks, now), key=lambda each: each[2], reverse=True)  # the worst over the others
    for began, ended, severity in spans:
        for at in range(place(began), place(ended) + 1):
            drawn[at] = (glyphs.lasts, _role(severity))
    here = place(past.at)
    # A deployment may be seen long after it was made.
    changes = {place(mark.at) for mark in past.marks if mark.kind == "change" and mark.at >= past.start}
    taken = {here, *changes}
    for began, _, severity in reversed(spans):  # the worst first: a name stands whole, or not at all
        first_cell = next((at for at in range(place(began), cells) if at not in taken), cells)
        first_cell = min(first_cell, cells - len(severity))
        name = range(first_cell, first_cell + len(severity))
        if first_cell > place(began) + 2 or not taken.isdisjoint(name):
            continue
        taken |= set(name)
        for at, character in zip(name, severity, strict=True):
            drawn[at] = (character, _role(severity))
    for at in changes:
        drawn[at] = (glyphs.change, "change")
    drawn[here] = (glyphs.change if drawn[here][1] == "change" else glyphs.begins, "focus")
    pieces = joined(Piece(Shown(text), part) for text, part in drawn)
    return Line((spaces(1), Piece(first, "dim"), spaces(1), *pieces, spaces(1), Piece(Shown("now"), "dim")))


def _role(severity: str) -> Role:
    return "failing" if severity <= "P1" else "degraded"


def _spans(marks: Iterable[Mark], now: float) -> list[tuple[float, float, str]]:
    """From when to when each alert fired, and its severity; one that has not ended fires until now."""
    since: dict[tuple[str, str], Mark] = {}
    spans = []
    for mark in marks:
        key = (mark.panel, mark.title)
        if mark.kind == "fired":
            since.setdefault(key, mark)
        elif mark.kind == "resolved" and key in since:
            began = since.pop(key)
            spans.append((began.at, mark.at, began.severity))
    return spans + [(each.at, now, each.severity) for each in since.values()]
