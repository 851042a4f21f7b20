"""One poller's notifier on a driven clock, with the alerts it sees and channels that keep what they are told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace
from pydantic import PrivateAttr

from tests.clocks import DrivenClock, settle
from tests.servers.receivers import Receivers
from tests.waiting import LONG, looked, soon
from tui.engine.alert import Alert, Fold, single
from tui.engine.connections import Tools
from tui.engine.journal import Journal
from tui.engine.notify.channel import Channel, Undelivered
from tui.engine.notify.claims import TeamClaim
from tui.engine.notify.gathering import GATHER
from tui.engine.notify.message import Message
from tui.engine.notify.notifier import Notifier
from tui.engine.notify.pagerduty import PagerDuty
from tui.engine.setup import Setup
from tui.engine.text import EMPTY, Shown

SETUP = Setup("shop", "production", True, "id", "anna", 5.0, None, ())


class Kept(Channel):
    """A channel that keeps what it is told, and fails as a test says."""

    took: list[Message] = []
    """What arrived."""
    fails: list[Undelivered] = []
    """What the next tries raise."""
    before: list[Callable[[], object]] = []
    """Called as a message goes out."""

    async def send(self, message: Message, tools: Tools) -> Shown:
        for each in self.before:
            each()
        if self.fails:
            raise self.fails.pop(0)
        self.took.append(message)
        return EMPTY

    @property
    def said(self) -> list[str]:
        return [each.headline for each in self.took]


class Slow(Kept):
    """One whose messages are under way until `go` is set; `arrived` is once one is."""

    _arrived: asyncio.Event = PrivateAttr(default_factory=asyncio.Event)
    _go: asyncio.Event = PrivateAttr(default_factory=asyncio.Event)

    async def send(self, message: Message, tools: Tools) -> Shown:
        self._arrived.set()
        await self._go.wait()
        return await super().send(message, tools)

    async def under_way(self) -> None:
        """Until a message is, which then arrives a moment later."""
        await asyncio.wait_for(self._arrived.wait(), LONG)
        asyncio.get_running_loop().call_later(0.1, self._go.set)


def kept(name: str = "chat", **more: Any) -> Kept:
    return Kept(kind="command", name=name, took=[], fails=[], before=[], **more)


def slow(name: str = "chat", **more: Any) -> Slow:
    return Slow(kind="command", name=name, took=[], fails=[], before=[], **more)


@dataclass
class Floor:
    """One poller's notifier, the alerts it sees, and time."""

    clock: DrivenClock
    journal: Journal
    notifier: Notifier
    folds: tuple[Fold, ...] = ()
    news: list[int] = field(default_factory=list)

    async def sees(self, *what: Alert | Fold, seconds: float = GATHER) -> None:
        """These are the alerts from now on; time passes."""
        self.folds = tuple(single([each])[0] if isinstance(each, Alert) else each for each in what)
        await self.passes(seconds)

    async def passes(self, seconds: float) -> None:
        """Time passes, judged each second, and everything that can be told is."""
        self.notifier.take(self.folds, self.clock.utc())
        await self.quiet()
        for _ in range(int(seconds)):
            await self.clock.advance(1.0)
            self.notifier.take(self.folds, self.clock.utc())
            await self.quiet()

    async def until(self, what: Callable[[], bool]) -> None:
        """Time passes by the second until it is true; what is sent goes its way meanwhile."""

        async def a_second_later() -> bool:
            await self.clock.advance(1.0)
            return what()

        await looked(a_second_later, each=0.01)

    async def quiet(self) -> None:
        await settle()
        assert await soon(lambda: self.notifier.idle)

    def said(self) -> list[str]:
        """What the journal says of notifications."""
        kinds = ("claimed", "told", "untold")
        return [
            f"{each.kind} {each.data['channel']} {each.data['transition'].partition('@')[0]}"
            for each in self.journal.entries(kinds=kinds)
        ]


@asynccontextmanager
async def floor(
    *channels: Channel, journal: Journal | None = None, clock: DrivenClock | None = None, team: TeamClaim | None = None
) -> AsyncIterator[Floor]:
    own = journal or Journal(":memory:")
    clock = clock or DrivenClock()
    tools = Tools("production", clock)
    setup = replace(SETUP, channels=channels)
    news: list[int] = []
    made = Floor(clock, own, Notifier(setup, tools, own, clock, lambda: news.append(1), team), news=news)
    running = asyncio.ensure_future(made.notifier.run())
    await soon(lambda: made.notifier.running)
    yield made
    running.cancel()
    await asyncio.wait([running])
    await tools.close()
    if journal is None:
        own.close()


def pagerduty(there: Receivers, **more: Any) -> PagerDuty:
    given = {"kind": "pagerduty", "routing_key": "env:PAGERDUTY_KEY", "url": f"{there.url}/v2/enqueue"}
    return PagerDuty.model_validate({**given, **more})
