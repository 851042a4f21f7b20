"""Judging: from every probe's newest state to what the rules, the changes before them and people say of it, at one moment.

A `Judgement` is all that the one who polls decides and the others follow: it is data, and goes through the journal as it is.
`drawn_up` makes the picture of it that screens and commands take.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from .alert import Alert, Fold
from .clock import Clock
from .desk import Desk
from .entries import Said
from .escalation import Duty, Escalation, clocks
from .feed import PanelState, ProbeState
from .folds import carried
from .gate import Gate
from .history import CHANGES_KEPT, History
from .others import rooted, silences_of, status_of_theirs, theirs_now
from .panel import Judged
from .reading import Change, Status, worst
from .rules import RuleBook, worst_judged
from .setup import PanelSetup, Setup
from .silences import Silence
from .suspects import followed_by, suspected_in
from .text import EMPTY, Shown

States = Mapping[str, Sequence[ProbeState]]
"""Every probe's state, by panel, in the config's order."""


class Judgement(Struct, frozen=True):
    """What is said of everything at one moment (`at`, UTC seconds).

    `judged` is what the rules say of each signal, by panel and signal key; `suspected` what followed a change, by its key.
    """

    at: float
    judged: dict[str, dict[str, Judged]] = {}
    alerts: tuple[Alert, ...] = ()
    folds: tuple[Fold, ...] = ()
    suspected: dict[str, Shown] = {}
    changes: tuple[Change, ...] = ()
    silences: tuple[Silence, ...] = ()
    escalations: tuple[Escalation, ...] = ()
    maintenance: dict[str, Shown] = {}
    """By panel: what is said of it while it is under maintenance."""
    watching_since: float = 0.0
    """When this watch began, over all who have polled since; what was so already has no known start."""
    troubles: tuple[Shown, ...] = ()
    """What is wrong with the one who polls, that those who follow must know too (a channel that tells nobody)."""


class Judge:
    """Runs the rules over the newest signals, and asks the desk what people said. `rules`, `history` and `desk` are this
    engine's. `says` is told what the one who polls is to write down by itself."""

    def __init__(
        self, rules: RuleBook, history: History, clock: Clock, desk: Desk | None = None, duty: Duty | None = None
    ) -> None:
        self._rules = rules
        self._history = history
        self._clock = clock
        self._desk = desk or Desk()
        self.duty = duty or Duty()
        self.says: Callable[[Said], None] = lambda said: None
        self.newest = Judgement(clock.utc(), watching_since=clock.utc())

    def timers(self) -> bytes:
        """What the rules must remember where another process goes on judging."""
        return self._rules.state(self._clock.utc())

    def moves(self) -> Sequence[Said]:
        """What has happened to alerts since this was last asked, for the journal: whatever fired, as it is shown. What was only
        pending stands in the readings, and would fill a year's record with what came to nothing."""
        moved = [each for each in self._rules.moves() if each.alert.fired_at is not None]
        if not moved:
            return ()
        shown = {(each.fingerprint, each.state, each.severity): each for each in self.newest.alerts}
        return [
            replace(each, alert=shown.get((each.alert.fingerprint, each.alert.state, each.alert.severity), each.alert))
            for each in moved
        ]

    def restore(self, timers: bytes) -> None:
        """Goes on from what another process remembered, in place of what was measured here before."""
        self._rules.restore(timers, self._clock.utc())

    def judge(self, states: States) -> Judgement:
        """Everything as it stands now; also kept as `newest`."""
        now, monotonic = self._clock.utc(), self._clock.monotonic()
        judged = {name: self._rules.judge(name, probes, now, monotonic) for name, probes in states.items()}
        for mark in self._desk.marks():
            self._history.happened(mark)
        changes = tuple(self._history.changes(CHANGES_KEPT, now))
        before = self.newest.alerts
        ours = carried(rooted(self._rules.alerts(now), states), before)
        theirs = carried(theirs_now(states, before, monotonic, now), before)
        since = self.newest.watching_since
        said, folds = self._desk.dress(ours, theirs, now, since)
        for back in self._desk.coming_back(folds, now):
            self.says(back)
        alerts, folds = suspected_in(said, folds, changes)
        escalations = clocks(alerts, self.duty, self._desk.paged, now)
        self.newest = Judgement(
            now,
            judged,
            alerts,
            folds,
            followed_by(alerts, changes),
            changes,
            (*self._desk.quiet.silences(alerts, now), *silences_of(states, alerts)),
            escalations,
            {panel: says for panel in states if (says := self._desk.quiet.maintenance(panel, now))},
            since,
        )
        return self.newest

    def again(self, states: States) -> Judgement:
        """What was judged last, at this moment, with what was said since: for one who follows another's judgement."""
        now, newest = self._clock.utc(), self.newest
        alerts, folds = self._desk.dress(newest.alerts, (), now, newest.watching_since)
        return replace(
            newest,
            at=now,
            alerts=alerts,
            folds=folds,
            escalations=clocks(alerts, self.duty, self._desk.paged, now),
            silences=(*self._desk.quiet.silences(alerts, now), *silences_of(states, alerts)),
        )


def drawn_up(setup: Setup, states: States, judgement: Judgement, gate: Gate, monotonic: float) -> tuple[PanelState, ...]:
    """Every panel with its probes, what is said of its signals, and the worst of both as its status."""
    return tuple(_panel(panel, states[panel.name], judgement, gate, monotonic) for panel in setup.panels)


def _panel(panel: PanelSetup, probes: Sequence[ProbeState], judgement: Judgement, gate: Gate, monotonic: float) -> PanelState:
    judged = judgement.judged.get(panel.name, {})
    theirs = status_of_theirs(judgement.alerts, panel.name)
    read = worst(each.status(monotonic) for each in probes)
    status = Status.UNKNOWN if panel.broken else max(read, worst_judged(judged), theirs)
    return PanelState(
        panel.name,
        panel.kind,
        status,
        panel.card,
        panel.settings,
        tuple(probes),
        judged,
        gate.offers(panel.name),
        panel.broken,
        judgement.suspected,
        judgement.changes,
        judgement.folds,
        judgement.escalations,
        judgement.silences,
        judgement.maintenance.get(panel.name, EMPTY),
    )
