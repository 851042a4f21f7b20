"""The board: every panel, or one at a time where the terminal is small. The first screen, and the one that others cover."""

from __future__ import annotations

from collections.abc import Sequence

from tui.engine.alert import Alert
from tui.engine.ask import PollNow
from tui.engine.feed import Level, PanelState, Snapshot
from tui.engine.layout import DrawnRow
from tui.engine.reading import Status
from tui.engine.text import EMPTY, Shown, clean
from tui.widgets.footer import Hint
from tui.widgets.panel import PanelView
from tui.widgets.top import lists_alerts

from .alert_keys import acknowledge, open_end, open_escalation, open_silence, says_something
from .arranged import Arranged
from .arrangement import columns_of, too_small
from .keys import BOARD_KEYS
from .selection import Selection, reason, selection_of
from .sending import send_evidence, send_page, send_row
from .sight import Sight

SAID_OF_ALERTS = {"acknowledge": "ack", "silence": "silence", "escalate": "escalate"}
"""The keys that say something of alerts: what each does, and how the last line calls it."""


class Board(Arranged):
    """What the panels show, and the keys that work on the focused one."""

    BINDINGS = BOARD_KEYS

    def __init__(self) -> None:
        super().__init__()
        self.drawn = Snapshot(0, 0.0, 0.0, EMPTY, EMPTY, False, Level.WATCH)
        """What the panels show: behind the newest snapshot while the screen is frozen."""
        self._hinted: Selection | None = None
        """What is selected, looked up once for all keys of the last line."""

    # --- what moves it ----------------------------------------------------------------------------------------------

    def take(self, snapshot: Snapshot) -> None:
        """A newer snapshot: each panel draws what differs."""
        super().take(snapshot)
        if self.dash.frozen_at is None and not too_small(self.size):
            self._draw_panels(self.dash.sight)

    def _draw_panels(self, sight: Sight) -> None:
        snapshot, now = sight.snapshot, self.dash.moment()
        self.drawn = snapshot
        for panel in self.panels:
            panel.history, panel.at = sight.history, snapshot.at
            panel.zoomed = self.zoomed or columns_of(self.size) == 1
            panel.take(snapshot.panel(panel.panel) or not_there(panel.panel), now)
        self._make_room(snapshot)
        self._draw_aside()

    def tick(self) -> None:
        """A second has passed: the clock moves, and figures may have become late."""
        if too_small(self.size):
            return
        super().tick()
        if self.dash.frozen_at is None:
            for panel in self.panels:
                panel.tick(self.dash.moment())

    def on_panel_view_moved(self, event: PanelView.Moved) -> None:
        """Another row, another detail, other keys."""
        self.draw_keys()
        self._draw_aside()

    def _draw_aside(self) -> None:
        """The detail of what is selected, where the terminal has room for it."""
        aside = self.canvas("aside")
        if aside.size.width and columns_of(self.size) == 3 and not self.zoomed:
            from .detail import detail_lines  # not needed for the first picture of a smaller terminal

            aside.show(detail_lines(self.dash, self.selection(), aside.size.width))

    # --- what is pointed at -----------------------------------------------------------------------------------------

    def row_now(self, panel: str, key: str) -> DrawnRow | None:
        """A row as its panel shows it now, also while another screen covers it; None where it is not listed."""
        view = next((each for each in self.panels if each.panel == panel), None)
        state = self.dash.sight.snapshot.panel(panel)
        if view is None or state is None:
            return None
        view.history, view.at = self.dash.sight.history, self.dash.sight.snapshot.at
        view.take(state, self.dash.moment())
        return next((row for row in view.rows if row.key == key), None)

    def selection(self) -> Selection | None:
        """What stands under the cursor."""
        panel = self.focused_panel
        return selection_of(panel, self.drawn) if panel else None

    def pointed(self) -> tuple[Alert, ...]:
        """The alerts that the cursor points at, as they are drawn."""
        selection = self.selection()
        return selection.alerts(self.drawn) if selection else ()

    # --- looking ----------------------------------------------------------------------------------------------------

    def action_move(self, step: int) -> None:
        """Moves the cursor."""
        if panel := self.focused_panel:
            panel.move(step)

    def action_leaf(self, direction: int) -> None:
        """Moves by a page."""
        if panel := self.focused_panel:
            panel.page(direction)

    def action_mark(self) -> None:
        """Marks or unmarks the row."""
        if panel := self.focused_panel:
            panel.mark()

    def action_sort(self) -> None:
        """Sorts by the next column."""
        if panel := self.focused_panel:
            self.dash.tell(f"sorted {panel.sort_next()}")

    def action_filter(self) -> None:
        """Filters as one types."""
        if panel := self.focused_panel:
            panel.start_filter()

    def action_back(self) -> None:
        """Live again, where one looks back; else lets go of the innermost thing: filter and marks, then freeze, then zoom."""
        panel = self.focused_panel
        if self.dash.rewound is not None and not (panel and panel.typing):
            self.dash.go_live()
            return
        if panel is not None and panel.rest():
            return
        if self.dash.frozen_at is not None:
            self.action_freeze()
        elif self.zoomed:
            self.action_zoom()
        else:
            self.leave_to_the_worst()

    def action_freeze(self) -> None:
        """Holds the panels still; lines 1 and 2 and the polling go on."""
        if self.dash.rewound is not None:
            self.dash.tell("it stands still already: esc is live again")
            return
        self.dash.frozen_at = self.dash.clock.utc() if self.dash.frozen_at is None else None
        self.take(self.dash.snapshot)

    def action_poll(self) -> None:
        """Asks this panel's sources now."""
        if panel := self.focused_panel:
            from .answering import ask_and_say  # late, as with all that says something of alerts

            self.dash.tell(f"asking {clean(panel.panel)} now")
            ask_and_say(self.dash, PollNow(panel.panel), "", f"{panel.panel} is NOT asked")

    def action_open(self) -> None:
        """Everything known about the row or figure."""
        selection = self.selection()
        if selection is not None:
            self.dash.open_detail(selection)

    def action_copy(self) -> None:
        """The row, to the terminal's clipboard."""
        send_row(self.dash, self.selection())

    def action_evidence(self) -> None:
        """The row with time and source, for the chat."""
        send_evidence(self.dash, self.selection())

    def action_page(self) -> None:
        """The row's page: as a link that the terminal may open, and to its clipboard."""
        send_page(self.dash, self.selection())

    def action_acknowledge(self) -> None:
        """Takes on what was shown."""
        acknowledge(self.dash, self.pointed())

    def action_silence(self) -> None:
        """Plans a silence for it, or its end."""
        selection = self.selection()
        if selection is not None and selection.silence is not None:
            open_end(self.dash, selection.silence)
        else:
            open_silence(self.dash, self.pointed())

    def action_escalate(self) -> None:
        """Plans to page whoever is next."""
        open_escalation(self.dash, self.pointed())

    # --- acting -----------------------------------------------------------------------------------------------------

    def action_act(self, action: str) -> None:
        """Opens the plan of a remedy for the marked rows, else for the selected one; or says why there is none."""
        panel, selection = self.focused_panel, self.selection()
        if self.dash.is_past():
            return
        offer = next((each for each in panel.offers() if each.action == action), None) if panel else None
        if panel is None or offer is None:
            return
        if why := reason(offer, selection):
            self.dash.tell(f"{offer.title}: {why}")
            return
        keys = panel.targets() if offer.needs_row else ()
        if len(keys) > 1 and not offer.bulk:
            self.dash.tell(f"{offer.title} acts on one row at a time: unmark the others")
            return
        self.dash.open_plan(offer, keys)

    def is_live(self, action: str) -> bool:
        """Whether a remedy is offered for the selected row, or would only say why not."""
        if action in SAID_OF_ALERTS:
            selection = self._hinted
            ends = action == "silence" and selection is not None and selection.silence is not None
            return ends or says_something(self.dash, action, selection.alerts(self.drawn) if selection else ())
        name = action.removeprefix("screen.act('").removesuffix("')")
        panel = self.focused_panel
        offer = next((each for each in panel.offers() if each.action == name), None) if panel else None
        return offer is None or not reason(offer, self._hinted)

    def hints(self) -> tuple[Sequence[Hint], Sequence[Hint]]:
        """`enter` first, then what this row offers or is (an alert), then the rest; what is not offered now comes behind."""
        self._hinted = self.selection()
        hints, last = super().hints()
        if columns_of(self.size) == 1:  # one panel is all there is room for
            hints = [each for each in hints if each.does != "zoom"]
        panel = self.focused_panel
        if self.dash.rewound is not None or panel is None:
            return hints, last
        first = {str(offer.title) for offer in panel.offers()}
        if panel.state is not None and lists_alerts(panel.state):
            first |= set(SAID_OF_ALERTS.values())

        def order(hint: Hint) -> tuple[bool, bool, bool]:
            return hint.does != "detail", not hint.live, hint.does not in first

        return sorted(hints, key=order), last


def not_there(name: str) -> PanelState:
    """A panel that stands on the board and of which nothing was there at the moment one looks back to."""
    return PanelState(name, name, Status.UNKNOWN, None, None, broken=Shown("there was nothing of it then"))
