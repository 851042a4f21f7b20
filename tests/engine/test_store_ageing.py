"""What was recorded grows old as it should, and never takes more room than it may."""

from __future__ import annotations

import math
import sqlite3
import statistics
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.clocks import START, DrivenClock
from tests.watched import Service, aged, latency, opened, reading, record, state
from tui.engine.alert import Alert
from tui.engine.entries import AlertMoved
from tui.engine.journal import Journal
from tui.engine.judge import Judgement
from tui.engine.panel import Judged
from tui.engine.reading import Status
from tui.engine.store import Store, StoreError
from tui.engine.store_ageing import Ageing

DAY, HOUR, MINUTE = 86400, 3600, 60
BEGIN = START - START % DAY
LATENCY = 'latency{endpoint="e1"}'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


@pytest.fixture
def clock() -> DrivenClock:
    return DrivenClock(BEGIN)


@pytest.fixture
def store(path: Path, clock: DrivenClock) -> Iterator[Store]:
    store = opened(path, clock)
    yield store
    store.close()


def at(clock: DrivenClock, moment: float) -> None:
    """Drives the clock to a moment."""
    clock.move(moment - clock.utc())


def steps(path: Path) -> Counter[int]:
    """How many rows stand for how many seconds."""
    with sqlite3.connect(path) as other:
        return Counter(dict(other.execute("SELECT step, count(*) FROM reading GROUP BY step")))


def test_over_a_month_it_is_full_then_by_minute_then_by_ten(path: Path, clock: DrivenClock, store: Store) -> None:
    service = Service(2, BEGIN)
    end = BEGIN + 32 * DAY + 12 * HOUR
    moment: float = BEGIN
    while moment < end:
        store.write(service.until(moment), service.judgement(moment), moment)
        at(clock, moment)
        left = end - moment
        moment += 5 if left <= 2 * HOUR else 60 if left <= 26 * HOUR else 600 if left <= 3 * DAY else HOUR
        if moment % (4 * HOUR) == 0:
            aged(store)
    at(clock, end)
    aged(store)
    ages: Counter[str] = Counter()
    for each in store.moments(0, math.inf):
        ages["hour" if each >= end - HOUR else "day" if each >= end - DAY else "month"] += 1
    assert ages["hour"] == 720, "each five seconds, all of it"
    assert ages["day"] == 23 * 60
    assert ages["month"] == 28 * 24 + 2 * 144, "31 days but the one that is kept by minute"
    assert steps(path)[0] in range(720, 733)
    oldest, newest = store.span() or (0, 0)
    assert end - oldest == pytest.approx(31 * DAY, abs=HOUR)
    assert newest == end - 5
    for back, least in ((10, 700), (2 * HOUR, 59), (2.5 * DAY, 5), (20 * DAY, 1)):
        past = store.past(end - back)
        assert past.problem == ""
        assert not any(each.stale(past.monotonic) for each in past.states["health"]), back
        points = past.history.points("health", LATENCY, HOUR, past.at)
        assert len(points) >= least, back
        assert [each for each, _ in points] == sorted({each for each, _ in points})
    assert store.past(end - 40 * DAY).states["health"][0].reading is None


def test_of_a_minute_the_worst_reading_stays_else_the_last(clock: DrivenClock, store: Store) -> None:
    service = Service(5, BEGIN)
    for second in range(180):
        moment = BEGIN + second
        service.failing = frozenset({2, 3}) if 70 <= second < 80 else frozenset()
        judgement = service.judgement(moment)
        if second == 75:
            judgement.judged["health"][LATENCY] = Judged(Status.DEGRADED)
        store.write(service.until(moment), judgement, moment)
    at(clock, BEGIN + 2 * HOUR)
    aged(store)
    assert store.moments(0, math.inf) == [BEGIN + 59, BEGIN + 119, BEGIN + 179]
    before, during, after = (store.past(each) for each in store.moments(0, math.inf))
    found = [each.reading.status for each in during.states["health"] if each.reading]
    assert found == [Status.OK, Status.OK, Status.FAILING, Status.FAILING, Status.OK]
    assert during.states["health"][0].reading == reading(0, BEGIN + 115)
    assert during.judgement.judged["health"][LATENCY].status is Status.DEGRADED
    assert not any(each.stale(during.monotonic) for each in during.states["health"])
    for past in (before, after):
        assert {each.reading.status for each in past.states["health"] if each.reading} == {Status.OK}
        assert past.judgement.judged["health"][LATENCY].status is Status.OK


