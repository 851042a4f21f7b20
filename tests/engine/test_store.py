"""The readings on disk: what was written comes back as it was, at any moment, in no more room than it needs."""

from __future__ import annotations

import math
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tests.clocks import START, DrivenClock
from tests.watched import Service, latency, opened, reading, record, state
from tui.engine.alert import Alert
from tui.engine.entries import AlertMoved, Marked
from tui.engine.escalation import Escalation
from tui.engine.feed import ProbeState
from tui.engine.follow import share, shared_since
from tui.engine.history import History
from tui.engine.journal import Journal
from tui.engine.judge import Judgement
from tui.engine.lease import Lease
from tui.engine.panel import Judged
from tui.engine.reading import Change, Reading, Row, Status, series_key
from tui.engine.secrets import known_values
from tui.engine.silences import Silence
from tui.engine.store import Store, StoreError
from tui.engine.term import Holder, Term
from tui.engine.text import Shown

MINUTE = START - START % 60
LATENCY = 'latency{endpoint="e1"}'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "journal.sqlite"


@pytest.fixture
def clock() -> DrivenClock:
    return DrivenClock()


@pytest.fixture
def store(path: Path, clock: DrivenClock) -> Iterator[Store]:
    store = opened(path, clock)
    yield store
    store.close()


def rows(path: Path, sql: str) -> list[tuple[object, ...]]:
    """What another program finds in the file."""
    with sqlite3.connect(path) as other:
        return other.execute(sql).fetchall()


# --- what was written comes back -----------------------------------------------------------------------------------------


def test_every_moment_comes_back_as_it_was(store: Store) -> None:
    service = Service(5, MINUTE)
    seen = {}
    for second in range(150):
        at = MINUTE + second
        service.failing = frozenset({2}) if 40 <= second < 90 else frozenset()
        states, judgement = service.until(at), service.judgement(at)
        store.write(states, judgement, at)
        seen[at] = states["health"], judgement.judged
    for at, (health, judged) in seen.items():
        past = store.past(at + 0.4)
        assert past.recorded == at
        assert [each.reading for each in past.states["health"]] == [each.reading for each in health], at
        assert [each.good for each in past.states["health"]] == [each.good for each in health], at
        assert past.judgement.judged == judged


def test_a_step_changes_what_changed_and_a_full_set_comes_each_minute(store: Store, path: Path) -> None:
    record(store, Service(20, MINUTE), MINUTE, MINUTE + 180)
    found = rows(path, "SELECT at, whole, length(data) FROM reading ORDER BY id")
    assert [at for at, whole, _ in found if whole] == [MINUTE, MINUTE + 60, MINUTE + 120]
    one_reading = 700  # a health reading in full, as MessagePack
    changed = [int(str(size)) for _, whole, size in found if not whole]
    assert max(changed) < 4 * one_reading / 2, "four endpoints a second, each in well under half of its room"


def test_what_has_not_changed_is_not_written(store: Store) -> None:
    states = Service(3, MINUTE).until(MINUTE)
    assert store.write(states, Judgement(MINUTE), MINUTE)
    assert not store.write(states, Judgement(MINUTE + 1), MINUTE + 1)
    assert store.moments(0, math.inf) == [MINUTE]


def test_a_failed_poll_keeps_the_last_good_figures(store: Store) -> None:
    good = reading(1, MINUTE)
    failed = replace(reading(1, MINUTE + 5, Status.FAILING), rows=(), signals=())
    store.write({"health": [state(good, 1.0)]}, Judgement(MINUTE), MINUTE)
    store.write({"health": [state(failed, 1.0, good=good)]}, Judgement(MINUTE + 5), MINUTE + 5)
    (now,) = store.past(MINUTE + 6).states["health"]
    assert (now.reading, now.good, now.good_at) == (failed, good, MINUTE)


def test_a_good_and_a_failed_poll_between_two_rows_are_both_known(store: Store) -> None:
    first, good = reading(1, MINUTE), reading(1, MINUTE + 5)
    failed = replace(reading(1, MINUTE + 6, Status.FAILING), rows=(), signals=())
    store.write({"health": [state(first, 1.0)]}, Judgement(MINUTE), MINUTE)
    store.write({"health": [state(failed, 1.0, good=good)]}, Judgement(MINUTE + 6), MINUTE + 6)
    (now,) = store.past(MINUTE + 7).states["health"]
    assert (now.reading, now.good) == (failed, good)
    assert [at for at, _ in store.past(MINUTE + 7).history.points("health", LATENCY, 60, MINUTE + 7)] == [MINUTE, MINUTE + 5]


