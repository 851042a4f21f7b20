"""Figures → what is drawn: the service as a whole beside its limits, then the routes, the worst first."""

from __future__ import annotations

import math

from msgspec import Struct
from msgspec.structs import replace

from tui.engine.clock import moment
from tui.engine.history import Trends
from tui.engine.layout import Cell, Column, DrawnRow, Fact, Facts, Gauge, Layout, Room, Spark
from tui.engine.panel import Judged, Readings
from tui.engine.reading import Labels, Reading, Row, Signal, Status, series_key
from tui.engine.text import EMPTY, Shown, clean
from tui.engine.units import show, show_duration, show_latency, show_per_second, show_rate, show_ratio

from . import CARD
from .config import MetricsConfig

SPARK_WIDTHS = ((96, 32), (64, 20), (0, 16))
"""How long a gauge's sparkline is, from which width of room on."""
LOW = 12
"""Lines of room under which only the figures stand that tell most."""
LABELS = {"request_rate": "requests", "error_rate": "errors"}
SMALLEST_TOP = {"error_rate": 0.005, "route_error_rate": 0.005}
"""What fills a sparkline at least: a hundredth of a percent must not look like a disaster."""
BAD = (Status.DEGRADED, Status.FAILING)
_Judged = tuple[Row, Status, Status]
"""A route, and how its errors and its latency stand."""


class _Scene(Struct, frozen=True):
    """What every part of the view needs."""

    readings: Readings
    history: Trends
    room: Room
    reading: Reading
    signals: dict[str, Signal]
    routes: dict[str, Labels]
    """The labels of each route's signals."""

    def judged(self, key: str) -> Judged:
        """What the rules say of a signal."""
        return self.readings.judgement(key)

    def value(self, key: str) -> float | None:
        """A signal's value."""
        found = self.signals.get(key)
        return found.value if found else None

    def of_route(self, signal: str, row: Row) -> str:
        """The key of a route's signal."""
        return series_key(signal, self.routes.get(row.key, (("route", row.key),)))

    def spark(self, key: str, width: int) -> Spark:
        """A signal's picture."""
        least = SMALLEST_TOP.get(key.partition("{")[0], 0.0)
        return self.history.spark(self.reading.panel, key, width, self.reading.at, least=least)


def view(readings: Readings, history: Trends, room: Room) -> Layout:
    """Requests, errors and percentiles as gauges, tiles, then a row a route."""
    config: MetricsConfig = readings.settings
    reading = readings.one("figures")
    if reading is None or not reading.signals:
        return Layout(source=_source(config, None), empty=Shown("no answer yet"))
    routes = {dict(each.labels)["route"]: each.labels for each in reading.signals if each.name == "route_rate"}
    scene = _Scene(readings, history, room, reading, {each.key: each for each in reading.signals}, routes)
    figures = _figures(scene, config)
    rows = _ordered(scene)
    pictured = _picture(scene)
    sparks = _sparks(scene, rows, pictured)
    return Layout(
        headline=_headline(scene),
        source=_source(config, scene.value("window")),
        figures=figures,
        notes=reading.notes,
        columns=_columns(pictured, history.span(readings.panel, reading.at)),
        rows=tuple(_drawn(*row, spark) for row, spark in zip(rows, sparks, strict=True)),
        trailer=_unlisted(scene, len(rows)),
        empty=Shown("no route was asked in the window") if scene.value("window") else Shown("no route yet"),
    )


def _source(config: MetricsConfig, over: float | None) -> Shown:
    """Where the figures come from, and over how long, while that is less than the window."""
    if config.prometheus:
        return Shown("prometheus")
    return Shown(f"scraped over {show_duration(over)}") if over and over < 0.9 * config.window else Shown("scraped")


def _headline(scene: _Scene) -> Shown:
    """The panel in a few words."""
    rate, errors, p95 = (scene.value(key) for key in ("request_rate", "error_rate", "p95"))
    return Shown(f"{show_rate(rate)}  errors {show_ratio(errors)}  p95 {show_latency(p95)}")


def _gauges(scene: _Scene) -> list[Gauge]:
    """The five figures; where room is low, those that tell most, and what is breached."""
    few = ("request_rate", "error_rate", "p95")
    wanted = [key for key in ("request_rate", "error_rate", "p50", "p95", "p99") if key in scene.signals]
    if scene.room.height < LOW:
        wanted = [key for key in wanted if key in few or scene.judged(key).status in BAD]
    return [_gauge(scene, key) for key in wanted]


def _gauge(scene: _Scene, key: str, label: Shown | None = None) -> Gauge:
    """One figure with its picture and its limit."""
    signal, judged = scene.signals[key], scene.judged(key)
    status, limit = judged.status, judged.limit
    if key == "request_rate":
        usual = scene.value("baseline")
        limit = limit or (Shown(f"usual {show_rate(usual)}") if usual is not None else EMPTY)
        status = max(status, scene.judged("surge").status)
    return Gauge(
        label=label or Shown(LABELS.get(key, key)),
        text=show(signal.value, signal.unit),
        status=status if status in BAD else None,
        spark=scene.spark(key, _spark_width(scene.room)),
        limit=limit,
        key=key,
    )


def _spark_width(room: Room) -> int:
    """How long a gauge's sparkline is."""
    return next(size for from_width, size in SPARK_WIDTHS if room.width >= from_width)


