"""Alerts for tests: one that fires, unless it is said otherwise."""

from __future__ import annotations

from typing import Any

from tests.clocks import START
from tui.engine.alert import Alert, Severity, State
from tui.engine.entries import Said
from tui.engine.journal import Entry
from tui.engine.reading import labels_of
from tui.engine.text import clean


def alert(name: str, since: float = 0.0, severity: Severity = "P1", state: State = "firing", **other: Any) -> Alert:
    """An alert called `name`, which is its fingerprint too; `since` in seconds after START. `labels` as a dict."""
    began = START + since
    labels = labels_of(other.pop("labels", {}))
    ours = {"fingerprint": name, "rule": name, "panel": "api", "signal": "errors", "labels": labels, "severity": severity}
    ours |= {"state": state, "value": 0.062, "threshold": 0.05, "unit": "ratio", "way": "above", "since": began}
    ours |= {"fired_at": None if state == "pending" else began, "ended": began + 1 if state == "resolved" else None}
    return Alert(**(ours | other))


def entry(said: Said, at: float, who: str = "anna", origin: str | None = None, id_: int = 1) -> Entry:
    """What the journal gives back of something said `at` seconds after START."""
    import json

    from tui.engine.entries import written

    return Entry(id_, START + at, said.kind, said.version, clean(who), None, json.loads(written(said)), None, origin)
