"""The dashboard's own terminal as a way to tell: its bell, a notification on the desktop (OSC 9), the name of tmux's window.

Each dashboard calls for itself, whoever polls, when an alert begins to fire or rises; not more than once in ten seconds. What
already fired when the dashboard opened calls nobody: somebody is looking. Off until a `[[notify]]` of kind `terminal` stands in
the config. Knows no widget; what it writes goes the way of everything that is drawn.
"""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence

from tui.engine.alert import Alert, Severity
from tui.engine.clock import Clock
from tui.engine.feed import Snapshot
from tui.engine.notify.channel import Channel
from tui.engine.notify.message import message_of
from tui.engine.notify.routing import fits
from tui.engine.notify.terminal import Terminal
from tui.engine.text import Shown, clean

PAUSE = 10.0
"""Seconds between two calls at the least: an outage rings once, not with each of its alerts."""
TMUX_TIMEOUT = 1.0
"""Seconds that tmux may take to answer."""
BELL, ESC = "\a", "\x1b"


class Caller:
    """What one dashboard's terminal does. `channels` gives those of the config as it is now; `write` puts text out as it is."""

    def __init__(
        self,
        channels: Callable[[], Sequence[Channel]],
        write: Callable[[str], object],
        clock: Clock,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self._channels = channels
        self._write = write
        self._clock = clock
        self._in_tmux = bool(environment.get("TMUX"))
        self._in_screen = bool(environment.get("STY"))
        self._window = Window(environment.get("TMUX_PANE", "")) if self._in_tmux else None
        self._known: dict[str, Severity] | None = None
        """As how bad each alert was last seen to fire; None before there was a first look."""
        self._waiting: dict[str, Alert] = {}
        self._called_at = -PAUSE

    def take(self, snapshot: Snapshot) -> None:
        """Looks at what there is to see now, and calls where something new fires. The first look is the first at something
        measured: before that, nothing can be known to fire."""
        if self._known is None and not any(probe.reading for panel in snapshot.panels for probe in panel.probes):
            return
        terminals = [each for each in self._channels() if isinstance(each, Terminal)]
        firing = {each.fingerprint: each for each in snapshot.alerts if _calls(each)}
        known, self._known = self._known, {print_: each.severity for print_, each in firing.items()}
        if known is not None:
            news = {print_: each for print_, each in firing.items() if known.get(print_, "P9") > each.severity}
            self._waiting = {print_: each for print_, each in (self._waiting | news).items() if print_ in firing}
        wanted = [(each, alerts) for each in terminals if (alerts := _for(each, self._waiting.values(), snapshot.at))]
        if wanted and self._clock.monotonic() - self._called_at >= PAUSE:
            self._called_at = self._clock.monotonic()
            self._waiting = {}
            for terminal, alerts in wanted:
                self._call(terminal, alerts, snapshot)
        self._name(terminals, [*firing.values()], snapshot.at)

    def _call(self, terminal: Terminal, alerts: Sequence[Alert], snapshot: Snapshot) -> None:
        if terminal.desktop and not self._in_screen:
            told = message_of(alerts, "firing", snapshot.at, product=snapshot.name, environment=snapshot.environment)
            self._write(notification(told.brief, self._in_tmux))
        if terminal.bell:
            self._write(BELL)

    def _name(self, terminals: Sequence[Terminal], firing: Sequence[Alert], now: float) -> None:
        """The worst that fires, before the window's name."""
        if self._window is None:
            return
        naming = [each for each in terminals if each.tmux_window]
        shown = [alert.severity for each in naming for alert in _for(each, firing, now)]
        self._window.mark(min(shown) if shown else None)

    def restore(self) -> None:
        """Gives the window its name back; waits a second at most."""
        if self._window is not None:
            self._window.restore()


def _calls(alert: Alert) -> bool:
    """Whether an alert is for calling anybody: it wants an answer."""
    return alert.wants_answer and not alert.in_maintenance


def _for(terminal: Terminal, alerts: Iterable[Alert], now: float) -> list[Alert]:
    """The alerts that the terminal is to call for."""
    return [each for each in alerts if "firing" in terminal.on and fits(terminal.when, each, now)]


def notification(text: Shown, in_tmux: bool) -> str:
    """OSC 9, which several terminals show on the desktop; in tmux wrapped, so that it may pass on what it does not know."""
    osc = f"{ESC}]9;{clean(text, 200)}{BELL}"
    return f"{ESC}Ptmux;{osc.replace(ESC, ESC + ESC)}{ESC}\\" if in_tmux else osc


class Window:
    """The tmux window that the dashboard is in. tmux is asked in a thread: it may hang, and a key must not wait for it."""

    def __init__(self, pane: str) -> None:
        self._pane = pane
        self._mark: Severity | None = None
        self._name: str | None = None
        self._renames_itself = False
        self._turn = threading.Lock()

    def mark(self, severity: Severity | None) -> None:
        """Puts it before the name; with None the name is its own again."""
        if severity == self._mark or not self._pane:
            return
        self._mark = severity
        threading.Thread(target=self._put, name="watchfloor-tmux", daemon=True).start()

    def restore(self) -> None:
        """The name is its own again, at once."""
        self._mark = None
        if self._name is not None:
            self._put()

    def _put(self) -> None:
        """Brings the name to what is wanted now, whichever thread comes first."""
        with self._turn:
            wanted = self._mark
            if wanted is None:
                self._give_back()
                return
            if self._name is None:
                self._name = _tmux("display-message", "-p", "-t", self._pane, "#{window_name}")
                self._renames_itself = _tmux("show-options", "-wv", "-t", self._pane, "automatic-rename") in ("", "on")
            if self._name is not None:
                _tmux("rename-window", "-t", self._pane, f"{wanted}! {self._name}")

    def _give_back(self) -> None:
        name, self._name = self._name, None
        if name is None:
            return
        _tmux("rename-window", "-t", self._pane, name)
        if self._renames_itself:  # renaming by hand turns that off for the window
            _tmux("set-option", "-wu", "-t", self._pane, "automatic-rename")


def _tmux(*arguments: str) -> str | None:
    """What tmux answers; None where it does not."""
    try:
        done = subprocess.run(
            ["tmux", *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TMUX_TIMEOUT, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.rstrip("\n") if done.returncode == 0 else None
