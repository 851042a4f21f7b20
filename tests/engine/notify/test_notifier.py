"""The notifier as a whole, on a driven clock, with a real journal and real receivers: told once, in time, to the right ones."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tests.clocks import START, DrivenClock, settle
from tests.engine.notify.alerts import ERRORS, alert, fold, over
from tests.servers.receivers import Mails, Receivers
from tests.waiting import eventually, soon
from tui.engine.alert import Alert, Fold, single
from tui.engine.connections import Tools
from tui.engine.entries import AlertMoved
from tui.engine.journal import Journal
from tui.engine.notify.channel import Channel, Undelivered, When
from tui.engine.notify.claims import TeamClaim
from tui.engine.notify.gathering import GATHER, JOINERS
from tui.engine.notify.gone import GONE
from tui.engine.notify.ledger import IN_FLIGHT
from tui.engine.notify.mail import Mail
from tui.engine.notify.message import Message
from tui.engine.notify.notifier import Notifier
from tui.engine.notify.outbox import LONGEST_PAUSE, MAX_AGE, ONCE_MORE, ROOM
from tui.engine.notify.pagerduty import PagerDuty
from tui.engine.notify.slack import Slack
from tui.engine.setup import Setup
from tui.engine.text import EMPTY, Shown

ROOT = Path(__file__).parents[3]
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


def kept(name: str = "chat", **more: Any) -> Kept:
    return Kept(kind="command", name=name, took=[], fails=[], before=[], **more)


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

    async def quiet(self) -> None:
        await settle()
        assert await soon(lambda: self.notifier.idle, within=10)

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


# --- told once, in time --------------------------------------------------------------------------------------------------


async def test_it_is_told_after_a_moment_once_and_so_is_its_end() -> None:
    chat = kept()
    async with floor(chat) as watch:
        await watch.sees(ERRORS, seconds=GATHER - 1)
        assert chat.said == [], "others of its fold may follow"
        await watch.passes(1)
        assert chat.said == ["P0 firing: HighErrorRate 6.2 % > 5 % (shop production)"]
        await watch.passes(120)
        assert len(chat.took) == 1
        await watch.sees(over(ERRORS, watch.clock.utc()))
        await watch.sees(seconds=GONE + 20)
        assert len(chat.took) == 2 and chat.took[1].transition == "resolved"
        assert watch.said() == [
            "claimed chat firing:P0",
            "told chat firing:P0",
            "claimed chat resolved:",
            "told chat resolved:",
        ]


async def test_it_is_claimed_on_the_disk_before_it_is_sent() -> None:
    chat = kept()
    async with floor(chat) as watch:
        seen: list[list[str]] = []
        chat.before.append(lambda: seen.append(watch.said()))
        await watch.sees(ERRORS)
        assert seen == [["claimed chat firing:P0"]]


async def test_what_is_over_within_the_moment_is_told_to_nobody() -> None:
    chat = kept()
    async with floor(chat) as watch:
        await watch.sees(ERRORS, seconds=2)
        await watch.sees(over(ERRORS, START + 2), seconds=60)
        assert chat.took == [] and watch.said() == []


async def test_an_acknowledgement_is_told_after_ten_seconds_unless_taken_back() -> None:
    chat = kept()
    async with floor(chat) as watch:
        await watch.sees(ERRORS)
        acked = replace(ERRORS, acked_by="anna", acked_at=watch.clock.utc())
        await watch.sees(acked, seconds=9)
        await watch.sees(ERRORS, seconds=30)
        assert len(chat.took) == 1, "taken back in time"
        acked = replace(ERRORS, acked_by="anna", acked_at=watch.clock.utc())
        await watch.sees(acked, seconds=9)
        assert len(chat.took) == 1
        await watch.passes(1)
        assert chat.said[1:] == ["P0 acknowledged by anna: HighErrorRate 6.2 % > 5 % (shop production)"]


async def test_alerts_of_one_fold_are_one_message_with_a_count() -> None:
    chat = kept()
    many = [alert("hot", "P1", labels={"oven": str(n)}) for n in range(12)]
    async with floor(chat) as watch:
        await watch.sees(fold(*many[:5]), seconds=3)
        await watch.sees(fold(*many), seconds=2)
        assert [each.count for each in chat.took] == [12]
        assert len([line for line in watch.said() if line.startswith("claimed")]) == 12
        await watch.sees(fold(*(over(each, watch.clock.utc()) for each in many)))
        assert [(each.transition, each.count) for each in chat.took[1:]] == [("resolved", 12)]


async def test_who_joins_a_fold_waits_for_others_but_not_if_worse() -> None:
    chat = kept()
    first, *more = (alert("hot", "P1", labels={"oven": str(n)}) for n in range(5))
    worse = alert("burnt", "P0")
    async with floor(chat) as watch:
        await watch.sees(fold(first))
        await watch.sees(fold(first, more[0]), seconds=20)
        await watch.sees(fold(first, *more), seconds=JOINERS - 21)
        assert [each.count for each in chat.took] == [1]
        await watch.passes(1)
        assert [each.count for each in chat.took] == [1, 4]
        await watch.sees(fold(first, *more, worse))
        assert [each.severity for each in chat.took] == ["P1", "P1", "P0"]


async def test_folds_stay_apart() -> None:
    chat = kept()
    async with floor(chat) as watch:
        await watch.sees(alert("hot"), alert("cold"))
        assert [each.count for each in chat.took] == [1, 1]


async def test_silenced_pending_and_in_maintenance_tell_nobody_and_then_they_do() -> None:
    chat = kept()
    async with floor(chat) as watch:
        await watch.sees(
            replace(ERRORS, silenced=Shown("by anna")),
            alert("hot", state="pending", fired_at=None),
            alert("cold", in_maintenance=True),
            seconds=60,
        )
        assert chat.took == []
        await watch.sees(ERRORS)
        assert len(chat.took) == 1


async def test_what_nobody_watches_any_more_is_told_to_be_over() -> None:
    chat = kept()
    async with floor(chat) as watch:
        watch.journal.say(START, "watchfloor", AlertMoved(ERRORS, "pending"))
        await watch.sees(ERRORS)
        await watch.sees(seconds=GONE + GATHER + 2)
        assert chat.said[1:] == [
            f"P0 resolved after {chat.said[1].split()[3]} HighErrorRate, no longer watched (shop production)"
        ]


# --- channels that fail --------------------------------------------------------------------------------------------------


async def test_a_channel_that_fails_is_tried_again_with_growing_pauses_and_shown() -> None:
    chat, other = kept(), kept("other")
    async with floor(chat, other) as watch:
        chat.fails.extend(Undelivered("HTTP 500: no") for _ in range(3))
        await watch.sees(ERRORS)
        assert len(other.took) == 1, "it delays no other"
        assert watch.notifier.warnings == (Shown("notify chat fails since 03:12:17Z: HTTP 500: no, 1 waiting"),)
        assert watch.news, "and says so"
        await watch.passes(20)
        assert len(chat.took) == 1 and watch.notifier.warnings == ()
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
        told = [each.name for each in chat.took]
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


# --- two pollers, and those that are gone --------------------------------------------------------------------------------


async def test_two_pollers_never_tell_twice(tmp_path: Path) -> None:
    """Both lead for a while, each with its own process's view of the file, and whichever claims first tells."""
    chat, clock = kept(), DrivenClock()
    one, two = Journal(tmp_path / "j.sqlite"), Journal(tmp_path / "j.sqlite")
    many = [alert("hot", labels={"oven": str(n)}) for n in range(20)]
    async with floor(chat, journal=one, clock=clock) as first, floor(chat, journal=two, clock=clock) as second:
        for n in range(20):
            folds = single(many[: n + 1])
            for _ in range(3):
                for each in (first, second) if n % 2 else (second, first):
                    each.notifier.take(folds, clock.utc())
                await clock.advance(1)
                await asyncio.gather(first.quiet(), second.quiet())
        first.folds = second.folds = single(many)
        await first.passes(10)
        await second.passes(10)
        assert sorted(each.keys[0] for each in chat.took) == sorted(each.fingerprint for each in many)
        ended = single([over(each, clock.utc()) for each in many])
        first.folds = second.folds = ended
        await first.passes(10)
        await second.passes(10)
        assert len(chat.took) == 40
    one.close()
    two.close()


