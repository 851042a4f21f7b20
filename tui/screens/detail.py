"""Everything known about one row: every cell, its figures, long texts, pages, remedies. One figure: figure.py.

The same lines fill the third column of a large terminal. Pure, but for the screen class at the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from msgspec.structs import replace
from textual.binding import Binding

from tui.engine.alert import Alert
from tui.engine.clock import clock_time, date_time
from tui.engine.feed import PanelState, Snapshot
from tui.engine.layout import Column, DrawnRow
from tui.engine.reading import Value
from tui.engine.text import EMPTY, Shown, clean
from tui.engine.units import NOT_MEASURED, Unit, show, show_duration
from tui.widgets.glyphs import Glyphs
from tui.widgets.ink import BLANK, ROLES, Line, Piece, apart, spaces, wrap

from .alert_keys import acknowledge, open_end, open_escalation, open_silence
from .board import Board
from .facts import fact_lines
from .figure import figure_detail, row_alerts, row_figures
from .keys import ALERT_KEYS, PANEL_KEYS, REWIND_KEYS
from .page import Page
from .selection import Selection, behind, reason, safe_address
from .sending import send_page

if TYPE_CHECKING:
    from .dashboard import WatchfloorApp


def detail_lines(dash: WatchfloorApp, selection: Selection | None, width: int) -> list[Line]:
    """The whole detail, however long."""
    glyphs = dash.glyphs
    if selection is None:
        return []
    if selection.fold is not None:
        from .alert import alert_detail

        return alert_detail(dash.sight, selection.fold, width, dash.size.height, glyphs)
    if selection.silence is not None:
        from .silence import silence_detail

        heading = title_line(Shown(selection.silence.kind), selection.panel, width, glyphs)
        return [heading, *silence_detail(selection.silence, dash.sight.snapshot, width, glyphs)]
    if selection.figure is not None:
        heading = title_line(clean(selection.figure), selection.panel, width, glyphs)
        return [heading, *figure_detail(dash.sight, dash.moment(), selection, width, dash.size.height, glyphs)]
    if selection.drawn is None:
        return [title_line(clean(selection.panel.name), selection.panel, width, glyphs), *_panel(dash, selection, width)]
    name = next((cell.text for cell in selection.drawn.cells if cell.text), clean(selection.drawn.key))
    figures = row_figures(dash.sight, selection, width, glyphs)
    alerts = row_alerts(dash.sight, selection, width, glyphs)
    return [title_line(name, selection.panel, width, glyphs), *_row(selection, width, glyphs, alerts, figures)]


def title_line(name: Shown, panel: PanelState, width: int, glyphs: Glyphs) -> Line:
    """The rule above a detail: what it is about, and in which panel."""
    rule = Piece(Shown(glyphs.rule), "faint")
    left = [rule, spaces(1), Piece(clean(name, max(8, width - 24)), "strong"), spaces(1)]
    return apart(left, [spaces(1), Piece(clean(panel.name), "dim"), spaces(1), rule], width, rule)


# --- a row ----------------------------------------------------------------------------------------------------------


def _row(selection: Selection, width: int, glyphs: Glyphs, alerts: Sequence[Line], figures: Sequence[Line]) -> list[Line]:
    """What is wrong with it (`alerts`), every cell, then `figures`, then what is too long for a cell, pages and remedies."""
    drawn, row, panel = selection.drawn, selection.row, selection.panel
    assert drawn is not None
    if selection.gone:
        lines = fact_lines("status", Shown("no longer listed: this is the last that was known of it"), width, "unknown")
    else:
        status = Shown(f"{glyphs.status[drawn.status]} {drawn.status.word}")
        lines = fact_lines("status", status, width, ROLES[drawn.status])
    lines += alerts
    if row is None:
        for heading, cell in zip(selection.titles, drawn.cells, strict=False):
            if cell.text and heading:
                lines += fact_lines(heading, cell.text, width)
        return [*lines, *fact_lines("key", clean(drawn.key), width, "dim")]
    shown = {column.name: (column, cell) for column, cell in zip(_columns(panel), drawn.cells, strict=False)}
    for name, value in row.cells.items():
        column = shown[name][0] if name in shown else None
        said = panel.card.units.get(name) if panel.card else None
        unit = said or (unit_of(column) if column else "count")
        if text := cell_text(value, unit):
            titled = column is not None and column.title and column.unit != "text"
            heading = column.title if column and titled else clean(name.replace("_", " "))
            lines += fact_lines(heading, text, width)
    if row.parent is not None:
        lines += fact_lines("under", clean(row.parent), width, "dim")
    if panel.suspected.get(row.key):
        lines += fact_lines(f"{glyphs.change} then", panel.suspected[row.key], width, "change")
    lines += fact_lines("key", clean(row.key), width, "dim")
    if selection.reading is not None:
        took = show(selection.reading.took, "s")
        lines += fact_lines("measured", Shown(f"{date_time(selection.reading.at)}, took {took}"), width, "dim")
        by = (selection.reading.target, selection.reading.probe)
        for each in panel.probes:
            if each.slowed and (each.target, each.probe) == by:
                lines += fact_lines("slowed", each.slowed, width, "degraded")
    lines += figures
    for above, texts in row.long.items():
        lines += [BLANK, Line((spaces(1), Piece(clean(above), "strong")))]
        lines += [Line((spaces(2), Piece(part))) for text in texts for part in wrap(text, width - 3)]
    for link in row.links:
        address = safe_address(link.url)
        lines += fact_lines(link.title or "page", clean(address or link.url), width, "key" if address else "dim", address)
    return [*lines, *_remedies(selection, width)]


def _columns(panel: PanelState) -> tuple[Column, ...]:
    return panel.card.columns if panel.card else ()


def cell_text(value: Value, unit: Unit | Literal["utc", "duration"]) -> Shown:
    """A reading's cell in words; a series has none."""
    if isinstance(value, tuple):
        return EMPTY
    if value is None:
        return NOT_MEASURED
    if isinstance(value, bool):
        return Shown("yes" if value else "no")
    if isinstance(value, (int, float)):
        if unit == "utc":
            return date_time(value)
        return show_duration(value) if unit == "duration" else show(value, unit)
    return value


