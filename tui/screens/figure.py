"""A signal in a detail: what it is, its rules, its alerts, its last hour; and the signals of one row, a line each. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from tui.engine.alert import Alert
from tui.engine.clock import date_time, day_and_time
from tui.engine.feed import PanelState, ProbeState
from tui.engine.layout import Gauge
from tui.engine.panel import SignalSpec
from tui.engine.reading import Signal, Status
from tui.engine.text import EMPTY, Shown, clean
from tui.engine.units import NOT_MEASURED, Unit, show, show_duration
from tui.widgets.chart import chart, statistics
from tui.widgets.figures import draw_figures
from tui.widgets.glyphs import Glyphs
from tui.widgets.ink import BLANK, ROLES, Line, Piece, cut_line, spaces
from tui.widgets.top import alert_pieces, whole_figures

from .facts import fact_lines
from .selection import Selection, alerts_of_row, safe_address
from .sight import Sight

CHART, LOW_CHART = 8, 4
"""Lines of a chart on a terminal of `TALL` lines and more, and on a lower one."""
TALL = 36
SPARK = 32
"""Cells of the picture of one of a row's signals."""


def figure_detail(sight: Sight, moment: float, selection: Selection, width: int, tall: int, glyphs: Glyphs) -> list[Line]:
    """The figure under the cursor, however long; `moment` is that against which freshness is measured, `tall` the terminal's
    height."""
    key, panel = selection.figure, selection.panel
    assert key is not None
    spec, (probe, signal) = _spec(panel, key), _signal(panel, key)
    unit: Unit = signal.unit if signal else spec.unit if spec else "count"
    judged = panel.judged.get(key)
    lines = fact_lines("is", clean(spec.help), width) if spec is not None else []
    status = judged.status if judged else Status.OK
    if probe is None or signal is None or signal.value is None or probe.stale(moment):
        status = max(status, Status.UNKNOWN)
    value = show(signal.value, unit) if signal else NOT_MEASURED
    lines += fact_lines("now", Shown(f"{value}  {glyphs.status[status]} {status.word}"), width, ROLES[status])
    if judged is not None and judged.limit:
        lines += fact_lines("rule", judged.limit, width)
    if judged is not None and judged.since is not None:
        lines += fact_lines("since", date_time(judged.since), width)
    if spec is not None and spec.worse is not None:
        lines += fact_lines("worse when", Shown(spec.worse), width, "dim")
    of_it = [each for each in sight.snapshot.alerts if each.panel == panel.name and each.key == f"{panel.name}.{key}"]
    lines += alerts_told(of_it, sight, width, glyphs)
    return [*lines, BLANK, *history_lines(sight, panel, key, unit, width, tall, glyphs)]


def row_figures(sight: Sight, selection: Selection, width: int, glyphs: Glyphs) -> list[Line]:
    """The signals that carry a row's key in a label: value, picture and limit, a line each."""
    row, panel = selection.row, selection.panel
    if row is None or selection.reading is None:
        return []
    mine = [each for each in selection.reading.signals if row.key in dict(each.labels).values()]
    if not mine:
        return []
    gauges = [_gauge(sight, panel, each, selection.reading.at) for each in mine]
    heading = Line((spaces(1), Piece(Shown(f"the last {show_duration(_span(sight, panel))}"), "strong")))
    return [BLANK, heading, *(each.line for each in draw_figures(gauges, width, glyphs, None))]


def row_alerts(sight: Sight, selection: Selection, width: int, glyphs: Glyphs) -> list[Line]:
    """The alerts about a row, and a blank below them."""
    if selection.row is None:
        return []
    told = alerts_told(alerts_of_row(sight.snapshot, selection.panel.name, selection.row.key), sight, width, glyphs)
    return [*told, BLANK] if told else []


def _gauge(sight: Sight, panel: PanelState, signal: Signal, at: float) -> Gauge:
    judged = panel.judged.get(signal.key)
    return Gauge(
        clean(signal.name.replace("_", " ")), show(signal.value, signal.unit), judged.status if judged else None,
        sight.history.spark(panel.name, signal.key, SPARK, at), judged.limit if judged else EMPTY,
    )  # fmt: skip


def _spec(panel: PanelState, key: str) -> SignalSpec | None:
    name = key.partition("{")[0]
    return next((each for each in (panel.card.signals if panel.card else ()) if each.name == name), None)


def _signal(panel: PanelState, key: str) -> tuple[ProbeState | None, Signal | None]:
    """The signal as last measured, and by which probe; nothing where no probe has measured it."""
    for probe in panel.probes:
        for signal in probe.good.signals if probe.good else ():
            if signal.key == key:
                return probe, signal
    return None, None


def alerts_told(alerts: Sequence[Alert], sight: Sight, width: int, glyphs: Glyphs) -> list[Line]:
    """Alerts on a signal or a row, with why the rule is there."""
    lines: list[Line] = []
    for alert in alerts:
        lines += [BLANK, _alert_line(alert, sight.snapshot.at, width, glyphs)]
        lines += fact_lines(alert.state, Shown(f"since {day_and_time(alert.since, sight.snapshot.at)}"), width)
        lines += fact_lines("why", alert.why, width) if alert.why else []
        lines += fact_lines("suspect", alert.suspect, width, "change") if alert.suspect else []
        if address := safe_address(alert.link):
            lines += fact_lines("runbook", clean(address), width, "key", address)
    return lines


def _alert_line(alert: Alert, at: float, width: int, glyphs: Glyphs) -> Line:
    return cut_line(Line((spaces(1), *whole_figures(alert_pieces(alert, at, glyphs), width - 1))), width)


def history_lines(sight: Sight, panel: PanelState, key: str, unit: Unit, width: int, tall: int, glyphs: Glyphs) -> list[Line]:
    """A signal's last values as a chart with its numbers; `tall` is the terminal's height."""
    now, span = _newest(sight, panel), _span(sight, panel)
    spark = sight.history.spark(panel.name, key, max(10, min(width - 14, 100)), now)
    height = LOW_CHART if tall < TALL else CHART
    heading = Line((spaces(1), Piece(Shown(f"the last {show_duration(span)}"), "strong")))
    numbers = Line((spaces(1), Piece(statistics(spark.values, unit), "dim")))
    return [heading, *chart(spark, unit, now - span, now, height, glyphs), BLANK, numbers]


def _newest(sight: Sight, panel: PanelState) -> float:
    return max((probe.good.at for probe in panel.probes if probe.good), default=sight.snapshot.at)


def _span(sight: Sight, panel: PanelState) -> float:
    return sight.history.span(panel.name, _newest(sight, panel))
