"""Rules: against a plain model of what an alert's life is, and in the words of the documents they come from."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.clocks import START
from tui.engine.alert import Alert
from tui.engine.feed import ProbeState
from tui.engine.history import History
from tui.engine.panel import Threshold
from tui.engine.reading import Failure, Reading, Signal, Status, labels_of, series_key, signal
from tui.engine.rules import RESOLVED_SHOWN, Rule, RuleBook, describe, fingerprint, parse_signal, worst_judged
from tui.engine.rules.mean import Mean
from tui.engine.text import Shown

HIGH_ERRORS = Rule(
    "HighErrorRate", "api", "error_rate", "ratio", "above", (Threshold("P1", 0.005, 300.0), Threshold("P0", 0.01))
)
DOWN = Rule("ServiceDown", "web", "up", "count", "below", (Threshold("P0", 1.0, 120.0),))


def errors(rate: float | None, **labels: str) -> Signal:
    return signal("error_rate", rate, "ratio", **labels)


class Watch:
    """A rule book, and what it says as time goes by. One probe a panel; a reading counts as fresh for 130 s."""

    def __init__(self, *rules: Rule, hold: bool = True, history: History | None = None) -> None:
        self.history = history or History()
        self.book = RuleBook(rules, "demo", self.history, hold=hold)
        self.now = START
        self.mono = 1000.0
        self.states: dict[str, ProbeState] = {}

    def sees(
        self, *signals: Signal, panel: str = "api", fresh: bool = True, status: Status = Status.OK
    ) -> list[tuple[str, str, str]]:
        """A reading comes; gives the alerts as (severity, state, series)."""
        reading = Reading(panel, panel, "look", self.now, 0.0, status, signals)
        self.history.record(reading)
        at = self.mono if fresh else None
        self.states[panel] = ProbeState(panel, "look", 60.0, 10.0, reading, reading, at, read_at=at)
        return self.looks(panel)

    def hears_nothing(self, panel: str = "api") -> list[tuple[str, str, str]]:
        """A reading comes that failed: the last good one stays."""
        failure = Failure("deadline", Shown("no answer"))
        reading = Reading(panel, panel, "look", self.now, 0.0, Status.UNKNOWN, error=failure)
        before = self.states.get(panel, ProbeState(panel, "look", 60.0, 10.0))
        self.states[panel] = replace(before, reading=reading, read_at=self.mono)
        return self.looks(panel)

    def looks(self, panel: str = "api") -> list[tuple[str, str, str]]:
        """Judges what there is; gives the alerts."""
        states = [self.states[panel]] if panel in self.states else []
        self.judged = self.book.judge(panel, states, self.now, self.mono)
        return self.alerts

    @property
    def alerts(self) -> list[tuple[str, str, str]]:
        return [(each.severity, each.state, each.key) for each in self.book.alerts(self.now)]

    @property
    def alert(self) -> Alert:
        (found,) = self.book.alerts(self.now)
        return found

    def moves(self) -> list[tuple[str, str, str]]:
        """What has moved since last asked: what it was, what it is, how bad."""
        return [(each.was, each.alert.state, each.alert.severity) for each in self.book.moves()]

    def after(self, seconds: float) -> Watch:
        """Time passes."""
        self.now += seconds
        self.mono += seconds
        return self

    def asleep(self, seconds: float) -> Watch:
        """The machine sleeps, or somebody sets its clock: the poller marks everything stale."""
        self.now += seconds
        self.states = {name: replace(each, good_at=None, read_at=None) for name, each in self.states.items()}
        return self

    def restarts(self, *rules: Rule, after: float = 0.0, history: History | None = None) -> Watch:
        """Another process goes on from this one's state; with other rules and the recorded history where they are given."""
        state = self.book.state(self.now)
        other = Watch(*(rules or self.book.rules), history=history)
        other.now, other.mono = self.now + after, 17.0
        other.book.restore(state, other.now)
        other.states = {name: ProbeState(name, "look", 60.0, 10.0) for name in self.states}
        return other


