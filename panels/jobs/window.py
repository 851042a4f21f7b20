"""The last 24 hours of the queue in memory, by minute of creation, so that no poll has to count them all again. No I/O.

A minute is *closed* when none of its jobs is queued or running: what it holds changes no more, unless somebody retries a
failed job. So each poll asks again, of the server, for

    the newest minutes          jobs still appear in them
    open minutes                as many as the poll's allowance of jobs covers, the longest unasked first
    the last hour, closed       while a smaller allowance lasts: a retry reopens a minute, and that shows at once
    everything                  each ten minutes, in a round: the newest first, a step (`STEP` jobs) at a time

Minutes are numbers of 60 s since 1970 by the server's clock.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct, field

KEPT = 1440
"""Minutes that are kept: 24 h."""
UNSETTLED = 2
"""Minutes for which a minute that is over is asked for again: a transaction commits its jobs later than it created them."""
STEP = 10_000
"""Jobs that one statement looks at: about 7 ms of server time."""
SPARE = 4_000
"""Jobs of closed minutes that a poll looks at besides."""
SPARE_MINUTES = 60
ALL_EACH = 600.0
"""Seconds after which every minute is asked again."""
ROWS_A_SECOND = 7_500
"""A minute that holds more than a step is asked only so often that it costs the server about 5 ms a second."""


class Counts(Struct):
    """The jobs of one kind that were created in one minute. `mark` tells one set of failed jobs from another."""

    total: int = 0
    queued: int = 0
    running: int = 0
    failed: int = 0
    mark: str = "0"

    @property
    def ended(self) -> int:
        """Those that neither wait nor run."""
        return self.total - self.queued - self.running


class Minute(Struct):
    """One minute's jobs by kind, and when it was last asked for (UTC seconds of the server)."""

    asked: float
    kinds: dict[str, Counts] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """All jobs created in it."""
        return sum(counts.total for counts in self.kinds.values())

    @property
    def running(self) -> int:
        """Those that run."""
        return sum(counts.running for counts in self.kinds.values())

    @property
    def open(self) -> bool:
        """Whether any of its jobs waits or runs."""
        return any(counts.queued or counts.running for counts in self.kinds.values())


class Taken(Struct, frozen=True):
    """What an answer changed: the minutes whose set of failed jobs is another than before, and how many jobs ended since
    they were last asked for."""

    failures: frozenset[int]
    ended: int


