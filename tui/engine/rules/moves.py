"""What has become of alerts since somebody last asked: for the journal, and for whoever is told."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from msgspec.structs import replace

from ..alert import Alert

if TYPE_CHECKING:
    from ..entries import AlertMoved

KEPT = 10_000
"""Moves that nobody has asked for; the oldest go."""


class Moves:
    """Each change of an alert's state or severity, in order."""

    def __init__(self) -> None:
        self._noted: deque[tuple[Alert, Alert | None]] = deque(maxlen=KEPT)

    def note(self, before: Alert | None, after: Alert | None, now: float) -> None:
        """An alert as it was and as it is; None where there is none. One that is only measured anew has not moved."""
        was = before if before and before.open else None
        if after is None:
            if was:
                self._noted.append((replace(was, state="resolved", ended=now, unknown_since=None), was))
        elif was is None or (after.state, after.severity) != (was.state, was.severity):
            self._noted.append((after, was))

    def taken(self) -> list[AlertMoved]:
        """Everything noted since this was last asked."""
        if not self._noted:
            return []
        from ..entries import AlertMoved  # late: `check` has no use for it

        moved = [AlertMoved(each, was.state if was else "inactive", was.severity if was else None) for each, was in self._noted]
        self._noted.clear()
        return moved
