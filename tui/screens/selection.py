"""What stands under the cursor, and what can be said of it: to copy, to paste into a chat, to open, to act on. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote

from msgspec import Struct

from tui.engine.actions import Action
from tui.engine.alert import Alert, Fold, single
from tui.engine.clock import date_time
from tui.engine.feed import Offer, PanelState, Snapshot
from tui.engine.layout import DrawnRow
from tui.engine.reading import Link, Reading, Row
from tui.engine.silences import Silence
from tui.engine.text import EMPTY, Shown, clean
from tui.widgets.panel import PanelView


class Selection(Struct, frozen=True):
    """A row or a figure of a panel. `drawn` is the row as the panel shows it, `row` and `reading` what stands behind it."""

    panel: PanelState
    titles: tuple[Shown, ...] = ()
    drawn: DrawnRow | None = None
    row: Row | None = None
    reading: Reading | None = None
    figure: str | None = None
    marked: tuple[str, ...] = ()
    fold: Fold | None = None
    """The alerts that the row stands for, where it is a line of them."""
    silence: Silence | None = None
    """The silence or maintenance window that the row stands for."""
    gone: bool = False
    """Whether its panel does not list the row any more."""

    def alerts(self, snapshot: Snapshot) -> tuple[Alert, ...]:
        """The alerts that it points at: those of the marked lines or the line, else those about the row or the figure."""
        if self.fold is not None or self.marked:
            folds = lines_at(snapshot, self.marked) if self.marked else [self.fold] if self.fold else []
            if folds:
                return tuple(alert for fold in folds for alert in fold.alerts)
        if self.figure is not None:
            return tuple(alerts_of_figure(snapshot, self.panel.name, self.figure))
        return tuple(alerts_of_row(snapshot, self.panel.name, self.drawn.key)) if self.drawn else ()


def lines_at(snapshot: Snapshot, keys: Iterable[str]) -> list[Fold]:
    """The lines that row keys stand for: a fold's own key, or the fingerprint of an alert within one."""
    wanted = dict.fromkeys(keys)
    alone = single(tuple(each for each in snapshot.alerts if each.fingerprint in wanted))
    folds = {fold.key: fold for fold in (*alone, *snapshot.folds) if fold.key in wanted}
    return [folds[key] for key in wanted if key in folds]


def silence_at(snapshot: Snapshot, key: str | None) -> Silence | None:
    """The silence that a row's key stands for (`silence:ID`)."""
    kind, _, id_ = (key or "").partition(":")
    return next((each for each in snapshot.silences if each.id == id_), None) if kind == "silence" else None


def alerts_of_row(snapshot: Snapshot, panel: str, key: str) -> list[Alert]:
    """The open alerts that are about a row: its target, or one of its labels, is the row's key."""
    mine = [each for each in snapshot.alerts if each.panel == panel and each.open]
    return [each for each in mine if each.target == key or key in dict(each.labels).values()]


def alerts_of_figure(snapshot: Snapshot, panel: str, key: str) -> list[Alert]:
    """The open alerts on a signal."""
    return [each for each in snapshot.alerts if each.open and each.key == f"{panel}.{key}"]


def selection_of(view: PanelView, snapshot: Snapshot) -> Selection | None:
    """What a panel's cursor stands on, in what it draws; the panel alone where it stands on nothing."""
    state = view.state
    if state is None:
        return None
    drawn = next((row for row in view.rows if row.key == view.selected), None)
    reading, row = behind(state, view.selected)
    fold = next(iter(lines_at(snapshot, [view.selected])), None) if view.selected and view.figure is None else None
    silence = silence_at(snapshot, view.selected)
    return Selection(state, view.titles, drawn, row, reading, view.figure, view.marked, fold, silence)


def behind(state: PanelState, key: str | None) -> tuple[Reading | None, Row | None]:
    """The reading and its row behind a drawn row's key; nothing for a heading or a fold."""
    if key is None:
        return None, None
    for probe in state.probes:
        reading = probe.good or probe.reading
        for row in reading.rows if reading else ():
            if row.key == key:
                return reading, row
    return None, None


def reason(offer: Offer, selection: Selection | None) -> Shown:
    """Why a remedy is not to be had for the selected row now; empty where it is. The gate decides again in any case."""
    if offer.refused:
        return offer.refused
    if not offer.needs_row or selection is None:
        return EMPTY
    if selection.drawn is None and not selection.marked:
        return Shown("select a row first")
    action = action_of(offer, selection.panel)
    if action is None or selection.row is None or selection.marked:
        return EMPTY
    try:
        return action.offered(selection.row, selection.panel.settings) or EMPTY
    except Exception as error:  # somebody else's panel: it only loses its greying
        return clean(f"cannot tell whether it is offered: {type(error).__name__}: {error}")


def action_of(offer: Offer, panel: PanelState) -> Action | None:
    """The action behind an offer."""
    verb = offer.action.partition(".")[2]
    actions = panel.card.load_actions() if panel.card else ()
    return next((each for each in actions if each.verb == verb), None)


def words_of(selection: Selection) -> str:
    """The row on one line, its cells apart by tabs, for a spreadsheet or a search."""
    if selection.drawn is None:
        return ""
    return "\t".join(cell.text for cell in selection.drawn.cells if cell.spark is None)


def evidence(selection: Selection, snapshot: Snapshot) -> str:
    """The row with where it stands, when it was measured and by whom, for a chat."""
    where = " · ".join(filter(None, (snapshot.name, snapshot.environment, selection.panel.name)))
    lines = [f"{where} · {selection.panel.status.word}"]
    if selection.drawn is not None:
        for title, cell in zip(selection.titles, selection.drawn.cells, strict=False):
            if cell.spark is None and cell.text:
                lines.append(f"  {title or '-'}: {cell.text}")
        lines.append(f"  status: {selection.drawn.status.word}")
    if selection.reading is not None:
        lines.append(f"  measured {date_time(selection.reading.at)} by watchfloor from {selection.reading.target}")
    page = page_of(selection)
    return "\n".join([*lines, f"  {page.url}"] if page else lines)


def page_of(selection: Selection) -> Link | None:
    """The row's first page whose address is fit for a terminal's link."""
    links = selection.row.links if selection.row else ()
    return next((Link(each.title, address) for each in links if (address := safe_address(each.url))), None)


def safe_address(url: str) -> str:
    """A web address as a terminal may be told: http(s) only, unusual bytes percent-encoded. Empty where it is none."""
    if not url.lower().startswith(("https://", "http://")) or len(url) > 2000:
        return ""
    return quote(url, safe="/:?#[]@!$&'()*+,;=%-._~", errors="replace")
