"""Calling for help: somebody is called for an alert, now, by every channel that is for escalations."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from ..alert import Alert
from ..clock import Clock
from ..connections import Tools
from ..setup import Setup
from ..text import EMPTY, Shown, clean
from .channel import Channel, Undelivered
from .claims import Claims
from .due import Due
from .incidents import call_key
from .ledger import Mark, plain
from .message import message_of
from .routing import routes

TRIES = 3
NOT_TOLD = "NOT told"
LONGEST_PAUSE = 5.0
"""Seconds between two tries at the most: a person waits for the answer."""


class Called(Struct, frozen=True):
    """What came of a call: in words, who was told by which channel; and whether every channel told them, or may have."""

    says: Shown
    reached: bool


class Pager:
    """Calls, and says what came of it. Any process may: whoever polls learns of it from the journal."""

    def __init__(self, claims: Claims, tools: Tools, clock: Clock) -> None:
        self._claims = claims
        self._tools = tools
        self._clock = clock

    async def page(self, setup: Setup, alert: Alert, whom: str, by_itself: bool) -> Called:
        """Calls somebody. By itself (the escalation clock) the same person is called once an episode, whoever polls; a person
        may call again, also for what is silenced."""
        asked = replace(alert, silenced=EMPTY, in_maintenance=False)
        now = self._clock.utc()
        channels = routes(asked, "escalated", now, setup.channels, whom)
        if not channels:
            return Called(clean(f'{whom}: not called, no [[notify]] with on = ["escalated"] is for this alert now'), True)
        await self._claims.refresh()
        detail = plain(whom) if by_itself else f"{plain(whom)}/{int(now)}"
        said = await asyncio.gather(*(self._call(setup, each, asked, whom, detail) for each in channels))
        return Called(clean(f"{whom}: {'; '.join(said)}"), not any(each.startswith(NOT_TOLD) for each in said))

    async def _call(self, setup: Setup, channel: Channel, alert: Alert, whom: str, detail: str) -> str:
        """One channel's call, claimed before it is made."""
        stamp = self._claims.ledger.episode(alert.fingerprint, channel.title, alert.fired_at or alert.since)
        mark = Mark("escalated", detail, stamp)
        standing = self._claims.ledger.standing(alert.fingerprint, channel.title, mark)
        if standing is not None and standing.counts:
            return f"called before by {channel.title}"
        mine = await self._claims.claim([Due(channel.title, alert.fingerprint, alert, mark)])
        if not mine:
            return f"called by another poller by {channel.title}"
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
                await channel.send(message, self._tools)
            except Undelivered as error:
                maybe, says = maybe or error.maybe, error.says
                if number < TRIES:
                    await self._clock.sleep(min(error.retry_after or float(number), LONGEST_PAUSE))
                continue
            await self._claims.told(mine, number)
            return f"told by {channel.title}"
        return await self._uncalled(channel, mine, maybe, says)

    async def _uncalled(self, channel: Channel, mine: Sequence[Due], maybe: bool, says: Shown) -> str:
        """No try was answered: what may have arrived stays claimed, so that its end is told."""
        if maybe:
            return f"may have been told by {channel.title} ({says})"
        await self._claims.untold(mine, says, TRIES)
        return f"{NOT_TOLD} by {channel.title} ({says})"