def test_what_was_stale_in_its_minute_stays_so(clock: DrivenClock, store: Store) -> None:
    old = state(reading(1, BEGIN - 100), 0.0)
    store.write({"health": [old, state(reading(2, BEGIN), 0.0)]}, Judgement(BEGIN), BEGIN)
    at(clock, BEGIN + 2 * HOUR)
    aged(store)
    past = store.past(BEGIN + 10)
    assert [each.stale(past.monotonic) for each in past.states["health"]] == [True, False]
    later = store.past(BEGIN + 300)
    assert all(each.stale(later.monotonic) for each in later.states["health"]), "nothing was recorded since"


def test_an_alert_that_fired_within_the_minute_is_seen(clock: DrivenClock, store: Store) -> None:
    alert = Alert("f1", "slow", "health", "latency", (), "P1", "firing", 0.6, 0.5, "s", "above", BEGIN)
    service = Service(1, BEGIN)
    for second in range(60):
        service.alerts = (alert,) if 20 <= second < 40 else (replace(alert, state="resolved"),) if second >= 40 else ()
        store.write(service.until(BEGIN + second), service.judgement(BEGIN + second), BEGIN + second)
    at(clock, BEGIN + 2 * HOUR)
    aged(store)
    (found,) = store.past(BEGIN + 60).judgement.alerts
    assert found.state == "firing"


def test_signals_keep_their_mean_a_minute(clock: DrivenClock, store: Store) -> None:
    record(store, Service(2, BEGIN), BEGIN, BEGIN + HOUR)
    _, before = store.signals("health", [LATENCY], BEGIN + 600, BEGIN + 1200)[LATENCY]
    at(clock, BEGIN + 3 * HOUR)
    aged(store)
    points = store.past(BEGIN + HOUR).history.points("health", LATENCY, HOUR, BEGIN + HOUR)
    assert len(points) in (59, 60)
    moment, value = points[30]
    minute = moment // 60 * 60
    known = [latency(1, minute + 2.5 + 5 * turn) for turn in range(12)]
    assert value == pytest.approx(sum(known) / 12)
    _, after = store.signals("health", [LATENCY], BEGIN + 600, BEGIN + 1200)[LATENCY]
    assert statistics.mean(after) == pytest.approx(statistics.mean(before), rel=0.02)


def test_what_is_pinned_stays_in_full(path: Path, clock: DrivenClock, store: Store) -> None:
    service = Service(2, BEGIN)
    record(store, service, BEGIN, BEGIN + HOUR, every=2.5)
    full = store.moments(BEGIN + 1200, BEGIN + 1800)
    store.pin(BEGIN + 1200, BEGIN + 1500, "P1 slow")
    store.pin(BEGIN + 1400, BEGIN + 1800, "P0 down")
    for later in (2 * HOUR, 2 * DAY, 40 * DAY):
        at(clock, BEGIN + later)
        aged(store)
        assert store.moments(BEGIN + 1200, BEGIN + 1800) == full, later
    past = store.past(BEGIN + 1500)
    assert past.step == 0
    assert past.states["health"][0].reading == reading(0, BEGIN + 1500)
    assert len(past.history.points("health", LATENCY, 240, past.at)) == 48
    assert store.moments(BEGIN, BEGIN + 1000) == [], "the rest is gone after a month"


def test_pins_have_a_bound_of_their_own(path: Path, clock: DrivenClock) -> None:
    store = opened(path, clock, 2_000_000)
    end = BEGIN + HOUR / 2
    record(store, Service(20, BEGIN), BEGIN, end, every=2.0)
    store.pin(BEGIN, end, "a long one")
    at(clock, BEGIN + 3 * HOUR)
    aged(store)
    with sqlite3.connect(path) as other:
        (pinned,) = other.execute("SELECT sum(length(data)) FROM reading WHERE step = 0").fetchone()
        blocks = other.execute("SELECT sum(length(data)) FROM series WHERE step = 0").fetchone()[0]
    assert 150_000 < pinned + blocks <= 500_000
    assert store.past(end - 10).step == 0, "the end of it stays the longest"
    assert store.past(BEGIN + 100).step == MINUTE, "its beginning was thinned as the rest"
    store.close()


