"""Sends changed cells only: Textual's own partial update begins each stretch at the left edge of its widget.

Refreshing one cell at the right end of a line makes Textual 8.2 write the whole line up to it. Here a stretch begins where the
change does: a clock's digit costs some thirty bytes instead of two hundred.
"""

from __future__ import annotations

from rich.console import Console
from rich.control import Control
from textual._compositor import ChopsUpdate, Compositor


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
                parts.append(Control.move_to(left, y).segment.text)
                parts.append(strip.crop(left - x, min(end, last) - x).render(console))
        return "".join(parts)


class TightCompositor(Compositor):
    """Textual's compositor with tight partial updates."""

    def render_partial_update(self) -> ChopsUpdate | None:
        """The changed stretches, or None where nothing changed."""
        update = super().render_partial_update()
        return None if update is None else TightUpdate(update.chops, update.spans, update.chop_ends)
