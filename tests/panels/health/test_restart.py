"""What outlives the process: an endpoint's uptime, since when it stands so, and which release it ran."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from panels.health.uptime import WINDOW, Uptime
from tests.panels.health.conftest import Asker, the_row, value
from tests.servers.http import reply
from tui.engine.history import History
from tui.engine.panel import BEFORE
from tui.engine.reading import Reading, Signal, Status, labels_of

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


def recorded(history: History, until: float, took: Sequence[float], up: float = 1.0) -> None:
    """What the process before measured, an answer each ten seconds."""
    labels = labels_of({"endpoint": "health"})
    for place, each in enumerate(took):
        signals = (Signal("latency", each, "s", labels), Signal("up", up, "count", labels))
        at = until - 10.0 * (len(took) - place)
        history.record(Reading("health", "health", "endpoint", at, each, Status.OK, signals))


async def test_how_slow_it_was_is_known_from_the_record_as_soon_as_it_is_there(health: Asker) -> None:
    """A restart is given it back a moment after its first look; until then it is as slow as it was."""
    health.web.answers["/health"] = WELL
    row = the_row(await health.ask())
    slow = replace(row, cells={**row.cells, "latency_p95": 300.0})
    health.readings["health"] = replace(health.readings["health"], rows=(slow,))
    health.tools.history = health.history = History()
    restarts(health, 20)
    began = health.clock.utc()
    assert value(await health.ask(), "latency_p95") == 300.0
    before = History()
    recorded(before, began - 1000, [900.0] * 50, up=0.0)
    recorded(before, began, [200.0] * 12 + [100.0] * 88)
    health.tools.history = before
    health.clock.move(10)
    assert value(await health.ask(), "latency_p95") == 200.0, "95 of 102, failed answers aside"


async def test_where_nothing_was_recorded_its_own_answers_count_as_soon_as_they_are_enough(health: Asker) -> None:
    health.web.answers["/health"] = WELL
    row = the_row(await health.ask())
    slow = replace(row, cells={**row.cells, "latency_p95": 300.0})
    health.readings["health"] = replace(health.readings["health"], rows=(slow,))
    health.tools.history = History()
    restarts(health, 20)
    found = [value(await health.ask(), "latency_p95") or 0 for _ in range(20)]
    assert found[18] == 300.0 and found[19] < 100.0
    health.memories["health"] = {BEFORE: replace(health.readings["health"], at=health.clock.utc() - 3600)}
    assert (value(await health.ask(), "latency_p95") or 0) < 100.0, "an hour ago it may have been another service"


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
