"""What a person reads: well and broken, wide and narrow, and what never may be left out."""

import pytest
from msgspec.structs import replace

from panels.metrics.config import MetricsConfig
from panels.metrics.figures import Route, most_telling, steadily
from panels.metrics.view import view
from tests.clocks import START
from tests.panels.metrics.story import QUIET, SHOP, told
from tests.printing import printed
from tui.engine.history import History
from tui.engine.layout import Layout, Room
from tui.engine.panel import Judged, Readings
from tui.engine.reading import Failure, Reading, Row, Status, series_key, signal
from tui.engine.text import Shown

TILED = MetricsConfig.model_validate(
    {
        "kind": "metrics",
        "prometheus": "http://prometheus:9090",
        "tiles": [
            {"name": "pool", "title": "pool used", "query": "x", "unit": "ratio"},
            {"name": "users", "query": "y"},
        ],
    }
)


def drawn(readings: Readings, history: History, width: int, height: int, *, lines: int = 99) -> str:
    """The first `lines` of the picture under its headline."""
    return "\n".join(printed(view(readings, history, Room(width, height, START)), width).splitlines()[: lines + 1])


def test_broken_at_80_by_24() -> None:
    assert (
        drawn(*told(broken=True), 78, 18, lines=16)
        == """\
[163 /s  errors 6.2 %  p95 1,420 ms · scraped]
 requests    163 /s    ▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄◆▄▄▄▄  usual 155 /s
 errors       6.2 % ✖  ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁◆▅███  limit 1.0 %  since 03:03:00Z
 p50          84 ms    ▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄◆▄▄▄▄
 p95       1,420 ms ✖  ▂▂▂▂▂▂▂▂▂▂▂▂▂▂▂◆▆███  limit 1,000 ms  since 03:03:32Z
 p99       3,100 ms    ▂▂▂▂▂▂▂▂▂▂▂▂▂▂▂◆▆███
 route                         rate   errors          p95    errors, last hour
 POST /api/checkout          3.4 /s   41.2 % ✖   2,900 ms ✖  ▁▁▁▁▁▁▁▁▁▁▁◆▇█
 POST /api/orders            9.7 /s    2.0 %     1,100 ms    ▁▁▁▁▁▁▁▁▁▁▁◆▁▁
 GET  /api/products         67.1 /s    0.0 %       200 ms    ▁▁▁▁▁▁▁▁▁▁▁◆▁▁
 GET  /api/me               44.2 /s    0.0 %       200 ms    ▁▁▁▁▁▁▁▁▁▁▁◆▁▁
 GET  /api/item/0           22.0 /s    0.0 %       200 ms    ▁▁▁▁▁▁▁▁▁▁▁◆▁▁
 GET  /api/item/1           11.0 /s    0.0 %       200 ms    ▁▁▁▁▁▁▁▁▁▁▁◆▁▁
 GET  /api/item/2            7.3 /s    0.0 %       200 ms    ▁▁▁▁▁▁▁▁▁▁▁◆▁▁
 GET  /api/item/3            5.5 /s    0.0 %       200 ms    ▁▁▁▁▁▁▁▁▁▁▁◆▁▁
 GET  /api/item/4            4.4 /s    0.0 %       200 ms    ▁▁▁▁▁▁▁▁▁▁▁◆▁▁
 GET  /api/item/5            3.7 /s    0.0 %       200 ms    ▁▁▁▁▁▁▁▁▁▁▁◆▁▁"""
    )


def test_broken_in_half_of_120_by_36() -> None:
    assert (
        drawn(*told(broken=True), 58, 9, lines=7)
        == """\
[163 /s  errors 6.2 %  p95 1,420 ms · scraped]
 requests    163 /s    ▄▄▄▄▄▄▄▄▄▄▄▄◆▄▄▄  usual 155 /s
 errors       6.2 % ✖  ▁▁▁▁▁▁▁▁▁▁▁▁◆▇██  limit 1.0 %
 p95       1,420 ms ✖  ▂▂▂▂▂▂▂▂▂▂▂▂◆▇██  limit 1,000 ms
 route                        rate   errors          p95
 POST /api/checkout         3.4 /s   41.2 % ✖   2,900 ms ✖
 POST /api/orders           9.7 /s    2.0 %     1,100 ms
 GET  /api/products        67.1 /s    0.0 %       200 ms"""
    )


def test_well_at_80_by_24_is_quiet() -> None:
    layout = view(*told(broken=False), Room(78, 18, START))
    assert printed(layout, 78).splitlines()[1:8] == [
        " requests  163 /s    ▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄  usual 155 /s",
        " errors    <0.1 %    ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁  limit 0.5 %",
        " p50        84 ms    ▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄",
        " p95       210 ms    ▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄  limit 1,000 ms",
        " p99       400 ms    ▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄",
        " route                             rate   errors        p95  errors, last hour",
        " GET  /api/products             67.1 /s    0.0 %     200 ms  ▁▁▁▁▁▁▁▁▁▁▁▁▁▁",
    ]
    assert all(cell.status is None for row in layout.rows for cell in row.cells)


def test_tiles_have_lines_where_there_is_room_and_else_share_one() -> None:
    readings, history = told(broken=False, config=TILED)
    assert " pool used  62.0 %    ▄▄" in drawn(readings, history, 78, 30)
    assert " pool used 62.0 %   users 1,840" in drawn(readings, history, 58, 9)
    assert "· prometheus]" in drawn(readings, history, 58, 9)


