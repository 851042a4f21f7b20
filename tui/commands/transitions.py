"""What has changed between two snapshots, a line each: the log of `watchfloor record`."""

from __future__ import annotations

from collections.abc import Iterator

from tui.engine.clock import date_time
from tui.engine.feed import Snapshot
from tui.engine.redact import redact
from tui.engine.rules import describe


def transitions(before: Snapshot | None, now: Snapshot) -> Iterator[str]:
    """Who polls, panels and alerts that moved, and new warnings, in words."""
    at = date_time(now.at)
    for line in (*_seat(before, now), *_panels(before, now), *_alerts(before, now), *_warnings(before, now)):
        yield f"{at}  {redact(line)}"


def _seat(before: Snapshot | None, now: Snapshot) -> Iterator[str]:
    if before is None or before.seat != now.seat:
        whom = f" {now.seat.leader}" if now.seat.leader else ""
        yield f"{now.seat.role}{whom}"


def _panels(before: Snapshot | None, now: Snapshot) -> Iterator[str]:
    had = {panel.name: panel.status for panel in before.panels} if before else {}
    for panel in now.panels:
        was = had.pop(panel.name, None)
        if was is not panel.status:
            yield f"{panel.name}: {was.word if was is not None else 'new'} → {panel.status.word}"
    for gone in had:
        yield f"{gone}: no longer watched"


def _alerts(before: Snapshot | None, now: Snapshot) -> Iterator[str]:
    had = {alert.fingerprint: (alert.state, alert.severity) for alert in before.alerts} if before else {}
    for alert in now.alerts:
        was = had.get(alert.fingerprint)
        if was != (alert.state, alert.severity) and (was or alert.open):
            yield f"{alert.severity} {alert.state}: {alert.panel} {describe(alert)}"


def _warnings(before: Snapshot | None, now: Snapshot) -> Iterator[str]:
    had = set(before.warnings) if before else set()
    yield from (f"warning: {each}" for each in now.warnings if each not in had)
