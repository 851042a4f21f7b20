"""A whole panel as lines: rule, what failed, notes, figures, titles, rows, trailer. Pure: data and room in, picture out.

    ─ 2 metrics ✖ failing ─────────────── prometheus 03:12:09Z ─
     errors    6.2 %  ✖  ▁▁▁▁▁▁▁▁◆▁▂▄▆███████   limit 5 %
    ▸POST /api/checkout        3.1 /s    41.2 % ✖  2,900 ms

What is above the rows stays; rows scroll under it and follow the cursor. What does not fit is counted (`…14 more, all ok`).
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct, field
from rich.cells import cell_len

from tui.engine.layout import DrawnRow, Layout
from tui.engine.reading import Failure, Reading, Status, worst
from tui.engine.text import EMPTY, Shown

from .figures import DrawnFigure, draw_figures
from .freshness import Freshness
from .glyphs import Glyphs
from .ink import BLANK, ROLES, Line, Piece, Role, apart, cut_line, dimmed, spaces, width_of, wrap
from .table import Fitted, RowLines, fitting, heading, row_line, tree_lines

LEAST_ROWS = 2
"""Rows that figures leave room for, however low a panel is."""
MOST_FAILURES = 2
"""Failures that are spelt out; the others are counted."""


class Frame(Struct, frozen=True):
    """The room, and with which signs it is filled; `lines` are the rows' lines as they were drawn before."""

    width: int
    height: int
    glyphs: Glyphs
    lines: RowLines = field(default_factory=RowLines)


class Head(Struct, frozen=True):
    """What stands on a panel's rule."""

    number: int
    name: Shown
    status: Status
    fresh: Freshness
    focused: bool = False
    suspected: bool = False
    lists_alerts: bool = False
    """Whether its rows are everybody's alerts, so that being well itself says nothing."""
    maintenance: Shown = EMPTY
    """What is said of the panel while it is under maintenance."""
    filter: str | None = None
    """What rows are filtered by; None where they are not."""
    typing: bool = False
    slowed: Shown = EMPTY
    """How often its source is asked, where that is not as often as the config says."""


class Held(Struct, frozen=True):
    """What a person has done to a panel's rows: where the cursor stands, what is marked, sorted and scrolled."""

    cursor: str | None = None
    """The key of the row under the cursor."""
    figure: str | None = None
    """The signal of the figure under the cursor; then no row is."""
    marked: frozenset[str] = frozenset()
    sorted_by: str | None = None
    top: int = 0


class Face(Struct, frozen=True):
    """The drawn panel. `top` is the first row shown, `shown` how many are, `wanted` the lines that would show everything."""

    lines: tuple[Line, ...]
    top: int
    shown: int
    wanted: int


def draw_face(
    head: Head, layout: Layout, rows: Sequence[DrawnRow], failures: Sequence[Reading], held: Held, frame: Frame
) -> Face:
    """The panel in its frame. `rows` are the layout's, filtered and in the order in which they are shown."""
    above = [draw_rule(head, layout, len(rows), frame)]
    above += failure_lines(failures, frame)
    for note in layout.notes:
        above += _wrapped(note, "dim", frame.width)
    titles = _titles(layout, held, rows, frame)
    figures = draw_figures(layout.figures, frame.width, frame.glyphs, held.figure if head.focused else None)
    trailer = _wrapped(layout.trailer, "dim", frame.width) if layout.trailer else []
    below = max(len(rows), 1 if layout.empty else 0) + len(trailer)
    gap = 1 if figures and (rows or titles) else 0
    wanted = len(above) + len(figures) + gap + len(titles) + below
    above += _figure_lines(figures, frame, frame.height - len(above) - len(titles) - min(LEAST_ROWS, below), head.fresh.stale)
    if gap and wanted <= frame.height + max(0, len(rows) - 4):
        above.append(BLANK)
    body, top, shown = _body(layout, rows, head, held, frame, frame.height - len(above) - len(titles))
    lines = [*above, *titles, *body][: frame.height]
    return Face(tuple(cut_line(each, frame.width) for each in lines), top, shown, wanted)


