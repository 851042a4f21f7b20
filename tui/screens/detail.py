"""Everything known about one row or one figure: every cell, long texts, pages, remedies; a signal's rules and its last hour.

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
from tui.engine.layout import Column
from tui.engine.panel import SignalSpec
from tui.engine.reading import Status, Value
from tui.engine.text import EMPTY, Shown, clean
from tui.engine.units import NOT_MEASURED, Unit, show, show_duration
from tui.widgets.chart import chart, statistics
from tui.widgets.glyphs import Glyphs
from tui.widgets.ink import BLANK, ROLES, Line, Piece, Role, apart, cut_line, fit, spaces, wrap
from tui.widgets.top import alert_pieces

from .alert_keys import acknowledge, open_end, open_escalation, open_silence
from .keys import ALERT_KEYS, REWIND_KEYS
from .live import Page
from .selection import Selection, behind, reason, safe_address
from .sending import send_page
from .sight import Sight

if TYPE_CHECKING:
    from .dashboard import WatchfloorApp

LABEL = 16
CHART, LOW_CHART = 8, 4
"""Lines of a chart on a terminal of `TALL` lines and more, and on a lower one."""
TALL = 36


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
        return [title_line(clean(selection.figure), selection.panel, width, glyphs), *_figure(dash, selection, width)]
    if selection.drawn is None:
        return [title_line(clean(selection.panel.name), selection.panel, width, glyphs), *_panel(dash, selection, width)]
    name = next((cell.text for cell in selection.drawn.cells if cell.text), clean(selection.drawn.key))
    return [title_line(name, selection.panel, width, glyphs), *_row(selection, width, glyphs)]


def title_line(name: Shown, panel: PanelState, width: int, glyphs: Glyphs) -> Line:
    """The rule above a detail: what it is about, and in which panel."""
    rule = Piece(Shown(glyphs.rule), "faint")
    left = [rule, spaces(1), Piece(clean(name, max(8, width - 24)), "strong"), spaces(1)]
    return apart(left, [spaces(1), Piece(clean(panel.name), "dim"), spaces(1), rule], width, rule)


def fact_lines(label: str, text: Shown, width: int, role: Role = "text", link: str = "") -> list[Line]:
    """A label and its text, wrapped beside it."""
    lines = []
    for order, part in enumerate(wrap(text, max(10, width - LABEL - 3))):
        head = Piece(fit(clean(label) if order == 0 else EMPTY, LABEL), "dim")
        lines.append(Line((spaces(1), head, spaces(1), Piece(part, role, link))))
    return lines


# --- a row ----------------------------------------------------------------------------------------------------------


def _row(selection: Selection, width: int, glyphs: Glyphs) -> list[Line]:
    drawn, row, panel = selection.drawn, selection.row, selection.panel
    assert drawn is not None
    status = Shown(f"{glyphs.status[drawn.status]} {drawn.status.word}")
    lines = fact_lines("status", status, width, ROLES[drawn.status])
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


# --- a figure -------------------------------------------------------------------------------------------------------


def _figure(dash: WatchfloorApp, selection: Selection, width: int) -> list[Line]:
    key, panel = selection.figure, selection.panel
    assert key is not None
    spec = _spec(panel, key)
    signal = next((each for probe in panel.probes if probe.good for each in probe.good.signals if each.key == key), None)
    unit: Unit = signal.unit if signal else spec.unit if spec else "count"
    judged = panel.judged.get(key)
    lines: list[Line] = []
    if spec is not None:
        lines += fact_lines("is", clean(spec.help), width)
    value = show(signal.value, unit) if signal else NOT_MEASURED
    status = judged.status if judged else Status.OK
    lines += fact_lines("now", Shown(f"{value}  {dash.glyphs.status[status]} {status.word}"), width, ROLES[status])
    if judged is not None and judged.limit:
        lines += fact_lines("rule", judged.limit, width)
    if judged is not None and judged.since is not None:
        lines += fact_lines("since", date_time(judged.since), width)
    if spec is not None and spec.worse is not None:
        lines += fact_lines("worse when", Shown(spec.worse), width, "dim")
    return [
        *lines,
        *_alerts(dash, panel, key, width),
        BLANK,
        *history_lines(dash.sight, panel, key, unit, width, dash.size.height, dash.glyphs),
    ]


def _spec(panel: PanelState, key: str) -> SignalSpec | None:
    name = key.partition("{")[0]
    return next((each for each in (panel.card.signals if panel.card else ()) if each.name == name), None)


def _alerts(dash: WatchfloorApp, panel: PanelState, key: str, width: int) -> list[Line]:
    """The alerts on this signal, with why the rule is there."""
    lines: list[Line] = []
    snapshot = dash.sight.snapshot
    for alert in snapshot.alerts:
        if alert.panel == panel.name and alert.key == f"{panel.name}.{key}":
            lines += [BLANK, cut_line(Line((spaces(1), *alert_pieces(alert, snapshot.at, dash.glyphs))), width)]
            lines += _alert_facts(alert, width)
    return lines


def _alert_facts(alert: Alert, width: int) -> list[Line]:
    lines = fact_lines(alert.state, Shown(f"since {clock_time(alert.since)}"), width)
    if alert.why:
        lines += fact_lines("why", alert.why, width)
    if alert.suspect:
        lines += fact_lines("suspect", alert.suspect, width, "change")
    if address := safe_address(alert.link):
        lines += fact_lines("runbook", clean(address), width, "key", address)
    return lines


def history_lines(sight: Sight, panel: PanelState, key: str, unit: Unit, width: int, tall: int, glyphs: Glyphs) -> list[Line]:
    """A signal's last values as a chart with its numbers; `tall` is the terminal's height."""
    now = max((probe.good.at for probe in panel.probes if probe.good), default=sight.snapshot.at)
    history = sight.history
    spark = history.spark(panel.name, key, max(10, min(width - 14, 100)), now)
    span = history.span(panel.name, now)
    height = LOW_CHART if tall < TALL else CHART
    heading = Line((spaces(1), Piece(Shown(f"the last {show_duration(span)}"), "strong")))
    numbers = Line((spaces(1), Piece(statistics(spark.values, unit), "dim")))
    return [heading, *chart(spark, unit, now - span, now, height, glyphs), BLANK, numbers]


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
        *REWIND_KEYS,
        Binding("o", "page", "page", id="detail.page"),
        Binding("y", "copy", "copy", id="detail.copy"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._selection: Selection | None = None

    def about(self, selection: Selection) -> None:
        """What it is about from now on."""
        self._selection, self.top = selection, 0

    def take(self, snapshot: Snapshot) -> None:
        """The same row or figure as it is now; the last that was known of it where it has gone."""
        if self._selection is not None:
            self._selection = renewed(self._selection, self.dash.sight.snapshot)
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


def renewed(selection: Selection, snapshot: Snapshot) -> Selection:
    """The selection with what is known now."""
    panel = snapshot.panel(selection.panel.name)
    if panel is None:
        return selection
    reading, row = behind(panel, selection.row.key if selection.row else None)
    return replace(selection, panel=panel, row=row or selection.row, reading=reading or selection.reading)
