"""What a panel says of the rows that it has no room for."""

from __future__ import annotations

from functools import partial

from msgspec.structs import replace

from tests import story
from tui.engine.layout import Cell, Column, DrawnRow, Gauge, Later, Layout, Spark
from tui.engine.reading import Failure, Reading, Status
from tui.engine.text import EMPTY, Shown
from tui.widgets.face import Frame, Head, Held, draw_face, draw_rule, failure_lines
from tui.widgets.figures import draw_figures
from tui.widgets.freshness import Freshness, slowed_to
from tui.widgets.glyphs import UNICODE
from tui.widgets.ink import Line
from tui.widgets.table import RowLines, matches

ROWS = tuple(DrawnRow(f"r{at}", (Cell(Shown(f"row {at}")),)) for at in range(3))
HEADING = DrawnRow("heading:more", (Cell(Shown("tables")),), heading=True, dim=True)
TAIL = (DrawnRow("last", (Cell(Shown("last")),)),)
MORE = tuple(DrawnRow(f"t{at}", (Cell(Shown(f"table {at}")),)) for at in range(2))
MAINTENANCE = Shown("maintenance until 06:51:44Z: db move")
LEFT_OUT = Shown("9 idle: z lists them")


def lines(rows: tuple[DrawnRow, ...], height: int, width: int = 60, trailer: Shown = LEFT_OUT) -> list[str]:
    """The panel's lines under its rule."""
    layout = Layout(columns=(Column("a", EMPTY, 20, grows=True),), rows=rows, trailer=trailer)
    head = Head(1, Shown("x"), Status.OK, Freshness(EMPTY))
    face = draw_face(head, layout, rows, (), Held(), Frame(width, height, UNICODE))
    return [line.text.strip() for line in face.lines[1:]]


def test_what_is_out_of_sight_and_what_was_left_out_share_a_line() -> None:
    assert lines(ROWS, 5) == ["row 0", "row 1", "row 2", "9 idle: z lists them"]
    assert lines(ROWS, 4) == ["row 0", "row 1", "…1 more, all ok · 9 idle: z lists them"]
    assert lines(ROWS, 4, width=30) == ["row 0", "…2 more, all ok", "9 idle: z lists them"]


def test_a_heading_stands_only_above_a_row_of_its_section() -> None:
    rows = (*ROWS, HEADING, *MORE)
    assert lines(rows, 7, trailer=EMPTY)[-2:] == ["table 0", "table 1"]
    assert lines(rows + TAIL, 7, trailer=EMPTY) == ["row 0", "row 1", "row 2", "tables", "table 0", "…2 more, all ok"]
    assert lines(rows, 6, trailer=EMPTY) == ["row 0", "row 1", "row 2", "…2 more, all ok"]
    assert lines((*ROWS, HEADING, *MORE), 3, trailer=EMPTY) == ["row 0", "…4 more, all ok"]


def rule(width: int, layout: Layout, slowed: Shown = EMPTY, fresh: str = "no answer yet") -> str:
    """The line that begins an unknown panel."""
    head = Head(7, Shown("gone"), Status.UNKNOWN, Freshness(Shown(fresh)), slowed=slowed)
    return draw_rule(head, layout, 0, Frame(width, 5, UNICODE)).text


def test_where_a_rule_is_short_its_source_goes_before_its_status() -> None:
    layout, slowed = Layout(source=Shown("prometheus")), Shown("asked each 33s")
    assert rule(70, layout, slowed).endswith("─ prometheus asked each 33s no answer yet ─")
    short = rule(58, layout, slowed)
    assert short.startswith("─ 7 gone ? unknown ─") and short.endswith("─ asked each 33s no answer yet ─")
    assert rule(40, Layout(), fresh="").endswith("───") and len(rule(40, Layout(), fresh="")) == 40


def test_one_line_of_room_goes_to_a_row_and_not_to_its_heading() -> None:
    assert lines((HEADING, *MORE), 2, trailer=EMPTY)[0] == "table 0"
    assert lines((HEADING, *MORE), 3, trailer=EMPTY) == ["table 0", "…1 more, all ok"]
    assert lines((HEADING, *MORE), 4, trailer=EMPTY) == ["tables", "table 0", "table 1"]


def test_scrolled_back_to_a_sections_first_row_its_heading_is_there() -> None:
    rows = (HEADING, *MORE, *ROWS)
    layout = Layout(columns=(Column("a", EMPTY, 20, grows=True),), rows=rows)
    head = Head(1, Shown("x"), Status.OK, Freshness(EMPTY))
    face = draw_face(head, layout, rows, (), Held(cursor="t0", top=2), Frame(60, 5, UNICODE))
    assert face.lines[1].text.strip() == "tables"


def test_no_room_at_all_is_still_no_crash() -> None:
    for height in range(4):
        assert len(lines((*ROWS, HEADING, *MORE), height)) <= max(0, height - 1)


def test_probes_that_failed_alike_are_said_once() -> None:
    error = Failure("deadline", Shown("no answer within 5s"), Shown("is the source slow?"))
    readings = [
        Reading("jobs", "jobs", probe, 0.0, 5.0, Status.UNKNOWN, (), (), error=error) for probe in ("queue", "schedules")
    ]
    other = Reading("jobs", "other", "queue", 0.0, 5.0, Status.UNKNOWN, (), (), error=error)
    drawn = [line.text.strip() for line in failure_lines([*readings, other], Frame(60, 10, UNICODE))]
    assert drawn[:2] == ["? deadline: no answer within 5s · 2 probes", "try: is the source slow?"]
    assert drawn[2] == "? other: deadline: no answer within 5s"


