"""How alerts are named and said."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from ..alert import Alert
from ..clock import clock_time
from ..reading import Labels
from ..text import EMPTY, Shown, clean

NAMED = 3
"""So many of the affected are named; more are counted."""


def fingerprint(environment: str, rule: str, panel: str, labels: Labels) -> str:
    """An alert's lasting identity: a hash of environment, rule, panel and labels (DESIGN.md)."""
    return hashlib.sha256(json.dumps([environment, rule, panel, labels]).encode()).hexdigest()[:16]


def describe(alert: Alert) -> Shown:
    """The alert in a few words: `error rate 6.2 % > 5 %`, with the labels that tell it apart, and since when nobody knows."""
    raised = f" ({alert.raised_by})" if alert.raised_by else ""
    unknown = f", not measured since {clock_time(alert.unknown_since)}" if alert.unknown_since is not None else ""
    return clean(f"{alert.name} {alert.wrong}{raised}{unknown}")


def affected(alerts: Sequence[Alert], named: int = NAMED) -> Shown:
    """How many series the alerts of one rule are about, and which: `3 tenants: a, b, c`; empty for fewer than two. With more
    than `named` the first ones, in the order given: `12 tenants: a, b, c, …`."""
    whom = list(dict.fromkeys(_whom(each) for each in alerts))
    if len(whom) < 2:
        return EMPTY
    label = alerts[0].labels[0][0] if alerts[0].labels else "series"
    label = next((name for name, value in alerts[0].labels if value == alerts[0].target), label)
    more = ", …" if len(whom) > named else ""
    return clean(f"{len(whom)} {_plural(label)}: {', '.join(whom[:named])}{more}")


def _whom(alert: Alert) -> str:
    """What one alert is about."""
    return alert.target or " ".join(value for _, value in alert.labels) or alert.signal


def _plural(label: str) -> str:
    """`tenants`, `queries`, `series`."""
    if label.endswith("y") and label[-2:-1] not in "aeiou":
        return f"{label[:-1]}ies"
    return label if label.endswith("s") else f"{label}s"
