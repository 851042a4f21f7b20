"""Everything known about a line of alerts: what is wrong since when, why it matters, who has it, what may have caused it.

The same lines fill the third column of a large terminal. Pure, but for the screen class at the end.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace
from textual.binding import Binding

from tui.engine.alert import Alert, Fold
from tui.engine.clock import date_time, day_and_time
from tui.engine.feed import Snapshot
from tui.engine.text import EMPTY, Shown, clean
from tui.engine.units import show_duration, show_limit
from tui.widgets.glyphs import Glyphs
from tui.widgets.ink import BLANK, ROLES, Line, Piece, apart, cut, spaces, width_of
from tui.widgets.top import alert_pieces, clock_pieces, whole_figures

from .alert_keys import (
    acknowledge,
    open_escalation,
    open_false_positive,
    open_give_back,
    open_maintenance,
    open_silence,
    says_something,
)
from .facts import fact_lines
from .figure import history_lines
from .keys import ALERT_KEYS, PANEL_KEYS, REWIND_KEYS
from .page import Page
from .selection import lines_at, safe_address
from .sight import Sight
from .silence import silence_lines
from .suspect_axis import suspect_lines

SAID_OF_ALERTS = ("acknowledge", "silence", "escalate", "give_back")
LISTED = 20
"""Alerts of one line that are listed; the others are counted."""


def alert_detail(sight: Sight, fold: Fold, width: int, height: int, glyphs: Glyphs) -> list[Line]:
    """The whole detail, however long; `height` is the terminal's, for the chart."""
    alert, snapshot = fold.lead, sight.snapshot
    lines = [_title(alert, width, glyphs), *_facts(alert, snapshot, width, glyphs)]
    lines += _silences(fold, snapshot, width)
    lines += _others(fold, snapshot, width, glyphs)
    lines += [BLANK, *suspect_lines(alert, snapshot.at, width, glyphs)]
    panel = snapshot.panel(alert.panel)
    if panel is not None and not alert.source:
        key = alert.key.removeprefix(f"{alert.panel}.")
        lines += [BLANK, *history_lines(sight, panel, key, alert.unit, width, height, glyphs)]
    return lines


def _title(alert: Alert, width: int, glyphs: Glyphs) -> Line:
    rule = Piece(Shown(glyphs.rule), "faint")
    words = cut(clean(f"{alert.severity} {glyphs.status[alert.status]} {alert.rule}"), max(8, width - 24))
    name = Piece(words, ROLES[alert.status])
    return apart([rule, spaces(1), name, spaces(1)], [spaces(1), Piece(Shown("alert"), "dim"), spaces(1), rule], width, rule)


def _facts(alert: Alert, snapshot: Snapshot, width: int, glyphs: Glyphs) -> list[Line]:
    """What is wrong, since when, whose it is and why it matters."""
    lines = fact_lines("wrong", _wrong(alert), width, ROLES[alert.status])
    lines += fact_lines(alert.state, _when(alert, snapshot.at), width)
    if alert.unknown_since is not None:
        says = f"nothing can be measured since {day_and_time(alert.unknown_since, snapshot.at)}: it neither fires nor resolves"
        lines += fact_lines("unknown", Shown(says), width, "unknown")
    lines += _answer(alert, snapshot, width)
    lines += fact_lines("about", clean(alert.key if not alert.source else f"{alert.rule}, from {alert.source}"), width)
    for label, text in (("target", alert.target), ("depends on", alert.root if alert.root != alert.target else "")):
        lines += fact_lines(label, clean(text), width) if text else []
    for name, value in alert.labels:
        lines += fact_lines(name, clean(value), width)
    for label, text in (("raised by", alert.raised_by), ("why", alert.why)):
        lines += fact_lines(label, text, width) if text else []
    if address := safe_address(alert.link):
        lines += fact_lines("runbook", clean(address), width, "key", address)
    return lines


def _wrong(alert: Alert) -> Shown:
    if alert.source:
        return alert.wrong if alert.says else EMPTY or clean(alert.rule)
    limit = f"limit {show_limit(alert.threshold, alert.unit)}"
    return clean(f"{alert.wrong}   {limit}" if alert.says else alert.wrong)


def _when(alert: Alert, at: float) -> Shown:
    """`since 2026-11-21 03:03:00Z, 9m12s; fired 03:08:00Z`."""
    until = alert.ended if alert.ended is not None else at
    words = f"since {date_time(alert.since)}, {show_duration(until - alert.since)}"
    if alert.fired_at is not None:
        words += f"; fired {day_and_time(alert.fired_at, at)}"
    return Shown(words + (f"; over {day_and_time(alert.ended, at)}" if alert.ended is not None else ""))


def _answer(alert: Alert, snapshot: Snapshot, width: int) -> list[Line]:
    """Who has it, or who is called next and when."""
    if alert.acked_by:
        at = ""
        if alert.acked_at is not None:
            at = f" at {day_and_time(alert.acked_at, snapshot.at)}, {show_duration(snapshot.at - alert.acked_at)} ago"
        return fact_lines("acknowledged", clean(f"by {alert.acked_by}{at}"), width, "strong")
    if not alert.wants_answer:
        return []
    clock = clock_pieces(snapshot, alert, snapshot.at)
    words = " · ".join(["not acked", *(piece.text for piece in clock)])
    lines = fact_lines("answer", Shown(words), width, clock[0].role if clock else "text")
    return lines + (fact_lines("came back", alert.came_back, width) if alert.came_back else [])


