"""The last readings of each signal: kept an hour, drawn on one axis, with gaps as gaps."""

from __future__ import annotations

import math
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.clocks import START
from tests.waiting import LONG, eventually
from tui.engine.history import KEPT, History
from tui.engine.reading import Change, Reading, Signal, Status, signal
from tui.engine.text import Shown


def reading(at: float, *signals: Signal, panel: str = "api", changes: tuple[Change, ...] = ()) -> Reading:
    return Reading(panel, panel, "probe", at, 0.1, Status.OK, signals, changes=changes)


def fed(points: list[tuple[float, float | None]]) -> History:
    """One signal `rate` at seconds after START."""
    history = History()
    for at, value in points:
        history.record(reading(START + at, signal("rate", value)))
    return history


def change(key: str, at: float) -> Change:
    return Change(key, at, "deployment", Shown(f"deploy {key}"))


def test_values_of_a_window_oldest_first_without_gaps() -> None:
    history = fed([(0, 1), (5, None), (10, 3), (15, 4)])
    assert history.values("api", "rate", 10, START + 15) == [3, 4]
    assert [math.isnan(value) for _, value in history.points("api", "rate", 15, START + 15)] == [True, False, False]


def test_what_nobody_measured_is_empty() -> None:
    assert History().values("api", "rate", 60, START) == []
    assert History().spark("api", "rate", 4, START).values == (None,) * 4


def test_series_are_apart_by_panel_and_labels() -> None:
    history = History()
    history.record(reading(START, signal("p95", 1, "s", route="/a"), signal("p95", 2, "s", route="/b")))
    history.record(reading(START, signal("p95", 3, "s", route="/a"), panel="web"))
    assert history.values("api", 'p95{route="/a"}', 10, START) == [1]
    assert history.values("web", 'p95{route="/a"}', 10, START) == [3]


def test_an_hour_is_kept_and_little_more() -> None:
    history = fed([(at, at) for at in range(0, 3 * int(KEPT), 5)])
    end = START + 3 * KEPT
    kept = history.values("api", "rate", 10 * KEPT, end)
    assert KEPT / 5 <= len(kept) <= 1.3 * KEPT / 5
    assert kept[-1] == 3 * KEPT - 5


def test_what_nobody_measures_any_more_is_dropped() -> None:
    """Labels come and go: a month of routes must not stay in memory."""
    history = fed([(0, 1)])
    for minute in range(200):
        history.record(reading(START + 60 * minute, signal("other", 1.0)))
    assert history.first("api", "rate") is None and history.first("api", "other") is not None


def test_a_clock_set_back_shuts_nothing_out() -> None:
    history = fed([(0, 1), (100, 2), (200, 3), (50, 4), (55, 5)])
    assert history.values("api", "rate", 1000, START + 200) == [1, 4, 5]


def test_the_same_moment_twice_is_one_point() -> None:
    assert fed([(0, 1), (0, 2)]).values("api", "rate", 10, START) == [2]


def test_a_source_with_a_memory_fills_what_lies_before() -> None:
    history = fed([(100, 5)])
    history.backfill("api", "rate", [(START + 50, 2.0), (START, 1.0), (START + 100, 9.0), (START + 60, None)])
    assert history.values("api", "rate", 1000, START + 100) == [1, 2, 5]
    assert history.span("api", START + 100) == 120


def test_backfill_before_the_first_reading() -> None:
    history = History()
    history.backfill("api", "rate", [(START - 600, 1.0)])
    history.backfill("api", "rate", [])
    assert history.values("api", "rate", 1000, START) == [1]


# --- changes --------------------------------------------------------------------------------------------------------


def test_a_change_seen_in_two_polls_stays_one() -> None:
    history = History()
    for _ in range(2):
        history.record(reading(START, changes=(change("b", START - 5), change("a", START - 50))))
    assert [each.key for each in history.changes(100, START)] == ["a", "b"]
    assert [each.key for each in history.changes(10, START)] == ["b"]
    assert history.changes(100, START - 20) == [change("a", START - 50)], "what is still to come is no change yet"


def test_the_newest_word_on_a_change_counts() -> None:
    history = History()
    history.record(reading(START, changes=(change("a", START - 5),)))
    history.record(reading(START + 5, changes=(change("a", START - 2),)))
    assert [each.at for each in history.changes(100, START)] == [START - 2]


def test_changes_do_not_pile_up() -> None:
    history = History()
    for day in range(30):
        at = START + 86_400 * day
        history.record(reading(at, changes=tuple(change(f"{day}-{number}", at) for number in range(60))))
    assert len(history.changes(1e9, START + 1e9)) <= 560


# --- sparklines -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("age", "span"), [(0, 120), (119, 120), (121, 300), (301, 600), (601, 1200), (1201, 3600), (9999, 3600)]
)
def test_the_axis_grows_with_what_there_is(age: float, span: float) -> None:
    assert fed([(0, 1)]).span("api", START + age) == span


