"""The desk over any sequence of what happens and what is said: what must hold whatever comes."""

from __future__ import annotations

from itertools import combinations

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from msgspec.structs import replace

from tests.clocks import START
from tests.engine.some_alerts import alert, entry
from tui.engine.alert import Alert, Severity, State
from tui.engine.desk import AGAIN, Desk
from tui.engine.entries import Acknowledged, AlertMoved, Said, Unacknowledged
from tui.engine.journal import Entry

LINES = {"a": "web", "b": "web", "c": "web", "d": "db"}
"""Alerts and what they are about: two lines, if all are there (that some begin together is test_folds.py's subject)."""
names = st.sampled_from([*LINES])


class AckLife(RuleBasedStateMachine):
    """Alerts begin, rise and end; people take them on and give them back; the one who polls says what comes back.

    The model keeps of each life of an alert only what a person last said of it; the rest is what must hold.
    """

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.alerts: dict[str, Alert] = {}
        self.entries: list[Entry] = []
        self.desk = Desk()
        self.taken: dict[str, tuple[float, str]] = {}
        """By alert: when a person last took it on in this life, and how bad it was; nothing where it was given back since."""
        self.given: set[str] = set()
        self.back: dict[str, list[float]] = {"web": [], "db": []}
        """By line: when it went from answered to unanswered by itself, though somebody had taken it on."""
        self.stood: list[tuple[float, str, set[str]]] = []
        """The same with how bad the worst was that brought it back, and the alerts that stood in it then and still do: once
        they have all ended, it is another line."""

    def say(self, said: Said, who: str = "anna") -> None:
        found = entry(said, self.now, who, id_=len(self.entries) + 1)
        self.entries.append(found)
        self.desk.apply(found)

    def look(self, desk: Desk | None = None) -> tuple[Alert, ...]:
        return (desk or self.desk).dress(self.alerts.values(), (), START + self.now)[0]

    def poll(self) -> None:
        """What the one who polls does with every judgement."""
        _, folds = self.desk.dress(self.alerts.values(), (), START + self.now)
        for said in self.desk.coming_back(folds, START + self.now):
            line = LINES[said.alerts[0][0]]
            if not any(each.wants_answer for fold in folds for each in fold.alerts if LINES[each.fingerprint] == line):
                self.back[line].append(self.now)
                worst = min(self.alerts[name].severity for name, _ in said.alerts)
                self.stood.append((self.now, worst, set(said.fold)))
            self.say(said, "watchfloor")

    # --- what happens ---------------------------------------------------------------------------------------------------

    @rule(seconds=st.sampled_from([1.0, 30.0, 300.0, AGAIN]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        self.poll()

    @rule(name=names, severity=st.sampled_from(["P0", "P1", "P2"]), state=st.sampled_from(["pending", "firing"]))
    def it_is_so(self, name: str, severity: Severity, state: State) -> None:
        """It begins, or is as bad as this now; what fires does not become pending."""
        self.now += 1
        before = self.alerts.get(name)
        if before is None:
            self.alerts[name] = alert(name, self.now, severity, state, target=LINES[name], stretch=float(ord(name)))
        else:
            fired = before.fired_at or (START + self.now if state == "firing" else None)
            self.alerts[name] = replace(before, severity=severity, state="firing" if fired else "pending", fired_at=fired)
        self.poll()

    @precondition(lambda self: self.alerts)
    @rule(data=st.data(), told=st.booleans())
    def it_ends(self, data: st.DataObject, told: bool) -> None:
        """It ends; whether or not that comes through the journal before it begins again."""
        name = data.draw(st.sampled_from(sorted(self.alerts)))
        self.now += 1
        ended = replace(self.alerts.pop(name), state="resolved", ended=START + self.now)
        if told:
            self.say(AlertMoved(ended, "firing"), "watchfloor")
        self.taken.pop(name, None)
        self.given.discard(name)
        for *_, members in self.stood:
            members.discard(name)
        self.now += 1
        self.poll()

    # --- what is said -----------------------------------------------------------------------------------------------------

    @rule(chosen=st.sets(names, min_size=1))
    def taken_on(self, chosen: set[str]) -> None:
        there = [self.alerts[name] for name in sorted(chosen & self.alerts.keys())]
        if there:
            self.now += 1
            self.say(Acknowledged(tuple((each.fingerprint, each.severity) for each in there)))
            self.taken.update({each.fingerprint: (self.now, each.severity) for each in there})
            self.given -= chosen
            self.poll()

    @rule(chosen=st.sets(names, min_size=1))
    def given_back(self, chosen: set[str]) -> None:
        there = chosen & self.alerts.keys()
        if there:
            self.now += 1
            self.say(Unacknowledged(tuple(sorted(there))))
            self.given |= there
            for name in there:
                self.taken.pop(name, None)
            self.poll()

    # --- what must hold -----------------------------------------------------------------------------------------------------

    @invariant()
    def what_was_taken_on_and_did_not_rise_is_answered(self) -> None:
        for each in self.look():
            taken = self.taken.get(each.fingerprint)
            if taken and each.severity >= taken[1] and not each.came_back:
                assert each.acked_by == "anna", each.fingerprint

    @invariant()
    def what_was_given_back_is_not(self) -> None:
        for each in self.look():
            if each.fingerprint in self.given and each.state == "firing":
                assert each.wants_answer, each.fingerprint

    @invariant()
    def nobody_answers_for_a_line_that_nobody_took_on(self) -> None:
        for each in self.look():
            if each.acked_by:
                assert any(LINES[name] == LINES[each.fingerprint] for name in self.taken), each.fingerprint

    @invariant()
    def a_line_comes_back_by_itself_once_in_ten_minutes_but_for_worse(self) -> None:
        for (before, was, those), (after, now, these) in combinations(self.stood, 2):
            assert after - before >= AGAIN or not those & these or now < was, (before, those, after, these)

    @invariant()
    def nothing_new_is_quiet_for_longer_than_that(self) -> None:
        for each in self.look():
            taken = self.taken.get(each.fingerprint)
            risen = taken is not None and each.severity < taken[1]
            last = max(self.back[LINES[each.fingerprint]], default=-AGAIN)
            if each.state == "firing" and (taken is None or risen) and self.now - last >= AGAIN:
                assert each.wants_answer, each.fingerprint

    @invariant()
    def whoever_reads_the_record_says_the_same(self) -> None:
        other = Desk()
        for each in self.entries:
            other.apply(each)
        assert self.look(other) == self.look()
        assert self.desk.dress(self.look(), (), START + self.now)[0] == self.look()


AckLife.TestCase.settings = settings(
    max_examples=80, stateful_step_count=50, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate)
)
TestAckLife = AckLife.TestCase
