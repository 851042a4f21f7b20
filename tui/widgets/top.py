"""Lines 1 and 2, and the panel bar: how bad, where, at what level, what time; the worst alert; the panels. Pure.

Lines 1 and 2 stand on every screen, always in the same place and always live.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace
from rich.cells import cell_len

from tui.engine.alert import Alert, Fold, by_badness, single
from tui.engine.clock import clock_time, day_and_time, minute
from tui.engine.escalation import in_words
from tui.engine.feed import Level, PanelState, Snapshot
from tui.engine.reading import Status
from tui.engine.text import Shown, clean
from tui.engine.units import show_duration

from .glyphs import Glyphs
from .ink import BLANK, ROLES, Line, Piece, Role, apart, cut, cut_line, spaces, width_of

LEVELS: Mapping[Level, Role] = {Level.WATCH: "dim", Level.RESPOND: "text", Level.ARMED: "strong"}
LEAST = 9
"""Cells that labels keep where a line about an alert is too long; its rule's name keeps twice as many."""


LEAST_SUSPECT = 34
"""Cells in which a suspect still says something."""


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
    right += [Piece(Shown(snapshot.level.value), LEVELS[snapshot.level]), spaces(3), Piece(clock_time(now)), spaces(1)]
    room = width - width_of([*left, *right]) - 2
    return apart(left, [*_standing(snapshot, now, room), *right], width)


def _standing(snapshot: Snapshot, now: float, room: int) -> list[Piece]:
    """What a person must know besides, as far as there is room: maintenance, who is at it, who polls, that nobody records."""
    pieces: list[Piece] = []
    for words, role in (*_maintenance(snapshot, now), *_acknowledged(snapshot), *_silenced(snapshot), *_seat(snapshot)):
        fits = next((Piece(clean(each), role) for each in words if len(each) + 3 <= room), None)
        if fits is not None:
            pieces += [*([spaces(3)] if pieces else []), fits]
            room -= len(fits.text) + 3
    return pieces


def _maintenance(snapshot: Snapshot, now: float) -> list[tuple[tuple[str, ...], Role]]:
    """Windows in force, in as many words as there is room for."""
    windows = [each for each in snapshot.silences if each.kind == "maintenance" and each.since <= now < each.until]
    if not windows:
        return []
    until = f"until {minute(max(each.until for each in windows), now)}"
    panels = {name for each in windows for name in each.panels} if all(each.panels for each in windows) else ()
    over = f" of {', '.join(sorted(panels))}" if panels else ""
    return [((f"maintenance{over} {until}", f"maintenance {until}", "maintenance"), "degraded")]


def _acknowledged(snapshot: Snapshot) -> list[tuple[tuple[str, ...], Role]]:
    """Who took on the worst that fires and was acknowledged, and how long ago: line 2 holds only what nobody has."""
    taken = [each for each in snapshot.alerts if each.state == "firing" and each.acked_by and not each.silenced]
    if not taken:
        return []
    worst = min(taken, key=by_badness)
    by = f"acked by {worst.acked_by}"
    age = f", {show_duration(snapshot.at - worst.acked_at)}" if worst.acked_at is not None else ""
    return [((f"{worst.severity} {by}{age}", f"{by}{age}", by, "acked"), "dim")]


def _silenced(snapshot: Snapshot) -> list[tuple[tuple[str, ...], Role]]:
    """The worst that fires and that a silence keeps quiet, where it would page: nothing else of lines 1 and 2 speaks of it."""
    quiet = [each for each in snapshot.alerts if each.state == "firing" and each.silenced and not each.in_maintenance]
    if not (quiet := [each for each in quiet if each.severity <= "P1"]):
        return []
    return [((f"{min(each.severity for each in quiet)} silenced", "silenced"), "degraded")]


def _seat(snapshot: Snapshot) -> list[tuple[tuple[str, ...], Role]]:
    """Who polls, only where it matters: another process does, or nobody does once this screen is closed."""
    seat = snapshot.seat
    if seat.role == "follows":
        record = "record" if seat.recorded else "another screen"
        return [((f"polled by {seat.leader or record}", "follows"), "dim")]
    if not snapshot.tells or seat.recorded:
        return []
    if snapshot.level is Level.WATCH:
        return [(("read-only: nobody is told", "nobody told"), "degraded")]
    return [(("no record: this screen is all there is", "no record"), "degraded")]


