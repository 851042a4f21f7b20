"""The poller on a driven clock: when it asks, when it leaves off, and what it says of what never answered."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.clocks import DrivenClock, settle
from tests.waiting import GRACE, Stopwatch, soon
from tui.engine.connections import Tools
from tui.engine.panel import BEFORE, Memory, PanelConfig, Probe, Target, Wanted
from tui.engine.poller import Job, Poller, targets_of
from tui.engine.reading import Failure, Found, ProbeError, Row, Status, no_answer, signal
from tui.engine.secrets import known_values
from tui.engine.text import Shown

OK = Found(Status.OK, (signal("up", 1.0),))
Answer = Callable[[], Awaitable[Found]]


@dataclass
class Source:
    """A thing to ask, which notes when it was asked and answers as the test says."""

    clock: DrivenClock
    answer: Answer | None = None
    asked: list[float] = field(default_factory=list)
    before: list[object] = field(default_factory=list)
    """What each question was told of the process before."""
    at_once: int = 0
    most_at_once: int = 0

    async def ask(self, target: Target, tools: Tools, memory: Memory) -> Found:
        self.before.append(memory.get(BEFORE))
        self.asked.append(round(self.clock.monotonic() - 1000, 3))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            return await self.answer() if self.answer else OK
        finally:
            self.at_once -= 1

    def fails_with(self, error: BaseException) -> None:
        async def fail() -> Found:
            raise error

        self.answer = fail

    def gives(self, found: Found) -> None:
        async def give() -> Found:
            return found

        self.answer = give

    def takes(self, seconds: float) -> None:
        async def work() -> Found:
            await self.clock.sleep(seconds)
            return OK

        self.answer = work

    def hangs(self) -> None:
        async def hang() -> Found:
            await asyncio.Event().wait()
            raise AssertionError("nobody sets it")

        self.answer = hang


@dataclass
class Floor:
    """A poller, its clock and what it took."""

    clock: DrivenClock
    poller: Poller
    taken: list[tuple[str, float]]

    def watch(self, panel: str, interval: float = 5.0, deadline: float = 0.05, probe: str = "look") -> tuple[Source, Job]:
        source = Source(self.clock)
        self.poller.add(Target(panel, panel, None, None, interval, deadline), Probe(probe, source.ask))
        return source, self.poller.jobs[-1]

    @asynccontextmanager
    async def polling(self) -> AsyncIterator[None]:
        running = asyncio.ensure_future(self.poller.run())
        try:
            yield
            assert not running.done(), f"polling has ended: {running.exception()!r}"
        finally:
            running.cancel()
            await asyncio.wait([running])


@pytest.fixture
def floor() -> Floor:
    clock, taken = DrivenClock(), []
    poller = Poller(Tools(clock=clock), lambda job: taken.append((job.target.panel, clock.monotonic())), jitter=lambda: 1.0)
    return Floor(clock, poller, taken)


made: Any = Found
"""As somebody else's panel may make one: of anything."""


@pytest.mark.parametrize(
    "answer",
    [
        made(Status.OK, None),
        made(Status.OK, ("up",)),
        made(Status.OK, rows=iter(())),
        made(Status.OK, changes=("deployed",)),
        made(Status.OK, rows=(Row("a", {"left": made}),)),
        made("ok"),
        made(Status.OK, error="no answer"),
        None,
    ],
)
async def test_an_answer_that_is_none_costs_its_own_panel_alone(floor: Floor, answer: Any) -> None:
    source, job = floor.watch("theirs", interval=1)
    source.gives(answer)
    well, _ = floor.watch("web", interval=1)
    async with floor.polling():
        await floor.clock.advance(3)
    assert len(well.asked) == 4
    assert job.state.reading is not None and job.state.reading.error is not None
    assert (job.state.reading.status, job.state.reading.error.phase) == (Status.UNKNOWN, "defect")


async def test_asks_at_a_fixed_rate(floor: Floor) -> None:
    source, _ = floor.watch("web", interval=5)
    source.takes(1.5)
    async with floor.polling():
        await floor.clock.advance(21)
    assert source.asked == [0, 5, 10, 15, 20]


