"""What a person holds on to in a panel's rows, and the order that stays: without a screen."""

from __future__ import annotations

from tui.engine.layout import Cell, Column, DrawnRow, Fact, Facts, Layout
from tui.engine.text import EMPTY, Shown
from tui.widgets.hold import Hold
from tui.widgets.steady import steady

FIGURES = (Facts((Fact(Shown("queued"), Shown("7"), key="queued"), Fact(Shown("stuck"), Shown("0"), key="stuck"))),)


def row(key: str) -> DrawnRow:
    return DrawnRow(key, (Cell(Shown(key)),))


def above(key: str) -> DrawnRow:
    return DrawnRow(f"heading:{key}", (Cell(Shown(key)),), heading=True)


def holding(*rows: DrawnRow, figures: tuple[Facts, ...] = ()) -> Hold:
    hold = Hold()
    hold.take(Layout(figures=figures, columns=(Column("a", EMPTY, 20, grows=True),), rows=rows))
    return hold


def under(hold: Hold) -> str | None:
    """The figure or row that the cursor is on; both at once is a mistake."""
    assert hold.figure is None or hold.selected is None
    return hold.figure or hold.selected


def keys(rows: list[DrawnRow]) -> list[str]:
    return [each.key for each in rows]


def test_the_cursor_never_stands_on_a_heading() -> None:
    hold = holding(above("pending"), row("a"), above("over"), row("b"))
    stops = [hold.selected]
    for step in (1, 1, -1, -1, -1000, 1000):
        hold.move(step)
        stops.append(hold.selected)
    assert stops == ["a", "b", "b", "a", "a", "a", "b"]


def test_home_is_the_first_row_and_the_figures_are_a_step_further() -> None:
    hold = holding(row("a"), row("b"), figures=FIGURES)
    hold.move(-1000)
    assert hold.selected == "a"
    hold.move(1000)
    hold.move(-1000)
    assert hold.selected == "a"
    hold.move(-1)
    assert under(hold) == "stuck"
    hold.move(-1000)
    assert under(hold) == "queued"


def test_whoever_comes_back_to_a_panel_stands_on_a_row_again_and_not_on_a_figure() -> None:
    hold = holding(row("a"), row("b"), figures=FIGURES)
    hold.move(-1)
    assert under(hold) == "stuck"
    hold.touched = False  # the keys went to another panel
    hold.take(Layout(figures=FIGURES, rows=(row("a"), row("b"))))
    assert under(hold) == "a"


def test_no_row_leaves_its_section_when_sections_change_places() -> None:
    before = [above("applications"), row("web"), row("worker"), above("statements"), row("select"), row("update")]
    after = [above("statements"), row("update"), row("select"), above("applications"), row("worker"), row("web"), row("cron")]
    assert keys(steady(before, after)) == [
        "heading:statements", "select", "update", "heading:applications", "web", "cron", "worker",
    ]  # fmt: skip


def test_a_section_that_is_new_stands_where_the_view_puts_it() -> None:
    before = [row("a"), row("b"), above("tables"), row("t")]
    after = [row("b"), row("a"), above("applications"), row("web"), above("tables"), row("t")]
    assert keys(steady(before, after)) == ["a", "b", "heading:applications", "web", "heading:tables", "t"]
