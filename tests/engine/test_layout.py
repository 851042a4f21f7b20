"""Rows whose cells are made when somebody looks at them."""

from __future__ import annotations

import weakref

import pytest

from tui.engine.layout import Cell, DrawnRow, Later
from tui.engine.reading import Status
from tui.engine.text import Shown


class Maker:
    """Makes one cell, and counts how often."""

    def __init__(self, text: str) -> None:
        self.text, self.made = text, 0

    def __call__(self) -> tuple[Cell, ...]:
        self.made += 1
        return (Cell(Shown(self.text)),)


def test_cells_are_made_once_and_only_when_looked_at() -> None:
    maker = Maker("web")
    row = DrawnRow("web", Later(maker), Status.OK)
    assert (row.key, row.status, maker.made) == ("web", Status.OK, 0)
    assert row.cells == row.cells == (Cell(Shown("web")),)
    assert maker.made == 1


def test_rows_are_compared_by_what_is_drawn() -> None:
    first, same, other = (DrawnRow("web", Later(Maker(text))) for text in ("web", "web", "api"))
    assert first == same
    assert first != other
    assert first != DrawnRow("web", Later(Maker("web")), Status.FAILING)


def test_a_mistake_in_making_them_costs_the_row_and_is_said_in_it() -> None:
    def broken() -> tuple[Cell, ...]:
        raise ValueError("no \x1b[2Jsuch column")

    (cell,) = DrawnRow("web", Later(broken)).cells
    assert cell.status is Status.UNKNOWN
    assert cell.text.startswith("cannot be drawn: ValueError: no ") and "\x1b" not in cell.text


def test_what_they_were_made_of_is_let_go() -> None:
    maker = Maker("web")
    row, gone = DrawnRow("web", Later(maker)), weakref.ref(maker)
    assert row.cells
    del maker
    assert gone() is None and row.cells == (Cell(Shown("web")),)


def test_what_is_compared_is_no_key() -> None:
    with pytest.raises(TypeError):
        hash(Later(Maker("web")))
