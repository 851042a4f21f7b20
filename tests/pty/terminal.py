"""A terminal for the real program: it runs in a real pty, and pyte draws what it sends.

    with Terminal(argv, environment) as terminal:
        terminal.until("ready")
        terminal.press("q")
        assert terminal.exit_code() == 0

Nothing is read but within `until`, `pump` and `exit_code`: a test that calls none of them is a terminal that has stalled.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import re
import select
import signal
import struct
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import pyte

from tests.waiting import LONG, Stopwatch

KEYS = {
    "enter": "\r",
    "esc": "\x1b",
    "tab": "\t",
    "shift+tab": "\x1b[Z",
    "up": "\x1b[A",
    "down": "\x1b[B",
    "ctrl+c": "\x03",
    "ctrl+p": "\x10",
    "ctrl+z": "\x1a",
}
ANSWERS = (
    (b"\x1b[6n", b"\x1b[1;1R"),
    (b"\x1b[c", b"\x1b[?62;22c"),
    (b"\x1b[?2026$p", b"\x1b[?2026;2$y"),
    (b"\x1b[?u", b"\x1b[?0u"),
)
"""What a terminal is asked, and what it says."""
ESCAPE_ALONE = 0.2
"""Seconds after which an escape is a key of its own and no longer the beginning of alt+something."""
_FOREIGN = re.compile(
    rb"\x1b\[[<>=][0-9;]*[a-zA-Z]|\x1b\[\?[0-9;]*[a-gi-km-zA-Z]|\x1b\[[0-9;?]*\$[a-z]|\x1b[P_].*?\x1b\\", re.S
)
"""Sequences that pyte would print."""
_MODE = re.compile(rb"\x1b\[\?([0-9;]+)([hl])")
_BEGUN = re.compile(rb"\x1b(\[[<-?0-9;]*\$?|[P_][^\x1b]*\x1b?)?$")
"""A sequence whose end is still to come."""
ALTERNATE, CURSOR, MOUSE, PASTE = 1049, 25, (1000, 1002, 1003, 1006, 1015), 2004
DRAWING = 2026
"""Set while the program draws: what stands between is no picture (synchronized output)."""


class Terminal:
    """A program in a pty of `columns` × `rows`, and the screen that it drew."""

    def __init__(
        self,
        argv: Sequence[str],
        environment: Mapping[str, str],
        folder: Path | None = None,
        columns: int = 80,
        rows: int = 24,
    ) -> None:
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self.sent = bytearray()
        """Every byte that the program has written."""
        self.modes: dict[int, bool] = {}
        """The private modes as the program left them (alternate screen, cursor, mouse)."""
        self._status: int | None = None
        self._rest = b""
        self.master, self._slave = os.openpty()
        self._size(columns, rows)
        self.before = self.settings
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.close(self.master)
                os.login_tty(self._slave)
                os.chdir(folder or "/")
                os.execve(argv[0], list(argv), {**environment, "TERM": "xterm-256color", "COLORTERM": "truecolor"})
            finally:
                os._exit(127)
        os.set_blocking(self.master, False)

    @property
    def settings(self) -> list[Any]:
        """The line's settings (echo, canonical mode), as `stty` shows them."""
        return termios.tcgetattr(self._slave)

    @property
    def text(self) -> str:
        """The screen as it stands."""
        return "\n".join(line.rstrip() for line in self.screen.display)

    def lines(self) -> list[str]:
        return self.text.split("\n")

    def pump(self, seconds: float = 0.05) -> None:
        """Reads and draws what comes within so many seconds."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if select.select([self.master], [], [], left)[0] and not self._read():
                return

    def until(self, what: str | Callable[[], object], within: float = LONG) -> str:
        """Reads until a text stands on the screen, or something is true, and the picture is drawn to its end; gives the screen.
        `within` is in seconds that the machine gave (`tests/waiting.py`)."""
        there = (lambda: what in self.text) if isinstance(what, str) else what
        watch = Stopwatch(self.pid)
        while (self.modes.get(DRAWING) and self._status is None) or not there():
            assert not watch.passed(within), f"{what!r} did not come true; the screen:\n{self.text}"
            assert self._status is None or self._readable(), f"it ended with {self.code}; the screen:\n{self.text}"
            self.pump()
            self._reap()
        return self.text

    def press(self, *keys: str) -> None:
        """Presses keys: letters, or names such as `enter`."""
        for key in keys:
            os.write(self.master, KEYS.get(key, key).encode())
            if key == "esc":
                self.pump(ESCAPE_ALONE)

    def resize(self, columns: int, rows: int) -> None:
        """The window changes its size; the program is told as usual."""
        self.screen.resize(rows, columns)
        self._size(columns, rows)
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGWINCH)

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def signal_a_thread(self, number: int) -> None:
        """The system gives a signal that is for the process to any of its threads: here it is another than the main one."""
        other = next(int(each.name) for each in Path(f"/proc/{self.pid}/task").iterdir() if each.name != str(self.pid))
        assert ctypes.CDLL(None).tgkill(self.pid, other, number) == 0

    def hang_up(self) -> None:
        """The window is closed, the connection is gone."""
        os.close(self.master)
        os.close(self._slave)
        self.master = self._slave = -1

    def exit_code(self, within: float = LONG, *, reading: bool = True) -> int:
        """Waits for the end; the exit code, or minus the signal that killed it. Fails where it does not end in time, in
        seconds that the machine gave."""
        watch = Stopwatch(self.pid)
        while self._status is None:
            assert watch.took < within, f"it did not end within {within:g}s; the screen:\n{self.text}"
            if reading:
                self.pump(0.02)
            else:
                time.sleep(0.02)
            self._reap()
        if reading:
            self.pump(0.2)
            while self._readable() and self._read():
                pass
        assert self.code is not None
        return self.code

    @property
    def code(self) -> int | None:
        return None if self._status is None else os.waitstatus_to_exitcode(self._status)

    @property
    def restored(self) -> bool:
        """Whether the terminal is as it was found: settings, main screen, cursor shown, no mouse, no bracketed paste."""
        off = (ALTERNATE, PASTE, *MOUSE)
        modes_well = self.modes.get(CURSOR, True) and not any(self.modes.get(mode) for mode in off)
        return modes_well and self.settings == self.before

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        if self.master >= 0:
            os.close(self.master)
            os.close(self._slave)

    def _size(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def _readable(self) -> bool:
        return bool(select.select([self.master], [], [], 0)[0])

    def _reap(self) -> None:
        if self._status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self._status = status if pid else None

    def _read(self) -> bool:
        """Takes what there is, answers what it asks, draws the rest."""
        try:
            data = os.read(self.master, 65536)
        except (BlockingIOError, OSError):
            return False
        self.sent += data
        data = self._rest + data
        begun = _BEGUN.search(data)
        data, self._rest = (data[: begun.start()], data[begun.start() :]) if begun else (data, b"")
        for question, answer in ANSWERS:
            if question in data:
                os.write(self.master, answer)
        for numbers, how in _MODE.findall(data):
            self.modes.update({int(number): how == b"h" for number in numbers.split(b";")})
        self._stream.feed(_FOREIGN.sub(b"", data))
        return True
