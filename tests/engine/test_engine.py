"""The engine as a whole: from poll to snapshot, on a driven clock and in its thread."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from msgspec.structs import replace

from tests.clocks import START, DrivenClock, settle
from tests.waiting import GRACE, LONG, Stopwatch, eventually
from tui.engine.ask import PollNow
from tui.engine.connections import Tools
from tui.engine.engine import Engine
from tui.engine.feed import Level
from tui.engine.panel import Card, Memory, PanelConfig, Probe, SignalSpec, Target, Threshold, Wanted
from tui.engine.picture import SETTLE
from tui.engine.reading import Change, Failure, Found, Signal, Status, no_answer, signal
from tui.engine.rules import Rule
from tui.engine.setup import PanelSetup, Setup
from tui.engine.text import EMPTY, Shown

Answer = Callable[[str], Awaitable[Found]]
HOT = Rule("hot", "oven", "heat", "count", "above", (Threshold("P2", 50.0), Threshold("P1", 80.0, 30.0)))


@dataclass
class Oven:
    """Something to watch, whose answers a test sets."""

    heat: float | None = 20.0
    status: Status = Status.OK
    changes: tuple[Change, ...] = ()
    answer: Answer | None = None
    asked: int = 0
    threads: set[str] = field(default_factory=set)

    async def ask(self, target: Target, tools: Tools, memory: Memory) -> Found:
        self.asked += 1
        self.threads.add(threading.current_thread().name)
        if self.answer:
            return await self.answer(target.name)
        return Found(self.status, (signal("heat", self.heat),), changes=self.changes)

    def setup(self, *rules: Rule, names: tuple[str, ...] = ("oven",), interval: float = 5.0) -> Setup:
        specs = (SignalSpec("heat", "count", "how hot", "higher"),)
        probe = Probe("look", self.ask, lambda config: tuple(Wanted(name) for name in names))
        card = Card("oven", "an oven", PanelConfig, (probe,), specs, "tests.theirs:view")
        panel = PanelSetup("oven", "oven", card, PanelConfig(kind="oven"))
        return Setup("kitchen", "demo", False, "id", "anna", interval, None, (panel,), rules)


@pytest.fixture
def oven() -> Oven:
    return Oven()


@asynccontextmanager
async def watching(oven: Oven, *rules: Rule) -> AsyncIterator[tuple[Engine, DrivenClock]]:
    """The engine polling on a driven clock, in this loop."""
    clock = DrivenClock()
    async with Engine(oven.setup(*rules), Level.WATCH, clock=clock).session() as engine:
        polling = asyncio.ensure_future(engine.watch())
        await settle()
        yield engine, clock
        polling.cancel()
        await asyncio.wait([polling])


def looks(engine: Engine) -> tuple[Status, list[tuple[str, str]]]:
    snapshot = engine.judge_now()
    return snapshot.panels[0].status, [(alert.severity, alert.state) for alert in snapshot.alerts]


# --- from poll to snapshot -----------------------------------------------------------------------------------------------


async def test_before_the_first_answer_everything_is_unknown(oven: Oven) -> None:
    engine = Engine(oven.setup(HOT), Level.WATCH)
    snapshot = engine.feed.newest()
    assert (snapshot.name, snapshot.environment, snapshot.level) == ("kitchen", "demo", Level.WATCH)
    assert [panel.status for panel in snapshot.panels] == [Status.UNKNOWN]


@pytest.mark.parametrize("status", list(Status))
async def test_a_panel_is_as_bad_as_its_worst_reading(oven: Oven, status: Status) -> None:
    oven.status = status
    async with watching(oven) as (engine, _):
        assert looks(engine) == (status, [])


@pytest.mark.parametrize(("heat", "expected"), [(20.0, Status.OK), (60.0, Status.DEGRADED), (90.0, Status.FAILING)])
async def test_a_panel_is_as_bad_as_its_worst_rule_pending_or_firing(oven: Oven, heat: float, expected: Status) -> None:
    oven.heat = heat
    async with watching(oven, HOT) as (engine, _):
        assert looks(engine)[0] is expected


async def test_a_hold_ends_also_without_a_new_reading(oven: Oven) -> None:
    slow = replace(HOT, levels=(Threshold("P1", 80.0, 7.0),))
    oven.heat = 90.0
    async with watching(oven, slow) as (engine, clock):
        assert looks(engine)[1] == [("P1", "pending")]
        await clock.advance(8)
        assert engine.feed.newest().alerts[0].state == "firing", "judged by the clock: the last poll was 3 s before"


async def test_a_reading_past_its_freshness_is_unknown_without_anybody_asking(oven: Oven) -> None:
    async with watching(oven) as (engine, clock):
        assert looks(engine)[0] is Status.OK

        async def hang(name: str) -> Found:
            await asyncio.Event().wait()
            raise AssertionError

        oven.answer = hang
        await clock.advance(5 * 2 + 5 - 1)
        assert engine.feed.newest().panels[0].status is Status.OK
        await clock.advance(2)
        assert engine.feed.newest().panels[0].status is Status.UNKNOWN


async def test_a_failure_that_was_not_yet_one_is_unknown_once_it_is_old(oven: Oven) -> None:
    """One failure of two: degraded, while somebody looks."""

    async def once(name: str) -> Found:
        if oven.asked > 1:
            await asyncio.Event().wait()
        return Found(Status.DEGRADED, error=Failure("connect", Shown("refused")))

    oven.answer = once
    async with watching(oven) as (engine, clock):
        assert looks(engine)[0] is Status.DEGRADED
        await clock.advance(5 * 2 + 5 + 1)
        assert engine.feed.newest().panels[0].status is Status.UNKNOWN


async def test_an_error_is_never_shown_as_the_figures_before_it(oven: Oven) -> None:
    async with watching(oven, HOT) as (engine, clock):

        async def refuse(name: str) -> Found:
            raise no_answer("connect", "connection refused")

        oven.answer = refuse
        await clock.advance(5)
        (panel,) = engine.judge_now().panels
        assert panel.status is Status.UNKNOWN
        assert [reading.error.says for reading in panel.failures if reading.error] == ["connection refused"]
        shown = panel.readings(clock.monotonic()).one("look")
        assert shown is not None and shown.value("heat") == 20.0, "the last good figures are there, for dimming"
        assert panel.readings(clock.monotonic()).stale == frozenset()
        await clock.advance(15)
        (panel,) = engine.judge_now().panels
        assert panel.readings(clock.monotonic()).stale == {("oven", "look")}


async def test_a_failing_source_does_not_resolve_its_alert(oven: Oven) -> None:
    oven.heat = 60.0
    async with watching(oven, HOT) as (engine, clock):
        assert looks(engine)[1] == [("P2", "firing")]

        async def refuse(name: str) -> Found:
            raise no_answer("connect", "connection refused")

        oven.answer = refuse
        await clock.advance(60)
        assert looks(engine) == (Status.UNKNOWN, [("P2", "firing")])
        oven.answer, oven.heat = None, 20.0
        await clock.advance(5)
        assert looks(engine) == (Status.OK, [("P2", "resolved")])


async def test_an_alert_names_the_change_before_it_and_the_change_what_followed(oven: Oven) -> None:
    oven.changes = (Change("d1", START - 80, "deployment", Shown("deploy 9f3c2a1 main")),)
    oven.heat = 60.0
    async with watching(oven, HOT) as (engine, _):
        snapshot = engine.judge_now()
        assert snapshot.alerts[0].suspect == "deploy 9f3c2a1 main, 1m20s before"
        assert snapshot.panels[0].suspected == {"d1": "hot 1m20s after"}
        assert [change.key for change in snapshot.panels[0].changes] == ["d1"]


async def test_one_target_that_hangs_leaves_the_others_on_schedule(oven: Oven) -> None:
    asked: list[str] = []

    async def one_hangs(name: str) -> Found:
        asked.append(name)
        if name == "b":
            await asyncio.Event().wait()
        return Found(Status.OK, (Signal("heat", 20.0, labels=(("of", name),)),))

    oven.answer = one_hangs
    clock = DrivenClock()
    async with Engine(oven.setup(names=("a", "b", "c")), Level.WATCH, clock=clock).session() as engine:
        polling = asyncio.ensure_future(engine.watch())
        await clock.advance(20)
        polling.cancel()
        await asyncio.wait([polling])
    assert (asked.count("a"), asked.count("b"), asked.count("c")) == (5, 1, 5)


async def test_a_panel_without_a_card_says_why_and_is_unknown(oven: Oven) -> None:
    broken = PanelSetup("x", "x", None, PanelConfig(kind="x"), Shown("x-panel could not be loaded: ImportError"))
    setup = replace(oven.setup(), panels=(broken, *oven.setup().panels))
    async with Engine(setup, Level.WATCH).session() as engine:
        await engine.poller.once()
        snapshot = engine.judge_now()
    assert [(panel.status, panel.broken) for panel in snapshot.panels] == [
        (Status.UNKNOWN, "x-panel could not be loaded: ImportError"),
        (Status.OK, EMPTY),
    ]


# --- in its thread -------------------------------------------------------------------------------------------------------


def test_it_polls_in_a_thread_of_its_own_and_wakes_the_screen_once(oven: Oven) -> None:
    engine = Engine(oven.setup(interval=0.1), Level.WATCH)
    woken: list[float] = []
    engine.feed.on_news(lambda: woken.append(time.monotonic()))
    engine.start()
    try:
        eventually(lambda: oven.asked >= 5)
        assert len(woken) == 1, "nobody has looked yet: one wake-up is enough"
        seen = engine.feed.newest()
        (probe,) = seen.panels[0].probes
        assert probe.reading is not None and probe.reading.status is Status.OK
        eventually(lambda: len(woken) == 2)
        assert engine.feed.newest().number > seen.number
    finally:
        engine.stop()
    assert oven.threads == {"watchfloor-engine"}


def test_many_answers_are_few_snapshots(oven: Oven) -> None:
    engine = Engine(oven.setup(names=tuple(map(str, range(40))), interval=0.1), Level.WATCH)
    engine.start()
    try:
        began, first, asked = time.monotonic(), engine.feed.newest().number, oven.asked
        eventually(lambda: oven.asked > asked + 400)
        made, seconds = engine.feed.newest().number - first, time.monotonic() - began
        assert made <= 3 + seconds / SETTLE + seconds, "a few, and one a second by the clock"
    finally:
        engine.stop()


def test_asking_polls_at_once(oven: Oven) -> None:
    engine = Engine(oven.setup(interval=600.0), Level.WATCH)
    engine.start()
    try:
        eventually(lambda: oven.asked == 1)
        engine.feed.ask(PollNow()).result(LONG)
        eventually(lambda: oven.asked == 2)
        engine.feed.ask(PollNow("another")).result(LONG)
        engine.feed.ask(PollNow("oven")).result(LONG)
        eventually(lambda: oven.asked == 3)
    finally:
        engine.stop()


def test_it_stops_at_once_whatever_hangs(oven: Oven) -> None:
    release = threading.Event()

    async def blocked(name: str) -> Found:
        from tui.engine.threads import in_daemon_thread

        await in_daemon_thread(lambda: release.wait(30))
        raise AssertionError

    oven.answer = blocked
    engine = Engine(oven.setup(), Level.WATCH)
    engine.start()
    eventually(lambda: oven.asked)
    watch = Stopwatch()
    engine.stop()
    engine.stop()
    assert watch.took < 1.0 + GRACE
    assert engine._thread is not None
    engine._thread.join(LONG)
    assert not engine._thread.is_alive()
    assert oven.asked == 1
    release.set()


def test_stopping_what_never_started_is_nothing(oven: Oven) -> None:
    Engine(oven.setup(), Level.WATCH).stop()


def test_a_defect_of_the_poller_itself_is_seen(oven: Oven, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine(oven.setup(interval=0.1), Level.WATCH)
    engine.start()
    try:
        eventually(lambda: oven.asked)
        monkeypatch.setattr(engine.history, "record", None)
        assert "polling has ended" in eventually(lambda: engine.feed.newest().warnings)[0]
    finally:
        engine.stop()


def test_a_reader_sees_whole_snapshots_in_order_while_they_are_made(oven: Oven) -> None:
    """The screen's thread reads at any moment: numbers only grow, and a snapshot never changes once it was seen."""
    engine = Engine(oven.setup(names=tuple(map(str, range(20))), interval=0.1), Level.WATCH)
    engine.start()
    try:
        numbers = [engine.feed.newest().number for _ in range(20_000)]
        eventually(lambda: engine.feed.newest().number > numbers[-1] + 2)
        numbers += [engine.feed.newest().number for _ in range(20_000)]
    finally:
        engine.stop()
    assert numbers == sorted(numbers)
