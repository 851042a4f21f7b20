"""Each kind of rule on a driven clock: what it compares, when it fires and resolves, and what gaps and restarts make of it."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence

import pytest
from msgspec.structs import replace

from tests.clocks import START
from tests.engine.test_rules import DOWN, HIGH_ERRORS, Watch, errors
from tui.engine.alert import Alert
from tui.engine.feed import ProbeState
from tui.engine.panel import Threshold
from tui.engine.reading import Reading, Status, signal
from tui.engine.rules import RESOLVED_SHOWN, Raise, Rule, affected, describe
from tui.engine.rules.absent import FORGOTTEN, Absent
from tui.engine.rules.baseline import Baseline
from tui.engine.rules.burn import LEVELS, Burn
from tui.engine.rules.change import Change
from tui.engine.rules.events import Events
from tui.engine.rules.means import STEPS, Totals, Values, read_back
from tui.engine.text import Shown

TWICE_DOWN = Rule("down", "web", "up", "count", "below", (Threshold("P0", 1.0),), in_a_row=2)
SILENT = Rule("silent", "api", "error_rate", "s", "above", (Threshold("P1", 300.0),), measure=Absent())
SURGE = Rule("surge", "api", "rate", "count", "above", (Threshold("P2", 2.0),), measure=Baseline(3600.0, 300.0))
GROWTH = Rule("growth", "db", "size", "bytes", "above", (Threshold("P2", 1e9),), measure=Change(600.0))
FAILED = Rule("failed", "jobs", "failed", "count", "above", (Threshold("P0", 10.0),), measure=Events(600.0))
BUDGET = Rule("budget", "api", "error_rate", "count", "above", LEVELS, measure=Burn(0.999))


def states(found: Iterable[tuple[str, str, str]]) -> list[str]:
    return [state for _, state, _ in found]


# --- consecutive failures -----------------------------------------------------------------------------------------------


def test_failures_in_a_row_are_counted_by_readings_and_not_by_looks() -> None:
    web = Watch(TWICE_DOWN)
    assert states(web.sees(signal("up", 0.0), panel="web")) == ["pending"]
    for _ in range(50):
        assert states(web.after(1).looks("web")) == ["pending"]
    assert states(web.after(10).sees(signal("up", 0.0), panel="web")) == ["firing"]
    assert describe(web.alert) == "down 2 in a row"
    assert states(web.after(60).sees(signal("up", 1.0), panel="web")) == ["resolved"]


def test_one_success_breaks_the_row_and_unknown_does_not() -> None:
    web = Watch(TWICE_DOWN)
    web.sees(signal("up", 0.0), panel="web")
    assert web.after(60).sees(signal("up", 1.0), panel="web") == []
    assert states(web.after(60).sees(signal("up", 0.0), panel="web")) == ["pending"]
    assert states(web.after(60).sees(signal("up", None), panel="web")) == ["pending"]
    assert states(web.after(60).sees(signal("up", 0.0), panel="web")) == ["firing"]


def test_a_row_goes_on_after_a_restart_and_a_reading_counts_once() -> None:
    web = Watch(TWICE_DOWN)
    web.sees(signal("up", 0.0), panel="web")
    other = web.restarts()
    other.states = {"web": replace(web.states["web"], good_at=other.mono, read_at=other.mono)}
    assert states(other.looks("web")) == ["pending"], "the same reading, as one who follows has it when it comes to lead"
    assert states(other.after(60).sees(signal("up", 0.0), panel="web")) == ["firing"]


# --- holds, flapping, gaps, restarts -------------------------------------------------------------------------------------


def test_one_that_flaps_is_one_alert() -> None:
    web = Watch(replace(DOWN, levels=(Threshold("P0", 1.0),), keep_firing_for=300.0))
    web.sees(signal("up", 0.0), panel="web")
    for value in (1.0, 0.0, 1.0, 1.0, 0.0, 1.0):
        assert states(web.after(60).sees(signal("up", value), panel="web")) == ["firing"]
    assert web.judged["up"].status is Status.FAILING, "as long as it fires, nobody is told that all is well"
    assert describe(web.alert) == "ServiceDown well again, kept firing for 5m00s"
    for _ in range(4):
        assert states(web.after(60).sees(signal("up", 1.0), panel="web")) == ["firing"]
    assert states(web.after(60).sees(signal("up", 1.0), panel="web")) == ["resolved"]
    assert web.moves() == [("inactive", "firing", "P0"), ("firing", "resolved", "P0")]


def test_a_gap_is_no_evidence_of_health_either() -> None:
    web = Watch(replace(DOWN, levels=(Threshold("P0", 1.0),), keep_firing_for=300.0))
    web.sees(signal("up", 0.0), panel="web")
    web.after(60).sees(signal("up", 1.0), panel="web")
    assert states(web.after(3600).looks("web")) == ["firing"], "nothing was measured for an hour"
    assert states(web.after(1).sees(signal("up", 1.0), panel="web")) == ["firing"]
    for _ in range(4):
        assert states(web.after(60).sees(signal("up", 1.0), panel="web")) == ["firing"]
    assert states(web.after(60).sees(signal("up", 1.0), panel="web")) == ["resolved"]


@pytest.mark.parametrize("jump", [-86400.0, -60.0, 60.0, 3600.0, 86400.0])
def test_a_suspend_or_a_clock_that_is_set_neither_fires_nor_resolves(jump: float) -> None:
    web = Watch(DOWN)
    web.sees(signal("up", 0.0), panel="web")
    web.after(60).sees(signal("up", 0.0), panel="web")
    assert states(web.asleep(jump).looks("web")) == ["pending"]
    assert web.alert.unknown_since == web.now
    assert states(web.after(1).sees(signal("up", 0.0), panel="web")) == ["pending"]
    assert web.alert.unknown_since is None
    assert states(web.after(58).sees(signal("up", 0.0), panel="web")) == ["pending"]
    assert states(web.after(1).looks("web")) == ["firing"], "120 s were measured"


def test_an_answer_that_could_not_tell_all_ends_nothing_that_it_does_not_show() -> None:
    """The first look at a page has no rates yet; one of three queries had no answer."""
    api = Watch(HIGH_ERRORS)
    api.sees(errors(0.02, route="/a"))
    assert states(api.alerts) == ["firing"]
    assert states(api.after(60).sees(status=Status.UNKNOWN)) == ["firing"]
    assert api.alert.unknown_since == api.now
    other = api.restarts(after=5.0)
    assert states(other.sees(status=Status.UNKNOWN)) == ["firing"], "nor after a restart"
    assert states(other.after(60).sees(errors(0.02, route="/a"))) == ["firing"]
    assert states(other.after(60).sees()) == ["resolved"]


def test_a_failing_query_is_unknown_and_never_resolved() -> None:
    api = Watch(replace(HIGH_ERRORS, levels=(Threshold("P1", 0.005),)))
    api.sees(errors(0.02))
    assert states(api.after(60).hears_nothing()) == ["firing"]
    assert api.alert.unknown_since is None, "the last answer is still fresh"
    assert states(api.after(60).hears_nothing()) == ["firing"]
    assert states(api.after(60).hears_nothing()) == ["firing"]
    assert api.alert.unknown_since == api.now
    assert describe(api.alert) == "HighErrorRate 2.0 % > 0.5 %, not measured since 03:15:12Z"
    assert states(api.after(3600).hears_nothing()) == ["firing"]
    assert api.alert.unknown_since == START + 180
    assert states(api.after(60).sees(errors(0.001))) == ["resolved"]


def test_a_refusal_measures_and_the_figures_of_before_stay_as_they_are() -> None:
    both = Watch(replace(DOWN, panel="api", levels=(Threshold("P0", 1.0),)), HIGH_ERRORS)
    both.sees(signal("up", 1.0), errors(0.02))
    refusal = Reading("api", "api", "look", both.after(60).now, 0.0, Status.FAILING, (signal("up", 0.0),))
    both.states["api"] = replace(both.states["api"], reading=refusal, read_at=both.mono)
    assert both.looks() == [("P0", "firing", "api.error_rate"), ("P0", "firing", "api.up")]
    both.after(120).looks()
    unknown = {each.signal: each.unknown_since is not None for each in both.book.alerts(both.now)}
    assert unknown == {"error_rate": True, "up": False}
    assert states(both.after(1).sees(signal("up", 1.0), errors(0.001))) == ["resolved", "resolved"]


@pytest.mark.parametrize("down_for", [30.0, 130.0])
def test_a_hold_within_freshness_goes_on_over_a_restart(down_for: float) -> None:
    web = Watch(replace(DOWN, levels=(Threshold("P0", 1.0, 200.0),)))
    web.sees(signal("up", 0.0), panel="web")
    web.after(60).sees(signal("up", 0.0), panel="web")
    other = web.restarts(after=down_for)
    assert states(other.looks("web")) == ["pending"]
    assert states(other.sees(signal("up", 0.0), panel="web")) == ["pending"]
    assert states(other.after(140 - down_for).looks("web")) == ["firing"], "60 s before, the gap, and the rest"


def test_a_hold_over_a_long_restart_counts_what_was_measured() -> None:
    web = Watch(DOWN)
    web.sees(signal("up", 0.0), panel="web")
    web.after(60).sees(signal("up", 0.0), panel="web")
    other = web.restarts(after=4000.0)
    assert states(other.sees(signal("up", 0.0), panel="web")) == ["pending"]
    assert states(other.after(59).looks("web")) == ["pending"]
    assert states(other.after(1).looks("web")) == ["firing"]
    assert other.alert.since == START


def test_a_firing_alert_outlives_a_restart_and_tells_nobody_anew() -> None:
    web = Watch(DOWN)
    web.sees(signal("up", 0.0), panel="web")
    web.after(120).sees(signal("up", 0.0), panel="web")
    first = web.alert
    other = web.restarts(after=30.0)
    assert states(other.looks("web")) == ["firing"]
    assert other.alert.unknown_since == other.now, "asked, and no answer yet"
    assert states(other.sees(signal("up", 0.0), panel="web")) == ["firing"]
    assert (other.alert.since, other.alert.fired_at) == (first.since, first.fired_at)
    assert other.moves() == []
    assert states(other.after(60).sees(signal("up", 1.0), panel="web")) == ["resolved"]
    assert other.moves() == [("firing", "resolved", "P0")]


def test_an_alert_ends_with_its_rule_or_its_series() -> None:
    api = Watch(replace(HIGH_ERRORS, levels=(Threshold("P1", 0.005),)))
    api.sees(errors(0.02, route="/a"), errors(0.02, route="/b"))
    without = api.restarts(DOWN, after=5.0)
    assert states(without.alerts) == ["resolved", "resolved"]
    assert without.moves() == 2 * [("firing", "resolved", "P1")]
    assert without.after(RESOLVED_SHOWN + 1).alerts == []
    other = api.restarts(after=5.0)
    assert states(other.sees(errors(0.02, route="/a"))) == ["firing", "resolved"], "a good answer no longer has /b"


def test_rules_that_change_while_it_runs() -> None:
    web = Watch(DOWN, HIGH_ERRORS)
    web.sees(signal("up", 0.0), panel="web")
    web.sees(errors(0.02))
    web.after(60).sees(signal("up", 0.0), panel="web")
    web.book.use([replace(DOWN, why=Shown("users wait"))], web.now)
    assert web.alerts == [("P0", "pending", "web.up"), ("P0", "resolved", "api.error_rate")]
    assert states(web.looks("web"))[0] == "pending"
    web.after(59).looks("web")
    assert web.book.alerts(web.now)[0].why == "users wait"
    assert web.looks("web")[0] == ("P0", "pending", "web.up")
    assert web.after(1).looks("web")[0] == ("P0", "firing", "web.up"), "its hold went on"


def test_a_changed_limit_keeps_the_alert_and_judges_it_anew() -> None:
    api = Watch(replace(HIGH_ERRORS, levels=(Threshold("P1", 0.005),)))
    api.sees(errors(0.02))
    milder = api.restarts(replace(HIGH_ERRORS, levels=(Threshold("P2", 0.01, 600.0),)))
    assert states(milder.after(5).sees(errors(0.02))) == ["firing"], "it fires, and is still beyond"
    assert milder.moves() == [("firing", "firing", "P2")]
    loose = api.restarts(replace(HIGH_ERRORS, levels=(Threshold("P1", 0.05),)))
    assert states(loose.after(5).sees(errors(0.02))) == ["resolved"]


def test_a_limit_that_changes_while_it_fires_ends_nothing_that_is_still_beyond_it() -> None:
    api = Watch(replace(HIGH_ERRORS, levels=(Threshold("P1", 0.005),)))
    api.sees(errors(0.02))
    since = api.alert.since
    api.after(5).book.use([replace(HIGH_ERRORS, levels=(Threshold("P1", 0.01), Threshold("P0", 0.015)))], api.now)
    assert api.looks() == [("P0", "firing", "api.error_rate")], "by the reading that there is, not by the next one"
    assert api.alert.since == since, "the same alert: who has acknowledged it still has"
    assert api.moves()[1:] == [("firing", "firing", "P0")]
    api.after(5).book.use([replace(HIGH_ERRORS, levels=(Threshold("P1", 0.05),))], api.now)
    assert states(api.looks()) == ["resolved"], "it is not beyond this one"


@pytest.mark.parametrize("state", [b"", b"{}", b"\xff", b"null", b'{"version": 99, "at": 0, "series": []}'])
def test_a_state_that_cannot_be_read_is_none(state: bytes) -> None:
    web = Watch(DOWN)
    web.book.restore(state, START)
    assert web.sees(signal("up", 1.0), panel="web") == []


def test_a_state_keeps_labels_of_any_kind() -> None:
    api = Watch(replace(HIGH_ERRORS, levels=(Threshold("P1", 0.005),)))
    api.sees(errors(0.02, route='/\ud800\n"é'))
    other = api.restarts(after=5.0)
    assert other.alerts == api.alerts


# --- severity by label, whom it is about ---------------------------------------------------------------------------------


def test_a_label_raises_the_severity_and_never_lowers_it() -> None:
    by_tenant = replace(
        HIGH_ERRORS,
        levels=(Threshold("P2", 0.01), Threshold("P0", 0.5)),
        raises=(Raise("tier", "enterprise", "P1"), Raise("tier", "free", "P3")),
        main="tenant",
    )
    api = Watch(by_tenant)
    api.sees(
        errors(0.1, tenant="acme", tier="enterprise"),
        errors(0.1, tenant="bits", tier="free"),
        errors(0.9, tenant="corp", tier="enterprise"),
    )
    found = {each.target: each for each in api.book.alerts(api.now)}
    assert {target: each.severity for target, each in found.items()} == {"acme": "P1", "bits": "P2", "corp": "P0"}
    assert {target: each.raised_by for target, each in found.items()} == {"acme": "tier enterprise", "bits": "", "corp": ""}
    assert api.judged[found["acme"].key.removeprefix("api.")].status is Status.FAILING
    assert describe(found["acme"]) == "HighErrorRate acme enterprise 10.0 % > 1 % (tier enterprise)"
    assert affected(list(found.values())) == "3 tenants: corp, acme, bits"


def about(*targets: str) -> list[Alert]:
    api = Watch(replace(HIGH_ERRORS, levels=(Threshold("P1", 0.005),)))
    api.sees(*(errors(0.5, route=each) for each in targets))
    return list(api.book.alerts(api.now))


def test_how_many_are_affected_and_which() -> None:
    assert affected(about("/a")) == ""
    assert affected([]) == ""
    assert affected(about("/a", "/b")) == "2 routes: /a, /b"
    assert affected(about(*"abcdef")) == "6 routes: a, b, c, …"


# --- absence -------------------------------------------------------------------------------------------------------------


def look_on(watch: Watch, seconds: int) -> list[tuple[str, str, str]]:
    """Time passes, and somebody looks each second."""
    for _ in range(seconds):
        watch.after(1).looks()
    return watch.alerts


def test_nothing_measured_for_so_long_is_an_alert_of_its_own() -> None:
    api = Watch(SILENT)
    assert api.sees(errors(0.1)) == []
    assert look_on(api, 299) == []
    assert look_on(api, 1) == [("P1", "firing", "api.error_rate")]
    assert describe(api.alert) == "silent nothing measured for 5m00s"
    assert api.judged["error_rate"].status is Status.FAILING
    first = api.alert
    look_on(api, 60)
    assert api.alert == first, "a silence that goes on is no news each second"
    assert states(api.after(1).sees(errors(0.1))) == ["resolved"]
    assert api.moves() == [("inactive", "firing", "P1"), ("firing", "resolved", "P1")]


def test_a_series_without_a_value_or_without_its_place_in_the_answer_is_silent() -> None:
    api = Watch(SILENT)
    api.sees(errors(0.1, route="/a"), errors(0.1, route="/b"), errors(0.1, route="/c"))
    for _ in range(6):
        look_on(api, 50)
        api.sees(errors(0.1, route="/a"), errors(None, route="/b"))
    assert [key for _, _, key in look_on(api, 1)] == ['api.error_rate{route="/b"}', 'api.error_rate{route="/c"}']
    for _ in range(int(FORGOTTEN / 100) + 1):
        api.after(10).sees(errors(0.1, route="/a"), errors(0.1, route="/b"))
        for _ in range(9):
            api.after(10).looks()
    assert api.alerts == [], "what is away for a day is gone for good"


def test_where_nothing_else_is_measured_a_silence_goes_on_for_more_than_a_day() -> None:
    """Nothing came of it: told to be over, and to fire again, would be two lies a day."""
    api = Watch(SILENT)
    api.sees(errors(0.1, route="/a"))
    for _ in range(int(FORGOTTEN / 10) + 100):
        api.after(10).looks()
    assert states(api.alerts) == ["firing"]
    assert api.moves() == [("inactive", "firing", "P1")]
    assert states(api.after(1).sees(errors(0.1, route="/b"))) == ["resolved"], "what is asked has another label by now"


def test_a_signal_that_was_never_there_is_silent_from_the_start() -> None:
    api = Watch(replace(SILENT, labels=(("route", "/pay"),)))
    api.hears_nothing()
    assert look_on(api, 299) == []
    assert look_on(api, 1) == [("P1", "firing", 'api.error_rate{route="/pay"}')]
    assert states(api.after(1).sees(errors(0.1, route="/pay"))) == ["resolved"]


def test_one_that_was_never_there_ends_when_others_of_its_kind_come() -> None:
    api = Watch(SILENT)
    api.hears_nothing()
    assert states(look_on(api, 300)) == ["firing"]
    assert states(api.after(1).sees(errors(0.1, route="/a"))) == ["resolved"]


def test_what_nobody_asks_any_more_is_not_silent() -> None:
    """Its target has gone from the config, and no other has its series."""
    api = Watch(SILENT)
    api.sees(errors(0.0, route="/a"))
    other = api.restarts(after=5.0)
    other.states = {"api": ProbeState("elsewhere", "look", 60.0, 10.0)}
    for _ in range(80):
        found = other.after(5).looks()
    assert [series for _, _, series in found] == ["api.error_rate"], "nothing of the signal is measured, but /a is not missed"


def test_what_is_asked_seldom_is_not_silent_between_two_answers() -> None:
    api = Watch(replace(SILENT, levels=(Threshold("P1", 60.0),)))
    api.sees(errors(0.1))
    assert look_on(api, 130) == [], "a reading is fresh for 130 s"
    assert states(look_on(api, 1)) == ["firing"]


def test_nobody_looking_is_no_silence() -> None:
    api = Watch(SILENT)
    api.sees(errors(0.1))
    look_on(api, 200)
    api.after(86400).looks()
    assert look_on(api, 99) == []
    other = api.restarts(after=3600.0)
    other.hears_nothing()
    assert states(look_on(other, 1)) == ["firing"], "what was silent before counts on"


def test_check_does_not_look_for_silence() -> None:
    api = Watch(SILENT, hold=False)
    assert api.hears_nothing() == []


# --- baselines -----------------------------------------------------------------------------------------------------------


def rates(watch: Watch, rate: float, seconds: int) -> list[str]:
    """A rate measured each half minute."""
    for _ in range(seconds // 30):
        watch.after(30).sees(signal("rate", rate, "1/s"))
    return states(watch.alerts)


def test_more_than_twice_of_an_hour_ago() -> None:
    api = Watch(SURGE)
    assert rates(api, 10.0, 3600) == []
    assert rates(api, 30.0, 120) == [], "nobody knows what it was an hour and five minutes ago"
    assert rates(api, 30.0, 480) == ["firing"]
    assert api.alert.value == pytest.approx(3.0)
    assert describe(api.alert) == "surge 3 × what it was an hour ago"
    assert api.judged["rate"].limit == "limit 2 × an hour ago"
    assert rates(api, 12.0, 330) == ["resolved"]


def test_a_baseline_of_nothing_is_none() -> None:
    api = Watch(SURGE)
    rates(api, 0.0, 4200)
    assert rates(api, 30.0, 600) == []
    assert api.judged["rate"].status is Status.OK


def test_a_baseline_from_the_record_where_this_process_is_younger() -> None:
    api = Watch(replace(SURGE, measure=Baseline(86400.0, 300.0)))
    api.book.means.recorded = True
    assert rates(api, 10.0, 360) == [], "nothing that was before is known yet"
    read_in(api, lambda at: 4.0)
    assert rates(api, 10.0, 30) == ["firing"]
    assert api.alert.value == pytest.approx(2.5)
    read_in(api, lambda at: 9.0)
    assert rates(api, 10.0, 30) == ["firing"], "it is read once"
    other = api.restarts(after=30.0)
    other.book.means.recorded = True
    assert rates(other, 10.0, 30) == ["firing"] and other.alert.unknown_since is not None, "until it has been read"
    read_in(other, lambda at: 9.0)
    assert rates(other, 10.0, 30) == ["resolved"]


def read_in(watch: Watch, rate: Callable[[float], float], interval: float = 30.0) -> None:
    """What somebody reads beside the judging: a rate over the last four days, kept as the store keeps it."""
    wanted = watch.book.means.wanted()
    at = array("d")
    for oldest, newest, step in ((4 * 86400, 86400, 600), (86400, 3600, 60), (3600, 0, interval)):
        at.extend(watch.now - 600 - age for age in range(oldest, newest, -int(step)))
    values = array("d", map(rate, at))

    def record(panel: str, keys: Sequence[str], start: float, end: float) -> dict[str, Values]:
        low, high = bisect_left(at, start), bisect_right(at, end)
        return dict.fromkeys(keys, (at[low:high], values[low:high]))

    watch.book.means.taken_back(read_back(wanted, record, watch.history), wanted)


def test_what_was_thinned_weighs_what_it_lasted() -> None:
    """All errors in the last hour of three days: a 72th of the time, though kept in more values than all that was before."""
    api = Watch(BUDGET)
    api.book.means.recorded = True
    burns(api, 1.0, 60, 5)
    read_in(api, lambda at: float(at > START - 3600), interval=5.0)
    burns(api, 1.0, 5, 5)
    means, now = api.book.means, api.now
    assert means.mean("api", "error_rate", now - 259200, now) == pytest.approx(3600 / 259200, rel=0.2)
    assert means.mean("api", "error_rate", now - 86400, now) == pytest.approx(3600 / 86400, rel=0.2)
    assert means.mean("api", "error_rate", now - 1800, now) == 1.0


def test_means_with_a_hole_are_read_anew() -> None:
    """Another process polled meanwhile, and its record has what this one has not seen."""
    api = Watch(BUDGET)
    burns(api, 0.0, 3660)
    api.book.restore(api.book.state(api.now), api.now)
    api.book.means.recorded = True
    api.after(3600)
    burns(api, 0.0, 60)
    read_in(api, lambda at: 0.5)
    assert api.book.means.mean("api", "error_rate", api.now - 3600, api.now) == pytest.approx(0.5, abs=0.05)


def test_a_baseline_from_a_history_that_is_filled_in_later() -> None:
    """Prometheus's memory is asked once, beside the first figures."""
    api = Watch(SURGE)
    rates(api, 30.0, 60)
    api.history.backfill("api", "rate", [(START - each * 15, 10.0) for each in range(240)])
    assert rates(api, 30.0, 180) == []
    assert rates(api, 30.0, 90) == ["firing"], "an hour of Prometheus's, and five minutes of ours"