def draw_rule(head: Head, layout: Layout, count: int, frame: Frame) -> Line:
    """The line that begins a panel: number and name, status, what it is filtered by, source and freshness."""
    rule = Piece(Shown(frame.glyphs.rule), "focus" if head.focused else "faint")
    title: Role = "focus" if head.focused else "strong"
    left = [rule, spaces(1), Piece(Shown(f"{head.number} {head.name}"), title)]
    if status := status_pieces(head, frame.glyphs):
        left += [spaces(1), *status]
    if head.filter is not None:
        caret = frame.glyphs.caret if head.typing else ""
        matched = f" {count} match" + ("" if count == 1 else "es")
        left += [spaces(1), Piece(Shown(f"/{head.filter}{caret}"), "focus"), Piece(Shown(matched), "dim")]
    if head.maintenance:
        left += [spaces(2), Piece(head.maintenance, "degraded")]
    right = _rule_end(head, layout.source, rule)
    if width_of([*left, spaces(1), *right]) > frame.width:
        right = _rule_end(head, EMPTY, rule)  # how it stands goes before who says so
    if head.maintenance and width_of([*left, spaces(1), *right]) > frame.width:
        left[-1] = Piece(Shown("maintenance"), "degraded")  # until when and why stand on line 1 and among the alerts
    headline = [spaces(2), Piece(layout.headline, "dim")] if layout.headline and head.filter is None else []
    if headline and width_of([*left, *headline, *right]) + 4 <= frame.width:
        left += headline
    return apart([*left, spaces(1)], right, frame.width, rule)


def _rule_end(head: Head, source: Shown, rule: Piece) -> list[Piece]:
    """What ends a panel's rule: source, how often it is asked where that is slowed, freshness."""
    words = (Piece(source, "dim"), Piece(head.slowed, "degraded"), Piece(head.fresh.says, head.fresh.role))
    said = [part for word in words if word.text for part in (word, spaces(1))]
    return [spaces(1), *said, rule] if said else [rule]


def status_pieces(head: Head, glyphs: Glyphs) -> list[Piece]:
    """A panel's status as glyph and word; only the glyph where all is well, nothing where the rows alone say it."""
    if head.status is Status.OK and head.lists_alerts:
        return []
    word = "" if head.status is Status.OK else f" {head.status.word}"
    pieces = [Piece(Shown(f"{glyphs.status[head.status]}{word}"), ROLES[head.status])]
    return [*pieces, Piece(Shown(glyphs.change), "change")] if head.suspected else pieces


def failure_lines(failures: Sequence[Reading], frame: Frame) -> list[Line]:
    """What could not be measured, in words, and what to try; more of them than a few are counted."""
    alike: dict[tuple[str, Failure], list[Reading]] = {}
    for reading in failures:
        if reading.error is not None:
            alike.setdefault((reading.target, reading.error), []).append(reading)
    lines: list[Line] = []
    for (_, error), readings in list(alike.items())[:MOST_FAILURES]:
        lines.append(cut_line(Line(tuple(_failure(readings, frame.glyphs))), frame.width))
        if error.hint:
            lines += _wrapped(Shown(f"  try: {error.hint}"), "dim", frame.width)[:2]
    if len(alike) > MOST_FAILURES:
        lines.append(Line((Piece(Shown(f" …{len(alike) - MOST_FAILURES} more without an answer"), "dim"),)))
    return lines


def _failure(readings: Sequence[Reading], glyphs: Glyphs) -> list[Piece]:
    """What went wrong for one target; two of its probes may have failed alike."""
    reading, error = readings[0], readings[0].error
    assert error is not None
    times = [Piece(Shown(f" · {len(readings)} probes"), "dim")] if len(readings) > 1 else []
    who = f"{reading.target}: " if reading.target != reading.panel else ""
    role = ROLES[max(reading.status, Status.UNKNOWN)]
    glyph = glyphs.status[max(reading.status, Status.UNKNOWN)]
    return [spaces(1), Piece(Shown(f"{glyph} "), role), Piece(Shown(f"{who}{error.phase}: "), role), Piece(error.says), *times]


def _wrapped(text: Shown, role: Role, width: int) -> list[Line]:
    """Text in as many lines as it needs, one cell in from the left."""
    return [Line((spaces(1), Piece(part, role))) for part in wrap(text, width - 2)]


