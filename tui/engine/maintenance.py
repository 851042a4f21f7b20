"""Maintenance windows: times in which panels may be unwell. They page nobody and count against no uptime, and are shown so.

Either once (`since` to `until`) or each week (days and hours in a time zone); from the config, or said with a key.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable

from msgspec import Struct

from .text import EMPTY, Shown

DAY = datetime.timedelta(days=1)


class Weekly(Struct, frozen=True):
    """Hours of some days of the week (0 is Monday), in minutes since midnight of a time zone. One that ends before it begins
    ends on the next day. Each comes once on its day: where the clocks skip its beginning, at once after that."""

    days: tuple[int, ...]
    begins: int
    ends: int
    zone: str = "UTC"


class Window(Struct, frozen=True):
    """A window over panels (all where none is named). `since` and `until` are UTC seconds, unless it is weekly."""

    panels: tuple[str, ...] = ()
    since: float = 0.0
    until: float = 0.0
    weekly: Weekly | None = None
    reason: Shown = EMPTY
    who: Shown = EMPTY
    id: str = ""
    """What ends it early; empty for the config's."""

    def covers(self, panel: str) -> bool:
        """Whether it is about this panel."""
        return not self.panels or panel in self.panels

    def now(self, at: float) -> tuple[float, float] | None:
        """From when to when it is in force at this moment (UTC seconds); None where it is not."""
        if self.weekly is None:
            return (self.since, self.until) if self.since <= at < self.until else None
        return next((span for span in _spans(self.weekly, at, 1) if span[0] <= at < span[1]), None)

    def ended(self, at: float) -> float | None:
        """When it was last over (UTC seconds), seen from a moment; None where it never was."""
        if self.weekly is None:
            return self.until if self.until <= at else None
        return max((until for _, until in _spans(self.weekly, at, 8) if until <= at), default=None)


def _spans(weekly: Weekly, at: float, before: int) -> Iterable[tuple[float, float]]:
    """The windows of today and so many days before, by the wall clock of their zone (a day of 23 or 25 hours is one day)."""
    from zoneinfo import ZoneInfo  # late: only where a window is weekly

    zone = ZoneInfo(weekly.zone)
    today = datetime.datetime.fromtimestamp(at, zone).date()
    for day in (today - DAY * back for back in range(before, -1, -1)):
        if day.weekday() in weekly.days:
            last = day if weekly.ends > weekly.begins else day + DAY
            yield _span(_wall(day, weekly.begins), _wall(last, weekly.ends), zone)


def _wall(day: datetime.date, minutes: int) -> datetime.datetime:
    """A wall clock's reading on a day; 24:00 is the next day's midnight."""
    return datetime.datetime.combine(day, datetime.time()) + datetime.timedelta(minutes=minutes)


def _span(begins: datetime.datetime, ends: datetime.datetime, zone: datetime.tzinfo) -> tuple[float, float]:
    """From when to when a window is in force, in UTC seconds. One that lies in an hour which the wall clock skips whole is as
    long as it is written, from the end of that hour on."""
    since, until = _reached(begins, zone), _reached(ends, zone)
    return since, until if until > since else since + (ends - begins).total_seconds()


def _reached(wall: datetime.datetime, zone: datetime.tzinfo) -> float:
    """The first moment (UTC seconds) at which the zone's wall clock has come to this reading: where it skips that, when it
    does; where it shows it twice, the first time."""
    at = wall.replace(tzinfo=zone).timestamp()
    if datetime.datetime.fromtimestamp(at, zone).replace(tzinfo=None) == wall:
        return at
    # By the offset before the skip it is read too late, by the one after it too early: the skip lies between.
    before, after = round(wall.replace(tzinfo=zone, fold=1).timestamp()), round(at)
    while after - before > 1:
        middle = (before + after) // 2
        skipped = datetime.datetime.fromtimestamp(middle, zone).replace(tzinfo=None) >= wall
        before, after = (before, middle) if skipped else (middle, after)
    return float(after)


def in_force(windows: Iterable[Window], panel: str, at: float) -> tuple[Window, tuple[float, float]] | None:
    """The window that covers a panel now and lasts longest, with its span; None where none does."""
    found = [(each, span) for each in windows if each.covers(panel) and (span := each.now(at))]
    return max(found, key=lambda each: each[1][1], default=None)
