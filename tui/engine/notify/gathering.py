"""Alerts with one cause become one message: those of a fold wait a few seconds for each other."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from math import inf

from msgspec import Struct, field

from ..alert import Severity
from ..clock import Clock
from .channel import Transition
from .due import Due
from .ledger import Key

GATHER = 5.0
"""Seconds in which alerts of one fold become one message."""
JOINERS = 60.0
"""Seconds after a message in which those that join its fold, and are no worse, wait for each other."""

Place = tuple[str, str, Transition, str]
"""Channel, fold, kind and incident: what becomes one message."""


class _Gathering(Struct):
    """Alerts that wait for each other. Times are monotonic."""

    first: float
    ready: float
    dues: dict[Key, Due] = field(default_factory=dict)


class Gatherings:
    """Everything that waits to be told together."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._of: dict[Place, _Gathering] = {}
        self._told: dict[tuple[str, str], tuple[float, Severity]] = {}
        """By channel and fold: when it was last told that something fires, and how bad."""

    def add(self, each: Due, incident: str = "") -> None:
        """Puts one with those of its fold. An acknowledgement waited long enough already."""
        now = self._clock.monotonic()
        place = (each.channel, each.fold, each.mark.kind, incident)
        gathering = self._of.get(place)
        if gathering is None:
            ready = now if each.mark.kind == "acknowledged" else now + GATHER
            gathering = self._of[place] = _Gathering(now, ready)
        gathering.dues[each.key] = each
        if each.mark.kind == "firing":
            told_at, severity = self._told.get((each.channel, each.fold), (-inf, "P3"))
            waits_for_joiners = each.alert.severity >= severity and now - told_at < JOINERS
            gathering.ready = max(gathering.first + GATHER, told_at + JOINERS if waits_for_joiners else 0.0)

    def ripe(self, wanted: Mapping[Key, Due]) -> list[tuple[Place, tuple[Due, ...], set[Key]]]:
        """What has waited long enough: its place, what of it is still `wanted`, and the keys of what is not."""
        now = self._clock.monotonic()
        found = []
        for place in [place for place, each in self._of.items() if each.ready <= now]:
            dues = self._of.pop(place).dues
            still = tuple(wanted[key] for key in dues if key in wanted)
            found.append((place, still, set(dues) - wanted.keys()))
        return found

    def told(self, channel: str, fold: str, severity: Severity) -> None:
        """A channel was just told that something of a fold fires."""
        self._told[channel, fold] = (self._clock.monotonic(), severity)

    def keep(self, channels: Collection[str]) -> None:
        """Only these channels are left; and what was told long ago holds nobody up any more."""
        now = self._clock.monotonic()
        self._of = {place: each for place, each in self._of.items() if place[0] in channels}
        self._told = {key: told for key, told in self._told.items() if key[0] in channels and now - told[0] < JOINERS}
