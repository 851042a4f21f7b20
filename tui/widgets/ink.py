"""A drawn line as data: pieces of shown text, each with the part it plays. No colours, no Textual.

Every widget's picture is made by pure functions of these types, so that a test can print it, and compared with the picture
before it, so that only what changed goes to the terminal. Widths are in terminal cells: `日` takes two.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

from rich.cells import cell_len, set_cell_size

from tui.engine.reading import Status
from tui.engine.text import CUT, EMPTY, Shown

Role = Literal[
    "text", "dim", "faint", "ok", "degraded", "unknown", "failing", "change", "focus", "key", "picture", "alarm", "strong"
]
"""The part a piece plays; a theme gives each its colour."""

ROLES: dict[Status, Role] = {
    Status.OK: "ok",
    Status.DEGRADED: "degraded",
    Status.UNKNOWN: "unknown",
    Status.FAILING: "failing",
}


class Piece(NamedTuple):
    """Text of one part. `link` is a checked web address that a terminal may open."""

    text: Shown
    role: Role = "text"
    link: str = ""


class Line(NamedTuple):
    """A line of pieces; `cursor` draws it on the cursor's ground."""

    pieces: tuple[Piece, ...] = ()
    cursor: bool = False

    @property
    def text(self) -> str:
        """The line without its parts."""
        return "".join(piece.text for piece in self.pieces)


BLANK = Line()


def line(*pieces: Piece | str) -> Line:
    """A line of pieces; our own words may stand as plain strings."""
    return Line(tuple(each if isinstance(each, Piece) else Piece(Shown(each)) for each in pieces))


def width_of(pieces: Iterable[Piece]) -> int:
    """The cells that pieces take."""
    return sum(cell_len(piece.text) for piece in pieces)


def spaces(cells: int) -> Piece:
    """Blank cells."""
    return Piece(Shown(" " * max(0, cells)))


def cut(text: Shown, cells: int) -> Shown:
    """The text in at most so many cells, a cut shown as `…`."""
    if cell_len(text) <= cells:
        return text
    if cells <= 0:
        return EMPTY
    return Shown(set_cell_size(text, cells - 1).rstrip() + CUT)


def fit(text: Shown, cells: int, right: bool = False) -> Shown:
    """The text in exactly so many cells."""
    short = cut(text, cells)
    blank = " " * (cells - cell_len(short))
    return Shown(blank + short if right else short + blank)


def cut_line(drawn: Line, cells: int) -> Line:
    """The line in at most so many cells, a cut shown as `…`."""
    if width_of(drawn.pieces) <= cells:
        return drawn
    kept: list[Piece] = []
    left = cells
    for piece in drawn.pieces:
        size = cell_len(piece.text)
        if size >= left:  # something follows, or this alone is too long: the mark stands here
            kept.append(piece._replace(text=cut(Shown(piece.text + CUT), left)))
            break
        kept.append(piece)
        left -= size
    return drawn._replace(pieces=tuple(kept))


def apart(left: Iterable[Piece], right: Iterable[Piece], cells: int, fill: Piece | None = None) -> Line:
    """Left pieces at the left, right ones at the right end; the left is cut where they meet."""
    left, right = tuple(left), tuple(right)
    room = cells - width_of(right)
    if room < 1:
        return cut_line(Line((*left, Piece(Shown("  ")), *right)), cells)
    shown = cut_line(Line(left), room)
    gap = room - width_of(shown.pieces)
    between = spaces(gap) if fill is None else Piece(Shown(fill.text * gap), fill.role)
    return Line((*shown.pieces, between, *right))


def wrap(text: Shown, cells: int) -> list[Shown]:
    """The text in lines of at most so many cells, broken at blanks where there are any."""
    lines: list[Shown] = []
    rest = str(text)
    while cell_len(rest) > cells > 0:
        head = set_cell_size(rest, cells)
        at = head.rfind(" ")
        if at <= cells // 3:
            at = len(head) if rest.startswith(head) else max(len(head) - 1, 1)
        lines.append(Shown(rest[:at].rstrip(" ")))
        rest = rest[at:].lstrip(" ")
    return [*lines, Shown(rest)] if rest or not lines else lines


def joined(pieces: Iterable[Piece]) -> list[Piece]:
    """Neighbours that play the same part as one piece."""
    found: list[Piece] = []
    for each in pieces:
        if found and found[-1].role == each.role and found[-1].link == each.link:
            found[-1] = found[-1]._replace(text=Shown(found[-1].text + each.text))
        else:
            found.append(each)
    return found


def dimmed(drawn: Line) -> Line:
    """The same line, all of it dim: what is no longer current."""
    return drawn._replace(pieces=tuple(piece._replace(role="dim") for piece in drawn.pieces))
