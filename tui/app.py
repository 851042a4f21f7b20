"""Opens the screen on a feed and gives the terminal back as it was found. Textual is imported here, late, and never before its
environment is set.

A terminal that stalls blocks Textual's loop for good; so a signal's deadline is kept by a thread of its own (textual.md 4.3).
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import termios
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from tui.engine.feed import Feed, Snapshot
from tui.lean import leave_out_the_palette
from tui.locales import wants_ascii
from tui.stopping import stops_with_the_screen

if TYPE_CHECKING:
    from tui.calling import Caller
    from tui.engine.notify.channel import Channel
    from tui.screens.dashboard import WatchfloorApp

USAGE = 64
BAD_CONFIG = 78
GRACE = 1.8
"""Seconds after a signal within which the process has ended, whatever hangs; DESIGN.md allows two."""
SWITCH = 0.001
"""Seconds for which the engine's thread may hold up a key; Python's own 5 ms are felt over SSH."""
DANGEROUS = ("TEXTUAL_PRESS", "TEXTUAL_SCREENSHOT", "TEXTUAL_DRIVER", "TEXTUAL")
"""What would type keys, end the program or speak another protocol, inherited from who knows where."""

GIVEN_BACK = b"\x1b[<u\x1b[?1004l\x1b[?2004l\x1b[?25h\x1b[0m\x1b[?1049l"
"""Keyboard, focus events, paste, cursor, colours and the other screen, as a terminal has them outside of programs."""


def run(
    feed: Feed,
    *,
    stop: Callable[[float], None],
    reread: Callable[[], None] = lambda: None,
    step_down: Callable[[], None] = lambda: None,
    theme: str = "night",
    ascii_only: bool = False,
    keys: Mapping[str, str] | None = None,
    channels: Callable[[], Sequence[Channel]] = tuple,
) -> int:
    """Shows the dashboard until it is left; returns the exit code.

    `stop(seconds)` ends the engine, giving a deed that long; `reread` has the config read again; `step_down` lets another
    process poll, because this one is about to be stopped; `channels` are those of the config as it is now.
    """
    if why := refusal():
        print(why, file=sys.stderr)  # there is no screen to say it on
        return USAGE
    prepare_environment()
    from tui.screens.dashboard import WatchfloorApp
    from tui.widgets.theme import ThemeError

    try:
        app = WatchfloorApp(feed, theme=theme, ascii_only=ascii_only or wants_ascii(), keys=keys)
    except ThemeError as error:
        print(f"watchfloor: {error}", file=sys.stderr)
        return BAD_CONFIG
    sys.setswitchinterval(SWITCH)
    caught: list[int] = []
    with stops_with_the_screen(app, step_down), signals(app, stop, reread, caught), calling(app, channels):
        app.run(mouse=False)
    return 128 + caught[0] if caught else app.return_code or 0


@contextlib.contextmanager
def calling(app: WatchfloorApp, channels: Callable[[], Sequence[Channel]]) -> Iterator[None]:
    """The terminal calls where the config has it as a channel, and is given back as it was."""
    callers: list[Caller] = []

    def call(snapshot: Snapshot) -> None:
        if not callers and any(each.on_screen for each in channels()):
            from tui.calling import Caller  # late: only where the config wants it

            callers.append(Caller(channels, app.write, app.clock))
        for each in callers:
            each.take(snapshot)

    app.calls = call
    try:
        yield
    finally:
        for each in callers:
            each.restore()


def refusal() -> str:
    """Why there can be no dashboard here, and what to do instead; empty where there can."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return "watchfloor: the dashboard needs a terminal on stdin and stderr; without one, use: watchfloor check"
    if os.environ.get("TERM", "") in ("", "dumb"):
        return "watchfloor: this terminal cannot move its cursor (TERM is dumb or missing); use: watchfloor check"
    return ""


def prepare_environment() -> None:
    """What Textual reads when it is imported, and what of it is left out."""
    leave_out_the_palette()
    for name in DANGEROUS:
        os.environ.pop(name, None)
    os.environ["TEXTUAL_ANIMATIONS"] = "none"
    os.environ["TEXTUAL_FPS"] = "120"  # a cap: a key right behind the clock's tick waits no longer than 8 ms


class signals(contextlib.AbstractContextManager[None]):  # reads as a statement: with signals(…)
    """SIGTERM and SIGHUP leave as `q` does; a thread sees to it that the process ends in time, also with a stalled terminal.
    SIGUSR1 has the config read again.

    Python calls handlers in the main thread alone, and a stalled terminal holds that one up. The system gives a signal to any
    thread (where a change of the window's size waits in the main one, to another), which would not wake it. So the handlers
    do nothing, and a thread hears which signal came by the pipe that Python writes it to whoever it was given to.
    """

    def __init__(
        self, app: WatchfloorApp, stop: Callable[[float], None], reread: Callable[[], None], caught: list[int]
    ) -> None:
        self._app = app
        self._stop = stop
        self._reread = reread
        self._caught = caught
        self._before: dict[int, object] = {}
        self._terminal = termios.tcgetattr(sys.stdin.fileno())
        self._heard, self._told = os.pipe()
        os.set_blocking(self._told, False)

    def __enter__(self) -> None:
        threading.Thread(target=self._listen, name="watchfloor-signals", daemon=True).start()
        signal.set_wakeup_fd(self._told, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1):
            self._before[number] = signal.signal(number, lambda number, frame: None)

    def __exit__(self, *exception: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # what signal() gave is what it takes
        signal.set_wakeup_fd(-1)
        os.close(self._told)  # which ends the thread

    def _listen(self) -> None:
        while numbers := os.read(self._heard, 64):
            for number in numbers:
                if number == signal.SIGUSR1:
                    self._reread()
                elif number in self._before and not self._caught:
                    self._leave(number)
        os.close(self._heard)

    def _leave(self, number: int) -> None:
        self._caught.append(number)
        last_word = threading.Timer(GRACE, self._give_up, (128 + number,))
        last_word.daemon = True
        last_word.start()
        threading.Thread(target=self._stop, args=(GRACE - 0.3,), daemon=True).start()
        if (loop := self._app.loop) is not None:
            with contextlib.suppress(RuntimeError):  # it has ended by itself
                loop.call_soon_threadsafe(self._app.exit, None, 128 + number)

    def _give_up(self, code: int) -> None:
        """Ends the process although the screen's loop hangs: what the terminal has not taken yet is thrown away, and it is
        given back."""
        with contextlib.suppress(OSError, termios.error):
            out = sys.__stderr__.fileno() if sys.__stderr__ else 2
            termios.tcflush(out, termios.TCOFLUSH)
            os.set_blocking(out, False)
            os.write(out, GIVEN_BACK)
            termios.tcsetattr(sys.stdin.fileno(), termios.TCSANOW, self._terminal)
        os._exit(code)
