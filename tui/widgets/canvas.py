"""A widget that shows lines and repaints only the cells that changed: everything on screen is one of these.

Textual writes whatever is refreshed, so `show` compares the new picture with the one before it, cell by cell, and refreshes
only where text or style differ. An identical picture costs no byte.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from rich.cells import cell_len, get_character_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.events import Resize
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from .glyphs import Glyphs
from .ink import BLANK, Line, cut_line
from .theme import Theme
from .tight import is_sure

NEAR = 8
"""Cells: changed stretches no further apart are sent as one, as moving the terminal's cursor costs as much."""


class Canvas(Widget):
    """Shows lines in a theme's colours."""

    DEFAULT_CSS = "Canvas { width: 100%; height: 100%; }"

    def __init__(self, theme: Theme, glyphs: Glyphs, *, id: str | None = None, make: Callable[[], None] | None = None) -> None:
        super().__init__(id=id)
        self._make = make
        self.look = theme
        self.glyphs = glyphs
        self._lines: tuple[Line, ...] = ()
        self._strips: dict[int, Strip] = {}
        self._strips_for = 0
        """The width that the strips were made for."""
        self._never_drawn = True
        self._drawing = False

    @property
    def lines(self) -> tuple[Line, ...]:
        """What is shown now."""
        return self._lines

    def show(self, lines: Sequence[Line]) -> None:
        """Shows the lines; refreshes what differs from those before."""
        old, self._lines = self._lines, tuple(self.glyphs.plain(each) for each in lines)
        width, height = self.size
        self._of_width(width)
        regions: list[Region] = []
        for y in range(max(len(old), len(self._lines))):
            before, after = _at(old, y), _at(self._lines, y)
            if before is after or before == after:
                continue
            # Also where there is no room yet: what comes back must not be what was there before.
            was = self._strips.pop(y, None)
            if y < height:
                if not (is_sure(before.text) and is_sure(after.text)):
                    regions.append(Region(0, y, width, 1))  # a terminal may draw it wider than we think: over what follows
                    continue
                now = self._strips[y] = self._strip(after)
                regions.extend(Region(x, y, end - x, 1) for x, end in _changed(was or self._strip(before), now, width))
        if regions and not self._drawing:
            self.refresh(*regions)

    def recolour(self, theme: Theme, glyphs: Glyphs) -> None:
        """Shows the same in another theme."""
        self.look, self.glyphs = theme, glyphs
        self._strips.clear()
        self.refresh()

    def on_resize(self, event: Resize) -> None:
        """The widget's room changed."""
        self._strips.clear()
        self.redraw()

    def redraw(self) -> None:
        """Makes the lines anew for the room there is: by `make`, where somebody else draws it, or as its kind says."""
        if self._make is not None:
            self._make()

    def render_lines(self, crop: Region) -> list[Strip]:
        """The lines for Textual. The first time they are made for the room that it was just given: Textual would draw it blank,
        then tell it of its room, and draw it again."""
        if self._never_drawn and self.size:
            self._never_drawn, self._drawing = False, True
            self.redraw()
            self._drawing = False
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        """One line for Textual, padded to the width on the theme's background."""
        self._of_width(self.size.width)  # Textual draws with the new room before it tells of it
        strip = self._strips.get(y)
        if strip is None:
            strip = self._strips[y] = self._strip(_at(self._lines, y))
        return strip

    def _of_width(self, width: int) -> None:
        """Strips are of one width."""
        if self._strips_for != width:
            self._strips_for = width
            self._strips.clear()

    def _strip(self, line: Line) -> Strip:
        width = self.size.width
        shown = cut_line(line, width)
        segments = [Segment(piece.text, self.look.style(piece, line.cursor)) for piece in shown.pieces if piece.text]
        used = sum(cell_len(segment.text) for segment in segments)
        if used < width:
            segments.append(Segment(" " * (width - used), self._ground(line.cursor)))
        return Strip(segments, width)

    def _ground(self, cursor: bool) -> Style:
        """What blank cells are drawn with."""
        return self.look.background + self.look.cursor if cursor else self.look.background


def _changed(before: Strip, after: Strip, width: int) -> Iterator[tuple[int, int]]:
    """The stretches of cells, as (from, to), in which two strips of one width differ; near ones as one."""
    old, new = list(_cells(before)), list(_cells(after))
    start = end = -1
    for x in range(width):
        if old[x] == new[x]:
            continue
        if start >= 0 and x - end > NEAR:
            yield start, end
            start = x
        start = x if start < 0 else start
        end = x + 1
    if start >= 0:
        while start and not new[start][0]:  # the second half of a wide character: begin with its first
            start -= 1
        yield start, end


def _cells(strip: Strip) -> Iterator[tuple[str, Style | None]]:
    """Each cell's text and style; the second cell of a wide character holds nothing."""
    for text, style, _ in strip:
        if text.isascii():
            yield from ((character, style) for character in text)
            continue
        for character in text:
            size = get_character_cell_size(character)
            if size == 0:
                continue
            yield character, style
            if size == 2:
                yield "", style


def _at(lines: Sequence[Line], y: int) -> Line:
    return lines[y] if y < len(lines) else BLANK
