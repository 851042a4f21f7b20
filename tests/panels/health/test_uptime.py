"""Uptime on a driven clock: weighted by time, without what nobody measured."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from panels.health.uptime import MEANINGFUL, WINDOW, Uptime
from tests.panels.health.conftest import Asker, the_row, value
from tests.servers.http import reply

HOUR = 3600.0


def fed(polls: Sequence[tuple[float, float | None]], longest: float = 1000.0) -> Uptime:
    """Polls as (seconds since the one before, what it measured)."""
    uptime, now = Uptime(), 0.0
    for passed, up in polls:
        now += passed
        uptime.add(now, up, longest)
    return uptime


def test_nothing_is_known_at_first() -> None:
    assert Uptime().ratio is None
    assert fed([(0, 1.0)]).ratio is None


def test_it_is_weighted_by_time_not_by_polls() -> None:
    assert fed([(0, 1.0), (90, 0.0), (10, 1.0)]).ratio == pytest.approx(0.9)
    assert fed([(0, 1.0), (10, 0.0), *[(1, 0.0)] * 9, (1, 1.0)]).ratio == pytest.approx(0.5)


def test_unknown_time_is_left_out_and_shown() -> None:
    uptime = fed([(0, 1.0), (50, None), (1000, 0.0), (50, 1.0)])
    assert uptime.ratio == pytest.approx(0.5)
    assert uptime.known == pytest.approx(100)


def test_a_gap_in_polling_counts_no_longer_than_a_reading_is_fresh() -> None:
    uptime = fed([(0, 1.0), (8 * HOUR, 1.0)], longest=20)
    assert uptime.known == pytest.approx(20)


def test_one_failed_poll_of_two_is_no_uptime_of_50_percent() -> None:
    assert not fed([(0, 1.0), (5, 0.0), (5, 0.0)]).meaningful
    assert fed([(0, 1.0)] + [(60, 1.0)] * int(MEANINGFUL / 60)).meaningful


def test_it_forgets_after_a_day() -> None:
    down = [(0.0, 0.0)] + [(300.0, 0.0)] * 12
    up = [(300.0, 1.0)] * int(WINDOW / 300 + 2)
    uptime = fed(down + up)
    assert uptime.ratio == 1.0
    assert uptime.known == pytest.approx(WINDOW, abs=301)


@given(st.lists(st.tuples(st.floats(0.1, 5000), st.sampled_from([0.0, 1.0, None])), max_size=60))
def test_it_is_always_a_share_of_known_time(polls: list[tuple[float, float | None]]) -> None:
    uptime = fed(polls, longest=900)
    assert uptime.ratio is None or 0 <= uptime.ratio <= 1
    assert 0 <= uptime.known <= min(sum(passed for passed, _ in polls), WINDOW + 600) + 1e-6


async def test_what_fails_under_maintenance_counts_against_no_uptime(health: Asker) -> None:
    health.web.answers["/health"] = reply(b'{"status":"pass"}')
    for _ in range(10):
        await health.ask()
        health.clock.move(10)
    del health.web.answers["/health"]
    health.tools.in_maintenance = lambda panel: panel == "health"
    for _ in range(10):
        down = await health.ask()
        health.clock.move(10)
    assert value(down, "up") == 0.0, "it is measured all the same"
    assert the_row(down).cells["uptime"] == 1.0
    health.tools.in_maintenance = lambda panel: False
    for _ in range(10):
        down = await health.ask()
        health.clock.move(10)
    uptime = the_row(down).cells["uptime"]
    assert isinstance(uptime, float) and uptime < 0.6
