"""Everything there was to see at one moment, and how it differs from the moment before: the journal's rows of readings.

A `Whole` is a full set, written each minute; a `Batch` what changed since the row before it. `Frame` is what they add up to.
Both are versioned models: `VERSION` stands beside each row, and `read` brings older ones up to it.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType, field
from msgspec.structs import replace

from .alert import Alert, Fold
from .feed import ProbeState
from .judge import Judgement
from .panel import Judged
from .reading import Change, Failure, Reading, Row, Signal, Status, Theirs, Value
from .text import EMPTY, Shown

VERSION = 1
ProbeKey = tuple[str, str, str]
"""Panel, target, probe."""
FoldKept = tuple[str, tuple[str, ...], Shown]
"""A fold's key, the fingerprints of its alerts, and what holds them together."""


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
    answered: bool = True
    trusted: bool = True
    interval: float | UnsetType = UNSET
    deadline: float | UnsetType = UNSET
    slowed: Shown | UnsetType = UNSET


class Batch(Struct, frozen=True, omit_defaults=True):
    """What changed since the row before. A judged signal or an alert that is None is gone."""

    steps: tuple[Step, ...] = ()
    judged: dict[str, dict[str, Judged | None]] = {}
    alerts: dict[str, Alert | None] = {}
    folds: tuple[FoldKept, ...] | UnsetType = UNSET
    suspected: dict[str, Shown] | UnsetType = UNSET
    changes: tuple[Change, ...] | UnsetType = UNSET


class Whole(Struct, frozen=True, omit_defaults=True):
    """A full set: every probe in the config's order, and what was said of them."""

    probes: tuple[tuple[ProbeKey, Probed], ...] = ()
    judged: dict[str, dict[str, Judged]] = {}
    alerts: dict[str, Alert] = {}
    folds: tuple[FoldKept, ...] = ()
    suspected: dict[str, Shown] = {}
    changes: tuple[Change, ...] = ()


class Frame(Struct):
    """Everything as it stood after the rows that were applied."""

    probes: dict[ProbeKey, Probed] = field(default_factory=dict)
    judged: dict[str, dict[str, Judged]] = field(default_factory=dict)
    alerts: dict[str, Alert] = field(default_factory=dict)
    folds: tuple[FoldKept, ...] = ()
    suspected: dict[str, Shown] = field(default_factory=dict)
    changes: tuple[Change, ...] = ()

    def take(self, row: Whole | Batch) -> list[Reading]:
        """Applies a row; returns the readings that it brought. Raises what a row that does not fit raises (LookupError,
        TypeError)."""
        if isinstance(row, Batch):
            return self._take_batch(row)
        before = self.probes
        self.probes = dict(row.probes)
        self.judged = {panel: dict(judged) for panel, judged in row.judged.items()}
        self.alerts, self.folds = dict(row.alerts), row.folds
        self.suspected, self.changes = row.suspected, row.changes
        return list(_new(before, self.probes.items()))

    def _take_batch(self, row: Batch) -> list[Reading]:
        keys = list(self.probes)
        brought = []
        for step in row.steps:
            probed = stepped(self.probes[keys[step.of]], step, keys[step.of])
            self.probes[keys[step.of]] = probed
            if step.at is not UNSET and probed.reading is not None:
                brought.append(probed.reading)
        for panel, judged in row.judged.items():
            _update(self.judged.setdefault(panel, {}), judged)
        _update(self.alerts, row.alerts)
        self.folds = self.folds if row.folds is UNSET else row.folds
        self.suspected = self.suspected if row.suspected is UNSET else row.suspected
        self.changes = self.changes if row.changes is UNSET else row.changes
        return brought

    def whole(self) -> Whole:
        """As a full set."""
        probes = tuple(self.probes.items())
        return Whole(probes, self.judged, self.alerts, self.folds, self.suspected, self.changes)

    def states(self, at: float | None = None, shift: float = 0.0) -> dict[str, list[ProbeState]]:
        """Every probe's state, by panel. `good_at` is when its last good reading was made, in UTC seconds plus `shift`; given
        `at`, those that were fresh in a thinned set are fresh at that moment."""
        found: dict[str, list[ProbeState]] = {}
        for (panel, target, probe), each in self.probes.items():
            good = each.last_good
            good_at = None if good is None or not each.trusted else (good.at if at is None else at if each.fresh else None)
            moment = None if good_at is None else good_at + shift
            state = ProbeState(target, probe, each.interval, each.deadline, each.reading, good, moment, each.slowed)
            found.setdefault(panel, []).append(state)
        return found

    def judgement(self, at: float) -> Judgement:
        """What was said of it."""
        alerts = tuple(self.alerts.values())
        folds = tuple(fold for each in self.folds if (fold := self._fold(each)).alerts)
        return Judgement(at, self.judged, alerts, folds, self.suspected, self.changes)

    def _fold(self, kept: FoldKept) -> Fold:
        key, fingerprints, why = kept
        return Fold(key, tuple(self.alerts[each] for each in fingerprints if each in self.alerts), why)


def _new(before: Mapping[ProbeKey, Probed], now: Iterable[tuple[ProbeKey, Probed]]) -> Iterator[Reading]:
    """The readings of a full set that the rows before it had not brought."""
    for key, probed in now:
        known = before[key].reading if key in before else None
        if probed.reading is not None and (known is None or known.at != probed.reading.at):
            yield probed.reading


def _update(table: dict[str, Any], changed: Mapping[str, Any]) -> None:
    """Takes changed entries; None takes one away."""
    for key, value in changed.items():
        if value is None:
            table.pop(key, None)
        else:
            table[key] = value


# --- one probe's difference ------------------------------------------------------------------------------------------


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
        for name in ("status", "changes", "error", "notes", "alerts")
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
    if before.cells.keys() != now.cells.keys() or before.status != now.status or before.parent != now.parent:
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


# --- on disk -------------------------------------------------------------------------------------------------------------

_encoder = msgspec.msgpack.Encoder()
_whole = msgspec.msgpack.Decoder(Whole)
_batch = msgspec.msgpack.Decoder(Batch)


def written(row: Whole | Batch) -> bytes:
    """A row as bytes; full sets are packed. Raises msgspec's and Unicode errors where something in it cannot be encoded."""
    data = _encoder.encode(row)
    return zlib.compress(data, 3) if isinstance(row, Whole) else data


class Unreadable(Exception):
    """A row on disk does not say anything: it is damaged, or of a newer version."""


def read(version: int, whole: bool, data: bytes) -> Whole | Batch:
    """A row from its bytes. Raises Unreadable."""
    if version != VERSION:
        raise Unreadable(f"version {version}")
    try:
        return _whole.decode(zlib.decompress(data)) if whole else _batch.decode(data)
    except (msgspec.MsgspecError, zlib.error, UnicodeDecodeError) as error:
        raise Unreadable(str(error)) from error
