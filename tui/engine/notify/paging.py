"""Calling for help: somebody is called for an alert, now, by every channel that is for escalations.

Each call is claimed before it is made, and what came of it is written down behind it. A claim without an answer whose sender is
gone may have rung: a channel that knows messages by key is called again, of any other it is said.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from ..alert import Alert
from ..clock import Clock, clock_time
from ..connections import Tools
from ..desk import ELSEWHERE
from ..escalation import Called
from ..setup import Setup
from ..text import EMPTY, Shown, clean
from .channel import Channel, Undelivered, delivered
from .claims import Claims
from .due import Due
from .incidents import call_key
from .ledger import Mark, Standing, plain
from .message import message_of
from .routing import routes

TRIES = 3
LONGEST_PAUSE = 5.0
"""Seconds between two tries at the most: a person waits for the answer."""


class _Way(Struct, frozen=True):
    """What came of one channel's call: `maybe` where nobody knows, `elsewhere` where another poller is at it."""

    channel: str
    how: Literal["told", "maybe", "failed", "elsewhere"]
    says: str


class Pager:
    """Calls, and says what came of it. Any process may: whoever polls learns of it from the journal."""

    def __init__(self, claims: Claims, tools: Tools, clock: Clock) -> None:
        self._claims = claims
        self._tools = tools
        self._clock = clock

    async def page(self, setup: Setup, alert: Alert, whom: str, by_itself: bool) -> Called:
        """Calls somebody. By itself (the escalation clock) the same person is called once for each answer that is wanted,
        whoever polls: an alert that came back, or was given back, wants another. A person may call again, also for what is
        silenced."""
        asked = replace(alert, silenced=EMPTY, in_maintenance=False)
        now = self._clock.utc()
        channels = routes(asked, "escalated", now, setup.channels, whom)
        if not channels:
            says = f'{whom}: not called, no [[notify]] with on = ["escalated"] is for this alert now'
            return Called(clean(says), reached=False)
        await self._claims.refresh()
        since = (asked.asked_at or asked.fired_at or asked.since) if by_itself else now
        first = by_itself and since < (asked.fired_at or asked.since) + 1
        detail = plain(whom) if first else f"{plain(whom)}/{int(since)}"
        wanted = since - ELSEWHERE if by_itself else None
        ways = await asyncio.gather(*(self._call(setup, each, asked, whom, detail, wanted) for each in channels))
        says = clean(f"{whom}: {'; '.join(each.says for each in ways)}")
        told = tuple(each.channel for each in ways if each.how == "told")
        missed = tuple(each.channel for each in ways if each.how in ("maybe", "failed"))
        return Called(says, len(told) == len(ways), any(each.how == "elsewhere" for each in ways), told, missed)

    async def _call(self, setup: Setup, channel: Channel, alert: Alert, whom: str, detail: str, wanted: float | None) -> _Way:
        """One channel's call, claimed before it is made; with `wanted`, the moment since which it is (UTC seconds), none where
        the same person was called since then by whichever poller."""
        title, ledger = channel.title, self._claims.ledger
        stamp = ledger.episode(alert.fingerprint, title, alert.fired_at or alert.since)
        called = None if wanted is None else ledger.called(alert.fingerprint, title, plain(whom), stamp, wanted)
        mark = called.mark if called else Mark("escalated", detail, stamp)
        standing = called or ledger.standing(alert.fingerprint, title, mark)
        before = self._before(channel, standing) if standing is not None and standing.counts else None
        if before is not None:
            return before
        due = Due(title, alert.fingerprint, alert, mark, again=standing is not None and standing.counts)
        mine = await self._claims.claim([due])
        if not mine:
            return _Way(title, "elsewhere", f"called by another poller by {title}")
        message = message_of(
            [alert],
            "escalated",
            self._clock.utc(),
            product=setup.name,
            environment=setup.environment,
            keys=[call_key(alert.fingerprint, mark) if channel.by_key else alert.fingerprint],
            whom=whom,
        )
        maybe, says = False, EMPTY
        for number in range(1, TRIES + 1):
            try:
                await delivered(channel, message, self._tools)
            except Undelivered as error:
                maybe, says = maybe or error.maybe, error.says
                if number < TRIES:
                    await self._clock.sleep(min(error.retry_after or float(number), LONGEST_PAUSE))
                continue
            await self._claims.told(mine, number)
            return _Way(title, "told", f"told by {title}")
        return await self._uncalled(title, mine, maybe, says)

    def _before(self, channel: Channel, standing: Standing) -> _Way | None:
        """What is known of a call that was claimed before; None where it is to be made again."""
        title = channel.title
        if standing.state == "told":
            return _Way(title, "told", f"called before by {title}")
        if standing.in_flight(self._clock.utc()):
            return _Way(title, "elsewhere", f"called by another poller by {title}")
        if channel.by_key:
            return None
        return _Way(title, "maybe", f"may have been told by {title} at {clock_time(standing.at)}, nobody knows")

    async def _uncalled(self, title: str, mine: Sequence[Due], maybe: bool, says: Shown) -> _Way:
        """No try was answered: what may have arrived stays claimed, so that its end is told."""
        if maybe:
            return _Way(title, "maybe", f"may have been told by {title} ({says})")
        await self._claims.untold(mine, says, TRIES)
        return _Way(title, "failed", f"NOT told by {title} ({says})")