def test_means_are_those_of_the_values_between() -> None:
    totals = Totals(3600.0)
    for second in range(0, 7200, 5):
        totals.add(START + second, float(second), 15.0)
    begin = START - START % 5
    assert totals.mean(begin + 1000, begin + 2000 - 1) == pytest.approx(1500, abs=5)
    assert totals.reaches(START) and not totals.reaches(START - 60)
    totals.add(START + 1000, 7.0, 15.0)
    assert totals.mean(START + 1000, START + 99999) == pytest.approx(503.5, abs=3), "set back: later ones never were"


def test_old_means_go() -> None:
    totals = Totals(60.0)
    for step in range(2 * STEPS):
        totals.add(step * 5.0, 1.0 if step < STEPS else 3.0, 15.0)
    assert len(totals.at) <= 1.25 * STEPS
    assert totals.mean(totals.at[0], totals.at[0] + 10) == pytest.approx(1.0 if totals.at[0] < STEPS * 5 else 3.0)
    assert totals.mean(2 * STEPS * 5.0 - 1000, 2 * STEPS * 5.0) == pytest.approx(3.0)


# --- rate of change ------------------------------------------------------------------------------------------------------


def test_by_how_much_it_rose_within_a_time() -> None:
    db = Watch(GROWTH)
    for minute in range(9):
        found = db.after(60).sees(signal("size", 5e9 + minute * 2e8, "bytes"), panel="db")
        assert found == [], "not yet ten minutes"
    found = db.after(60).sees(signal("size", 7e9, "bytes"), panel="db")
    assert states(found) == ["firing"]
    assert db.alert.value == pytest.approx(2e9)
    assert describe(db.alert) == "growth rose by 2.0 GB in 10m00s"
    assert db.judged["size"].limit == "limit +1.0 GB in 10m00s"
    for _ in range(11):
        found = db.after(60).sees(signal("size", 7e9, "bytes"), panel="db")
    assert states(found) == ["resolved"]


