"""What of a reading may stand on disk: outside text redacted, statements with their literals folded.

The full text lives in memory alone (DESIGN.md, secrets). Texts repeat from poll to poll, so each is looked at once; rows that
are as they were are not looked at again.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from msgspec.structs import replace

from .alert import Alert, Suspect
from .entries import AlertMoved, CameBack, ChangeSeen, Said
from .feed import ProbeState
from .folding import fold_sql
from .judge import Judgement
from .reading import Change, Failure, Link, Reading, Row, Theirs, Value
from .redact import redact
from .secrets import known_values
from .text import CUT, Shown, clean

LONGEST = 4000
"""Characters of a folded statement: it is one line, however many it had."""
CHANGES = 200
"""So many changes stand in a full set, the newest."""
_LARGEST = 2**63
_STATEMENT = re.compile(
    r"\s*(?:select\s|insert\s+into\s|update\s.+?\sset\s|delete\s+from\s|merge\s+into\s|with\s+(?:recursive\s+)?\S+(?:\s*\(.*?\))?"
    r"\s+as\s|call\s+\S+\s*\(|copy\s|execute\s+\S+\s*\(|prepare\s|declare\s|do\s+\$|(?:create|alter)\s+(?:role|user|table|function)\s)",
    re.I | re.S,
)


def kept(reading: Reading, before: tuple[Reading, Reading] | None = None) -> Reading:
    """The reading as it may be written. `before` is the one before it, as it was read and as it was written."""
    return replace(
        reading,
        rows=_rows(reading.rows, before),
        changes=tuple(map(kept_change, reading.changes)) if reading.changes else (),
        error=_failure(reading.error) if reading.error else None,
        notes=tuple(map(kept_text, reading.notes)) if reading.notes else (),
        alerts=tuple(map(_theirs, reading.alerts)) if reading.alerts else (),
        silences=tuple(replace(each, reason=kept_text(each.reason)) for each in reading.silences) if reading.silences else (),
    )


def kept_state(state: ProbeState) -> ProbeState:
    """A probe's state as it may be written: for the processes that follow."""
    reading = kept(state.reading) if state.reading else None
    good = reading if state.good is state.reading else kept(state.good) if state.good else None
    return replace(state, reading=reading, good=good, slowed=kept_text(state.slowed))


def kept_text(text: Shown) -> Shown:
    """One text, redacted."""
    return _kept_text(text, len(known_values))


@lru_cache(maxsize=16384)
def _kept_text(text: Shown, _known: int) -> Shown:
    # How many secrets are known belongs to the question: once another was read, everything is looked at again.
    return Shown(redact(text))


def kept_word(said: Said) -> Said:
    """What the one who polls says by itself, redacted: what was seen has outside text in it. What people said is redacted where
    it comes in."""
    match said:
        case AlertMoved(alert):
            return replace(said, alert=kept_alert(alert))
        case ChangeSeen(_, change):
            return replace(said, change=kept_change(change))
        case CameBack(alerts):
            return replace(said, alerts=tuple((print_, kept_text(why)) for print_, why in alerts))
        case _:
            return said


def kept_alert(alert: Alert) -> Alert:
    """An alert, redacted."""
    return replace(
        alert,
        labels=_labels(alert.labels),
        says=kept_text(alert.says),
        why=kept_text(alert.why),
        link=kept_text(Shown(alert.link)),
        raised_by=kept_text(alert.raised_by),
        suspect=kept_text(alert.suspect),
        silenced=kept_text(alert.silenced),
        silenced_there=kept_text(alert.silenced_there),
        came_back=kept_text(alert.came_back),
        suspects=tuple(map(_suspect, alert.suspects)),
    )


def _suspect(suspect: Suspect) -> Suspect:
    return replace(
        suspect, key=kept_text(Shown(suspect.key)), what=kept_text(suspect.what), evidence=kept_text(suspect.evidence)
    )


def kept_change(change: Change) -> Change:
    """A change, redacted."""
    return replace(change, key=kept_text(Shown(change.key)), title=kept_text(change.title), detail=kept_text(change.detail))


