"""When a channel is told: `always`, `business`, `mon-fri 09:00-18:00 Europe/Berlin`, or `outside` one of those."""

from __future__ import annotations

import datetime
import re
from functools import lru_cache
from typing import Annotated
from zoneinfo import ZoneInfo

from msgspec import Struct
from pydantic import AfterValidator, WithJsonSchema

ALWAYS = "always"
BUSINESS = "mon-fri 09:00-18:00 UTC"
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MINUTES_A_DAY = 24 * 60
_SPAN = re.compile(r"(?:([a-z]{3})(?:-([a-z]{3}))?\s+)?(\d\d?):(\d\d)-(\d\d?):(\d\d)", re.I)
_HELP = 'expected "always", "business", or hours such as "mon-fri 09:00-18:00 Europe/Berlin"'


class Span(Struct, frozen=True):
    """Hours on some days of the week (0 is Monday), in minutes since midnight. One that ends at or before its start goes on
    into the next day."""

    days: frozenset[int]
    start: int
    end: int

    def covers(self, day: int, minute: int) -> bool:
        """Whether a minute of a weekday lies within."""
        if self.start < self.end:
            return day in self.days and self.start <= minute < self.end
        return (day in self.days and minute >= self.start) or ((day - 1) % 7 in self.days and minute < self.end)


class Hours(Struct, frozen=True):
    """Spans of the week in one time zone; none is always. `outside` turns them round."""

    spans: tuple[Span, ...] = ()
    zone: str = "UTC"
    outside: bool = False

    def cover(self, utc: float) -> bool:
        """Whether a moment (UTC seconds) lies within, by the zone's own clock on that day."""
        if not self.spans:
            return True
        local = datetime.datetime.fromtimestamp(utc, ZoneInfo(self.zone))
        within = any(span.covers(local.weekday(), local.hour * 60 + local.minute) for span in self.spans)
        return within is not self.outside


@lru_cache(maxsize=256)
def parse_hours(text: str) -> Hours:
    """Hours as typed. Raises ValueError, saying what to write."""
    words = text.strip()
    if words == ALWAYS:
        return Hours()
    outside = words.startswith("outside ")
    if outside:
        words = words.removeprefix("outside ").strip()
    if words == "business":
        words = BUSINESS
    *spans, last = (each.strip() for each in words.split(","))
    last, zone = _without_zone(last)
    return Hours(tuple(_span(each) for each in (*spans, last)), zone, outside)


def _without_zone(span: str) -> tuple[str, str]:
    """The last span without the time zone behind it. Raises ValueError where there is no such zone."""
    head, _, zone = span.rpartition(" ")
    if not head or _SPAN.fullmatch(span):
        return span, "UTC"
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        raise ValueError(f'{_HELP}; there is no time zone "{zone}" here') from None
    return head.strip(), zone


def _span(text: str) -> Span:
    found = _SPAN.fullmatch(text)
    if not found:
        raise ValueError(f'{_HELP}; found "{text}"')
    first, last, *clock = found.groups()
    hour, minute, end_hour, end_minute = map(int, clock)
    start, end = hour * 60 + minute, end_hour * 60 + end_minute
    if minute > 59 or end_minute > 59 or start >= _MINUTES_A_DAY or end > _MINUTES_A_DAY:
        raise ValueError(f'{_HELP}; a day has no "{text}"')
    return Span(_days(first, last), start, end)


def _days(first: str | None, last: str | None) -> frozenset[int]:
    """`mon-fri`, `sat`, over the week's end (`fri-mon`), or every day where none is said."""
    if first is None:
        return frozenset(range(7))
    try:
        begin = _DAYS.index(first.lower())
        end = _DAYS.index((last or first).lower())
    except ValueError:
        raise ValueError(f"{_HELP}; days are {', '.join(_DAYS)}") from None
    return frozenset((begin + step) % 7 for step in range((end - begin) % 7 + 1))


def _checked(text: str) -> str:
    parse_hours(text)
    return text


HoursText = Annotated[
    str,
    AfterValidator(_checked),
    WithJsonSchema({"type": "string", "examples": [ALWAYS, "business", "mon-fri 09:00-18:00 Europe/Berlin"]}),
]
"""Hours as typed, checked."""
