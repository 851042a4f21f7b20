"""What all screens share: lines 1 and 2 on top, always live, a body, and the keys that work here at the bottom.

A screen is declared once and pushed by name (a new one a push would leak), so `on_screen_resume` must make it current again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, cast

from rich.color import Color as RichColour
from textual.app import ComposeResult
from textual.binding import Binding
from textual.color import Color as Colour
from textual.events import Key, Resize, ScreenResume
from textual.screen import Screen
from textual.timer import Timer
from textual.widget import Widget

from tui.engine.feed import Snapshot
from tui.engine.text import Shown, clean
from tui.widgets.canvas import Canvas
from tui.widgets.footer import Hint, key_line
from tui.widgets.ink import BLANK, Line, Piece, cut_line, spaces, wrap
from tui.widgets.remedies import may_act
from tui.widgets.theme import Theme
from tui.widgets.tight import TightCompositor
from tui.widgets.top import line_one, line_two, notice_line

from .arrangement import too_small

if TYPE_CHECKING:
    from .dashboard import WatchfloorApp

KEY_SIGNS = {
    "question_mark": "?", "slash": "/", "colon": ":", "escape": "esc", "pageup": "pgup", "pagedown": "pgdn", "down": "↓",
    "up": "↑", "left": "←", "right": "→", "shift+tab": "shift+tab", "left_square_bracket": "[", "right_square_bracket": "]",
    "left_curly_bracket": "{", "right_curly_bracket": "}",
}  # fmt: skip

READ_IN = 1.0
"""Seconds for which a message stays whatever is pressed."""


def sign_of(key: str) -> Shown:
    """A key as it is written on screen."""
    return clean(KEY_SIGNS.get(key, key))


class Live(Screen[None], inherit_bindings=False):
    """A screen with lines 1 and 2, a body and a last line."""

    DEFAULT_CSS = """
    Live { layers: below over; }
    Live #head { height: 2; }
    Live #body { height: 1fr; width: 100%; }
    Live #keys { height: 1; }
    Live #past { height: 2; }
    Live #notice { height: 1; display: none; }
    Live #small { height: 1fr; display: none; }
    Live.-small > Widget { display: none; }
    Live.-small #small { display: block; }
    Live #says { height: 1; dock: bottom; layer: over; offset-y: -1; display: none; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._compositor = TightCompositor()
        self._look: Theme | None = None
        """What it was coloured with last."""
        self._until: Timer | None = None
        self._stands = False
        """Whether what stands above the keys is the app's, and not something said."""
        self._said_at = 0.0

    @property
    def dash(self) -> WatchfloorApp:
        """The app this screen belongs to."""
        return cast("WatchfloorApp", self.app)

    def compose(self) -> ComposeResult:
        """Head, body, message, keys."""
        theme, glyphs = self.dash.look, self.dash.glyphs
        self._paint_ground()
        yield Canvas(theme, glyphs, id="head", make=lambda: self.draw_head(self.dash.snapshot))
        yield from self.body()
        yield Canvas(theme, glyphs, id="notice")
        yield Canvas(theme, glyphs, id="keys", make=self.draw_keys)
        yield Canvas(theme, glyphs, id="says")
        yield Canvas(theme, glyphs, id="small")

    def body(self) -> Iterator[Widget]:
        """What stands between lines 2 and the last."""
        yield Canvas(self.dash.look, self.dash.glyphs, id="body")

    @property
    def stands(self) -> bool:
        """Whether it is put together, and not yet being taken apart: the app's end removes its parts one after another."""
        return self.is_mounted and {"head", "keys"} <= {child.id for child in self.children}

    # --- what moves it ----------------------------------------------------------------------------------------------

    def on_screen_resume(self, event: ScreenResume) -> None:
        """It is on top (again): what happened meanwhile is drawn, in the colours that were chosen meanwhile."""
        if self._look is not self.dash.look:
            self.recolour()
        self.take(self.dash.snapshot)

    def on_resize(self, event: Resize) -> None:
        """Another size, another picture, once the widgets know their rooms."""
        self.call_after_refresh(lambda: self.take(self.dash.snapshot))

    def take(self, snapshot: Snapshot) -> None:
        """A newer snapshot. Screens add their own part."""
        self._fit()
        self.draw_head(snapshot)
        self.draw_past(snapshot)
        self.draw_notice(snapshot)
        self.draw_keys()
        self.draw_standing()

    def _fit(self) -> None:
        """A page that says so in place of everything, where the terminal is too small for it."""
        size, small = self.size, too_small(self.size)
        self.set_class(small, "-small")
        if small:
            says = f"{size.width}x{size.height} is too small: Watchfloor needs 60x15, and is at home from 80x24 on"
            self.canvas("small").show([BLANK, *(Line((spaces(1), Piece(part))) for part in wrap(Shown(says), size.width - 2))])

    def tick(self) -> None:
        """A second has passed."""
        self.draw_head(self.dash.snapshot)
        self.draw_standing()

    def draw_head(self, snapshot: Snapshot) -> None:
        """Lines 1 and 2."""
        width, dash = self.size.width, self.dash
        now = dash.clock.utc()
        one = line_one(snapshot, now, dash.frozen_at, width, dash.glyphs)
        self.canvas("head").show([one, line_two(snapshot, now, width, dash.glyphs)])

    def draw_past(self, snapshot: Snapshot) -> None:
        """Lines 3 and 4, while one looks back. Mounted when they are needed first."""
        past = self.dash.rewound
        found = self.query("#past")
        if past is None:
            if found and found.first().display:
                found.first().display = False
            return
        from tui.widgets.rewound import rewound_lines

        if not found:
            self.mount(Canvas(self.dash.look, self.dash.glyphs, id="past", make=self._draw_past_again), after="#head")
        canvas = self.canvas("past")
        canvas.display = True
        canvas.show(rewound_lines(past, snapshot.at, self.size.width, self.dash.glyphs))

    def _draw_past_again(self) -> None:
        """Once the lines know their room."""
        self.draw_past(self.dash.snapshot)

    def draw_notice(self, snapshot: Snapshot) -> None:
        """What is wrong with Watchfloor itself, or was left open by an earlier run: a line while there is something."""
        line = notice_line(snapshot, self.dash.glyphs)
        notice = self.canvas("notice")
        if notice.display != bool(line.pieces):
            notice.display = bool(line.pieces)
        notice.show([cut_line(line, self.size.width)])

    def draw_keys(self) -> None:
        """The last line, from the bindings that are live here."""
        hints, last = self.hints()
        self.canvas("keys").show([key_line(hints, last, self.size.width)])

    def hints(self) -> tuple[Sequence[Hint], Sequence[Hint]]:
        """The keys worth showing, and those at the right end."""
        seen: set[str] = set()
        hints: list[Hint] = []
        last: list[Hint] = []
        past = self.dash.rewound is not None
        ids = [each.id for each in self.BINDINGS if isinstance(each, Binding)]
        active = [each.binding for each in self.active_bindings.values()]
        for binding in sorted(active, key=lambda each: _order(each, ids, past)):
            if not (binding.show or (past and _rewinds(binding))) or binding.action in seen:
                continue
            seen.add(binding.action)
            live = self.is_live(binding.action) and not (past and _says(binding))
            hint = Hint(sign_of(binding.key), clean(binding.description), live)
            (last if binding.id == "help" else hints).append(hint)
        return sorted(hints, key=lambda each: not each.live), last  # what only says why not comes behind

    def is_live(self, action: str) -> bool:
        """Whether a key does what it says now, or would only say why not."""
        return True

    # --- small services ---------------------------------------------------------------------------------------------

    def canvas(self, name: str) -> Canvas:
        """One of this screen's canvases."""
        return self.query_one(f"#{name}", Canvas)

    def say(self, piece: Piece, seconds: float) -> None:
        """A line above the keys, for a while or until the next key: an outcome or a reason."""
        self._show(piece, stands=False)
        self._said_at = self.dash.clock.monotonic()
        if self._until is not None:
            self._until.stop()
        self._until = self.set_timer(seconds, self.say_nothing)

    def draw_standing(self) -> None:
        """What the app has to say for a while (an acknowledgement that may be taken back), where nothing else is being said."""
        piece = self.dash.standing()
        says = self.canvas("says")
        if piece is not None and (self._stands or not says.display):
            self._show(piece, stands=True)
        elif piece is None and self._stands:
            self._hide()

    def _show(self, piece: Piece, *, stands: bool) -> None:
        says = self.canvas("says")
        says.display, self._stands = True, stands
        says.show([cut_line(Line((spaces(1), piece)), self.size.width)])

    def _hide(self) -> None:
        says = self.canvas("says")
        self._stands = False
        if says.display:  # setting it anew would lay the whole screen out again, which a first key would wait for
            says.display = False

    def on_key(self, event: Key) -> None:
        """The next key takes what was said away, unless it came before one could read it."""
        if self.dash.clock.monotonic() - self._said_at > READ_IN:
            self.say_nothing()

    def say_nothing(self) -> None:
        """Takes what was said away; what stands comes back."""
        if not self._stands:
            self._hide()
        self.draw_standing()

    def recolour(self) -> None:
        """Another theme, or other signs."""
        self._paint_ground()
        for each in self.query(Canvas):
            each.recolour(self.dash.look, self.dash.glyphs)

    def _paint_ground(self) -> None:
        """What lies between the widgets is of the theme's ground too."""
        self._look = self.dash.look
        self.styles.background = ground(self._look.background.bgcolor)


def ground(colour: RichColour | None) -> Colour:
    """A theme's ground as Textual has colours; by its number where it has one, so that it is the same as under the text."""
    if colour is None or colour.is_default:
        return Colour(0, 0, 0, ansi=-1)
    red, green, blue = colour.get_truecolor()
    return Colour(red, green, blue, ansi=colour.number)


def _order(binding: Binding, ids: Sequence[str | None], past: bool) -> tuple[bool, int]:
    """As they are written down; the keys that look back first, while one does."""
    return (past and not _rewinds(binding), ids.index(binding.id) if binding.id in ids else -1)


def _rewinds(binding: Binding) -> bool:
    return (binding.id or "").startswith("rewind.")


def _says(binding: Binding) -> bool:
    """Whether a key does or says something, which the past does not take."""
    return may_act(binding.key) or binding.id == "acknowledge"