async def test_whoever_leads_next_goes_on_where_the_last_one_ended(tmp_path: Path) -> None:
    chat, clock = kept(), DrivenClock()
    journal = Journal(tmp_path / "j.sqlite")
    async with floor(chat, journal=journal, clock=clock) as first:
        await first.sees(ERRORS)
        chat.fails.append(Undelivered("connect: connection refused", retry_after=60))
        await first.sees(ERRORS, alert("hot"))
    async with floor(chat, journal=journal, clock=clock) as second:
        await second.sees(ERRORS, alert("hot"), seconds=60)
        assert [each.name for each in chat.took] == ["HighErrorRate", "hot"]
        await second.sees(over(ERRORS, clock.utc()))
        assert chat.took[-1].transition == "resolved"
    journal.close()


async def test_the_same_one_leads_again_and_tells_what_it_was_stopped_in() -> None:
    chat = kept()
    clock, journal = DrivenClock(), Journal(":memory:")
    notifier = Notifier(replace(SETUP, channels=(chat,)), Tools(), journal, clock)
    for _ in range(2):
        running = asyncio.ensure_future(notifier.run())
        await soon(lambda: notifier.running)
        for _ in range(4):
            notifier.take(single([ERRORS]), clock.utc())
            await clock.advance(1)
        running.cancel()
        await asyncio.wait([running])
    assert chat.took == [], "each time it stopped before the moment was over"
    running = asyncio.ensure_future(notifier.run())
    await soon(lambda: notifier.running)
    for _ in range(7):
        notifier.take(single([ERRORS]), clock.utc())
        await clock.advance(1)
        assert await soon(lambda: notifier.idle)
    assert len(chat.took) == 1
    running.cancel()
    journal.close()