def unit_of(column: Column) -> Unit:
    """The unit in which a column's numbers are shown."""
    if column.unit == "text" or column.unit == "spark" or column.unit == "status":
        return "count"
    return column.unit


def _remedies(selection: Selection, width: int) -> list[Line]:
    """What can be done about the row, with its keys; why not where it cannot."""
    lines: list[Line] = []
    for offer in selection.panel.offers:
        why = reason(offer, selection)
        key = Piece(Shown(f" {offer.key}  "), "faint" if why else "key")
        says = Shown(f"{offer.title}: {why}") if why else Shown(f"{offer.title}: {offer.help}")
        for order, part in enumerate(wrap(says, width - 6)):
            lines.append(Line((key if order == 0 else spaces(4), Piece(part, "dim" if why else "text"))))
    return [BLANK, Line((spaces(1), Piece(Shown("remedies"), "strong"))), *lines] if lines else []


# --- a panel and the screen -------------------------------------------------------------------------------------------


def _panel(dash: WatchfloorApp, selection: Selection, width: int) -> list[Line]:
    """A panel as such: its sources and how each is polled."""
    lines: list[Line] = []
    if selection.panel.card is not None:
        lines += fact_lines("is", clean(selection.panel.card.title), width)
    for probe in selection.panel.probes:
        every = f"every {show_duration(probe.interval)}"
        last = f", last answer {clock_time(probe.good.at)}" if probe.good else ", no answer yet"
        lines += fact_lines(probe.probe, clean(f"{probe.target}: {every}{last} {probe.slowed}"), width)
    return lines


class Detail(Page):
    """The detail of one row or figure on the whole screen; it moves on with the polls."""

    BINDINGS = [
        *ALERT_KEYS,
        Binding("o", "page", "page", id="detail.page"),
        Binding("y", "copy", "copy", id="detail.copy"),
        *REWIND_KEYS,
        *PANEL_KEYS,
    ]

    def __init__(self) -> None:
        super().__init__()
        self._selection: Selection | None = None

    def about(self, selection: Selection) -> None:
        """What it is about from now on."""
        self._selection, self.top = selection, 0

    def take(self, snapshot: Snapshot) -> None:
        """The same row or figure as it is now; the last that was known of it where it has gone."""
        if self._selection is not None and self.dash.frozen_at is None:
            row = self._selection.drawn
            drawn = self.dash.get_screen("board", Board).row_now(self._selection.panel.name, row.key) if row else None
            self._selection = renewed(self._selection, self.dash.sight.snapshot, drawn)
        super().take(snapshot)

    def page(self, width: int) -> Sequence[Line]:
        """The detail."""
        return detail_lines(self.dash, self._selection, width)

    def _alerts(self) -> tuple[Alert, ...]:
        """The alerts about the row or figure."""
        return self._selection.alerts(self.dash.sight.snapshot) if self._selection else ()

    def action_acknowledge(self) -> None:
        """Takes on the alerts about it."""
        acknowledge(self.dash, self._alerts())

    def action_silence(self) -> None:
        """Plans a silence for them, or its end."""
        silence = self._selection.silence if self._selection else None
        if silence is not None:
            open_end(self.dash, silence)
        else:
            open_silence(self.dash, self._alerts())

    def action_escalate(self) -> None:
        """Plans to page whoever is next."""
        open_escalation(self.dash, self._alerts())

    def action_page(self) -> None:
        """The row's page, as a link and to the terminal's clipboard."""
        send_page(self.dash, self._selection)

    def action_copy(self) -> None:
        """The whole detail, to the terminal's clipboard."""
        self.dash.send_to_clipboard("\n".join(line.text.rstrip() for line in self.page(100)))


def renewed(selection: Selection, snapshot: Snapshot, drawn: DrawnRow | None) -> Selection:
    """The selection with what is known now; `drawn` is its row as its panel shows it, None where it is not listed any more."""
    panel = snapshot.panel(selection.panel.name)
    if panel is None:
        return selection
    reading, row = behind(panel, selection.row.key if selection.row else None)
    return replace(
        selection, panel=panel, row=row or selection.row, reading=reading or selection.reading, drawn=drawn or selection.drawn,
        gone=selection.drawn is not None and drawn is None,
    )  # fmt: skip
