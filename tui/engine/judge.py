"""Judging: from every probe's newest state to what the rules, the changes before them and people say of it, at one moment.

A `Judgement` is all that the one who polls decides and the others follow: it is data, and goes through the journal as it is.
`drawn_up` makes the picture of it that screens and commands take.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from .alert import Alert, Fold, single
from .clock import Clock
from .feed import PanelState, ProbeState
from .gate import Gate
from .history import CHANGES_KEPT, History
from .panel import Judged
from .reading import Change, Status, worst
from .rules import RuleBook, worst_judged
from .setup import PanelSetup, Setup
from .suspects import followed_by, with_suspects
from .text import Shown

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


class Judge:
    """Runs the rules over the newest signals. `rules` and `history` are this engine's."""

    def __init__(self, rules: RuleBook, history: History, clock: Clock) -> None:
        self._rules = rules
        self._history = history
        self._clock = clock
        self.newest = Judgement(clock.utc())

    def judge(self, states: States) -> Judgement:
        """Everything as it stands now; also kept as `newest`."""
        now, monotonic = self._clock.utc(), self._clock.monotonic()
        judged = {name: self._rules.judge(name, probes, now, monotonic) for name, probes in states.items()}
        changes = tuple(self._history.changes(CHANGES_KEPT, now))
        alerts = with_suspects(self._rules.alerts(now), changes)
        self.newest = Judgement(now, judged, alerts, single(alerts), followed_by(alerts, changes), changes)
        return self.newest

    def again(self, states: States) -> Judgement:
        """What was judged last, at this moment: for one who follows another's judgement."""
        return replace(self.newest, at=self._clock.utc())


def drawn_up(setup: Setup, states: States, judgement: Judgement, gate: Gate, monotonic: float) -> tuple[PanelState, ...]:
    """Every panel with its probes, what is said of its signals, and the worst of both as its status."""
    return tuple(_panel(panel, states[panel.name], judgement, gate, monotonic) for panel in setup.panels)


def _panel(panel: PanelSetup, probes: Sequence[ProbeState], judgement: Judgement, gate: Gate, monotonic: float) -> PanelState:
    judged = judgement.judged.get(panel.name, {})
    status = Status.UNKNOWN if panel.broken else max(worst(map(_status(monotonic), probes)), worst_judged(judged))
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
    )


def _status(monotonic: float) -> Callable[[ProbeState], Status]:
    """The status of a probe: its newest reading's, *unknown* past its freshness or before there was one."""

    def status(probe: ProbeState) -> Status:
        if probe.reading is None:
            return Status.UNKNOWN
        if probe.stale(monotonic) and probe.reading.error is None:
            return max(probe.reading.status, Status.UNKNOWN)
        return probe.reading.status

    return status