def _figure_lines(figures: Sequence[DrawnFigure], frame: Frame, room: int, stale: bool) -> list[Line]:
    """The figures' lines; those that do not fit are counted."""
    lines = [dimmed(each.line) if stale else each.line for each in figures]
    if len(lines) <= max(room, 1):
        return lines
    hidden = len(lines) - max(room, 1) + 1
    return [*lines[:-hidden], Line((Piece(Shown(f" …{hidden} more figures"), "dim"),))]


def _titles(layout: Layout, held: Held, rows: Sequence[DrawnRow], frame: Frame) -> list[Line]:
    if not rows or not any(column.title for column in layout.columns):
        return []
    return [cut_line(heading(fitting(layout, frame.width), held.sorted_by), frame.width)]


def _body(
    layout: Layout, rows: Sequence[DrawnRow], head: Head, held: Held, frame: Frame, room: int
) -> tuple[list[Line], int, int]:
    """The rows that fit, and what is said of the others."""
    if not rows:
        says = Shown("nothing matches") if head.filter else layout.empty
        return [*(_wrapped(says, "dim", frame.width) if says else []), *_foot(EMPTY, layout.trailer, frame.width)], 0, 0
    room = max(room, 1)
    calm = EMPTY if head.fresh.stale else layout.calm  # what was well some time ago is not known to be now
    count, foot = len(rows), _foot(EMPTY, layout.trailer, frame.width)
    if count > room - len(foot):
        foot = _foot(_more(rows, 0, room, calm), layout.trailer, frame.width)
        count = max(room - len(foot), 1)
    top = _top(rows, held, count)
    while 1 < count < len(rows) - top and rows[top + count - 1].heading:  # a heading without a row of its section says nothing
        count -= 1
    if count == 1 and top + 1 < len(rows) and rows[top].heading:
        top += 1
    shown = fitting(layout, frame.width)
    trees = tree_lines(rows, frame.glyphs)
    lines = [_row(row, shown, trees[place], head, held, frame) for place, row in enumerate(rows[top : top + count], top)]
    frame.lines.keep(rows[top : top + count])
    if count < len(rows):
        foot = _foot(_more(rows, top, count, calm), layout.trailer, frame.width)
    return [*lines, *foot][:room], top, count


def _foot(more: Shown, trailer: Shown, width: int) -> list[Line]:
    """What is said of rows out of sight and of what the view left out: on one line where both fit on it."""
    both = Shown(f"{more} · {trailer}")
    if more and trailer and cell_len(both) < width - 1:  # its last cell stays free, as everywhere
        return [Line((spaces(1), Piece(both, "dim")))]
    return [each for text in (more, trailer) if text for each in _wrapped(text, "dim", width)]


def _top(rows: Sequence[DrawnRow], held: Held, count: int) -> int:
    """The first row to show: where it was, moved no further than the cursor needs."""
    top = max(0, min(held.top, len(rows) - count))
    at = next((place for place, row in enumerate(rows) if row.key == held.cursor), None)
    if at is None:
        return top
    first = at - 1 if at and count > 1 and rows[at - 1].heading else at  # a section's first row, with its heading
    return min(max(top, at - count + 1), first)


def _row(row: DrawnRow, shown: Sequence[Fitted], tree: str, head: Head, held: Held, frame: Frame) -> Line:
    here = head.focused and row.key == held.cursor
    sign = spaces(1)
    if row.key in held.marked:
        sign = Piece(Shown(frame.glyphs.mark), "focus")
    elif here:
        sign = Piece(Shown(frame.glyphs.cursor), "focus")
    how = (shown, tree, sign, here, head.fresh.stale, frame.width)

    def draw() -> Line:
        return cut_line(row_line(row, shown, tree, frame.glyphs, sign, here, head.fresh.stale), frame.width)

    return frame.lines.drawn(row, how, draw)


def _more(rows: Sequence[DrawnRow], top: int, count: int, calm: Shown) -> Shown:
    """`…14 more, all ok`: how many rows are out of sight, where, and how the worst of them is."""
    before, after = ([row for row in part if not row.heading] for part in (rows[:top], rows[top + count :]))
    hidden, above, below = [*before, *after], len(before), len(after)
    where = f"…{below} more" if not above else f"…{above} above, {below} below" if below else f"…{above} above"
    status = worst(row.status for row in hidden)
    how = calm if status is Status.OK else Shown(f"worst {status.word}")
    return Shown(f"{where}, {how}") if how else Shown(where)