def _counts(panels: Sequence[PanelState], glyphs: Glyphs) -> list[Piece]:
    """How many panels are how, the worst first."""
    pieces: list[Piece] = []
    for status in sorted(Status, reverse=True):
        if number := sum(panel.status is status for panel in panels if panel.counts):
            pieces += [
                spaces(2 if pieces else 0),
                Piece(Shown(f"{glyphs.status[status]} {number} {status.word}"), ROLES[status]),
            ]
    return pieces


def worst_fold(snapshot: Snapshot) -> Fold | None:
    """What line 2 is about: the fold with the worst alert that wants an answer, that alert first; else the worst that may yet
    (pending). What is acknowledged or silenced is never there."""
    if not _LAST or _LAST[0][0] is not snapshot:
        _LAST[:] = [(snapshot, _worst_fold(snapshot))]
    return _LAST[0][1]


_LAST: list[tuple[Snapshot, Fold | None]] = []
"""The snapshot that was asked last, and its answer: each picture asks several times, and 200 alerts are many."""


def _worst_fold(snapshot: Snapshot) -> Fold | None:
    found = [
        (_loudness(each), fold, each)
        for fold in snapshot.folds or single(snapshot.alerts)
        for each in fold.alerts
        if each.wants_answer or (each.state == "pending" and not each.acked_by and not each.silenced)
    ]
    if not found:
        return None
    _, fold, first = min(found, key=lambda each: each[0])
    return replace(fold, alerts=(first, *(each for each in fold.alerts if each is not first)))


def _loudness(alert: Alert) -> tuple[object, ...]:
    """Firing before pending, but no P2 or P3 before what will page when it fires."""
    return (alert.severity > "P1", *by_badness(alert))


def line_two(snapshot: Snapshot, now: float, width: int, glyphs: Glyphs) -> Line:
    """` P0 ✖ error rate 6.2 % > 5 %   web   9m12s         not acked · backup due in 3m`; nothing where nothing wants an answer.

    Where room is short, how many others there are goes first, then the suspect is cut and goes, then `not acked`: the clock
    stays.
    """
    fold = worst_fold(snapshot)
    if fold is None:
        return BLANK
    alert = fold.lead
    left = [spaces(1), *alert_pieces(alert, snapshot.at, glyphs, len(fold.alerts) - 1)]
    suspect = [spaces(3), Piece(Shown(f"{glyphs.change} {alert.suspect}"), "change")] if alert.suspect else []
    said = [Piece(Shown("not acked" if alert.state == "firing" else alert.state), "dim")]
    clock = clock_pieces(snapshot, alert, now)
    stop = [Piece(Shown(" · "), "dim")] if clock else []
    whole = [*said, *stop, *clock]
    choices = [(suspect, [*whole, *_others(snapshot, fold)]), (suspect, whole)]
    room = width - width_of([*left, *whole]) - 4
    if alert.suspect and room >= LEAST_SUSPECT:
        choices.append((_suspect(alert.suspect, room, glyphs), whole))
    if clock:
        choices += [(suspect, clock), ([], whole), ([], clock)]
    for before, right in choices:
        if width_of([*left, *before, *right]) + 4 <= width:
            return apart([*left, *before], [spaces(3), *right, spaces(1)], width)
    end = [spaces(2), *clock, spaces(1)] if clock else [spaces(1)]
    return apart([spaces(1), *whole_figures(left[1:], width - 1 - width_of(end))], end, width)


def _suspect(text: Shown, room: int, glyphs: Glyphs) -> list[Piece]:
    """The likeliest cause in so many cells: what it is may be cut, how long before never."""
    what, comma, lead = text.rpartition(", ")
    least = room - 3 - cell_len(f"{glyphs.change} {comma}{lead}")
    return [spaces(3), Piece(Shown(f"{glyphs.change} {cut(Shown(what), least)}{comma}{lead}"), "change")]


def _others(snapshot: Snapshot, shown: Fold) -> list[Piece]:
    """How many other lines want an answer."""
    more = sum(any(each.wants_answer for each in fold.alerts) and fold.key != shown.key for fold in snapshot.folds)
    return [Piece(Shown(f" · {more} more"), "dim")] if more else []


def clock_pieces(snapshot: Snapshot, alert: Alert, now: float) -> list[Piece]:
    """`backup due in 3m`; in its last minute it counts down by the second."""
    clock = next((each for each in snapshot.escalations if each.fingerprint == alert.fingerprint), None)
    if clock is None or alert.state != "firing":
        return []
    state = clock.state(now)
    late = state in ("due", "overdue") or clock.unreached or (clock.due is not None and clock.due - now < 60)
    role: Role = "failing" if late and not clock.partly else "degraded"
    return [Piece(Shown(in_words(clock, now).removeprefix("not acked · ")), role)]


