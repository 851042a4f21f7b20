"""How fresh a panel's figures are, in the words that end its rule.

    03:12:09Z     the UTC second of its oldest figure: true for ever, also on a frozen terminal
    late 10s      older than an interval, in steps of 5 s, so that an answer a little late changes nothing
    stale 45s     past its freshness: the figures are drawn dim

A probe that is asked much less often than the panel's quickest (sizes by the minute) does not count until it is late by its own
measure: its figures say their own age.
"""

from __future__ import annotations

from msgspec import Struct

from tui.engine.clock import clock_time
from tui.engine.feed import PanelState, ProbeState
from tui.engine.text import EMPTY, Shown
from tui.engine.units import show_duration

from .ink import Role

STEP = 5.0


class Freshness(Struct, frozen=True):
    """The words and the part they play; `stale` where the figures must look so."""

    says: Shown
    role: Role = "dim"
    stale: bool = False


def freshness(state: PanelState, monotonic: float) -> Freshness:
    """The freshness of the worst of a panel's probes."""
    probes = [each for each in state.probes if each.good is not None]
    if not probes:
        return Freshness(Shown("no answer yet") if state.probes else Shown(""))
    worst = max(probes, key=lambda each: _overdue(each, monotonic))
    age = (worst.age(monotonic) or 0.0) // STEP * STEP
    if worst.stale(monotonic):
        stale = sum(each.stale(monotonic) for each in probes)
        some = f"{stale} of {len(probes)} " if stale < len(probes) else ""
        return Freshness(Shown(f"{some}stale {show_duration(age)}"), "unknown", not some)
    if age > worst.interval:
        return Freshness(Shown(f"late {show_duration(age)}"), "degraded")
    return Freshness(clock_time(_oldest(probes)))


def slowed_to(state: PanelState) -> Shown:
    """`asked each 52s`: how often the panel's quickest probe is asked, whose time is on the rule, where that is slowed; why is
    in its rows' detail. One that is asked a little less often than wanted is no news: its answers may be as late by
    themselves."""
    quickest = min(state.probes, key=lambda each: each.interval, default=None)
    if quickest is None or not quickest.slowed or quickest.interval < 2 * quickest.deadline:
        return EMPTY
    return Shown(f"asked each {show_duration(quickest.interval)}")


def _overdue(probe: ProbeState, monotonic: float) -> float:
    """How much of its freshness is used up: above 1 it is stale."""
    return (probe.age(monotonic) or 0.0) / max(probe.fresh_for, 0.001)


def _oldest(probes: list[ProbeState]) -> float:
    """UTC seconds of the oldest figure among those asked about as often as the quickest."""
    quickest = min(each.interval for each in probes)
    return min(each.good.at for each in probes if each.good is not None and each.interval <= 2 * quickest)
