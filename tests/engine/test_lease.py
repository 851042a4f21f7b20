"""The lease: one holder at a time, whose writes stand only while its epoch does."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.clocks import DrivenClock
from tui.engine.journal import Journal
from tui.engine.lease import LOST, Lease
from tui.engine.term import Deposed, Holder, Kind, Leader, LeaseError, Term, fence

Make = Callable[..., Lease]


@pytest.fixture
def clock() -> DrivenClock:
    return DrivenClock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "journal.sqlite"
    Journal(made).close()
    return made


@pytest.fixture
def lease(path: Path, clock: DrivenClock) -> Make:
    def make(who: str = "anna", kind: Kind = "dashboard", watched: str = "all", boot: str = "boot") -> Lease:
        return Lease(path, watched, Holder(f"{who}-{kind}", who, 4711, kind), clock, boot)

    return make


def taken(lease: Lease) -> Term:
    term = lease.seek()
    assert isinstance(term, Term)
    return term


def led(lease: Lease) -> Leader:
    leader = lease.seek()
    assert isinstance(leader, Leader)
    return leader


def test_the_first_leads_and_the_second_learns_who(lease: Make) -> None:
    term = taken(lease("anna"))
    leader = led(lease("ben"))
    assert (leader.holder.named, leader.epoch, term.epoch) == ("anna, pid 4711", 1, 1)


def test_what_is_watched_has_a_leader_each(lease: Make) -> None:
    assert taken(lease("anna", watched="one")).epoch == taken(lease("ben", watched="another")).epoch == 1


def test_it_is_kept_by_heartbeats_and_lost_without(lease: Make, clock: DrivenClock) -> None:
    anna, ben = lease("anna"), lease("ben")
    term = taken(anna)
    for _ in range(10):
        clock.move(LOST - 0.1)
        anna.beat(term)
        assert isinstance(ben.seek(), Leader)
    clock.move(LOST + 0.1)
    assert taken(ben).epoch == 2
    with pytest.raises(Deposed):
        anna.beat(term)


def test_one_given_up_is_free_at_once_under_a_new_number(lease: Make) -> None:
    anna, ben = lease("anna"), lease("ben")
    anna.give_up(taken(anna))
    assert anna.look() is None
    assert taken(ben).epoch == 2


def test_giving_up_what_is_anothers_by_now_changes_nothing(lease: Make, clock: DrivenClock) -> None:
    anna, ben = lease("anna"), lease("ben")
    old = taken(anna)
    clock.move(3)
    new = taken(ben)
    anna.give_up(old)
    ben.beat(new)
    assert led(anna).holder.who == "ben"


def test_of_two_that_notice_the_loss_one_takes_over(lease: Make, clock: DrivenClock) -> None:
    taken(lease("anna"))
    ben, cleo = lease("ben"), lease("cleo")
    lost = led(ben)
    clock.move(3)
    assert ben.take_over(lost) == Term("all", 2, "ben-dashboard")
    assert cleo.take_over(lost) is None


def test_a_leader_that_speaks_at_the_last_moment_stays(lease: Make, clock: DrivenClock) -> None:
    anna, ben = lease("anna"), lease("ben")
    term = taken(anna)
    lost = led(ben)
    clock.move(3)
    anna.beat(term)
    assert ben.take_over(lost) is None
    anna.beat(term)


def test_a_heartbeat_of_another_boot_is_none(lease: Make, clock: DrivenClock) -> None:
    taken(lease("anna", boot="yesterday"))
    assert lease("ben", boot="today").look() is None
    assert taken(lease("ben", boot="today")).epoch == 2


def test_just_after_the_machine_began_nobody_has_asked_for_the_lease_yet(path: Path) -> None:
    anna = Lease(path, "all", Holder("a", "anna", 4711, "dashboard"), DrivenClock(monotonic=LOST / 2), "boot")
    duties = anna.beat(taken(anna))
    assert (duties.claimed, duties.followed) == (False, False)


def test_a_term_taken_by_a_call_that_nobody_waited_for_is_ours_all_the_same(lease: Make) -> None:
    anna = lease("anna")
    assert taken(anna) == taken(anna)


# --- some go before others --------------------------------------------------------------------------------------------------


def test_a_dashboard_hands_over_to_a_record(lease: Make) -> None:
    anna, ben, record = lease("anna"), lease("ben"), lease("watch", "record")
    term = taken(anna)
    assert not anna.beat(term).claimed
    assert led(record).holder.who == "anna"
    assert anna.beat(term).claimed
    anna.give_up(term)
    assert ben.seek() is None, "it is the record's to take"
    assert taken(record).epoch == 2
    assert led(ben).holder.kind == "record"


def test_a_record_that_asked_and_went_is_not_waited_for(lease: Make, clock: DrivenClock) -> None:
    anna, record = lease("anna"), lease("watch", "record")
    term = taken(anna)
    led(record)
    anna.give_up(term)
    assert anna.seek() is None
    clock.move(LOST + 0.1)
    assert taken(anna).epoch == 2


def test_a_record_does_not_hand_over_to_another(lease: Make) -> None:
    first, second = lease("watch", "record"), lease("other", "record")
    term = taken(first)
    led(second)
    assert not first.beat(term).claimed


def test_one_that_is_read_only_hands_over_to_a_dashboard(lease: Make) -> None:
    looker, other, anna = lease("lea", "watch"), lease("leo", "watch"), lease("anna")
    term = taken(looker)
    other.follows()
    assert not looker.beat(term).claimed, "another that tells nobody is no reason"
    assert led(anna).holder.who == "lea"
    assert looker.beat(term).claimed
    looker.give_up(term)
    assert (looker.seek(), other.seek()) == (None, None), "it is the dashboard's to take"
    term = taken(anna)
    other.follows()
    assert not anna.beat(term).claimed


def test_one_that_follows_asks_for_the_lease_each_time_it_says_so(lease: Make, clock: DrivenClock) -> None:
    looker, anna = lease("lea", "watch"), lease("anna")
    term = taken(looker)
    led(anna)
    for _ in range(4):
        clock.move(LOST - 0.1)
        looker.beat(term)
        anna.follows()
    assert looker.beat(term).claimed


def test_a_record_goes_before_the_dashboard_that_asks_too(lease: Make) -> None:
    looker, anna, record = lease("lea", "watch"), lease("anna"), lease("watch", "record")
    looker.give_up(taken(looker))
    term = taken(anna)
    led(record)
    assert anna.beat(term).claimed
    anna.give_up(term)
    assert (looker.seek(), anna.seek()) == (None, None)
    assert taken(record).epoch == 3


# --- followers -------------------------------------------------------------------------------------------------------------


def test_the_leader_learns_that_it_is_followed_and_what_is_wished(lease: Make, clock: DrivenClock) -> None:
    anna, ben = lease("anna"), lease("ben")
    term = taken(anna)
    assert anna.beat(term).followed is False
    ben.follows()
    for panel in ("web", None, "web"):
        ben.wish(panel)
    duties = anna.beat(term)
    assert (duties.followed, duties.wishes) == (True, ("web", None))
    clock.move(1)
    anna.beat(term)
    clock.move(1.5)
    duties = anna.beat(term)
    assert (duties.followed, duties.wishes) == (False, ())


# --- the fence -------------------------------------------------------------------------------------------------------------


def test_who_was_deposed_writes_nothing(lease: Make, clock: DrivenClock, path: Path) -> None:
    anna, ben = lease("anna"), lease("ben")
    old = taken(anna)
    clock.move(3)
    taken(ben)
    with pytest.raises(Deposed), anna.transaction(old) as connection:
        connection.execute("INSERT INTO wish (watched, panel) VALUES ('all', 'web')")
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT count(*) FROM wish").fetchone() == (0,)
        with pytest.raises(Deposed):
            fence(connection, old)


def test_what_fails_in_the_middle_is_not_there(lease: Make, path: Path) -> None:
    anna = lease("anna")
    term = taken(anna)
    with pytest.raises(LeaseError), anna.transaction(term) as connection:
        connection.execute("INSERT INTO wish (watched, panel) VALUES ('all', 'web')")
        connection.execute("INSERT INTO nowhere VALUES (1)")
    assert anna.beat(term).wishes == ()


def test_a_locked_file_is_said_to_be(lease: Make, path: Path) -> None:
    anna = lease("anna")
    term = taken(anna)
    with sqlite3.connect(path, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LeaseError, match="locked"):
            anna.beat(term)
        other.execute("ROLLBACK")
    anna.beat(term)


def test_a_journal_that_is_gone_is_not_made_anew(lease: Make, path: Path) -> None:
    path.unlink()
    with pytest.raises(LeaseError):
        lease("anna").seek()
    assert not path.exists()


# --- the whole of it, against a plain model ---------------------------------------------------------------------------------


class Contest(RuleBasedStateMachine):
    """Four processes beat, stop, look, give up and take over in any order while time passes."""

    names = st.sampled_from(["anna", "ben", "lea", "watch"])

    @initialize()
    def begin(self) -> None:
        import tempfile

        self.folder = tempfile.TemporaryDirectory()
        path = Path(self.folder.name) / "journal.sqlite"
        Journal(path).close()
        self.clock = DrivenClock()
        kinds: dict[str, Kind] = {"anna": "dashboard", "ben": "dashboard", "lea": "watch", "watch": "record"}
        self.leases = {
            name: Lease(path, "all", Holder(name, name, 1, kind), self.clock, "boot") for name, kind in kinds.items()
        }
        self.terms: dict[str, Term] = {}
        self.epochs: list[int] = []
        self.last: tuple[str, float] | None = None
        """Who leads by the model, and when it was last heard."""

    def won(self, name: str, term: Term) -> None:
        if self.terms.get(name) == term:
            return
        assert self.last is None or self.clock.boottime() - self.last[1] > LOST or self.last[0] == name
        self.epochs.append(term.epoch)
        self.terms[name] = term
        self.last = (name, self.clock.boottime())

    @rule(name=names)
    def seek(self, name: str) -> None:
        found = self.leases[name].seek()
        if isinstance(found, Term):
            self.won(name, found)
        elif found is not None:
            assert self.last and found.holder.id == self.last[0]

    @rule(name=names, seconds=st.floats(0.1, 3.0))
    def notices(self, name: str, seconds: float) -> None:
        lost = self.leases[name].look()
        self.clock.move(seconds)
        if lost is None or self.clock.boottime() - lost.beat <= LOST or lost.holder.id == name:
            return
        if term := self.leases[name].take_over(lost):
            self.won(name, term)

    @rule(name=names)
    def beat(self, name: str) -> None:
        term = self.terms.get(name)
        if term is None:
            return
        stands = self.last is not None and self.last[0] == name and term.epoch == self.epochs[-1]
        try:
            self.leases[name].beat(term)
        except Deposed:
            assert not stands
        else:
            assert stands
            self.last = (name, self.clock.boottime())

    @rule(name=names)
    def give_up(self, name: str) -> None:
        term = self.terms.get(name)
        if term is None:
            return
        self.leases[name].give_up(term)
        if self.last and self.last[0] == name and term.epoch == self.epochs[-1]:
            self.last = None
            del self.terms[name]

    @rule(seconds=st.floats(0.1, 5.0))
    def time_passes(self, seconds: float) -> None:
        self.clock.move(seconds)

    @invariant()
    def numbers_only_grow(self) -> None:
        epochs = getattr(self, "epochs", [])
        assert epochs == sorted(set(epochs))

    def teardown(self) -> None:
        for lease in getattr(self, "leases", {}).values():
            lease.close()
        if hasattr(self, "folder"):
            self.folder.cleanup()


TestContest = Contest.TestCase
TestContest.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