def test_a_fall_is_a_change_below_zero() -> None:
    db = Watch(replace(GROWTH, way="below", levels=(Threshold("P2", -1e9),)))
    for _ in range(11):
        db.after(60).sees(signal("size", 5e9, "bytes"), panel="db")
    assert states(db.after(60).sees(signal("size", 3e9, "bytes"), panel="db")) == ["firing"]
    assert describe(db.alert) == "growth fell by 2.0 GB in 10m00s"


# --- events --------------------------------------------------------------------------------------------------------------


def test_the_increase_of_a_counter_with_its_resets() -> None:
    jobs = Watch(FAILED)
    for value in (100, 104, 107, 2, 3):  # 4 + 3 + 2 (it began anew) + 1
        found = jobs.after(60).sees(signal("failed", float(value)), panel="jobs")
    assert found == []
    assert states(jobs.after(60).sees(signal("failed", 5.0), panel="jobs")) == ["firing"], "12 in the last 5 minutes"
    assert describe(jobs.alert) == "failed 12 in 10m00s"
    for _ in range(10):
        found = jobs.after(60).sees(signal("failed", 5.0), panel="jobs")
    assert states(found) == ["resolved"]


def test_events_since_the_last_reading_are_added_up() -> None:
    jobs = Watch(replace(FAILED, measure=Events(600.0, "sum")))
    for _ in range(5):
        found = jobs.after(60).sees(signal("failed", 2.0), panel="jobs")
    assert found == [], "ten are not more than ten"
    assert states(jobs.after(60).sees(signal("failed", 1.0), panel="jobs")) == ["firing"]


