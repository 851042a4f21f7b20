"""Alerts, a line each cause: ours, and those of an Alertmanager or a Prometheus, with what people said of them.

Two questions a poll to an Alertmanager (its alerts, its silences), one to a Prometheus; read only. Without either the panel
asks nobody and shows ours. What it says of an alert is the engine's (`folds.py`, `desk.py`); the panel only lists it.
"""

from __future__ import annotations

from tui.engine.layout import Column
from tui.engine.panel import Card, Probe, SignalSpec
from tui.engine.text import Shown

from .config import AlertsConfig, holds_silences, interval, sources
from .probe import ask

CARD = Card(
    kind="alerts",
    title="alerts, ours and an Alertmanager's",
    config=AlertsConfig,
    probes=(Probe("alerts", ask, targets=sources, every=interval),),
    signals=(
        SignalSpec("firing", "count", "alerts of the other system that fire and are told to somebody there", "higher"),
        SignalSpec("silenced", "count", "alerts of the other system that are silenced or inhibited there"),
    ),
    columns=(
        Column("severity", Shown(""), 4),
        Column("alert", Shown("alert"), 12, grows=True),
        Column("count", Shown(""), 3, "count"),
        Column("value", Shown("value"), 13),
        Column("age", Shown("for"), 6, "s"),
        Column("says", Shown(""), 13),
    ),
    view="panels.alerts.view:view",
    lists_alerts=True,
    silencer="panels.alerts.silencing:SILENCER",
    silences_now=holds_silences,
    check="panels.alerts.check:check",
    example="""\
[[panel]]
kind = "alerts"
# Without a source it shows Watchfloor's own alerts. One of these adds an Alertmanager's, or those of a Prometheus without one:
# alertmanager = "http://alertmanager:9093"
# prometheus = "http://prometheus:9090"
# severity_label = "severity"
# severities = { page = "P0", critical = "P1", warning = "P2" }
# only = { cluster = "prod-*" }     # of their alerts those with such labels
""",
)
