"""Where the panels stand: one at a time, in two columns, or in two columns beside the detail of the selected row. Pure sums.

Panels go down and up the columns in the order of the config (1 left, 2 and 3 right, 4 and 5 left, …), whatever they show, so
that each stays where it was. Each gets the lines it wants; where that is too much, each gets its fair share first.
"""

from __future__ import annotations

from collections.abc import Sequence

from textual.geometry import Region, Size

APART = 2
"""Cells between two columns."""
LEAST = 3
"""Lines below which a panel says nothing."""
SMALLEST = Size(60, 15)
"""Below this a page says so, instead of clipped figures and keys."""


def too_small(size: Size) -> bool:
    """Whether the terminal is too small for any arrangement."""
    return size.width < SMALLEST.width or size.height < SMALLEST.height


def columns_of(size: Size) -> int:
    """How many columns a terminal of this size has; 1 shows one panel at a time, the last of 3 is the detail."""
    if size.width >= 200 and size.height >= 50:
        return 3
    return 2 if size.width >= 120 and size.height >= 36 else 1


def snake(count: int, columns: int) -> list[list[int]]:
    """Which panels stand in which column: down, then up the next, and so on."""
    found: list[list[int]] = [[] for _ in range(columns)]
    for place in range(count):
        turn, step = divmod(place, columns)
        found[step if turn % 2 == 0 else columns - 1 - step].append(place)
    return found


def shares(wanted: Sequence[int], height: int) -> list[int]:
    """The lines each panel of a column gets, a blank line between two where there is room."""
    gaps = max(0, len(wanted) - 1)
    if sum(wanted) + gaps <= height:
        return list(wanted)
    room = height - gaps
    given = [0] * len(wanted)
    open_ = list(range(len(wanted)))
    while open_:
        fair = room // len(open_)
        content = [place for place in open_ if wanted[place] <= fair]
        if not content:
            for order, place in enumerate(open_):
                given[place] = fair + (1 if order < room - fair * len(open_) else 0)
            break
        for place in content:
            given[place] = wanted[place]
            room -= wanted[place]
            open_.remove(place)
    return given


def places(wanted: Sequence[int], size: Size, columns: int) -> tuple[list[Region], Region | None]:
    """Each panel's region within `size`, and the detail's where there are three columns."""
    panel_columns = 2 if columns == 3 else columns
    width = (size.width - APART * (columns - 1)) // columns
    regions = [Region()] * len(wanted)
    for column, members in enumerate(snake(len(wanted), panel_columns)):
        x = column * (width + APART)
        wide = size.width - x if column == columns - 1 else width
        y = 0
        for place, height in zip(members, shares([wanted[each] for each in members], size.height), strict=True):
            last = place == members[-1]  # what is left belongs to the last, so that it can grow without moving anything
            regions[place] = Region(x, y, wide, max(0, size.height - y if last else min(height, size.height - y)))
            y += height + 1
    detail = Region(2 * (width + APART), 0, size.width - 2 * (width + APART), size.height) if columns == 3 else None
    return regions, detail
