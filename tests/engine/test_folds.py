"""Folds: what belongs together is one line, each alert is in exactly one, a line's key lasts as long as its oldest alert."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from tests.clocks import START
from tests.engine.some_alerts import alert
from tui.engine.alert import Alert, by_badness
from tui.engine.folds import FIRST_LOOK, TOGETHER, carried, folded
from tui.engine.text import Shown


def lines(*alerts: Alert, watching_since: float = 0.0) -> list[tuple[str, list[str], str]]:
    """Each line as (key, its alerts, what holds them together)."""
    return [(fold.key, list(fold.fingerprints), fold.why) for fold in folded(alerts, watching_since)]


def test_what_shares_nothing_is_a_line_each_the_worst_first() -> None:
    found = lines(alert("slow", 0, "P2"), alert("errors", 500, "P0"), alert("full", 900, "P0", "pending"))
    assert found == [("errors", ["errors"], ""), ("slow", ["slow"], ""), ("full", ["full"], "")]


def test_what_is_about_one_target_is_one_line() -> None:
    mine = alert("down", 0, target="readyz", panel="health")
    theirs = alert("am:1", 900, "P0", target="readyz", source="alertmanager", panel="alerts")
    assert lines(mine, theirs) == [("down", ["am:1", "down"], "about readyz")]


def test_what_depends_on_one_root_is_one_line_with_it() -> None:
    root = alert("down readyz", 0, target="readyz")
    behind = [alert(f"down {name}", 600 * place, target=name, root="readyz") for place, name in ((1, "web"), (2, "admin"))]
    assert lines(root, *behind) == [("down readyz", ["down readyz", "down web", "down admin"], "depends on readyz")]
    assert len(folded([root, alert("other", 600, target="docs")])) == 2


def test_what_began_together_is_one_line_but_a_trickle_is_not() -> None:
    found = lines(*(alert(str(at), at) for at in (0, 40, TOGETHER, TOGETHER + 1, 110)))
    assert found == [("0", ["0", "40", "60.0"], "within 60s"), ("61.0", ["61.0", "110"], "within 60s")]


def test_what_was_so_when_watching_began_has_no_known_start() -> None:
    ours = [alert("a", 0), alert("b", 1), alert("c", FIRST_LOOK + 30)]
    assert len(folded(ours, watching_since=START)) == 3
    theirs = [alert("d", 5, source="alertmanager"), alert("e", 6, source="alertmanager")]
    assert len(folded(theirs, watching_since=START)) == 1, "their system knows when they began"


def test_one_rule_over_label_values_says_how_many_and_which() -> None:
    def of(tenant: str, raised: str = "", rule: str = "Errors") -> Alert:
        labels = {"route": "/", "tenant": tenant}
        return alert(tenant, len(tenant) * 300, labels=labels, rule=rule, raised_by=Shown(raised), target=tenant)

    raised = [of(each, "tier enterprise") for each in ("acme", "globex", "initrode")]
    assert [why for *_, why in lines(*raised)] == ["3 tenants: acme, globex, initrode, all enterprise"]
    assert [why for *_, why in lines(*raised, of("umbrellas"))] == ["4 tenants: acme, globex, initrode, …, 3 enterprise"]
    assert [why for *_, why in lines(of("acme"), of("globex"))] == ["2 tenants: acme, globex"]


def test_a_resolved_one_stays_in_its_line_and_does_not_count() -> None:
    (fold,) = folded([alert("a", 0, "P0", "resolved"), alert("b", 10, "P2")])
    assert (fold.key, fold.lead.fingerprint, fold.count) == ("a", "b", 1)


some = st.builds(
    lambda number, since, severity, state, target, root, rule: alert(
        f"{number:03}", since, severity, state, target=target, root=root, rule=rule
    ),
    st.integers(0, 999),
    st.integers(0, 400),
    st.sampled_from(["P0", "P1", "P2", "P3"]),
    st.sampled_from(["pending", "firing", "resolved"]),
    st.sampled_from(["", "a", "b", "c", "d"]),
    st.sampled_from(["", "", "a", "z"]),
    st.sampled_from([*"pqrstuvw"]),
)
several = st.lists(some, max_size=14, unique_by=lambda each: each.fingerprint)


def together(one: Alert, other: Alert, everyone: list[Alert]) -> bool:
    """Whether two alerts share something, said as the module's docstring says it."""
    if one.rule == other.rule or {one.target, one.root} & {other.target, other.root} - {""}:
        return True
    first = None
    for each in sorted(everyone, key=lambda each: (each.since, each.fingerprint)):
        first = each if first is None or each.since - first.since > TOGETHER else first
        if each in (one, other):
            last = max(one.since, other.since)
            return last - first.since <= TOGETHER
    return False


@given(several)
def test_every_alert_is_in_exactly_one_line_and_lines_are_what_is_connected(alerts: list[Alert]) -> None:
    found = folded(alerts)
    assert sorted(print_ for fold in found for print_ in fold.fingerprints) == sorted(each.fingerprint for each in alerts)
    group = {each.fingerprint: {each.fingerprint} for each in alerts}
    for one in alerts:
        for other in alerts:
            if together(one, other, alerts):
                merged = group[one.fingerprint] | group[other.fingerprint]
                for print_ in merged:
                    group[print_] = merged
    assert {frozenset(fold.fingerprints) for fold in found} == {frozenset(each) for each in group.values()}


@given(several)
def test_lines_and_their_alerts_are_in_the_order_of_badness(alerts: list[Alert]) -> None:
    found = folded(alerts)
    assert [by_badness(fold.lead) for fold in found] == sorted(by_badness(fold.lead) for fold in found)
    for fold in found:
        assert list(fold.alerts) == sorted(fold.alerts, key=by_badness)


@given(several, st.randoms())
def test_lines_do_not_depend_on_the_order_given(alerts: list[Alert], random: Random) -> None:
    shuffled = list(alerts)
    random.shuffle(shuffled)
    assert folded(shuffled) == folded(alerts)


@given(several, st.data())
def test_a_lines_key_lasts_as_long_as_its_oldest_alert(alerts: list[Alert], data: st.DataObject) -> None:
    """Whatever else ends, and whatever else begins that has nothing to do with it."""
    found = folded(alerts)
    oldest = {fold.key for fold in found}
    leaves = data.draw(st.sets(st.sampled_from([each.fingerprint for each in alerts]))) if alerts else set()
    left = [each for fold in found for each in fold.alerts if each.fingerprint not in leaves]
    left += [alert(f"new {place}", 1000 + 100 * place) for place in range(data.draw(st.integers(0, 3)))]
    after = {print_: fold.key for fold in folded(carried(left, left)) for print_ in fold.fingerprints}
    for key in oldest - leaves:
        assert after[key] == key


def test_which_start_is_shared_is_settled_once() -> None:
    first = [each for fold in folded([alert("a", 0), alert("b", 50), alert("c", 70)]) for each in fold.alerts]
    assert [fold.fingerprints for fold in folded(first)] == [("a", "b"), ("c",)]
    again = carried([alert("b", 50), alert("c", 70), alert("late", 45), alert("d", 90)], first)
    assert [fold.fingerprints for fold in folded(again)] == [("late", "b"), ("c", "d")]
