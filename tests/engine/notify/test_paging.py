"""Calling for help: once a person or by the clock, and what came of it is known."""

from __future__ import annotations

import asyncio
from pathlib import Path

from msgspec.structs import replace

from tests.clocks import START, DrivenClock
from tests.engine.notify.alerts import ERRORS, over
from tests.engine.notify.floor import Kept, floor, kept, pagerduty, slow
from tests.servers.receivers import Receivers
from tests.waiting import LONG
from tui.engine.connections import Tools
from tui.engine.entries import Claimed
from tui.engine.journal import Journal
from tui.engine.notify.channel import Undelivered, When
from tui.engine.notify.ledger import IN_FLIGHT
from tui.engine.notify.message import Message
from tui.engine.text import Shown


async def test_a_call_for_help_rings_again_and_ends_with_the_alert(there: Receivers) -> None:
    pager = pagerduty(there, on=["firing", "acknowledged", "resolved", "escalated"])
    async with floor(pager) as watch:
        await watch.sees(ERRORS)
        said = await watch.notifier.page(ERRORS, "ben (backup)")
        assert said.says == "ben (backup): told by pagerduty" and said.reached
        assert there.calls == 2
        await watch.passes(1)
        await watch.notifier.page(ERRORS, "ben (backup)")
        assert there.calls == 3, "a person may call again"
        await watch.sees(over(ERRORS, watch.clock.utc()))
        assert set(there.incidents.values()) == {"resolved"} and len(there.incidents) == 3


async def test_the_clock_calls_once_whoever_polls(there: Receivers, tmp_path: Path) -> None:
    pager, clock = pagerduty(there, on=["escalated"]), DrivenClock()
    journal = Journal(tmp_path / "j.sqlite")
    async with floor(pager, journal=journal, clock=clock) as first, floor(pager, journal=journal, clock=clock) as second:
        said = await asyncio.gather(*(each.notifier.page(ERRORS, "cto", by_itself=True) for each in (first, second)))
        assert there.calls == 1
        words = sorted(each.says for each in said)
        assert words[1] == "cto: told by pagerduty" and "by pagerduty" in words[0]
    journal.close()


async def test_the_clock_calls_anew_for_what_wants_another_answer() -> None:
    """Acknowledged, and come back as it rose: who was called then is not called by that now."""
    phone = kept("phone", on=("escalated",))
    async with floor(phone) as watch:
        first = replace(ERRORS, asked_at=ERRORS.fired_at)
        for _ in range(2):
            assert (await watch.notifier.page(first, "cto", by_itself=True)).reached
        assert len(phone.took) == 1
        await watch.clock.advance(3600)
        again = replace(first, severity="P0", asked_at=watch.clock.utc() - 60)
        said = [(await watch.notifier.page(again, "cto", by_itself=True)).says for _ in range(2)]
        assert said == ["cto: told by phone", "cto: called before by phone"] and len(phone.took) == 2
        await watch.notifier.page(replace(again, asked_at=watch.clock.utc() - 50), "cto", by_itself=True)
        assert len(phone.took) == 2, "another host saw it come back ten seconds later"


async def test_a_call_says_whom_it_did_not_reach(there: Receivers) -> None:
    chat, phone = kept("chat", on=("escalated",)), kept("phone", on=("escalated",), when=When(whom=("cto",)))
    async with floor(chat, phone) as watch:
        phone.fails.extend(Undelivered("HTTP 500: no", retry_after=0.001) for _ in range(3))
        calling = asyncio.ensure_future(watch.notifier.page(replace(ERRORS, silenced=Shown("by anna")), "cto"))
        await watch.until(calling.done)
        assert calling.result().says == "cto: told by chat; NOT told by phone (HTTP 500: no)"
        assert not calling.result().reached
        assert (calling.result().told, calling.result().missed) == (("chat",), ("phone",))
        assert chat.said == ["P0 escalated to cto: HighErrorRate 6.2 % > 5 % (shop production)"]
        assert (await watch.notifier.page(ERRORS, "ben (backup)")).says == "ben (backup): told by chat"
    async with floor(kept()) as nobody:
        called = await nobody.notifier.page(ERRORS, "cto")
        assert "not called" in called.says and not called.reached


async def test_a_call_whose_caller_is_gone_is_made_again_where_that_does_no_harm_else_it_is_said(there: Receivers) -> None:
    """Killed between claim and answer: PagerDuty knows its key, and rings; of an SMS nobody knows."""
    pager, phone = pagerduty(there, on=["escalated"]), kept("phone", on=("escalated",))
    async with floor(pager, phone) as watch:
        for channel in (pager.title, phone.title):
            watch.journal.say(watch.clock.utc(), "watchfloor", Claimed("f-errors", channel, f"escalated:cto@{int(START)}"))
        called = await watch.notifier.page(ERRORS, "cto", by_itself=True)
        assert called.elsewhere and not called.reached and there.calls == 0
        await watch.clock.advance(IN_FLIGHT + 1)
        called = await watch.notifier.page(ERRORS, "cto", by_itself=True)
        assert not called.elsewhere and not called.reached
        assert called.says == "cto: told by pagerduty; may have been told by phone at 03:12:12Z, nobody knows"
        assert (called.told, called.missed) == (("pagerduty",), ("phone",))
        assert there.calls == 1 and phone.took == []


async def test_a_clock_that_is_set_back_leaves_no_call_under_way_for_ever(there: Receivers) -> None:
    pager = pagerduty(there, on=["escalated"])
    async with floor(pager) as watch:
        watch.journal.say(watch.clock.utc(), "watchfloor", Claimed("f-errors", pager.title, f"escalated:cto@{int(START)}"))
        watch.clock.set_wall(-3600.0)
        assert (await watch.notifier.page(replace(ERRORS, asked_at=START - 3600), "cto", by_itself=True)).reached
        assert there.calls == 1


async def test_a_defect_in_one_channel_keeps_no_other_from_being_called() -> None:
    class Broken(Kept):
        async def send(self, message: Message, tools: Tools) -> Shown:
            raise KeyError("token=hunter2-broken")

    broken, phone = Broken(kind="command", name="broken", on=("escalated",)), kept("phone", on=("escalated",))
    async with floor(broken, phone) as watch:
        calling = asyncio.ensure_future(watch.notifier.page(ERRORS, "cto"))
        await watch.until(calling.done)
        assert len(phone.took) == 1
        assert "KeyError" in calling.result().says and "hunter2" not in calling.result().says


async def test_a_call_under_way_may_arrive_when_it_ends() -> None:
    phone = slow("phone", on=("escalated",))
    async with floor(phone) as watch:
        calling = asyncio.ensure_future(watch.notifier.page(ERRORS, "cto"))
        await phone.under_way()
        await watch.notifier.finish(LONG)
        assert watch.said() == ["claimed phone escalated:cto/1795230732", "told phone escalated:cto/1795230732"]
        await calling
