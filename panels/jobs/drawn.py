"""Single lines of the queue's table, and what they are drawn from. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from tui.engine.history import Trends
from tui.engine.layout import Cell, Column, DrawnRow, Room
from tui.engine.panel import Readings
from tui.engine.reading import Reading, Row, Status, series_key
from tui.engine.text import EMPTY, Shown, clean
from tui.engine.units import show_count, show_duration

from . import CARD
from .config import JobsConfig
from .rows import short


class Scene(Struct, frozen=True):
    """What the parts of the picture are drawn from."""

    readings: Readings
    history: Trends
    room: Room
    config: JobsConfig
    rows: tuple[Row, ...]
    queue: Reading | None
    schedules: Reading | None

    def of(self, group: str) -> list[Row]:
        """The rows of one table."""
        return [row for row in self.rows if row.group == group]

    def under(self, parent: str, *whys: str) -> list[Row]:
        """The jobs under one row that are listed for one of some reasons."""
        return [row for row in self.rows if row.group == "job" and row.parent == parent and row.cells["why"] in whys]

    def judged(self, name: str, kind: str | None = None) -> Status:
        """How the rules see a signal."""
        labels = (("kind", kind),) if kind is not None else ()
        return self.readings.judgement(series_key(name, labels)).status

    def value(self, name: str) -> float | None:
        """One of the panel's own signals, of the queue or of the schedules."""
        of_queue = self.queue.value(name) if self.queue else None
        return of_queue if of_queue is not None or not self.schedules else self.schedules.value(name)


def heading(key: str, title: str) -> DrawnRow:
    """A line between two tables, which is no row of a reading."""
    return replace(line(f"heading:{key}", Status.OK, what=Cell(Shown(title), dim=True)), heading=True)


def group_line(scene: Scene, row: Row, depth: int, dim: bool = False) -> DrawnRow:
    """Failures that say the same: how many, what, and when the newest was."""
    jobs, newest = row.number("jobs") or 0, row.number("newest")
    many = f"{'≥ ' if row.cells['at_least'] else ''}{jobs:,.0f}×"
    return line(
        row.key,
        Status.OK,
        depth,
        what=Cell(Shown(f"{many} {row.cells['signature']}"), order=jobs),
        age=Cell(show_duration(newest) if newest is not None else EMPTY, order=newest),
        says=Cell(clean(row.cells["kind"]) if depth == 0 else EMPTY, dim=True),
        dim=dim,
    )


def job_line(scene: Scene, row: Row, depth: int) -> DrawnRow:
    """One job: what is with it, for how long, and who had it."""
    cells = row.cells
    why, worker = str(cells["why"]), cells["worker"]
    word = {"long": "running", "recent": str(cells["status"])}.get(why, why)
    age = row.number({"stuck": "heartbeat", "failed": "ended", "recent": "created"}.get(why, "due_since"))
    status = scene.judged("stuck") if why == "stuck" else Status.OK
    said = [str(worker) if worker else ""]
    if why == "failed" and cells["attempts"] is not None:
        said.append(f"tried {show_count(row.number('attempts'))}×")
    if why == "stuck" and age is None:
        said.append("never heard")
    if depth == 0:
        said.insert(0, str(cells["kind"]))
    return line(
        row.key,
        status,
        depth,
        what=Cell(Shown(f"{short(str(cells['job']))} {word}"), bad(status), order=row.key),
        age=Cell(show_duration(age) if age is not None else EMPTY, order=age),
        says=Cell(Shown(" · ".join(filter(None, said))), dim=True),
    )


def schedule_line(row: Row) -> DrawnRow:
    """An overdue schedule, and whether a job was made from it."""
    overdue = row.number("overdue")
    return line(
        row.key,
        Status.OK,
        1,
        what=Cell(Shown(f"{short(str(row.cells['schedule']))} overdue"), order=row.key),
        age=Cell(show_duration(overdue), order=overdue),
        says=Cell(Shown(str(row.cells["job"])), dim=True),
    )


def worker_line(row: Row) -> DrawnRow:
    """A worker, how much it runs, and when it was last heard."""
    age = row.number("heartbeat")
    return line(
        row.key,
        Status.OK,
        what=Cell(Shown(str(row.cells["worker"])), order=row.key),
        running=count(row, "running", Status.OK),
        age=Cell(show_duration(age), order=age),
        says=Cell(Shown("last heard"), dim=True),
    )


def line(key: str, status: Status, depth: int = 0, *, dim: bool = False, **cells: Cell) -> DrawnRow:
    """A row from cells by column; the others stay empty."""
    return DrawnRow(key, tuple(cells.get(column.name, Cell()) for column in CARD.columns), status, depth, dim)


def narrow(
    columns: tuple[Column, ...], rows: Sequence[DrawnRow], *, saying: bool
) -> tuple[tuple[Column, ...], tuple[DrawnRow, ...]]:
    """The table for little room: what rows say stands behind their names, so that both share the one wide column; with even
    less room (not `saying`) it is left out."""
    kept = [place for place, column in enumerate(columns) if column.name not in ("says", "spark")]
    says = next(place for place, column in enumerate(columns) if column.name == "says")
    drawn = []
    for row in rows:
        name, said = row.cells[0], row.cells[says].text if saying else EMPTY
        first = replace(name, text=Shown(f"{name.text} · {said}")) if said else name
        drawn.append(replace(row, given=(first, *(row.cells[place] for place in kept[1:]))))
    return tuple(columns[place] for place in kept), tuple(drawn)


def count(row: Row, name: str, status: Status) -> Cell:
    """A number of things as a cell, dim where there is none."""
    value = row.number(name)
    return Cell(show_count(value), bad(status), dim=not value, order=value)


def bad(status: Status) -> Status | None:
    """A status to be drawn: well is drawn plain."""
    return None if status is Status.OK else status
