"""Silences and maintenance windows: which alerts tell nobody, until when and why. Matching is Alertmanager's.

A silence hides what matches all of its matchers. It never changes an alert's state. A regular expression is anchored at both
ends, a missing label is the empty text (https://prometheus.io/docs/alerting/latest/configuration/#matcher).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, Protocol

from msgspec import Struct

from .alert import Alert
from .ask import Matcher
from .text import EMPTY, Shown, clean

if TYPE_CHECKING:
    from .connections import Tools

LONGEST = 1000
"""Characters that a matcher's value may have."""


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


class Silencer(Protocol):
    """What a panel offers whose source holds silences of its own; a card names it. Both raise ProbeError."""

    async def make(self, panel: str, settings: Any, tools: Tools, silence: Silence) -> str:
        """Makes a silence there; returns its id there."""
        ...

    async def end(self, panel: str, settings: Any, tools: Tools, id_: str) -> None:
        """Ends one; one that is over already is no failure."""
        ...


def matches(matchers: Sequence[Matcher], alert: Alert) -> bool:
    """Whether a silence that was made covers the alert. One with a broken expression (another version's) never does."""
    try:
        return bool(matchers) and all(_holds(each, alert) for each in matchers)
    except ValueError:
        return False


def wrong_with(matchers: Sequence[Matcher]) -> Shown:
    """Why a silence cannot be made of these; empty where it can."""
    if not matchers:
        return Shown("a silence needs a matcher: without one it would hide everything")
    for each in matchers:
        if not re.fullmatch(r"[A-Za-z_]\w*", each.name, re.A):
            return clean(f"no label can be called {each.name!r}")
        if len(each.value) > LONGEST:
            return clean(f"{each.name}: longer than {LONGEST} characters")
    try:
        empty = all(_says(each, "") for each in matchers)
    except ValueError as error:
        return clean(error)
    # Alertmanager refuses it too: it would hide every alert that lacks the labels.
    return Shown("every matcher holds for what has no such label: say one value that must be there") if empty else EMPTY


def too_broad(matchers: Sequence[Matcher]) -> bool:
    """Whether nothing but expressions and negations say what is hidden (`.+`): a person must say that this is meant."""
    return not any(each.is_equal and not each.is_regex for each in matchers)


def matchers_for(alert: Alert) -> tuple[Matcher, ...]:
    """What silences just this alert: its name and labels, ours with their panel."""
    names = {"alertname": alert.rule, **dict(alert.labels)}
    if not alert.source:
        names["panel"] = alert.panel
    return tuple(Matcher(name, value) for name, value in sorted(names.items()))


def in_words(matchers: Iterable[Matcher]) -> Shown:
    """`alertname="ServiceDown" endpoint=~"web.*"`."""
    signs = {(True, False): "=", (False, False): "!=", (True, True): "=~", (False, True): "!~"}
    return clean(" ".join(f'{each.name}{signs[each.is_equal, each.is_regex]}"{each.value}"' for each in matchers))


def labels_for_matching(alert: Alert) -> dict[str, str]:
    """What matchers compare: the alert's labels, and what it is by the names that `Matcher` says. A label goes first, so that
    one silence means the same here and in another system."""
    own = {"alertname": alert.rule, "panel": alert.panel, "severity": alert.severity}
    return {**own, **dict(alert.labels), "fingerprint": alert.fingerprint}


def _holds(matcher: Matcher, alert: Alert) -> bool:
    """Whether one condition holds; a label that is not there compares as empty (Alertmanager's rule)."""
    return _says(matcher, labels_for_matching(alert).get(matcher.name, ""))


def _says(matcher: Matcher, value: str) -> bool:
    same = _pattern(matcher.value).fullmatch(value) is not None if matcher.is_regex else value == matcher.value
    return same is matcher.is_equal


@lru_cache(maxsize=256)
def _pattern(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"{text!r} is no regular expression: {error}") from error
