"""Means over long windows: of what this process measured, and before that of what the journal's record holds.

Kept only for the series that a baseline or a budget looks at, as running totals in steps: a mean over any window is two
look-ups, whatever its length, and asks no disk. What was before this process began is read beside the judging and taken in
(`recording.py`); until then a window that reaches further back is unknown. Three days of one series are 100 kB.

A value counts for the time that it stands for: since the one before it. So an hour kept in full and days kept by ten minutes
weigh what they lasted, and a pace that changes changes nothing.
"""

from __future__ import annotations

import bisect
import math
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec import Struct

from ..history import History

STEPS = 4320
SHORTEST_STEP = 5.0
PRUNES_EACH = 3600.0
THINNED = ((86400.0, 600.0), (3600.0, 60.0), (0.0, 0.0))
"""Of what is older than so many seconds, a recorded value stands for so many at the most (`store_ageing.py` thins it)."""
Values = tuple["array[float]", "array[float]"]
"""Times (UTC seconds, ascending) and values of a series; NaN where nothing was measured."""


class Wanted(Struct, frozen=True):
    """A series of which it is to be read what was before `until` (UTC seconds), `reach` seconds back. A value kept in full
    stands for `longest` seconds at the most."""

    panel: str
    key: str
    reach: float
    until: float
    longest: float


def step_of(reach: float) -> float:
    """The step in seconds, for means that are wanted so far back."""
    return max(SHORTEST_STEP, reach / STEPS)


class Totals:
    """One series as running totals by steps of time: `total[i]` and `weight[i]` are of everything up to the end of step i."""

    __slots__ = ("at", "before", "last", "pace", "step", "total", "weight")

    def __init__(self, reach: float) -> None:
        self.step = step_of(reach)
        self.at = array("d")
        self.total = array("d")
        self.weight = array("d")
        self.before = (0.0, 0.0)
        """What of both is older than the first step kept."""
        self.last = -math.inf
        """When the newest value was measured."""
        self.pace = math.inf
        """How long the one before it stood: so long stands one that comes after a gap."""

    def add(self, at: float, value: float, longest: float) -> None:
        """Takes a value, which stands for the time since the one before it where that is `longest` seconds at the most; else
        there was a gap. Where the clock was set back, what lies in the future now was never so late; one that is as old as the
        newest is that one again."""
        if at == self.last:
            return
        begin = math.floor(at / self.step) * self.step
        if self.at and begin < self.at[-1]:
            keep = bisect.bisect_right(self.at, begin)
            del self.at[keep:], self.total[keep:], self.weight[keep:]
        self.extend((at,), (value,), longest)
        if len(self.at) > 1.25 * STEPS:
            old = len(self.at) - STEPS
            self.before = self._until(old)
            del self.at[:old], self.total[:old], self.weight[:old]

    def extend(self, at: Sequence[float], values: Sequence[float], longest: float) -> None:
        """Takes values in order of their times and newer than what it has; NaN where there was none. Many at once cost less."""
        step, last, pace = self.step, self.last, self.pace
        total, weight = self._until(len(self.at))
        newest = self.at[-1] if self.at else -math.inf
        for moment, value in zip(at, values, strict=True):
            if value != value:
                continue
            lasted = moment - last
            if 0 < lasted <= longest:
                pace = lasted
            else:
                lasted = min(longest, pace)
            last = moment
            total += value * lasted
            weight += lasted
            begin = moment // step * step
            if begin > newest:
                newest = begin
                self.at.append(begin)
                self.total.append(total)
                self.weight.append(weight)
            else:
                self.total[-1], self.weight[-1] = total, weight
        self.last, self.pace = last, pace

    def _until(self, place: int) -> tuple[float, float]:
        """Total and weight of all steps before a place."""
        return (self.total[place - 1], self.weight[place - 1]) if place else self.before

    def reaches(self, start: float) -> bool:
        """Whether it holds what was at `start`."""
        return bool(self.at) and self.at[0] <= start + self.step

    def mean(self, start: float, end: float) -> float | None:
        """The mean of the values between, to a step; None where there are none."""
        low = bisect.bisect_left(self.at, math.floor(start / self.step) * self.step)
        high = bisect.bisect_right(self.at, end)
        (total, weight), (less, lighter) = self._until(high), self._until(low)
        return (total - less) / (weight - lighter) if weight > lighter else None

    def after(self, older: Totals) -> None:
        """Takes what was measured before its own first step; nothing where that has come so far that the oldest went."""
        if self.before != (0.0, 0.0):
            return
        place = bisect.bisect_left(older.at, self.at[0]) if self.at else len(older.at)
        total, weight = older._until(place)
        self.at = older.at[:place] + self.at
        self.total = older.total[:place] + array("d", [each + total for each in self.total])
        self.weight = older.weight[:place] + array("d", [each + weight for each in self.weight])
        self.before = older.before


