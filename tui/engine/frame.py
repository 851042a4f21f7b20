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

from .alert import Alert, Fold, by_badness
from .decoding import decoder
from .feed import ProbeState
from .judge import Judgement
from .panel import Judged
from .reading import Reading
from .step import Probed, ProbeKey, Step, stepped
from .text import Shown

VERSION = 1
FoldKept = tuple[str, tuple[str, ...], Shown]
"""A fold's key, the fingerprints of its alerts, and what holds them together."""


NOTHING_SAID = Judgement(0.0)


class Batch(Struct, frozen=True, omit_defaults=True):
    """What changed since the row before. A judged signal or an alert that is None is gone."""

    steps: tuple[Step, ...] = ()
    judged: dict[str, dict[str, Judged | None]] = {}
    alerts: dict[str, Alert | None] = {}
    folds: tuple[FoldKept, ...] | UnsetType = UNSET
    said: Judgement | UnsetType = UNSET


class Whole(Struct, frozen=True, omit_defaults=True):
    """A full set: every probe in the config's order, and what was said of them."""

    probes: tuple[tuple[ProbeKey, Probed], ...] = ()
    judged: dict[str, dict[str, Judged]] = {}
    alerts: dict[str, Alert] = {}
    folds: tuple[FoldKept, ...] = ()
    said: Judgement = NOTHING_SAID
    """What else was said (suspects, changes, silences, clocks): a judgement without signals and alerts."""


class Frame(Struct):
    """Everything as it stood after the rows that were applied."""

    probes: dict[ProbeKey, Probed] = field(default_factory=dict)
    judged: dict[str, dict[str, Judged]] = field(default_factory=dict)
    alerts: dict[str, Alert] = field(default_factory=dict)
    folds: tuple[FoldKept, ...] = ()
    said: Judgement = NOTHING_SAID

    def take(self, row: Whole | Batch) -> list[Reading]:
        """Applies a row; returns the readings that it brought. Raises what a row that does not fit raises (LookupError,
        TypeError)."""
        if isinstance(row, Batch):
            return self._take_batch(row)
        before = self.probes
        self.probes = dict(row.probes)
        self.judged = {panel: dict(judged) for panel, judged in row.judged.items()}
        self.alerts, self.folds, self.said = dict(row.alerts), row.folds, row.said
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
        self.said = self.said if row.said is UNSET else row.said
        return brought

    def whole(self) -> Whole:
        """As a full set."""
        probes = tuple(self.probes.items())
        return Whole(probes, self.judged, self.alerts, self.folds, self.said)

    def states(self, at: float | None = None, shift: float = 0.0) -> dict[str, list[ProbeState]]:
        """Every probe's state, by panel. `good_at` and `read_at` are when its last good and its newest reading were made: UTC
        seconds plus `shift`; given `at`, those that were fresh in a thinned set are fresh at that moment."""
        found: dict[str, list[ProbeState]] = {}
        for (panel, target, probe), each in self.probes.items():
            good = each.last_good
            good_at = None if good is None or not each.trusted else (good.at if at is None else at if each.fresh else None)
            read_at = None if each.reading is None or not each.trusted else each.reading.at if at is None else at
            good_at, read_at = (None if moment is None else moment + shift for moment in (good_at, read_at))
            state = ProbeState(target, probe, each.interval, each.deadline, each.reading, good, good_at, each.slowed, read_at)
            found.setdefault(panel, []).append(state)
        return found

    def judgement(self, at: float) -> Judgement:
        """What was said of it."""
        alerts = tuple(sorted(self.alerts.values(), key=by_badness))
        folds = tuple(fold for each in self.folds if (fold := self._fold(each)).alerts)
        return replace(self.said, at=at, judged=self.judged, alerts=alerts, folds=folds)

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


# --- on disk -------------------------------------------------------------------------------------------------------------

_encoder = msgspec.msgpack.Encoder()
_whole = decoder(Whole)
_batch = decoder(Batch)


def written(row: Whole | Batch) -> bytes:
    """A row as bytes; full sets are packed. Raises msgspec's errors where something in it cannot be encoded."""
    data = encoded(row)
    return zlib.compress(data, 3) if isinstance(row, Whole) else data


def encoded(value: object) -> bytes:
    """As MessagePack; a lone surrogate, which JSON from outside may bring into a key, is written out (`\\ud800`)."""
    try:
        return _encoder.encode(value)
    except UnicodeEncodeError:
        return _encoder.encode(_written_out(msgspec.to_builtins(value, builtin_types=(bytes,))))


def _written_out(value: object) -> object:
    match value:
        case str():
            return value.encode("utf-8", "backslashreplace").decode()
        case dict():
            return {_written_out(key): _written_out(each) for key, each in value.items()}
        case list() | tuple():
            return [_written_out(each) for each in value]
    return value


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