def test_rows_that_come_go_and_change_places(store: Store) -> None:
    def with_rows(at: float, *keys: str) -> Reading:
        return Reading("db", "db", "sessions", at, 0.1, Status.OK, rows=tuple(Row(key, {"at": at, "n": 0}) for key in keys))

    takes = [("a", "b", "c"), ("c", "a"), ("c", "d", "a"), (), ("a",), ("b", "a")]
    for place, keys in enumerate(takes):
        at = MINUTE + place
        store.write({"db": [state(with_rows(at, *keys), at)]}, Judgement(at), at)
    for place, keys in enumerate(takes):
        at = MINUTE + place
        assert store.past(at).states["db"][0].reading == with_rows(at, *keys)


def test_freshness_is_of_then(store: Store) -> None:
    record(store, Service(3, MINUTE), MINUTE, MINUTE + 30)
    past = store.past(MINUTE + 29)
    assert not any(each.stale(past.monotonic) for each in past.states["health"])
    later = store.past(MINUTE + 600)  # nothing was recorded since: what stood then is old by now
    assert all(each.stale(later.monotonic) for each in later.states["health"])


def test_while_a_clock_had_jumped_nothing_was_fresh(store: Store) -> None:
    known = state(reading(1, MINUTE), 1.0)
    store.write({"health": [known]}, Judgement(MINUTE), MINUTE)
    store.write({"health": [replace(known, good_at=None)]}, Judgement(MINUTE), MINUTE + 1)
    assert store.past(MINUTE + 2).states["health"][0].stale(MINUTE + 2)


def test_of_what_is_not_recorded_everything_is_unknown(store: Store) -> None:
    assert store.span() is None
    for _ in range(2):
        past = store.past(MINUTE - 5)
        (nothing,) = past.states["health"]
        assert isinstance(nothing, ProbeState)
        assert (nothing.reading, nothing.stale(past.monotonic), past.recorded) == (None, True, None)
        assert past.history.spark("health", LATENCY, 10, MINUTE).values == (None,) * 10
        store.write(Service(1, MINUTE).until(MINUTE), Judgement(MINUTE), MINUTE)
    assert store.span() == (MINUTE, MINUTE)


def test_alerts_stand_as_they_stood(store: Store) -> None:
    alert = Alert("f1", "slow", "health", "latency", (), "P1", "pending", 0.6, 0.5, "s", "above", MINUTE)
    service = Service(2, MINUTE)
    takes = [(alert,), (replace(alert, state="firing", fired_at=MINUTE + 1),), ()]
    takes[1:1] = [(replace(alert, value=0.7),)]
    for second, alerts in enumerate(takes):
        service.alerts = alerts
        store.write(service.until(MINUTE + second), service.judgement(MINUTE + second), MINUTE + second)
    found = [store.past(MINUTE + second).judgement for second in range(4)]
    assert [[each.state for each in judgement.alerts] for judgement in found] == [["pending"], ["pending"], ["firing"], []]
    assert [fold.alerts for fold in found[2].folds] == [found[2].alerts]


def test_a_signal_that_is_no_longer_judged_is_not(store: Store) -> None:
    states = Service(1, MINUTE).until(MINUTE)
    store.write(states, Judgement(MINUTE, {"health": {"a": Judged(Status.OK), "b": Judged(Status.FAILING)}}), MINUTE)
    store.write(states, Judgement(MINUTE, {"health": {"b": Judged(Status.OK)}}), MINUTE + 1)
    assert store.past(MINUTE + 1).judgement.judged == {"health": {"b": Judged(Status.OK)}}


def test_silences_clocks_and_maintenance_stand_as_they_stood(store: Store) -> None:
    states = Service(1, MINUTE).until(MINUTE)
    silence = Silence("s1", "silence", MINUTE, MINUTE + 600, Shown("anna"), Shown("deploying"))
    clock = Escalation("f1", Shown("backup"), due=MINUTE + 300)
    takes = [
        Judgement(MINUTE),
        Judgement(MINUTE + 1, silences=(silence,), escalations=(clock,), maintenance={"health": Shown("until 04:00Z")}),
        Judgement(MINUTE + 2, escalations=(clock,), suspected={"d1": Shown("errors rise 80s after")}),
    ]
    for judgement in takes:
        store.write(states, judgement, judgement.at)
    for judgement in takes:
        assert store.past(judgement.at).judgement == judgement


