"""The desk: what people said of alerts, folded from the journal's entries, and put on the alerts that there are.

    said                 holds until                                    then
    acknowledged         the alert ends, or it is given back            it wants an answer, if it fires
      └ came back        it is acknowledged again                       the one who polls says so, once in 10 min a line,
                                                                        and at once where it is worse than what came back last
    silenced, maintained its time is over (`quiet.py`)                  nobody was told meanwhile; now they are

State follows from the entries alone, in order, so that every dashboard of every host says the same. An acknowledgement belongs
to one life of its alert: one that began later needs its own. Two that poll by different configs may each have an alert of one
fingerprint, and what is said of it is said of both; it ends for each with its own. Nothing here asks, sends or writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import inf

from msgspec import Struct
from msgspec.structs import replace

from .alert import Alert, Fold, Severity, by_badness
from .entries import Acknowledged, AlertMoved, CameBack, Marked, Paged, Unacknowledged
from .escalation import PagedAt
from .folds import folded
from .history import CHANGES_KEPT
from .journal import Entry
from .maintenance import Window
from .quiet import REMEMBERED, Quiet
from .reading import Change
from .text import EMPTY, Shown, clean

AGAIN = 600.0
"""Seconds in which what was acknowledged comes back once at the most, by what is no worse than what it came back by."""
ELSEWHERE = 30.0
"""Seconds by which another host may have seen an alert begin before this one: its acknowledgement holds all the same."""


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


class Back(Struct, frozen=True):
    """When a line came back, and how bad the worst was that brought it back."""

    at: float
    worst: Severity


class Desk:
    """What was said so far. `windows` are the config's maintenance windows."""

    def __init__(self, windows: Sequence[Window] = ()) -> None:
        self.quiet = Quiet(windows)
        self._acks: dict[str, Ack] = {}
        self._opened: dict[str, Opened] = {}
        self._back: dict[str, Back] = {}
        self._paged: dict[str, PagedAt] = {}
        self._unreached: dict[str, PagedAt] = {}
        self._ended: dict[str, tuple[float, float]] = {}
        """When the last life of an alert began and ended, by this host's record."""
        self._marks: dict[str, Change] = {}
        self._word_at: dict[str, float] = {}
        """When the newest word on an alert was said: one that another host sends late is older than it, and changes nothing."""

    def use(self, windows: Sequence[Window]) -> None:
        """The config was read again: its windows."""
        self.quiet.use(windows)

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
                self._ended[alert.fingerprint] = (alert.since, alert.ended or entry.at)
            case Paged(fingerprint, whom, by_itself, reached, says) as said:
                why = EMPTY if reached else clean(says) or Shown("nobody knows why")
                called = PagedAt(entry.at, whom, by_itself, why, said.told, said.missed)
                (self._paged if reached else self._unreached)[fingerprint] = called
            case Marked(change):
                self._marks[change.key] = change
            case _:
                self.quiet.apply(entry)

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
            self._back[print_] = Back(entry.at, said.worst)

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
        maintenance = self.quiet.maintenance(alert.panel, now) if alert.open else EMPTY
        return replace(
            alert,
            acked_by=ack.who if ack else "",
            acked_at=ack.at if ack else None,
            silenced=maintenance or self.quiet.over(alert, now) or alert.silenced_there,
            in_maintenance=bool(maintenance),
            came_back=opened.says if opened and not ack else EMPTY,
            asked_at=self._asked_at(alert, opened, now),
        )

    def _ack(self, alert: Alert) -> Ack | None:
        ack = self._acks.get(alert.fingerprint)
        return ack if ack and ack.holds_for(alert) and not self._of_before(alert, ack.at) else None

    def _opened_since(self, alert: Alert) -> Opened | None:
        opened = self._opened.get(alert.fingerprint)
        if not opened or not alert.open or self._of_before(alert, opened.at):
            return None
        return opened if alert.since <= opened.at + ELSEWHERE else None

    def _of_before(self, alert: Alert, at: float) -> bool:
        """Whether what was said at a moment was of a life that has ended; of one that still goes on it was not."""
        since, ended = self._ended.get(alert.fingerprint, (-inf, -inf))
        return at <= ended and (alert.since >= ended or alert.since == since)

    def _asked_at(self, alert: Alert, opened: Opened | None, now: float) -> float | None:
        """Since when it wants an answer: it fires, lies open again, and nothing keeps it quiet any more."""
        if alert.state != "firing":
            return None
        began = alert.since if alert.fired_at is None else alert.fired_at
        return max(self.quiet.ended(alert, began, now), alert.loud_since or began, opened.at if opened else began)

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
        in ten minutes, unless it is worse than what the line came back by, or the line wants an answer anyway."""
        return tuple(said for fold in folds if (said := self._coming_back(fold, now)))

    def _coming_back(self, fold: Fold, now: float) -> CameBack | None:
        acks = {each.fingerprint: ack for each in fold.alerts if (ack := self._ack(each))}
        if not acks:
            return None
        newest = max(acks.values(), key=lambda ack: ack.at)
        why: list[tuple[Alert, Shown]] = []
        for each in fold.alerts:
            ack = acks.get(each.fingerprint)
            if self._joined(each, newest):
                why.append((each, clean(f"{_called(each)} joined")))
            elif ack and each.state == "firing" and each.severity < ack.severity and not each.silenced:
                why.append((each, clean(f"{_called(each)} rose from {ack.severity} to {each.severity}")))
        if not why:
            return None
        worst = min(each.severity for each, _ in why)
        lately = [back.worst for print_ in fold.fingerprints if (back := self._back.get(print_)) and now - back.at < AGAIN]
        if lately and worst >= min(lately) and not fold.wants_answer:
            return None
        # A line that wants an answer anyway does not come back by what joins it: that counts for nothing.
        said = tuple((each.fingerprint, says) for each, says in why)
        return CameBack(said, () if fold.wants_answer else fold.fingerprints, worst)

    def _forget(self, now: float) -> None:
        """What was said of alerts that ended long ago, what kept them quiet, and marks that nobody is shown any more."""
        self.quiet.forget(now)
        self._marks = {key: each for key, each in self._marks.items() if each.at > now - CHANGES_KEPT}
        for print_, (_, ended) in list(self._ended.items()):
            if ended > now - REMEMBERED:
                continue
            del self._ended[print_]
            for said_of in (self._acks, self._opened, self._paged, self._unreached, self._back):
                if print_ in said_of and said_of[print_].at <= ended:
                    del said_of[print_]
            if self._word_at.get(print_, inf) <= ended:
                del self._word_at[print_]

    # --- what else is asked of it -----------------------------------------------------------------------------------

    def paged(self, alert: Alert) -> PagedAt | None:
        """When and whom somebody was called for this life of the alert, since it wants the answer that it wants now; the last
        call that did not reach anybody counts where none did."""
        since = (alert.asked_at or alert.since) - ELSEWHERE
        calls = (called.get(alert.fingerprint) for called in (self._paged, self._unreached))
        return next((each for each in calls if each and each.at >= since and not self._of_before(alert, each.at)), None)

    def marks(self) -> tuple[Change, ...]:
        """What people and programs said had happened, lately."""
        return tuple(self._marks.values())


def _called(alert: Alert) -> str:
    """An alert's name, with the labels that tell it apart."""
    which = " ".join(value for _, value in alert.labels)
    return f"{alert.rule} {which}" if which and which not in alert.rule and not alert.source else alert.rule
