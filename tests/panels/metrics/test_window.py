"""Counters over time: restarts, routes that come and go, and how far back a window reaches."""

import math

from hypothesis import given
from hypothesis import strategies as st

from panels.metrics.counters import Growth
from panels.metrics.page import Series
from panels.metrics.window import LOOKS_KEPT, OTHERS, ROUTES_COUNTED, Names, Window, together
from tui.engine.reading import labels_of

NAMES = Names("requests", "errors", "seconds_bucket", "route", "status", "method")


def series(name: str, **labels: str) -> Series:
    return Series(name, labels_of(labels))


ROUTES = [series("requests", route=route) for route in ("/a", "/b", "/c")]
STEP = st.tuples(st.booleans(), st.lists(st.integers(0, 50), min_size=3, max_size=3))


@given(st.lists(STEP, min_size=1, max_size=20))
def test_what_grew_is_what_happened_whenever_the_process_began_anew(steps: list[tuple[bool, list[int]]]) -> None:
    """As long as a restarted counter has not passed its old value again, which nobody could tell from the page."""
    growth, counters, happened = Growth(), dict.fromkeys(ROUTES, 0), 0.0
    seen = 0.0
    growth.since_last(dict(counters))
    for restarted, amounts in steps:
        for route, amount in zip(ROUTES, amounts, strict=True):
            before = counters[route]
            counters[route] = amount if restarted and amount < before else before + amount
            happened += amount
        seen += sum(growth.since_last({route: float(count) for route, count in counters.items()}).values())
    assert seen == happened


def test_a_histogram_begins_anew_as_a_whole() -> None:
    """Of a restarted histogram one bucket may already be past its old count."""
    growth = Growth()
    low, high = series("seconds_bucket", le="0.1", route="/a"), series("seconds_bucket", le="+Inf", route="/a")
    growth.since_last({low: 2.0, high: 100.0})
    assert growth.since_last({low: 5.0, high: 6.0}) == {low: 5.0, high: 6.0}


def test_the_first_error_ever_counts() -> None:
    growth = Growth()
    assert growth.since_last({ROUTES[0]: 9.0}) == {ROUTES[0]: 0.0}
    error = series("errors", route="/a")
    assert growth.since_last({ROUTES[0]: 19.0, error: 1.0}) == {ROUTES[0]: 10.0, error: 1.0}


def test_a_series_that_was_missing_for_a_while_goes_on() -> None:
    growth = Growth()
    growth.since_last({ROUTES[0]: 100.0})
    growth.since_last({})
    assert growth.since_last({ROUTES[0]: 103.0}) == {ROUTES[0]: 3.0}


def test_a_window_begins_with_what_it_has_and_slides() -> None:
    window = Window(NAMES, 60.0)
    assert window.passed is None
    for second in range(0, 301, 5):
        window.add(float(second), {ROUTES[0]: 10.0 if second else 0.0}, {})
        if second == 5:
            assert window.passed == 5 and window.by_route()["/a"].requests == 10
    assert window.passed == 60
    assert window.by_route()["/a"].requests == 120


def test_an_hour_without_looks_is_no_window() -> None:
    window = Window(NAMES, 60.0)
    window.add(0.0, {ROUTES[0]: 0.0}, {})
    window.add(5.0, {ROUTES[0]: 10.0}, {})
    window.add(3605.0, {ROUTES[0]: 9000.0}, {})
    assert window.passed is None  # a mean over the gap would be told as if it were now


def test_frequent_looks_are_thinned() -> None:
    window = Window(NAMES, 300.0)
    for second in range(600):
        window.add(float(second), {ROUTES[0]: 1.0}, {})
    assert len(window._looks) <= LOOKS_KEPT + 3
    assert window.passed is not None and 300 <= window.passed <= 310
    assert window.by_route()["/a"].requests == window.passed


def test_routes_differ_in_their_buckets() -> None:
    """A route without some bound has no such bucket, rather than an empty one, which would bend its quantiles."""
    window = Window(NAMES, 60.0)
    grown = {
        series("seconds_bucket", route="/a", le="0.1"): 1.0,
        series("seconds_bucket", route="/a", le="+Inf"): 2.0,
        series("seconds_bucket", route="/b", le="0.5"): 3.0,
        series("seconds_bucket", route="/b", le="+Inf"): 4.0,
        series("seconds_bucket", route="/b", le="nonsense"): 4.0,
    }
    window.add(0.0, dict.fromkeys(grown, 0.0), {})
    window.add(10.0, grown, {})
    by_route = window.by_route()
    assert by_route["/a"].buckets == {0.1: 1.0, math.inf: 2.0}
    assert by_route["/b"].buckets == {0.5: 3.0, math.inf: 4.0}
    assert together(by_route).buckets == {0.1: 1.0, 0.5: 3.0, math.inf: 6.0}


def test_statuses_and_errors_are_counted_apart() -> None:
    window = Window(NAMES, 60.0)
    grown = {
        series("requests", route="/a", status="200", method="GET"): 7.0,
        series("requests", route="/a", status="503", method="POST"): 2.0,
        series("errors", route="/a"): 1.0,
    }
    window.add(0.0, {}, {"jobs": 0.0})
    window.add(10.0, grown, {"jobs": 5.0})
    passed = window.by_route()["/a"]
    assert (passed.requests, passed.failed, passed.errors) == (9.0, 2.0, 1.0)
    assert window.methods == {"/a": {"GET", "POST"}}
    assert window.tile("jobs") == 5.0 and window.tile("else") is None


def test_routes_without_end_are_counted_together() -> None:
    window = Window(NAMES, 60.0)
    many = {series("requests", route=f"/user/{number}"): 1.0 for number in range(ROUTES_COUNTED + 500)}
    window.add(0.0, {}, {})
    window.add(10.0, many, {})
    by_route = window.by_route()
    assert len(by_route) == ROUTES_COUNTED + 1 and by_route[OTHERS].requests == 500
    assert together(by_route).requests == ROUTES_COUNTED + 500