def test_events_before_it_has_watched_for_the_window_can_fire_and_not_resolve() -> None:
    jobs = Watch(FAILED)
    for value in (0, 20):
        jobs.after(60).sees(signal("failed", float(value)), panel="jobs")
    assert states(jobs.alerts) == ["firing"]
    other = jobs.restarts(after=5.0)
    for _ in range(9):
        assert states(other.after(60).sees(signal("failed", 20.0), panel="jobs")) == ["firing"], "who knows what was before"
    assert states(other.after(60).sees(signal("failed", 20.0), panel="jobs")) == ["resolved"]


@pytest.mark.parametrize("hole", ["nobody looked", "it had no value"])
def test_what_came_in_a_hole_is_not_known_and_resolves_nothing(hole: str) -> None:
    jobs = Watch(replace(FAILED, measure=Events(600.0, "sum")))
    for _ in range(12):
        jobs.after(60).sees(signal("failed", 1.0), panel="jobs")
    assert jobs.alerts == [], "ten in the last ten minutes"
    for _ in range(5):
        jobs.after(60).sees(signal("failed", 3.0), panel="jobs")
    assert states(jobs.alerts) == ["firing"]
    for _ in range(5):
        jobs.after(60)
        if hole == "it had no value":
            jobs.sees(signal("failed", None), panel="jobs")
    for minute in range(9):
        assert states(jobs.after(60).sees(signal("failed", 0.0), panel="jobs")) == ["firing"], minute
        assert (jobs.alert.unknown_since is not None) is (minute > 0), "12 were seen; later nobody knows how many came"
    for _ in range(2):
        jobs.after(60).sees(signal("failed", 0.0), panel="jobs")
    assert states(jobs.alerts) == ["resolved"]


