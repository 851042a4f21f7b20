"""Every rule of agent-factory's and cliply's tables (systems.md) whose signal the five panels have, and the panels' own beside
them, from inactive to firing to resolved on a driven clock: with flapping, a gap and a restart in the middle.

The signals are made here; drive.py breaks what makes them.
"""

from __future__ import annotations

from typing import NamedTuple

import pytest

from tests.engine.test_rules import Watch
from tests.rules_driven.examples import rule_of, rules_of
from tui.engine.reading import Signal, Status, labels_of
from tui.engine.rules import Rule

STEP = 30.0
"""Seconds between two readings; each is fresh for 130."""
SLEEP = 600.0


class Case(NamedTuple):
    """A rule, a value at which all is well, and by severity one at which it is not; the mildest first."""

    system: str
    rule: str
    well: float
    bad: dict[str, float]
    labels: dict[str, str] = {}
    warm: float = 2 * STEP
    """Seconds for which it is measured well first."""

    def __str__(self) -> str:
        return f"{self.system}-{self.rule}"


AGENT_FACTORY = [
    Case("agent-factory", "HighErrorRate", 0.0005, {"P1": 0.007, "P0": 0.02}),
    Case("agent-factory", "SlowResponseTime", 0.3, {"P1": 1.5, "P0": 2.5}),
    Case("agent-factory", "ServiceDown", 1.0, {"P0": 0.0}, {"endpoint": "api"}),
    Case("agent-factory", "Uptime", 0.9995, {"P1": 0.98, "P0": 0.94}, {"endpoint": "api"}),
    Case("agent-factory", "DatabaseConnectionPoolHigh", 0.5, {"P1": 0.9, "P0": 0.97}),
    Case("agent-factory", "QueryTime", 0.05, {"P1": 0.6, "P0": 1.5}),
    Case("agent-factory", "RequestSurge", 10.0, {"P2": 30.0}, warm=4200.0),
    Case("agent-factory", "DatabaseSize", 0.5, {"P2": 0.85}),
    Case("agent-factory", "OpenAI", 0.99, {"P2": 0.9}, {"name": "openai"}),
    Case("agent-factory", "Anthropic", 0.99, {"P2": 0.9}, {"name": "anthropic"}),
    Case("agent-factory", "FailedDeployment", 0.0, {"P2": 1.0}),
]
CLIPLY = [
    Case("cliply", "HighErrorRate", 0.01, {"P0": 0.06}),
    Case("cliply", "SlowResponseTime", 1.0, {"P2": 6.0}),
    Case("cliply", "upload slow", 1.0, {"P1": 6.0}, {"route": "/api/upload/init"}),
    Case("cliply", "publish slow", 1.0, {"P1": 6.0}, {"route": "/api/publish/youtube"}),
    Case("cliply", "scan slow", 2.0, {"P2": 11.0}, {"route": "/api/cron/scan-schedules"}),
    Case("cliply", "ServiceDown", 1.0, {"P0": 0.0}, {"endpoint": "admin"}),
    Case("cliply", "PublishFailures", 3.0, {"P0": 11.0}),
    Case("cliply", "JobFailureRate", 0.04, {"P2": 0.12}, {"kind": "CLIP_RENDER"}),
    Case("cliply", "StuckJobs", 0.0, {"P1": 1.0}),
    Case("cliply", "NoWorker", 0.0, {"P1": 130.0}),
    Case("cliply", "OverdueSchedules", 30.0, {"P2": 150.0}),
    Case("cliply", "cron not run", 60.0, {"P1": 400.0}),
    Case("cliply", "PoolHigh", 0.4, {"P0": 0.85}),
    Case("cliply", "SlowQueries", 0.0, {"P2": 2.0}),
    Case("cliply", "FailedDeployment", 0.0, {"P2": 1.0}),
]
OURS = [
    Case("agent-factory", "DatabaseDown", 1.0, {"P0": 0.0}),
    Case("agent-factory", "PoolHigh", 0.5, {"P1": 0.9, "P0": 0.97}),
    Case("agent-factory", "SlowQueries", 0.0, {"P3": 1.0}),
    Case("agent-factory", "LongQueries", 0.0, {"P2": 1.0}),
    Case("agent-factory", "BlockedSessions", 0.0, {"P2": 1.0}),
    Case("agent-factory", "LockWait", 0.0, {"P1": 12.0}),
    Case("agent-factory", "IdleInTransaction", 0.0, {"P2": 70.0}),
    Case("agent-factory", "ReplicationLag", 1.0, {"P2": 31.0}),
    Case("cliply", "RequestSurge", 1.0, {"P2": 2.5}),
]
CASES = [*AGENT_FACTORY, *CLIPLY, *OURS]
ELSEWHERE = {
    ("agent-factory", "error budget"),  # test_rules_kinds.py: burn rates
    ("agent-factory", "no figures"),  # test_rules_kinds.py: absence
}
TWICE = {"Uptime", "DatabaseDown", "DatabaseConnectionPoolHigh", "DatabaseSize", "QueryTime", "LongQueries", "BlockedSessions"}
TWICE |= {"LockWait", "IdleInTransaction", "ReplicationLag"}
"""Panels' own rules that both systems have alike: driven once."""


