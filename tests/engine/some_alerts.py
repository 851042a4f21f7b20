"""Alerts for tests: one that fires, unless it is said otherwise."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TypedDict, Unpack

from msgspec.structs import replace

from tests.clocks import START
from tui.engine.alert import Alert, Severity, State, Suspect
from tui.engine.entries import Said, written
from tui.engine.journal import Entry
from tui.engine.reading import labels_of
from tui.engine.text import Shown, clean
from tui.engine.units import Unit


class Facts(TypedDict, total=False):
    """What may be said of an alert, as `Alert` says it, where a test wants it to differ."""

    fingerprint: str
    value: float | None
    threshold: float
    unit: Unit
    fired_at: float | None
    ended: float | None
    says: Shown
    why: Shown
    source: str
    root: str
    raised_by: Shown
    unknown_since: float | None
    suspect: Shown
    acked_by: str
    acked_at: float | None
    silenced: Shown
    in_maintenance: bool
    silenced_there: Shown
    came_back: Shown
    asked_at: float | None
    suspects: tuple[Suspect, ...]
    loud_since: float | None
    stretch: float | None


def alert(
    name: str,
    since: float = 0.0,
    severity: Severity = "P1",
    state: State = "firing",
    labels: Mapping[str, str] | None = None,
    *,
    rule: str = "",
    panel: str = "api",
    target: str = "",
    **other: Unpack[Facts],
) -> Alert:
    """An alert called `name`, its fingerprint and, where no other is given, its rule; `since` in seconds after START."""
    began = START + since
    ours = Alert(
        *(name, rule or name, panel, "errors", labels_of(labels or {}), severity, state),
        *(0.062, 0.05, "ratio", "above", began),
        target=target,
        fired_at=None if state == "pending" else began,
        ended=began + 1 if state == "resolved" else None,
    )
    return replace(ours, **other)


def entry(said: Said, at: float, who: str = "anna", origin: str | None = None, id_: int = 1) -> Entry:
    """What the journal gives back of something said `at` seconds after START."""
    return Entry(id_, START + at, said.kind, said.version, clean(who), None, json.loads(written(said)), None, origin)
