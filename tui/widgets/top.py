"""Lines 1 and 2, and the panel bar: how bad, where, at what level, what time; the worst alert; the panels. Pure.

Lines 1 and 2 stand on every screen, always in the same place and always live.
"""

from __future__ import annotations

from collections.abc import Sequence

from tui.engine.alert import Alert
from tui.engine.clock import clock_time
from tui.engine.feed import Level, PanelState, Snapshot
from tui.engine.reading import Status
from tui.engine.text import EMPTY, Shown, clean
from tui.engine.units import show, show_duration, show_limit

from .glyphs import Glyphs
from .ink import BLANK, ROLES, Line, Piece, Role, apart, cut_line, spaces, width_of


def line_one(snapshot: Snapshot, now: float, frozen: float | None, width: int, glyphs: Glyphs) -> Line:
    """` shop · PRODUCTION    ✖ 2 failing  ● 3 ok          respond   03:12:12Z`; `now` is UTC seconds."""
    environment = Shown(snapshot.environment.upper() if snapshot.production else snapshot.environment)
    left = [spaces(1), Piece(snapshot.name, "strong")]
    if environment:
        left += [Piece(Shown(" · "), "dim"), Piece(environment, "strong" if snapshot.production else "dim")]
    left += [spaces(4), *_counts(snapshot.panels, glyphs)]
    right: list[Piece] = [spaces(2)]
    if frozen is not None:
        right += [Piece(Shown(f" FROZEN {clock_time(frozen)} "), "alarm"), spaces(2)]
    level: Role = {Level.WATCH: "dim", Level.RESPOND: "text", Level.ARMED: "strong"}[snapshot.level]  # type: ignore[assignment]
    right += [Piece(Shown(snapshot.level.value), level), spaces(3), Piece(clock_time(now)), spaces(1)]
    return apart(left, right, width)


def _counts(panels: Sequence[PanelState], glyphs: Glyphs) -> list[Piece]:
    """How many panels are how, the worst first."""
    pieces: list[Piece] = []
    for status in sorted(Status, reverse=True):
        if number := sum(panel.status is status for panel in panels):
            pieces += [
                spaces(2 if pieces else 0),
                Piece(Shown(f"{glyphs.status[status]} {number} {status.word}"), ROLES[status]),
            ]
    return pieces


def line_two(snapshot: Snapshot, width: int, glyphs: Glyphs) -> Line:
    """The worst alert that nobody has acknowledged, and its suspect; nothing where there is none."""
    alerts = sorted(
        (each for each in snapshot.alerts if each.state != "resolved" and not each.acked_by),
        key=lambda each: (each.severity, each.state != "firing", each.since),
    )
    if not alerts:
        return BLANK
    alert = alerts[0]
    left = [spaces(1), *alert_pieces(alert, snapshot.at, glyphs)]
    if alert.suspect:
        left += [spaces(3), Piece(Shown(f"{glyphs.change} {alert.suspect}"), "change")]
    more = f" · {len(alerts) - 1} more" if len(alerts) > 1 else ""
    right = [spaces(3), Piece(Shown(f"{alert.state}{more}"), "dim"), spaces(1)]
    fits = width_of([*left, *right]) <= width
    return apart(left, right, width) if fits or not alert.suspect else cut_line(Line(tuple(left)), width)


def notice_line(snapshot: Snapshot, glyphs: Glyphs) -> Line:
    """What is wrong with Watchfloor itself, and deeds of an earlier run whose outcome nobody knows; else nothing."""
    notices = [
        Shown(f"begun {clock_time(each.at)}, outcome never recorded: {each.action} {each.what}  (: deals with it)")
        for each in snapshot.open_intents
    ]
    notices += snapshot.warnings
    if not notices:
        return BLANK
    more = f"  · {len(notices) - 1} more" if len(notices) > 1 else ""
    status = Status.UNKNOWN if snapshot.open_intents else Status.DEGRADED
    sign = Piece(Shown(f"{glyphs.status[status]} "), ROLES[status])
    return Line((spaces(1), sign, Piece(notices[0]), Piece(Shown(more), "dim")))


def alert_pieces(alert: Alert, at: float, glyphs: Glyphs) -> list[Piece]:
    """`P0 ✖ error rate 6.2 % > 5 %   web   9m12s`; a pending one is not drawn as loud as a firing one."""
    role: Role = ROLES[alert.status]
    sign = ">" if alert.way == "above" else "<"
    labels = " ".join(value for _, value in alert.labels)
    return [
        Piece(Shown(f"{alert.severity} {glyphs.status[alert.status]} {clean(alert.rule)}"), role),
        Piece(clean(f" {labels}") if labels else EMPTY),
        Piece(Shown(f" {show(alert.value, alert.unit)} {sign} {show_limit(alert.threshold, alert.unit)}"), role),
        spaces(2),
        Piece(clean(alert.panel)),
        spaces(2),
        Piece(show_duration(at - alert.since)),
    ]


def panel_bar(panels: Sequence[PanelState], focused: str, width: int, glyphs: Glyphs) -> Line:
    """` 1 health ●   2 metrics ✖ …`: every panel with its status, the one shown in the focus colour; numbers where short."""
    for names in (24, 8, 0):
        bar = _bar(panels, focused, names, glyphs)
        if width_of(bar.pieces) <= width:
            return bar
    return cut_line(bar, width)


def _bar(panels: Sequence[PanelState], focused: str, names: int, glyphs: Glyphs) -> Line:
    pieces: list[Piece] = [spaces(1)]
    for number, panel in enumerate(panels, 1):
        role: Role = "focus" if panel.name == focused else "dim"
        name = f" {clean(panel.name, names)}" if names else ""
        pieces += [
            spaces(3 if number > 1 else 0),
            Piece(Shown(f"{number}{name} "), role),
            Piece(Shown(glyphs.status[panel.status]), "dim" if panel.status is Status.OK else ROLES[panel.status]),
        ]
        if suspects_here(panel):
            pieces.append(Piece(Shown(glyphs.change), "change"))
    return Line(tuple(pieces))


def suspects_here(panel: PanelState) -> bool:
    """Whether a change that stands in this panel is suspected of what is wrong."""
    readings = (each.good for each in panel.probes if each.good)
    return any(change.key in panel.suspected for reading in readings for change in reading.changes)
