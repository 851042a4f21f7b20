"""Waits for locks as changes: that somebody began to stand in others' way may be why something else broke.

One change a holder, at the moment when the first of those behind it began to wait; told for as long as anybody does.
"""

from __future__ import annotations

from collections.abc import Sequence

from tui.engine.reading import Change
from tui.engine.text import clean

from .activity import Seen, parents, waiting_for

LONG = 3.0
"""Seconds from which a wait is worth a mark on every chart: shorter ones come and go."""
MOST = 5
"""So many holders at once are told of, those with the longest wait."""


def lock_changes(panel: str, sessions: Sequence[Seen], now: float, told: dict[str, Change]) -> tuple[Change, ...]:
    """The holders for whom somebody has waited long, at `now` (UTC seconds). `told` is what was told of before, by holder: the
    same as long as it lasts, and kept here."""
    above = parents(sessions)
    roots = [each for each in sessions if each.pid in set(above.values()) and each.pid not in above]
    found: dict[str, Change] = {}
    for root in roots:
        behind = waiting_for(root.pid, sessions)
        waited = behind[0].waited if behind else None
        if waited is not None and waited >= LONG:
            found[root.key] = told.get(root.key) or _change(panel, root, len(behind), now - waited)
    told.clear()
    told.update(dict(sorted(found.items(), key=lambda item: item[1].at)[:MOST]))
    return tuple(told.values())


def _change(panel: str, root: Seen, waiting: int, since: float) -> Change:
    what = f" ({root.application})" if root.application else ""
    detail = f"{waiting} waited for it: {root.folded}" if root.folded else f"{waiting} waited for it"
    title = clean(f"session {root.pid}{what} blocks others in {panel}")
    return Change(f"{panel}/lock/{root.key}/{since:.0f}", since, "lock", title, clean(detail, 160), (panel,))
