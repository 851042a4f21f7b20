"""What a panel's view returns: its picture as data, drawn by the one widget that draws every panel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from msgspec import Struct

from .reading import Status
from .text import EMPTY, Shown, clean
from .units import Unit


class Column(Struct, frozen=True):
    """A column of a panel's rows. `name` is the cell it shows; `unit` decides alignment and how values compare.

    `width` is in cells. Where room is short, columns of the highest `rank` are left out first (0 never is); a column
    that `grows` takes the room that is left.
    """

    name: str
    title: Shown
    width: int
    unit: Unit | Literal["text", "spark", "status"] = "text"
    rank: int = 0
    grows: bool = False

    @property
    def right(self) -> bool:
        """Numbers stand right-aligned, so that their digits compare."""
        return self.unit not in ("text", "spark", "status")


class Spark(Struct, frozen=True):
    """Values on the panel's one time axis, oldest first, None where nothing was measured; `marks` are the places of changes.

    `top` is what a full bar means; None lets the largest value fill it.
    """

    values: tuple[float | None, ...]
    marks: frozenset[int] = frozenset()
    top: float | None = None


class Cell(Struct, frozen=True):
    """One cell as drawn. `status` adds its glyph behind the text and its colour; `order` is what sorting compares; `right` puts
    a figure at the right of a column of text."""

    text: Shown = EMPTY
    status: Status | None = None
    dim: bool = False
    spark: Spark | None = None
    order: float | str | None = None
    right: bool = False


class Gauge(Struct, frozen=True):
    """A figure with its picture and its limit: `errors  6.2 % ✖ ▁▁▃▆█ limit 5 %`."""

    label: Shown
    text: Shown
    status: Status | None = None
    spark: Spark | None = None
    limit: Shown = EMPTY
    key: str = ""
    """The signal behind it, so that it can be opened."""


class Fact(Struct, frozen=True):
    """A small figure among others on one line: `idle tx 3`."""

    label: Shown
    text: Shown
    status: Status | None = None
    key: str = ""


class Facts(Struct, frozen=True):
    """A line of small figures; those that do not fit are left out from the end."""

    facts: tuple[Fact, ...]


class Later:
    """A row's cells that are made when somebody looks at them: of hundreds of rows a screen has room for a few.

    A mistake in making them costs that row, and is said in it.
    """

    __slots__ = ("_cells", "_make")

    def __init__(self, make: Callable[[], tuple[Cell, ...]]) -> None:
        self._make = make
        self._cells: tuple[Cell, ...] | None = None

    def __call__(self) -> tuple[Cell, ...]:
        """The cells."""
        if self._cells is None:
            make, self._make = self._make, tuple  # what they are made of may go: rows are kept for longer than readings
            try:
                self._cells = make()
            except Exception as error:  # as a view's: it may be somebody else's
                self._cells = (Cell(clean(f"cannot be drawn: {type(error).__name__}: {error}"), Status.UNKNOWN),)
        return self._cells

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Later) and self() == other())

    __hash__ = None  # type: ignore[assignment]  # it is compared by what it gives


class DrawnRow(Struct, frozen=True):
    """A row as drawn: `given` are its cells in the order of the layout's columns. `depth` is its place in a tree.

    A row whose `key` is no row of a reading (a group's heading, a fold) is drawn but offers no action of its own. A `heading`
    begins a section: rows are sorted within it, never across.
    """

    key: str
    given: tuple[Cell, ...] | Later
    status: Status = Status.OK
    depth: int = 0
    dim: bool = False
    heading: bool = False

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The cells in the order of the layout's columns."""
        return self.given if isinstance(self.given, tuple) else self.given()


class Layout(Struct, frozen=True):
    """What a view returns: data, drawn by the one widget that draws every panel.

    `headline` is the whole panel in a few words, for places with one line to spare (`5 of 5 up`, `queued 14`).
    `source` stands before the freshness on the panel's rule (`prometheus`, `sampled`).
    `notes` are lines that a person must read with the figures; `trailer` stands under the rows (`…14 more, all ok`).
    """

    headline: Shown = EMPTY
    source: Shown = EMPTY
    figures: tuple[Gauge | Facts, ...] = ()
    notes: tuple[Shown, ...] = ()
    columns: tuple[Column, ...] = ()
    rows: tuple[DrawnRow, ...] = ()
    trailer: Shown = EMPTY
    empty: Shown = EMPTY
    """Said in place of rows where there is none: what that means (`nothing is queued`)."""
    calm: Shown = Shown("all ok")
    """What rows that no rule speaks of are called where they are out of sight; empty where that is no praise (failed jobs)."""


class Room(Struct, frozen=True):
    """How much a view may fill, in cells. `now` is UTC seconds and moves with the poll, not with the clock, so that equal
    answers draw equal pictures."""

    width: int
    height: int
    now: float
    zoomed: bool = False