def test_every_rule_of_both_systems_is_driven() -> None:
    there = {(system, rule.name) for system in ("agent-factory", "cliply") for rule in rules_of(system)}
    driven = {(case.system, case.rule) for case in CASES} | ELSEWHERE
    assert driven <= there
    assert {rule for rule in there - driven if rule[1] not in TWICE} == set()


class Drive:
    """One rule among all of its system's, and its series, reading by reading."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.rule: Rule = rule_of(case.system, case.rule)
        self.watch = Watch(*rules_of(case.system))
        self.told: list[tuple[str, str, str]] = []

    def reads(self, value: float) -> str:
        """The next reading; gives the alert's state."""
        one = Signal(self.rule.signal, value, labels=labels_of(self.case.labels))
        self.watch.after(STEP).sees(one, panel=self.rule.panel)
        return self.state

    @property
    def state(self) -> str:
        """Where the rule's alert stands, and no other rule's."""
        alerts = self.watch.book.alerts(self.watch.now)
        self.told += self.watch.moves()
        assert {each.rule for each in alerts} <= {self.rule.name}
        return alerts[0].state if alerts and alerts[0].open else "inactive"

    @property
    def severity(self) -> str:
        return self.watch.alert.severity

    def sleeps(self) -> None:
        """The machine sleeps; what is shown afterwards is not known."""
        before = self.state
        self.watch.asleep(SLEEP).looks(self.rule.panel)
        assert self.state == before, "a gap is evidence of nothing"
        assert self.watch.alert.unknown_since is not None or before == "inactive"
        assert self.watch.judged[self.watch.alert.key.partition(".")[2]].status > Status.OK, "unknown is never green"

    def restarts(self) -> None:
        """Another process goes on."""
        before = self.state
        self.watch = self.watch.restarts(after=20.0, history=self.watch.history)
        self.watch.looks(self.rule.panel)
        assert self.state == before

    def until(self, state: str, value: float, within: int = 40) -> int:
        """Readings of one value until the alert is there; gives how many."""
        for count in range(1, within + 1):
            if self.reads(value) == state:
                return count
        raise AssertionError(f"still {self.state}")


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_rule_from_inactive_to_resolved(case: Case) -> None:
    drive = Drive(case)
    rule, (mild, bad), worst = drive.rule, next(iter(case.bad.items())), list(case.bad.items())[-1]
    for _ in range(int(case.warm / STEP)):
        assert drive.reads(case.well) == "inactive"
    assert drive.told == []
    hold = next(level.hold for level in rule.levels if level.severity == mild)
    waits = hold > 0 or rule.in_a_row > 1
    windowed = rule.measure.reach > 0

    if waits:  # one bad reading is no alert
        assert drive.reads(bad) == "pending"
        assert drive.reads(case.well) == "inactive"
        assert drive.told == [("inactive", "pending", mild), ("pending", "resolved", mild)]
        drive.told.clear()

    # It begins; in the middle the machine sleeps and the process is another one.
    if windowed:
        drive.until("firing", bad)
    else:
        assert drive.reads(bad) == ("pending" if waits else "firing")
    drive.sleeps()
    drive.restarts()
    if waits:
        needed = max(hold / STEP + 1, rule.in_a_row - 1)
        assert drive.until("firing", bad) == pytest.approx(needed, abs=0.99), "time that was not measured does not count"
    assert drive.reads(bad) == "firing"
    expected = [("inactive", "pending", mild), ("pending", "firing", mild)] if waits else [("inactive", "firing", mild)]
    assert drive.told == expected
    drive.told.clear()
    assert drive.watch.alert.target == next(iter(case.labels.values()), "")

    # It gets worse, and nobody can tell any more.
    for _ in range(20):
        if drive.severity != worst[0]:
            assert drive.reads(worst[1]) == "firing"
    assert drive.severity == worst[0]
    assert drive.told == ([("firing", "firing", worst[0])] if worst[0] != mild else [])
    drive.told.clear()
    for _ in range(5):
        drive.watch.after(STEP).hears_nothing(rule.panel)
        assert drive.state == "firing", "a question that fails resolves nothing"
    drive.sleeps()
    drive.restarts()
    assert drive.told == []

    # It flaps, and is over.
    if rule.keep_firing_for:
        assert drive.reads(case.well) == drive.reads(bad) == "firing"
        assert drive.told == []
    readings = drive.until("inactive", case.well)
    assert readings * STEP > rule.keep_firing_for
    assert drive.told == [("firing", "resolved", worst[0])]
    assert drive.watch.alert.ended == drive.watch.now
