"""Whether a key is a person's word: typed by fingers, after what it answers has stood complete for a while.

Pastes, key repeats and keys faster than fingers are dropped; so is what was typed before the plan stood. Pure but for the clock
it is given.
"""

from __future__ import annotations

STANDS = 0.5
"""Seconds for which a plan must have stood complete before a key counts."""
FINGERS = 0.03
"""Seconds: two keys closer than this were not typed by a person."""
REPEAT = 0.09
"""Seconds: the same key again within this is a key held down."""
SETTLES = 0.12
"""Seconds without another key after which `y` counts: a paste that begins with y does not."""


class Word:
    """The keys typed at one plan. Times are monotonic seconds."""

    def __init__(self) -> None:
        self._stood: float | None = None
        self._last = ("", 0.0)

    def forget(self) -> None:
        """Another plan is coming: nothing counts until it stands."""
        self._stood = None

    def stands(self, now: float) -> None:
        """The plan is on screen, complete."""
        self._stood = now

    def counts(self, key: str, now: float) -> bool:
        """Takes a key, and says whether it is a person's word."""
        before, at = self._last
        self._last = (key, now)
        gap = now - at
        return self._stood is not None and now - self._stood >= STANDS and gap >= FINGERS and (gap >= REPEAT or before != key)

    def settled(self, key: str, at: float) -> bool:
        """Whether no other key came after this one."""
        return self._last == (key, at)
