"""The signs of the screen, in Unicode and in ASCII. Severity is always a sign and a word and a place, never colour alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from msgspec import Struct
from rich.cells import cell_len

from tui.engine.layout import Spark
from tui.engine.reading import Status
from tui.engine.text import Shown
from tui.locales import IN_ASCII

from .ink import Line, Piece


class Glyphs(Struct, frozen=True):
    """One set of signs. `bars` rise from nothing to full; `eighths` fill a cell from below, for tall charts."""

    status: Mapping[Status, str]
    change: str
    cursor: str
    mark: str
    rule: str
    bars: str
    caret: str
    branch: str
    last: str
    trunk: str
    begins: str
    """A moment on an axis of time, and below, what lasts from it on."""
    lasts: str
    back: str
    """Before the moment that one has rewound to."""
    ascii_only: bool = False

    def sparkline(self, spark: Spark, width: int) -> tuple[Piece, ...]:
        """The newest `width` values as bars; changes are marked, gaps are blank. A mark never hides the newest value, which is
        what one looks for after a change: it stands before it then."""
        skip = max(0, len(spark.values) - width)
        values = spark.values[skip:]
        marks, last = spark.marks, len(spark.values) - 1
        if last > skip and last in marks and spark.values[last] is not None:
            marks = marks - {last} | {last - 1}
        known = [value for value in values if value is not None]
        top = spark.top or scale(known)
        pieces: list[Piece] = []
        run = ""
        for place, value in enumerate(values, skip):
            if place in marks:
                if run:
                    pieces.append(Piece(Shown(run), "picture"))
                pieces.append(Piece(Shown(self.change), "change"))
                run = ""
            else:
                run += self.bar(value, top)
        if run:
            pieces.append(Piece(Shown(run), "picture"))
        return tuple(pieces)

    def bar(self, value: float | None, top: float) -> str:
        """One value as a bar; a blank where nothing was measured."""
        if value is None:
            return " "
        if top <= 0 or value <= 0:
            return self.bars[0]
        return self.bars[min(int(value / top * len(self.bars)), len(self.bars) - 1)]

    def plain(self, drawn: Line) -> Line:
        """The line as this set can show it: without Unicode, every other character is replaced, its width kept."""
        if not self.ascii_only:
            return drawn
        return drawn._replace(pieces=tuple(piece._replace(text=to_ascii(piece.text)) for piece in drawn.pieces))


def scale(known: Sequence[float]) -> float:
    """What a full bar means where nobody says: the largest value, but a line that is merely level stays low."""
    return max(*known, 3 * sorted(known)[len(known) // 2]) if known else 0.0


UNICODE = Glyphs(
    status=MappingProxyType({each: each.sign for each in Status}),
    change="◆",
    cursor="▸",
    mark="✓",
    rule="─",
    bars="▁▂▃▄▅▆▇█",
    caret="▏",
    branch="├ ",
    last="└ ",
    trunk="│ ",
    begins="┃",
    lasts="━",
    back="◀◀",
)
ASCII = Glyphs(
    status=MappingProxyType({each: each.sign.translate(IN_ASCII) for each in Status}),
    change="*",
    cursor=">",
    mark="+",
    rule="-",
    bars="_.:-=+#@",
    caret="_",
    branch="|-",
    last="`-",
    trunk="| ",
    begins="|",
    lasts="=",
    back="<<",
    ascii_only=True,
)


def to_ascii(text: Shown) -> Shown:
    """The text in ASCII, each character in as many cells as before, so that columns stay."""
    if text.isascii():
        return text
    known = text.translate(IN_ASCII)
    return Shown("".join(each if each.isascii() else "?" * cell_len(each) for each in known))