def _silences(fold: Fold, snapshot: Snapshot, width: int) -> list[Line]:
    """What keeps it quiet."""
    shown = set(fold.fingerprints)
    lines: list[Line] = []
    for each in snapshot.silences:
        if shown & set(each.hides):
            lines += [BLANK, _heading(Shown(f"{each.kind}: nobody is told")), *silence_lines(each, snapshot, width)]
    if not lines and fold.lead.silenced:
        lines = fact_lines("silenced", fold.lead.silenced, width)
    if fold.lead.silenced_there:
        lines += fact_lines("silenced there", fold.lead.silenced_there, width)
    return lines


def _others(fold: Fold, snapshot: Snapshot, width: int, glyphs: Glyphs) -> list[Line]:
    """Every alert of the line, where it is more than one, and what holds them together."""
    if len(fold.alerts) < 2:
        return []
    heading = Shown(f"{len(fold.alerts)} alerts in one line{f': {fold.why}' if fold.why else ''}")
    lines = [BLANK, _heading(heading)]
    if fold.joined:
        lines += fact_lines("joined", fold.joined, width, "degraded")
    for each in fold.alerts[:LISTED]:
        lines.append(_member(each, snapshot.at, width, glyphs))
    more = len(fold.alerts) - LISTED
    return [*lines, Line((Piece(Shown(f" …{more} more"), "dim"),))] if more > 0 else lines


def _member(alert: Alert, at: float, width: int, glyphs: Glyphs) -> Line:
    """One alert of a line, and who has it at the right end."""
    left = alert_pieces(alert, at, glyphs)
    said = f"acked {alert.acked_by}" if alert.acked_by else "silenced" if alert.silenced else alert.state
    right = [spaces(2), Piece(clean(said), "dim"), spaces(1)]
    right = right if width_of(right) < width // 2 else []
    return apart([spaces(1), *whole_figures(left, width - 1 - width_of(right))], right, width)


def _heading(text: Shown) -> Line:
    return Line((spaces(1), Piece(text, "strong")))


class AlertDetail(Page):
    """The detail of one line of alerts on the whole screen; it moves on with the polls."""

    BINDINGS = [
        *ALERT_KEYS,
        Binding("A", "give_back", "give back", id="alert.give_back", tooltip="not acknowledged any more"),
        Binding(
            "F", "false_positive", "false positive", id="alert.false", tooltip="say why, and see what would have kept it quiet"
        ),
        Binding("M", "maintenance", "maintenance", id="alert.maintenance", tooltip="a window in which it pages nobody"),
        Binding("o", "page", "runbook", id="detail.page", tooltip="its link, to the clipboard too"),
        Binding("y", "copy", "copy", id="detail.copy", tooltip="all of this, to the clipboard"),
        *REWIND_KEYS,
        *PANEL_KEYS,
    ]

    def __init__(self) -> None:
        super().__init__()
        self._fold: Fold | None = None

    def about(self, fold: Fold) -> None:
        """What it is about from now on."""
        self._fold, self.top = fold, 0

    def take(self, snapshot: Snapshot) -> None:
        """The same line as it is now; the last that was known of it where it is over."""
        if self._fold is not None:
            self._fold = renewed(self._fold, self.dash.sight.snapshot)
        super().take(snapshot)

    def page(self, width: int) -> Sequence[Line]:
        """The detail."""
        dash = self.dash
        return alert_detail(dash.sight, self._fold, width, dash.size.height, dash.glyphs) if self._fold else []

    @property
    def _alerts(self) -> tuple[Alert, ...]:
        return self._fold.alerts if self._fold else ()

    def is_live(self, action: str) -> bool:
        """Whether a key would do something now, or only say why not."""
        return action not in SAID_OF_ALERTS or says_something(self.dash, action, self._alerts)

    def action_acknowledge(self) -> None:
        """Takes on what is shown."""
        acknowledge(self.dash, self._alerts)

    def action_silence(self) -> None:
        """Plans a silence, or the end of one."""
        open_silence(self.dash, self._alerts)

    def action_escalate(self) -> None:
        """Plans to page whoever is next."""
        open_escalation(self.dash, self._alerts)

    def action_give_back(self) -> None:
        """Plans to give an acknowledgement back."""
        open_give_back(self.dash, self._alerts)

    def action_false_positive(self) -> None:
        """Asks why it was none."""
        open_false_positive(self.dash, self._alerts)

    def action_maintenance(self) -> None:
        """Plans a maintenance window, or its end."""
        open_maintenance(self.dash, self._alerts)

    def action_page(self) -> None:
        """The runbook, as a link and to the terminal's clipboard."""
        address = safe_address(self._fold.lead.link) if self._fold else ""
        if address:
            self.dash.send_to_clipboard(address, link=address)
        else:
            self.dash.tell("it has no link")

    def action_copy(self) -> None:
        """The whole detail, to the terminal's clipboard."""
        self.dash.send_to_clipboard("\n".join(line.text.rstrip() for line in self.page(100)))


def renewed(fold: Fold, snapshot: Snapshot) -> Fold:
    """The line with what is known now: by its key, else whatever holds its first alert; else its alerts as they were."""
    found = next(iter(lines_at(snapshot, [fold.key])), None)
    if found is None:
        mine = set(fold.fingerprints)
        found = next((each for each in snapshot.folds if mine & set(each.fingerprints)), None)
    return found or replace(fold, alerts=tuple(_over(each, snapshot.at) for each in fold.alerts))


def _over(alert: Alert, at: float) -> Alert:
    """An alert that is in no snapshot any more: it is over, since some time that nobody says."""
    return alert if alert.state == "resolved" else replace(alert, state="resolved", ended=alert.ended or at)
