"""What people say of alerts, from the question to the journal to what is shown, in a running engine and over two of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tests.clocks import DrivenClock, settle
from tests.engine.test_engine import HOT, Oven
from tests.servers.receivers import Receivers, start_receivers
from tests.waiting import LONG, looked, soon
from tui.engine.alert import Alert
from tui.engine.ask import (
    Acknowledge,
    CallItFalse,
    EndSilence,
    Maintain,
    MakeSilence,
    Mark,
    Matcher,
    Page,
    Unacknowledge,
    Unrecorded,
)
from tui.engine.engine import Engine
from tui.engine.escalation import PATIENCE, Duty, Patience, in_words
from tui.engine.feed import Level
from tui.engine.journal import Journal
from tui.engine.notify.slack import Slack
from tui.engine.rotation import Rotation, Turn

MINE = (Matcher("alertname", "hot"),)


@asynccontextmanager
async def hot(journal: Journal | None, level: Level = Level.RESPOND, clock: DrivenClock | None = None) -> AsyncIterator[Engine]:
    """An engine that polls on a driven clock and whose oven is too hot."""
    oven = Oven(heat=60.0)
    async with Engine(oven.setup(HOT), level, journal=journal, clock=clock or DrivenClock()).session() as engine:
        polling = asyncio.ensure_future(engine.watch())
        await settle()
        await soon(lambda: engine.judge_now().alerts)
        yield engine
        polling.cancel()
        await asyncio.wait([polling])


def alert(engine: Engine) -> Alert:
    return engine.judge_now().alerts[0]


async def ask(engine: Engine, question: Any) -> Any:
    return await engine.questions.answer(question)


def kinds(journal: Journal) -> list[str]:
    return [each.kind for each in journal.entries() if each.kind != "alert"]


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "journal.sqlite")


async def test_an_acknowledgement_is_recorded_and_in_force_at_once(journal: Journal) -> None:
    async with hot(journal) as engine:
        await ask(engine, Acknowledge((alert(engine).fingerprint,)))
        assert (alert(engine).acked_by, alert(engine).wants_answer) == ("anna", False)
        assert engine.judge_now().escalations == ()
        await ask(engine, Unacknowledge((alert(engine).fingerprint,)))
        assert alert(engine).wants_answer
    assert kinds(journal) == ["acknowledged", "unacknowledged"]


async def test_a_second_dashboard_and_a_later_start_know_it_too(journal: Journal) -> None:
    clock = DrivenClock()
    async with hot(journal, clock=clock) as first, hot(Journal(journal.path), clock=clock) as second:
        await ask(first, Acknowledge((alert(first).fingerprint,)))
        await clock.advance(1)
        await soon(lambda: alert(second).acked_by == "anna")
    # What began before it was acknowledged, and is still so: the life that was meant, as the rules' timers say it (kept.py).
    async with hot(Journal(journal.path), clock=clock) as third:
        held = alert(third)
        assert third.desk.dress([replace(held, since=held.since - 60)], (), clock.utc())[0][0].acked_by == "anna"


@pytest.mark.parametrize(
    "question",
    [
        Acknowledge(("x",)),
        Unacknowledge(("x",)),
        MakeSilence(MINE, 60, "why"),
        EndSilence("x"),
        Maintain((), 60, "x"),
        Mark("x"),
    ],
)
async def test_read_only_or_without_a_journal_nothing_is_said(question: Any, journal: Journal) -> None:
    async with hot(journal, Level.WATCH) as engine:
        with pytest.raises(Unrecorded, match="read-only"):
            await ask(engine, question)
    assert kinds(journal) == []
    async with hot(None) as engine:
        if isinstance(question, Acknowledge):
            question = Acknowledge((alert(engine).fingerprint,))
        with pytest.raises(Unrecorded, match="no such silence" if isinstance(question, EndSilence) else "no journal"):
            await ask(engine, question)
        assert alert(engine).wants_answer


async def test_what_cannot_be_written_was_not_said(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    async with hot(journal) as engine:
        journal.close()
        with pytest.raises(Unrecorded):
            await ask(engine, Acknowledge((alert(engine).fingerprint,)))
        assert alert(engine).wants_answer


async def test_a_silence_is_made_shown_and_ended(journal: Journal) -> None:
    async with hot(journal) as engine:
        made = await ask(engine, MakeSilence(MINE, 3600, "the oven is being cleaned"))
        (held,) = engine.judge_now().silences
        assert (held.id, held.who, held.reason, held.hides) == (
            made,
            "anna",
            "the oven is being cleaned",
            (alert(engine).fingerprint,),
        )
        assert alert(engine).silenced.endswith(": the oven is being cleaned")
        await ask(engine, EndSilence(made))
        assert engine.judge_now().silences == ()
        assert alert(engine).wants_answer
    assert kinds(journal) == ["silenced", "silence-ended"]


@pytest.mark.parametrize(
    ("question", "says"),
    [
        (MakeSilence((), 60, "x"), "needs a matcher"),
        (MakeSilence(MINE, 60, " "), "needs a reason"),
        (MakeSilence(MINE, 1e9, "x"), "lasts 30d at the most"),
        (MakeSilence((Matcher("alertname", "(", is_regex=True),), 60, "x"), "regular expression"),
        (MakeSilence((Matcher("alertname", ".+", is_regex=True),), 60, "x"), "nothing but patterns"),
        (MakeSilence(MINE, 60, "x", at="oven"), "oven holds no silences"),
        (EndSilence("nonsense"), "no such silence"),
        (Maintain(("kitchen",), 60, "x"), "there is no panel kitchen"),
        (Acknowledge(("gone",)), "it is over"),
        (CallItFalse("gone", "x"), "not there any more"),
        (Mark("  "), "needs a text"),
    ],
)
async def test_what_makes_no_sense_is_refused_in_words(question: Any, says: str, journal: Journal) -> None:
    async with hot(journal) as engine:
        with pytest.raises(Unrecorded, match=says):
            await ask(engine, question)
    assert kinds(journal) == []


async def test_patterns_alone_may_be_meant(journal: Journal) -> None:
    async with hot(journal) as engine:
        await ask(engine, MakeSilence((Matcher("alertname", ".+", is_regex=True),), 60, "x", sure=True))
        assert alert(engine).silenced


async def test_maintenance_is_said_of_a_panel_and_shown_on_it(journal: Journal) -> None:
    async with hot(journal) as engine:
        made = await ask(engine, Maintain(("oven",), 600, "cleaning"))
        (panel,) = engine.judge_now().panels
        assert panel.maintenance == "maintenance until 03:22:12Z: cleaning"
        assert panel.readings(0).maintenance == panel.maintenance
        assert (alert(engine).in_maintenance, engine.tools.in_maintenance("oven")) == (True, True)
        await ask(engine, EndSilence(made))
        assert engine.judge_now().panels[0].maintenance == ""


async def test_a_false_alarm_offers_what_would_have_kept_it_quiet_and_is_answered_with_that(journal: Journal) -> None:
    async with hot(journal) as engine:
        tuning = await ask(engine, CallItFalse(alert(engine).fingerprint, "it was cleaned"))
        assert "P2 = { above = 60 }" in tuning.toml
        assert 'P1 = { above = 80, for = "30s" }' in tuning.toml, "the other level stays"
        assert alert(engine).acked_by == "anna"
    false, acknowledged = [each for each in journal.entries() if each.kind != "alert"]
    assert (false.kind, false.data["why"], false.data["rule"], acknowledged.kind) == (
        "false-positive",
        "it was cleaned",
        "hot",
        "acknowledged",
    )


async def test_a_mark_is_a_change_and_may_be_a_suspect(journal: Journal) -> None:
    async with hot(journal) as engine:
        await ask(engine, Mark("somebody opened the door"))
        assert [each.title for each in engine.judge_now().panels[0].changes] == ["somebody opened the door"]
        assert alert(engine).suspect == "somebody opened the door, 0s before"
    assert kinds(journal) == ["marked"]


async def test_nobody_is_called_where_nothing_can_call(journal: Journal) -> None:
    async with hot(journal) as engine:
        with pytest.raises(Unrecorded, match="nothing is configured that could call"):
            await ask(engine, Page(alert(engine).fingerprint))
    assert kinds(journal) == []


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receivers]:
    with start_receivers() as receivers:
        monkeypatch.setenv("SLACK_WEBHOOK", receivers.slack)
        yield receivers


@asynccontextmanager
async def on_call(journal: Journal, clock: DrivenClock, page: bool) -> AsyncIterator[Engine]:
    """An engine whose config has a rotation, clocks of a minute, and a Slack that is told of escalations alone."""
    slack = Slack.model_validate({"kind": "slack", "url": "env:SLACK_WEBHOOK", "on": ["escalated"]})
    patience = {**PATIENCE, "P2": Patience(30.0, 60.0)}
    duty = Duty(patience, page, Rotation((Turn("anna", "ben"),), "2026-03-16"))
    setup = replace(Oven(heat=60.0).setup(HOT), channels=(slack,), duty=duty)
    async with Engine(setup, Level.RESPOND, journal=journal, clock=clock).session() as engine:
        engine.telling.lead()
        polling = asyncio.ensure_future(engine.watch())
        await soon(lambda: engine.judge_now().alerts)
        yield engine
        polling.cancel()
        await asyncio.wait([polling])
        await engine.telling.rest(0.1)


async def passes(engine: Engine, clock: DrivenClock, seconds: int) -> None:
    """Time passes, and each second is judged: whoever did not look for longer calls nobody before all was measured anew."""
    for _ in range(seconds):
        await clock.advance(1)
        engine.judge_now()


async def until(engine: Engine, clock: DrivenClock, what: Callable[[], object]) -> None:
    """Time passes by the second until it is true; what is sent goes its way meanwhile, and what is written is waited for: the
    next second must find it said."""

    async def a_second_later() -> bool:
        await passes(engine, clock, 1)
        await engine.sayings.written(LONG)
        return bool(what())

    await looked(a_second_later, each=0.02)


async def test_the_clock_calls_the_backup_once_where_the_config_says_so(journal: Journal, there: Receivers) -> None:
    clock = DrivenClock()
    async with on_call(journal, clock, page=True) as engine:
        (running,) = engine.judge_now().escalations
        assert (running.whom, running.channels, running.pages) == ("ben (backup)", ("slack",), True)
        await passes(engine, clock, 59)
        assert there.posted == []
        await passes(engine, clock, 2)
        await soon(lambda: engine.judge_now().escalations[0].paged_at)
        for _ in range(5):
            await passes(engine, clock, 30)
    assert [each["text"].split(":")[0] for each in there.posted] == ["P2 escalated to ben"]
    assert [each.data["by_itself"] for each in journal.entries(kinds=("paged",))] == [True]


async def test_nobody_reached_is_shown_recorded_once_and_called_again(journal: Journal, there: Receivers) -> None:
    clock = DrivenClock()
    there.behaves = [500] * 7
    async with on_call(journal, clock, page=True) as engine:
        await until(engine, clock, lambda: engine.judge_now().escalations[0].unreached)
        (running,) = engine.judge_now().escalations
        assert (running.paged_at, running.state(clock.utc())) == (None, "due")
        assert running.unreached == "ben: NOT told by slack (HTTP 500: no)"
        assert in_words(running, clock.utc()) == "not acked · ben (backup) NOT reached"
        await until(engine, clock, lambda: engine.judge_now().escalations[0].paged_at)
        assert engine.judge_now().escalations[0].unreached == ""
    assert len(there.posted) == 1
    assert [each.data["reached"] for each in journal.entries(kinds=("paged",))] == [False, True]


async def test_a_journal_that_cannot_be_written_keeps_the_clock_from_nothing(journal: Journal, there: Receivers) -> None:
    clock = DrivenClock()
    async with on_call(journal, clock, page=True) as engine:
        journal._connection.execute("PRAGMA query_only = on")
        await passes(engine, clock, 61)
        await soon(lambda: there.posted)
        said = await ask(engine, Page(alert(engine).fingerprint))
        assert said.startswith("ben: told by slack (not recorded: ")
        assert said.endswith("the file is read-only (attempt to write a readonly database))")
        journal._connection.execute("PRAGMA query_only = off")
    assert len(there.posted) == 2


async def test_it_does_not_where_it_does_not_but_a_person_may(journal: Journal, there: Receivers) -> None:
    clock = DrivenClock()
    async with on_call(journal, clock, page=False) as engine:
        await clock.advance(120)
        assert engine.judge_now().escalations[0].state(clock.utc()) == "due"
        assert there.posted == []
        assert await ask(engine, Page(alert(engine).fingerprint)) == "ben: told by slack"
        assert engine.judge_now().escalations[0].paged_at == clock.utc()
    assert [each.data["by_itself"] for each in journal.entries(kinds=("paged",))] == [False]


async def test_an_acknowledgement_in_time_stops_the_clock(journal: Journal, there: Receivers) -> None:
    clock = DrivenClock()
    async with on_call(journal, clock, page=True) as engine:
        await clock.advance(59)
        await ask(engine, Acknowledge((alert(engine).fingerprint,)))
        await clock.advance(600)
        assert engine.judge_now().escalations == ()
    assert there.posted == []


async def test_what_joins_brings_an_acknowledged_line_back_and_is_recorded_once(journal: Journal) -> None:
    """The one who polls says so by itself, and all dashboards hear it."""
    clock = DrivenClock()
    oven = Oven(heat=60.0)
    setup = oven.setup(HOT, names=("oven", "grill"))
    async with Engine(setup, Level.RESPOND, journal=journal, clock=clock).session() as engine:
        polling = asyncio.ensure_future(engine.watch())
        await soon(lambda: engine.judge_now().alerts)
        first = alert(engine)
        await ask(engine, Acknowledge((first.fingerprint,)))
        oven.heat = 90.0  # above 80 for 30 s it is a P1
        await until(engine, clock, lambda: alert(engine).came_back)
        assert alert(engine).came_back == "hot rose from P2 to P1"
        await clock.advance(3)
        polling.cancel()
        await asyncio.wait([polling])
    assert kinds(journal) == ["acknowledged", "came-back"]
