"""What either source yields: the same figures, whether a Prometheus was asked or a page was read.

None is *no data*, never zero. Rates are per second, times seconds, shares 0 to 1.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct, field

from tui.engine.reading import Labels
from tui.engine.text import Shown

if TYPE_CHECKING:
    from tui.engine.connections import Tools
    from tui.engine.panel import Target

ROUTES_KEPT = 50
"""Routes that become signals and rows: each costs a place in history, whatever a service's labels do."""
BY_ERRORS, BY_SLOWNESS = 20, 15
CLEARLY_MORE = 1.25


class Route(Struct, frozen=True):
    """One route's figures. `methods` are those it was asked with, where the source tells."""

    name: str
    rate: float | None = None
    errors: float | None = None
    """The failed share."""
    p95: float | None = None
    methods: tuple[str, ...] = ()
    tier: str = ""
    """What the service says of how much it matters; raw."""

    @property
    def labels(self) -> Labels:
        """The labels of its signals."""
        return (("route", self.name), ("tier", self.tier)) if self.tier else (("route", self.name),)


class Figures(Struct, frozen=True):
    """One look at a service."""

    request_rate: float | None = None
    error_rate: float | None = None
    p50: float | None = None
    p95: float | None = None
    p99: float | None = None
    routes: tuple[Route, ...] = ()
    tiles: Mapping[str, float | None] = field(default_factory=dict)
    notes: tuple[Shown, ...] = ()
    complete: bool = True
    """Whether everything that was asked for could be told: a figure may still be None, where nothing happened."""
    over: float | None = None
    """Seconds over which rates were taken."""


class Source(Protocol):
    """Where figures come from. Keeps what it needs from look to look."""

    async def look(self, target: Target, tools: Tools) -> Figures:
        """The figures now, within the target's deadline. Raises ProbeError where the source has no answer."""
        ...


def share(part: float | None, whole: float | None) -> float | None:
    """A part of a whole, 0 to 1; None where nothing happened or it is not known. Never above 1: the two were not counted at
    quite the same moment."""
    if part is None or not whole or whole <= 0:
        return None
    return min(max(part / whole, 0.0), 1.0)


def most_telling(routes: Iterable[Route], wanted: Container[str] = (), limit: int = ROUTES_KEPT) -> tuple[Route, ...]:
    """At most `limit` routes: those with the most errors, the slowest, then the busiest; and those that are `wanted`, by
    name, however many."""
    busy = sorted(routes, key=lambda each: (-(each.rate or 0), each.name))
    if len(busy) <= limit:
        return tuple(busy)
    failing = sorted((each for each in busy if each.errors), key=lambda each: -(each.errors or 0) * (each.rate or 0))
    slow = sorted((each for each in busy if each.p95 is not None), key=lambda each: -(each.p95 or 0))
    chosen = {each.name for each in (*failing[:BY_ERRORS], *slow[:BY_SLOWNESS])}
    chosen |= {each.name for each in busy if each.name in wanted}
    for each in busy:
        if len(chosen) >= limit:
            break
        chosen.add(each.name)
    return tuple(each for each in busy if each.name in chosen)


def steadily(routes: Iterable[Route], before: Iterable[str]) -> tuple[Route, ...]:
    """The busiest first, but in the order of before as long as that is about right: two change places only where one has a
    quarter more traffic than the other, so that noise moves no row."""
    by_name = {each.name: each for each in routes}
    order = [by_name.pop(name) for name in before if name in by_name] + list(by_name.values())
    moved = True
    while moved:
        moved = False
        for place in range(len(order) - 1):
            if (order[place + 1].rate or 0) > CLEARLY_MORE * (order[place].rate or 0):
                order[place], order[place + 1] = order[place + 1], order[place]
                moved = True
    return tuple(order)
