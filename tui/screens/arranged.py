"""Where the panels stand on the board, and which of them the keys go to.

Until somebody presses a key the keys are with the panel of what line 2 is about (`worst_panel`), so that a dashboard that was
just opened, or left alone, shows what is wrong; from then on they stay where they were put. `esc` with nothing to let go of
leaves it to what is worst again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from textual.events import Key
from textual.geometry import Region, Size
from textual.widget import Widget

from tui.engine.feed import Snapshot
from tui.widgets.canvas import Canvas
from tui.widgets.panel import PanelView
from tui.widgets.top import panel_bar, worst_fold

from .arrangement import LEAST, columns_of, places, too_small
from .live import Live
from .placed import Panels


class Arranged(Live):
    """The panels side by side, or one at a time, and the focus among them."""

    DEFAULT_CSS = """
    Arranged #bar { height: 1; display: none; }
    Arranged.-one #bar { display: block; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.panels: list[PanelView] = []
        self.current = 0
        self.zoomed = False
        self._chosen = False
        """Whether a person has the keys, and they stay where they are."""
        self._needs: list[int] = []
        self._statuses: tuple[object, ...] = ()
        self._columns = 0

    def body(self) -> Iterator[Widget]:
        """The panel bar, and the panels with the detail beside them."""
        dash = self.dash
        self.panels = [self._panel(number, state.name) for number, state in enumerate(dash.snapshot.panels, 1)]
        self._needs = [LEAST] * len(self.panels)
        yield Canvas(dash.look, dash.glyphs, id="bar")
        yield Panels(self.regions, [*self.panels, Canvas(dash.look, dash.glyphs, id="aside")])

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
        """Panels that came or went, and an arrangement for the size there is."""
        size = self.size
        self.set_class(columns_of(size) == 1, "-one")
        names = [panel.name for panel in snapshot.panels]
        if names != [panel.panel for panel in self.panels]:
            self._mount_anew(names)
        if columns_of(size) != self._columns:
            self._columns = columns_of(size)
            self._place_panels()
        super().take(snapshot)
        if not too_small(size):
            self._follow(snapshot)
            self.draw_bar()

    def _follow(self, snapshot: Snapshot) -> None:
        """To what is worst, until somebody takes the keys."""
        if self._chosen or self.dash.rewound is not None or self.dash.frozen_at is not None:
            return
        name = worst_panel(snapshot, self.focused_name)
        if name is not None:
            self._go([panel.panel for panel in self.panels].index(name))

    def on_key(self, event: Key) -> None:
        """Whoever presses a key has the keys."""
        self._chosen = self._chosen or event.key != "escape"
        super().on_key(event)

    def leave_to_the_worst(self) -> None:
        """Nobody holds the keys any more."""
        self._chosen = False
        self._follow(self.dash.snapshot)

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

    # --- focus ------------------------------------------------------------------------------------------------------

    @property
    def focused_panel(self) -> PanelView | None:
        """The panel that keys go to."""
        return self.panels[self.current] if self.panels else None

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

    def action_zoom(self) -> None:
        """One panel alone, or all again."""
        if columns_of(self.size) == 1 and not self.zoomed:
            self.dash.tell("one panel is all there is room for")
            return
        self.zoomed = not self.zoomed
        self._place_panels()
        self.call_after_refresh(lambda: self.take(self.dash.snapshot))


def worst_panel(snapshot: Snapshot, here: str) -> str | None:
    """The panel of what line 2 is about; None where nothing is, or where what is wrong `here` is no less bad: nothing moves
    without a reason."""
    fold = worst_fold(snapshot)
    if fold is None or fold.lead.panel == here or snapshot.panel(fold.lead.panel) is None:
        return None
    mine = [each.severity for each in snapshot.alerts if each.panel == here and each.wants_answer]
    return None if mine and min(mine) <= fold.lead.severity else fold.lead.panel