def kept_said(judgement: Judgement) -> Judgement:
    """What else is said at a moment, beside the signals and alerts, redacted."""
    return replace(
        judgement,
        at=0.0,
        judged={},
        alerts=(),
        folds=(),
        suspected={kept_text(Shown(key)): kept_text(each) for key, each in judgement.suspected.items()},
        changes=tuple(map(kept_change, judgement.changes[-CHANGES:])),
        silences=tuple(replace(each, reason=kept_text(each.reason)) for each in judgement.silences),
        maintenance={panel: kept_text(each) for panel, each in judgement.maintenance.items()},
        troubles=tuple(map(kept_text, judgement.troubles)),
    )


def _rows(rows: Sequence[Row], before: tuple[Reading, Reading] | None) -> tuple[Row, ...]:
    """The rows, those that are as they were as they were written."""
    if before is None or len(before[0].rows) != len(before[1].rows):
        return tuple(map(_row, rows))
    known = {raw.key: (raw, written) for raw, written in zip(before[0].rows, before[1].rows, strict=True)}
    found = []
    for row in rows:
        raw, written = known.get(row.key, (None, None))
        found.append(written if written is not None and raw == row else _row(row))
    return tuple(found)


def _row(row: Row) -> Row:
    return Row(
        kept_text(Shown(row.key)),
        {name: value if value.__class__ is float else _value(value) for name, value in row.cells.items()},
        row.status,
        kept_text(Shown(row.parent)) if row.parent is not None else None,
        tuple(Link(kept_text(each.title), kept_text(Shown(each.url))) for each in row.links) if row.links else (),
        {title: _long(title, lines) for title, lines in row.long.items()} if row.long else {},
        row.group,
    )


def _value(value: Value) -> Value:
    if isinstance(value, str):
        return _kept_cell(value, len(known_values))
    if type(value) is int and not -_LARGEST <= value < _LARGEST:
        return float(value)
    return value


@lru_cache(maxsize=16384)
def _kept_cell(text: Shown, _known: int) -> Shown:
    return folded((text,))[0] if _STATEMENT.match(text) else kept_text(text)


def _long(title: str, lines: tuple[Shown, ...]) -> tuple[Shown, ...]:
    """A text of several lines: a statement folded, anything else redacted line by line."""
    if title.endswith(("statement", "query", "sql")) or (lines and _STATEMENT.match(lines[0])):
        return folded(lines)
    return tuple(map(kept_text, lines))


def folded(lines: Sequence[Shown]) -> tuple[Shown, ...]:
    """A statement with its literals as `?`, on one line; it ends where a line was cut: beyond, quotes cannot be told apart."""
    return _folded(tuple(lines), len(known_values))


@lru_cache(maxsize=4096)
def _folded(lines: tuple[Shown, ...], _known: int) -> tuple[Shown, ...]:
    whole: list[str] = []
    for line in lines:
        whole.append(line.removesuffix(CUT))
        if line.endswith(CUT):
            break
    cut = bool(lines) and lines[len(whole) - 1].endswith(CUT)
    # A cut inside a literal leaves its quote open; there `fold_sql` ends the statement by itself, with a mark.
    text = fold_sql("\n".join(whole))
    marked = f"{text} {CUT}" if cut and not text.endswith(CUT) else text
    return (clean(redact(marked), LONGEST),)


def _failure(failure: Failure) -> Failure:
    return replace(failure, says=kept_text(failure.says), hint=kept_text(failure.hint))


def _theirs(alert: Theirs) -> Theirs:
    return replace(
        alert,
        fingerprint=kept_text(Shown(alert.fingerprint)),
        name=kept_text(Shown(alert.name)),
        labels=_labels(alert.labels),
        says=kept_text(alert.says),
        why=kept_text(alert.why),
        link=kept_text(Shown(alert.link)),
        silenced=kept_text(alert.silenced),
    )


def _labels(labels: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple((kept_text(Shown(name)), kept_text(Shown(value))) for name, value in labels)