def totals(wanted: Wanted, recorded: Values, newer: Values) -> Totals:
    """The totals of what was recorded of a series, as far back as it is wanted, and of what came after that."""
    made = Totals(wanted.reach)
    at, values = recorded
    first = bisect.bisect_left(at, wanted.until - wanted.reach - 2 * THINNED[0][1])
    for age, most in THINNED:
        until = bisect.bisect_left(at, wanted.until - age)
        if until > first:
            made.extend(at[first:until], values[first:until], max(wanted.longest, most))
            first = until
    made.extend(*newer, wanted.longest)
    return made


class Means:
    """The means of every series that asks for them."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._kept: dict[tuple[str, str], Totals] = {}
        self._wanted: dict[tuple[str, str], Wanted] = {}
        self.recorded = False
        """Whether there is a record, of which somebody brings what was before (`taken_back`): else the history is all."""
        self._pruned = -math.inf

    def add(self, panel: str, key: str, at: float, value: float, reach: float, longest: float) -> None:
        """Takes a newly measured value of a series whose means are wanted `reach` seconds back; it stands for `longest` seconds
        at the most."""
        kept = self._kept.get((panel, key))
        if kept is None or kept.step < step_of(reach):
            kept = self._kept[panel, key] = Totals(reach)
            self._wanted[panel, key] = Wanted(panel, key, reach, at, longest)
        kept.add(at, value, longest)
        self._prune(at)
        if self.recorded and (panel, key) in self._wanted:
            return
        first = self._history.first(panel, key)
        if first is not None and first < kept.at[0] - kept.step:
            newer = self._history.between(panel, key, first - 1, kept.at[0])
            kept.after(totals(Wanted(panel, key, reach, at, longest), NOTHING, newer))

    def _prune(self, now: float) -> None:
        """Drops what has not been measured for as long as it reaches back: each is 100 kB."""
        if now - self._pruned > PRUNES_EACH:
            self._pruned = now
            self._kept = {key: each for key, each in self._kept.items() if now - each.last < each.step * STEPS}

    def mean(self, panel: str, key: str, start: float, end: float) -> float | None:
        """The mean of what was measured between (UTC seconds); None where what is known does not reach back to `start`."""
        kept = self._kept.get((panel, key))
        return kept.mean(start, end) if kept is not None and kept.reaches(start) else None

    def wanted(self) -> Sequence[Wanted]:
        """Series of which nobody has brought yet what was recorded before."""
        return tuple(self._wanted.values())

    def taken_back(self, found: Mapping[tuple[str, str], Totals], asked: Iterable[Wanted]) -> None:
        """Takes what was recorded of series, by panel and key, and asks no more for any of those that were `asked` for."""
        for each in asked:
            key = (each.panel, each.key)
            if self._wanted.get(key) is each:
                del self._wanted[key]
            if key in self._kept and key in found:
                self._kept[key].after(found[key])

    def forget(self) -> None:
        """Another process measured meanwhile: what is kept has a hole that its record fills."""
        self._kept.clear()
        self._wanted.clear()


NOTHING: Values = (array("d"), array("d"))
Record = Callable[[str, Sequence[str], float, float], Mapping[str, Values]]
"""`(panel, keys, start, end)` → what was recorded of these signals between: times and values by key. UTC seconds."""


def read_back(wanted: Sequence[Wanted], record: Record, history: History) -> dict[tuple[str, str], Totals]:
    """What the record and the history hold of these series. Takes its time, so not for the engine's loop; raises what `record`
    raises."""
    found: dict[tuple[str, str], Totals] = {}
    for panel in dict.fromkeys(each.panel for each in wanted):
        mine = [each for each in wanted if each.panel == panel]
        start = min(each.until - each.reach for each in mine) - 2 * THINNED[0][1]
        until = max(each.until for each in mine)
        recorded = record(panel, [each.key for each in mine], start, until)
        for each in mine:
            first = history.first(panel, each.key) or each.until
            at, values = recorded.get(each.key, NOTHING)
            place = bisect.bisect_left(at, first)
            newer = history.between(panel, each.key, first - 1, each.until)
            found[panel, each.key] = totals(each, (at[:place], values[:place]), newer)
    return found
