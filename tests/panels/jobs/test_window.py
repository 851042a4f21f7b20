"""The window of minutes: what is asked again, and what came of it."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from panels.jobs.window import ALL_EACH, KEPT, STEP, Counts, Window, stretches

NOW = 1_800_000_030.0
NEWEST = int(NOW // 60)


def row(minute: int, total: int, kind: str = "A", **counts: Any) -> dict[str, Any]:
    return {"minute": minute, "kind": kind, "total": total, "queued": 0, "running": 0, "failed": 0, "mark": "0", **counts}


def full_window(now: float = NOW) -> Window:
    """One in which all of the day was asked for and holds nothing."""
    window = Window()
    assert window.move(now)
    assert window.owed is not None
    first, last = window.owed
    window.take(range(first, last + 1), [], now)
    window.went_back_to(first)
    return window


def test_a_new_window_owes_the_whole_day_and_is_not_complete_before_it() -> None:
    window = Window()
    window.move(NOW)
    assert window.owed == (NEWEST - KEPT + 1, NEWEST) and not window.complete
    window.went_back_to(NEWEST - 100)
    assert window.owed == (NEWEST - KEPT + 1, NEWEST - 101) and not window.complete
    window.went_back_to(NEWEST - KEPT + 1)
    assert window.owed is None and window.complete


def test_open_minutes_are_asked_again_each_poll_and_closed_ones_are_not() -> None:
    window = full_window()
    old_open, old_closed = NEWEST - 600, NEWEST - 601
    window.take([old_open, old_closed], [row(old_open, 3, running=1), row(old_closed, 3)], NOW)
    asked = window.to_ask(NOW + 5)
    assert old_open in asked and old_closed not in asked
    window.take([old_open], [row(old_open, 3)], NOW + 5)
    assert old_open not in window.to_ask(NOW + 10)


def test_the_newest_minutes_are_asked_until_late_commits_are_in() -> None:
    window = full_window()
    assert NEWEST in window.to_ask(NOW + 5)
    later = NOW + 600
    window.take(window.to_ask(later), [], later)
    assert set(range(NEWEST + 8, NEWEST + 11)) <= set(window.to_ask(later + 5))


def test_minutes_that_passed_unseen_are_asked_for() -> None:
    window = full_window()
    window.move(NOW + 400)
    assert set(range(NEWEST + 1, NEWEST + 7)) <= set(window.to_ask(NOW + 400))


def test_the_last_hour_is_looked_at_again_so_that_a_retry_shows() -> None:
    window = full_window()
    window.take([NEWEST - 30], [row(NEWEST - 30, 5)], NOW)
    assert NEWEST - 30 in window.to_ask(NOW + 5)


def test_a_poll_looks_at_no_more_than_its_allowance() -> None:
    window = full_window()
    many = range(NEWEST - 200, NEWEST - 100)
    window.take(many, [row(minute, 1_000, running=1) for minute in many], NOW)
    asked = window.to_ask(NOW + 5)
    assert sum(window.minutes[each].total for each in asked if each in window.minutes) <= STEP
    turns = set()
    for poll in range(1, 12):
        asked = [each for each in window.to_ask(NOW + 5 * poll) if each in many]
        window.take(asked, [row(minute, 1_000, running=1) for minute in asked], NOW + 5 * poll)
        turns.update(asked)
    assert turns == set(many)


def test_a_minute_larger_than_a_step_is_asked_seldom() -> None:
    window = full_window()
    window.take([NEWEST - 100], [row(NEWEST - 100, 75_000, running=1)], NOW)
    assert NEWEST - 100 not in window.to_ask(NOW + 5)
    assert NEWEST - 100 in window.to_ask(NOW + 11)


def test_everything_is_asked_again_each_ten_minutes() -> None:
    window = full_window()
    assert not window.move(NOW + ALL_EACH - 1) and window.owed is None
    assert window.move(NOW + ALL_EACH) and window.owed == (NEWEST + 10 - KEPT + 1, NEWEST + 10)


def test_what_ended_is_counted_once_and_not_what_ended_before_we_looked() -> None:
    window = Window()
    assert window.take([NEWEST], [row(NEWEST, 10, queued=4)], NOW).ended == 0
    assert window.take([NEWEST], [row(NEWEST, 12, queued=1)], NOW + 5).ended == 5
    assert window.take([NEWEST - 5], [row(NEWEST - 5, 9)], NOW + 5).ended == 0
    assert window.take([NEWEST + 1], [row(NEWEST + 1, 3, running=1)], NOW + 65).ended == 2


def test_another_set_of_failed_jobs_shows_even_when_their_number_does_not() -> None:
    window = full_window()
    first = window.take([NEWEST], [row(NEWEST, 3, failed=1, mark="17")], NOW)
    same = window.take([NEWEST], [row(NEWEST, 4, failed=1, mark="17")], NOW)
    other = window.take([NEWEST], [row(NEWEST, 4, failed=1, mark="-3")], NOW)
    none = window.take([NEWEST], [row(NEWEST, 4)], NOW)
    assert [bool(each.failures) for each in (first, same, other, none)] == [True, False, True, True]


def test_a_clock_set_back_lets_go_of_what_lies_ahead() -> None:
    window = full_window()
    window.move(NOW - 7200)
    assert max(window.minutes) <= NEWEST - 120


def test_the_day_is_summed_by_kind() -> None:
    window = full_window()
    window.take([NEWEST - 1], [row(NEWEST - 1, 5, queued=1, running=1, failed=2), row(NEWEST - 1, 1, "B")], NOW)
    window.take([NEWEST], [row(NEWEST, 3)], NOW)
    assert window.by_kind == {"A": Counts(8, 1, 1, 2), "B": Counts(1)}
    window.take([NEWEST - 1], [row(NEWEST - 1, 4, failed=3)], NOW + 5)
    assert window.by_kind == {"A": Counts(7, 0, 0, 3)}
    window.move(NOW + 2 * 86400)
    assert window.by_kind == {}


@given(st.sets(st.integers(0, 60)))
def test_stretches_hold_exactly_the_minutes(minutes: set[int]) -> None:
    found = list(stretches(sorted(minutes)))
    held = {number for start, end in found for number in range(int(start // 60), int(end // 60))}
    assert held == minutes
    assert all(before[1] < after[0] for before, after in pairwise(found))