def _with_since(scene: _Scene, gauges: list[Gauge]) -> tuple[Gauge, ...]:
    """Since when a limit is passed, behind it, for all gauges if the room is wide enough for all."""
    label, text = (
        max((len(words) for words in column), default=0) for column in ([g.label for g in gauges], [g.text for g in gauges])
    )
    taken = 1 + label + 2 + text + 4 + _spark_width(scene.room) + 2
    whole = []
    for gauge in gauges:
        since = scene.judged(gauge.key).since
        limit = f"{gauge.limit}  since {moment(since, scene.room.now)}" if gauge.status and since is not None else gauge.limit
        if taken + len(limit) > scene.room.width:
            return tuple(gauges)
        whole.append(replace(gauge, limit=Shown(limit)))
    return tuple(whole)


def _figures(scene: _Scene, config: MetricsConfig) -> tuple[Gauge | Facts, ...]:
    """The service's gauges and the config's own figures: these a line each where there is room or a rule looks hard at one,
    else together on one line."""
    gauges = _gauges(scene)
    few = len(gauges) + len(config.tiles) <= scene.room.height // 2
    small = []
    for tile in config.tiles:
        key = series_key(tile.signal, (("name", tile.name),))
        if few or scene.judged(key).status in BAD:
            gauges.append(_gauge(scene, key, clean(tile.title or tile.name, 40)))
        else:
            small.append(Fact(clean(tile.title or tile.name, 40), show(scene.value(key), tile.unit), None, key))
    drawn = _with_since(scene, gauges)
    return (*drawn, Facts(tuple(small))) if small else drawn


def _picture(scene: _Scene) -> str:
    """The signal that the routes' sparklines show, one for all: latency while that alone is wrong, else errors."""
    slow = scene.judged("p95").status > scene.judged("error_rate").status
    return "route_p95" if slow else "route_error_rate"


def _status(scene: _Scene, row: Row) -> tuple[Status, Status]:
    """How a route's errors and latency stand: by rules of its own, and as badly as the whole where it drives that."""
    found = []
    for cell, of_route, of_all in (("errors", "route_error_rate", "error_rate"), ("p95", "route_p95", "p95")):
        own = scene.judged(scene.of_route(of_route, row)).status
        whole, value, all_of_it = scene.judged(of_all).status, row.number(cell), scene.value(of_all)
        drives = whole in BAD and value is not None and all_of_it is not None and value >= all_of_it
        found.append(max(own, whole) if drives else own)
    return found[0], found[1]


def _ordered(scene: _Scene) -> list[_Judged]:
    """The routes with how their errors and latency stand: the worst first, then in steps of two by what is pictured, then as
    the probe gives them (the busiest first, and steady). So noise does not change places."""
    pictured = "p95" if _picture(scene) == "route_p95" else "errors"

    def place(each: _Judged) -> tuple[int, bool, int]:
        row, errors, latency = each
        step = _step(row.number(pictured)) if pictured == "errors" or latency in BAD else 0
        return -max(errors, latency), not row.number("rate"), -step

    return sorted(((row, *_status(scene, row)) for row in scene.reading.rows), key=place)


def _unlisted(scene: _Scene, listed: int) -> Shown:
    """How many routes the probe left out."""
    unlisted = max(0, int(scene.value("routes") or 0) - listed)
    return Shown(f"{unlisted} with less to tell are not listed") if unlisted else EMPTY


def _columns(signal: str, span: float) -> tuple[Column, ...]:
    """The columns; the sparkline's title says what it shows, and over how long."""
    what = "p95" if signal == "route_p95" else "errors"
    title = Shown(f"{what}, {span / 60:.0f}m" if span < 3600 else f"{what}, last hour")
    return tuple(replace(each, title=title) if each.name == "spark" else each for each in CARD.columns)


def _drawn(row: Row, errors: Status, latency: Status, spark: Cell) -> DrawnRow:
    """One route's cells, in the order of the columns."""
    rate, share, p95 = (row.number(name) for name in ("rate", "errors", "p95"))
    by_name = {
        "route": Cell(Shown(str(row.cells["route"])), order=row.key),
        "rate": Cell(show_per_second(rate), order=rate),
        "errors": Cell(show_ratio(share), errors if errors in BAD else None, order=share),
        "p95": Cell(show_latency(p95), latency if latency in BAD else None, order=p95),
        "spark": spark,
    }
    status = max(errors, latency)
    return DrawnRow(row.key, tuple(by_name[column.name] for column in CARD.columns), status, dim=not rate)


def _sparks(scene: _Scene, rows: list[_Judged], signal: str) -> list[Cell]:
    """The routes' pictures on one scale: a full bar is the worst of all that are shown."""
    width = next(column.width for column in CARD.columns if column.name == "spark")
    drawn = [scene.spark(scene.of_route(signal, row), width) for row, *_ in rows]
    top = max((value for each in drawn for value in each.values if value is not None), default=0.0)
    top = max(top, SMALLEST_TOP.get(signal, 0.0))
    return [Cell(spark=replace(each, top=top)) for each in drawn]


def _step(value: float | None) -> int:
    """A figure in steps of two, from the smallest on."""
    return round(math.log2(value)) + 40 if value and value > 1e-12 else 0
