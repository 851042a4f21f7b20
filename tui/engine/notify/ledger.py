"""What was told to whom: read from the journal's entries, in order, so that every process that reads them agrees.

    nothing ──claimed──▶ claimed ──told──▶ told
                ▲            │
                └──untold────┘        (untold: it did not arrive, so it may be claimed again, by whoever polls then)

The first claim of a thing counts, a second one does not: that is how two pollers never tell twice. An alert that ends and fires
again is told again: what is told belongs to one episode of it, named by the second at which it fired. Other hosts may have seen
it fire a little earlier; within `SAME` seconds, and while it was not over, theirs is ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

from ..alert import Severity
from ..entries import Claimed, Said, Told, Untold
from .channel import Transition

SAME = 300
"""Seconds within which two hosts' sightings of an alert's beginning are one."""
IN_FLIGHT = 60.0
"""Seconds after which a claim without an answer is no message under way any more, but one whose sender is gone."""
KEPT = 35 * 86400.0
"""Seconds for which what was told is read back."""

Key = tuple[str, str, str]
"""Fingerprint, channel, and the mark's name."""
_STEERS = re.compile(r"[@#\s]")


def plain(words: str) -> str:
    """Words from outside (who acknowledged, a fingerprint of theirs) that a mark can hold and be read back with."""
    return _STEERS.sub("_", words)[:80]


class Mark(Struct, frozen=True):
    """A transition as the journal has it: `firing:P0@1795230732`, `acknowledged:anna@…`, `resolved:@…`, `escalated:ben@…`.

    Behind `#` stands the alert whose incident it belongs to, where several alerts are one. Words in it are `plain`.
    """

    kind: Transition
    detail: str
    stamp: int
    group: str = ""

    @property
    def name(self) -> str:
        """What makes it one of its kind: all but the incident, which two pollers may see differently."""
        return f"{self.kind}:{self.detail}@{self.stamp}"

    def __str__(self) -> str:
        return f"{self.name}#{self.group}" if self.group else self.name


_KINDS: tuple[Transition, ...] = ("firing", "acknowledged", "resolved", "escalated")


def parse_mark(text: str) -> Mark | None:
    """The mark as written by `str`; None for one that an older or newer version wrote."""
    head, at, tail = text.rpartition("@")
    kind, colon, detail = head.partition(":")
    stamp, _, group = tail.partition("#")
    known = next((each for each in _KINDS if each == kind), None)
    if not (at and colon and known and stamp.removeprefix("-").isdigit()):
        return None
    return Mark(known, detail, int(stamp), group)


class Standing(Struct):
    """How one thing that was to be told stands. `id` is the entry of the claim that counts, `at` when it was made."""

    mark: Mark
    id: int
    at: float
    state: Literal["claimed", "told", "untold"] = "claimed"
    here: bool = True
    """Whether it was claimed on this host."""

    @property
    def counts(self) -> bool:
        """Whether it was told, or may have been."""
        return self.state != "untold"

    def in_flight(self, now: float) -> bool:
        """Whether it may be under way at a moment (UTC seconds): claimed, and not long ago, nor in a future that there is only
        because a clock was set back since."""
        return self.state == "claimed" and abs(now - self.at) <= IN_FLIGHT