def test_which_series_have_an_open_alert() -> None:
    """A probe that cannot tell all of many must tell these."""
    api = Watch(HIGH_ERRORS, DOWN)
    api.sees(errors(0.006, route="/pending"), errors(0.02, route="/firing"), errors(0.0, route="/well"))
    assert api.book.open_series("api") == [(("route", "/pending"),), (("route", "/firing"),)]
    assert api.book.open_series("web") == []
    api.after(60).sees(errors(0.0, route="/pending"), errors(0.0, route="/firing"), errors(0.0, route="/well"))
    assert api.book.open_series("api") == []


# --- an alert's life, told ----------------------------------------------------------------------------------------------


def test_a_breach_is_pending_until_it_has_held_then_fires_then_resolves() -> None:
    web = Watch(DOWN)
    assert web.sees(signal("up", 1.0), panel="web") == []
    assert web.after(5).sees(signal("up", 0.0), panel="web") == [("P0", "pending", "web.up")]
    assert web.after(119).sees(signal("up", 0.0), panel="web") == [("P0", "pending", "web.up")]
    assert web.after(1).sees(signal("up", 0.0), panel="web") == [("P0", "firing", "web.up")]
    assert web.after(5).sees(signal("up", 1.0), panel="web") == [("P0", "resolved", "web.up")]
    assert web.after(RESOLVED_SHOWN).alerts == [("P0", "resolved", "web.up")]
    assert web.after(1).alerts == []


def test_a_breach_that_does_not_hold_was_nothing() -> None:
    web = Watch(DOWN)
    web.sees(signal("up", 0.0), panel="web")
    assert web.after(60).sees(signal("up", 1.0), panel="web") == []
    assert web.after(70).sees(signal("up", 0.0), panel="web") == [("P0", "pending", "web.up")], "the hold begins anew"


def test_on_the_limit_is_not_beyond_it() -> None:
    assert Watch(HIGH_ERRORS).sees(errors(0.005)) == []
    assert Watch(HIGH_ERRORS).sees(errors(0.0050001)) == [("P1", "pending", "api.error_rate")]


def test_two_levels_are_one_alert_that_escalates_and_calms_down() -> None:
    api = Watch(HIGH_ERRORS)
    assert api.sees(errors(0.007)) == [("P1", "pending", "api.error_rate")]
    assert api.after(60).sees(errors(0.02)) == [("P0", "firing", "api.error_rate")], "the second level needs no hold"
    first = api.book.alerts(api.now)[0]
    assert (first.threshold, first.value, first.since, first.fired_at) == (0.01, 0.02, START, START + 60)
    assert api.after(60).sees(errors(0.007)) == [("P1", "firing", "api.error_rate")], "milder, but it never unfires"
    assert api.after(60).sees(errors(0.02)) == [("P0", "firing", "api.error_rate")]
    assert api.after(60).sees(errors(0.001)) == [("P0", "resolved", "api.error_rate")]


def test_unknown_neither_fires_nor_resolves() -> None:
    web = Watch(DOWN)
    web.sees(signal("up", 0.0), panel="web")
    assert web.after(100).sees(signal("up", 0.0), panel="web") == [("P0", "pending", "web.up")]
    assert web.after(300).sees(signal("up", None), panel="web") == [("P0", "pending", "web.up")], "no value"
    assert web.after(300).sees(signal("up", 0.0), panel="web", fresh=False) == [("P0", "pending", "web.up")], "too old"
    assert web.alert.unknown_since == START + 400
    assert web.after(1).sees(signal("up", 0.0), panel="web") == [("P0", "pending", "web.up")], "100 s were measured"
    assert web.alert.unknown_since is None
    assert web.after(20).looks("web") == [("P0", "firing", "web.up")], "120 s"
    assert web.after(300).sees(signal("up", None), panel="web") == [("P0", "firing", "web.up")]
    assert web.after(300).sees(signal("up", 1.0), panel="web", fresh=False) == [("P0", "firing", "web.up")]
    assert web.judged["up"].status is Status.FAILING


