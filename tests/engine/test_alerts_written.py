"""What happens to alerts is in the journal: once, in order, when it happened, and only by the one who polls."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.clocks import START, DrivenClock
from tests.engine.notify.alerts import ERRORS
from tests.engine.test_engine import HOT, Oven
from tests.waiting import soon
from tui.engine.alert import Suspect
from tui.engine.engine import Engine
from tui.engine.entries import AlertMoved, CameBack, ChangeSeen
from tui.engine.feed import Level
from tui.engine.journal import Journal, JournalError
from tui.engine.reading import Change
from tui.engine.secrets import known_values
from tui.engine.text import Shown


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "journal.sqlite")


@asynccontextmanager
async def polling(oven: Oven, journal: Journal, *, leads: bool = True) -> AsyncIterator[tuple[Engine, DrivenClock]]:
    """An engine that polls when told to, and leads or looks once (`act`)."""
    clock = DrivenClock()
    async with Engine(oven.setup(HOT), Level.RESPOND, journal=journal, clock=clock).session() as engine:
        if leads:
            engine.telling.lead()
        yield engine, clock
        await engine.sayings.written(5)


async def heats(engine: Engine, clock: DrivenClock, oven: Oven, heat: float, seconds: float = 5.0) -> None:
    clock.move(seconds)
    oven.heat = heat
    await engine.poller.once()
    engine.judge_now()


def moved(journal: Journal) -> Sequence[tuple[float, str, str, str]]:
    """When, what it was, what it is, how bad."""
    entries = journal.entries(0.0, (AlertMoved.kind,))
    said = [(each.at - START, each.said) for each in entries]
    return [(at, each.was, each.alert.state, each.alert.severity) for at, each in said if isinstance(each, AlertMoved)]


async def test_an_alert_is_written_down_as_it_moves(journal: Journal) -> None:
    oven = Oven()
    async with polling(oven, journal) as (engine, clock):
        for heat in (20.0, 60.0, 60.0, 90.0, 90.0):
            await heats(engine, clock, oven, heat)
        await heats(engine, clock, oven, 90.0, 15.0)
        await heats(engine, clock, oven, 90.0, 15.0)
        await heats(engine, clock, oven, 20.0)
    assert moved(journal) == [
        (10.0, "inactive", "firing", "P2"),
        (55.0, "firing", "firing", "P1"),
        (60.0, "firing", "resolved", "P1"),
    ]
    assert {each.who for each in journal.entries(0.0, (AlertMoved.kind,))} == {"watchfloor"}


async def test_what_was_seen_is_written_down_without_the_secrets_in_it(journal: Journal) -> None:
    """A commit's message, an annotation of theirs, a label's value: outside text, which the journal keeps for a year."""
    known_values.add("hunter2-sehr-geheim")
    try:
        one = replace(
            ERRORS,
            labels=(("user", "hunter2-sehr-geheim"),),
            says=Shown("login hunter2-sehr-geheim fails"),
            raised_by=Shown("token=abc"),
            suspects=(Suspect("hunter2-sehr-geheim", "deployment", START, Shown("hunter2-sehr-geheim"), 1.0, True),),
        )
        change = Change("d1", START, "deployment", Shown("use hunter2-sehr-geheim"))
        oven = Oven()
        async with polling(oven, journal) as (engine, clock):
            said = (
                AlertMoved(one, "inactive"),
                ChangeSeen("api", change),
                CameBack((("f", Shown("hunter2-sehr-geheim joined")),)),
            )
            engine.sayings.write_down(said, clock.utc())
    finally:
        known_values.discard("hunter2-sehr-geheim")
    assert len(journal.entries()) == 3
    for entry in journal.entries():
        assert "hunter2" not in str(entry.data) and "abc" not in str(entry.data) and entry.said is not None


async def test_a_disk_that_takes_nothing_for_a_while_delays_and_loses_nothing(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    oven, say = Oven(), journal.say

    def refuse(at: float, who: str, said: object, fence: object = None) -> int:
        raise JournalError("the disk is full")

    async with polling(oven, journal) as (engine, clock):
        monkeypatch.setattr(journal, "say", refuse)
        await heats(engine, clock, oven, 60.0)
        await heats(engine, clock, oven, 20.0)
        await soon(lambda: clock.sleepers)
        monkeypatch.setattr(journal, "say", say)
        await clock.advance(1.0)
    assert moved(journal) == [(5.0, "inactive", "firing", "P2"), (10.0, "firing", "resolved", "P2")], "when it happened"


async def test_who_only_looks_writes_nothing(journal: Journal) -> None:
    oven = Oven()
    async with polling(oven, journal, leads=False) as (engine, clock):
        await heats(engine, clock, oven, 60.0)
        await asyncio.sleep(0)
    assert moved(journal) == []