# --- signals -------------------------------------------------------------------------------------------------------------


def test_the_hour_before_a_moment_is_there_and_nothing_after_it(store: Store) -> None:
    service = Service(2, MINUTE)
    live = History()
    for second in range(0, 1200, 5):
        at = MINUTE + second
        for each in service.until(at)["health"]:
            if each.reading:
                live.record(each.reading)
        store.write(service.until(at), service.judgement(at), at)
    for second in (7, 61, 300, 1194):
        at = MINUTE + second
        past = store.past(at)
        points = past.history.points("health", LATENCY, 3600, at)
        assert points == [
            pair for pair in live.points("health", LATENCY, 3600, MINUTE + 1200) if pair[0] <= (past.recorded or 0)
        ]
    assert past.recorded == MINUTE + 1190
    at = past.recorded
    assert past.history.spark("health", LATENCY, 16, at) == live.spark("health", LATENCY, 16, at)


def test_some_signals_over_any_stretch(store: Store) -> None:
    record(store, Service(2, MINUTE), MINUTE, MINUTE + 601)
    at = [MINUTE + 2.5 + 5 * turn for turn in range(120)]
    known = [(each, latency(1, each)) for each in at if MINUTE + 60 < each <= MINUTE + 360]
    found = store.signals("health", [LATENCY, "nothing"], MINUTE + 60, MINUTE + 360)
    assert list(zip(*found[LATENCY], strict=True)) == known
    assert len(found["nothing"][0]) == 0


def test_after_a_restart_history_goes_on_where_it_was(store: Store, path: Path, clock: DrivenClock) -> None:
    service = Service(3, MINUTE)
    service.changes = (Change("d1", MINUTE, "deployment", Shown("deploy 9f3c2a1")),)
    record(store, service, MINUTE, MINUTE + 150)
    store.close()
    again = opened(path, clock)
    history = History()
    history.record(reading(1, MINUTE + 150))  # what was polled before the record was read
    again.restore(history, MINUTE + 150)
    at = [each for each, _ in history.points("health", LATENCY, 3600, MINUTE + 150)]
    assert len(at) == 32
    assert at == sorted(set(at))
    assert [each.key for each in history.changes(3600, MINUTE + 150)] == ["d1"]
    assert history.span("health", MINUTE + 150) == 300
    record(again, service, MINUTE + 150, MINUTE + 200)
    points = again.past(MINUTE + 199).history.points("health", LATENCY, 3600, MINUTE + 199)
    assert len(points) == 41, "the minute that the first one did not finish is whole"
    again.close()


# --- the way there -------------------------------------------------------------------------------------------------------