def notice_line(snapshot: Snapshot, glyphs: Glyphs) -> Line:
    """What is wrong with Watchfloor itself, and deeds of an earlier run whose outcome nobody knows; else nothing."""
    notices = [
        Shown(f"begun {when}, outcome never recorded: {each.action} {each.what}  (: deals with it)")
        for each in snapshot.open_intents
        for when in [day_and_time(each.at, snapshot.at)]
    ]
    notices += snapshot.warnings
    if not notices:
        return BLANK
    more = f"  · {len(notices) - 1} more" if len(notices) > 1 else ""
    status = Status.UNKNOWN if snapshot.open_intents else Status.DEGRADED
    sign = Piece(Shown(f"{glyphs.status[status]} "), ROLES[status])
    return Line((spaces(1), sign, Piece(notices[0]), Piece(Shown(more), "dim")))


def alert_pieces(alert: Alert, at: float, glyphs: Glyphs, more: int = 0) -> list[Piece]:
    """`P0 ✖ error rate 6.2 % > 5 %   web +2   9m12s`; `more` others stand behind it in its fold."""
    role: Role = ROLES[alert.status]
    labels = alert.name.removeprefix(alert.rule)
    return [
        Piece(Shown(f"{alert.severity} {glyphs.status[alert.status]} {clean(alert.rule)}"), role),
        Piece(clean(labels)),
        Piece(Shown(f" {alert.wrong}"), role),
        spaces(2),
        Piece(clean(f"{alert.panel} +{more}" if more else alert.panel)),
        spaces(2),
        Piece(show_duration(at - alert.since)),
    ]


def whole_figures(pieces: Sequence[Piece], room: int) -> list[Piece]:
    """The pieces of an alert in so many cells: its labels are cut first, then its rule's name, so that what is wrong, where and
    since when stay."""
    name, labels, *rest = pieces
    excess = width_of(pieces) - room
    if excess <= 0:
        return [name, labels, *rest]
    shorter = labels._replace(text=cut(labels.text, max(cell_len(labels.text) - excess, min(LEAST, cell_len(labels.text)))))
    excess -= cell_len(labels.text) - cell_len(shorter.text)
    if excess > 0:
        name = name._replace(text=cut(name.text, max(cell_len(name.text) - excess, 2 * LEAST)))
    return [name, shorter, *rest]


def panel_bar(panels: Sequence[PanelState], focused: str, width: int, glyphs: Glyphs) -> Line:
    """` 1 health ●   2 metrics ✖ …`: every panel with its status, the one shown in the focus colour; numbers where short."""
    listed = {panel.name: _listed(panel) for panel in panels if lists_alerts(panel)}
    for names in (24, 8, 0):
        bar = _bar(panels, listed, focused, names, glyphs)
        if width_of(bar.pieces) <= width:
            return bar
    return cut_line(bar, width)


def _bar(panels: Sequence[PanelState], listed: Mapping[str, Piece | None], focused: str, names: int, glyphs: Glyphs) -> Line:
    pieces: list[Piece] = [spaces(1)]
    for number, panel in enumerate(panels, 1):
        role: Role = "focus" if panel.name == focused else "dim"
        letters = names or (8 if panel.name in listed else 0)  # a bare count beside a bare number would read as neither
        name = f" {clean(panel.name, letters)}" if letters else ""
        pieces += [
            spaces(3 if number > 1 else 0),
            Piece(Shown(f"{number}{name} "), role),
            listed.get(panel.name) or Piece(Shown(glyphs.status[panel.status]), ROLES[panel.status] if panel.status else "dim"),
        ]
        if suspects_here(panel):
            pieces.append(Piece(Shown(glyphs.change), "change"))
    return Line(tuple(pieces))


def lists_alerts(panel: PanelState) -> bool:
    """Whether the panel's rows are everybody's alerts."""
    return panel.card is not None and panel.card.lists_alerts


def _listed(panel: PanelState) -> Piece | None:
    """How many lines of alerts are open, as bad as the worst that wants an answer; nothing where there is none, or nobody
    knows."""
    lines = [each for each in panel.folds if any(alert.open for alert in each.alerts)]
    if not lines or panel.status is Status.UNKNOWN:
        return None
    worst = max((alert.status for fold in lines for alert in fold.alerts if alert.wants_answer), default=None)
    return Piece(Shown(str(len(lines))), "dim" if worst is None else ROLES[worst])


def suspects_here(panel: PanelState) -> bool:
    """Whether a change that stands in this panel is suspected of what is wrong."""
    readings = (each.good for each in panel.probes if each.good)
    return any(change.key in panel.suspected for reading in readings for change in reading.changes)
