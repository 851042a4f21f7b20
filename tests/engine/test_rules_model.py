"""The rule book beside a plain model, over any sequence of readings: an alert follows from the log of measurements alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.clocks import START
from tui.engine.alert import Alert
from tui.engine.history import History
from tui.engine.panel import Threshold
from tui.engine.reading import Status, labels_of, series_key, signal
from tui.engine.rules import RESOLVED_SHOWN, Rule, RuleBook, fingerprint

SERIES = ("CLIP_RENDER", "PUBLISH_TIKTOK")
values = st.one_of(st.none(), st.integers(0, 14).map(float))
severities = st.lists(st.sampled_from(["P0", "P1", "P2", "P3"]), min_size=1, max_size=3, unique=True)


@dataclass
class Log:
    """Everything that was measured of one series, since it (re)appeared. What an alert is follows from this alone."""

    measured: list[tuple[float, float]] = field(default_factory=list)
    ended: tuple[float, str] | None = None
    """When a firing alert last ended, and at which severity."""


class AlertLife(RuleBasedStateMachine):
    """The rule book beside a model that derives each alert afresh from the log of measurements."""

    @initialize(
        way=st.sampled_from(["above", "below"]),
        named=severities,
        limits=st.lists(st.integers(2, 11), min_size=3, max_size=3),
        holds=st.lists(st.sampled_from([0.0, 10.0, 20.0]), min_size=3, max_size=3),
        hold=st.booleans(),
    )
    def begin(self, way: Any, named: list[Any], limits: list[int], holds: list[float], hold: bool) -> None:
        levels = tuple(Threshold(name, float(limit), wait) for name, limit, wait in zip(named, limits, holds, strict=False))
        self.rule = Rule("r", "jobs", "failed", "count", way, levels)
        self.book = RuleBook((self.rule,), "demo", History(), hold=hold)
        self.hold = hold
        self.now = START
        self.logs = {each: Log() for each in SERIES}
        self.present: set[str] = set()

    @rule(
        seconds=st.sampled_from([0.0, 1.0, 5.0, 10.0, 20.0, 200.0]),
        seen=st.dictionaries(st.sampled_from(SERIES), values),
        fresh=st.booleans(),
    )
    def a_reading_comes(self, seconds: float, seen: dict[str, float | None], fresh: bool) -> None:
        self.now += seconds
        signals = [(signal("failed", value, kind=kind), fresh) for kind, value in seen.items()]
        self.judged = self.book.judge("jobs", signals, self.now)
        self.present = set(seen)
        for kind, log in self.logs.items():
            before = self.expected(log)
            if kind not in seen:
                log.measured.clear()
            elif fresh and (value := seen[kind]) is not None:
                log.measured.append((self.now, value))
            after = self.expected(log)
            if after is None and before is not None and before[1] == "firing":
                log.ended = (self.now, before[0])
            elif after is not None:
                log.ended = None

    def breached(self, level: Threshold, value: float) -> bool:
        return value > level.limit if self.rule.way == "above" else value < level.limit

    def since(self, level: Threshold, measured: list[tuple[float, float]]) -> float | None:
        """When the unbroken run of measurements beyond the level's limit began."""
        began = None
        for at, value in measured:
            began = (began if began is not None else at) if self.breached(level, value) else None
        return began

    def held(self, measured: list[tuple[float, float]]) -> list[str]:
        """The levels that had been breached long enough when the last of these was measured."""
        found = []
        for level in self.rule.levels:
            began = self.since(level, measured)
            if began is not None and (not self.hold or measured[-1][0] - began >= level.hold):
                found.append(level.severity)
        return sorted(found)

    def expected(self, log: Log) -> tuple[str, str] | None:
        """Severity and state of the alert that this log makes."""
        run: list[tuple[float, float]] = []
        for point in log.measured:
            run = [*run, point] if any(self.breached(level, point[1]) for level in self.rule.levels) else []
        if not run:
            return None
        beyond = sorted(level.severity for level in self.rule.levels if self.breached(level, run[-1][1]))
        if held := self.held(run):
            return held[0], "firing"
        fired = any(self.held(run[: end + 1]) for end in range(len(run)))
        return (beyond[-1], "firing") if fired else (beyond[0], "pending")

    @invariant()
    def says_what_the_model_says(self) -> None:
        found = {dict(each.labels)["kind"]: each for each in self.book.alerts(self.now)}
        for kind, log in self.logs.items():
            expected = self.expected(log)
            if expected is None and log.ended and self.now - log.ended[0] <= RESOLVED_SHOWN:
                expected = (log.ended[1], "resolved")
            have = found.get(kind)
            assert (have and (have.severity, have.state)) == expected, kind
            if have is not None:
                self.is_consistent(have)

    def is_consistent(self, alert: Alert) -> None:
        assert (alert.fired_at is None) == (alert.state == "pending")
        assert alert.fired_at is None or alert.since <= alert.fired_at <= self.now
        assert alert.fingerprint == fingerprint("demo", "r", "jobs", alert.labels)

    @invariant()
    def judges_what_is_there_and_nothing_else(self) -> None:
        judged = getattr(self, "judged", {})
        assert set(judged) == {series_key("failed", labels_of({"kind": kind})) for kind in self.present}
        for kind in self.present:
            status = judged[series_key("failed", labels_of({"kind": kind}))].status
            assert (status > Status.OK) == (self.expected(self.logs[kind]) is not None)


AlertLife.TestCase.settings = settings(max_examples=150, stateful_step_count=25, deadline=None)
TestAlertLife = AlertLife.TestCase
