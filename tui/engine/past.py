"""Everything as it was at one moment: what rewind shows, through the same views as what is live."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Mapping, Sequence
from operator import is_

from msgspec import Struct

from . import series
from .feed import ProbeState
from .history import Trends
from .judge import Judgement
from .reading import Change
from .series import Block, Values
from .text import EMPTY, Shown

NOTHING = ProbeState("", "", 0.0, 0.0)
"""Stands where nothing is recorded of a panel: *unknown*, never green."""


class PastTrends(Trends):
    """The signals of the hour before one moment, as they were recorded: all in memory, so that views do no I/O."""

    def __init__(
        self,
        at: float,
        blocks: Mapping[str, Sequence[Block]],
        changes: Sequence[Change],
        before: PastTrends | None = None,
    ) -> None:
        super().__init__()
        self._at = at
        self._blocks = blocks
        self._changes = changes
        self._apart: dict[str, bool] = {}
        self._joined: dict[str, dict[str, Values]] = {
            panel: before._joined[panel] if before and _same(before._blocks.get(panel, ()), of) else {}
            for panel, of in blocks.items()
        }

    def between(self, panel: str, key: str, start: float, end: float) -> Values:
        return series.between(self._series(panel, key), start, min(end, self._at))

    def changes(self, seconds: float, now: float) -> list[Change]:
        return [each for each in self._changes if now - seconds <= each.at <= min(now, self._at)]

    def _age(self, panel: str, now: float) -> float:
        return now - min((each.start for each in self._blocks.get(panel, ())), default=now)

    def _newest(self, panel: str, key: str) -> tuple[int, float]:
        at, _ = self._series(panel, key)
        return (len(at), at[-1]) if at else (0, 0.0)

    def _series(self, panel: str, key: str) -> Values:
        joined = self._joined.get(panel)
        if joined is None:
            return array("d"), array("d")
        found = joined.get(key)
        if found is None:
            blocks = self._blocks[panel]
            if panel not in self._apart:
                self._apart[panel] = series.apart(blocks)
            found = joined[key] = series.joined(blocks, key, self._apart[panel])
        return found


def _same(before: Sequence[Block], now: Sequence[Block]) -> bool:
    """Whether these are the very same blocks."""
    return len(before) == len(now) and all(map(is_, before, now))


class Past(Struct, frozen=True):
    """Everything as it was at `at` (UTC seconds): for `judge.drawn_up` and the views.

    The states' `good_at` are UTC seconds too, so give `at` wherever a monotonic moment is asked for. A panel of which nothing
    is recorded has one state that is *unknown*. `recorded` is when the newest row was written that this is made from, None
    where there is none; `step` is 0 where all was kept, else how many seconds one set stands for; `problem` says why a moment
    cannot be shown.
    """

    at: float
    states: defaultdict[str, list[ProbeState]]
    judgement: Judgement
    history: Trends
    recorded: float | None = None
    step: int = 0
    problem: Shown = EMPTY

    @property
    def monotonic(self) -> float:
        """`at`, under the name that views and states ask for."""
        return self.at


def unknown(at: float, problem: Shown = EMPTY) -> Past:
    """A moment of which nothing is recorded, or nothing can be read."""
    return Past(at, by_panel({}), Judgement(at), PastTrends(at, {}, ()), problem=problem)


def by_panel(states: Mapping[str, list[ProbeState]]) -> defaultdict[str, list[ProbeState]]:
    """The states, *unknown* for a panel that has none."""
    found: defaultdict[str, list[ProbeState]] = defaultdict(lambda: [NOTHING])
    found.update(states)
    return found
