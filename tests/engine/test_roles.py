"""Several engines on one journal: one polls, the others show the same; whoever polls may go at any moment."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import re
import sqlite3
import threading
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tests.engine.test_engine import HOT, Oven
from tests.waiting import GRACE, LONG, eventually
from tui.engine import engine as engine_module
from tui.engine import lease as lease_module
from tui.engine import roles as roles_module
from tui.engine.ask import PollNow
from tui.engine.clock import Clock, SystemClock
from tui.engine.engine import Engine
from tui.engine.entries import Said
from tui.engine.feed import Level, ProbeState, Seat
from tui.engine.follow import Shared
from tui.engine.journal import Journal
from tui.engine.lease import Lease
from tui.engine.reading import Change, Reading, Status
from tui.engine.rules import Rule
from tui.engine.sayings import Sayings
from tui.engine.term import Holder, Kind, LeaseError, Term
from tui.engine.text import Shown

Open = Callable[..., Engine]


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is given up here because the machine stood still: whoever leads after another was given the lease. And whoever
    begins or leaves waits for the file for as long as that takes: polling alone meanwhile, it would ask what another asks."""
    for module in (lease_module, roles_module):
        monkeypatch.setattr(module, "LOST", 4 * LONG)
    for name in ("AT_FIRST", "AT_LAST", "HANGS"):
        monkeypatch.setattr(roles_module, name, LONG)
    monkeypatch.setattr(lease_module, "PATIENCE", LONG)
    monkeypatch.setattr(engine_module, "STOPS", LONG)
    written = Sayings.written
    monkeypatch.setattr(Sayings, "written", lambda sayings, within: written(sayings, LONG))


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is locked counts as such at once."""
    monkeypatch.setattr(lease_module, "PATIENCE", 0.2)


@pytest.fixture
def oven() -> Oven:
    return Oven()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


@pytest.fixture
def open_engine(path: Path) -> Iterator[Open]:
    """Starts an engine, each with an oven of its own to count what it asks, on the one journal."""
    with contextlib.ExitStack() as stack:

        def start(
            oven: Oven,
            who: str = "anna",
            kind: Kind = "dashboard",
            interval: float = 0.2,
            watched: str = "all",
            rules: tuple[Rule, ...] = (HOT,),
            clock: Clock | None = None,
        ) -> Engine:
            setup = replace(oven.setup(*rules, names=("a", "b"), interval=interval), user=who, watched=watched)
            lease = Lease(path, watched, Holder(who, who, 4711, kind), SystemClock())
            engine = Engine(setup, Level.WATCH, journal=Journal(path), lease=lease, clock=clock)
            engine.start()
            stack.callback(leaves, engine)
            return engine

        yield start


def leaves(engine: Engine) -> None:
    """It ends, and has ended."""
    engine.stop(LONG)


def seat(engine: Engine) -> Seat:
    return engine.feed.peek().seat


def sits(engine: Engine, role: str) -> None:
    eventually(lambda: seat(engine).role == role, says=lambda: str(seat(engine)))


def heat(engine: Engine) -> float | None:
    snapshot = engine.feed.peek()
    reading = snapshot.panels[0].readings(snapshot.monotonic).one("look")
    return reading.value("heat") if reading else None


def heats(engine: Engine, to: float, within: float = LONG) -> None:
    eventually(lambda: heat(engine) == to, within, f"it does not show {to} in time")


def fires(engine: Engine) -> None:
    eventually(lambda: [alert.severity for alert in engine.feed.peek().alerts] == ["P2"])


def stands(engine: Engine, status: Status) -> bool:
    return engine.feed.peek().panels[0].status is status


def test_five_ask_what_one_asks_and_show_the_same(open_engine: Open) -> None:
    first, others = Oven(heat=60.0), [Oven(heat=-1.0) for _ in range(4)]
    leader = open_engine(first)
    sits(leader, "leads")
    followers = [open_engine(oven, who) for oven, who in zip(others, ("ben", "cleo", "dora", "emil"), strict=True)]
    for each in followers:
        heats(each, 60.0)
        assert seat(each) == Seat("follows", Shown("anna, pid 4711"))
        fires(each)
        # unknown while the last poll is older than it counts, which here is after half a second
        eventually(functools.partial(stands, each, Status.DEGRADED))
    first.heat = 90.0
    for each in followers:
        heats(each, 90.0, within=1.0 + GRACE)
    asked = first.asked
    eventually(lambda: first.asked > asked + 10)
    assert [oven.asked for oven in others] == [0, 0, 0, 0]


def test_a_follower_draws_lines_and_changes_as_if_it_polled(open_engine: Open) -> None:
    first = Oven(heat=60.0, changes=(Change("d1", SystemClock().utc() - 80, "deployment", Shown("deploy 9f3c2a1")),))
    sits(open_engine(first), "leads")
    follower = open_engine(Oven(), "ben")
    eventually(lambda: len(follower.history.points("oven", "heat", 60, SystemClock().utc())) > 4)
    snapshot = follower.feed.peek()
    (says,) = snapshot.panels[0].suspected.values()
    assert re.fullmatch(r"hot 1m[2-5]\ds after", says), "some time may pass before the first poll"
    assert list(snapshot.panels[0].suspected) == ["d1"]
    assert [each.key for each in follower.history.changes(3600, SystemClock().utc())] == ["d1"]


def test_one_that_leaves_hands_over_at_once(open_engine: Open) -> None:
    leader, next_ = open_engine(Oven()), Oven()
    sits(leader, "leads")
    follower = open_engine(next_, "ben", interval=0.2)
    sits(follower, "follows")
    leaves(leader)
    eventually(lambda: seat(follower).role == "leads")
    eventually(lambda: next_.asked > 2)


def test_a_lease_that_cannot_be_given_up_just_now_is_given_up_later(open_engine: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    give_up, tried = Lease.give_up, count()

    def locked_at_first(lease: Lease, term: Term) -> None:
        if next(tried) == 0:
            raise LeaseError("the file is locked")
        give_up(lease, term)

    monkeypatch.setattr(Lease, "give_up", locked_at_first)
    dashboard = open_engine(Oven())
    sits(dashboard, "leads")
    record = open_engine(Oven(), "watch", "record")
    eventually(lambda: seat(record) == Seat("leads", recorded=True))
    sits(dashboard, "follows")


def test_what_was_asked_just_now_is_not_asked_again_by_the_next(open_engine: Open) -> None:
    leader, next_ = open_engine(Oven(), interval=60.0), Oven()
    eventually(lambda: heat(leader) == 20.0)
    follower = open_engine(next_, "ben", interval=60.0)
    eventually(lambda: heat(follower) == 20.0)
    leaves(leader)
    sits(follower, "leads")
    again = Oven()
    leaves(follower)
    third = open_engine(again, "cleo", interval=60.0)
    sits(third, "leads")
    eventually(lambda: heat(third) == 20.0, says="taken from what the one before it left")
    assert (next_.asked, again.asked) == (0, 0)


def test_a_record_takes_over_and_says_so(open_engine: Open) -> None:
    dashboard, recorded = open_engine(Oven()), Oven()
    sits(dashboard, "leads")
    record = open_engine(recorded, "watch", "record")
    eventually(lambda: seat(record) == Seat("leads", recorded=True))
    eventually(lambda: seat(dashboard) == Seat("follows", Shown("watch, pid 4711"), recorded=True))
    leaves(record)
    sits(dashboard, "leads")


def test_one_that_is_read_only_leads_only_until_another_could(open_engine: Open) -> None:
    looked, asked = Oven(), Oven()
    looker = open_engine(looked, "lea", "watch")
    sits(looker, "leads")
    dashboard = open_engine(asked, "anna")
    eventually(lambda: asked.asked > 1)
    sits(looker, "follows")
    asked_before = looked.asked
    sits(dashboard, "leads")
    leaves(dashboard)
    sits(looker, "leads")
    eventually(lambda: looked.asked > asked_before)


class Polite(SystemClock):
    """Shows that one lets others come first, and has it wait for as long as they take."""

    def __init__(self, waits: float) -> None:
        self._waits = waits
        self.came = threading.Event()
        self.goes_on = threading.Event()

    async def sleep(self, seconds: float) -> None:
        if seconds == self._waits:
            self.came.set()
            while not self.goes_on.is_set():
                await asyncio.sleep(0.01)
        await super().sleep(seconds)


def test_where_the_lease_falls_free_one_that_is_read_only_comes_last(
    open_engine: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roles_module, "LOOK", 0.17)  # so that no other wait takes twice as long
    leader = open_engine(Oven())
    sits(leader, "leads")
    looked, clock = Oven(), Polite(2 * 0.17)
    looker = open_engine(looked, "lea", "watch", clock=clock)
    sits(looker, "follows")
    other = open_engine(Oven(), "ben")
    sits(other, "follows")
    leaves(leader)
    assert clock.came.wait(LONG), "it lets others come first"
    sits(other, "leads")
    clock.goes_on.set()
    eventually(lambda: seat(looker) == Seat("follows", Shown("ben, pid 4711")))
    assert looked.asked == 0


def test_asking_to_poll_now_goes_to_the_one_who_polls(open_engine: Open) -> None:
    first, other = Oven(), Oven()
    leader = open_engine(first, interval=60.0)
    eventually(lambda: heat(leader) == 20.0)
    follower = open_engine(other, "ben", interval=60.0)
    sits(follower, "follows")
    asked = first.asked
    follower.feed.ask(PollNow("oven")).result(LONG)
    eventually(lambda: first.asked == asked + 2)
    assert other.asked == 0


@pytest.mark.usefixtures("impatient")
def test_a_locked_journal_stops_no_polling_and_is_said(open_engine: Open, path: Path) -> None:
    Journal(path).close()
    oven = Oven()
    with sqlite3.connect(path, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        engine = open_engine(oven)
        eventually(lambda: oven.asked > 4)
        sits(engine, "alone")
        eventually(lambda: any("polling alone" in each and "locked" in each for each in engine.feed.peek().warnings))
        other.execute("ROLLBACK")
    sits(engine, "leads")
    assert engine.feed.peek().warnings == ()


@pytest.mark.usefixtures("impatient")
def test_a_journal_that_locks_under_way_stops_no_polling(
    open_engine: Open, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roles_module, "LOST", 2.0)
    oven = Oven()
    engine = open_engine(oven)
    sits(engine, "leads")
    with sqlite3.connect(path, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        sits(engine, "alone")
        asked = oven.asked
        eventually(lambda: oven.asked > asked + 4)
        other.execute("ROLLBACK")
    sits(engine, "leads")


def test_one_about_to_be_stopped_gives_the_lease_up_first(open_engine: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roles_module, "RESTS", 4.0)  # long enough for the other to come, also where all stand still meanwhile
    oven, next_ = Oven(), Oven()
    leader = open_engine(oven)
    sits(leader, "leads")
    follower = open_engine(next_, "ben")
    sits(follower, "follows")
    leader.step_down()
    assert leader.part.held()
    eventually(lambda: seat(follower).role == "leads")
    sits(leader, "follows")


def test_a_deposed_one_asks_nothing_and_follows(open_engine: Open, path: Path) -> None:
    """As after SIGSTOP: somebody else has the lease although nobody gave it up."""
    oven = Oven()
    leader = open_engine(oven)
    sits(leader, "leads")
    with sqlite3.connect(path) as other:
        other.execute("UPDATE lease SET epoch = epoch + 1, holder = 'thief', who = 'thief', beat = beat + 3600")
    sits(leader, "follows")
    asked = oven.asked
    with sqlite3.connect(path) as other:
        other.execute("UPDATE lease SET beat = beat + 1")
    assert seat(leader).leader == "thief, pid 4711"
    assert oven.asked == asked


def test_a_pending_alert_goes_on_pending_with_the_next(open_engine: Open) -> None:
    first, next_ = Oven(heat=90.0), Oven(heat=90.0)
    leader = open_engine(first)
    eventually(lambda: [(each.severity, each.state) for each in leader.feed.peek().alerts] == [("P2", "firing")])
    since = leader.feed.peek().alerts[0].since
    follower = open_engine(next_, "ben")
    eventually(lambda: [each.since for each in follower.feed.peek().alerts] == [since])
    leaves(leader)
    sits(follower, "leads")
    asked = next_.asked
    eventually(lambda: next_.asked > asked + 2)
    (alert,) = follower.feed.peek().alerts
    assert (alert.since, alert.state) == (since, "firing"), "not a new one"
    leaves(follower)
    again = open_engine(Oven(heat=90.0), "cleo")
    sits(again, "leads")
    eventually(lambda: [each.since for each in again.feed.peek().alerts] == [since], says="also over a restart")


async def test_a_clock_that_is_set_back_does_not_keep_followers_from_what_is_new() -> None:
    engine = Engine(Oven().setup(HOT), Level.WATCH)
    (job,) = engine.poller.jobs
    now = SystemClock().utc()

    def shared(at: float, read_at: float | None) -> Shared:
        reading = Reading("oven", "oven", "look", at, 0.0, Status.OK)
        state = ProbeState("oven", "look", 5.0, 5.0, reading, reading, read_at, read_at=read_at)
        return Shared(1, {("oven", "oven", "look"): state}, None)

    for at, read_at, taken in (
        (now, 100.0, True),
        (now - 3600, 105.0, True),  # the clock was set back by an hour
        (now - 3600, None, True),  # it is noticed: stale until polled
        (now - 3595, 110.0, True),
        (now + 60, 109.0, False),  # older, whatever the wall clock said
    ):
        engine.watching.take(shared(at, read_at))
        assert job.state.reading is not None
        assert ((job.state.reading.at, job.state.read_at) == (at, read_at)) is taken, (at, read_at)


async def test_a_role_that_changes_while_another_config_is_taken_is_kept() -> None:
    engine = Engine(Oven().setup(HOT), Level.WATCH)
    async with engine.session():
        engine.watching.poll()
        await engine.watching.pause()
        await engine.watching.rest()  # deposed just now
        engine.watching.resume()
        assert not engine.watching.polls
        await engine.watching.pause()
        engine.watching.poll()
        assert not engine.watching.polls
        engine.watching.resume()
        assert engine.watching.polls
        await engine.watching.rest()


def test_a_config_that_was_changed_between_two_starts_goes_on_with_what_was(open_engine: Open, path: Path) -> None:
    first = open_engine(Oven(heat=60.0))
    eventually(lambda: [each.state for each in first.feed.peek().alerts] == ["firing"])
    since = first.feed.peek().alerts[0].since
    leaves(first)
    second = open_engine(Oven(heat=60.0), "ben", watched="and more")
    eventually(lambda: [(each.state, each.since) for each in second.feed.peek().alerts] == [("firing", since)])
    eventually(lambda: ("alert", "firing") in kinds(path))
    leaves(second)
    third = open_engine(Oven(heat=60.0), "cleo", watched="less", rules=())
    eventually(lambda: [each.state for each in third.feed.peek().alerts] == ["resolved"], says="its rule is gone")
    eventually(lambda: kinds(path) == [("alert", "firing"), ("alert", "resolved")])


def test_two_configs_on_one_journal_leave_each_others_alerts_alone(open_engine: Open, path: Path) -> None:
    first = open_engine(Oven(heat=60.0))
    eventually(lambda: [each.state for each in first.feed.peek().alerts] == ["firing"])
    second = open_engine(Oven(heat=60.0), "ben", watched="less", rules=())
    sits(second, "leads")
    assert seat(first).role == "leads"
    eventually(lambda: first.part.others and second.part.others)
    assert second.feed.peek().alerts == ()
    leaves(second)
    eventually(lambda: not first.part.others)
    assert [each.state for each in first.feed.peek().alerts] == ["firing"]
    assert ("alert", "resolved") not in kinds(path)


# --- what is recorded ------------------------------------------------------------------------------------------------------


def kinds(path: Path) -> list[tuple[str, str]]:
    with contextlib.closing(Journal(path)) as journal:
        return [(entry.kind, entry.data.get("alert", {}).get("state", "")) for entry in journal.entries()]


def test_the_one_who_polls_writes_alerts_and_changes_once(open_engine: Open, path: Path) -> None:
    change = (Change("d1", SystemClock().utc() - 80, "deployment", Shown("deploy 9f3c2a1")),)
    first = Oven(heat=60.0, changes=change)
    sits(open_engine(first), "leads")
    follower = open_engine(Oven(), "ben")
    eventually(lambda: [each.severity for each in follower.feed.peek().alerts] == ["P2"])
    eventually(lambda: ("change", "") in kinds(path) and ("alert", "firing") in kinds(path))
    first.heat = 20.0
    eventually(lambda: ("alert", "resolved") in kinds(path))
    assert sorted(kinds(path)) == [("alert", "firing"), ("alert", "resolved"), ("change", "")]


def test_readings_are_there_to_go_back_to_in_every_process_and_after_a_restart(open_engine: Open) -> None:
    first = Oven(heat=60.0)
    leader = open_engine(first)
    sits(leader, "leads")
    follower = open_engine(Oven(), "ben")
    sits(follower, "follows")

    def before() -> float | None:
        now = SystemClock().utc()
        store = follower.part.recording.store if follower.part.recording else None
        moments = store.moments(now - 60, now) if store else ()
        if not store or len(moments) < 6:  # of two targets with one signal a row may keep one value
            return None
        (state, *_) = store.past(moments[-1]).states["oven"]
        return state.good.value("heat") if state.good else None

    eventually(lambda: before() == 60.0)
    leaves(leader)
    leaves(follower)
    again = open_engine(Oven(), "cleo", interval=60.0)

    def known() -> int:
        return len(again.history.points("oven", "heat", 600, SystemClock().utc()))

    eventually(lambda: known() > 3, says=lambda: f"{known()} values are known")


def test_what_others_see_of_an_alert_stands_in_the_journal(
    open_engine: Open, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one who polls may be killed at any moment, and the next goes on with the alert as it was shared: it says no more that
    it fired."""
    say, holds = Journal.say, threading.Event()

    def slowly(journal: Journal, at: float, who: str, said: Said, *more: Any) -> object:
        if said.kind == "alert":
            holds.wait(0.3)
        return say(journal, at, who, said, *more)

    monkeypatch.setattr(Journal, "say", slowly)
    first = Oven()
    sits(open_engine(first), "leads")
    follower = open_engine(Oven(), "ben")
    sits(follower, "follows")
    first.heat = 60.0
    eventually(lambda: [each.state for each in follower.feed.peek().alerts] == ["firing"])
    assert ("alert", "firing") in kinds(path)


