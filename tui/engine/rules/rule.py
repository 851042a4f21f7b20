"""What a rule says: which series it looks at, what of them it compares, from where on it is breached, and how long and how
often before it fires."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import ClassVar, Literal, NamedTuple

from msgspec import Struct

from ..alert import Severity
from ..history import History
from ..panel import Threshold
from ..reading import Labels, Signal
from ..text import EMPTY, Shown, clean
from ..units import Unit, show_limit
from .means import Means


class Series(NamedTuple):
    """One series as a measure sees it: its newest value, when that was measured (UTC seconds), for how many seconds a value
    stands at the most, and what was before."""

    panel: str
    key: str
    value: float
    at: float
    longest: float
    history: History
    means: Means


class Measure(Struct, frozen=True):
    """What of a series a rule compares with its limits. This one is the newest value; other kinds are files of their own."""

    of_silence: ClassVar[bool] = False
    """Whether it looks for what is not measured (absent.py)."""

    @property
    def reach(self) -> float:
        """Seconds back for which it needs means of the series; 0 where it needs none."""
        return 0.0

    def value(self, series: Series, rule: Rule, place: int) -> float | None:
        """What the level at a place is compared with; None is *unknown*, which neither fires nor resolves."""
        return series.value

    def says(self, value: float, rule: Rule, place: int) -> Shown:
        """What is wrong in words, where value and limit do not say it."""
        return EMPTY

    def limit(self, rule: Rule, level: Threshold) -> Shown:
        """The limit in words, for the figure on screen."""
        return Shown(f"limit {show_limit(level.limit, rule.unit)}")


NEWEST = Measure()


class Raise(Struct, frozen=True):
    """Series whose label fits the pattern are as bad as `severity` at least."""

    label: str
    pattern: str
    severity: Severity


class Rule(Struct, frozen=True):
    """Limits on a measure of one panel's signal, for each of its series apart.

    `labels` are patterns that a series must match (`PUBLISH_*`); `levels` are ordered as given, with limits in `unit`, which is
    that of what is compared. A rule is the same rule as long as name, panel, signal and labels are.
    """

    name: str
    panel: str
    signal: str
    unit: Unit
    way: Literal["above", "below"]
    levels: tuple[Threshold, ...]
    labels: Labels = ()
    measure: Measure = NEWEST
    why: Shown = EMPTY
    link: str = ""
    playbook: str = ""
    in_a_row: int = 1
    """So many readings in a row must be beyond the limit."""
    keep_firing_for: float = 0.0
    """Seconds for which it must be measured well before it counts as over: one that flaps is one alert."""
    raises: tuple[Raise, ...] = ()
    main: str = ""
    """The label that names what an alert is about; the first that a series has where it is not given."""

    @property
    def identity(self) -> tuple[str, str, str, Labels]:
        """What makes it the same rule after the config has changed."""
        return self.name, self.panel, self.signal, self.labels

    def matches(self, signal: Signal) -> bool:
        """Whether the rule looks at this series."""
        if signal.name != self.signal:
            return False
        have = dict(signal.labels)
        return all(label in have and fits(have[label], pattern) for label, pattern in self.labels)

    def breached(self, value: float, limit: float) -> bool:
        """Whether the value lies beyond the limit; on it is not beyond it."""
        return value > limit if self.way == "above" else value < limit

    def target(self, labels: Labels) -> str:
        """What an alert on the series with these labels is about."""
        return next((value for label, value in labels if label == self.main), labels[0][1] if labels else "")

    def raised(self, labels: Labels) -> tuple[Severity, Shown] | None:
        """The worst severity that the labels raise it to, and by which."""
        have = dict(labels)
        found = [each for each in self.raises if each.label in have and fits(have[each.label], each.pattern)]
        if not found:
            return None
        worst = min(found, key=lambda each: each.severity)
        return worst.severity, clean(f"{worst.label} {have[worst.label]}")


def fits(value: str, pattern: str) -> bool:
    """Whether a label's value is the one written, or fits the pattern (`PUBLISH_*`); `/clips/[id]` is itself as well."""
    return value == pattern or fnmatchcase(value, pattern)
