"""Queue readings → what is drawn: the figures, the kinds (worst first, what is wrong under each), and in what room is left
the failures of the day. Zoomed, everything."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from tui.engine.history import Trends
from tui.engine.layout import Cell, DrawnRow, Fact, Facts, Layout, Room
from tui.engine.panel import Readings
from tui.engine.reading import Row, Status, series_key
from tui.engine.text import EMPTY, Shown, clean
from tui.engine.units import show_count, show_duration, show_rate, show_ratio

from . import CARD
from .drawn import Scene, bad, count, group_line, heading, job_line, line, narrow, schedule_line, worker_line
from .rows import kind_of

CHILDREN = 3
"""Stuck jobs, failure groups or schedules under their heading where the panel is not zoomed."""
ABOVE = 6
"""Lines that the rule, figures, the blank under them, the columns' titles and the trailer take."""
FAILURES = "failures, 24h"
NARROW = 90
"""Cells below which there is one wide column, and the largest signature stands above the table as well."""
SAYING = 70
"""Cells from which that column has room for what a row says besides its name."""
OF_KIND = ("queued", "due", "oldest_due", "running", "failure_rate", "failed_10m")


def view(readings: Readings, history: Trends, room: Room) -> Layout:
    """The queue as a table: kinds, under them what is wrong, then what failed."""
    queue, schedules = readings.one("queue"), readings.one("schedules")
    rows = tuple(row for reading in (queue, schedules) if reading for row in reading.rows)
    scene = Scene(readings, history, room, readings.settings, rows, queue, schedules)
    notes = tuple(dict.fromkeys(note for reading in (queue, schedules) if reading for note in reading.notes))
    drawn = [*_top(scene), *(_zoomed(scene) if room.zoomed else ())]
    rest, trailer = ([], EMPTY) if room.zoomed else _fill(scene, room.height - len(drawn) - len(notes) - ABOVE)
    columns, lines = CARD.columns, (*drawn, *rest)
    if room.width < NARROW:
        columns, lines = narrow(columns, lines, saying=room.width >= SAYING)
    return Layout(
        headline=_headline(scene),
        figures=_figures(scene),
        notes=(*notes, *_cause(scene)),
        columns=columns,
        rows=lines,
        trailer=trailer,
        empty=Shown("no job was created in the last 24 h, and none waits"),
        calm=EMPTY,
    )


# --- figures --------------------------------------------------------------------------------------------------------------


def _sum(scene: Scene, cell: str) -> float:
    return sum(row.number(cell) or 0 for row in scene.of("kind"))


def _headline(scene: Scene) -> Shown:
    """The worst that there is to say, else how much waits."""
    if scene.judged("worker_silence") > Status.OK:
        return Shown(f"no worker for {show_duration(scene.value('worker_silence'))}")
    if stuck := scene.value("stuck"):
        return Shown(f"{stuck:.0f} stuck")
    if scene.judged("oldest_overdue") > Status.OK:
        return Shown(f"{scene.value('overdue_schedules') or 0:.0f} schedules overdue")
    return Shown(f"queued {show_count(_sum(scene, 'queued'))}")


def _figures(scene: Scene) -> tuple[Facts, ...]:
    """Two lines: the queue, and those who work on it."""
    if scene.queue is None:
        return ()
    oldest = max((row.number("oldest_due") or 0.0 for row in scene.of("kind")), default=0.0)
    lately = [row.number("failed_10m") for row in scene.of("kind")]
    known = [each for each in lately if each is not None]
    return (
        Facts(
            (
                Fact(Shown("queued"), show_count(_sum(scene, "queued")), _worst_of(scene, "queued", "due")),
                Fact(Shown("running"), show_count(_sum(scene, "running")), _worst_of(scene, "running")),
                Fact(Shown("oldest due"), show_duration(oldest), _worst_of(scene, "oldest_due")),
                _fact(scene, "stuck", show_count(scene.value("stuck")), "stuck"),
                *_throughput(scene),
            )
        ),
        Facts(
            (
                _heartbeat(scene),
                Fact(
                    Shown("failed 10m"),
                    show_count(sum(known) if known else None),
                    bad(max(scene.judged("critical_failed_10m"), _worst_of(scene, "failed_10m") or Status.OK)),
                    "critical_failed_10m",
                ),
                *_schedule_facts(scene),
            )
        ),
    )


def _throughput(scene: Scene) -> list[Fact]:
    """How many jobs end in a minute, once there are two looks to compare."""
    rate = scene.value("throughput")
    return [] if rate is None else [Fact(EMPTY, show_rate(rate), bad(scene.judged("throughput")), "throughput")]