async def test_missed_turns_are_skipped_and_never_made_up_for(floor: Floor) -> None:
    source, _ = floor.watch("web", interval=5, deadline=60)
    source.takes(12)
    async with floor.polling():
        await floor.clock.advance(40)
    assert source.asked == [0, 15, 30]
    assert source.most_at_once == 1


async def test_a_reading_says_when_it_stood_and_how_long_it_took(floor: Floor) -> None:
    source, job = floor.watch("web", deadline=60)
    source.takes(0.4)
    began = floor.clock.utc()
    async with floor.polling():
        await floor.clock.advance(1)
    assert job.state.reading is not None
    assert job.state.reading.at == pytest.approx(began + 0.4)
    assert job.state.reading.took == pytest.approx(0.4)


async def test_a_hanging_probe_is_reported_in_time_delays_no_other_and_never_overlaps_itself(floor: Floor) -> None:
    hanging, job = floor.watch("stuck", interval=1, deadline=0.2)
    hanging.hangs()
    well, _ = floor.watch("web", interval=1)
    async with floor.polling():
        began, watch = time.monotonic(), Stopwatch()
        await floor.clock.advance(10)
        assert well.asked == list(range(11)), "the other target kept its schedule while this one hung"
        await soon(lambda: job.state.reading)
        took, longest = watch.took, time.monotonic() - began
        assert job.state.reading is not None and job.state.reading.error is not None
        assert job.state.reading.status is Status.UNKNOWN
        assert job.state.reading.error.phase == "deadline"
        assert took <= 0.2 + GRACE and longest >= 0.2
        await floor.clock.advance(3)
    assert hanging.most_at_once == 1


async def test_a_probe_that_does_not_let_go_is_left_behind_and_not_asked_again_until_it_has(floor: Floor) -> None:
    source, job = floor.watch("stuck", interval=1, deadline=0.02)
    let_go = asyncio.Event()

    async def deaf() -> Found:
        while not let_go.is_set():
            try:
                await let_go.wait()
            except asyncio.CancelledError:
                continue
        return OK

    source.answer = deaf
    async with floor.polling():
        await soon(lambda: job.state.reading)
        await floor.clock.advance(5)
        assert source.asked == [0], "never a second question beside the first"
        assert job.state.reading is not None and job.state.reading.error is not None
        assert "still hangs" in job.state.reading.error.says
        let_go.set()
        source.answer = None
        await floor.clock.advance(2)
        assert job.state.reading.error is None or job.state.reading.status is Status.OK
    assert len(source.asked) > 1


async def test_a_failing_endpoint_is_asked_as_often_as_a_well_one(floor: Floor) -> None:
    source, job = floor.watch("web", interval=5)
    source.fails_with(no_answer("connect", "connection refused", status=Status.FAILING))
    async with floor.polling():
        await floor.clock.advance(20)
    assert source.asked == [0, 5, 10, 15, 20]
    assert job.state.reading is not None and job.state.reading.status is Status.FAILING
    assert job.state.slowed == ""


async def test_it_backs_off_to_a_minute_from_who_refuses_us_and_says_so(floor: Floor) -> None:
    source, job = floor.watch("api", interval=5)
    source.fails_with(no_answer("rights", "HTTP 403", refused=True))
    async with floor.polling():
        await floor.clock.advance(300)
        assert source.asked == [0, 10, 30, 70, 130, 190, 250]
        assert job.state.slowed == "it refuses us: asked each 1m00s"
        assert job.state.fresh_for == pytest.approx(2 * 60 + job.state.deadline), "freshness goes by the interval in force"
        source.gives(OK)
        await floor.clock.advance(20)
    assert source.asked[-3:] == [310, 315, 320], "one good answer, and it is asked as before"
    assert job.state.slowed == ""


