"""The one widget that draws every panel. It owns cursor, marks, sort and filter (`hold.py`), scrolling and freshness; it judges
nothing. What it shows is made by `face.py`, what of it goes to the terminal by `canvas.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec.structs import replace
from textual.binding import BindingsMap
from textual.events import Key
from textual.message import Message

from tui.engine.feed import Offer, PanelState
from tui.engine.history import Trends
from tui.engine.layout import DrawnRow, Layout, Room
from tui.engine.panel import Readings
from tui.engine.reading import Reading, Status
from tui.engine.text import EMPTY, Shown, clean

from .canvas import Canvas
from .face import Face, Frame, Head, Held, draw_face
from .freshness import Freshness, freshness, slowed_to
from .glyphs import Glyphs
from .hold import Hold
from .remedies import remedy_bindings
from .table import RowLines
from .theme import Theme
from .top import lists_alerts, suspects_here

LONGEST_FILTER = 60
AMPLE = 48
"""Lines: the most that a panel can ask for."""
NOTHING_YET = Layout(empty=Shown("no answer yet"))


def _keys(offers: Sequence[Offer]) -> list[tuple[str, str]]:
    return [(offer.action, offer.key) for offer in offers]


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
        self, number: int, name: str, history: Trends, monotonic: Callable[[], float], theme: Theme, glyphs: Glyphs
    ) -> None:
        super().__init__(theme, glyphs)
        self._monotonic = monotonic
        self.number = number
        self.panel = name
        self.zoomed = False
        self.history = history
        """The signals before what is shown: the live ones, or the past's."""
        self.at = 0.0
        """The moment of what is shown, UTC seconds."""
        self._drawn_from: object = None
        self._state: PanelState | None = None
        self._drawn_for: object = None
        self._layout: Layout = NOTHING_YET
        self._hold = Hold()
        self._face = Face((), 0, 0, 0)
        self._row_lines = RowLines()
        self._needed = 0
        self._needed_for: object = None
        self._fresh = Freshness(EMPTY)
        self._broken_view = False
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
        # A panel that asks nobody has no readings to tell the time by: it moves with everybody's polls.
        drawn_from = (self.history, None if state.probes else self.at)
        if state == self._state and fresh == self._fresh and drawn_from == self._drawn_from:
            return
        if self._state is None or _keys(state.offers) != _keys(self._state.offers):
            self._bindings = BindingsMap(remedy_bindings(state.offers))
        self._state, self._fresh, self._drawn_from = state, fresh, drawn_from
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
        now = max((each.good.at for each in state.probes if each.good), default=self.at)
        room = Room(self.size.width, self.size.height, now, self.zoomed)
        asked = (state, readings.stale, room, self.history)
        if asked == self._drawn_for:
            return
        self._drawn_for = asked
        self._broken_view = False
        self._layout = self._view(state, readings, room)
        moved = self._hold.take(self._layout)
        self._face = replace(self._face, top=max(0, self._face.top + moved))
        self._need(state, readings, room)

    def _view(self, state: PanelState, readings: Readings, room: Room) -> Layout:
        """What the panel's view makes of the readings in so much room."""
        if state.card is None:
            return Layout(notes=(state.broken,))
        if not readings.by_probe and state.probes:
            return NOTHING_YET
        try:
            return state.card.load_view()(readings, self.history, room)
        except Exception as error:  # a view may be somebody else's: its defect costs one panel, not the dashboard
            self._broken_view = True
            return Layout(notes=(clean(f"this panel cannot be drawn: {words_of(error)}"),))

    def _need(self, state: PanelState, readings: Readings, room: Room) -> None:
        """How many lines would show all of it. The view is asked as if there were room, since one that is given little shows
        little; again only when there is more or less to show."""
        rows = tuple(len(each.rows) for found in readings.by_probe.values() for each in found)
        listed = (len(state.folds), len(state.silences)) if lists_alerts(state) else ()
        asked = (room.width, state.status, rows, listed, len(unanswered(state)))
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
        return self._hold.rows

    @property
    def selected(self) -> str | None:
        """The key of the row under the cursor."""
        return self._hold.selected

    @property
    def figure(self) -> str | None:
        """The signal of the figure under the cursor."""
        return self._hold.figure

    @property
    def marked(self) -> tuple[str, ...]:
        """The keys of the marked rows, in the order shown."""
        return self._hold.marked

    @property
    def titles(self) -> tuple[Shown, ...]:
        """The titles of the columns, in the order of a drawn row's cells."""
        return tuple(column.title for column in self._layout.columns)

    def targets(self) -> tuple[str, ...]:
        """What an action is about: the marked rows, else the one under the cursor."""
        return self.marked or ((self.selected,) if self.selected is not None else ())

    def offers(self) -> tuple[Offer, ...]:
        """The remedies that this panel has."""
        return self._state.offers if self._state else ()

    def move(self, step: int) -> None:
        """Moves the cursor over figures and rows; a large step goes to the end."""
        self._hold.move(step)
        self._moved()

    def page(self, direction: int) -> None:
        """Moves by as many rows as are shown."""
        self.move(direction * max(1, self._face.shown - 1))

    def mark(self) -> None:
        """Marks the row under the cursor, or unmarks it."""
        self._hold.mark()
        self._moved()

    def sort_next(self) -> Shown:
        """Sorts by the next column that is shown; after the last, as the panel itself does. Says by which."""
        title = self._hold.sort_next()
        self._paint()
        return Shown(f"by {title}") if title else Shown("the worst first")

    def rest(self) -> bool:
        """`esc`: lets go of filter and marks; says whether there was something to let go of."""
        had = self._hold.filter is not None
        had = self._hold.unmark() or had
        self._hold.filter, self.typing = None, False
        self._moved()
        return had

    def _moved(self) -> None:
        """Other rows are held: draws them, and tells whoever shows what is under the cursor."""
        self._paint()
        self.post_message(self.Moved())

    # --- filter-as-you-type -----------------------------------------------------------------------------------------

    def start_filter(self) -> None:
        """From here on, typing narrows the rows."""
        self._hold.filter, self.typing = self._hold.filter or "", True
        self._paint()

    def on_key(self, event: Key) -> None:
        """While a filter is typed, keys belong to it."""
        if not self.typing or event.key in ("up", "down", "pageup", "pagedown", "ctrl+c"):
            return
        event.stop()
        event.prevent_default()
        words: str | None = self._hold.filter or ""
        if event.key == "escape":
            words, self.typing = None, False
        elif event.key == "enter":
            words, self.typing = words or None, False
        elif event.key == "backspace":
            words = (words or "")[:-1]
        elif event.is_printable and event.character:
            words = clean(f"{words}{event.character}", LONGEST_FILTER)
        self._hold.narrow(words)
        self._moved()

    def watch_has_focus(self, focused: bool) -> None:
        """The rule is bright and the cursor is drawn where keys go; whoever comes back finds the worst at the top."""
        super().watch_has_focus(focused)
        if focused:
            self.post_message(self.Moved())
        else:
            self.typing = self._hold.touched = False
        self._paint()

    # --- drawing ----------------------------------------------------------------------------------------------------

    def _paint(self) -> None:
        """Draws what there is; only what differs goes to the terminal."""
        state = self._state
        if state is None or not self.size:
            return
        frame = Frame(self.size.width, self.size.height, self.glyphs, self._row_lines)
        self._face = draw_face(
            self._head(state), self._layout, self.rows, unanswered(state), self._hold.drawn(self._face.top), frame
        )
        self.show(self._face.lines)

    def _head(self, state: PanelState) -> Head:
        """What stands on the panel's rule."""
        status = max(state.status, Status.UNKNOWN) if self._broken_view else state.status
        suspects = suspects_here(state)
        failed = bool(state.probes) and len(unanswered(state)) == len(state.probes)
        fresh = replace(self._fresh, stale=self._fresh.stale or failed)  # then these are the last good figures
        return Head(
            self.number, clean(state.name), status, fresh, self.has_focus, suspects, lists_alerts(state), state.maintenance,
            self._hold.filter, self.typing, slowed_to(state),
        )  # fmt: skip
