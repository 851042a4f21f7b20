"""The one door: newest only, one wake-up, questions from any thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from typing import Any

import pytest
from msgspec.structs import replace

from tests.waiting import LONG
from tui.engine.alert import status_of
from tui.engine.ask import PollNow
from tui.engine.feed import Feed, Level, ProbeState, Snapshot
from tui.engine.history import History
from tui.engine.reading import Failure, Reading, Status
from tui.engine.text import Shown


def snapshot(number: int) -> Snapshot:
    return Snapshot(number, 0.0, 0.0, Shown("shop"), Shown("demo"), False, Level.WATCH)


def no_submit(work: Callable[[], Awaitable[Any]]) -> Future[Any]:
    raise AssertionError("nothing is asked here")


@pytest.fixture
def feed() -> Feed:
    return Feed(snapshot(0), History(), no_submit)


def test_a_newer_snapshot_replaces_an_unseen_one_and_wakes_once(feed: Feed) -> None:
    woken: list[int] = []
    feed.on_news(lambda: woken.append(feed.peek().number))
    for number in (1, 2, 3):
        feed.publish(snapshot(number))
    assert woken == [1]
    assert feed.newest().number == 3
    feed.publish(snapshot(4))
    assert woken == [1, 4]


def test_peeking_is_not_having_seen(feed: Feed) -> None:
    woken: list[int] = []
    feed.on_news(lambda: woken.append(1))
    feed.publish(snapshot(1))
    feed.peek()
    feed.publish(snapshot(2))
    assert len(woken) == 1


def test_nobody_needs_to_listen(feed: Feed) -> None:
    feed.publish(snapshot(1))
    feed.on_news(lambda: None)
    feed.on_news(None)
    feed.publish(snapshot(2))
    assert feed.newest().number == 2


def test_who_begins_to_listen_late_is_woken_by_the_next_news(feed: Feed) -> None:
    woken: list[int] = []
    feed.publish(snapshot(1))
    feed.on_news(lambda: woken.append(1))
    feed.publish(snapshot(2))
    assert woken == [1]


def test_the_one_who_is_woken_may_look_at_once(feed: Feed) -> None:
    """The wake-up is called without the lock: looking from within it does not hang."""
    seen: list[int] = []
    feed.on_news(lambda: seen.append(feed.newest().number))

    def twice() -> None:
        feed.publish(snapshot(1))
        feed.publish(snapshot(2))

    done = threading.Thread(target=twice, daemon=True)
    done.start()
    done.join(5)
    assert seen == [1, 2]


def test_a_question_is_answered_in_the_engines_loop_or_raises_there() -> None:
    loop = asyncio.new_event_loop()
    engine = threading.Thread(target=loop.run_forever, name="engine", daemon=True)
    engine.start()

    async def run(work: Callable[[], Awaitable[Any]]) -> Any:
        return await work()

    feed = Feed(snapshot(0), History(), lambda work: asyncio.run_coroutine_threadsafe(run(work), loop))

    async def answer(question: object) -> str:
        if question == PollNow("nothing"):
            raise LookupError("no such panel")
        return threading.current_thread().name

    feed.answers_with(answer)
    assert feed.ask(PollNow()).result(LONG) == "engine"
    with pytest.raises(LookupError, match="no such panel"):
        feed.ask(PollNow("nothing")).result(LONG)
    loop.call_soon_threadsafe(loop.stop)
    engine.join(5)
    loop.close()


def test_what_is_seen_does_not_change() -> None:
    with pytest.raises(AttributeError, match="immutable"):
        snapshot(1).number = 2  # type: ignore[misc]  # it is frozen


@pytest.mark.parametrize(
    ("severity", "status"),
    [("P0", Status.FAILING), ("P1", Status.FAILING), ("P2", Status.DEGRADED), ("P3", Status.DEGRADED)],
)
def test_what_a_severity_makes_of_a_panel(severity: Any, status: Status) -> None:
    assert status_of(severity) is status


def test_freshness_is_twice_the_interval_in_force_and_the_deadline() -> None:
    state = ProbeState("web", "look", 5.0, 3.0)
    assert (state.age(100.0), state.stale(100.0)) == (None, True)
    measured = replace(state, good_at=100.0)
    assert (measured.age(99.0), measured.age(113.0)) == (0.0, 13.0), "an age is never negative"
    assert not measured.stale(113.0)
    assert measured.stale(113.01)
    assert not replace(measured, interval=60.0).stale(220.0), "a slowed source is given longer"


def test_how_a_probe_stands_is_unknown_past_its_freshness_and_after_a_jump_of_a_clock() -> None:
    """Also where its answer failed without being called failing: the first of three failures of an endpoint."""
    well = Reading("api", "web", "look", 0.0, 0.1, Status.OK)
    once = replace(well, status=Status.DEGRADED, error=Failure("status", Shown("HTTP 503")))
    for reading in (well, once):
        state = ProbeState("web", "look", 5.0, 3.0, reading, reading, 100.0, read_at=100.0)
        assert (state.status(113.0), state.status(114.0)) == (reading.status, Status.UNKNOWN)
        assert replace(state, good_at=None, read_at=None).status(100.0) is Status.UNKNOWN
    failing = ProbeState("web", "look", 5.0, 3.0, replace(once, status=Status.FAILING), well, 100.0, read_at=110.0)
    assert failing.status(120.0) is Status.FAILING, "whatever its last good figures are"
