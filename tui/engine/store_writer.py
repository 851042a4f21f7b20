"""What the next row of readings says: the difference between what was written last and what there is now.

Remembers both as they were read and as they were written (redacted), so that what did not change costs next to nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from . import series
from .alert import Alert, Fold
from .feed import ProbeState
from .frame import Batch, FoldKept, Frame, Whole
from .judge import Judgement, States
from .kept import kept, kept_alert, kept_said, kept_text
from .reading import Reading
from .series import Points
from .step import Probed, ProbeKey, Step, step_between

MINUTE = 60


class Written(Struct):
    """One probe as it was read and as it was written."""

    state: ProbeState
    probed: Probed


class Next(Struct, frozen=True):
    """A row to write: `panels` are those with new readings, `frame` what is known once it is written, `probes` likewise;
    `flushed` is the minute that is over and its values, by panel."""

    row: Whole | Batch
    panels: frozenset[str]
    frame: Frame
    probes: dict[ProbeKey, Written]
    brought: list[Reading]
    flushed: tuple[int, dict[str, Points]] | None = None


class Differ:
    """Follows what is written. A row counts only when `wrote` says so; the first is a full set."""

    def __init__(self) -> None:
        self._frame: Frame | None = None
        self._probes: dict[ProbeKey, Written] = {}
        self._said = Judgement(0.0)
        self._last = 0.0
        self.minute = 0
        self.points: dict[str, Points] = {}
        """The values of the minute that goes on, by panel."""

    def next(self, states: States, judgement: Judgement, at: float) -> Next | None:
        """The row to write at `at`; None where nothing changed."""
        found = {(panel, each.target, each.probe): each for panel, probes in states.items() for each in probes}
        minute = int(at // MINUTE) * MINUTE
        due = self._frame is None or minute != self.minute or at < self._last or found.keys() != self._probes.keys()
        frame = Frame() if self._frame is None or due else self._frame
        steps: list[Step] = []
        probes: dict[ProbeKey, Written] = {}
        brought: list[Reading] = []
        for place, (key, state) in enumerate(found.items()):
            was = self._probes.get(key)
            if was is not None and was.state is state:
                probes[key] = was
                continue
            before = was.probed if was else Probed(state.interval, state.deadline)
            for now in _stages(state, was):
                if now.reading is not None and now.reading is not before.reading:
                    brought.append(now.reading)
                if not due:
                    steps.append(step_between(place, before, now))
                before = now
            probes[key] = Written(state, before)
        panels = frozenset(each.panel for each in brought)
        if not due:
            batch = Batch(tuple(steps), **self._changed(frame, judgement))
            return None if batch == NOTHING_NEW else Next(batch, panels, frame, probes, brought)
        whole = _whole(probes, judgement)
        frame.take(whole)
        flushed = (self.minute, self.points) if self.minute and minute != self.minute else None
        return Next(whole, panels, frame, probes, brought, flushed)

    def _changed(self, frame: Frame, judgement: Judgement) -> dict[str, Any]:
        """What is said otherwise than before; what is the same object, or equal, is not looked into."""
        said = self._said
        return {
            "judged": {
                panel: changed
                for panel, judged in judgement.judged.items()
                if judged != said.judged.get(panel) and (changed := _table(frame.judged.get(panel, {}), judged))
            },
            "alerts": _alerts_changed(said, judgement, frame.alerts),
            "folds": _unless_same(frame.folds, _folds(judgement.folds)),
            "said": UNSET if _rest(judgement) == _rest(said) else _unless_same(frame.said, kept_said(judgement)),
        }

    def wrote(self, next_: Next, judgement: Judgement, at: float) -> None:
        """The row is on disk."""
        if isinstance(next_.row, Batch):
            _keep_up(next_.frame, next_)
        self._frame, self._probes, self._said, self._last = next_.frame, next_.probes, judgement, at
        if next_.flushed:
            self.points = {}
        self.minute = int(at // MINUTE) * MINUTE
        for reading in next_.brought:
            take(self.points, reading)


NOTHING_NEW = Batch()


def take(points: dict[str, Points], reading: Reading) -> None:
    """A reading's signals, into the values of its minute."""
    panel = points.setdefault(reading.panel, {})
    for each in reading.signals:
        series.add(panel, each.key, reading.at, each.value)


def _keep_up(frame: Frame, next_: Next) -> None:
    """The frame after a batch: its probes are known as they were written, the rest is applied."""
    frame.take(replace(next_.row, steps=()))
    frame.probes = {key: each.probed for key, each in next_.probes.items()}


def _stages(state: ProbeState, was: Written | None) -> list[Probed]:
    """A probe's state as it is written; two where a good reading and a failed one came since the last row."""
    raw, written = (was.state, was.probed) if was else (None, None)
    known = [(raw.reading, written.reading), (raw.good, written.last_good)] if raw and written else []

    def as_written(reading: Reading | None) -> Reading | None:
        if reading is None:
            return None
        same = next((on_disk for seen, on_disk in known if seen is reading), None)
        before = known[0] if known and known[0][0] is not None and known[0][1] is not None else None
        return same or kept(reading, before)  # type: ignore[arg-type]  # both are readings

    trusted = state.good is None or state.good_at is not None
    whole = Probed(state.interval, state.deadline, slowed=kept_text(state.slowed), trusted=trusted)
    reading = as_written(state.reading)
    if state.good is state.reading:
        return [replace(whole, reading=reading)]
    good = as_written(state.good)
    now = replace(whole, reading=reading, good=good, answered=False)
    is_new = good is not None and all(good is not on_disk for _, on_disk in known)
    return [replace(whole, reading=good), now] if is_new else [now]


def _whole(probes: Mapping[ProbeKey, Written], judgement: Judgement) -> Whole:
    return Whole(
        tuple((key, each.probed) for key, each in probes.items()),
        judgement.judged,
        {each.fingerprint: kept_alert(each) for each in judgement.alerts},
        _folds(judgement.folds),
        kept_said(judgement),
    )


def _rest(judgement: Judgement) -> Judgement:
    """What is said beside the signals and alerts."""
    return replace(judgement, at=0.0, judged={}, alerts=(), folds=())


def _folds(folds: Iterable[Fold]) -> tuple[FoldKept, ...]:
    return tuple((each.key, each.fingerprints, kept_text(each.why)) for each in folds if each.alerts)


def _table(before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """Changed entries, and None for those that are gone."""
    gone = {key: None for key in before if key not in now}
    return {**gone, **{key: each for key, each in now.items() if before.get(key) != each}}


def _alerts_changed(said: Judgement, judgement: Judgement, written: Mapping[str, Alert]) -> dict[str, Alert | None]:
    """Alerts that changed in more than their value, which moves with every poll and stands in the readings."""
    if said.alerts == judgement.alerts:
        return {}
    before = {each.fingerprint: each for each in said.alerts}
    changed = {
        each.fingerprint: kept_alert(each)
        for each in judgement.alerts
        if (old := before.get(each.fingerprint)) is None or replace(old, value=each.value) != each
    }
    there = {each.fingerprint for each in judgement.alerts}
    return {**{key: None for key in written if key not in there}, **changed}


def _unless_same(before: Any, now: Any) -> Any | UnsetType:
    return UNSET if before == now else now