KILLED = """
import asyncio, os, sys
from pathlib import Path
from msgspec.structs import replace
from tests.engine.notify.alerts import ERRORS
from tests.engine.notify.test_notifier import SETUP
from tui.engine.alert import single
from tui.engine.clock import SystemClock
from tui.engine.connections import Tools
from tui.engine.journal import Journal
from tui.engine.notify.notifier import Notifier
from tui.engine.notify.pagerduty import PagerDuty
from tui.engine.notify.slack import Slack

async def main():
    slack = Slack.model_validate({"kind": "slack", "url": "env:SLACK_WEBHOOK", "deadline": "60s"})
    given = {"kind": "pagerduty", "routing_key": "env:PAGERDUTY_KEY", "url": sys.argv[2], "deadline": "60s"}
    pager = PagerDuty.model_validate(given)
    clock = SystemClock()
    fired = replace(ERRORS, fired_at=float(sys.argv[3]), since=float(sys.argv[3]))
    notifier = Notifier(replace(SETUP, channels=(slack, pager)), Tools(), Journal(Path(sys.argv[1])), clock)
    asyncio.ensure_future(notifier.run())
    while True:
        notifier.take(single([fired]), clock.utc())
        await asyncio.sleep(0.1)

asyncio.run(main())
"""


async def test_after_a_crash_between_claim_and_answer_only_what_takes_it_twice_is_told_again(
    there: Receivers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed while both hang: the pager is told again with the same key, the chat is said to have been told perhaps."""
    there.behaves = ["hang", "hang"]
    path, url, fired = tmp_path / "j.sqlite", f"{there.url}/v2/enqueue", START
    import time

    fired = time.time()
    process = subprocess.Popen([sys.executable, "-c", KILLED, path, url, str(fired)], cwd=ROOT)
    try:
        eventually(lambda: len(there.got) == 2, within=30)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    slack = Slack.model_validate({"kind": "slack", "url": "env:SLACK_WEBHOOK"})
    pager = PagerDuty.model_validate({"kind": "pagerduty", "routing_key": "env:PAGERDUTY_KEY", "url": url})
    journal, clock = Journal(path), DrivenClock(utc=time.time())
    alert_ = replace(ERRORS, fired_at=fired, since=fired)
    async with floor(slack, pager, journal=journal, clock=clock) as watch:
        await watch.sees(alert_, seconds=IN_FLIGHT + GATHER + 2)
        assert there.posted == [], "not told twice"
        assert there.calls == 1 and there.incidents == {"f-errors": "triggered"}
        (warning,) = watch.notifier.warnings
        assert "notify slack: may or may not have been told at" in warning and "HighErrorRate" in warning
        await watch.sees(over(alert_, clock.utc()))
        assert there.incidents == {"f-errors": "resolved"}
        assert len(there.posted) == 1 and "resolved" in there.posted[0]["text"]
    journal.close()


# --- incidents -----------------------------------------------------------------------------------------------------------


def pagerduty(there: Receivers, **more: Any) -> PagerDuty:
    given = {"kind": "pagerduty", "routing_key": "env:PAGERDUTY_KEY", "url": f"{there.url}/v2/enqueue"}
    return PagerDuty.model_validate({**given, **more})


async def test_a_fold_is_one_incident_until_its_last_alert_is_over(there: Receivers) -> None:
    many = [alert("hot", "P1", labels={"oven": str(n)}, fingerprint=f"f{n}", since=START - n) for n in range(6)]
    async with floor(pagerduty(there)) as watch:
        await watch.sees(fold(*many))
        assert there.calls == 1 and there.incidents == {"f5": "triggered"}, "the longest of the worst stands for all"
        acked = [replace(each, acked_by="anna", acked_at=watch.clock.utc()) for each in many]
        await watch.sees(fold(*acked), seconds=11)
        assert there.incidents == {"f5": "acknowledged"}
        now = watch.clock.utc()
        await watch.sees(fold(*(over(each, now) for each in acked[3:]), *acked[:3]))
        assert there.incidents == {"f5": "acknowledged"}, "some of it goes on"
        await watch.sees(fold(*(over(each, now) for each in acked)))
        assert there.incidents == {"f5": "resolved"} and there.calls == 1


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


async def test_a_call_says_whom_it_did_not_reach(there: Receivers) -> None:
    chat, phone = kept("chat", on=("escalated",)), kept("phone", on=("escalated",), when=When(whom=("cto",)))
    async with floor(chat, phone) as watch:
        phone.fails.extend(Undelivered("HTTP 500: no", retry_after=0.001) for _ in range(3))
        calling = asyncio.ensure_future(watch.notifier.page(replace(ERRORS, silenced=Shown("by anna")), "cto"))
        while not calling.done():
            await watch.clock.advance(1)
            await asyncio.sleep(0.01)
        assert calling.result().says == "cto: told by chat; NOT told by phone (HTTP 500: no)"
        assert not calling.result().reached
        assert chat.said == ["P0 escalated to cto: HighErrorRate 6.2 % > 5 % (shop production)"]
        assert (await watch.notifier.page(ERRORS, "ben (backup)")).says == "ben (backup): told by chat"
    async with floor(kept()) as nobody:
        assert "not called" in (await nobody.notifier.page(ERRORS, "cto")).says


# --- all of it at once ---------------------------------------------------------------------------------------------------


async def test_one_alert_through_every_real_channel(there: Receivers, mails: Mails) -> None:
    slack = Slack.model_validate({"kind": "slack", "url": "env:SLACK_WEBHOOK"})
    mail = Mail.model_validate(
        {
            "kind": "mail",
            "host": mails.host,
            "port": mails.port,
            "user": mails.user,
            "password": "env:SMTP_PASSWORD",
            "ca": mails.ca,
            "from": "watchfloor@shop.example",
            "to": ["oncall@shop.example"],
        }
    )
    there.behaves = [500, 429]
    async with floor(slack, mail, pagerduty(there)) as watch:
        await watch.sees(ERRORS, seconds=20)
        acked = replace(ERRORS, acked_by="anna", acked_at=watch.clock.utc())
        await watch.sees(acked, seconds=12)
        await watch.sees(over(acked, watch.clock.utc()))
        assert [each["text"].split(":")[0] for each in there.posted] == [
            "<!channel> P0 firing",
            "P0 acknowledged by anna",
            there.posted[2]["text"].split(":")[0],
        ]
        assert [each["event_action"] for each in there.events] == ["trigger", "acknowledge", "resolve"]
        assert [str(each["Subject"]).split(":")[0].split(" after")[0] for each in mails.took] == [
            "P0 firing",
            "P0 acknowledged by anna",
            "P0 resolved",
        ]
        assert watch.notifier.warnings == ()


async def test_a_config_that_is_read_again_takes_effect_and_keeps_what_waits() -> None:
    chat, other = kept(), kept("other")
    async with floor(chat) as watch:
        chat.fails.append(Undelivered("connect: connection refused", retry_after=20))
        await watch.sees(ERRORS)
        watch.notifier.use(replace(SETUP, channels=(chat, other)))
        await watch.passes(30)
        assert len(chat.took) == 1 and len(other.took) == 1
        watch.notifier.use(replace(SETUP, channels=(other,)))
        await watch.sees(over(ERRORS, watch.clock.utc()))
        assert len(chat.took) == 1 and len(other.took) == 2


async def test_what_is_under_way_may_arrive_when_it_ends() -> None:
    arrived, go = asyncio.Event(), asyncio.Event()

    class Slow(Kept):
        async def send(self, message: Message, tools: Tools) -> Shown:
            arrived.set()
            await go.wait()
            return await super().send(message, tools)

    slow = Slow(kind="command", name="chat", took=[], fails=[], before=[])
    async with floor(slow) as watch:
        watch.notifier.take(single([ERRORS]), watch.clock.utc())
        await watch.clock.advance(GATHER)
        watch.notifier.take(single([ERRORS]), watch.clock.utc())
        await asyncio.wait_for(arrived.wait(), 5)
        asyncio.get_running_loop().call_later(0.1, go.set)
        await watch.notifier.finish(2.0)
        assert watch.said() == ["claimed chat firing:P0", "told chat firing:P0"]
