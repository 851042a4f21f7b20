"""The lives of alerts, from the journal's entries: each time one fired, when it ended, and what people said of it meanwhile.

Several hosts may watch the same: what each saw of one life, a little apart, is one.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

from .alert import Alert
from .entries import Acknowledged, AlertMoved, CalledFalse, Paged, Unacknowledged
from .entry_words import said_by
from .journal import Entry
from .text import EMPTY, Shown, clean

APART = 120.0
"""Seconds by which two hosts may have seen the same alert begin apart."""


class Fired(Struct, frozen=True):
    """One time that an alert fired, over all hosts that saw it. `alert` is as bad as it became; times are UTC seconds."""

    alert: Alert
    began: float
    ended: float | None = None
    """When it was resolved; None while it is not."""
    acked_by: Shown = EMPTY
    acked_at: float | None = None
    holds: bool = False
    """Whether the acknowledgement still stands."""
    false: Shown = EMPTY
    """Why a person called it false."""
    paged: tuple[Shown, ...] = ()


class _Life(Struct):
    """One life while it is read: what is known of it, and the hosts that saw it fire."""

    fired: Fired
    seen_by: set[str | None]


def lives(entries: Iterable[Entry]) -> list[Fired]:
    """Every time an alert fired, in the order in which they began; the entries by their time."""
    found: list[_Life] = []
    newest: dict[str, _Life] = {}
    early: dict[str, Entry] = {}
    for entry in entries:
        _note_early(early, entry)
        match entry.said:
            case AlertMoved(alert=alert) if alert.state == "firing":
                life = _fires(newest.get(alert.fingerprint), alert, entry)
                if life is not None:
                    life.fired = _taken_on_early(life.fired, early.get(alert.fingerprint))
                    newest[alert.fingerprint] = life
                    found.append(life)
            case AlertMoved(alert=alert) if alert.state == "resolved" and alert.fingerprint in newest:
                _ends(newest[alert.fingerprint], alert, entry.at)
            case said:
                for life in (newest[each] for each in _about(said) if each in newest):
                    life.fired = _with_word(life.fired, said, entry)
    return sorted((life.fired for life in found), key=lambda each: each.began)


def _fires(life: _Life | None, alert: Alert, entry: Entry) -> _Life | None:
    """A new life; None where it is of the one that is known: another host's sight of it, or another severity."""
    began = alert.fired_at if alert.fired_at is not None else entry.at
    if life is None:
        return _Life(Fired(alert, began), {entry.origin})
    known = life.fired
    near = abs(began - known.began) < APART
    if (known.ended is None and (near or entry.origin not in life.seen_by)) or (near and entry.origin not in life.seen_by):
        life.seen_by.add(entry.origin)
        life.fired = replace(
            known, alert=min(known.alert, alert, key=lambda each: each.severity), began=min(known.began, began)
        )
        return None
    if known.ended is None:
        life.fired = replace(known, ended=began, holds=False)  # nobody watched when it ended; by now it has
    return _Life(Fired(alert, began), {entry.origin})


def _note_early(early: dict[str, Entry], entry: Entry) -> None:
    """Remembers the last acknowledgement of each alert: it may be said while the alert is pending."""
    match entry.said:
        case Acknowledged(alerts=alerts):
            early.update({fingerprint: entry for fingerprint, _ in alerts})
        case Unacknowledged(fingerprints=fingerprints):
            for each in fingerprints:
                early.pop(each, None)


def _taken_on_early(fired: Fired, entry: Entry | None) -> Fired:
    """With what was said of the alert since it was pending; an older word is of a life before."""
    if entry is None or entry.at < fired.alert.since:
        return fired
    return replace(fired, acked_by=said_by(entry), acked_at=max(entry.at, fired.began), holds=True)


def _ends(life: _Life, alert: Alert, at: float) -> None:
    """The end of a life: the last one that a host saw."""
    ended = alert.ended if alert.ended is not None else at
    if ended >= life.fired.began:
        life.fired = replace(life.fired, ended=max(ended, life.fired.ended or ended), holds=False)


def _about(said: object) -> tuple[str, ...]:
    match said:
        case Acknowledged(alerts=alerts):
            return tuple(fingerprint for fingerprint, _ in alerts)
        case Unacknowledged(fingerprints=fingerprints):
            return fingerprints
        case CalledFalse(fingerprint=fingerprint) | Paged(fingerprint=fingerprint):
            return (fingerprint,)
        case _:
            return ()


def _with_word(fired: Fired, said: object, entry: Entry) -> Fired:
    """What a person said of an alert, on its newest life. The acknowledgement that holds is the first one since it was given
    back; one that was said of what had ended is of no life."""
    match said:
        case Acknowledged() if fired.ended is None and not fired.holds:
            return replace(fired, acked_by=said_by(entry), acked_at=entry.at, holds=True)
        case Unacknowledged() if fired.ended is None:
            return replace(fired, acked_by=EMPTY, acked_at=None, holds=False)
        case CalledFalse(why=why):
            return replace(fired, false=clean(why) or Shown("no reason given"))
        case Paged(whom=whom):
            called = clean(f"{whom} ({said.misses})" if said.misses else whom)
            return replace(fired, paged=tuple(dict.fromkeys((*fired.paged, called))))
        case _:
            return fired
