"""Ctrl-Z: who is stopped gives the lease up first, and stops where nobody has to wait for it; a screen comes back whole.

In raw mode Ctrl-Z is a key like any other, so the screen stops the job itself, as the terminal would: every process of its
group, for the shell waits for all of them (`uv run`, `make`). Textual's own handlers are replaced: its SIGCONT takes the
terminal also where nothing gave it back (after SIGSTOP), reads it twice from then on and leaves it raw at the end.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import termios
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from tui.engine.file_use import between_uses

if TYPE_CHECKING:
    from textual.driver import Driver

    from tui.screens.dashboard import WatchfloorApp


@contextlib.contextmanager
def stops_without_the_file(first: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Within it SIGTSTP stops this process between two uses of the journal's file, after `first` was called."""

    def stop(number: int, frame: FrameType | None) -> None:
        first()
        with between_uses():
            os.kill(os.getpid(), signal.SIGSTOP)

    before = signal.signal(signal.SIGTSTP, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTSTP, before)


@contextlib.contextmanager
def stops_with_the_screen(app: WatchfloorApp, first: Callable[[], None]) -> Iterator[None]:
    """Within it, from when the app has the terminal, Ctrl-Z and SIGTSTP give that back and stop this process as above, and
    SIGCONT brings the screen back."""
    before = signal.getsignal(signal.SIGTSTP), signal.getsignal(signal.SIGCONT)

    def take(driver: Driver) -> None:
        app.stops = _Screen(driver, first, app.draw_all).stop_job

    app.when_mounted = take
    try:
        yield
    finally:
        signal.signal(signal.SIGTSTP, before[0])
        signal.signal(signal.SIGCONT, before[1])


class _Screen:
    """The terminal that is given back and taken again. `first` is called before a stop, `anew` to draw all of it after.

    Everything happens in the loop: a signal's handler may come while something is being written to the terminal, and would wait
    for that for ever.
    """

    def __init__(self, driver: Driver, first: Callable[[], None], anew: Callable[[], object]) -> None:
        self._driver = driver
        self._first = first
        self._anew = anew
        self._loop = asyncio.get_running_loop()
        self._has_terminal = True
        self._went_on = 0
        signal.signal(signal.SIGTSTP, lambda number, frame: self._soon(self._stop))
        signal.signal(signal.SIGCONT, self._goes_on)

    def stop_job(self) -> bool:
        """Stops every process of this job, as the terminal does at Ctrl-Z where it takes keys itself; False, and nothing done,
        where no shell could bring it back."""
        if not _has_a_shell():
            return False
        self._stop(others=_stop_others)
        return True

    def _stop(self, others: Callable[[], None] = lambda: None) -> None:
        self._first()
        self._has_terminal = False
        self._driver.suspend_application_mode()
        with between_uses():
            others()
            os.kill(os.getpid(), signal.SIGSTOP)
            self._take_terminal()
        self._anew()

    def _take_terminal(self) -> None:
        """In the background this process is stopped again by trying: then once more, when it goes on."""
        went_on = -1
        while went_on != self._went_on:
            went_on = self._went_on
            self._driver.resume_application_mode()
            if _is_raw():
                break
        self._has_terminal = True

    def _goes_on(self, number: int, frame: FrameType | None) -> None:
        self._went_on += 1
        if self._has_terminal:
            self._soon(self._come_back)

    def _come_back(self) -> None:
        """Stopped from outside, unasked: who knows what the terminal was used for."""
        if self._has_terminal:
            self._has_terminal = False
            self._driver.suspend_application_mode()
            self._take_terminal()
            self._anew()

    def _soon(self, call: Callable[[], None]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended: so does this process
            self._loop.call_soon_threadsafe(call)


def _stop_others() -> None:
    """Stops the other processes of this job, which are told as the terminal would tell them."""
    here = signal.signal(signal.SIGTSTP, signal.SIG_IGN)
    os.killpg(0, signal.SIGTSTP)
    signal.signal(signal.SIGTSTP, here)


def _is_raw() -> bool:
    """Whether the terminal gives every key at once; True also where there is none any more."""
    try:
        return not termios.tcgetattr(sys.stdin.fileno())[3] & termios.ICANON
    except termios.error:
        return True


def _has_a_shell() -> bool:
    """Whether somebody outside of this process group, but of its session, is the parent of one in it: who could bring it back
    (POSIX: otherwise the group is orphaned, and the terminal's own Ctrl-Z would do nothing)."""
    group, session, parent = os.getpgrp(), os.getsid(0), os.getppid()
    try:
        while parent and os.getsid(parent) == session:
            if os.getpgid(parent) != group:
                return True
            parent = int(Path(f"/proc/{parent}/stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, ValueError):
        pass  # it is gone, or the system does not say
    return False
