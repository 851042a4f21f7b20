"""The journal's file is not left locked by a process that is stopped (Ctrl-Z): it stops between two uses of the file.

A process that is stopped within a transaction keeps the file locked for every other one of the host, until it goes on. SQLite
alone keeps writers apart; here it is only counted who in this process is at the file, so that a stop can wait for the end.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

ENDS = 1.0
"""Seconds that a stop waits for the uses under way. On a disk that hangs longer it stops all the same."""
WAITS = 10
"""How often a use waits a moment for a stop to be over, which on a terminal that takes nothing any more it never is. Told by
moments, since the time goes on while this process is stopped."""
MOMENT = 0.05
"""Seconds."""

_changed = threading.Condition()
_uses = 0
_stops = 0


@contextlib.contextmanager
def using_file() -> Iterator[None]:
    """Around everything that this process reads or writes there, from a transaction's beginning to its end."""
    global _uses
    with _changed:
        for _ in range(WAITS):
            if _changed.wait_for(lambda: not _stops, MOMENT):
                break
        _uses += 1
    try:
        yield
    finally:
        with _changed:
            _uses -= 1
            _changed.notify_all()


@contextlib.contextmanager
def between_uses() -> Iterator[None]:
    """Around a stop of this process, in its main thread: waits for the uses under way, and lets none begin meanwhile."""
    global _stops
    with _changed:
        _stops += 1
        _changed.wait_for(lambda: not _uses, ENDS)
    try:
        yield
    finally:
        with _changed:
            _stops -= 1
            _changed.notify_all()
