"""Growth gathered by route, over a window: what happened in the last five minutes, or in as much of them as was seen.

Sums only grow; a look is a copy of them that shares with the one before whatever did not change, so that a thousand routes
over forty looks cost a few megabytes.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Mapping, Sequence

from msgspec import Struct

from .page import Series

LOOKS_KEPT = 40
"""Looks that a window is made of, at most; those in between are dropped."""
SLACK = 1.1
"""How much older than the window its first look may be: polls do not fall on its edge."""
ROUTES_COUNTED = 2000
OTHERS = "(all other routes)"
"""What routes beyond `ROUTES_COUNTED` are counted as."""
PLACES_KEPT = 200_000
REQUESTS, FAILED, ERRORS, BUCKETS = 0, 1, 2, 3
"""Places in a route's sums: requests, those with a 5xx status, the error counter; then the buckets, by place of their bound."""


class Names(Struct, frozen=True):
    """What the service calls its metrics and labels."""

    requests: str
    errors: str
    bucket: str
    route: str
    status: str
    method: str
    tier: str = ""


class Passed(Struct, frozen=True):
    """What happened to one route, or to all, in the window: counts, and cumulative bucket counts by upper bound."""

    requests: float
    failed: float
    errors: float
    buckets: Mapping[float, float]


class _Look(Struct, frozen=True):
    at: float
    routes: Mapping[str, array[float]]
    tiles: Mapping[str, float]


class Window:
    """The looks of the last `seconds` at one service. Times are seconds of a clock that runs on while the machine sleeps."""

    def __init__(self, names: Names, seconds: float) -> None:
        self._names = names
        self._seconds = seconds
        self._bounds: dict[float, int] = {}
        self._looks: list[_Look] = []
        self._places: dict[Series, tuple[str, int] | None] = {}
        self.methods: dict[str, set[str]] = {}
        """The methods that each route was asked with."""
        self.tiers: dict[str, str] = {}
        """How much each route matters, where the service says so."""
        self.seen: set[str] = set()
        """The metrics that were ever there, by name."""
        self.tells_status = False
        """Whether requests say with which status they were answered."""
        self.errors_tell_route = False
        """Whether the error counter says on which route."""

    def add(self, at: float, grown: Mapping[Series, float], tiles: Mapping[str, float]) -> None:
        """Adds what grew since the last look: by series, and by tile."""
        before = self._looks[-1] if self._looks else _Look(at, {}, {})
        routes = dict(before.routes)
        copied: set[str] = set()
        for series, amount in grown.items():
            if series not in self._places:
                self._places[series] = self._place(series)
            where = self._places[series]
            if where is None or (not amount and _counted(routes.get(where[0]), where[1])):
                continue
            route = where[0] if where[0] in routes or len(routes) < ROUTES_COUNTED else OTHERS
            if route not in copied:
                copied.add(route)
                routes[route] = array("d", routes.get(route, ()))
            _add(routes[route], where[1], amount)
        if len(self._places) > PLACES_KEPT:
            self._places.clear()
        sums = {name: before.tiles.get(name, 0.0) + tiles.get(name, 0.0) for name in before.tiles.keys() | tiles.keys()}
        self._keep(_Look(at, routes, sums))

    @property
    def passed(self) -> float | None:
        """The seconds that the window holds; None before there are two looks."""
        return self._looks[-1].at - self._looks[0].at if len(self._looks) > 1 else None

    def by_route(self) -> dict[str, Passed]:
        """What happened to each route."""
        if len(self._looks) < 2:
            return {}
        then, now = self._looks[0].routes, self._looks[-1].routes
        return {route: self._between(then.get(route), sums) for route, sums in now.items()}

    def tile(self, name: str) -> float | None:
        """By how much a tile's counters grew; None where they are not there."""
        if len(self._looks) < 2 or name not in self._looks[-1].tiles:
            return None
        return self._looks[-1].tiles[name] - self._looks[0].tiles.get(name, 0.0)

    def _place(self, series: Series) -> tuple[str, int] | None:
        """Where a series counts: its route, and the place in the route's sums; None where it does not."""
        names, route = self._names, series.label(self._names.route)
        self.seen.add(series.name)
        if series.name == names.requests:
            status = series.label(names.status)
            self.tells_status |= bool(status)
            if method := series.label(names.method):
                self.methods.setdefault(route, set()).add(method)
            if names.tier and (tier := series.label(names.tier)):
                self.tiers[route] = tier
            return route, FAILED if status.startswith("5") else REQUESTS
        if series.name == names.errors:
            self.errors_tell_route |= bool(route)
            return route, ERRORS
        bound = _bound(series.label("le")) if series.name == names.bucket else None
        return None if bound is None else (route, BUCKETS + self._bounds.setdefault(bound, len(self._bounds)))

    def _keep(self, look: _Look) -> None:
        """Appends a look; drops what is older than the window, and what stands closer than it needs."""
        looks = self._looks
        if len(looks) > 1 and looks[-1].at - looks[-2].at < self._seconds / LOOKS_KEPT:
            looks.pop()
        looks.append(look)
        oldest = look.at - SLACK * self._seconds
        while looks[0].at < oldest or (len(looks) > 1 and looks[1].at <= look.at - self._seconds):
            del looks[0]

    def _between(self, then: array[float] | None, now: array[float]) -> Passed:
        """The difference of a route's sums."""
        grown = [value - _at(then, place) for place, value in enumerate(now)]
        buckets = {
            bound: _at(grown, BUCKETS + place) for bound, place in self._bounds.items() if _counted(now, BUCKETS + place)
        }
        failed = _at(grown, FAILED)
        return Passed(_at(grown, REQUESTS) + failed, failed, _at(grown, ERRORS), buckets)


def together(routes: Mapping[str, Passed]) -> Passed:
    """All routes as one."""
    buckets: dict[float, float] = {}
    for each in routes.values():
        for bound, count in each.buckets.items():
            buckets[bound] = buckets.get(bound, 0.0) + count
    return Passed(
        sum(each.requests for each in routes.values()),
        sum(each.failed for each in routes.values()),
        sum(each.errors for each in routes.values()),
        buckets,
    )


def _add(sums: array[float], place: int, amount: float) -> None:
    """Adds in place. NaN stands where nothing was ever counted: a route without some bucket has none, not an empty one."""
    if place >= len(sums):
        sums.extend([math.nan] * (place + 1 - len(sums)))
    sums[place] = amount if math.isnan(sums[place]) else sums[place] + amount


def _counted(sums: array[float] | None, place: int) -> bool:
    """Whether anything was ever counted at a place."""
    return sums is not None and place < len(sums) and not math.isnan(sums[place])


def _at(sums: Sequence[float] | None, place: int) -> float:
    """The sum at a place, zero where nothing was counted."""
    return sums[place] if sums is not None and place < len(sums) and not math.isnan(sums[place]) else 0.0


def _bound(text: str) -> float | None:
    """A bucket's upper bound; None where it is no number."""
    try:
        bound = float(text)
    except ValueError:
        return None
    return None if math.isnan(bound) else bound
