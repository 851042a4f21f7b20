"""The dashboard's own terminal as a channel: what it does when an alert begins to fire. `tui/calling.py` does it."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from .channel import Channel, Transition, When


class Terminal(Channel):
    """`kind = "terminal"`: the terminal that the dashboard runs in. Each dashboard calls for itself."""

    when: When = Field(default_factory=lambda: When(severity=("P0", "P1")))
    """Which alerts it calls for; P0 and P1 where it is not given."""
    on: tuple[Transition, ...] = ("firing",)
    """Only `firing` is called out."""
    bell: bool = True
    """Ring the bell, which tmux can show too (`monitor-bell`)."""
    desktop: bool = False
    """Ask the terminal for a notification on the desktop (OSC 9); inside tmux only with its `allow-passthrough on`."""
    tmux_window: bool = False
    """Inside tmux, put the worst severity that fires before the window's name, and give the name back at the end."""

    on_screen: ClassVar[bool] = True