class Window(Struct):
    """The minutes that are known, and what of the present round over all of them is still to be asked."""

    minutes: dict[int, Minute] = field(default_factory=dict)
    by_kind: dict[str, Counts] = field(default_factory=dict)
    """The counts of all minutes together; kept, as adding up a day would cost more than all the rest of a poll."""
    owed: tuple[int, int] | None = None
    """The first and last minute that the round over everything has still to ask for."""
    complete: bool = False
    """Whether all of the last 24 h was asked for once: before, no share of a day is known."""
    _open_minutes: set[int] = field(default_factory=set)
    _round: float = -math.inf

    def move(self, now: float) -> bool:
        """Goes with the time: lets go of what lies more than 24 h back, or ahead (a clock was set back), and begins a round
        over everything when it is time. Returns whether one began."""
        newest = int(now // 60)
        first = newest - KEPT + 1
        for number in [each for each in self.minutes if not first <= each <= newest]:
            self._put(number, None)
        if self.owed is None and now - self._round >= ALL_EACH:
            self._round = now
            self.owed = (first, newest)
            return True
        return False

    def went_back_to(self, minute: int) -> None:
        """The round has asked for everything from `minute` on."""
        if self.owed is not None:
            self.owed = (self.owed[0], minute - 1) if minute > self.owed[0] else None
            self.complete = self.complete or self.owed is None

    def to_ask(self, now: float) -> list[int]:
        """The minutes that this poll asks for again, ascending."""
        newest = int(now // 60)
        unseen = min(max(self.minutes, default=newest) + 1, newest)
        wanted = set(range(max(unseen, newest - KEPT + 1), newest + 1)) | {newest}
        wanted |= {number for number, minute in self.minutes.items() if minute.asked < (number + 1 + UNSETTLED) * 60}
        wanted = {number for number in wanted if number not in self.minutes or self._affordable(number, STEP, now)}
        wanted |= self._open(wanted, now)
        return sorted(wanted | self._lately_closed(wanted, newest))

    def _affordable(self, number: int, left: float, now: float) -> bool:
        """Whether a minute fits what is left of an allowance, or is larger than any and was not asked for a while."""
        minute = self.minutes[number]
        return minute.total <= left or (minute.total > STEP and (now - minute.asked) * ROWS_A_SECOND >= minute.total)

    def _open(self, chosen: set[int], now: float) -> set[int]:
        """Open minutes besides those chosen, the longest unasked first, while the allowance lasts."""
        left = STEP - sum(self.minutes[each].total for each in chosen if each in self.minutes)
        found = set()
        for number in sorted(self._open_minutes, key=lambda each: self.minutes[each].asked):
            if number not in chosen and self._affordable(number, left, now):
                found.add(number)
                left -= self.minutes[number].total
        return found

    def _lately_closed(self, chosen: set[int], newest: int) -> set[int]:
        """Closed minutes of the last hour, the newest first, while the smaller allowance lasts."""
        left, found = SPARE, set()
        for number in range(newest, newest - SPARE_MINUTES, -1):
            if number in chosen or number not in self.minutes:
                continue
            left -= self.minutes[number].total
            if left < 0:
                break
            found.add(number)
        return found

    def take(self, asked: Iterable[int], rows: Iterable[Mapping[str, Any]], now: float) -> Taken:
        """Takes the answer (rows of `minutes.sql`) for the minutes that were asked for; those without rows hold no jobs."""
        fresh = {number: Minute(now) for number in asked}
        for row in rows:
            if row["minute"] in fresh:
                counts = Counts(row["total"], row["queued"], row["running"], row["failed"], row["mark"])
                fresh[row["minute"]].kinds[row["kind"] or ""] = counts
        newest = max(self.minutes, default=math.inf)
        failures = frozenset(number for number, minute in fresh.items() if _marks(minute) != _marks(self.minutes.get(number)))
        ended = sum(
            _ended(minute, self.minutes.get(number, Minute(now)))
            for number, minute in fresh.items()
            if number in self.minutes or number > newest  # older ones that are new to us ended before we looked
        )
        for number, minute in fresh.items():
            self._put(number, minute)
        return Taken(failures, ended)

    def _put(self, number: int, minute: Minute | None) -> None:
        """Puts a minute in the place of what was known of it, or nothing; keeps the sums."""
        before = self.minutes.pop(number, None)
        self._open_minutes.discard(number)
        for kind, counts in before.kinds.items() if before else ():
            self._sum(kind, counts, -1)
            if not self.by_kind[kind].total:
                del self.by_kind[kind]
        if minute is not None:
            self.minutes[number] = minute
            if minute.open:
                self._open_minutes.add(number)
            for kind, counts in minute.kinds.items():
                self._sum(kind, counts, 1)

    def _sum(self, kind: str, counts: Counts, sign: int) -> None:
        total = self.by_kind.setdefault(kind, Counts())
        total.total += sign * counts.total
        total.queued += sign * counts.queued
        total.running += sign * counts.running
        total.failed += sign * counts.failed

    def with_running(self, among: Iterable[int]) -> list[int]:
        """Those of the minutes that hold running jobs, ascending."""
        return sorted(number for number in among if number in self.minutes and self.minutes[number].running)


def stretches(minutes: Iterable[int]) -> Iterator[tuple[float, float]]:
    """Ascending minutes as stretches of seconds, those that touch as one."""
    first = last = None
    for number in minutes:
        if last is not None and number == last + 1:
            last = number
            continue
        if first is not None and last is not None:
            yield first * 60.0, (last + 1) * 60.0
        first = last = number
    if first is not None and last is not None:
        yield first * 60.0, (last + 1) * 60.0


def _marks(minute: Minute | None) -> dict[str, tuple[int, str]]:
    """What tells one set of failed jobs from another."""
    if minute is None:
        return {}
    return {kind: (counts.failed, counts.mark) for kind, counts in minute.kinds.items() if counts.failed}


def _ended(after: Minute, before: Minute) -> int:
    """How many jobs ended between two answers; a retry, which takes one back, does not count against others' kinds."""
    return sum(max(0, counts.ended - before.kinds.get(kind, Counts()).ended) for kind, counts in after.kinds.items())
