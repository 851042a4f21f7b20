"""screens.md's story as readings: an hour of a shop's figures, a deployment, and what came of it.

The figures go through the probe's own words (`found`), so that what a view is given here is what it is given in life.
"""

from __future__ import annotations

from panels.metrics.config import MetricsConfig
from panels.metrics.figures import Figures, Route
from panels.metrics.probe import found
from tests.clocks import START, DrivenClock
from tui.engine.connections import Tools
from tui.engine.history import History
from tui.engine.panel import Judged, Readings, Target
from tui.engine.reading import Change, Reading, Status
from tui.engine.text import Shown

DEPLOYED = START - 632
ROUTES = [
    ("POST", "/api/checkout", 3.1),
    ("POST", "/api/orders", 8.8),
    ("GET", "/api/products", 61.0),
    ("GET", "/api/me", 40.2),
]
ROUTES += [("GET", f"/api/item/{number}", 20 / (number + 1)) for number in range(12)] + [("GET", "/api/idle", 0.0)]
SHOP = MetricsConfig.model_validate({"kind": "metrics", "scrape": "http://shop.example/metrics"})
QUIET = {"error_rate": Judged(Status.OK, Shown("limit 0.5 %")), "p95": Judged(Status.OK, Shown("limit 1,000 ms"))}
LOUD = {
    "error_rate": Judged(Status.FAILING, Shown("limit 1.0 %"), START - 552),
    "p95": Judged(Status.FAILING, Shown("limit 1,000 ms"), START - 520),
}


def told(broken: bool, config: MetricsConfig = SHOP, judged: dict[str, Judged] | None = None) -> tuple[Readings, History]:
    """The hour before 03:12:12, and what the rules say at its end."""
    history, clock = History(), DrivenClock(START - 3600)
    tools = Tools(clock=clock, history=history)
    target = Target("metrics", "metrics", config, None, 15.0, 5.0)
    for poll in range(240):
        clock.move(15)
        worse = min(1.0, max(0.0, (clock.utc() - DEPLOYED) / 300)) if broken else 0.0
        what = found(_figures(worse, 1 + 0.05 * (poll % 3)), target, tools, {})
        changes = (Change("9f3c2a1", DEPLOYED, "deployment", Shown("9f3c2a1 main")),) if broken else ()
        at = clock.utc()
        reading = Reading(
            "metrics", "metrics", "figures", at, 0.01, what.status, what.signals, what.rows, changes, None, what.notes
        )
        history.record(reading)
    rules = judged if judged is not None else LOUD if broken else QUIET
    return Readings("metrics", config, {"figures": (reading,)}, rules), history


def _figures(worse: float, noise: float) -> Figures:
    """How the shop stands when the deployment has broken so much of it."""
    routes = [Route(name, rate * noise, 0.0 if rate else None, 0.2 if rate else None, (how,)) for how, name, rate in ROUTES]
    if worse:
        routes[0] = Route("/api/checkout", 3.1 * noise, 0.412 * worse, 0.2 + 2.7 * worse, ("POST",))
        routes[1] = Route("/api/orders", 8.8 * noise, 0.02 * worse, 0.2 + 0.9 * worse, ("POST",))
    tiles = {"pool": 0.62, "users": 1840.0}
    return Figures(
        request_rate=148 * noise,
        error_rate=0.0002 + 0.062 * worse,
        p50=0.084,
        p95=0.21 + 1.21 * worse,
        p99=0.4 + 2.7 * worse,
        routes=tuple(routes),
        tiles=tiles,
        over=300.0,
    )
