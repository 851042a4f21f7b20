"""What outlives the process: an endpoint's uptime, since when it stands so, and which release it ran."""

from __future__ import annotations

import pytest

from panels.health.uptime import WINDOW, Uptime
from tests.panels.health.conftest import Asker, the_row, value
from tests.servers.http import reply
from tui.engine.panel import BEFORE
from tui.engine.reading import Status

WELL = reply(b'{"status":"pass","release":"9f3c2a1"}')


def restarts(health: Asker, after: float) -> None:
    """Another process goes on, so many seconds later, with what was recorded last; its monotonic clock is another."""
    health.clock.move(after)
    health.memories["health"] = {BEFORE: health.readings["health"]}


async def test_uptime_and_since_when_go_on(health: Asker) -> None:
    health.web.answers["/health"] = WELL
    for _ in range(400):
        await health.ask()
        health.clock.move(10)
    restarts(health, 20)
    row = the_row(found := await health.ask())
    assert value(found, "uptime") == 1.0, "an hour and more is known"
    assert row.cells["uptime_measured"] == pytest.approx(3990)
    assert row.cells["since"] == pytest.approx(4020)


async def test_one_that_was_down_is_down_at_the_first_look(health: Asker) -> None:
    health.settings["failures"] = 3
    for _ in range(5):
        await health.ask()
        health.clock.move(10)
    restarts(health, 20)
    found = await health.ask()
    assert found.status is Status.FAILING and value(found, "up") == 0.0
    assert the_row(found).cells["since"] == pytest.approx(70)


async def test_after_a_long_while_nobody_knows_how_it_stood(health: Asker) -> None:
    health.web.answers["/health"] = WELL
    for _ in range(400):
        await health.ask()
        health.clock.move(10)
    restarts(health, 7200)
    row = the_row(await health.ask())
    assert row.cells["since"] == 0.0
    assert row.cells["uptime_measured"] == pytest.approx(3990), "that was measured, and lies within the day"


async def test_a_release_that_changed_meanwhile_is_a_change(health: Asker) -> None:
    health.web.answers["/health"] = WELL
    await health.ask()
    restarts(health, 3600)
    health.web.answers["/health"] = reply(b'{"status":"pass","release":"4b1d0e7"}')
    (change,) = (await health.ask()).changes
    assert (change.kind, change.title) == ("release", "health now runs 4b1d0e7")


def test_what_is_taken_over_leaves_the_window_evenly() -> None:
    uptime = Uptime.resumed(0.75, 7200.0, ended=1000.0)
    assert uptime.known == pytest.approx(7200)
    assert uptime.ratio == pytest.approx(0.75)
    now = 1000.0
    while now < 1000.0 + WINDOW - 3600:
        uptime.add(now, 1.0, longest=400.0)
        now += 300.0
    assert uptime.known == pytest.approx(WINDOW, abs=900)
    assert uptime.ratio == pytest.approx(1 - 0.25 * 3600 / WINDOW, abs=0.002)