def test_a_short_unknown_does_not_stop_a_hold() -> None:
    web = Watch(DOWN)
    web.sees(signal("up", 0.0), panel="web")
    web.after(60).sees(signal("up", None), panel="web")
    assert web.after(60).sees(signal("up", 0.0), panel="web") == [("P0", "firing", "web.up")]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_number_is_no_data(value: float) -> None:
    assert Watch(DOWN, HIGH_ERRORS).sees(errors(value), signal("up", value), panel="web") == []


def test_a_series_that_vanishes_takes_its_alert_along() -> None:
    api = Watch(replace(HIGH_ERRORS, levels=(Threshold("P1", 0.005),)))
    assert api.sees(errors(0.02, route="/a"), errors(0.03, route="/b")) == [
        ("P1", "firing", 'api.error_rate{route="/a"}'),
        ("P1", "firing", 'api.error_rate{route="/b"}'),
    ]
    assert api.after(5).sees(errors(0.02, route="/a")) == [
        ("P1", "firing", 'api.error_rate{route="/a"}'),
        ("P1", "resolved", 'api.error_rate{route="/b"}'),
    ]


def test_each_series_is_held_apart() -> None:
    api = Watch(replace(HIGH_ERRORS, levels=(Threshold("P1", 0.005, 60.0),)))
    api.sees(errors(0.02, route="/a"), errors(0.0, route="/b"))
    found = api.after(60).sees(errors(0.02, route="/a"), errors(0.02, route="/b"))
    assert found == [("P1", "firing", 'api.error_rate{route="/a"}'), ("P1", "pending", 'api.error_rate{route="/b"}')]
    prints = {each.fingerprint for each in api.book.alerts(api.now)}
    assert len(prints) == 2


def test_one_panels_reading_leaves_anothers_alerts_alone() -> None:
    both = Watch(DOWN, replace(DOWN, panel="shop"))
    both.sees(signal("up", 0.0), panel="web")
    both.sees(signal("up", 0.0), panel="shop")
    both.after(120).sees(panel="web")
    assert both.alerts == [("P0", "pending", "shop.up")]


def test_without_holding_a_breach_fires_at_once() -> None:
    """`check` looks once: what is beyond a limit now counts."""
    assert Watch(DOWN, hold=False).sees(signal("up", 0.0), panel="web") == [("P0", "firing", "web.up")]
    assert Watch(HIGH_ERRORS, hold=False).sees(errors(0.02)) == [("P0", "firing", "api.error_rate")]


def test_a_window_compares_the_mean_over_it() -> None:
    api = Watch(replace(HIGH_ERRORS, levels=(Threshold("P1", 0.05),), measure=Mean(60.0)))
    for rate in (0.0, 0.0, 0.12, 0.06):
        found = api.after(10).sees(errors(rate))
    assert found == [], "the mean is 4.5 %"
    assert api.after(10).sees(errors(0.09)) == [("P1", "firing", "api.error_rate")], "5.4 %"
    assert api.book.alerts(api.now)[0].value == pytest.approx(0.054)
    assert api.after(300).sees(errors(0.01)) == [("P1", "resolved", "api.error_rate")], "what is older has left the window"


def test_labels_of_a_rule_are_patterns() -> None:
    publishing = replace(HIGH_ERRORS, labels=(("kind", "PUBLISH_*"),), levels=(Threshold("P0", 0.1),))
    found = Watch(publishing).sees(
        errors(0.5, kind="PUBLISH_TIKTOK"), errors(0.5, kind="CLIP_RENDER"), errors(0.5, route="/publish"), errors(0.5)
    )
    assert found == [("P0", "firing", 'api.error_rate{kind="PUBLISH_TIKTOK"}')]


def test_a_route_with_brackets_is_itself() -> None:
    one_route = replace(HIGH_ERRORS, labels=(("route", "/api/clips/[id]"),), levels=(Threshold("P0", 0.1),))
    assert len(Watch(one_route).sees(errors(0.5, route="/api/clips/[id]"))) == 1


