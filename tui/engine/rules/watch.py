"""A series under a rule, as a probe's answers show it: which answer it stands in, and how long ago it was measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from ..reading import Reading, Signal
from .life import Held

if TYPE_CHECKING:
    from ..feed import ProbeState


class Watch(Struct):
    """A series under a rule, as a probe's last answers show it. `signal` is None where they no longer do."""

    held: Held
    signal: Signal | None
    refused: bool = False
    """Whether it stands in an answer that failed (`up` is 0), and not in the last good one."""

    def tail(self, state: ProbeState, mono: float) -> float | None:
        """The seconds since the series was last measured, None while nothing is known of it: its newest reading has no value or
        is past its freshness, or a clock has jumped since."""
        held = self.held
        read_at = state.read_at if self.refused else state.good_at
        if not held.known or held.mono is None or read_at is None or mono - held.mono > state.fresh_for:
            return None
        return max(0.0, mono - held.mono)


class Source(Struct):
    """A probe of a target: the answers last looked at, and what the rules watch in them."""

    good: Reading | None
    newest: Reading | None
    watches: list[Watch]

    def is_of(self, state: ProbeState) -> bool:
        """Whether these are still its answers."""
        return self.good is state.good and self.newest is state.reading
