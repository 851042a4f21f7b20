"""A program in a pty, measured as a person's terminal would see it: when it shows something, what it writes, how soon it answers."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Self

import psutil
import pyte

# What a terminal is asked and owes an answer to: device attributes, cursor position, synchronised output, kitty's keys.
_ANSWERS = (
    (re.compile(rb"\x1b\[c"), b"\x1b[?62;22c"),
    (re.compile(rb"\x1b\[6n"), b"\x1b[1;1R"),
    (re.compile(rb"\x1b\[\?2026\$p"), b"\x1b[?2026;2$y"),
)


class Terminal:
    """The far end of the pty. `written` counts the bytes that the program sent."""

    def __init__(self, command: Sequence[str], columns: int, rows: int, environment: Mapping[str, str]) -> None:
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self.written = 0
        self.started = time.perf_counter()
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            os.execvpe(command[0], list(command), {**os.environ, "TERM": "xterm-256color", "COLORTERM": "", **environment})
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with_grace = time.perf_counter() + 3
        os.kill(self.pid, signal.SIGTERM)
        while time.perf_counter() < with_grace:
            self.read(0.05)
            if os.waitpid(self.pid, os.WNOHANG)[0]:
                os.close(self._fd)
                return
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self._fd)

    def read(self, seconds: float, until: Callable[[], bool] = lambda: False) -> bool:
        """Reads for so long, or until it holds; whether it held."""
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            if until():
                return True
            if not select.select([self._fd], [], [], min(left, 0.01))[0]:
                continue
            try:
                data = os.read(self._fd, 65536)
            except OSError:
                return until()
            self.written += len(data)
            self._stream.feed(re.sub(rb"\x1b\[[<>=][0-9;]*[a-zA-Z]|\x1b\[\?[0-9;]*\$[a-z]", b"", data))
            for question, answer in _ANSWERS:
                for _ in question.findall(data):
                    os.write(self._fd, answer)
        return until()

    def shows(self, pattern: str, within: float = 20.0) -> float:
        """Seconds since the start after which the pattern is on screen. Raises TimeoutError."""
        wanted = re.compile(pattern)
        if not self.read(within, lambda: bool(wanted.search(self.text))):
            raise TimeoutError(f"{pattern!r} never came:\n{self.text}")
        return time.perf_counter() - self.started

    @property
    def text(self) -> str:
        """What is on screen."""
        return "\n".join(self.screen.display)

    def press(self, key: str) -> float:
        """Seconds until the first byte that the program writes after the key."""
        before, sent = self.written, time.perf_counter()
        os.write(self._fd, key.encode())
        self.read(2.0, lambda: self.written > before)
        return time.perf_counter() - sent

    def cost(self) -> tuple[float, float]:
        """CPU seconds that the program has used, and its resident memory in MB."""
        process = psutil.Process(self.pid)
        times = process.cpu_times()
        return times.user + times.system, process.memory_info().rss / 1e6
