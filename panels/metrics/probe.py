"""Looks once at a service's figures, and puts what was usual lately beside them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median

from tui.engine.connections import Tools
from tui.engine.panel import Memory, Target
from tui.engine.reading import Found, Row, Signal, Status, Value, signal
from tui.engine.text import clean

from .config import MetricsConfig
from .figures import Figures, Route, Source, most_telling, steadily
from .queried import Queried
from .scraped import Scraped

USUAL_OVER = 3600.0
USUAL_AFTER = 600.0
"""Seconds of history before there is a *usual*: a service that has just begun to be watched has none."""


async def ask(target: Target, tools: Tools, memory: Memory) -> Found:
    """The figures now. Raises ProbeError where the source has no answer: it is a messenger, so that is *unknown*."""
    config: MetricsConfig = target.settings
    if "source" not in memory:
        memory["source"] = Queried(config) if config.prometheus else Scraped(config, target.interval)
    source: Source = memory["source"]
    return found(await source.look(target, tools), target, tools, memory)


def found(figures: Figures, target: Target, tools: Tools, memory: Memory) -> Found:
    """Figures as signals and rows, in an order that `memory` keeps steady. Without a rate of requests, or where a question
    had no answer, the reading is *unknown*: nobody can tell that the service is well."""
    config: MetricsConfig = target.settings
    routes = most_telling(figures.routes, tools.alerting(target.panel, "route"))
    routes = steadily(routes, memory.get("order", ()))
    memory["order"] = [each.name for each in routes]
    measured = figures.request_rate is not None and figures.complete
    signals = (*_whole(figures, config), *_usual(figures, target, tools), *_by_route(routes), *_tiles(figures, config))
    rows = tuple(_row(each) for each in routes)
    return Found(Status.OK if measured else Status.UNKNOWN, signals, rows, notes=figures.notes)


def _whole(figures: Figures, config: MetricsConfig) -> list[Signal]:
    """The service as a whole."""
    found = [
        signal("request_rate", figures.request_rate, "1/s"),
        signal("error_rate", figures.error_rate, "ratio"),
        signal("routes", len(figures.routes), "count"),
        signal("window", figures.over, "s"),
    ]
    own = config.queries
    for name, asked, value in (
        ("p50", own.p50, figures.p50),
        ("p95", own.p95, figures.p95),
        ("p99", own.p99, figures.p99),
    ):
        if asked or config.metrics.duration:
            found.append(signal(name, value, "s"))
    return found


def _usual(figures: Figures, target: Target, tools: Tools) -> list[Signal]:
    """What the request rate usually is, the median of the last hour, and how many times that it is now."""
    now = tools.clock.utc()
    points = tools.history.points(target.panel, "request_rate", USUAL_OVER, now) if tools.history else []
    known = [value for _, value in points if not math.isnan(value)]
    if not known or points[-1][0] - points[0][0] < USUAL_AFTER:
        return []
    usual = median(known)
    surge = figures.request_rate / usual if figures.request_rate is not None and usual > 0 else None
    return [signal("baseline", usual, "1/s"), signal("surge", surge, "count")]


def _by_route(routes: Sequence[Route]) -> list[Signal]:
    """Three signals a route."""
    return [
        each
        for route in routes
        for each in (
            Signal("route_rate", route.rate, "1/s", route.labels),
            Signal("route_error_rate", route.errors, "ratio", route.labels),
            Signal("route_p95", route.p95, "s", route.labels),
        )
    ]


def _tiles(figures: Figures, config: MetricsConfig) -> list[Signal]:
    """A signal a tile, called by its unit."""
    return [Signal(each.signal, figures.tiles.get(each.name), each.unit, (("name", each.name),)) for each in config.tiles]


def _row(route: Route) -> Row:
    """One route: its key is its raw name."""
    cells: dict[str, Value] = {
        "route": clean(f"{','.join(route.methods):<4} {route.name}" if route.methods else route.name, 200),
        "rate": route.rate,
        "errors": route.errors,
        "p95": route.p95,
    }
    return Row(route.name, cells, group="route")
