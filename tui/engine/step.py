"""One probe as it stood, and how it got there from the state before: what of a reading changed, and nothing else."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from .reading import Change, Failure, Reading, Row, Signal, Status, Theirs, TheirSilence, Value
from .text import EMPTY, Shown

ProbeKey = tuple[str, str, str]
"""Panel, target, probe."""


class Probed(Struct, frozen=True, omit_defaults=True):
    """One probe as it stood. `good` is its last good reading where that is not `reading`; `trusted` is false while a clock
    had jumped and nothing was measured since; `fresh` is false in a thinned set where it was past its freshness."""

    interval: float
    deadline: float
    reading: Reading | None = None
    good: Reading | None = None
    answered: bool = True
    trusted: bool = True
    slowed: Shown = EMPTY
    fresh: bool = True

    @property
    def last_good(self) -> Reading | None:
        """The reading whose figures stood on screen."""
        return self.reading if self.answered else self.good

    @property
    def status(self) -> Status:
        """How bad its newest reading was; *unknown* where there was none."""
        return self.reading.status if self.reading else Status.UNKNOWN


class Step(Struct, frozen=True, omit_defaults=True):
    """What changed in one probe: `of` is its place in the whole set before. A new `reading` is told by `at`; its `values` are
    by place where the signals are the same ones; `rows` say, by place, which row of before stands there, or give a new one;
    `cells` are changed cells by place."""

    of: int
    at: float | UnsetType = UNSET
    took: float = 0.0
    status: Status | UnsetType = UNSET
    values: dict[int, float | None] = {}
    signals: tuple[Signal, ...] | UnsetType = UNSET
    rows: tuple[int | Row, ...] | UnsetType = UNSET
    cells: dict[int, dict[str, Value]] = {}
    changes: tuple[Change, ...] | UnsetType = UNSET
    error: Failure | UnsetType | None = UNSET
    notes: tuple[Shown, ...] | UnsetType = UNSET
    alerts: tuple[Theirs, ...] | UnsetType = UNSET
    silences: tuple[TheirSilence, ...] | UnsetType = UNSET
    answered: bool = True
    trusted: bool = True
    interval: float | UnsetType = UNSET
    deadline: float | UnsetType = UNSET
    slowed: Shown | UnsetType = UNSET


def step_between(of: int, before: Probed, now: Probed) -> Step:
    """What changed from one state of a probe to the next."""
    changed: dict[str, Any] = {"answered": now.answered, "trusted": now.trusted}
    for name in ("interval", "deadline", "slowed"):
        if getattr(before, name) != getattr(now, name):
            changed[name] = getattr(now, name)
    if now.reading is None or now.reading is before.reading:
        return Step(of, **changed)
    return Step(of, now.reading.at, now.reading.took, **changed, **_reading(before.reading, now.reading))


def _reading(before: Reading | None, now: Reading) -> dict[str, Any]:
    """The fields of a `Step` that tell one reading from the one before."""
    old = before or NO_READING
    changed: dict[str, Any] = {
        name: getattr(now, name)
        for name in ("status", "changes", "error", "notes", "alerts", "silences")
        if getattr(old, name) != getattr(now, name)
    }
    return {**changed, **_signals(old.signals, now.signals), **_rows(old.rows, now.rows)}


NO_READING = Reading("", "", "", 0.0, 0.0, Status.OK)


def _signals(before: tuple[Signal, ...], now: tuple[Signal, ...]) -> dict[str, Any]:
    same = len(before) == len(now) and all(
        old.name == new.name and old.labels == new.labels and old.unit == new.unit for old, new in zip(before, now, strict=True)
    )
    if not same:
        return {"signals": now}
    pairs = enumerate(zip(before, now, strict=True))
    return {"values": {place: new.value for place, (old, new) in pairs if old.value != new.value}}


def _rows(before: tuple[Row, ...], now: tuple[Row, ...]) -> dict[str, Any]:
    """Which rows stand where, and their changed cells; nothing is said of order where it is as it was."""
    places = {row.key: place for place, row in enumerate(before)}
    standing: list[int | Row] = []
    cells: dict[int, dict[str, Value]] = {}
    for place, row in enumerate(now):
        was = places.get(row.key)
        changed = None if was is None else _cells(before[was], row)
        standing.append(row if was is None or changed is None else was)
        if changed:
            cells[place] = changed
    as_before = len(before) == len(now) and all(each == place for place, each in enumerate(standing) if type(each) is int)
    if as_before and all(type(each) is int for each in standing):
        return {"cells": cells} if cells else {}
    return {"rows": tuple(standing), "cells": cells}


def _cells(before: Row, now: Row) -> dict[str, Value] | None:
    """The cells that changed; None where more did, so that the row is written anew."""
    if before is now:
        return {}
    if list(before.cells) != list(now.cells) or before.status != now.status or before.parent != now.parent:
        return None
    if before.group != now.group or before.links != now.links or before.long != now.long:
        return None
    old = before.cells
    return {name: value for name, value in now.cells.items() if value is not old[name] and _differs(old[name], value)}


def _differs(before: Value, now: Value) -> bool:
    """Whether a cell changed; 0 and False are not the same."""
    return before != now or type(before) is not type(now)


def stepped(before: Probed, step: Step, key: ProbeKey) -> Probed:
    """A probe's state after a step."""
    reading = before.reading if step.at is UNSET else _after(before.reading, step, key)
    good = None if step.answered else before.last_good
    return Probed(
        before.interval if step.interval is UNSET else step.interval,
        before.deadline if step.deadline is UNSET else step.deadline,
        reading,
        good,
        step.answered,
        step.trusted,
        before.slowed if step.slowed is UNSET else step.slowed,
    )


def _after(before: Reading | None, step: Step, key: ProbeKey) -> Reading:
    old = before or NO_READING
    assert step.at is not UNSET
    return Reading(
        *key,
        step.at,
        step.took,
        old.status if step.status is UNSET else step.status,
        _signals_after(old.signals, step),
        _rows_after(old.rows, step),
        old.changes if step.changes is UNSET else step.changes,
        old.error if step.error is UNSET else step.error,
        old.notes if step.notes is UNSET else step.notes,
        old.alerts if step.alerts is UNSET else step.alerts,
        old.silences if step.silences is UNSET else step.silences,
    )


def _signals_after(before: tuple[Signal, ...], step: Step) -> tuple[Signal, ...]:
    if step.signals is not UNSET:
        return step.signals
    if not step.values:
        return before
    signals = list(before)
    for place, value in step.values.items():
        old = signals[place]
        signals[place] = Signal(old.name, value, old.unit, old.labels)
    return tuple(signals)


def _rows_after(before: tuple[Row, ...], step: Step) -> tuple[Row, ...]:
    rows = list(before)
    if step.rows is not UNSET:
        rows = [before[each] if isinstance(each, int) else each for each in step.rows]
    elif not step.cells:
        return before
    for place, cells in step.cells.items():
        rows[place] = replace(rows[place], cells={**rows[place].cells, **cells})
    return tuple(rows)
