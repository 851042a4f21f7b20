"""The failed jobs of the last 24 hours, and what they have in common: one cause, one line. No I/O.

Held by minute of creation, as the window is. When a job failed is its finished-at where there is such a column; else the poll
at which it was first seen to be failed, and nothing for those that were so when we first looked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from msgspec import Struct, field

from tui.engine.folding import signature

from .window import KEPT

MOST = 5_000
"""Failed jobs that are remembered: a few megabytes. Beyond that the oldest go, and the groups say "at least"."""
LONGEST = 200
FAILURE = "failure:"
NO_ERROR = "no error text"


def words(error: str | None) -> str:
    """What a job's error says once numbers, ids and quoted values are folded: raw, to compare by."""
    return signature(error or "")[:LONGEST] or NO_ERROR


class Failed(Struct, frozen=True):
    """A failed job. `at` is UTC seconds (server) at which it failed, None where that was before we looked; `seen` when `row`
    was read, from when on its ages run on."""

    id: str
    kind: str
    signature: str
    at: float | None
    seen: float
    row: Mapping[str, Any]


class Group(Struct, frozen=True):
    """Failed jobs of one kind whose errors say the same but for numbers, ids and quoted values; the newest first."""

    kind: str
    signature: str
    jobs: tuple[Failed, ...]

    @property
    def key(self) -> str:
        """The row's key: what an action is told to take all of them."""
        return f"{FAILURE}{quote(self.kind, safe='')}:{self.signature}"


class Failures(Struct):
    """What is remembered. `since` is UTC seconds from which times of failing are known without a finished-at column."""

    by_minute: dict[int, dict[str, Failed]] = field(default_factory=dict)
    since: float | None = None

    def take(self, minutes: Iterable[int], rows: Iterable[Mapping[str, Any]], known: Iterable[int], now: float) -> None:
        """Takes the failed jobs (rows of `members.sql`) of some minutes. `known` are those that were asked for before: a job
        that is new in them turned failed since."""
        watched = set(known)
        fresh: dict[int, dict[str, Failed]] = {number: {} for number in minutes}
        for row in rows:
            number = int(row["created"] // 60)
            before = self.by_minute.get(number, {}).get(row["id"])
            if number in fresh:
                at = _when(row, before, now if number in watched else None, now)
                fresh[number][row["id"]] = Failed(row["id"], row["kind"] or "", words(row["error"]), at, now, row)
        self.by_minute.update(fresh)
        self.since = now if self.since is None else self.since

    def move(self, now: float) -> None:
        """Goes with the time: lets go of what the window lets go of, and of the oldest where there are too many."""
        first = int(now // 60) - KEPT + 1
        self.by_minute = {number: jobs for number, jobs in self.by_minute.items() if number >= first and jobs}
        held = 0
        for number in sorted(self.by_minute, reverse=True):
            held += len(self.by_minute[number])
            if held > MOST:
                del self.by_minute[number]

    @property
    def held(self) -> int:
        """How many are held."""
        return sum(len(jobs) for jobs in self.by_minute.values())

    def all(self) -> list[Failed]:
        """Every failed job that is held, the newest failure first."""
        jobs = [job for minute in self.by_minute.values() for job in minute.values()]
        return sorted(jobs, key=lambda job: (-(job.at or 0.0), -job.row["created"], job.id))

    def since_minutes(self, seconds: float, now: float) -> dict[str, int]:
        """How many failed within the last `seconds`, by kind."""
        found: dict[str, int] = {}
        for minute in self.by_minute.values():
            for job in minute.values():
                if job.at is not None and now - job.at <= seconds:
                    found[job.kind] = found.get(job.kind, 0) + 1
        return found

    def groups(self) -> list[Group]:
        """The groups, those that grew last first."""
        found: dict[tuple[str, str], list[Failed]] = {}
        for job in self.all():
            found.setdefault((job.kind, job.signature), []).append(job)
        return [Group(kind, said, tuple(jobs)) for (kind, said), jobs in found.items()]


def _when(row: Mapping[str, Any], before: Failed | None, seen: float | None, now: float) -> float | None:
    """When a job failed: as it says itself, else when it was first seen to have."""
    if row["finished_age"] is not None:
        return now - float(row["finished_age"])
    if before is not None and before.row["attempts"] == row["attempts"]:
        return before.at
    return seen