def _heartbeat(scene: Scene) -> Fact:
    """When a worker was last heard; that none was at all is a fact of its own, and another that it is not known yet."""
    status, age = bad(scene.judged("worker_silence")), scene.value("worker_heartbeat")
    if age is None and scene.value("workers") is not None:
        return Fact(EMPTY, Shown("no worker heartbeat at all"), status, "worker_heartbeat")
    workers = show_count(scene.value("workers"))
    heard = "" if age is None else f", heard {show_duration(age)} ago"
    return Fact(Shown("workers"), Shown(f"{workers}{heard}"), status, "worker_heartbeat")


def _schedule_facts(scene: Scene) -> list[Fact]:
    """The schedules, where there are any to look at: what is overdue, and the nearest there is to cron's last run."""
    if scene.schedules is None or scene.value("overdue_schedules") is None:
        return []
    age = scene.value("cron_age")
    return [
        _fact(scene, "overdue", show_count(scene.value("overdue_schedules")), "oldest_overdue"),
        _fact(scene, "cron's last job", Shown(f"{show_duration(age)} ago" if age is not None else "none seen"), "cron_age"),
    ]


def _fact(scene: Scene, label: str, text: Shown, signal: str) -> Fact:
    return Fact(Shown(label), text, bad(scene.judged(signal)), signal)


def _worst_of(scene: Scene, *names: str) -> Status | None:
    """The worst that the rules say of some signals of any kind."""
    kinds = [kind_of(row) for row in scene.of("kind")]
    return bad(max((scene.judged(name, kind) for name in names for kind in kinds), default=Status.OK))


def _cause(scene: Scene) -> tuple[Shown, ...]:
    """The largest group of failures in full, where failures are why the worst kind is not well and a row has no room for it."""
    if scene.room.zoomed or scene.room.width >= NARROW:
        return ()
    statuses = {row.key: _kind_status(scene, row) for row in scene.of("kind")}
    worst = [row for row in scene.of("kind") if statuses[row.key] == max(statuses.values())]
    ill = {row.key for row in worst if _shows_failures(scene, row, statuses[row.key])}
    groups = [row for row in _groups(scene) if row.parent in ill]
    return (Shown(f"{groups[0].cells['kind']}: {groups[0].cells['signature']}"),) if groups else ()


# --- rows -----------------------------------------------------------------------------------------------------------------


def _top(scene: Scene) -> list[DrawnRow]:
    """The kinds and the overdue schedules, the worst first (of those alike the one with most that is wrong), each with what is
    wrong under it."""
    drawn: list[tuple[Status, float, str, list[DrawnRow]]] = []
    for row in scene.of("kind"):
        of_kind = _kind_status(scene, row)
        wrong = (row.number("stuck") or 0) + (row.number("failed_10m") or 0) if of_kind > Status.OK else 0
        drawn.append((of_kind, wrong, kind_of(row), _kind(scene, row, of_kind)))
    overdue = scene.of("schedule")
    status = scene.judged("oldest_overdue")
    if overdue and (scene.room.zoomed or status > Status.OK):
        drawn.append((status, len(overdue), "", _overdue(scene, overdue, status)))
    ordered = sorted(drawn, key=lambda each: (-each[0], -each[1], each[2]))
    return [row for *_, rows in ordered for row in rows]


def _kind_status(scene: Scene, row: Row) -> Status:
    """What the rules say of a kind: of its own signals, and of those that count it in."""
    kind = kind_of(row)
    found = [scene.judged(name, kind) for name in OF_KIND]
    if row.cells["stuck"]:
        found.append(scene.judged("stuck"))
    if scene.config.is_critical(kind) and row.cells["failed_10m"]:
        found.append(scene.judged("critical_failed_10m"))
    worst = max(found)
    return scene.readings.row_status(scene.queue, worst) if scene.queue else worst


def _kind(scene: Scene, row: Row, status: Status) -> list[DrawnRow]:
    """A kind's line; under it its stuck jobs, and where it is not well its failures."""
    kind = kind_of(row)
    stuck, lately = row.number("stuck") or 0, row.number("failed_10m") or 0
    said = [f"{stuck:.0f} stuck"] if stuck else []
    said += [f"{lately:.0f} failed in 10m"] if lately else []
    oldest, rate = row.number("oldest_due"), row.number("failure_rate")
    of_kind = line(
        row.key,
        status,
        what=Cell(clean(row.cells["kind"], 80), bad(status), order=kind),
        queued=count(row, "queued", max(scene.judged("queued", kind), scene.judged("due", kind))),
        running=count(row, "running", scene.judged("running", kind)),
        rate=Cell(show_ratio(rate), bad(scene.judged("failure_rate", kind)), order=rate),
        age=Cell(show_duration(oldest) if oldest else EMPTY, bad(scene.judged("oldest_due", kind)), order=oldest),
        says=Cell(Shown(" · ".join(said)), dim=status is Status.OK),
        spark=Cell(spark=scene.history.spark(scene.readings.panel, series_key("due", (("kind", kind),)), 10, scene.room.now)),
    )
    children = _some(scene, scene.under(row.key, "stuck"), row.key, "stuck", lambda each: job_line(scene, each, 1))
    if _shows_failures(scene, row, status):
        groups = [each for each in _groups(scene) if each.parent == row.key]
        children += _some(scene, groups, row.key, "signatures", lambda each: group_line(scene, each, 1))
    return [of_kind, *children]