def test_what_fired_just_before_the_lease_is_given_up_stands_in_the_journal(
    open_engine: Open, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next one takes what was shared for said."""
    say, slow, goes_on = Journal.say, threading.Event(), threading.Event()

    def slowly(journal: Journal, at: float, who: str, said: Said, *more: Any) -> object:
        if said.kind == "alert":
            slow.set()
            goes_on.wait(LONG)
        return say(journal, at, who, said, *more)

    monkeypatch.setattr(Journal, "say", slowly)
    leader = open_engine(Oven(heat=60.0))
    sits(leader, "leads")
    follower = open_engine(Oven(heat=60.0), "ben")
    assert slow.wait(LONG)
    monkeypatch.setattr(engine_module, "STOPS", 0.3)
    leader.step_down()
    goes_on.set()
    sits(follower, "leads")
    fires(follower)
    eventually(lambda: kinds(path) == [("alert", "firing")], says=lambda: str(kinds(path)))


def test_a_change_that_was_written_down_is_not_written_again_after_a_restart(open_engine: Open, path: Path) -> None:
    change = (Change("d1", SystemClock().utc() - 80, "deployment", Shown("deploy 9f3c2a1")),)
    first = open_engine(Oven(changes=change))
    eventually(lambda: ("change", "") in kinds(path))
    leaves(first)
    oven = Oven(changes=change)
    open_engine(oven, "ben")
    eventually(lambda: oven.asked > 6)
    oven.changes = (*change, Change("d2", SystemClock().utc() - 20, "deployment", Shown("deploy 1c0ffee")))
    eventually(lambda: kinds(path).count(("change", "")) > 1)
    assert kinds(path).count(("change", "")) == 2, "the new one"


def test_what_another_wrote_down_while_it_led_is_not_written_again(open_engine: Open, path: Path) -> None:
    now = SystemClock().utc()
    old = Change("d0", now - 30 * 86400, "deployment", Shown("deploy of last month"))
    first, next_ = Oven(), Oven(changes=(old,))
    leader = open_engine(first)
    sits(leader, "leads")
    follower = open_engine(next_, "ben")
    sits(follower, "follows")
    eventually(lambda: follower.part.recording is not None and follower.part.recording.store is not None)
    first.changes = next_.changes = (old, Change("d1", now - 80, "deployment", Shown("deploy 9f3c2a1")))
    eventually(lambda: ("change", "") in kinds(path))
    leaves(leader)
    sits(follower, "leads")
    asked = next_.asked
    eventually(lambda: next_.asked > asked + 6)
    next_.changes = (*next_.changes, Change("d2", now - 20, "deployment", Shown("deploy 1c0ffee")))
    eventually(lambda: kinds(path).count(("change", "")) > 1)
    assert kinds(path).count(("change", "")) == 2, "and what is of long before is no news"


def test_a_deposed_one_writes_nothing_of_what_it_still_sees(open_engine: Open, path: Path) -> None:
    oven = Oven()
    leader = open_engine(oven, interval=0.1)
    sits(leader, "leads")
    with sqlite3.connect(path) as other:
        other.execute("UPDATE lease SET epoch = epoch + 1, holder = 'thief', who = 'thief', beat = beat + 3600")
    oven.heat = 90.0
    sits(leader, "follows")
    eventually(lambda: leader.part.recording is not None and leader.part.recording.store is not None)
    assert kinds(path) == [], "the alert that it saw before it knew is another's to write"
