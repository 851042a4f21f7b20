"""An engine tells people what it polls: from a reading to Slack; never read-only, never as one that follows."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.clocks import DrivenClock, settle
from tests.engine.notify.alerts import ERRORS
from tests.engine.test_engine import HOT, Oven
from tests.servers.receivers import Receivers, start_receivers
from tests.waiting import eventually, soon
from tui.engine.alert import single
from tui.engine.engine import Engine
from tui.engine.escalation import Escalation
from tui.engine.feed import Level
from tui.engine.journal import Journal
from tui.engine.judge import Judgement
from tui.engine.notify.slack import Slack
from tui.engine.notify.terminal import Terminal
from tui.engine.telling import AWAKE, READ_ONLY
from tui.engine.text import Shown


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receivers]:
    with start_receivers() as receivers:
        monkeypatch.setenv("SLACK_WEBHOOK", receivers.slack)
        yield receivers


def engine(oven: Oven, level: Level, journal: Journal, on: tuple[str, ...] = ("firing", "resolved", "escalated")) -> Engine:
    slack = Slack.model_validate({"kind": "slack", "url": "env:SLACK_WEBHOOK", "on": list(on)})
    setup = replace(oven.setup(HOT, interval=0.1), channels=(slack, Terminal(kind="terminal")))
    return Engine(setup, level, journal=journal)


def test_from_a_reading_to_slack_and_back(there: Receivers, tmp_path: Path) -> None:
    oven = Oven(heat=60.0)
    running = engine(oven, Level.RESPOND, Journal(tmp_path / "j.sqlite"))
    there.behaves = [403]
    warned: list[str] = []  # by each snapshot: it is tried again soon, and then nobody is warned any more
    running.feed.on_news(lambda: warned.extend(running.feed.newest().warnings))
    running.start()
    try:
        eventually(lambda: any("notify slack fails" in each for each in warned))
        eventually(lambda: there.posted)
        assert re.match(r"P2 firing: hot 60 &gt; 50(, not measured since \S+)? \(kitchen demo\)", there.posted[0]["text"])
        eventually(lambda: not running.feed.peek().warnings)
        oven.heat = 20.0
        eventually(lambda: len(there.posted) == 2)
        assert there.posted[1]["text"].startswith("P2 resolved after ")
    finally:
        running.stop()


def test_read_only_tells_nobody_and_says_so(there: Receivers, tmp_path: Path) -> None:
    running = engine(Oven(heat=60.0), Level.WATCH, Journal(tmp_path / "j.sqlite"))
    running.start()
    try:
        eventually(lambda: READ_ONLY in running.feed.peek().warnings)
        eventually(lambda: running.feed.peek().alerts)
        assert running.telling.pager is None
    finally:
        running.stop()
    assert not there.got


async def test_one_that_follows_tells_nothing_by_itself_but_may_call_for_help(there: Receivers) -> None:
    made = engine(Oven(), Level.RESPOND, Journal(":memory:"))
    judgement = Judgement(0.0)
    async with made.session():
        assert made.telling.take(judgement) is judgement
        pager = made.answers.pager
        assert pager is not None
        called = await asyncio.wait_for(pager(ERRORS, "ben"), 10)
        assert (called.says, called.reached) == ("ben: told by slack", True)
    assert there.posted[0]["text"].startswith("<!channel> P0 escalated to ben")


def clock(due: float = 1000.0, pages: bool = True, paged_at: float | None = None) -> Escalation:
    return Escalation(ERRORS.fingerprint, Shown("kim (backup)"), due=due, pages=pages, paged_at=paged_at, person="kim")


def judged(*escalations: Escalation) -> Judgement:
    return Judgement(2000.0, alerts=(ERRORS,), folds=single([ERRORS]), escalations=escalations)


async def test_a_clock_says_by_what_it_would_call(there: Receivers) -> None:
    made = engine(Oven(), Level.RESPOND, Journal(":memory:"))
    async with made.session():
        (named,) = made.telling.take(judged(clock())).escalations
        assert named.channels == ("slack",)


@pytest.mark.parametrize(
    ("escalation", "calls"),
    [
        (clock(), True),
        (clock(due=2001.0), False),
        (clock(paged_at=990.0), False),
        (clock(pages=False), False),
    ],
    ids=["it is due", "not yet", "a person had paged before", "the config does not let it"],
)
async def test_the_clock_calls_once_and_only_where_one_leads(there: Receivers, escalation: Escalation, calls: bool) -> None:
    made = engine(Oven(), Level.RESPOND, Journal(":memory:"), ("escalated",))
    async with made.session():
        made.telling.take(judged(escalation))
        await settle()
        made.telling.lead()
        for _ in range(3):
            made.telling.take(judged(escalation))
            await settle()
        if calls:
            await soon(lambda: there.posted)
            made.telling.take(judged(escalation))
            await settle()
        await made.telling.rest()
    assert len(there.got) == (1 if calls else 0)
    assert all("escalated to kim" in each["text"] for each in there.posted)


@pytest.mark.parametrize("jumps", [DrivenClock.suspend, DrivenClock.set_wall], ids=["it slept", "its clock was set"])
async def test_after_a_jump_of_time_the_clock_calls_nobody_before_all_was_measured_anew(
    there: Receivers, jumps: Callable[[DrivenClock, float], None]
) -> None:
    oven = Oven()
    slack = Slack.model_validate({"kind": "slack", "url": "env:SLACK_WEBHOOK", "on": ["escalated"]})
    clock_, journal = DrivenClock(), Journal(":memory:")
    made = Engine(replace(oven.setup(HOT), channels=(slack,)), Level.RESPOND, journal=journal, clock=clock_)
    async with made.session():
        made.telling.lead()
        made.telling.take(judged(clock(due=5000.0)))
        jumps(clock_, 3600.0)
        for _ in range(int(AWAKE)):
            made.telling.take(judged(clock()))
            await settle()
            assert not made.telling._calling
            clock_.move(1.0)
        made.telling.take(judged(clock()))
        await soon(lambda: there.posted)
        await made.telling.rest()