def _shows_failures(scene: Scene, row: Row, status: Status) -> bool:
    """Whether a kind's failures stand under it: where they are why it is not well, unless all failures are listed."""
    kind = kind_of(row)
    why = [scene.judged("failure_rate", kind), scene.judged("failed_10m", kind)]
    if scene.config.is_critical(kind) and row.cells["failed_10m"]:
        why.append(scene.judged("critical_failed_10m"))
    return not scene.room.zoomed and status > Status.OK and max(why) > Status.OK


def _overdue(scene: Scene, rows: list[Row], status: Status) -> list[DrawnRow]:
    """The overdue schedules under a heading, which is no row of a reading."""
    overdue = scene.value("overdue_schedules")
    orphans = scene.value("orphan_schedules")
    said = f"{orphans:.0f} without a job" if orphans else ""
    oldest = scene.value("oldest_overdue")
    above = line(
        "heading:schedules",
        status,
        what=Cell(Shown("overdue schedules"), bad(status), order="schedules"),
        queued=Cell(show_count(overdue), order=overdue),
        age=Cell(show_duration(oldest), order=oldest),
        says=Cell(Shown(said)),
    )
    return [replace(above, heading=True), *_some(scene, rows, "schedules", "overdue", schedule_line)]


def _groups(scene: Scene) -> list[Row]:
    """The groups of failures, the largest first: an order that stays."""
    return sorted(scene.of("failure"), key=lambda row: (-(row.number("jobs") or 0), row.key))


def _some(scene: Scene, rows: Sequence[Row], of: str, what: str, draw: Callable[[Row], DrawnRow]) -> list[DrawnRow]:
    """The first few rows, and how many more there are; zoomed, all."""
    shown = list(rows) if scene.room.zoomed or len(rows) <= CHILDREN + 1 else list(rows[:CHILDREN])
    drawn = [draw(row) for row in shown]
    if more := len(rows) - len(shown):
        drawn.append(line(f"more:{of}:{what}", Status.OK, 1, what=Cell(Shown(f"…{more} more {what}"), dim=True)))
    return drawn


def _fill(scene: Scene, lines: int) -> tuple[list[DrawnRow], Shown]:
    """In the lines that are left: jobs that run long, then the day's failures that are not drawn yet; how many are left out."""
    drawn: list[DrawnRow] = []
    long = [row for row in scene.of("job") if row.cells["why"] == "long"]
    if long and lines > len(drawn) + 1:
        drawn += [heading("long", "running long"), *(job_line(scene, row, 0) for row in long[: lines - 1])]
    drawn_already = {row.key for row in scene.of("kind") if _shows_failures(scene, row, _kind_status(scene, row))}
    groups = [row for row in _groups(scene) if row.parent not in drawn_already]
    shown = groups[: max(0, lines - len(drawn) - 1)]
    if shown:
        drawn += [heading("failures", FAILURES), *(group_line(scene, row, 0, dim=True) for row in shown)]
    if not (left := len(groups) - len(shown)):
        return drawn, EMPTY
    return drawn, Shown(f"…{left} {'more ' if shown else ''}of the failures in 24 h, by what they say")


def _zoomed(scene: Scene) -> list[DrawnRow]:
    """Everything else: failures with their jobs, those that run long, what is due, the newest, the workers."""
    found: list[DrawnRow] = []
    if groups := _groups(scene):
        found.append(heading("failures", FAILURES))
        for group in groups:
            found.append(group_line(scene, group, 0))
            found += [job_line(scene, row, 1) for row in scene.under(group.key, "failed")]
    jobs = scene.of("job")
    for title, whys in (("running", ("long", "running")), ("due", ("due",)), ("newest", ("recent",))):
        if rows := [row for row in jobs if row.cells["why"] in whys]:
            found += [heading(title, title), *(job_line(scene, row, 0) for row in rows)]
    if workers := scene.of("worker"):
        found += [heading("workers", "workers"), *(worker_line(row) for row in workers)]
    return found
