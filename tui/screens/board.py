"""The board: every panel, or one at a time where the terminal is small. The first screen, and the one that others cover."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from textual.geometry import Region, Size
from textual.widget import Widget

from tui.engine.alert import Alert
from tui.engine.ask import PollNow
from tui.engine.feed import Level, PanelState, Snapshot
from tui.engine.layout import DrawnRow
from tui.engine.reading import Status
from tui.engine.text import EMPTY, Shown, clean
from tui.widgets.canvas import Canvas
from tui.widgets.footer import Hint
from tui.widgets.ink import Piece, line
from tui.widgets.panel import PanelView
from tui.widgets.top import panel_bar

from .alert_keys import acknowledge, open_end, open_escalation, open_silence
from .arrangement import LEAST, columns_of, places, too_small
from .keys import BOARD_KEYS
from .live import Live
from .placed import Panels
from .selection import Selection, reason, selection_of
from .sending import send_evidence, send_page, send_row
from .sight import Sight


class Board(Live):
    """All panels, the focus among them, and the keys that work on the focused one."""

    DEFAULT_CSS = """
    Board #bar { height: 1; display: none; }
    Board #small { height: 1fr; display: none; }
    Board.-one #bar { display: block; }
    Board.-small #bar, Board.-small #panels, Board.-small #head, Board.-small #keys { display: none; }
    Board.-small #small { display: block; }
    """
    BINDINGS = BOARD_KEYS

    def __init__(self) -> None:
        super().__init__()
        self.panels: list[PanelView] = []
        self.current = 0
        self.zoomed = False
        self._needs: list[int] = []
        self._statuses: tuple[object, ...] = ()
        self._columns = 0
        self.drawn = Snapshot(0, 0.0, 0.0, EMPTY, EMPTY, False, Level.WATCH)
        """What the panels show: behind the newest snapshot while the screen is frozen."""

    # --- what it is made of -----------------------------------------------------------------------------------------

    def body(self) -> Iterator[Widget]:
        """The panel bar, the panels with the detail beside them, and the page for a terminal that is too small."""
        dash = self.dash
        self.panels = [self._panel(number, state.name) for number, state in enumerate(dash.snapshot.panels, 1)]
        self._needs = [LEAST] * len(self.panels)
        yield Canvas(dash.look, dash.glyphs, id="bar")
        yield Panels(self.regions, [*self.panels, Canvas(dash.look, dash.glyphs, id="aside")])
        yield Canvas(dash.look, dash.glyphs, id="small")

    def _panel(self, number: int, name: str) -> PanelView:
        dash = self.dash
        return PanelView(number, name, dash.feed.history, dash.moment, dash.look, dash.glyphs)

    def _mount_anew(self, names: Sequence[str]) -> None:
        """The config was read again: panels have come, gone or changed places. Those that stay keep what is held of them."""
        kept = {panel.panel: panel for panel in self.panels}
        focused = self.focused_name
        self.panels = [kept.pop(name) if name in kept else self._panel(number, name) for number, name in enumerate(names, 1)]
        for gone in kept.values():
            gone.remove()
        for number, panel in enumerate(self.panels, 1):
            panel.number = number
            panel.redraw()
        self.query_one(Panels).mount(*(panel for panel in self.panels if not panel.is_attached), before="#aside")
        self._needs = [max(panel.wanted, LEAST) for panel in self.panels]
        self.current = names.index(focused) if focused in names else 0
        self._place_panels()

    def on_mount(self) -> None:
        """The first panel has the keys."""
        self._go(0)

    def regions(self, size: Size) -> dict[Widget, Region]:
        """Where each panel stands now, and the detail."""
        whole = Region(0, 0, size.width, size.height)
        columns = columns_of(self.size)
        if columns == 1 or self.zoomed:
            return {self.panels[self.current]: whole} if self.panels else {}
        regions, aside = places(self._needs, size, columns)
        found: dict[Widget, Region] = dict(zip(self.panels, regions, strict=True))
        return found if aside is None else {**found, self.canvas("aside"): aside}

    # --- what moves it ----------------------------------------------------------------------------------------------

    def take(self, snapshot: Snapshot) -> None:
        """A newer snapshot: each panel draws what differs."""
        size = self.size
        self.set_class(too_small(size), "-small")
        self.set_class(columns_of(size) == 1, "-one")
        names = [panel.name for panel in snapshot.panels]
        if names != [panel.panel for panel in self.panels]:
            self._mount_anew(names)
        if columns_of(size) != self._columns:
            self._columns = columns_of(size)
            self._place_panels()
        if too_small(size):
            says = f"{size.width}x{size.height} is too small: Watchfloor needs 60x15, and is at home from 80x24 on"
            self.canvas("small").show([line(), line(Piece(Shown(f" {says}")))])
            return
        super().take(snapshot)
        self.draw_bar()
        if self.dash.frozen_at is None:
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

    def on_panel_view_wants(self, event: PanelView.Wants) -> None:
        """A panel has come to need more lines, or fewer."""
        self._make_room(self.dash.snapshot)

    def _make_room(self, snapshot: Snapshot) -> None:
        """Panels move only where one needs more lines than it has, or a status has changed."""
        statuses = tuple(panel.status for panel in snapshot.panels)
        needs = [panel.wanted for panel in self.panels]
        calm = statuses == self._statuses and all(need <= had for need, had in zip(needs, self._needs, strict=True))
        if calm or not any(panel.size for panel in self.panels):
            return
        self._statuses = statuses
        before = places(self._needs, self.query_one(Panels).size, columns_of(self.size))
        self._needs = [max(need, LEAST) for need in needs]
        if places(self._needs, self.query_one(Panels).size, columns_of(self.size)) != before:
            self.query_one(Panels).place_anew()

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

    # --- focus ------------------------------------------------------------------------------------------------------

    @property
    def focused_panel(self) -> PanelView | None:
        """The panel that keys go to."""
        return self.panels[self.current] if self.panels else None

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

    def _go(self, place: int) -> None:
        if 0 <= place < len(self.panels):
            self.current = place
            if columns_of(self.size) == 1 or self.zoomed:
                self._place_panels()
            else:
                self.panels[place].focus()
            self.draw_bar()

    def _place_panels(self) -> None:
        """Shows the panels that this arrangement shows; the focused one has the keys."""
        one = columns_of(self.size) == 1 or self.zoomed
        for at, panel in enumerate(self.panels):
            panel.display = at == self.current or not one
        self.canvas("aside").display = columns_of(self.size) == 3 and not self.zoomed
        if self.panels:
            self.panels[self.current].focus()
        self.query_one(Panels).place_anew()

    def draw_bar(self) -> None:
        """The panel bar, with the panel that is shown."""
        bar = panel_bar(self.dash.sight.snapshot.panels, self.focused_name, self.size.width, self.dash.glyphs)
        self.canvas("bar").show([bar])

    @property
    def focused_name(self) -> str:
        """The panel that keys go to, by name."""
        return self.panels[self.current].panel if self.panels else ""

    def action_go(self, number: int) -> None:
        """To a panel by its number."""
        self._go(number - 1)

    def action_turn(self, step: int) -> None:
        """To the next panel."""
        if self.panels:
            self._go((self.current + step) % len(self.panels))

    def action_aside(self, step: int) -> None:
        """To the panel beside this one; to the next where they stand one at a time."""
        panel = self.focused_panel
        if panel is None or columns_of(self.size) == 1 or self.zoomed:
            self.action_turn(step)
            return
        here = panel.region
        beside = [
            (abs(each.region.y - here.y), place)
            for place, each in enumerate(self.panels)
            if (each.region.x - here.x) * step > 0
        ]
        if beside:
            self._go(min(beside)[1])

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

    def action_zoom(self) -> None:
        """One panel alone, or all again."""
        self.zoomed = not self.zoomed
        self._place_panels()
        self.call_after_refresh(lambda: self.take(self.dash.snapshot))

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
            self.dash.ask(PollNow(panel.panel))
            self.dash.tell(f"asking {clean(panel.panel)} now")

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
        name = action.removeprefix("screen.act('").removesuffix("')")
        panel = self.focused_panel
        offer = next((each for each in panel.offers() if each.action == name), None) if panel else None
        return offer is None or not reason(offer, self.selection())

    def hints(self) -> tuple[Sequence[Hint], Sequence[Hint]]:
        """`enter` first, then what this row offers, then the rest; what is not offered now comes behind."""
        hints, last = super().hints()
        panel = self.focused_panel
        titles = {offer.title for offer in panel.offers()} if panel else set()

        if self.dash.rewound is not None:
            return hints, last

        def order(hint: Hint) -> int:
            return 0 if hint.does == "detail" else 1 if hint.does in titles and hint.live else 3 if hint.does in titles else 2

        return sorted(hints, key=order), last


def not_there(name: str) -> PanelState:
    """A panel that stands on the board and of which nothing was there at the moment one looks back to."""
    return PanelState(name, name, Status.UNKNOWN, None, None, broken=Shown("there was nothing of it then"))
