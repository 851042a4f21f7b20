"""A `/metrics` page as the samples of the wanted metrics, and nothing else of it.

prometheus_client's parser costs 15 µs a line, so a big page would cost more than everything else that Watchfloor does. Only
lines of wanted metrics are looked at (one search over the page), and what stands before a value is parsed once: in the next
page the same series is found by its text, at a tenth of the cost.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from time import monotonic

from msgspec import Struct

from tui.engine.reading import Labels, labels_of, no_answer

SERIES_KEPT = 40_000
"""Series of wanted metrics on one page; beyond it the labels are wrong, not the service busy."""
LONGEST_LINE = 16_384
EVERY = 100
"""Lines after which the clock is looked at."""

_LINE = re.compile(
    rb'([a-zA-Z_:][a-zA-Z0-9_:]*+(?:\{(?:[^"}]|"(?:[^"\\]|\\.)*+")*+\})?)[ \t]*+([^ \t{}"]++)(?:[ \t].*)?', re.DOTALL
)
_TYPE = re.compile(rb"^#[ \t]+TYPE[ \t]+([a-zA-Z_:][a-zA-Z0-9_:]*)[ \t]+([a-z]+)[ \t\r]*$", re.MULTILINE)


class Series(Struct, frozen=True):
    """One series' identity: raw labels, sorted."""

    name: str
    labels: Labels

    def label(self, name: str) -> str:
        """A label's value; empty where it has none, as in Prometheus."""
        return next((value for label, value in self.labels if label == name), "")


class Page:
    """Reads one target's page again and again."""

    def __init__(self, wanted: Iterable[str]) -> None:
        names = b"|".join(re.escape(each.encode()) for each in sorted(set(wanted), key=len, reverse=True))
        self._wanted = re.compile(rb"^[ \t]*((?:" + names + rb")(?:\{|[ \t])[^\n]*)$", re.MULTILINE)
        self._known: dict[bytes, Series] = {}

    def read(self, body: bytes, seconds: float) -> dict[Series, float]:
        """The wanted samples, within about `seconds`. Raises ProbeError where a wanted line cannot be read: half a truth would
        look like a fall."""
        until = monotonic() + seconds
        found: dict[Series, float] = {}
        seen: dict[bytes, Series] = {}
        for number, match in enumerate(self._wanted.finditer(body)):
            line = match.group(1).rstrip(b"\r \t")
            parts = _LINE.fullmatch(line) if len(line) <= LONGEST_LINE else None
            if parts is None:
                raise _unreadable(body, match.start(), line)
            head, value = parts.group(1), _number(parts.group(2))
            series = seen.get(head) or self._known.get(head) or _parsed(head)
            if series is None or value is None:
                raise _unreadable(body, match.start(), line)
            self._known[head] = seen[head] = series
            found[series] = value
            if number % EVERY == EVERY - 1:
                _within(number, until)
        self._known = seen
        return {series: value for series, value in found.items() if value == value}  # NaN is no data

    @staticmethod
    def types(body: bytes) -> Mapping[str, str]:
        """What the page says each metric is: `counter`, `gauge`, `histogram`."""
        return {name.decode(): kind.decode() for name, kind in _TYPE.findall(body)}


def _parsed(head: bytes) -> Series | None:
    """The series that a text before a value names, by prometheus_client's parser; None where it cannot read it."""
    from prometheus_client.parser import text_string_to_metric_families  # late: 60 ms, and a Prometheus source needs none

    try:
        text = head.decode("utf-8")
        sample = next(iter(text_string_to_metric_families(f"{text} 0\n"))).samples[0]
    except (ValueError, LookupError, StopIteration):
        return None
    return Series(sample.name, labels_of(sample.labels))


def _number(text: bytes) -> float | None:
    """A value as Prometheus writes it; None where it is none."""
    if b"_" in text:
        return None  # Python would take 1_000 for a number
    try:
        return float(text)
    except ValueError:
        return None


def _within(number: int, until: float) -> None:
    """Raises ProbeError where the page is too long or too slow to read."""
    if number >= SERIES_KEPT:
        says = f"more than {SERIES_KEPT:,} series of the wanted metrics"
        raise no_answer("body", says, "a label holds ids or paths: name routes, not URLs; or ask a Prometheus")
    if monotonic() > until:
        raise no_answer("deadline", "the page is too long to read in time", "raise `deadline`, or ask a Prometheus instead")


def _unreadable(body: bytes, at: int, line: bytes) -> Exception:
    """Which line it was, and how it begins."""
    number = body.count(b"\n", 0, at + 1) + 1
    start = line[:80].decode("utf-8", "replace")
    return no_answer("contract", f"line {number} is no metric: {start}", "look at the page: is it Prometheus's text format?")