def test_a_row_is_drawn_once_while_neither_it_nor_how_it_is_shown_changes() -> None:
    layout = Layout(columns=(Column("a", EMPTY, 20, grows=True),), rows=ROWS)
    head, kept = Head(1, Shown("x"), Status.OK, Freshness(EMPTY), focused=True), RowLines()

    def drawn(rows: tuple[DrawnRow, ...], cursor: str, width: int = 60) -> tuple[Line, ...]:
        return draw_face(head, layout, rows, (), Held(cursor), Frame(width, 9, UNICODE, kept)).lines[1:]

    before, after = drawn(ROWS, "r0"), drawn(ROWS, "r1")
    assert after[2] is before[2] and after[0] is not before[0] and after[1].text.startswith("▸")
    other = (*ROWS[:2], DrawnRow("r2", (Cell(Shown("changed")),)))
    assert drawn(other, "r1")[2].text.strip() == "changed" and drawn(other, "r1", 8)[2].text.strip() == "chang…"


def test_what_is_stale_is_not_called_well() -> None:
    assert lines(ROWS, 3, trailer=EMPTY) == ["row 0", "…2 more, all ok"]
    layout = Layout(columns=(Column("a", EMPTY, 20, grows=True),), rows=ROWS)
    head = Head(1, Shown("x"), Status.UNKNOWN, Freshness(Shown("stale 45s"), "unknown", stale=True))
    assert draw_face(head, layout, ROWS, (), Held(), Frame(60, 3, UNICODE)).lines[-1].text == " …2 more"


def test_a_panel_that_is_asked_less_often_than_wanted_says_so_on_its_rule() -> None:
    panel = story.snapshot().panels[1]
    probe = replace(panel.probes[0], interval=52.0, slowed=Shown("its statements cost 120 ms a second: asked each 52s"))
    seldom = replace(probe, interval=60.0, slowed=Shown("its statements cost 120 ms a second: asked each 1m00s"))
    slowed = slowed_to(replace(panel, probes=(seldom, probe)))
    assert slowed == "asked each 52s" and slowed_to(panel) == ""
    assert slowed_to(replace(panel, probes=(replace(probe, interval=5.4, slowed=Shown("asked each 5s")),))) == ""
    assert slowed_to(replace(panel, probes=(panel.probes[0], seldom))) == ""  # the rule's time is of the quickest
    head = Head(1, Shown("jobs"), Status.OK, Freshness(Shown("03:12:09Z")), slowed=slowed)
    rule = draw_face(head, Layout(), (), (), Held(), Frame(60, 5, UNICODE)).lines[0].text
    assert rule.endswith(" asked each 52s 03:12:09Z ─")


def test_a_limit_is_whole_before_its_picture_is_wide() -> None:
    spark = Spark(tuple(float(value) for value in range(16)))
    gauges = [
        Gauge(Shown("Anthropic success"), Shown("100.0 %"), None, spark, Shown("limit 95 %")),
        Gauge(Shown("p95"), Shown("1,236 ms"), None, spark, Shown("limit 1,000 ms")),
    ]
    drawn = [each.line.text for each in draw_figures(gauges, 59, UNICODE, None)]
    assert drawn[0].endswith("limit 95 %") and drawn[1].endswith("limit 1,000 ms") and "▂▃" in drawn[1]


def test_the_newest_value_is_never_hidden_by_the_mark_of_a_change() -> None:
    def drawn(values: tuple[float | None, ...], marks: set[int], width: int = 4) -> str:
        return "".join(piece.text for piece in UNICODE.sparkline(Spark(values, frozenset(marks), top=8.0), width))

    assert drawn((0, 0, 0, 8), {3}) == "▁▁◆█"
    assert drawn((0, 0, 0, 8), {1, 3}) == "▁◆◆█"
    assert drawn((0, 0, 0, None), {3}) == "▁▁▁◆"  # nothing to hide
    assert drawn((0, 8), {1}, width=1) == "◆"  # no place before it


def test_a_window_that_has_no_room_on_the_rule_is_said_in_a_word() -> None:
    head = Head(2, Shown("metrics"), Status.FAILING, Freshness(Shown("05:51:53Z")), maintenance=MAINTENANCE)
    drawn = [draw_rule(head, Layout(source=Shown("scraped")), 0, Frame(width, 5, UNICODE)).text for width in (90, 58)]
    assert "failing  maintenance until 06:51:44Z: db move ─" in drawn[0]
    assert "failing  maintenance ─" in drawn[1] and "…" not in drawn[1]


def test_of_many_rows_only_those_in_sight_are_made() -> None:
    made: list[int] = []

    def cells(at: int) -> tuple[Cell, ...]:
        made.append(at)
        return (Cell(Shown(f"row {at}")),)

    rows = tuple(DrawnRow(f"r{at}", Later(partial(cells, at))) for at in range(200))
    layout = Layout(columns=(Column("a", EMPTY, 20, grows=True),), rows=rows)
    head = Head(1, Shown("x"), Status.OK, Freshness(EMPTY))
    face = draw_face(head, layout, rows, (), Held(top=50), Frame(60, 12, UNICODE))
    assert face.shown > 5 and made == list(range(50, 50 + face.shown))
    assert face.lines[1].text.split() == ["row", "50"]
    assert [row.key for row in rows if matches(row, "row 199")] == ["r199"]