def test_it_never_takes_more_room_than_it_may(path: Path, clock: DrivenClock) -> None:
    size = 500_000
    store = opened(path, clock, size)
    journal = Journal(path)
    service = Service(20, BEGIN)
    largest = 0
    for minute in range(40):
        moment = BEGIN + minute * MINUTE
        journal.append(moment, "note", "anna", {"n": minute})
        record(store, service, moment, moment + MINUTE, every=2.0)
        at(clock, moment + MINUTE)
        aged(store)
        largest = max(largest, sum(each.stat().st_size for each in path.parent.iterdir() if "-shm" not in each.name))
    assert size / 2 < largest <= size
    oldest, newest = store.span() or (0, 0)
    assert newest > BEGIN + 39 * MINUTE
    assert oldest > BEGIN + 5 * MINUTE, "the oldest went first"
    assert not any(each.stale(newest) for each in store.past(newest).states["health"])
    assert len(journal.entries()) == 40, "entries stay"
    store.close()
    store = opened(path, clock, size // 2)
    aged(store)
    store.close()
    journal.close()
    assert path.stat().st_size <= size // 2, "given a smaller bound, the file shrinks"


def test_entries_go_only_for_want_of_room_and_after_a_year(path: Path, clock: DrivenClock) -> None:
    journal = Journal(path)
    alert = Alert("f1", "slow", "health", "latency", (), "P1", "firing", 0.6, 0.5, "s", "above", BEGIN)
    for day in range(0, 800, 2):
        journal.say(BEGIN + day * DAY, "", AlertMoved(replace(alert, link="https://runbook.example/" + "x" * 400), "pending"))
    at(clock, BEGIN + 800 * DAY)
    roomy = opened(path, clock)
    aged(roomy)
    roomy.close()
    assert len(journal.entries()) == 400
    tight = opened(path, clock, 200_000)
    aged(tight)
    tight.close()
    kept = [each.at for each in journal.entries()]
    assert min(kept) == BEGIN + 434 * DAY, "366 days are kept, whatever the size"
    assert len(kept) == 183
    with sqlite3.connect(path) as other, pytest.raises(sqlite3.DatabaseError, match="append-only"):
        other.execute("DELETE FROM entry")
    journal.close()


def test_a_file_of_before_can_shrink_from_now_on(path: Path, clock: DrivenClock) -> None:
    with sqlite3.connect(path) as old:
        old.execute("CREATE TABLE filler (x)")
        old.execute("DROP TABLE filler")
    old.close()
    journal = Journal(path)
    journal.append(1.0, "note", "anna", {})
    opened(path, clock).close()
    with sqlite3.connect(path) as other:
        assert other.execute("PRAGMA auto_vacuum").fetchone() == (2,)
    assert len(journal.entries()) == 1
    journal.append(2.0, "note", "anna", {})
    journal.close()


def test_what_is_damaged_does_not_stop_the_ageing(path: Path, clock: DrivenClock, store: Store) -> None:
    record(store, Service(5, BEGIN), BEGIN, BEGIN + 180)
    with sqlite3.connect(path) as other:
        other.execute("UPDATE reading SET data = X'C1' WHERE at = ?", (BEGIN + 30,))
        other.execute("UPDATE reading SET data = X'C1' WHERE at >= ? AND at < ?", (BEGIN + 60, BEGIN + 120))
        other.execute("UPDATE series SET data = X'C1'")
    at(clock, BEGIN + 3 * HOUR)
    aged(store)
    assert store.moments(0, math.inf) == [BEGIN + 29, BEGIN + 179], "of the second minute nothing could be read"
    assert store.past(BEGIN + 179).problem == ""


def test_a_slice_is_short_at_a_hundred_endpoints(path: Path, clock: DrivenClock) -> None:
    """It makes one set of one minute, and no more; how long that takes is nothing to go by on a machine that stands still."""
    store = opened(path, clock)
    record(store, Service(100, BEGIN), BEGIN, BEGIN + 180)
    at(clock, BEGIN + 2 * HOUR)
    left, dropped = [steps(path).total()], []
    while store.age():
        left.append(steps(path).total())
    dropped = [before - after for before, after in pairwise(left) if after < before]
    assert left[-1] == len(dropped) == 3
    assert max(dropped) <= 60
    store.close()


def test_two_may_age_one_file(path: Path, clock: DrivenClock, store: Store) -> None:
    record(store, Service(2, BEGIN), BEGIN, BEGIN + 600)
    other = opened(path, clock)
    at(clock, BEGIN + 3 * HOUR)
    assert isinstance(other.ageing, Ageing)
    while store.age() | other.age():
        pass
    assert len(store.moments(0, math.inf)) == 10
    other.close()


def test_a_file_that_cannot_grow_old_says_so_until_it_can(store: Store, path: Path, clock: DrivenClock) -> None:
    """Else it would grow past its bound, and nobody would know why."""
    record(store, Service(1, BEGIN), BEGIN, BEGIN + 90)
    at(clock, BEGIN + 2 * HOUR)
    store.ageing._connection.execute("PRAGMA query_only = on")
    with pytest.raises(StoreError, match="cannot be thinned: the file is read-only"):
        store.age()
    assert "cannot be thinned" in store.problem
    store.ageing._connection.execute("PRAGMA query_only = off")
    assert store.age()
    assert store.problem == ""
