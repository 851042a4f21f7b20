"""Rows in an order that stays: it changes only when a status does, and survivors keep their places.

A view puts the worst first, by figures that move with each poll. Adopting its order each time would move rows under the eyes
and the cursor of whoever reads them, so the order shown is the one before, until a row's status or place in the tree changes.
Sections stand in the view's order, and no row leaves its heading.
"""

from __future__ import annotations

from collections.abc import Sequence

from tui.engine.layout import DrawnRow


def steady(before: Sequence[DrawnRow], after: Sequence[DrawnRow]) -> list[DrawnRow]:
    """The new rows in the order to show them in, given those shown before, in their order."""
    shown = {_heading_of(section): section for section in sections(before)}
    return [row for section in sections(after) for row in _steady(shown.get(_heading_of(section), []), section)]


def sections(rows: Sequence[DrawnRow]) -> list[list[DrawnRow]]:
    """The rows in their sections; each begins with its heading, the first where there is none."""
    found: list[list[DrawnRow]] = [[]]
    for row in rows:
        if row.heading:
            found.append([])
        found[-1].append(row)
    return found


def _heading_of(section: Sequence[DrawnRow]) -> str | None:
    return section[0].key if section and section[0].heading else None


def _steady(before: Sequence[DrawnRow], after: Sequence[DrawnRow]) -> list[DrawnRow]:
    """The same within one section, whose heading is the first of both."""
    if not before:
        return list(after)
    place = {row.key: at for at, row in enumerate(before)}
    old = {row.key: row for row in before}
    if any(row.depth for row in after) or any(row.key in old and _moved(old[row.key], row) for row in after):
        if [row.key for row in after] == [row.key for row in before]:
            return list(after)
        same = {row.key: _shape(row) for row in before} == {row.key: _shape(row) for row in after}
        return sorted(after, key=lambda row: place[row.key]) if same else list(after)
    new = {row.key: row for row in after}
    kept = [new[row.key] for row in before if row.key in new]
    if 2 * len(kept) < len(after):  # most are new: there is no order to hold on to
        return list(after)
    return _inserted(kept, after, place)


def _shape(row: DrawnRow) -> tuple[int, int]:
    return row.status, row.depth


def _moved(old: DrawnRow, new: DrawnRow) -> bool:
    return _shape(old) != _shape(new)


def _inserted(kept: list[DrawnRow], after: Sequence[DrawnRow], place: dict[str, int]) -> list[DrawnRow]:
    """Rows that were not there before, each behind the row that the view puts it behind."""
    ordered = list(kept)
    previous: DrawnRow | None = None
    for row in after:
        if row.key not in place:
            at = 0 if previous is None else next(i for i, each in enumerate(ordered) if each.key == previous.key) + 1
            ordered.insert(at, row)
        previous = row
    return ordered
