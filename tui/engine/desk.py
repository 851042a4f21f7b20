"""The desk: what people said of alerts, folded from the journal's entries, and put on the alerts that there are.

    said                 holds until                                    then
    acknowledged         the alert ends, or it is given back            it wants an answer, if it fires
      └ came back        it is acknowledged again                       the one who polls says so, once in 10 min a line
    silenced             its time is over, or it is ended               nobody was told meanwhile; now they are
    maintained           likewise; the config's windows too

State follows from the entries alone, in order, so that every dashboard of every host says the same. An acknowledgement belongs
to one life of its alert: one that began later needs its own. Nothing here asks, sends or writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import inf

from msgspec import Struct
from msgspec.structs import replace

from .alert import Alert, Fold, Severity, by_badness
from .clock import clock_time
from .entries import (
    Acknowledged,
    AlertMoved,
    CameBack,
    Maintained,
    Marked,
    Paged,
    Silenced,
    SilenceEnded,
    Unacknowledged,
)
from .escalation import PagedAt
from .folds import folded
from .journal import Entry
from .maintenance import Window, in_force
from .reading import Change
from .silences import Silence, matches
from .text import EMPTY, Shown, clean

AGAIN = 600.0
"""Seconds in which what was acknowledged comes back once at the most."""
ELSEWHERE = 30.0
"""Seconds by which another host may have seen an alert begin before this one: its acknowledgement holds all the same."""
REMEMBERED = 86400.0
"""Seconds for which a silence that is over is remembered, for when an alert began to want an answer."""


class Ack(Struct, frozen=True):
    """Who took an alert on, when, and how bad it was. `lenience` is in seconds, for one of another host."""

    who: Shown
    at: float
    severity: Severity
    lenience: float = 0.0

    def holds_for(self, alert: Alert) -> bool:
        """Whether it was said of this life of the alert."""
        return alert.open and alert.since <= self.at + self.lenience


class Opened(Struct, frozen=True):
    """That an alert lies open again, since when and why: nobody else's acknowledgement covers it."""

    at: float
    says: Shown


class Hush(Struct, frozen=True):
    """A silence as it was said; `until` is its end, also where it was ended early."""

    said: Silenced
    who: Shown
    at: float
    until: float


