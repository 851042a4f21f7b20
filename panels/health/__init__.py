"""Health endpoints: what they say of themselves, how fast, how long already.

Any number of HTTP endpoints, each asked at its own interval. A failure names its phase (DNS, connect, TLS, first byte, body,
status, contract) and, where the reply tells, the failing component.
"""

from __future__ import annotations

from tui.engine.layout import Column
from tui.engine.panel import Card, DefaultRule, Probe, SignalSpec, Threshold
from tui.engine.text import Shown

from .config import HealthConfig, endpoints
from .probe import ask

CARD = Card(
    kind="health",
    title="HTTP health endpoints",
    config=HealthConfig,
    probes=(Probe("endpoint", ask, endpoints),),
    signals=(
        SignalSpec(
            "up",
            "count",
            "1 while it answers as its contract says, 0 once it failed as often as `failures` says",
            "lower",
            ("endpoint",),
        ),
        SignalSpec("latency", "s", "time to the whole answer", "higher", ("endpoint",)),
        SignalSpec("latency_p95", "s", "95 of 100 of its last 240 answers came within this time", "higher", ("endpoint",)),
        SignalSpec(
            "uptime",
            "ratio",
            "share of the measured time of the last 24 h in which it was up; after an hour",
            "lower",
            ("endpoint",),
        ),
        SignalSpec("certificate_left", "s", "time until its TLS certificate expires", "lower", ("endpoint",)),
    ),
    columns=(
        Column("endpoint", Shown("endpoint"), 14),
        Column("latency", Shown("now"), 8, "s"),
        Column("p95", Shown("p95"), 8, "s", rank=1),
        Column("uptime", Shown("uptime"), 8, "ratio", rank=4),
        Column("since", Shown("for"), 6, "s", rank=3),
        Column("certificate_left", Shown("cert"), 5, "s", rank=5),
        Column("says", Shown("latency"), 17, grows=True),
    ),
    units={"latency_p95": "s", "first_byte": "s", "bytes": "bytes", "uptime_measured": "duration", "since": "duration"},
    rules=(
        DefaultRule(
            "ServiceDown",
            "up",
            "below",
            (Threshold("P0", 1.0, 120.0),),
            "An endpoint that is down is what its users see first.",
        ),
        DefaultRule(
            "Uptime", "uptime", "below", (Threshold("P1", 0.99), Threshold("P0", 0.95)), "The target is 99.9 % over 24 h."
        ),
    ),
    view="panels.health.view:view",
    check="panels.health.check:check",
    example="""\
[[panel]]
kind = "health"
# Every URL is an endpoint; give one a table to set more.
endpoints = ["https://shop.example/api/readyz"]

# [[panel.endpoint]]
# name = "admin"
# url = "https://shop.example/api/admin/readyz"
# headers = { Authorization = "Bearer {env:ADMIN_TOKEN}" }
# depends_on = "readyz"
# failures = 2                    # in a row, before it is failing
""",
)