def test_a_spark_is_the_mean_of_each_stretch() -> None:
    start = math.ceil(START / 120) * 120 - START
    history = fed([(start + at, at) for at in range(5, 120, 10)])
    spark = history.spark("api", "rate", 4, START + start + 119)
    assert spark.values == (15, 45, 75, 105)


def test_it_moves_once_a_stretch_not_with_every_poll() -> None:
    base = math.ceil(START / 120) * 120
    history = fed([(base - START + at, 1.0) for at in range(0, 60, 5)])
    pictures = {history.spark("api", "rate", 12, base + 55 + step).values for step in range(5)}
    assert len(pictures) == 1


def test_short_gaps_are_bridged_and_long_ones_stay() -> None:
    base = math.ceil(START / 120) * 120 - START
    history = fed([(base + 5, 1), (base + 35, 2), (base + 105, 3)])
    spark = history.spark("api", "rate", 12, START + base + 119)
    assert spark.values == (1, 1, 1, 2, 2, 2, None, None, None, None, 3, 3)


def test_a_wide_picture_has_no_holes_between_polls_and_shows_each_that_failed_or_was_missed() -> None:
    """A chart of a hundred cells over two minutes: five seconds are four cells of it."""
    base = math.ceil(START / 120) * 120 - START
    polls: list[tuple[float, float | None]] = [(base + at, 1.0) for at in range(1, 120, 5)]
    assert None not in fed(polls).spark("api", "rate", 100, START + base + 119).values
    failed = fed([(at, None if at == base + 61 else value) for at, value in polls])
    assert failed.spark("api", "rate", 100, START + base + 119).values[50:54] == (None,) * 4
    missed = fed([each for each in polls if not base + 60 < each[0] < base + 90])
    holes = [value is None for value in missed.spark("api", "rate", 100, START + base + 119).values]
    assert holes == [False] * 54 + [True] * 21 + [False] * 25, "from the moment on at which the last one stood too long"


def test_what_is_measured_each_minute_is_no_comb() -> None:
    base = math.ceil(START / 300) * 300 - START
    history = fed([(base + at, 1.0) for at in range(1, 300, 60)])
    assert None not in history.spark("api", "rate", 60, START + base + 299).values


def test_a_change_is_marked_where_it_happened() -> None:
    base = math.ceil(START / 120) * 120
    history = fed([(base - START, 1)])
    history.record(reading(base + 100, changes=(change("a", base + 61), change("old", base - 5000))))
    assert history.spark("api", "rate", 12, base + 119).marks == {6}


@pytest.mark.parametrize(
    ("values", "least", "top"),
    [
        ([7.0, 7.0, 7.0], 1.0, 16.0),
        ([7.0, 8.0, 7.0, 6.0], 1.0, 16.0),
        ([7.0, 7.0, 40.0], 1.0, 40.0),
        ([7.0, 7.0, 7.0], 30.0, 30.0),
        ([0.0, 0.0], 0.0, None),
        ([None, None], 0.5, 0.5),
        ([None, -2.0], 0.0, None),
    ],
)
def test_what_is_steady_stands_in_the_middle_and_a_peak_is_the_top(
    values: list[float | None], least: float, top: float | None
) -> None:
    base = math.ceil(START / 50) * 50 - START
    history = fed([(base + 50 * place, value) for place, value in enumerate(values)])
    now = START + base + 50 * len(values) - 1
    assert history.spark("api", "rate", 12, now, least=least).top == (top and pytest.approx(top))
    assert history.spark("api", "rate", 12, now).top is None, "the highest of what is drawn"


def test_no_room_no_picture() -> None:
    assert fed([(0, 1)]).spark("api", "rate", 0, START).values == ()


@given(
    st.lists(st.tuples(st.floats(0, 4000), st.none() | st.floats(-1e6, 1e6)), max_size=40),
    st.integers(1, 80),
    st.floats(0, 5000),
)
def test_a_spark_never_shows_what_was_not_measured(points: list[tuple[float, float | None]], width: int, now: float) -> None:
    history = fed(sorted(points, key=lambda point: point[0]))
    spark = history.spark("api", "rate", width, START + now)
    measured = [value for _, value in points if value is not None]
    assert len(spark.values) == width
    assert all(0 <= mark < width for mark in spark.marks)
    for value in spark.values:
        assert value is None or min(measured) - 1e-6 <= value <= max(measured) + 1e-6


def test_two_threads_do_not_disturb_each_other() -> None:
    history, ends, seen = History(), threading.Event(), []

    def look() -> None:
        while not ends.is_set():
            seen.append(len(history.spark("api", "rate", 20, START + 5000).values))

    looking = threading.Thread(target=look)
    looking.start()
    eventually(lambda: seen)
    for at in range(2000):
        history.record(reading(START + at, signal("rate", 1.0), changes=(change(str(at), START + at),)))
    ends.set()
    looking.join(LONG)
    assert not looking.is_alive()
    assert set(seen) == {20}
