"""Hosts that share a team's journal: each polls for itself and sees the same alerts, a little apart; people are told once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from msgspec.structs import replace

from tests.clocks import START, DrivenClock
from tests.engine.notify.alerts import alert, over
from tests.engine.notify.floor import Floor, Kept, floor, kept
from tests.engine.team.conftest import dsn, patient
from tests.engine.team.hosts import Host, sharing_of
from tests.servers.postgres import postgres
from tests.waiting import soon
from tui.engine.alert import single
from tui.engine.notify.gone import GONE

__all__ = ["dsn", "patient", "postgres"]


@asynccontextmanager
async def hosts(dsn: str, chat: Kept) -> AsyncIterator[tuple[Floor, Floor]]:
    """Two hosts, each with a journal, a poller and a clock of its own."""
    a, b = Host("bastion-1", dsn), Host("bastion-2", dsn)
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(floor(chat, journal=a.journal, team=a.team.claim, clock=DrivenClock()))
        second = await stack.enter_async_context(floor(chat, journal=b.journal, team=b.team.claim, clock=DrivenClock()))
        await stack.enter_async_context(sharing_of(a, b))
        await soon(lambda: not a.team.alone and not b.team.alone)
        yield first, second


async def knows(host: Floor, told: list[str]) -> None:
    await soon(lambda: [line for line in host.said() if line.startswith("told")] == told)


async def test_two_hosts_never_tell_twice(dsn: str) -> None:
    chat = kept()
    many = [alert("hot", labels={"oven": str(n)}) for n in range(4)]
    async with hosts(dsn, chat) as (first, second):
        first.folds = single(many)
        later = [replace(each, fired_at=START + 3) for each in many]
        second.folds = single(later)
        await asyncio.gather(first.passes(10), second.passes(10))
        assert sorted(each.keys[0] for each in chat.took) == sorted(each.fingerprint for each in many)
        for host in (first, second):
            await knows(host, ["told chat firing:P0"] * 4)
        await asyncio.gather(first.passes(60), second.passes(60))
        first.folds = single([over(each, START + 90) for each in many])
        second.folds = single([over(each, START + 93) for each in later])
        await asyncio.gather(first.passes(10), second.passes(10))
        await asyncio.gather(first.passes(60), second.passes(60))
        assert len(chat.took) == 8 and {each.transition for each in chat.took[4:]} == {"resolved"}
        assert first.notifier.warnings == second.notifier.warnings == ()


async def test_what_one_host_alone_watches_is_told_to_be_over_by_no_other(dsn: str) -> None:
    """The other's config has no such rule: an incident that goes on must not be resolved from there."""
    chat = kept()
    async with hosts(dsn, chat) as (first, second):
        first.folds = single([alert("hot")])
        await first.passes(10)
        assert len(chat.took) == 1
        await soon(lambda: [line for line in second.said() if line.startswith("told")])
        second.folds = single([alert("full")])  # so that it looks at what was told
        await second.passes(int(GONE) + 20)
        assert [(each.transition, each.keys[0]) for each in chat.took] == [
            ("firing", each.fingerprint) for each in (alert("hot"), alert("full"))
        ]


async def test_with_the_team_out_of_reach_people_are_told_all_the_same(dsn: str) -> None:
    chat = kept()
    nowhere = Host("bastion-3", "postgresql://nobody@127.0.0.1:1/none")
    async with floor(chat, journal=nowhere.journal, team=nowhere.team.claim) as watch:
        await watch.sees(alert("hot"))
        assert len(chat.took) == 1
