"""The Textual app: takes snapshots from the feed and gives them to the screen on top. It knows no panel and no action by name.

The engine lives in another thread; its only words here are `News`, of which at most one is under way. A terminal that stalls
stops this thread alone.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace
from rich.segment import Segments
from textual.binding import Binding
from textual.message import Message

from tui.engine.ask import Ask
from tui.engine.clock import Clock, SystemClock, clock_time
from tui.engine.feed import Feed, Snapshot
from tui.engine.text import Shown, clean
from tui.widgets.glyphs import ASCII, UNICODE
from tui.widgets.ink import Piece
from tui.widgets.theme import Theme, load_theme

from .board import Board
from .keys import allowed_keys, unknown_key
from .live import Live
from .opening import Opening
from .sight import Sight

if TYPE_CHECKING:
    from textual.driver import Driver

    from tui.engine.rewind import Rewound

    from .answering import Taken
    from .rewinding import Rewinding

RESTS = 30
"""A picture is drawn no more often than so many times as long as the last one took: a key seldom finds one being drawn."""
LONGEST_REST = 1.5
"""Seconds for which news wait for that at the most."""
TOLD_FOR = 8.0
"""Seconds for which a reason or outcome stands above the keys, or until the next key."""


class News(Message):
    """The feed has a newer snapshot."""


class Answered(Message):
    """A question to the engine has its answer."""

    def __init__(self, then: Callable[[Future[Any]], None], answer: Future[Any]) -> None:
        self.then = then
        self.answer = answer
        super().__init__()


def _collect_from_now_on() -> None:
    """The first picture stands: what was loaded until now is never looked through for garbage (see `tui.cli`), and the rest
    seldom, since a whole look costs 30 ms that a key would wait for."""
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)
    gc.enable()


class WatchfloorApp(Opening, inherit_bindings=False):
    """The dashboard on one feed."""

    ENABLE_COMMAND_PALETTE = False
    TITLE = "Watchfloor"
    CSS = "Screen { background: ansi_default; color: ansi_default; } ToastRack { display: none; }"
    BINDINGS = [
        Binding("q,ctrl+q,ctrl+c", "leave", "quit", id="quit", show=False, tooltip="leave"),
        Binding("ctrl+z", "stop", "to the shell", id="stop", show=False, tooltip="stop here; fg comes back"),
        Binding("colon,ctrl+p", "palette", "everything by name", id="palette", show=False),
        Binding("question_mark", "help", "all keys", id="help", tooltip="this page"),
    ]

    def __init__(
        self,
        feed: Feed,
        *,
        theme: str = "night",
        ascii_only: bool = False,
        keys: Mapping[str, str] | None = None,
        clock: Clock | None = None,
    ) -> None:
        super().__init__(ansi_color=True)  # our styles are the terminal's own; NO_COLOR then means none at all
        self.feed = feed
        self.clock: Clock = clock or SystemClock()
        self._moment = self.clock.monotonic()
        self.snapshot: Snapshot = feed.newest()
        """The newest there is, as it stands at the moment of the picture."""
        self.frozen_at: float | None = None
        self.taken: Taken | None = None
        self._rewinding: Rewinding | None = None
        self.glyphs = ASCII if ascii_only else UNICODE
        self.look = self._theme(theme)
        self.loop: asyncio.AbstractEventLoop | None = None
        self.when_mounted: Callable[[Driver], object] = lambda driver: None
        """Called when the terminal is this app's."""
        self.stops: Callable[[], bool] = lambda: False
        """Stops this job, as Ctrl-Z does elsewhere; False where nobody could bring it back."""
        self.calls: Callable[[Snapshot], object] = lambda snapshot: None
        """Called with each snapshot: whether the terminal is to call somebody (`tui.calling`)."""
        self._rest_until = 0.0
        self._leaving = False
        self._keys = dict(keys or {})

    def _theme(self, name: str) -> Theme:
        return load_theme(name, self.console.color_system == "standard", self.no_color)

    # --- its life ---------------------------------------------------------------------------------------------------

    def on_mount(self) -> None:
        """From here on news wakes it, and the clock ticks."""
        self.loop = asyncio.get_running_loop()
        self.animation_level = "none"
        self.set_keymap(allowed_keys(self._keys, self.snapshot))
        self.feed.on_news(self._wake)
        self._take_news()  # what came since this was made woke nobody, and is the first that the terminal may call for
        self.call_after_refresh(_collect_from_now_on)
        if says := unknown_key(self._keys, self.BINDINGS, self.snapshot):
            self.call_after_refresh(self.tell, "", Piece(clean(says), "degraded"))
        self.set_timer(0.01, self._tick)
        if self._driver is not None:
            self.when_mounted(self._driver)

    def _wake(self) -> None:
        """Called in the engine's thread: passes the word on."""
        self.post_message(News())

    def on_unmount(self) -> None:
        """Nobody is to be woken any more."""
        self.feed.on_news(None)

    def _tick(self) -> None:
        """Each second, just after the wall clock's."""
        self._moment = self.clock.monotonic()
        before, self.snapshot = self.snapshot, self.snapshot.aged(self._moment)
        if (top := self.top) is not None:
            if self.snapshot is not before:
                top.take(self.snapshot)
            top.tick()
        self.set_timer(1.005 - self.clock.utc() % 1.0, self._tick)

    def on_news(self, event: News) -> None:
        """The newest snapshot, to the screen on top; a little later where drawing takes long, so that most of the time is left
        for keys. What comes meanwhile is in the feed, and wakes nobody."""
        wait = self._rest_until - self.clock.monotonic()
        if wait > 0:
            self.set_timer(wait, self._take_news)
        else:
            self._take_news()

    def _take_news(self) -> None:
        began = self._moment = self.clock.monotonic()
        self.snapshot = self.feed.newest().aged(began)
        if (top := self.top) is not None:
            top.take(self.snapshot)
        took = self.clock.monotonic() - began
        self._rest_until = began + min(RESTS * took, LONGEST_REST)
        self.calls(self.snapshot)

    def write(self, text: str) -> None:
        """Sends text to the terminal as it is, between what is drawn (a bell)."""
        if self._driver is not None and not self.is_headless:
            self._driver.write(text)

    @property
    def top(self) -> Live | None:
        """The screen on top. None while one is still being put together, which takes what there is when it stands; and at the
        end, when there is none or it is being taken apart."""
        screen = self._screen_stack[-1] if self._screen_stack else None
        return screen if isinstance(screen, Live) and screen.stands else None

    def _fatal_error(self) -> None:
        """A crash shows where, but no local variables: they may hold secrets (textual.md 4.5)."""
        from rich.traceback import Traceback  # late: with pygments it costs every start 20 ms, and only a crash needs it

        self.bell()
        trace = Traceback(show_locals=False)
        self._exit_renderables.append(Segments(self.console.render(trace, self.console.options)))
        self._close_messages_no_wait()

    # --- the way back -----------------------------------------------------------------------------------------------

    def ask(self, question: Ask, then: Callable[[Future[Any]], None] | None = None) -> None:
        """A question to the engine. `then` gets the answered future, in this thread."""
        future = self.feed.ask(question)
        if then is not None:
            answered = then
            future.add_done_callback(lambda answer: self.post_message(Answered(answered, answer)) and None)

    def on_answered(self, event: Answered) -> None:
        """Hands an answer to whoever asked."""
        event.then(event.answer)

    def tell(self, says: str, piece: Piece | None = None) -> None:
        """Says something above the keys, for a while or until the next key."""
        screen = self.screen
        if isinstance(screen, Live):
            screen.say(piece or Piece(clean(says)), TOLD_FOR)

    @property
    def sight(self) -> Sight:
        """What panels and details show."""
        past, now = self.rewound, self.snapshot
        if past is None:
            return Sight(now, self.feed.history)
        then = replace(
            now, at=past.at, monotonic=past.at, panels=past.panels, alerts=past.alerts, folds=past.folds,
            escalations=past.escalations, silences=past.silences,
        )  # fmt: skip
        return Sight(then, past.history, past.at)

    @property
    def rewound(self) -> Rewound | None:
        """What was, while one looks back."""
        return self._rewinding.past if self._rewinding else None

    def moment(self) -> float:
        """Against which the freshness of what is shown is measured: the moment of the picture on the monotonic clock, one for
        every line and panel of it, or the moment one looks back to."""
        past = self.rewound
        return self._moment if past is None else past.at

    @property
    def rewinding(self) -> Rewinding:
        """What looks back; made when somebody does."""
        if self._rewinding is None:
            from .rewinding import Rewinding

            self._rewinding = Rewinding(self, self._looked)
        return self._rewinding

    def _looked(self) -> None:
        """Another moment is looked at."""
        self.frozen_at = None
        if (top := self.top) is not None:
            top.take(self.snapshot)

    def action_rewind(self, direction: int) -> None:
        """A step back or forth: a poll of the panel that has the keys."""
        board = self.get_screen("board", Board)
        panel = self.snapshot.panel(board.focused_name)
        every = min((probe.interval for probe in panel.probes), default=5.0) if panel else 5.0
        self.rewinding.step(direction, board.focused_name, every)

    def action_jump(self, direction: int) -> None:
        """To the alert or change before or after."""
        self.rewinding.jump(direction)

    def go_live(self) -> None:
        """Everything as it is now."""
        self.rewinding.go_live()

    def is_past(self) -> bool:
        """Whether one looks back, where nothing can be done: then says so."""
        if self.rewound is not None:
            self.tell(f"this is {clock_time(self.rewound.at)}, not now: actions are off; esc is live again")
        return self.rewound is not None

    def standing(self) -> Piece | None:
        """What stands above the keys of every screen for a while."""
        if self.taken is None:
            return None
        from .answering import standing

        return standing(self.taken, self.clock.monotonic(), tells=self.snapshot.tells)

    def draw_standing(self) -> None:
        """Draws it on the screen that is on top."""
        if isinstance(self.screen, Live):
            self.screen.say_nothing()

    def send_to_clipboard(self, text: str, link: str = "") -> None:
        """Sends a text to the terminal, which may put it on its clipboard: nothing tells us whether it did."""
        self.copy_to_clipboard(text)
        first = clean(text.partition("\n")[0].replace("\t", "  "), 120)
        self.tell("", Piece(Shown(f"sent to the terminal's clipboard: {first}"), "text", link))

    def action_leave(self) -> None:
        """Leaves; while a deed is under way, at the second time of asking."""
        under_way = [deed for deed in self.snapshot.deeds if deed.ended is None]
        if under_way and not self._leaving:
            self._leaving = True
            what = clean(under_way[0].plan.what, 50)
            self.tell("", Piece(Shown(f"under way: {what}. q again leaves; it then has 2s to end"), "degraded"))
            self.set_timer(TOLD_FOR, self._stay)
            return
        self.exit(0, return_code=0)

    def _stay(self) -> None:
        self._leaving = False

    def action_stop(self) -> None:
        """Back to the shell; another dashboard polls meanwhile."""
        if not self.stops():
            self.tell("there is no shell here that could bring this back; q leaves")

    def draw_all(self) -> None:
        """All is drawn anew: the terminal showed something else meanwhile."""
        self.call_later(lambda: self.screen.refresh() and None)

    def use_theme(self, name: str) -> None:
        """Another theme, at once."""
        self.look = self._theme(name)
        for screen in self.screen_stack:
            if isinstance(screen, Live):
                screen.recolour()
