"""Absence: nothing measured for so long, though nobody said that there would be nothing.

A series counts as silent from its last measurement on, also where it has vanished from good readings; a signal of which nothing
was ever seen, from the start. Only time in which somebody looked counts: a suspended or stalled Watchfloor is no silence.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar

from ..panel import Threshold
from ..reading import Labels, Signal, series_key
from ..text import Shown
from ..units import show_duration
from . import life
from .life import Held
from .rule import Measure, Rule

if TYPE_CHECKING:
    from ..feed import ProbeState

LOOKED = 10.0
"""Seconds between two looks past which nobody was looking: they come each second."""
FORGOTTEN = 86400.0
"""Seconds after which a silent series is taken for one that is gone for good, while others of its rule are measured: a rule of
which nothing is measured forgets nothing."""
NOWHERE = ("", "")


class Absent(Measure, frozen=True):
    """Seconds for which nothing was measured."""

    of_silence: ClassVar[bool] = True

    def says(self, value: float, rule: Rule, place: int) -> Shown:
        return Shown(f"nothing measured for {show_duration(rule.levels[place].limit)}")

    def limit(self, rule: Rule, level: Threshold) -> Shown:
        return Shown(f"absent for {show_duration(level.limit)}")


class Silence:
    """Watches for silence. Keeps its series among the book's `held`, by panel, rule and series."""

    def __init__(self, rules: Iterable[Rule], held: dict[tuple[str, str, str], Held]) -> None:
        self._rules: dict[str, list[Rule]] = {}
        for rule in rules:
            self._rules.setdefault(rule.panel, []).append(rule)
        self._held = held
        self._looked: dict[str, float] = {}

    def look(self, panel: str, probes: Sequence[ProbeState], now: float, mono: float) -> Iterator[Held]:
        """What is silent, or was a moment ago. `now` is UTC seconds, `mono` on the clock that never jumps."""
        rules = self._rules.get(panel)
        if not rules:
            return
        passed = mono - self._looked.get(panel, mono)
        self._looked[panel] = mono
        if not 0 <= passed <= LOOKED:
            passed = 0.0
        newest = _measured(probes, {rule.signal for rule in rules}, mono)
        for rule in rules:
            yield from self._of(rule, newest, passed, now, mono)

    def _of(self, rule: Rule, newest: Iterable[_Measured], passed: float, now: float, mono: float) -> Iterator[Held]:
        """One rule's series."""
        seen: dict[str, float | None] = {}
        for signal, ago, source in newest:
            if rule.matches(signal):
                self._get(rule, signal.labels).source = source
                seen[signal.key] = ago
        never = series_key(rule.signal, _named(rule))
        mine = [key for panel, name, key in self._held if (panel, name) == (rule.panel, rule.name)]
        if not mine:
            mine.append(self._get(rule, _named(rule)).key)
        any_measured = any(ago is not None for ago in seen.values())
        for key in mine:
            held = self._held[rule.panel, rule.name, key]
            ago = seen.get(key)
            held.silent = held.silent + passed if ago is None else ago
            gone = any_measured and held.silent > FORGOTTEN
            over = gone or (key == never and key not in seen and len(mine) > 1)
            quiet = not over and ago is None and held.silent >= rule.levels[0].limit
            if quiet != held.breached or (held.open and not quiet):
                held.take([held.silent + 1e-9 if quiet else 0.0], now, mono, LOOKED)
            if held.alert is not None or held.breached:
                yield held
            elif over:
                del self._held[rule.panel, rule.name, key]

    def _get(self, rule: Rule, labels: Labels) -> Held:
        """What is remembered of a series."""
        key = series_key(rule.signal, labels)
        held = self._held.get((rule.panel, rule.name, key))
        if held is None:
            held = self._held[rule.panel, rule.name, key] = life.new(rule, labels, key, NOWHERE)
        return held


_Measured = tuple[Signal, float | None, tuple[str, str]]
"""A signal, how many seconds ago it was measured (None where its newest reading has no value or is past its freshness), and the
target and probe that measure it."""


def _measured(probes: Sequence[ProbeState], names: set[str], mono: float) -> list[_Measured]:
    """The panel's newest signals of these names."""
    found: dict[str, _Measured] = {}
    for state in probes:
        for reading, read_at in ((state.good, state.good_at), (state.reading, state.read_at)):
            ago = None if read_at is None or mono - read_at > state.fresh_for else mono - read_at
            for signal in reading.signals if reading else ():
                if signal.name in names:
                    found[signal.key] = (signal, ago if signal.value is not None else None, (state.target, state.probe))
    return list(found.values())


def _named(rule: Rule) -> Labels:
    """The labels that the rule names outright, for a series that nobody has seen."""
    return tuple((label, pattern) for label, pattern in rule.labels if not any(sign in pattern for sign in "*?["))
