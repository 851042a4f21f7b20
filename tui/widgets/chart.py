"""A tall chart of one signal's last values, with its limit, its changes and its axis in UTC. Pure.

8.0 % ┤
5.0 % ┤┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈▃▇███   limit
  0 % ┤▁▁▁▁▁▁▁◆▁▂▃▅▇█████
       03:02:12Z      03:12:12Z
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.cells import cell_len

from tui.engine.clock import clock_time
from tui.engine.layout import Spark
from tui.engine.text import Shown
from tui.engine.units import Unit, show

from .glyphs import Glyphs
from .ink import Line, Piece, fit, spaces


def chart(spark: Spark, unit: Unit, start: float, end: float, height: int, glyphs: Glyphs) -> list[Line]:
    """The spark's values as columns `height` lines tall; `start` and `end` are its axis in UTC seconds."""
    known = [value for value in spark.values if value is not None]
    if not known:
        return [Line((Piece(Shown("  nothing measured in this span"), "dim"),))]
    top = _round_up(max(known))
    labels = [show(top * (height - at) / height, unit) for at in range(height)]
    margin = max(cell_len(label) for label in labels) + 1
    lines = []
    for at in range(height):
        label = labels[at] if at % 2 == 0 else Shown("")
        floor = top * (height - 1 - at) / height
        bars = "".join(_part(value, floor, top / height, glyphs) for value in spark.values)
        lines.append(Line((Piece(fit(label, margin, right=True), "dim"), spaces(1), Piece(Shown(bars), "picture"))))
    return [*lines, *_axis(spark, start, end, margin, glyphs)]


def _part(value: float | None, floor: float, step: float, glyphs: Glyphs) -> str:
    """One cell of one column."""
    if value is None or value <= floor:
        return glyphs.bars[0] if value is not None and floor == 0 else " "
    return glyphs.bars[min(int((value - floor) / step * len(glyphs.bars)), len(glyphs.bars) - 1)]


def _axis(spark: Spark, start: float, end: float, margin: int, glyphs: Glyphs) -> list[Line]:
    """The changes below the columns, and the times at both ends."""
    width = len(spark.values)
    lines = []
    if spark.marks:
        marks = "".join(glyphs.change if place in spark.marks else " " for place in range(width))
        lines.append(Line((spaces(margin + 1), Piece(Shown(marks), "change"))))
    first, last = clock_time(start), clock_time(end)
    between = spaces(max(1, width - len(first) - len(last)))
    lines.append(Line((spaces(margin + 1), Piece(first, "dim"), between, Piece(last, "dim"))))
    return lines


def _round_up(value: float) -> float:
    """The next round number, so that an axis does not move with each value."""
    if value <= 0:
        return 1.0
    size = 10.0 ** math.floor(math.log10(value))
    return next(step * size for step in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if value <= step * size * 1.0000001)


def statistics(values: Sequence[float | None], unit: Unit) -> Shown:
    """Least, middle and most of what was measured."""
    known = sorted(value for value in values if value is not None)
    if not known:
        return Shown("nothing measured")
    middle = known[len(known) // 2]
    return Shown(f"least {show(known[0], unit)}   middle {show(middle, unit)}   most {show(known[-1], unit)}")
