"""Silences and maintenance windows: which alerts tell nobody, until when and why. Matching is Alertmanager's.

A silence hides what matches all of its matchers. It never changes an alert's state.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Literal

from msgspec import Struct

from .alert import Alert
from .ask import Matcher
from .text import EMPTY, Shown


class Silence(Struct, frozen=True):
    """A silence or maintenance window that is in force. Times are UTC seconds.

    `at` names the panel whose Alertmanager holds it, empty for ours. `hides` are the fingerprints of what it matches now: none
    where it matches nothing (any more).
    """

    id: str
    kind: Literal["silence", "maintenance"]
    since: float
    until: float
    who: Shown = EMPTY
    reason: Shown = EMPTY
    matchers: tuple[Matcher, ...] = ()
    panels: tuple[str, ...] = ()
    """The panels of a maintenance window; all where none is named."""
    at: str = ""
    hides: tuple[str, ...] = ()
    from_config: bool = False
    """Whether it stands in the config: then it is ended there."""


def hidden_by(matchers: Sequence[Matcher], alerts: Iterable[Alert]) -> tuple[Alert, ...]:
    """The open alerts that a silence with these matchers would hide; none where there is no matcher.

    Raises ValueError, saying which, for a regular expression that is none.
    """
    return tuple(each for each in alerts if each.open and matchers and all(_holds(one, each) for one in matchers))


def labels_for_matching(alert: Alert) -> dict[str, str]:
    """What matchers compare: the alert's labels, and what it is by the names that `Matcher` says."""
    own = {"alertname": alert.rule, "panel": alert.panel, "severity": alert.severity, "fingerprint": alert.fingerprint}
    return {**own, **dict(alert.labels)}


def _holds(matcher: Matcher, alert: Alert) -> bool:
    """Whether one condition holds; a label that is not there compares as empty (Alertmanager's rule)."""
    value = labels_for_matching(alert).get(matcher.name, "")
    same = _pattern(matcher.value).fullmatch(value) is not None if matcher.is_regex else value == matcher.value
    return same is matcher.is_equal


@lru_cache(maxsize=256)
def _pattern(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        raise ValueError(f"{text!r} is no regular expression: {error}") from error
