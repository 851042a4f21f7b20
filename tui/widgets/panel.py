"""The one widget that draws every panel. It owns cursor, marks, sort, filter, scrolling and freshness; it judges nothing.

The cursor and the marks hold on to a row's key, never to its place: a row that goes takes them with it, and nothing else
slips under them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from textual.binding import Binding, BindingsMap
from textual.events import Key
from textual.message import Message

from tui.engine.feed import Offer, PanelState
from tui.engine.history import History
from tui.engine.panel import DrawnRow, Facts, Layout, Readings, Room
from tui.engine.reading import Reading, Status
from tui.engine.text import EMPTY, Shown, clean

from .canvas import Canvas
from .face import Face, Frame, Head, Held, draw_face
from .freshness import Freshness, freshness
from .glyphs import Glyphs
from .steady import steady
from .table import matches, sort_key
from .theme import Theme
from .top import suspects_here

LONGEST_FILTER = 60
AMPLE = 48
"""Lines: the most that a panel can ask for."""
NOTHING_YET = Layout(empty=Shown("no answer yet"))


def remedy_bindings(offers: Sequence[Offer]) -> list[Binding]:
    """The keys of a panel's remedies. Only upper-case letters that move nothing act (screens.md); a remedy without such a key
    is reached by its name alone."""
    return [
        Binding(offer.key, f"screen.act('{offer.action}')", offer.title, id=offer.action, tooltip=offer.help)
        for offer in offers
        if may_act(offer.key)
    ]


def may_act(key: str) -> bool:
    """Whether a key may open a plan: one upper-case letter, and none that moves."""
    return len(key) == 1 and key.isascii() and key.isupper() and key not in "GHJKL"


def _keys(state: PanelState) -> list[tuple[str, str]]:
    return [(offer.action, offer.key) for offer in state.offers]


def unanswered(state: PanelState) -> list[Reading]:
    """The newest readings that found nothing out; a refusal with rows of its own (a failing endpoint's) is drawn as rows."""
    return [each.reading for each in state.probes if each.reading and each.reading.error and each.reading is not each.good]


def words_of(error: Exception) -> str:
    """An exception in words: its type, and what it says where it says something."""
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


class PanelView(Canvas, can_focus=True):
    """One panel of the board."""

    class Moved(Message):
        """The cursor stands elsewhere, or what it stands on has changed."""

    class Wants(Message):
        """It would need another number of lines to show everything."""

    def __init__(
        self, number: int, name: str, history: History, monotonic: Callable[[], float], theme: Theme, glyphs: Glyphs
    ) -> None:
        super().__init__(theme, glyphs)
        self._monotonic = monotonic
        self.number = number
        self.panel = name
        self.zoomed = False
        self._history = history
        self._state: PanelState | None = None
        self._drawn_for: object = None
        self._layout: Layout = NOTHING_YET
        self._rows: list[DrawnRow] = []
        self._face = Face((), 0, 0, 0)
        self._needed = 0
        self._needed_for: object = None
        self._fresh = Freshness(EMPTY)
        self._broken_view = False
        self._cursor: str | None = None
        self._figure: str | None = None
        self._place = 0
        self._touched = False
        self._marked: frozenset[str] = frozenset()
        self._sorted_by: str | None = None
        self._filter: str | None = None
        self.typing = False

    # --- what it is given -------------------------------------------------------------------------------------------

    @property
    def state(self) -> PanelState | None:
        """The panel as last taken."""
        return self._state

    @property
    def wanted(self) -> int:
        """The lines that would show all of it."""
        return self._needed

    def take(self, state: PanelState, monotonic: float) -> None:
        """A newer state of the panel: drawn anew where it differs."""
        fresh = freshness(state, monotonic)
        if state == self._state and fresh == self._fresh:
            return
        if self._state is None or _keys(state) != _keys(self._state):
            self._bindings = BindingsMap(remedy_bindings(state.offers))
        self._state, self._fresh = state, fresh
        self._look(monotonic)
        self._paint()

    def tick(self, monotonic: float) -> None:
        """Time has passed: the figures may have become late or stale."""
        if self._state is not None:
            self.take(self._state, monotonic)

    def redraw(self) -> None:
        """The room has changed: the view may fill it differently."""
        if self._state is not None:
            self._look(self._monotonic())
            self._paint()

    def _look(self, monotonic: float) -> None:
        """Asks the panel's view, where what it is given has changed."""
        state = self._state
        assert state is not None
        readings = state.readings(monotonic)
        now = max((each.good.at for each in state.probes if each.good), default=0.0)
        room = Room(self.size.width, self.size.height, now, self.zoomed)
        asked = (state, readings.stale, room)
        if asked == self._drawn_for:
            return
        self._drawn_for = asked
        self._broken_view = False
        self._layout = self._view(state, readings, room)
        self._arrange()
        self._need(state, readings, room)

    def _view(self, state: PanelState, readings: Readings, room: Room) -> Layout:
        """What the panel's view makes of the readings in so much room."""
        if state.card is None:
            return Layout(notes=(state.broken,))
        if not readings.by_probe:
            return NOTHING_YET
        try:
            return state.card.load_view()(readings, self._history, room)
        except Exception as error:  # a view may be somebody else's: its defect costs one panel, not the dashboard
            self._broken_view = True
            return Layout(notes=(clean(f"this panel cannot be drawn: {words_of(error)}"),))

    def _need(self, state: PanelState, readings: Readings, room: Room) -> None:
        """How many lines would show all of it. The view is asked as if there were room, since one that is given little shows
        little; again only when there is more or less to show."""
        rows = tuple(len(each.rows) for found in readings.by_probe.values() for each in found)
        asked = (room.width, state.status, rows, len(unanswered(state)))
        if asked == self._needed_for or not room.width:
            return
        self._needed_for = asked
        layout = self._view(state, readings, replace(room, height=AMPLE))
        frame = Frame(room.width, AMPLE, self.glyphs)
        needed = draw_face(self._head(state), layout, layout.rows, unanswered(state), Held(), frame).wanted
        if needed != self._needed:
            self._needed = needed
            self.post_message(self.Wants())

    # --- rows and cursor --------------------------------------------------------------------------------------------

    @property
    def rows(self) -> Sequence[DrawnRow]:
        """The rows in the order shown, filtered."""
        return [row for row in self._rows if not self._filter or matches(row, self._filter)]

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

    def targets(self) -> tuple[str, ...]:
        """What an action is about: the marked rows, else the one under the cursor."""
        return self.marked or ((self.selected,) if self.selected is not None else ())

    @property
    def titles(self) -> tuple[Shown, ...]:
        """The titles of the columns, in the order of a drawn row's cells."""
        return tuple(column.title for column in self._layout.columns)

    def offers(self) -> tuple[Offer, ...]:
        """The remedies that this panel has."""
        return self._state.offers if self._state else ()

    def _arrange(self) -> None:
        """Puts the new rows in their shown order; the cursor stays on its row, and its row, once touched, on its line."""
        rows = self._layout.rows
        if self._sorted_by is not None:
            names = [column.name for column in self._layout.columns]
            if self._sorted_by in names:
                place = names.index(self._sorted_by)
                rows = tuple(sorted(rows, key=lambda row: sort_key(row, place)))
        at = self._row_place()
        self._rows = steady(self._rows, rows)
        keys = {row.key for row in self._rows}
        self._marked &= keys
        if self._cursor not in keys:
            self._cursor = None if self._touched else next(iter([row.key for row in self.rows]), None)
        now_at = self._row_place()
        if self._touched and at is not None and now_at is not None:
            self._face = replace(self._face, top=max(0, self._face.top + now_at - at))
        if self._figure not in self._figures():
            self._figure = None

    def _row_place(self) -> int | None:
        return next((place for place, row in enumerate(self.rows) if row.key == self._cursor), None)

    def _figures(self) -> list[str]:
        """The signals of the figures that can be opened, in their order."""
        found = []
        for each in self._layout.figures:
            found += [fact.key for fact in each.facts if fact.key] if isinstance(each, Facts) else [each.key] * bool(each.key)
        return found

    def move(self, step: int) -> None:
        """Moves the cursor over figures and rows; a large step goes to the end."""
        figures, rows = self._figures(), self.rows
        places: list[tuple[str | None, str | None]] = [(key, None) for key in figures] + [(None, row.key) for row in rows]
        if not places:
            return
        here = (self._figure, None) if self._figure else (None, self._cursor)
        first_row = len(figures)
        at = places.index(here) if here in places else min(self._place, len(places) - 1) - (1 if step > 0 else -1)
        # A page up or a jump ends at the first row; the figures above it are a step further.
        least = first_row if step < -1 and at > first_row else 0
        to = max(least, min(len(places) - 1, at + step))
        self._place = to
        self._figure = places[to][0]
        self._cursor = places[to][1] or self._cursor
        self._touched = True
        self._paint()
        self.post_message(self.Moved())

    def page(self, direction: int) -> None:
        """Moves by as many rows as are shown."""
        self.move(direction * max(1, self._face.shown - 1))

    def mark(self) -> None:
        """Marks the row under the cursor, or unmarks it."""
        if self.selected is not None:
            self._marked ^= {self.selected}
            self._touched = True
            self._paint()
            self.post_message(self.Moved())

    def sort_next(self) -> Shown:
        """Sorts by the next column that is shown; after the last, as the panel itself does. Says by which."""
        names = [column.name for column in self._layout.columns if column.unit != "spark" and column.title]
        at = names.index(self._sorted_by) + 1 if self._sorted_by in names else 0
        self._sorted_by = names[at] if at < len(names) else None
        self._rows = []
        self._arrange()
        self._paint()
        if self._sorted_by is None:
            return Shown("the worst first")
        return Shown(f"by {next(column.title for column in self._layout.columns if column.name == self._sorted_by)}")

    def rest(self) -> bool:
        """`esc`: lets go of filter or marks; says whether there was something to let go of."""
        had = self._filter is not None or bool(self._marked)
        self._filter, self.typing, self._marked = None, False, frozenset()
        self._paint()
        return had

    # --- filter-as-you-type -----------------------------------------------------------------------------------------

    def start_filter(self) -> None:
        """From here on, typing narrows the rows."""
        self._filter, self.typing = self._filter or "", True
        self._paint()

    def on_key(self, event: Key) -> None:
        """While a filter is typed, keys belong to it."""
        if not self.typing or event.key in ("up", "down", "pageup", "pagedown", "ctrl+c"):
            return
        event.stop()
        event.prevent_default()
        words = self._filter or ""
        if event.key == "escape":
            self._filter, self.typing = None, False
        elif event.key == "enter":
            self._filter, self.typing = words or None, False
        elif event.key == "backspace":
            self._filter = words[:-1]
        elif event.is_printable and event.character:
            self._filter = clean(words + event.character, LONGEST_FILTER)
        self._touched = True
        if self._row_place() is None:
            self._cursor = next((row.key for row in self.rows), None)
        self._paint()
        self.post_message(self.Moved())

    def watch_has_focus(self, focused: bool) -> None:
        """The rule is bright and the cursor is drawn where keys go; whoever comes back finds the worst at the top."""
        super().watch_has_focus(focused)
        if focused:
            self.post_message(self.Moved())
        else:
            self.typing = self._touched = False
        self._paint()

    # --- drawing ----------------------------------------------------------------------------------------------------

    def _paint(self) -> None:
        """Draws what there is; only what differs goes to the terminal."""
        state = self._state
        if state is None or not self.size:
            return
        held = Held(self._cursor if self._figure is None else None, self._figure, self._marked, self._sorted_by, self._face.top)
        failures = unanswered(state)
        if failures and len(failures) == len(state.probes):
            head = replace(head, fresh=replace(self._fresh, stale=True))  # the last good figures, not the present ones
        frame = Frame(self.size.width, self.size.height, self.glyphs)
        self._face = draw_face(self._head(state), self._layout, self.rows, failures, held, frame)
        self.show(self._face.lines)

    def _head(self, state: PanelState) -> Head:
        """What stands on the panel's rule."""
        status = max(state.status, Status.UNKNOWN) if self._broken_view else state.status
        suspects = suspects_here(state)
        return Head(self.number, clean(state.name), status, self._fresh, self.has_focus, suspects, self._filter, self.typing)
