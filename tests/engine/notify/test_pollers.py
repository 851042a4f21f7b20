"""Two pollers never tell twice, and whoever comes after one that is gone goes on."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.clocks import START, DrivenClock
from tests.engine.notify.alerts import ERRORS, alert, over
from tests.engine.notify.floor import SETUP, floor, kept
from tests.servers.receivers import Receivers
from tests.waiting import eventually, soon
from tui.engine.alert import single
from tui.engine.connections import Tools
from tui.engine.entries import Claimed, Told
from tui.engine.journal import Journal
from tui.engine.notify.channel import Undelivered
from tui.engine.notify.gathering import GATHER
from tui.engine.notify.gone import GONE
from tui.engine.notify.ledger import IN_FLIGHT, KEPT
from tui.engine.notify.notifier import Notifier
from tui.engine.notify.pagerduty import PagerDuty
from tui.engine.notify.slack import Slack

ROOT = Path(__file__).parents[3]


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
from tests.engine.notify.floor import SETUP
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


async def test_what_was_told_too_long_ago_to_matter_is_not_read_back(tmp_path: Path) -> None:
    """Neither at the start nor later: else a journal of last year would tell people that its alerts are over."""
    journal, clock = Journal(tmp_path / "j.sqlite"), DrivenClock()
    for said in (Claimed("old", "chat", "firing:P0@1"), Told("old", "chat", "firing:P0@1")):
        journal.say(clock.utc() - KEPT - 60, "watchfloor", said)
    chat = kept()
    async with floor(chat, journal=journal, clock=clock) as watch:
        await watch.sees(ERRORS, seconds=GATHER + GONE + GATHER + 2)
        assert [each.name for each in chat.took] == ["HighErrorRate"]
    journal.close()
