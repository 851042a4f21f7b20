"""`watchfloor check`: polls, judges, prints; no screen."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from tui.commands.printing import alert_line, glyph, in_json, say
from tui.config import Loaded
from tui.engine.alert import Alert
from tui.engine.clock import date_time
from tui.engine.engine import Engine
from tui.engine.feed import Level, PanelState, Snapshot
from tui.engine.layout import Room
from tui.engine.reading import Status, worst
from tui.engine.redact import redact

EXIT = {Status.OK: 0, Status.DEGRADED: 1, Status.FAILING: 2, Status.UNKNOWN: 3}


def check(loaded: Loaded, *, as_json: bool, seconds: float | None) -> int:
    """Prints how everything stands; returns the exit code for the worst of it.

    Without `seconds` everything is asked once and a breach counts as firing; with it the engine polls that long and rules hold.
    """
    engine = Engine(loaded.setup, Level.WATCH, hold=seconds is not None)
    snapshot = asyncio.run(_look(engine, seconds))
    if as_json:
        say(in_json(as_data(snapshot), indent=1))
    else:
        _print(engine, snapshot)
    return EXIT[worst(panel.status for panel in snapshot.panels)]


async def _look(engine: Engine, seconds: float | None) -> Snapshot:
    async with engine.session():
        if seconds is None:
            await engine.poller.once()
        else:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(engine.watch(), seconds)
        return engine.judge_now()


def _print(engine: Engine, snapshot: Snapshot) -> None:
    """A line a panel, then what fails, then the alerts."""
    status = worst(panel.status for panel in snapshot.panels)
    say(f"{snapshot.name} · {snapshot.environment}   {glyph(status)} {status.word}   {date_time(snapshot.at)}")
    for panel in snapshot.panels:
        say(f"{glyph(panel.status)} {panel.status.word:<9} {panel.name:<12} {_headline(engine, panel, snapshot)}")
        for reading in panel.failures:
            failure = reading.error
            assert failure is not None
            what = f"{reading.target}: " if reading.target != panel.name else ""
            hint = f"  ({failure.hint})" if failure.hint else ""
            say(f"            {what}{failure.phase}: {redact(failure.says)}{hint}")
    for warning in snapshot.warnings:
        say(f"? {warning}")
    for alert in snapshot.alerts:
        say(alert_line(alert, snapshot.at))


def _headline(engine: Engine, panel: PanelState, snapshot: Snapshot) -> str:
    """The panel in a few words."""
    if panel.card is None:
        return panel.broken
    try:
        view = panel.card.load_view()
        return view(panel.readings(snapshot.monotonic), engine.history, Room(78, 20, snapshot.at)).headline
    except Exception as error:  # a view's defect costs its own words; the status beside them is the engine's
        return redact(f"its view is broken: {type(error).__name__}: {error}")


def as_data(snapshot: Snapshot) -> dict[str, Any]:
    """The snapshot in DESIGN.md's shape for `check --json`."""
    return {
        "schema": 1,
        "status": worst(panel.status for panel in snapshot.panels).word,
        "environment": snapshot.environment,
        "at": date_time(snapshot.at).replace(" ", "T"),
        "panels": [_panel(panel) for panel in snapshot.panels],
        "alerts": [_alert(alert) for alert in snapshot.alerts],
    }


def _panel(panel: PanelState) -> dict[str, Any]:
    readings = [probe.good or probe.reading for probe in panel.probes]
    seen = [reading for reading in readings if reading]
    failures = [
        f"{reading.target}: {reading.error.phase}: {redact(reading.error.says)}" for reading in panel.failures if reading.error
    ]
    return {
        "name": panel.name,
        "kind": panel.kind,
        "status": panel.status.word,
        "at": date_time(min(reading.at for reading in seen)).replace(" ", "T") if seen else None,
        "took_ms": round(max((reading.took for reading in seen), default=0.0) * 1000, 1),
        "error": panel.broken or "; ".join(failures) or None,
        "signals": {
            signal.key: {"value": signal.value, "unit": signal.unit}
            for probe in panel.probes
            for reading in (probe.good, probe.reading)
            if reading
            for signal in reading.signals
        },
        "rows": sum(len(reading.rows) for reading in seen),
    }


def _alert(alert: Alert) -> dict[str, Any]:
    return {
        "fingerprint": alert.fingerprint,
        "rule": alert.rule,
        "panel": alert.panel,
        "labels": dict(alert.labels),
        "severity": alert.severity,
        "state": alert.state,
        "value": alert.value,
        "threshold": alert.threshold,
        "since": date_time(alert.since).replace(" ", "T"),
        "fired_at": date_time(alert.fired_at).replace(" ", "T") if alert.fired_at else None,
        "acked_by": alert.acked_by or None,
    }