class Desk:
    """What was said so far. `windows` are the config's maintenance windows."""

    def __init__(self, windows: Sequence[Window] = ()) -> None:
        self._windows = tuple(windows)
        self._acks: dict[str, Ack] = {}
        self._opened: dict[str, Opened] = {}
        self._back_at: dict[str, float] = {}
        self._hushes: dict[str, Hush] = {}
        self._maintained: dict[str, Window] = {}
        self._paged: dict[str, PagedAt] = {}
        self._unreached: dict[str, PagedAt] = {}
        self._marks: dict[str, Change] = {}
        self._word_at: dict[str, float] = {}
        """When the newest word on an alert was said: one that another host sends late is older than it, and changes nothing."""

    def use(self, windows: Sequence[Window]) -> None:
        """The config was read again: its windows."""
        self._windows = tuple(windows)

    # --- what is said -----------------------------------------------------------------------------------------------

    def apply(self, entry: Entry) -> None:
        """Takes one entry of the journal; in the order in which they were written. What says nothing of alerts is passed by."""
        lenience = 0.0 if entry.origin is None else ELSEWHERE
        match entry.said:
            case Acknowledged(alerts):
                severities = dict(alerts)
                for print_ in self._newest(severities, entry):
                    severity = severities[print_]
                    self._acks[print_] = Ack(entry.who, entry.at, severity, lenience)
                    self._opened.pop(print_, None)
            case Unacknowledged(fingerprints):
                self._give_back(fingerprints, entry)
            case CameBack() as said:
                self._come_back(said, entry)
            case AlertMoved(alert) if not alert.open and entry.origin is None:
                for said_of in (self._acks, self._opened, self._paged, self._unreached, self._word_at):
                    said_of.pop(alert.fingerprint, None)
            case Silenced() as said:
                self._hushes[said.id] = Hush(said, entry.who, entry.at, said.until)
            case Maintained(id_, panels, since, until, reason):
                self._maintained[id_] = Window(panels, since, until, None, clean(reason), entry.who, id_)
            case SilenceEnded(id_):
                self._end(id_, entry.at)
            case Paged(fingerprint, whom, by_itself, reached, says):
                why = EMPTY if reached else clean(says) or Shown("nobody knows why")
                (self._paged if reached else self._unreached)[fingerprint] = PagedAt(entry.at, whom, by_itself, why)
            case Marked(change):
                self._marks[change.key] = change

    def _newest(self, fingerprints: Iterable[str], entry: Entry) -> list[str]:
        """Those alerts on which this is the newest word. One that another host sends long after it was said, because it was
        cut off, does not undo what was said since; clocks may differ by `ELSEWHERE`, and what is said here always counts."""
        here = entry.origin is None
        found = [each for each in fingerprints if here or entry.at + ELSEWHERE >= self._word_at.get(each, -inf)]
        self._word_at.update({each: max(entry.at, self._word_at.get(each, -inf)) for each in found})
        return found

    def _give_back(self, fingerprints: Iterable[str], entry: Entry) -> None:
        for print_ in self._newest(fingerprints, entry):
            self._acks.pop(print_, None)
            self._opened[print_] = Opened(entry.at, clean(f"given back by {entry.who}"))

    def _come_back(self, said: CameBack, entry: Entry) -> None:
        whys = dict(said.alerts)
        for print_ in self._newest(whys, entry):
            self._acks.pop(print_, None)
            self._opened[print_] = Opened(entry.at, clean(whys[print_]))
        for print_ in said.fold:
            self._back_at[print_] = entry.at

    def _end(self, id_: str, at: float) -> None:
        if hush := self._hushes.get(id_):
            self._hushes[id_] = replace(hush, until=min(hush.until, at))
        if window := self._maintained.get(id_):
            self._maintained[id_] = replace(window, until=min(window.until, at))

    # --- what follows from it ---------------------------------------------------------------------------------------

    def dress(
        self, alerts: Iterable[Alert], theirs: Iterable[Alert], now: float, watching_since: float = -inf
    ) -> tuple[tuple[Alert, ...], tuple[Fold, ...]]:
        """Our alerts and other systems' with what people said of them, in the order in which they are listed; and as lines.
        `watching_since` is when this watch began (UTC seconds). What was dressed before may be dressed again."""
        self._forget(now)
        said = sorted((self._dressed(each, now) for each in (*alerts, *theirs)), key=by_badness)
        folds = tuple(self._covered(fold) for fold in folded(said, watching_since))
        by_print = {each.fingerprint: each for fold in folds for each in fold.alerts}
        return tuple(by_print[each.fingerprint] for each in said), folds

    def _dressed(self, alert: Alert, now: float) -> Alert:
        """One alert with what was said of itself."""
        ack, opened = self._ack(alert), self._opened_since(alert)
        hush = self._hush(alert, now)
        window = in_force(self._all_windows(), alert.panel, now) if alert.open else None
        silenced = alert.silenced_there
        if hush:
            silenced = clean(f"by {hush.who} until {clock_time(hush.until)}: {hush.said.reason}")
        if window:
            silenced = _maintenance(window[0], window[1])
        return replace(
            alert,
            acked_by=ack.who if ack else "",
            acked_at=ack.at if ack else None,
            silenced=silenced,
            in_maintenance=window is not None,
            came_back=opened.says if opened and not ack else EMPTY,
            asked_at=self._asked_at(alert, opened, now),
        )

    def _ack(self, alert: Alert) -> Ack | None:
        ack = self._acks.get(alert.fingerprint)
        return ack if ack and ack.holds_for(alert) else None

    def _opened_since(self, alert: Alert) -> Opened | None:
        opened = self._opened.get(alert.fingerprint)
        return opened if opened and alert.open and alert.since <= opened.at + ELSEWHERE else None

    def _asked_at(self, alert: Alert, opened: Opened | None, now: float) -> float | None:
        """Since when it wants an answer: it fires, lies open again, and nothing keeps it quiet any more."""
        if alert.state != "firing":
            return None
        began = alert.since if alert.fired_at is None else alert.fired_at
        ours = [each for each in self._hushes.values() if not each.said.at]
        quiet = [each.until for each in ours if began < each.until <= now and matches(each.said.matchers, alert)]
        quiet += [each.until for each in self._maintained.values() if began < each.until <= now and each.covers(alert.panel)]
        return max([began, *quiet, *([opened.at] if opened else [])])

    def _covered(self, fold: Fold) -> Fold:
        """A line of which some is acknowledged: what joined since rides on that until the line comes back (`coming_back`)."""
        acks = [ack for each in fold.alerts if (ack := self._ack(each))]
        newest = max(acks, key=lambda ack: ack.at, default=None)
        alerts = fold.alerts
        if newest:
            who, at = newest.who, newest.at
            alerts = tuple(replace(each, acked_by=who, acked_at=at) if self._joined(each, newest) else each for each in alerts)
        back = dict.fromkeys(each.came_back for each in alerts if each.came_back and each.wants_answer)
        return replace(fold, alerts=alerts, joined=clean(" · ".join(back)))

    def _joined(self, alert: Alert, newest: Ack) -> bool:
        """Whether an alert fired after its line was acknowledged, and nobody said anything of it since."""
        fired = alert.state == "firing" and (alert.fired_at or alert.since) > newest.at
        return fired and not alert.silenced and self._ack(alert) is None and self._opened_since(alert) is None

    def coming_back(self, folds: Iterable[Fold], now: float) -> tuple[CameBack, ...]:
        """What the one who polls is to say now: of each line, what rose above what was acknowledged or joined it since; once
        in ten minutes, unless the line wants an answer anyway."""
        return tuple(said for fold in folds if (said := self._coming_back(fold, now)))

    def _coming_back(self, fold: Fold, now: float) -> CameBack | None:
        acks = {each.fingerprint: ack for each in fold.alerts if (ack := self._ack(each))}
        if not acks:
            return None
        newest = max(acks.values(), key=lambda ack: ack.at)
        why: list[tuple[str, Shown]] = []
        for each in fold.alerts:
            ack = acks.get(each.fingerprint)
            if self._joined(each, newest):
                why.append((each.fingerprint, clean(f"{_called(each)} joined")))
            elif ack and each.state == "firing" and each.severity < ack.severity and not each.silenced:
                why.append((each.fingerprint, clean(f"{_called(each)} rose from {ack.severity} to {each.severity}")))
        last = max((self._back_at.get(print_, -inf) for print_ in fold.fingerprints), default=-inf)
        if not why or (now - last < AGAIN and not fold.wants_answer):
            return None
        # A line that wants an answer anyway does not come back by what joins it: that counts for nothing.
        return CameBack(tuple(why), () if fold.wants_answer else fold.fingerprints)

    def _hush(self, alert: Alert, now: float) -> Hush | None:
        """Our silence that covers the alert now and lasts longest. One that Alertmanager holds shows with its alerts there."""
        found = [
            each
            for each in self._hushes.values()
            if alert.open and not each.said.at and each.at <= now < each.until and matches(each.said.matchers, alert)
        ]
        return max(found, key=lambda each: each.until, default=None)

    def _all_windows(self) -> tuple[Window, ...]:
        return (*self._windows, *self._maintained.values())

    def _forget(self, now: float) -> None:
        """Silences that were over long ago."""
        self._hushes = {key: each for key, each in self._hushes.items() if each.until > now - REMEMBERED}
        self._maintained = {key: each for key, each in self._maintained.items() if each.until > now - REMEMBERED}

    # --- what else is asked of it -----------------------------------------------------------------------------------

    def silences(self, alerts: Iterable[Alert], now: float) -> tuple[Silence, ...]:
        """Our silences and windows in force, the newest first, each with what it keeps quiet."""
        alerts = [each for each in alerts if each.open]
        found = [
            Silence(
                *(key, "silence", each.at, each.until, each.who, clean(each.said.reason), each.said.matchers),
                hides=tuple(alert.fingerprint for alert in alerts if matches(each.said.matchers, alert)),
            )
            for key, each in self._hushes.items()
            if not each.said.at and each.at <= now < each.until
        ]
        for window in self._all_windows():
            if span := window.now(now):
                found.append(
                    Silence(
                        *(window.id, "maintenance", *span, window.who, window.reason),
                        panels=window.panels,
                        hides=tuple(alert.fingerprint for alert in alerts if window.covers(alert.panel)),
                        from_config=not window.id,
                    )
                )
        return tuple(sorted(found, key=lambda each: (-each.since, each.id)))

    def maintenance(self, panel: str, now: float) -> Shown:
        """What to say of a panel that is under maintenance; empty where it is not."""
        found = in_force(self._all_windows(), panel, now)
        return _maintenance(*found) if found else EMPTY

    def paged(self, alert: Alert) -> PagedAt | None:
        """When and whom somebody was called for this life of the alert, since it wants the answer that it wants now; the last
        call that did not reach anybody counts where none did."""
        since = (alert.asked_at or alert.since) - ELSEWHERE
        calls = (called.get(alert.fingerprint) for called in (self._paged, self._unreached))
        return next((each for each in calls if each and each.at >= since), None)

    def marks(self) -> tuple[Change, ...]:
        """What people and programs said had happened."""
        return tuple(self._marks.values())


def _maintenance(window: Window, span: tuple[float, float]) -> Shown:
    return clean(f"maintenance until {clock_time(span[1])}{f': {window.reason}' if window.reason else ''}")


def _called(alert: Alert) -> str:
    """An alert's name, with the labels that tell it apart."""
    which = " ".join(value for _, value in alert.labels)
    return f"{alert.rule} {which}" if which and which not in alert.rule and not alert.source else alert.rule
