"""Alerts as the rules make them, for the tests of who is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Unpack

from msgspec.structs import replace

from tests.clocks import START
from tests.engine.some_alerts import Facts
from tui.engine.alert import Alert, Fold, Severity, State
from tui.engine.reading import labels_of
from tui.engine.text import Shown

ERRORS = Alert(
    fingerprint="f-errors",
    rule="HighErrorRate",
    panel="api",
    signal="error_rate",
    labels=(),
    severity="P0",
    state="firing",
    value=0.062,
    threshold=0.05,
    unit="ratio",
    way="above",
    since=START - 60.0,
    fired_at=START,
    why=Shown("Uploads fail."),
    link="https://shop.example/runbooks/errors?a=1&b=2",
    suspect=Shown("deploy 9f3c2a1, 80s before"),
)


def alert(
    rule: str,
    severity: Severity = "P0",
    panel: str = "api",
    labels: Mapping[str, str] | None = None,
    *,
    state: State = "firing",
    since: float = ERRORS.since,
    **more: Unpack[Facts],
) -> Alert:
    """One that fires, of a rule, from a panel, with labels."""
    given = labels_of(labels or {})
    ours = replace(ERRORS, rule=rule, severity=severity, panel=panel, labels=given, state=state, since=since)
    return replace(replace(ours, fingerprint=f"{rule} {panel} {given}"), **more)


def over(one: Alert, at: float) -> Alert:
    """The same, resolved."""
    return replace(one, state="resolved", ended=at, value=0.001)


def fold(*alerts: Alert, why: str = "") -> Fold:
    """Alerts as one line."""
    return Fold(alerts[0].fingerprint, alerts, Shown(why))