def test_what_was_seen_beside_a_hole_is_enough_to_fire() -> None:
    jobs = Watch(replace(FAILED, measure=Events(600.0, "sum")))
    for _ in range(12):
        jobs.after(60).sees(signal("failed", 0.0), panel="jobs")
    assert states(jobs.after(300).sees(signal("failed", 11.0), panel="jobs")) == ["firing"]


def test_where_few_are_bad_enough_of_them_are_well_over_a_hole_too() -> None:
    """Ten orders in ten minutes are not too few, however many came besides; none in what was seen says nothing."""
    jobs = Watch(replace(FAILED, way="below", measure=Events(600.0, "sum")))
    for _ in range(11):
        jobs.after(60).sees(signal("failed", 0.0), panel="jobs")
    assert states(jobs.alerts) == ["firing"]
    assert states(jobs.after(300).sees(signal("failed", 9.0), panel="jobs")) == ["firing"]
    assert jobs.alert.unknown_since is not None
    assert states(jobs.after(60).sees(signal("failed", 1.0), panel="jobs")) == ["resolved"]


# --- budgets -------------------------------------------------------------------------------------------------------------


def burns(watch: Watch, rate: float, seconds: int, step: int = 60) -> list[tuple[str, str]]:
    """A share of errors measured each minute."""
    for _ in range(seconds // step):
        watch.after(step).sees(errors(rate))
    return [(severity, state) for severity, state, _ in watch.alerts]


def test_a_budget_that_burns_fast_is_p0_once_an_hour_is_known() -> None:
    api = Watch(BUDGET)
    assert burns(api, 0.02, 3000) == [], "20 × too fast, but not known for an hour yet"
    assert burns(api, 0.02, 720) == [("P0", "firing")]
    assert describe(api.alert) == "budget spends its error budget 20 × too fast over 1h00m and 5m00s"
    assert api.alert.threshold == 14.4
    assert api.judged["error_rate"].limit == "SLO 99.9 %"
    assert burns(api, 0.0, 420) == [("P0", "resolved")], "the short window says that it is over"


def test_a_budget_that_burns_slowly_is_known_after_days() -> None:
    api = Watch(BUDGET)
    for _ in range(11):
        assert burns(api, 0.0015, 6 * 3600, 120) == [], "1.5 × too fast for 66 hours: three days are not known"
    assert burns(api, 0.0015, 7 * 3600, 120) == [("P3", "firing")]
    assert burns(api, 0.004, 24 * 3600, 120) == [("P2", "firing")]
    assert burns(api, 0.008, 6 * 3600, 120) == [("P1", "firing")]
    burns(api, 0.0, 6 * 3600 + 300, 120)
    assert api.moves()[-1] == ("firing", "resolved", "P3")


def test_the_budget_of_what_is_up() -> None:
    web = Watch(replace(BUDGET, panel="api", signal="up", measure=Burn(0.99, of_successes=True)))
    for minute in range(63):
        web.after(60).sees(signal("up", float(minute % 2)))
    assert [(each.severity, round(each.value or 0)) for each in web.book.alerts(web.now)] == [("P0", 50)]