def test_moments_of_everything_and_of_a_panel(store: Store) -> None:
    health = [state(reading(1, MINUTE + second), 1.0) for second in (0, 2)]
    for second in range(4):
        jobs = state(reading(2, MINUTE + second, panel="jobs"), 1.0)
        store.write({"health": [health[second // 2]], "jobs": [jobs]}, Judgement(MINUTE), MINUTE + second)
    assert store.moments(MINUTE, MINUTE + 10) == [MINUTE, MINUTE + 1, MINUTE + 2, MINUTE + 3]
    assert store.moments(MINUTE, MINUTE + 10, "health") == [MINUTE, MINUTE + 2]
    assert store.moments(MINUTE + 1, MINUTE + 2, "jobs") == [MINUTE + 1, MINUTE + 2]
    assert store.moments(MINUTE, MINUTE + 10, "none") == []


def test_marks_are_alerts_and_changes(store: Store, path: Path) -> None:
    journal = Journal(path)
    alert = Alert("f1", "slow", "health", "latency", (("endpoint", "e1"),), "P1", "firing", 1.0, 0.5, "s", "above", 1.0)
    journal.say(10.0, "", AlertMoved(replace(alert, state="pending"), "inactive"))
    journal.say(20.0, "", AlertMoved(alert, "pending"))
    journal.say(25.0, "", AlertMoved(replace(alert, severity="P0"), "firing", "P1"))
    journal.say(30.0, "", AlertMoved(replace(alert, state="resolved"), "firing"))
    journal.say(40.0, "ben", Marked(Change("m", 15.0, "mark", Shown("flag on"))))
    found = [(each.at, each.kind, each.title) for each in store.marks(0, 50)]
    assert found == [(15.0, "change", "flag on"), (20.0, "fired", "slow e1"), (30.0, "resolved", "slow e1")]
    journal.close()


# --- who else has the file -------------------------------------------------------------------------------------------------


def test_entries_and_readings_share_a_file_that_nobody_else_may_read(store: Store, path: Path) -> None:
    journal = Journal(path)
    journal.append(1.0, "intent", "anna", {}, "d")
    record(store, Service(2, MINUTE), MINUTE, MINUTE + 5)
    assert len(journal.entries()) == 1
    for each in path.parent.iterdir():
        assert stat.S_IMODE(each.stat().st_mode) == 0o600, each.name
    journal.close()


def test_one_who_was_deposed_writes_nothing_and_can_go_on_later(store: Store, path: Path, clock: DrivenClock) -> None:
    class Deposed(Exception):
        pass

    def over(connection: sqlite3.Connection) -> None:
        raise Deposed

    service = Service(5, MINUTE)
    record(store, service, MINUTE, MINUTE + 70)
    with pytest.raises(Deposed):
        store.write(service.until(MINUTE + 70), service.judgement(MINUTE + 70), MINUTE + 70, over)
    assert store.moments(MINUTE + 70, math.inf) == []
    other = opened(path, clock)
    record(other, service, MINUTE + 70, MINUTE + 130)
    other.close()
    record(store, service, MINUTE + 130, MINUTE + 200)
    points = store.past(MINUTE + 199).history.points("health", LATENCY, 3600, MINUTE + 199)
    at = [each for each, _ in points]
    assert len(at) == 41
    assert at == sorted(set(at))
    for second in (69, 71, 129, 131, 199):
        past = store.past(MINUTE + second)
        assert past.problem == ""
        assert not any(each.stale(past.monotonic) for each in past.states["health"]), second


def test_two_configs_on_one_journal_are_told_apart(path: Path, clock: DrivenClock) -> None:
    one, two = Store(path, clock, watched="one"), Store(path, clock, watched="two")
    services = Service(2, MINUTE), Service(3, MINUTE)
    for second in range(100):
        for store, service in zip((one, two), services, strict=True):
            at = MINUTE + second
            store.write(service.until(at), service.judgement(at), at)
    assert len(one.past(MINUTE + 99).states["health"]) == 2
    assert len(two.past(MINUTE + 99).states["health"]) == 3
    one.close()
    two.close()


# --- secrets -------------------------------------------------------------------------------------------------------------


def test_what_must_not_stand_on_disk_does_not(store: Store, path: Path) -> None:
    secret = "hunter2-sehr-geheim"
    known_values.add(secret)
    statement = (Shown("SELECT * FROM users"), Shown("WHERE mail = 'anna@example.com' AND pin = 4711 -- jane@example.com"))
    row = Row(
        "8121@1",
        {"query": Shown("UPDATE users SET pin = 'anna@example.com'"), "error": Shown(f"password={secret}")},
        long={"last statement": statement, "error": (Shown(f"connect {secret}"),)},
    )
    cut = Row("8122@1", {}, long={"statement": (Shown("VALUES ('anna@exam…"), Shown("', 'anna@example.com')"))})
    taken = Reading("db", "db", "sessions", MINUTE, 0.1, Status.OK, rows=(row, cut), notes=(Shown(f"as {secret}"),))
    try:
        store.write({"db": [state(taken, 1.0)]}, Judgement(MINUTE), MINUTE)
        (now,) = store.past(MINUTE).states["db"]
    finally:
        known_values.discard(secret)
    assert now.reading is not None
    said = str(now.reading)
    for each in (secret, "anna@", "jane@", "4711"):
        assert each not in said
    assert now.reading.rows[0].long["last statement"] == ("SELECT * FROM users WHERE mail = ? AND pin = ?",)
    assert now.reading.rows[1].long["statement"] == ("VALUES ( …",)
    assert row.long["last statement"] == statement, "in memory it is whole"


def test_nor_in_what_is_shared_with_those_who_follow(path: Path, clock: DrivenClock) -> None:
    Journal(path).close()
    lease = Lease(path, "all", Holder("1", "anna", 4711, "dashboard"), clock, "boot")
    term = lease.seek()
    assert isinstance(term, Term)
    row = Row("8121@1", {}, long={"statement": (Shown("SELECT * FROM users WHERE mail = 'anna@example.com'"),)})
    taken = Reading("db", "db", "sessions", MINUTE, 0.1, Status.OK, rows=(row,))
    share(lease, term, [(("db", "db", "sessions"), state(taken, 1.0))], Judgement(MINUTE))
    shared = shared_since(lease, -1).states["db", "db", "sessions"]
    assert shared.good is shared.reading
    assert shared.reading is not None
    assert shared.reading.rows[0].long["statement"] == ("SELECT * FROM users WHERE mail = ?",)
    assert not any(b"anna@example.com" in each.read_bytes() for each in path.parent.iterdir())


def test_what_cannot_be_encoded_is_written_out(store: Store) -> None:
    odd = Row("key\ud800", {"n": 2**70, "text": Shown("x")})
    taken = replace(reading(1, MINUTE), rows=(odd,))
    labels = (("endpoint", "a\udfff"),)
    taken = replace(taken, signals=tuple(replace(each, labels=labels) for each in taken.signals))
    judged = {series_key("up", labels): Judged(Status.OK)}
    store.write({"health": [state(taken, 1.0)]}, Judgement(MINUTE, {"health": judged}), MINUTE)
    (now,) = store.past(MINUTE).states["health"]
    assert now.reading is not None
    assert now.reading.rows[0] == Row("key\\ud800", {"n": float(2**70), "text": Shown("x")})


# --- faults --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("whole", [0, 1])
def test_a_damaged_row_makes_its_moment_unknown_until_the_next_full_set(store: Store, path: Path, whole: int) -> None:
    record(store, Service(5, MINUTE), MINUTE, MINUTE + 130)
    at = MINUTE + 60 if whole else MINUTE + 70
    with sqlite3.connect(path) as other:
        other.execute("UPDATE reading SET data = X'C1FF00' WHERE at = ?", (at,))
        other.execute("UPDATE series SET data = X'00' WHERE start = ?", (MINUTE,))
    past = store.past(MINUTE + 75)
    assert "cannot be read" in past.problem
    assert past.states["health"][0].reading is None
    assert store.past(MINUTE + 125).problem == ""
    assert store.past(MINUTE + 50).problem == ""


def test_what_is_thinned_out_while_it_is_read_is_whole_all_the_same(
    store: Store, path: Path, clock: DrivenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full set and what changed after it are of one moment of the file: else a minute stood as it began, for as long as it
    was remembered."""
    service = Service(2, MINUTE)
    record(store, service, MINUTE, MINUTE + 130)
    other = opened(path, clock)
    before = other.past(MINUTE + 50).states
    clock.move(MINUTE + 3 * 3600 - clock.utc())
    extend = store.reader._extend

    def meanwhile(minute: Any) -> None:
        while store.age():
            pass
        extend(minute)

    monkeypatch.setattr(store.reader, "_extend", meanwhile)
    assert store.past(MINUTE + 50).states == before
    assert other.past(MINUTE + 130).step == 60, "it was thinned out"
    other.close()


def test_a_locked_file_says_so_and_the_next_row_is_a_full_set(store: Store, path: Path) -> None:
    service = Service(2, MINUTE)
    record(store, service, MINUTE, MINUTE + 3)
    store._connection.execute("PRAGMA busy_timeout=50")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="locked"):
        store.write(service.until(MINUTE + 3), service.judgement(MINUTE + 3), MINUTE + 3)
    assert "another process keeps the journal locked" in store.problem
    other.execute("ROLLBACK")
    other.close()
    states = service.until(MINUTE + 4)
    store.write(states, service.judgement(MINUTE + 4), MINUTE + 4)
    assert store.problem == ""
    assert [each.reading for each in store.past(MINUTE + 4).states["health"]] == [each.reading for each in states["health"]]


def test_a_newer_ones_file_is_refused(path: Path, clock: DrivenClock) -> None:
    Journal(path).close()
    with sqlite3.connect(path) as newer:
        newer.execute("PRAGMA user_version = 99")
    with pytest.raises(StoreError, match="newer Watchfloor"):
        opened(path, clock)
