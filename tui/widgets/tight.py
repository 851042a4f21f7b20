"""Sends changed cells only, and each in its column: Textual's own update does neither.

Refreshing one cell at the right end of a line makes Textual 8.2 write the whole line up to it. Here a stretch begins where the
change does: a clock's digit costs some thirty bytes instead of two hundred.

Terminals disagree on how wide some characters are (a skin tone, a Devanagari vowel, an emoji newer than the terminal), and
tmux with the terminal it is in. So text with any of them is drawn on blanked cells, and the cursor is then set to where the
next begins: a hostile name may look odd, but moves no figure into another column.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from rich.console import Console
from rich.control import Control
from textual._compositor import ChopsUpdate, Compositor, LayoutUpdate
from textual.strip import Strip

SURE = re.compile(
    "[ -~\u00a1-\u02ff\u0370-\u0482\u048a-\u0556\u2010-\u2027\u2030-\u205e\u2190-\u22ff\u2400-\u2426\u2500-\u25fc\u2713-\u2718"
    "\u2800-\u28ff\u3041-\u3096\u30a0-\u30ff\u4e00-\u9fff\uac00-\ud7a3\uff01-\uff60\ufffd]*"
)
"""Text whose width every terminal knows: letters, our own signs, and the wide characters that have always been wide."""
RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]")
GOES_ON_RIGHT = "\u200e"
"""The left-to-right mark, behind text that is written to the left: a terminal that orders a line by Unicode's rules (UAX 9)
takes figures for a part of such a name, and would show them in each other's columns."""
WRAPS, STAYS = "\x1b[?7h", "\x1b[?7l"
"""Whether what is written past the last column goes on in the next line."""


def is_sure(text: str) -> bool:
    """Whether every terminal shows a text as wide as we think."""
    return SURE.fullmatch(text) is not None


def rendered(strip: Strip, x: int, y: int, console: Console) -> str:
    """The escape sequences of a strip that begins at a cell, where the terminal's cursor already is."""
    if is_sure(strip.text):
        return strip.render(console)
    parts: list[str] = []
    for segment in strip:
        own = Strip([segment])
        if not is_sure(segment.text):
            blank = Strip([segment._replace(text=" " * own.cell_length)])
            mark = GOES_ON_RIGHT if RIGHT_TO_LEFT.search(segment.text) else ""
            parts += [blank.render(console), _to(x, y), STAYS, own.render(console), mark, WRAPS, _to(x + own.cell_length, y)]
        else:
            parts.append(own.render(console))
        x += own.cell_length
    return "".join(parts)


def _to(x: int, y: int) -> str:
    return Control.move_to(x, y).segment.text


class TightUpdate(ChopsUpdate):
    """A partial update whose stretches begin and end at the changed cells."""

    def render_segments(self, console: Console) -> str:
        """The escape sequences of the update."""
        parts: list[str] = []
        for y, first, last in self.spans:
            for end, (x, strip) in zip(self.chop_ends[y], self.chops[y].items(), strict=False):
                if strip is None or x >= last or end <= first:
                    continue
                left = max(x, first)
                parts.append(_to(left, y))
                parts.append(rendered(strip.crop(left - x, min(end, last) - x), left, y, console))
        return "".join(parts)


class WholeUpdate(LayoutUpdate):
    """The whole screen."""

    def render_segments(self, console: Console) -> str:
        """The escape sequences of the update."""
        parts: list[str] = []
        for y, line in enumerate(self.strips, self.region.y):
            x = self.region.x
            parts.append(_to(x, y))
            for strip in line:
                parts.append(rendered(strip, x, y, console))
                x += strip.cell_length
        return "".join(parts)


class TightCompositor(Compositor):
    """Textual's compositor with updates of our own."""

    def render_full_update(self, simplify: bool = False) -> LayoutUpdate:
        """Everything; `simplify` is for pictures that are no terminal's."""
        update = super().render_full_update(simplify)
        strips: list[Iterable[Strip]] = list(update.strips)
        return update if simplify else WholeUpdate(strips, update.region)

    def render_partial_update(self) -> ChopsUpdate | None:
        """The changed stretches, or None where nothing changed."""
        update = super().render_partial_update()
        return None if update is None else TightUpdate(update.chops, update.spans, update.chop_ends)