class Ledger:
    """All of it. `apply` takes entries in the order in which they were written."""

    def __init__(self) -> None:
        self._of: dict[tuple[str, str], dict[str, Standing]] = {}
        self._unanswered: dict[Key, Standing] = {}
        self._open: list[tuple[str, str, int]] | None = None
        self._same: dict[tuple[str, str, int], int] = {}

    def apply(self, id_: int, at: float, said: Said | None, *, here: bool = True) -> None:
        """Takes one entry, of this host or another; what is no notification is passed by."""
        match said:
            case Claimed(fingerprint, channel, transition):
                self._claim(fingerprint, channel, transition, id_, at, here)
            case Told(fingerprint, channel, transition):
                self._settle(fingerprint, channel, transition, "told")
            case Untold(fingerprint, channel, transition):
                self._settle(fingerprint, channel, transition, "untold")

    def _claim(self, fingerprint: str, channel: str, transition: str, id_: int, at: float, here: bool) -> None:
        mark = parse_mark(transition)
        if mark is None:
            return
        standings = self._of.setdefault((fingerprint, channel), {})
        before = standings.get(mark.name)
        if before is None or before.state == "untold":
            made = standings[mark.name] = Standing(mark, id_, at, here=here)
            self._unanswered[fingerprint, channel, mark.name] = made
            self._open = None

    def _settle(self, fingerprint: str, channel: str, transition: str, state: Literal["told", "untold"]) -> None:
        mark = parse_mark(transition)
        standing = self.standing(fingerprint, channel, mark) if mark else None
        if mark is not None and standing is not None:
            standing.state = state
            self._unanswered.pop((fingerprint, channel, mark.name), None)
            self._open = None

    def standing(self, fingerprint: str, channel: str, mark: Mark) -> Standing | None:
        """How one thing stands; None where nobody ever claimed it."""
        return self._of.get((fingerprint, channel), {}).get(mark.name)

    def episode(self, fingerprint: str, channel: str, fired_at: float) -> int:
        """The name of the episode that an alert which fired at that moment is in, for one channel."""
        stamp = int(fired_at)
        known = self._same.get((fingerprint, channel, stamp))
        if known is not None:
            return known
        told = [each.mark for each in self._of.get((fingerprint, channel), {}).values() if each.counts]
        begun = {each.stamp for each in told if each.kind == "firing"}
        ended = {each.stamp for each in told if each.kind == "resolved"}
        if stamp in begun:
            return stamp
        near = [each for each in begun - ended if abs(each - stamp) <= SAME]
        if not near:
            return stamp
        self._same[fingerprint, channel, stamp] = max(near)
        return max(near)

    def told(self, fingerprint: str, channel: str, kind: Transition, stamp: int) -> list[Standing]:
        """What was told of a kind in one episode, or may have been."""
        found = self._of.get((fingerprint, channel), {}).values()
        return [each for each in found if each.mark.kind == kind and each.mark.stamp == stamp and each.counts]

    def called(self, fingerprint: str, channel: str, whom: str, stamp: int, since: float) -> Standing | None:
        """The last call to somebody (`plain`) for an episode since a moment (UTC seconds), that was made or may have been."""
        calls = [each for each in self.told(fingerprint, channel, "escalated", stamp) if each.at >= since]
        mine = [each for each in calls if each.mark.detail == whom or each.mark.detail.startswith(f"{whom}/")]
        return max(mine, key=lambda each: each.at, default=None)

    def severities(self, fingerprint: str, channel: str, stamp: int) -> set[str]:
        """As how bad its firing was told in one episode."""
        return {each.mark.detail for each in self.told(fingerprint, channel, "firing", stamp)}

    def group(self, fingerprint: str, channel: str, stamp: int) -> str:
        """The alert whose incident an episode belongs to: its own, where it was told alone."""
        firing = self.told(fingerprint, channel, "firing", stamp)
        return next((each.mark.group for each in firing if each.mark.group), plain(fingerprint))

    def open(self) -> list[tuple[str, str, int]]:
        """Fingerprint, channel and episode of all that was told to fire and not to be over."""
        if self._open is None:
            self._open = self._find_open()
        return self._open

    def _find_open(self) -> list[tuple[str, str, int]]:
        found: list[tuple[str, str, int]] = []
        for (fingerprint, channel), standings in self._of.items():
            marks = [each.mark for each in standings.values() if each.counts]
            ended = {each.stamp for each in marks if each.kind == "resolved"}
            begun = {each.stamp for each in marks if each.kind in ("firing", "escalated")}
            found += [(fingerprint, channel, stamp) for stamp in sorted(begun - ended)]
        return found

    def begun_here(self, fingerprint: str, channel: str, stamp: int) -> bool:
        """Whether anything of an episode was told by this host."""
        found = self._of.get((fingerprint, channel), {}).values()
        return any(each.here and each.counts for each in found if each.mark.stamp == stamp)

    def open_members(self, channel: str, group: str) -> set[str]:
        """The alerts of one incident that were not told to be over."""
        return {
            fingerprint
            for fingerprint, of, stamp in self.open()
            if of == channel and self.group(fingerprint, channel, stamp) == group
        }

    def unanswered(self, now: float) -> list[tuple[str, str, Standing]]:
        """Claims whose sender is gone: told or not, nobody knows."""
        return [
            (fingerprint, channel, each)
            for (fingerprint, channel, _), each in self._unanswered.items()
            if not each.in_flight(now)
        ]

    def forget_before(self, at: float) -> None:
        """Lets go of what was claimed before a moment, so that a long life costs no memory."""
        for key, standings in list(self._of.items()):
            kept = {name: each for name, each in standings.items() if each.at >= at}
            if len(kept) < len(standings):
                self._of[key] = kept
            if not kept:
                del self._of[key]
        self._same = {key: stamp for key, stamp in self._same.items() if (key[0], key[1]) in self._of}
        self._unanswered = {key: each for key, each in self._unanswered.items() if each.at >= at}
        self._open = None


def worst(severities: Iterable[str]) -> str:
    """The worst of severities as marks have them; behind all where there is none."""
    return min(severities, default="P9")


def firing(severity: Severity, stamp: int, group: str = "") -> Mark:
    """That an alert fires, as bad as this."""
    return Mark("firing", severity, stamp, group)