async def test_back_off_is_jittered_above_the_wanted_interval() -> None:
    intervals = set()
    for draw in (0.0, 0.3, 0.9):
        poller = Poller(Tools(clock=DrivenClock()), lambda job: None, jitter=draw.__float__)
        floor = Floor(DrivenClock(), poller, [])
        source, job = floor.watch("api", interval=5)
        source.fails_with(no_answer("rights", "HTTP 429", refused=True))
        for _ in range(3):
            await poller.once()
        assert 5 < job.state.interval <= 60
        intervals.add(job.state.interval)
    assert len(intervals) == 3


async def test_it_waits_as_long_as_the_source_wishes(floor: Floor) -> None:
    source, job = floor.watch("api", interval=5)
    source.fails_with(no_answer("status", "HTTP 429", refused=True, retry_after=42.0))
    async with floor.polling():
        await floor.clock.advance(45)
    assert source.asked == [0, 42]
    assert job.state.interval == 42


async def test_a_source_that_refuses_for_days_ends_nothing(floor: Floor) -> None:
    source, job = floor.watch("api", interval=5.0)
    source.fails_with(no_answer("rights", "HTTP 401", refused=True))
    for _ in range(1100):
        await floor.poller.once()
    assert job.refusals == 1100
    assert job.state.interval == 60


async def test_an_interval_longer_than_a_minute_is_never_shortened_by_backing_off(floor: Floor) -> None:
    source, job = floor.watch("sizes", interval=300)
    source.fails_with(no_answer("connect", "too many clients", refused=True))
    await floor.poller.once()
    assert job.state.interval == 300


async def test_a_panel_that_costs_its_database_too_much_is_asked_less_often(floor: Floor) -> None:
    """5 ms of server time a second is a panel's share, over all its probes."""
    dear, job = floor.watch("database", interval=2, probe="sessions")
    cheap, other = floor.watch("database", interval=10, probe="sizes")
    bystander, web = floor.watch("web", interval=2)
    dear.gives(Found(Status.OK, spent=0.040))
    cheap.gives(Found(Status.OK, spent=0.001))
    async with floor.polling():
        await floor.clock.advance(30)
    assert job.state.interval == pytest.approx(2 * (0.040 / 2 + 0.001 / 10) / 0.005, rel=0.01)
    assert "20 ms a second" in job.state.slowed
    assert other.state.interval > 10
    assert (web.state.interval, web.state.slowed) == (2, "")
    assert len(bystander.asked) > 10 > len(dear.asked)


async def test_it_speeds_up_again_when_the_database_does(floor: Floor) -> None:
    source, job = floor.watch("database", interval=2)
    source.gives(Found(Status.OK, spent=0.050))
    await floor.poller.once()
    assert (job.state.interval, job.state.slowed) == (2, ""), "one dear poll is no reason yet"
    await floor.poller.once()
    assert job.state.interval == pytest.approx(10)
    source.gives(Found(Status.OK, spent=0.001))
    await floor.poller.once()
    await floor.poller.once()
    assert (job.state.interval, job.state.slowed) == (2, "")


async def test_a_poke_asks_at_once_and_shifts_no_turn(floor: Floor) -> None:
    source, _ = floor.watch("web", interval=10)
    other, _ = floor.watch("jobs", interval=10)
    async with floor.polling():
        await floor.clock.advance(3)
        floor.poller.poke("web")
        await settle()
        assert source.asked == [0, 3]
        assert other.asked == [0]
        await floor.clock.advance(11)
        floor.poller.poke()
        await settle()
        await floor.clock.advance(13)
        floor.poller.poke("web")
        await floor.clock.advance(14)
    assert source.asked == [0, 3, 10, 14, 20, 27, 40], "what was asked just now is not asked again soon after"
    assert other.asked == [0, 10, 14, 20, 30, 40]


async def test_a_poke_during_a_poll_is_not_lost(floor: Floor) -> None:
    """A deed is done while the panel is being read: the answer under way may be older than the deed."""
    source, _ = floor.watch("jobs", interval=10, deadline=60)
    source.takes(2)
    async with floor.polling():
        await floor.clock.advance(1)
        floor.poller.poke("jobs")
        await floor.clock.advance(1.5)
        assert source.asked == [0, 2]
        await floor.clock.advance(7)
    assert source.asked == [0, 2], "once is enough"