def test_the_panel_is_told_the_worst_level_pending_or_firing_and_its_limit() -> None:
    api = Watch(HIGH_ERRORS)
    api.sees(errors(0.001))
    assert (api.judged["error_rate"].status, api.judged["error_rate"].limit) == (Status.OK, "limit 0.5 %")
    api.after(1).sees(errors(0.007))
    assert (api.judged["error_rate"].status, api.judged["error_rate"].since) == (Status.FAILING, START + 1)
    api.after(1).sees(errors(0.02))
    assert api.judged["error_rate"].limit == "limit 1 %"
    assert worst_judged(api.judged) is Status.FAILING
    assert worst_judged({}) is Status.OK


def test_p2_and_p3_degrade() -> None:
    api = Watch(replace(HIGH_ERRORS, levels=(Threshold("P2", 0.01),)))
    api.sees(errors(0.02))
    assert api.judged["error_rate"].status is Status.DEGRADED


def test_the_worst_stands_first_then_the_longest() -> None:
    mild = replace(HIGH_ERRORS, name="mild", levels=(Threshold("P2", 0.001),))
    api = Watch(HIGH_ERRORS, mild, DOWN)
    api.sees(errors(0.02))
    api.after(5).sees(signal("up", 0.0), panel="web")
    assert [(severity, state) for severity, state, _ in api.alerts] == [("P0", "firing"), ("P2", "firing"), ("P0", "pending")]


# --- identity ------------------------------------------------------------------------------------------------------------


def test_a_fingerprint_is_lasting_and_tells_apart() -> None:
    known = fingerprint("production", "HighErrorRate", "api", labels_of({"route": "/a"}))
    assert known == "b953b1d862ba64fa", "other systems keep it: it must not change from version to version"
    others = {
        fingerprint("staging", "HighErrorRate", "api", labels_of({"route": "/a"})),
        fingerprint("production", "SlowResponseTime", "api", labels_of({"route": "/a"})),
        fingerprint("production", "HighErrorRate", "web", labels_of({"route": "/a"})),
        fingerprint("production", "HighErrorRate", "api", labels_of({"route": "/b"})),
        fingerprint("production", "HighErrorRate", "api", ()),
    }
    assert len(others | {known}) == 6


names = st.from_regex(r"[a-z_][a-z0-9_]{0,8}", fullmatch=True)


@given(
    panel=st.from_regex(r"[A-Za-z0-9_-]{1,8}", fullmatch=True),
    name=names,
    labels=st.dictionaries(names, st.text(max_size=12), max_size=3),
)
def test_a_key_as_it_is_written_is_read_back(panel: str, name: str, labels: dict[str, str]) -> None:
    written = f"{panel}.{series_key(name, labels_of(labels))}"
    assert parse_signal(written) == (panel, name, labels)


def test_a_rule_on_a_key_copied_from_the_screen_finds_its_series() -> None:
    awkward = errors(0.5, route='GET /clips/[id],"raw"\\', tenant="a}b=c")
    _, name, labels = parse_signal(f"api.{awkward.key}")
    assert replace(HIGH_ERRORS, signal=name, labels=labels_of(labels)).matches(awkward)


def test_spaces_in_a_signal_do_not_matter() -> None:
    assert parse_signal(' jobs.failed { kind = "A" , state = "B" } ') == ("jobs", "failed", {"kind": "A", "state": "B"})


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("error_rate", "expected PANEL.SIGNAL"),
        (".rate", "expected PANEL.SIGNAL"),
        ("api.", "expected PANEL.SIGNAL"),
        ("", "expected PANEL.SIGNAL"),
        ('api.rate{kind="A"', "expected }"),
        ("api.rate{kind=A}", 'expected label="value", found kind=A'),
        ('api.rate{kind="A" state="B"}', 'expected label="value"'),
        ("api.rate{kind}", 'expected label="value", found kind'),
    ],
)
def test_a_signal_that_is_none_says_what_to_write(written: str, says: str) -> None:
    with pytest.raises(ValueError, match="expected") as refused:
        parse_signal(written)
    assert says in str(refused.value)


def test_an_alert_in_words() -> None:
    api = Watch(replace(HIGH_ERRORS, name="error rate"))
    api.sees(errors(0.062, route="POST /api/checkout"))
    (alert,) = api.book.alerts(api.now)
    assert describe(alert) == "error rate POST /api/checkout 6.2 % > 1 %"
