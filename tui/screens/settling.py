"""A person's `y` counts once no other key came after it: for that long one must have been able to hear."""

from __future__ import annotations

import time
from collections.abc import Callable

from textual.screen import Screen

from .word import SETTLES

LATE = 2 * SETTLES
"""Seconds after which a moment that should have taken `SETTLES` was none of listening: the program stood still in it, and a key
of that time is yet to be read."""
AGAIN = 3
"""So often it is waited anew; a machine that is always that slow must not keep a person from answering."""


def once_settled(screen: Screen[None], then: Callable[[], None], again: int = AGAIN) -> None:
    """Calls `then` on the screen after a moment of `SETTLES` seconds in which keys were heard, and behind those that have come
    by then and were not looked at yet: they are in the app's queue, or the screen's."""
    began = time.monotonic()

    def over() -> None:
        if again and time.monotonic() - began > LATE:
            once_settled(screen, then, again - 1)
        else:
            screen.app.call_later(screen.call_later, then)

    screen.set_timer(SETTLES, over)
