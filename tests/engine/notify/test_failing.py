"""Channels and journals that fail: tried again, bounded, said, and nobody else waits."""

from __future__ import annotations

import asyncio

from msgspec.structs import replace

from tests.clocks import DrivenClock, settle
from tests.engine.notify.alerts import ERRORS, alert, over
from tests.engine.notify.floor import SETUP, Kept, floor, kept
from tui.engine.alert import single
from tui.engine.connections import Tools
from tui.engine.notify.channel import Undelivered
from tui.engine.notify.message import Message
from tui.engine.notify.notifier import Notifier
from tui.engine.notify.outbox import LONGEST_PAUSE, MAX_AGE, ONCE_MORE, ROOM
from tui.engine.text import Shown


async def test_a_channel_that_fails_is_tried_again_with_growing_pauses_and_shown() -> None:
    chat, other = kept(), kept("other")
    async with floor(chat, other) as watch:
        chat.fails.extend(Undelivered("HTTP 500: no") for _ in range(3))
        await watch.sees(ERRORS)
        assert len(other.took) == 1, "it delays no other"
        assert watch.notifier.warnings == (Shown("notify chat fails since 03:12:17Z: HTTP 500: no, 1 waiting"),)
        assert watch.news, "and says so"
        await watch.passes(20)
        assert len(chat.took) == 1 and not watch.notifier.warnings
        assert watch.said().count("untold chat firing:P0") == 3 and watch.said()[-1] == "told chat firing:P0"
        assert watch.journal.entries(kinds=["told"])[-1].data["tries"] == 4


async def test_it_waits_as_long_as_it_is_asked_to() -> None:
    chat = kept()
    async with floor(chat) as watch:
        chat.fails.append(Undelivered("HTTP 429: rate_limited", retry_after=30))
        await watch.sees(ERRORS)
        await watch.passes(28)
        assert chat.took == []
        await watch.passes(3)
        assert len(chat.took) == 1


async def test_a_final_refusal_is_tried_once_more_with_secrets_read_anew_and_given_up() -> None:
    chat = kept()
    async with floor(chat) as watch:
        chat.fails.extend(Undelivered("HTTP 404: no_service", final=True) for _ in range(9))
        await watch.sees(ERRORS, seconds=60)
        assert len(chat.fails) == 7 and chat.took == []
        assert "1 not told" in watch.notifier.warnings[0]
        await watch.sees(over(ERRORS, watch.clock.utc()), seconds=60)
        assert len(chat.fails) == 7, "who was not told that it fires is not told that it is over"


async def test_what_was_given_up_is_told_when_the_channel_is_well_again() -> None:
    chat = kept()
    async with floor(chat) as watch:
        chat.fails.extend(Undelivered("gone", final=True) for _ in range(2))
        await watch.sees(ERRORS, seconds=60)
        assert chat.took == []
        await watch.sees(ERRORS, alert("hot"), seconds=20)
        assert {each.name for each in chat.took} == {"hot", "HighErrorRate"}


async def test_it_is_given_up_in_the_end_and_tried_anew_while_it_still_fires() -> None:
    chat = kept()
    async with floor(chat) as watch:
        chat.fails.extend(Undelivered("connect: connection refused") for _ in range(200))
        await watch.sees(ERRORS, seconds=MAX_AGE + 2 * LONGEST_PAUSE)
        tries = 200 - len(chat.fails)
        assert 20 <= tries <= 40
        await watch.passes(LONGEST_PAUSE * 4)
        assert 200 - len(chat.fails) == tries, "bounded"
        chat.fails.clear()
        await watch.passes(ONCE_MORE)
        assert len(chat.took) == 1


async def test_while_it_waits_for_another_try_it_may_be_over_and_then_nobody_is_told() -> None:
    chat = kept()
    async with floor(chat) as watch:
        chat.fails.append(Undelivered("connect: connection refused", retry_after=60))
        await watch.sees(ERRORS)
        await watch.sees(over(ERRORS, watch.clock.utc()), seconds=120)
        assert chat.took == []


async def test_what_may_have_arrived_is_told_to_be_over() -> None:
    chat = kept()
    async with floor(chat) as watch:
        chat.fails.append(Undelivered("first byte: nothing more within 10s", maybe=True, retry_after=60))
        await watch.sees(ERRORS)
        assert watch.said() == ["claimed chat firing:P0"], "nobody else may tell it"
        await watch.sees(over(ERRORS, watch.clock.utc()), seconds=120)
        assert [each.transition for each in chat.took] == ["resolved"]


async def test_the_queue_is_bounded_the_oldest_of_the_mildest_goes_first_and_it_is_said() -> None:
    chat = kept()
    mild = [alert("mild", "P3", labels={"n": f"{n:04}"}) for n in range(ROOM)]
    bad = [alert("bad", "P0", labels={"n": f"{n:04}"}) for n in range(3)]
    async with floor(chat) as watch:
        chat.fails.append(Undelivered("connect: connection refused", retry_after=20))
        await watch.sees(alert("first", "P3"))
        await watch.sees(alert("first", "P3"), *mild, *bad)
        assert "for want of room" in watch.notifier.warnings[0] and f"{ROOM} waiting" in watch.notifier.warnings[0]
        await watch.passes(30)
        told = [str(each.name) for each in chat.took]
        assert told[:3] == ["bad", "bad", "bad"], "the worst first"
        assert len(told) >= ROOM and told.count("mild") + told.count("first") <= ROOM + 1
        assert {"bad", "mild"} <= set(told)


async def test_a_defect_in_a_channel_costs_its_own_messages() -> None:
    class Broken(Kept):
        async def send(self, message: Message, tools: Tools) -> Shown:
            raise KeyError("token=hunter2-broken")

    broken, chat = Broken(kind="command", name="broken"), kept()
    async with floor(broken, chat) as watch:
        await watch.sees(ERRORS)
        assert len(chat.took) == 1
        assert "KeyError" in watch.notifier.warnings[0] and "hunter2" not in watch.notifier.warnings[0]


async def test_a_journal_that_cannot_be_written_keeps_nobody_from_being_told() -> None:
    chat = kept()
    async with floor(chat) as watch:
        watch.journal._connection.execute("PRAGMA query_only = on")
        await watch.sees(ERRORS, seconds=60)
        assert len(chat.took) == 1
        assert "cannot be recorded, people may be told twice" in watch.notifier.warnings[0]
        watch.journal._connection.execute("PRAGMA query_only = off")
        await watch.sees(over(ERRORS, watch.clock.utc()))
        assert [each.transition for each in chat.took] == ["firing", "resolved"] and watch.notifier.warnings == ()


async def test_without_a_journal_people_are_told_all_the_same() -> None:
    chat, clock = kept(), DrivenClock()
    notifier = Notifier(replace(SETUP, channels=(chat,)), Tools(), None, clock)
    running = asyncio.ensure_future(notifier.run())
    await settle()
    for _ in range(20):
        notifier.take(single([ERRORS]), clock.utc())
        await clock.advance(1)
    assert len(chat.took) == 1
    running.cancel()
