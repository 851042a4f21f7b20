"""The rule book beside a plain model, over any sequence of readings, gaps and restarts: an alert follows from the log alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from msgspec.structs import replace

from tests.clocks import START
from tui.engine.alert import Alert
from tui.engine.feed import ProbeState
from tui.engine.history import History
from tui.engine.panel import Threshold
from tui.engine.reading import Failure, Reading, Status, labels_of, series_key, signal
from tui.engine.rules import RESOLVED_SHOWN, Rule, RuleBook, fingerprint
from tui.engine.text import Shown

SERIES = ("CLIP_RENDER", "PUBLISH_TIKTOK")
FRESH_FOR = 25.0
"""Twice the interval of 10 s and the deadline of 5 s."""
values = st.one_of(st.none(), st.integers(0, 14).map(float))
severities = st.lists(st.sampled_from(["P0", "P1", "P2", "P3"]), min_size=1, max_size=3, unique=True)


@dataclass
class Look:
    """One look at a series. `measured` is what a new reading says of it: a value, or `gone`; None where there is no new
    measurement. `passed` are the seconds since the measurement before, `tail` those since the last one; None over a gap."""

    measured: float | str | None
    passed: float | None
    tail: float | None
    at: float


@dataclass
class Log:
    """Everything that was seen of one series. What an alert is follows from this alone."""

    looks: list[Look] = field(default_factory=list)
    last: tuple[int, float, float] | None = None
    """When it was last measured: in which process, and by both of its clocks."""
    known: bool = False

    def runs(self, until: int, beyond: Any) -> tuple[int, float] | None:
        """The unbroken run of measurements that are `beyond`, up to a look: how many, and how many measured seconds."""
        count, seconds = 0, 0.0
        for look in reversed(self.looks[: until + 1]):
            if look.measured is None:
                continue
            if not beyond(look.measured):
                break
            count += 1
            begun, seconds = seconds, seconds + (look.passed or 0.0)
        return (count, begun) if count else None


class AlertLife(RuleBasedStateMachine):
    """The rule book beside a model that derives each alert afresh from the log of looks."""

    @initialize(
        way=st.sampled_from(["above", "below"]),
        named=severities,
        limits=st.lists(st.integers(2, 11), min_size=3, max_size=3),
        holds=st.lists(st.sampled_from([0.0, 10.0, 20.0]), min_size=3, max_size=3),
        hold=st.booleans(),
        in_a_row=st.integers(1, 3),
        keep=st.sampled_from([0.0, 0.0, 15.0, 30.0]),
    )
    def begin(
        self, way: Any, named: list[Any], limits: list[int], holds: list[float], hold: bool, in_a_row: int, keep: float
    ) -> None:
        levels = tuple(Threshold(name, float(limit), wait) for name, limit, wait in zip(named, limits, holds, strict=False))
        self.rule = Rule("r", "jobs", "failed", "count", way, levels, in_a_row=in_a_row, keep_firing_for=keep)
        self.hold = hold
        self.now, self.mono, self.process = START, 1000.0, 0
        self.logs = {each: Log() for each in SERIES}
        self.told: dict[str, tuple[str, str]] = {}
        self.present: set[str] = set()
        self.state = ProbeState("jobs", "look", 10.0, 5.0)
        self.book = RuleBook((self.rule,), "demo", History(), hold=hold)
        self.judge()

    def judge(self) -> None:
        self.judged = self.book.judge("jobs", [self.state], self.now, self.mono)
        for move in self.book.moves():
            kind = dict(move.alert.labels)["kind"]
            assert self.told.get(kind, ("inactive", None)) == (move.was, move.was_severity), "moves follow on each other"
            self.told[kind] = (move.alert.state, move.alert.severity)
            if not move.alert.open:
                assert move.alert.ended == self.now
                del self.told[kind]

    def look(self, seen: dict[str, float | None] | None = None, fresh: bool = True) -> None:
        """Notes what this look shows, and looks."""
        for kind, log in self.logs.items():
            measured: float | str | None = None
            if seen is not None and kind in seen:
                log.known = fresh and seen[kind] is not None
                measured = seen[kind] if fresh else None
            elif seen is not None and fresh:
                log.known, measured = True, "gone"
            passed = self.passed(log)
            if measured is not None:
                log.last = (self.process, self.now, self.mono)
            tail = 0.0 if measured is not None else (passed if log.known and self.same_process(log) else None)
            if not fresh or self.state.good_at is None:
                tail = None
            log.looks.append(Look(measured, passed, tail, self.now))
        if seen is not None:
            self.present = set(seen)
        self.judge()

    def passed(self, log: Log) -> float | None:
        """Seconds since the last measurement, None over a gap: by the clock that never jumps, over a restart by the other."""
        if log.last is None:
            return None
        seconds = self.mono - log.last[2] if self.same_process(log) else self.now - log.last[1]
        return seconds if 0 <= seconds <= FRESH_FOR else None

    def same_process(self, log: Log) -> bool:
        return log.last is not None and log.last[0] == self.process

    def passes(self, seconds: float) -> None:
        self.now += seconds
        self.mono += seconds

    @rule(
        seconds=st.sampled_from([0.0, 1.0, 5.0, 10.0, 20.0, 200.0]),
        seen=st.dictionaries(st.sampled_from(SERIES), values),
        fresh=st.sampled_from([True, True, True, False]),
    )
    def a_reading_comes(self, seconds: float, seen: dict[str, float | None], fresh: bool) -> None:
        self.passes(seconds)
        signals = tuple(signal("failed", value, kind=kind) for kind, value in seen.items())
        reading = Reading("jobs", "jobs", "look", self.now, 0.0, Status.OK, signals)
        at = self.mono if fresh else None
        self.state = replace(self.state, reading=reading, good=reading, good_at=at, read_at=at)
        self.look(seen, fresh)

    @rule(seconds=st.sampled_from([1.0, 10.0, 40.0]))
    def the_source_fails(self, seconds: float) -> None:
        self.passes(seconds)
        failed = Reading("jobs", "jobs", "look", self.now, 0.0, Status.UNKNOWN, error=Failure("deadline", Shown("none")))
        self.state = replace(self.state, reading=failed, read_at=self.mono)
        self.look()

    @rule(seconds=st.sampled_from([1.0, 5.0, 10.0, 30.0]))
    def time_passes(self, seconds: float) -> None:
        self.passes(seconds)
        self.look()

    @rule(seconds=st.sampled_from([-3600.0, 60.0, 3600.0]))
    def a_clock_jumps(self, seconds: float) -> None:
        """A suspend, or a clock set: the poller marks everything stale."""
        self.now += seconds
        self.state = replace(self.state, good_at=None, read_at=None)
        self.look()

    @rule(seconds=st.sampled_from([1.0, 10.0, 60.0]))
    def it_restarts(self, seconds: float) -> None:
        """Another process goes on from what was recorded."""
        state = self.book.state(self.now)
        self.passes(seconds)
        self.process += 1
        self.mono = 50.0
        self.state = ProbeState("jobs", "look", 10.0, 5.0)
        self.present = set()
        self.book = RuleBook((self.rule,), "demo", History(), hold=self.hold)
        self.book.restore(state, self.now)
        self.look()

    def breached(self, level: Threshold, value: float | str | None) -> bool:
        if not isinstance(value, float):
            return False
        return value > level.limit if self.rule.way == "above" else value < level.limit

    def held(self, log: Log, place: int) -> list[str]:
        """The levels that have been breached long and often enough at a look."""
        found = []
        for level in self.rule.levels:
            run = log.runs(place, lambda value, level=level: self.breached(level, value))
            tail = log.looks[place].tail
            if run is None or tail is None:
                continue
            if not self.hold or (run[1] + tail >= level.hold and run[0] >= self.rule.in_a_row):
                found.append(level.severity)
        return sorted(found)

    def beyond(self, log: Log, place: int) -> list[str]:
        """The levels that the newest measurement at a look is beyond."""
        newest = next((each.measured for each in reversed(log.looks[: place + 1]) if each.measured is not None), None)
        return sorted(level.severity for level in self.rule.levels if self.breached(level, newest))

    def expected(self, log: Log) -> tuple[str, str] | None:
        """Severity and state of the alert that this log makes."""
        now: tuple[str, str] | None = None
        ended = 0.0
        for place, look in enumerate(log.looks):
            if now and now[1] == "resolved" and look.at - ended > RESOLVED_SHOWN:
                now = None
            if look.tail is None:
                continue
            beyond = self.beyond(log, place)
            fired = now is not None and now[1] == "firing"
            if held := self.held(log, place):
                now = held[0], "firing"
            elif beyond:
                now = (beyond[-1], "firing") if fired else (beyond[0], "pending")
            elif now and now[1] == "pending":
                now = None
            elif now and fired:
                run = log.runs(place, lambda value: not any(self.breached(level, value) for level in self.rule.levels))
                assert run is not None
                if run[1] + look.tail >= self.rule.keep_firing_for:
                    now, ended = (now[0], "resolved"), look.at
        return now

    @invariant()
    def says_what_the_model_says(self) -> None:
        found = {dict(each.labels)["kind"]: each for each in self.book.alerts(self.now)}
        for kind, log in self.logs.items():
            expected = self.expected(log)
            have = found.get(kind)
            assert (have and (have.severity, have.state)) == expected, kind
            if have is not None:
                self.is_consistent(have, log)

    def is_consistent(self, alert: Alert, log: Log) -> None:
        assert (alert.fired_at is None) == (alert.state == "pending")
        assert (alert.ended is None) == alert.open
        assert alert.fingerprint == fingerprint("demo", "r", "jobs", alert.labels)
        assert (alert.unknown_since is not None) == (alert.open and log.looks[-1].tail is None)
        assert self.told.get(dict(alert.labels)["kind"]) == ((alert.state, alert.severity) if alert.open else None)

    @invariant()
    def judges_what_is_there_or_alerts_and_nothing_else(self) -> None:
        alerting = {kind for kind, log in self.logs.items() if (made := self.expected(log)) and made[1] != "resolved"}
        keys = {kind: series_key("failed", labels_of({"kind": kind})) for kind in SERIES}
        assert set(self.judged) == {keys[kind] for kind in self.present | alerting}
        for kind in self.present | alerting:
            assert (self.judged[keys[kind]].status > Status.OK) == (kind in alerting)


AlertLife.TestCase.settings = settings(max_examples=200, stateful_step_count=30, deadline=None)
TestAlertLife = AlertLife.TestCase
