"""A screen whose body is lines that scroll."""

from __future__ import annotations

from collections.abc import Sequence

from textual.binding import Binding

from tui.engine.feed import Snapshot
from tui.engine.text import Shown
from tui.widgets.footer import Hint
from tui.widgets.ink import Line, Piece

from .live import Live


class Page(Live):
    """A screen whose body is lines that scroll."""

    BINDINGS = [
        Binding("escape", "back", "back", id="back"),
        Binding("j,down", "scroll(1)", "down", id="page.down", show=False),
        Binding("k,up", "scroll(-1)", "up", id="page.up", show=False),
        Binding("pagedown", "scroll(10)", "page down", id="page.pagedown", show=False),
        Binding("pageup", "scroll(-10)", "page up", id="page.pageup", show=False),
        Binding("g,home", "scroll(-9999)", "top", id="page.home", show=False),
        Binding("G,end", "scroll(9999)", "end", id="page.end", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.top = 0

    def page(self, width: int) -> Sequence[Line]:
        """The whole body, however long."""
        return ()

    def pinned(self, width: int) -> Sequence[Line]:
        """Lines that follow the page and stay on screen however long it is."""
        return ()

    def take(self, snapshot: Snapshot) -> None:
        """Draws head, body and keys."""
        super().take(snapshot)
        self.draw_body()

    def draw_body(self) -> None:
        """The part of the page that fits, and what is pinned below it."""
        body = self.canvas("body")
        width, height = body.size.width, body.size.height
        lines, pinned = self.page(width), self.pinned(width)
        room = max(1, height - len(pinned))
        self.top = max(0, min(self.top, len(lines) - room))
        shown = list(lines[self.top : self.top + room])
        if len(lines) > self.top + room and shown:
            below = len(lines) - self.top - room + 1
            shown[-1] = Line((Piece(Shown(f" …{below} more lines below"), "dim"),))
        body.show([*shown, *pinned])

    def hints(self) -> tuple[Sequence[Hint], Sequence[Hint]]:
        """`esc` says where it leads."""
        hints, last = super().hints()
        if self.dash.rewound is None:
            return hints, last
        return [Hint(each.key, Shown("live")) if each.does == "back" else each for each in hints], last

    def action_back(self) -> None:
        """Live again, where one looks back; else to the screen below."""
        if self.dash.rewound is not None:
            self.dash.go_live()
        else:
            self.dash.pop_screen()

    def action_scroll(self, lines: int) -> None:
        """Moves the page."""
        self.top = max(0, self.top + lines)
        self.draw_body()
