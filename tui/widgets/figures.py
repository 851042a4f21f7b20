"""A layout's figures as lines: gauges under one another in columns, small facts side by side.

    errors    6.2 %  ✖  ▁▁▁▁▁▁▁▁◆▁▂▄▆███████   limit 5 %

Every gauge's text, glyph, picture and limit stand in the same columns, so that one look down compares them.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from rich.cells import cell_len

from tui.engine.layout import Fact, Facts, Gauge
from tui.engine.reading import Status
from tui.engine.text import Shown

from .glyphs import Glyphs
from .ink import ROLES, Line, Piece, Role, cut_line, fit, spaces

LONGEST_SPARK = 32
LEAST_SPARK = 10
"""Cells that a picture keeps, at the cost of words about limits: a limit is read, a shape is only seen."""


class DrawnFigure(Struct, frozen=True):
    """One line of figures, and which of them the cursor may stand on: their signal keys."""

    line: Line
    keys: tuple[str, ...]


class _Columns(Struct, frozen=True):
    label: int
    text: int
    spark: int


def draw_figures(figures: Sequence[Gauge | Facts], width: int, glyphs: Glyphs, selected: str | None) -> list[DrawnFigure]:
    """The figures in `width` cells; `selected` is the key of the one under the cursor."""
    columns = _columns([each for each in figures if isinstance(each, Gauge)], width)
    drawn = []
    for figure in figures:
        if isinstance(figure, Gauge):
            here = bool(figure.key) and figure.key == selected
            keys = (figure.key,) if figure.key else ()
            drawn.append(DrawnFigure(cut_line(_gauge(figure, columns, glyphs, here), width), keys))
        else:
            drawn.append(_facts(figure, width, glyphs, selected))
    return drawn


def _columns(gauges: Sequence[Gauge], width: int) -> _Columns:
    """Label and text take what they need; the picture what limits leave, but no less than shows a shape."""
    label = max((cell_len(each.label) for each in gauges), default=0)
    text = max((cell_len(each.text) for each in gauges), default=0)
    limit = max((cell_len(each.limit) for each in gauges), default=0)
    asked = max((len(each.spark.values) for each in gauges if each.spark), default=0)
    left = width - 1 - label - 2 - text - 4
    spark = min(asked, LONGEST_SPARK, max(left - (limit + 4 if limit else 1), min(LEAST_SPARK, left - 10)))
    return _Columns(min(label, width // 3), text, spark if spark >= 4 else 0)


def _gauge(gauge: Gauge, columns: _Columns, glyphs: Glyphs, here: bool) -> Line:
    role = _role(gauge.status)
    glyph = glyphs.status[gauge.status] if gauge.status not in (None, Status.OK) else " "
    pieces = [
        _sign(here, glyphs),
        Piece(fit(gauge.label, columns.label), "dim"),
        spaces(2),
        Piece(fit(gauge.text, columns.text, right=True), role),
        Piece(Shown(f" {glyph} "), role),
    ]
    if columns.spark:
        bars = glyphs.sparkline(gauge.spark, columns.spark) if gauge.spark else ()
        pieces += [spaces(1), *bars, spaces(columns.spark - sum(cell_len(bar.text) for bar in bars))]
    if gauge.limit:
        pieces += [spaces(3 if columns.spark else 1), Piece(gauge.limit, "dim")]
    return Line(tuple(pieces), here)


def _facts(facts: Facts, width: int, glyphs: Glyphs, selected: str | None) -> DrawnFigure:
    """As many facts as fit, from the left."""
    here = any(fact.key and fact.key == selected for fact in facts.facts)
    pieces: list[Piece] = [_sign(here, glyphs)]
    used, keys = 1, []
    for order, fact in enumerate(facts.facts):
        piece = _fact(fact, glyphs, bool(fact.key) and fact.key == selected)
        gap = 3 if order else 0
        size = gap + sum(cell_len(each.text) for each in piece)
        if used + size > width:
            break
        pieces += [spaces(gap), *piece]
        used += size
        if fact.key:
            keys.append(fact.key)
    return DrawnFigure(cut_line(Line(tuple(pieces)), width), tuple(keys))


def _fact(fact: Fact, glyphs: Glyphs, here: bool) -> list[Piece]:
    role = _role(fact.status)
    deviates = fact.status is not None and fact.status is not Status.OK
    glyph = f" {glyphs.status[fact.status]}" if deviates and fact.status is not None else ""
    label: Role = "focus" if here else "dim"
    pieces = [Piece(Shown(f"{fact.label} "), label)] if fact.label else []
    return [*pieces, Piece(Shown(f"{fact.text}{glyph}"), "focus" if here and role == "text" else role)]


def _role(status: Status | None) -> Role:
    return "text" if status is None or status is Status.OK else ROLES[status]


def _sign(here: bool, glyphs: Glyphs) -> Piece:
    return Piece(Shown(glyphs.cursor), "focus") if here else spaces(1)
