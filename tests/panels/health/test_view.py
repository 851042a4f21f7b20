"""The panel as a person reads it."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from panels.health.view import view
from tests.panels.health.conftest import Asker
from tests.printing import printed
from tests.servers.http import reply
from tui.engine.layout import Layout, Room
from tui.engine.panel import Readings
from tui.engine.reading import Row, Status, Value


async def laid_out(health: Asker, width: int = 78) -> Layout:
    readings = await health.ask_all()
    return view(readings, health.history, Room(width, 18, health.clock.utc()))


def steadied(readings: Readings, latency: float) -> Readings:
    """The readings with the one thing a test cannot know, how long answers took, set."""
    shown = []
    for reading in readings.of("endpoint"):
        (row,) = reading.rows
        cells: dict[str, Value] = dict(row.cells)
        cells |= {name: latency for name in ("latency", "latency_p95") if cells[name] is not None}
        shown.append(replace(reading, rows=(Row(row.key, cells, row.status, row.parent),)))
    return replace(readings, by_probe={"endpoint": tuple(shown)})


@pytest.fixture
def five(health: Asker) -> Asker:
    """A parent with two children, and another beside it."""
    url = health.web.url
    health.settings["endpoint"] = [
        {"url": f"{url}/readyz"},
        {"url": f"{url}/admin", "depends_on": "readyz"},
        {"url": f"{url}/jobs", "depends_on": "admin"},
        {"url": f"{url}/marketing"},
    ]
    for path in ("/readyz", "/admin", "/jobs", "/marketing"):
        health.web.says(path, {"ok": True})
    return health


async def test_all_well(five: Asker) -> None:
    readings = steadied(await five.ask_all(), 0.041)
    lines = printed(view(readings, five.history, Room(58, 18, five.clock.utc())), 58).splitlines()[:3]
    assert [line.rstrip("▁▂▃▄▅▆▇█").rstrip() for line in lines] == [
        "[4 of 4 up]",
        " endpoint             now       p95  latency",
        " readyz ●           41 ms     41 ms",
    ]


async def test_with_more_room_more_is_said(five: Asker) -> None:
    readings = steadied(await five.ask_all(), 0.041)
    heading = printed(view(readings, five.history, Room(98, 18, five.clock.utc())), 98).splitlines()[1]
    assert heading.split() == ["endpoint", "now", "p95", "up", "for", "cert", "latency"]


async def test_the_worst_comes_first_and_the_rest_stays_in_its_order(five: Asker) -> None:
    five.web.says("/marketing", {"ok": False, "checks": {"cdn": False}})
    lines = printed(await laid_out(five), 78).splitlines()
    assert [line.split()[0] for line in lines[2:]] == ["marketing", "readyz", "admin", "jobs"]
    assert lines[0] == "[3 of 4 up]"
    assert "✖" in lines[2] and "cdn" in lines[2]


async def test_children_are_folded_under_a_parent_that_fails(five: Asker) -> None:
    for path in ("/readyz", "/admin", "/jobs"):
        five.web.answers[path] = reply(b"", 503)
    lines = printed(await laid_out(five), 78).splitlines()
    assert [line.split()[0] for line in lines[2:]] == ["readyz", "marketing", "behind"]
    assert "HTTP 503" in lines[2]
    assert lines[-1] == " behind readyz: admin, jobs"


async def test_a_child_that_is_well_stays_though_its_parent_fails(five: Asker) -> None:
    five.web.answers["/readyz"] = reply(b"", 503)
    lines = printed(await laid_out(five), 78).splitlines()
    assert [line.split()[0] for line in lines[2:]] == ["readyz", "admin", "jobs", "marketing"]


async def test_a_child_that_fails_alone_stays(five: Asker) -> None:
    five.web.answers["/admin"] = reply(b"", 503)
    five.web.answers["/jobs"] = reply(b"", 503)
    lines = printed(await laid_out(five), 78).splitlines()
    assert [line.split()[0] for line in lines[2:]] == ["admin", "readyz", "marketing", "behind"]
    assert lines[-1] == " behind admin: jobs"


async def test_stale_is_never_green(five: Asker) -> None:
    readings = await five.ask_all()
    readings = replace(readings, stale=frozenset({("marketing", "endpoint")}))
    layout = view(readings, five.history, Room(78, 18, five.clock.utc()))
    assert layout.headline == "3 of 4 up"
    assert (layout.rows[0].key, layout.rows[0].status) == ("marketing", Status.UNKNOWN)


async def test_what_must_be_read_with_it(health: Asker) -> None:
    health.web.says("/health", {"status": "pass", "environment": "staging"})
    assert " health says it is staging, not production" in printed(await laid_out(health), 78).splitlines()


async def test_the_uptime_says_over_how_long(health: Asker) -> None:
    health.web.says("/health", {"ok": True})
    for _ in range(3):
        layout = await laid_out(health)
        health.clock.move(10)
    titles = {column.name: column.title for column in layout.columns}
    assert titles["uptime"] == "up"
    for _ in range(80):
        await health.ask()
        health.clock.move(10)
    titles = {column.name: column.title for column in (await laid_out(health)).columns}
    assert titles["uptime"] == "up 13m"


def test_before_the_first_answer(health: Asker) -> None:
    layout = view(Readings("health", health.config, {}), health.history, Room(58, 18, 0.0))
    assert printed(layout, 58) == "[0 of 0 up]\n no answer yet"


async def test_equal_answers_draw_equal_pictures(five: Asker) -> None:
    readings = steadied(await five.ask_all(), 0.041)
    first, second = (printed(view(readings, five.history, Room(78, 18, five.clock.utc())), 78) for _ in range(2))
    assert first == second