def test_a_breached_tile_has_a_line_wherever_it_is() -> None:
    key = series_key("tile_ratio", (("name", "pool"),))
    judged = {**QUIET, key: Judged(Status.FAILING, Shown("limit 60.0 %"), START - 60)}
    lines = drawn(*told(broken=False, config=TILED, judged=judged), 58, 9)
    assert " pool used  62.0 % ✖  " in lines and "limit 60.0 %" in lines


def test_slow_alone_shows_latencies_and_the_slowest_first() -> None:
    readings, history = told(broken=True, judged={"p95": Judged(Status.FAILING, Shown("limit 1,000 ms"), START - 60)})
    layout = view(readings, history, Room(78, 18, START))
    assert layout.columns[-1].title == "p95, last hour"
    assert layout.rows[0].key == "/api/checkout" and layout.rows[0].status is Status.FAILING


def test_every_route_that_is_not_ok_stays_on_screen() -> None:
    bad = {series_key("route_p95", (("route", f"/api/item/{number}"),)): Judged(Status.FAILING) for number in range(12)}
    layout = view(*told(broken=False, judged=bad), Room(58, 9, START))
    assert sum(1 for row in layout.rows if row.status is Status.FAILING) == 12
    assert all(row.status is Status.FAILING for row in layout.rows[:12])  # the widget cuts from below, and says what it cut


def test_zoomed_shows_all() -> None:
    layout = view(*told(broken=False), Room(58, 9, START, zoomed=True))
    assert len(layout.rows) == 17 and layout.trailer == "" and layout.rows[-1].key == "/api/idle" and layout.rows[-1].dim


def test_routes_that_are_not_listed_are_not_called_ok() -> None:
    readings, history = told(broken=False)
    reading = readings.by_probe["figures"][0]
    signals = (*(each for each in reading.signals if each.name != "routes"), signal("routes", 80))
    readings = replace(readings, by_probe={"figures": (replace(reading, signals=signals),)})
    assert view(readings, history, Room(58, 9, START)).trailer == "63 with less to tell are not listed"


def test_before_and_at_the_first_answer() -> None:
    nothing = Readings("metrics", SHOP, {})
    assert drawn(nothing, History(), 58, 9) == "[scraped]\n no answer yet"
    refused = Reading("metrics", "metrics", "figures", START, 0.1, Status.UNKNOWN, error=Failure("connect", Shown("refused")))
    unreached = Readings("metrics", TILED, {"figures": (refused,)})
    assert drawn(unreached, History(), 58, 9) == "[prometheus]\n no answer yet"
    signals = tuple(signal(name, None, "s") for name in ("p50", "p95", "p99"))
    signals += (signal("request_rate", None, "1/s"), signal("error_rate", None, "ratio"), signal("window", None, "s"))
    first = Reading(
        "metrics", "metrics", "figures", START, 0.1, Status.UNKNOWN, signals, notes=(Shown("rates after the next poll"),)
    )
    assert (
        drawn(replace(nothing, by_probe={"figures": (first,)}), History(), 58, 9)
        == """\
[–  errors –  p95 – · scraped]
 requests  –
 errors    –
 p95       –
 rates after the next poll
 no route yet"""
    )


def test_a_young_scrape_says_over_how_long_it_counts() -> None:
    readings, history = told(broken=False)
    reading = readings.by_probe["figures"][0]
    signals = (*(each for each in reading.signals if each.name != "window"), signal("window", 12.0, "s"))
    layout = view(replace(readings, by_probe={"figures": (replace(reading, signals=signals),)}), history, Room(58, 9, START))
    assert layout.source == "scraped over 12s"


@pytest.mark.parametrize("width", [58, 78, 98, 200])
@pytest.mark.parametrize("height", [1, 5, 9, 18, 50])
def test_fits_any_room_with_any_text(width: int, height: int) -> None:
    readings, history = told(broken=True, config=TILED)
    reading = readings.by_probe["figures"][0]
    long = Row("/x" * 500, {"route": Shown("/x" * 100), "rate": 1e9, "errors": None, "p95": 1e5})
    readings = replace(readings, by_probe={"figures": (replace(reading, rows=(*reading.rows, long)),)})
    layout = view(readings, history, Room(width, height, START))
    assert isinstance(layout, Layout) and printed(layout, width)


def test_noise_moves_no_row() -> None:
    before = steadily([Route("/a", 10.0), Route("/b", 9.0), Route("/c", 1.0)], ())
    assert [each.name for each in before] == ["/a", "/b", "/c"]
    names = [each.name for each in before]
    assert [each.name for each in steadily([Route("/b", 11.0), Route("/a", 9.5), Route("/c", 1.0)], names)] == names
    assert [each.name for each in steadily([Route("/b", 13.0), Route("/a", 9.5), Route("/c", 1.0)], names)] == [
        "/b",
        "/a",
        "/c",
    ]
    assert [each.name for each in steadily([Route("/d", 50.0), Route("/a", None)], names)] == ["/d", "/a"]


def test_of_many_routes_the_failing_and_the_slow_are_kept_beside_the_busy() -> None:
    routes = [Route(f"/{number}", float(number), 0.0, 0.1) for number in range(1, 200)]
    routes += [Route("/failing", 0.1, 0.5, 0.1), Route("/slow", 0.1, 0.0, 9.0)]
    kept = {each.name for each in most_telling(routes)}
    assert len(kept) == 50 and {"/failing", "/slow", "/199"} <= kept