async def test_many_targets_do_not_start_in_one_burst(floor: Floor) -> None:
    sources = [floor.watch(f"p{place}", interval=5)[0] for place in range(200)]
    async with floor.polling():
        await settle()
        assert sum(bool(each.asked) for each in sources) <= 30
        await floor.clock.advance(2)
        assert all(each.asked for each in sources), "all within two seconds"


async def test_where_all_stood_still_the_turns_after_that_are_spread_as_before(floor: Floor) -> None:
    sources = [floor.watch(f"p{place}", interval=2)[0] for place in range(200)]
    async with floor.polling():
        await floor.clock.advance(4.05)
        floor.clock.move(0.6)  # a slow disk, a big picture: all that was due meanwhile is asked at once
        await floor.clock.advance(6)
    asked = [at for each in sources for at in each.asked]
    assert asked.count(4.65) > 40, "it was as said"
    for first in (6, 8):
        moments = Counter(int(10 * at) for at in asked if first <= at < first + 2)
        assert sum(moments.values()) == 200 and max(moments.values()) < 35


async def test_a_reading_is_stale_after_two_intervals_and_its_deadline(floor: Floor) -> None:
    _, job = floor.watch("web", interval=5, deadline=3)
    assert job.state.stale(floor.clock.monotonic()), "never measured is not fresh"
    await floor.poller.once()
    await floor.clock.advance(13)
    assert not job.state.stale(floor.clock.monotonic())
    await floor.clock.advance(0.1)
    assert job.state.stale(floor.clock.monotonic())


@pytest.mark.parametrize(
    ("jump", "seconds"), [(DrivenClock.set_wall, -3600.0), (DrivenClock.set_wall, 900.0), (DrivenClock.suspend, 900.0)]
)
async def test_after_a_jump_or_a_resume_all_is_stale_until_asked_which_it_is_at_once(
    floor: Floor, jump: Callable[[DrivenClock, float], None], seconds: float
) -> None:
    source, job = floor.watch("web", interval=60, deadline=60)
    source.takes(0.5)
    async with floor.polling():
        await floor.clock.advance(10)
        assert not job.state.stale(floor.clock.monotonic())
        jump(floor.clock, seconds)
        await floor.clock.advance(1.2)
        assert len(source.asked) == 2, "asked at once"
        assert job.state.stale(floor.clock.monotonic()), "and stale until it answered"
        await floor.clock.advance(1)
        assert not job.state.stale(floor.clock.monotonic())


async def test_a_small_correction_of_the_clock_is_no_jump(floor: Floor) -> None:
    source, _ = floor.watch("web", interval=60)
    async with floor.polling():
        for _ in range(20):
            floor.clock.set_wall(0.5)
            await floor.clock.advance(1)
    assert source.asked == [0]


async def test_a_resume_is_no_burst(floor: Floor) -> None:
    sources = [floor.watch(f"p{place}", interval=60)[0] for place in range(200)]
    async with floor.polling():
        await floor.clock.advance(10)
        floor.clock.suspend(600)
        await floor.clock.advance(1.0)
        assert sum(len(each.asked) == 2 for each in sources) <= 48
        await floor.clock.advance(5)
        assert all(len(each.asked) == 2 for each in sources)


class Odd(Exception):
    def __str__(self) -> str:
        raise RuntimeError("cannot even say what it is")


@pytest.mark.parametrize(
    "error", [ZeroDivisionError("division by zero"), KeyError("status"), RecursionError(), asyncio.CancelledError(), Odd()]
)
async def test_a_defect_in_a_probe_costs_its_own_panel_alone(floor: Floor, error: BaseException) -> None:
    broken, job = floor.watch("theirs", interval=5)
    broken.fails_with(error)
    well, _ = floor.watch("web", interval=5)
    async with floor.polling():
        await floor.clock.advance(10)
    assert job.state.reading is not None and job.state.reading.error is not None
    assert job.state.reading.status is Status.UNKNOWN
    assert well.asked == broken.asked == [0, 5, 10]


