"""What a person holds on to in a panel's rows: the cursor, the marks, the sort, the filter. Pure: no Textual, no drawing.

The cursor and the marks hold a row's key, never its place: a row that goes takes them with it, and nothing else slips under
them. Until somebody moves it, the cursor is on the first row, which is the worst. It never stands on a section's heading.
"""

from __future__ import annotations

from collections.abc import Sequence

from tui.engine.layout import DrawnRow, Facts, Layout
from tui.engine.text import EMPTY, Shown

from .face import Held
from .steady import sections, steady
from .table import matches, sort_key


class Hold:
    """The rows of one panel in the order shown, and what is held of them."""

    def __init__(self) -> None:
        self.touched = False
        self.filter: str | None = None
        self._layout = Layout()
        self._rows: list[DrawnRow] = []
        self._cursor: str | None = None
        self._figure: str | None = None
        self._place = 0
        self._marked: frozenset[str] = frozenset()
        self._sorted_by: str | None = None

    # --- what is held -----------------------------------------------------------------------------------------------

    @property
    def rows(self) -> list[DrawnRow]:
        """The rows in the order shown, filtered."""
        return [row for row in self._rows if not self.filter or matches(row, self.filter)]

    @property
    def selected(self) -> str | None:
        """The key of the row under the cursor."""
        return self._cursor if self._figure is None else None

    @property
    def figure(self) -> str | None:
        """The signal of the figure under the cursor."""
        return self._figure

    @property
    def marked(self) -> tuple[str, ...]:
        """The keys of the marked rows, in the order shown."""
        return tuple(row.key for row in self._rows if row.key in self._marked)

    @property
    def place(self) -> int | None:
        """The cursor's place among the rows shown."""
        return next((place for place, row in enumerate(self.rows) if row.key == self._cursor), None)

    def drawn(self, top: int) -> Held:
        """As the face draws it, scrolled to the row `top`."""
        return Held(self.selected, self._figure, self._marked, self._sorted_by, top)

    # --- what changes it --------------------------------------------------------------------------------------------

    def take(self, layout: Layout) -> int:
        """Puts newer rows in their shown order. Says by how many places the cursor's row has moved, once it was touched: the
        panel scrolls as far, so that it stays on its line."""
        before = self.place
        self._layout = layout
        self._rows = steady(self._rows, self._sorted(layout.rows))
        keys = {row.key for row in self._rows}
        self._marked &= keys
        if not self.touched:
            self._cursor, self._figure = self._first(), None
        elif self._cursor not in keys:
            self._cursor = None
        if self._figure not in self._figures():
            self._figure = None
        after = self.place
        return after - before if self.touched and before is not None and after is not None else 0

    def _first(self) -> str | None:
        """The first row in sight."""
        return next((row.key for row in self.rows if not row.heading), None)

    def _sorted(self, rows: Sequence[DrawnRow]) -> Sequence[DrawnRow]:
        names = [column.name for column in self._layout.columns]
        if self._sorted_by not in names:
            return rows
        at = names.index(self._sorted_by)
        return [row for section in sections(rows) for row in _in_order(section, at)]

    def _figures(self) -> list[str]:
        """The signals of the figures that can be opened, in their order."""
        found: list[str] = []
        for each in self._layout.figures:
            keys = [fact.key for fact in each.facts] if isinstance(each, Facts) else [each.key]
            found += [key for key in keys if key]
        return found

    def move(self, step: int) -> None:
        """Moves the cursor over figures and rows; a large step goes to the end."""
        figures = self._figures()
        places: list[tuple[str | None, str | None]] = [(key, None) for key in figures]
        places += [(None, row.key) for row in self.rows if not row.heading]
        if not places:
            return
        here = (self._figure, None) if self._figure else (None, self._cursor)
        at = places.index(here) if here in places else min(self._place, len(places) - 1) - (1 if step > 0 else -1)
        # A page up or a jump ends at the first row; the figures above it are a step further.
        least = len(figures) if step < -1 and at >= len(figures) and self.rows else 0
        self._place = max(least, min(len(places) - 1, at + step))
        self._figure = places[self._place][0]
        self._cursor = places[self._place][1] or self._cursor
        self.touched = True

    def mark(self) -> None:
        """Marks the row under the cursor, or unmarks it."""
        if self.selected is not None:
            self._marked ^= {self.selected}
            self.touched = True

    def unmark(self) -> bool:
        """Unmarks all; says whether any was marked."""
        had = bool(self._marked)
        self._marked = frozenset()
        return had

    def narrow(self, words: str | None) -> None:
        """Filters by other words; a cursor whose row is out of sight goes to the first row in sight."""
        self.filter = words
        self.touched = True
        if self.place is None:
            self._cursor = self._first()

    def sort_next(self) -> Shown:
        """Sorts by the next column that is shown; after the last, as the panel itself does. The column's title, or nothing."""
        columns = [column for column in self._layout.columns if column.unit != "spark" and column.title]
        names = [column.name for column in columns]
        at = names.index(self._sorted_by) + 1 if self._sorted_by in names else 0
        self._sorted_by = names[at] if at < len(names) else None
        self._rows = list(self._sorted(self._layout.rows))
        return columns[at].title if at < len(names) else EMPTY


def _in_order(section: Sequence[DrawnRow], column: int) -> list[DrawnRow]:
    """A section by one column: its heading first, each tree kept together behind its root."""
    head = [row for row in section if row.heading]
    trees: list[list[DrawnRow]] = []
    for row in section:
        if row.depth and trees:
            trees[-1].append(row)
        elif not row.heading:
            trees.append([row])
    trees.sort(key=lambda tree: sort_key(tree[0], column))
    return [*head, *(row for tree in trees for row in tree)]
