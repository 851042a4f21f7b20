"""One channel's messages that are still to be told: bounded, the worst first, tried again with growing pauses.

A channel that fails keeps only itself waiting. What does not fit pushes out the oldest of the mildest, and that is said.
"""

from __future__ import annotations

import asyncio
import random
from itertools import count

from msgspec import Struct

from ..clock import Clock, clock_time
from ..text import EMPTY, Shown, clean
from .channel import Channel, Transition, Undelivered
from .due import Due
from .ledger import Key

ROOM = 200
"""Messages that a channel may have waiting."""
TRIES = 30
MAX_AGE = 1800.0
"""Seconds after which a message is given up: who reads it then learns nothing that the screen does not say better."""
FIRST_PAUSE, LONGEST_PAUSE = 2.0, 60.0
ONCE_MORE = 900.0
"""Seconds after which what was given up is tried anew, should it still be so."""
LONGEST_WISH = 300.0
"""Seconds of pause that a channel itself may ask for."""
_number = count()


class Item(Struct):
    """One message to be: `since` is monotonic seconds, `claimed` whether the journal has it as ours, `maybe` whether a try may
    have arrived although its answer did not."""

    kind: Transition
    dues: tuple[Due, ...]
    since: float
    number: int = 0
    tries: int = 0
    claimed: bool = False
    maybe: bool = False

    @property
    def severity(self) -> str:
        """The worst in it."""
        return min(each.alert.severity for each in self.dues)

    @property
    def keys(self) -> frozenset[Key]:
        """What its parts are known by while they wait."""
        return frozenset(each.key for each in self.dues)


class Outbox:
    """What one channel still has to tell, and how it fares."""

    def __init__(self, channel: Channel, clock: Clock) -> None:
        self.channel = channel
        self.given_up: set[Key] = set()
        """What is not tried again until the channel is well."""
        self.failing: Shown = EMPTY
        self.failing_since = 0.0
        self.note: Shown = EMPTY
        """What the last message that arrived had to say (an address was refused)."""
        self.lost = 0
        self._clock = clock
        self._items: list[Item] = []
        self._failures = 0
        self._gave_up_at = 0.0
        self._not_before = 0.0
        self._news = asyncio.Event()

    def add(self, item: Item) -> Item | None:
        """Puts it in line; gives back the one that had to make room."""
        item.number = next(_number)
        self._items.append(item)
        self._news.set()
        if len(self._items) <= ROOM:
            return None
        mildest = max(self._items, key=lambda each: (each.severity, -each.number))
        self._items.remove(mildest)
        self.lost += 1
        self.give_up(mildest)
        return mildest

    def give_up(self, item: Item) -> None:
        """It is not tried any more, for a while."""
        self.given_up |= item.keys
        self._gave_up_at = self._clock.monotonic()

    def once_more(self) -> set[Key]:
        """What was given up long enough ago to be tried anew, should it still be due; it is let go of."""
        if not self.given_up or self._clock.monotonic() - self._gave_up_at < ONCE_MORE:
            return set()
        again, self.given_up = self.given_up, set()
        return again

    @property
    def resting(self) -> bool:
        """Whether there is nothing to tell, or not yet again."""
        return not self._items or self._not_before > self._clock.monotonic()

    def put_back(self, item: Item) -> None:
        """It failed and is tried again, before what came later."""
        self._items.append(item)
        self._news.set()

    async def next(self) -> Item:
        """The worst, then the oldest; waits until there is one and the channel's pause is over."""
        while True:
            pause = self._not_before - self._clock.monotonic()
            if pause > 0:
                await self._clock.sleep(pause)
            elif self._items:
                found = min(self._items, key=lambda each: (each.severity, each.number))
                self._items.remove(found)
                return found
            else:
                self._news.clear()
                await self._news.wait()

    def failed(self, item: Item, error: Undelivered) -> bool:
        """Takes a failure: how long the channel pauses; says whether the message is given up. A final refusal gets one more
        try, since secrets are read anew after it."""
        now = self._clock.monotonic()
        item.tries += 1
        item.maybe = item.maybe or error.maybe
        self._failures += 1
        if not self.failing:
            self.failing_since = self._clock.utc()
        self.failing = error.says
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(self._failures - 1, 10)) * random.uniform(0.8, 1.2)  # noqa: S311  # jitter
        self._not_before = now + max(pause, min(error.retry_after or 0.0, LONGEST_WISH))
        return (error.final and item.tries > 1) or item.tries >= TRIES or now - item.since > MAX_AGE

    def well(self, note: Shown) -> set[Key]:
        """A message arrived; gives what was given up before and may be tried again now."""
        self.note, self.failing, self._failures, self.lost = note, EMPTY, 0, 0
        again, self.given_up = self.given_up, set()
        return again

    @property
    def warning(self) -> Shown:
        """What a person must know of the channel; empty where all is well."""
        title = self.channel.title
        if self.failing:
            waiting = f", {len(self._items)} waiting" if self._items else ""
            given_up = f", {len(self.given_up)} not told" if self.given_up else ""
            lost = f", {self.lost} for want of room" if self.lost else ""
            return clean(
                f"notify {title} fails since {clock_time(self.failing_since)}: {self.failing}{waiting}{given_up}{lost}"
            )
        if self.lost:
            return clean(f"notify {title}: {self.lost} not told for want of room")
        return clean(f"notify {title}: {self.note}") if self.note else EMPTY