@pytest.mark.parametrize("answer", [None, "fine", Status.OK])
async def test_a_probe_that_returns_no_finding_costs_its_own_panel_alone(floor: Floor, answer: object) -> None:
    broken, job = floor.watch("theirs", interval=5)
    broken.gives(answer)  # type: ignore[arg-type]  # somebody else's probe, not type-checked
    well, _ = floor.watch("web", interval=5)
    async with floor.polling():
        await floor.clock.advance(10)
    assert job.state.reading is not None and job.state.reading.error is not None
    assert job.state.reading.error.phase == "defect"
    assert well.asked == [0, 5, 10]


async def test_a_defect_never_shows_a_secret(floor: Floor, monkeypatch: pytest.MonkeyPatch) -> None:
    broken, job = floor.watch("theirs")
    known_values.add("hunter2-canary")
    broken.fails_with(ValueError("cannot log in with hunter2-canary"))
    await floor.poller.once()
    known_values.discard("hunter2-canary")
    assert job.state.reading is not None and job.state.reading.error is not None
    assert job.state.reading.error.says == "ValueError: cannot log in with •••"


async def test_a_failed_poll_keeps_the_last_good_figures_and_their_age(floor: Floor) -> None:
    source, job = floor.watch("web", interval=5, deadline=3)
    await floor.poller.once()
    good = job.state.good
    source.fails_with(no_answer("first byte", "nothing", status=Status.UNKNOWN))
    await floor.clock.advance(5)
    await floor.poller.once()
    assert job.state.good is good is not job.state.reading
    assert job.state.age(floor.clock.monotonic()) == pytest.approx(5)


async def test_a_failure_that_has_rows_is_a_picture_of_its_own(floor: Floor) -> None:
    source, job = floor.watch("web")
    failure = Failure("status", Shown("HTTP 503"))
    source.gives(Found(Status.FAILING, rows=(Row("readyz", {}, Status.FAILING),), error=failure))
    await floor.poller.once()
    assert job.state.good is job.state.reading
    assert not job.state.stale(floor.clock.monotonic())


async def test_cancelling_the_poller_cancels_what_it_asked(floor: Floor) -> None:
    source, _ = floor.watch("stuck", deadline=60)
    source.hangs()
    async with floor.polling():
        await settle()
        assert source.at_once == 1
    await settle()
    assert source.at_once == 0


def test_interval_and_deadline_are_the_targets_the_probes_or_the_panels() -> None:
    async def ask(target: Target, tools: Tools, memory: Memory) -> Found:
        return OK

    def targets(config: PanelConfig) -> tuple[Wanted, ...]:
        return (Wanted("own", interval=1.0, deadline=0.5), Wanted("usual"))

    probe = Probe("sizes", ask, targets, every=lambda config: 60.0)
    config = PanelConfig(kind="theirs")
    own, usual = targets_of("theirs", probe, config, 5.0, None, 10.0, "demo")
    assert (own.interval, own.deadline) == (1.0, 0.5)
    assert (usual.interval, usual.deadline) == (60.0, 10.0), "a deadline is the interval, ten seconds at most"
    (quick,) = targets_of("theirs", Probe("look", ask), config, 2.0, None, 10.0, "demo")
    assert (quick.name, quick.interval, quick.deadline) == ("theirs", 2.0, 2.0)


async def test_a_probe_error_carries_its_own_status(floor: Floor) -> None:
    source, job = floor.watch("database")
    source.fails_with(ProbeError(Failure("connect", Shown("refused")), Status.FAILING))
    await floor.poller.once()
    assert job.state.reading is not None
    assert (job.state.reading.status, job.state.reading.error) == (Status.FAILING, Failure("connect", Shown("refused")))


async def test_a_probe_is_told_what_was_read_last_before_this_process(floor: Floor) -> None:
    first, there = floor.watch("a")
    await floor.poller.once()
    await floor.poller.once()
    assert first.before == [None, None], "its own readings are no others'"
    second, here = floor.watch("a")
    here.take_over(there.state)
    last = there.state.good
    await floor.poller.once()
    assert last is not None and second.before == [last]
