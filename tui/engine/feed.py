"""The one door between the engine's thread and whoever looks: a screen, `check`, `act`.

Out: `newest()`, a frozen snapshot of everything, and one wake-up call while nobody has fetched it: never a queue of them.
In: `ask(...)`, which answers with a future. Nothing else crosses.
"""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Future
from enum import StrEnum
from typing import Any, Literal

from msgspec import Struct, field
from msgspec.structs import replace

from .actions import Outcome, Plan, Proof
from .alert import Alert, Fold
from .ask import Ask
from .escalation import Escalation
from .history import History
from .panel import Card, Judged, Readings
from .reading import Change, Reading, Status
from .silences import Silence
from .text import EMPTY, Shown


class Level(StrEnum):
    """What may leave this process: nothing, what tells, or what acts. The top line shows it; no flag raises it."""

    WATCH = "watch"
    RESPOND = "respond"
    ARMED = "armed"


class ProbeState(Struct, frozen=True):
    """One probe of one target: its newest reading, its last good one, and how fresh they are.

    `good_at` and `read_at` are when the good and the newest reading stood, in monotonic seconds, None before there is one and
    after a clock has jumped; `fresh_for` how long a reading counts (twice the interval in force plus the deadline); `slowed`
    says, in words, why it is polled less often than configured.
    """

    target: str
    probe: str
    interval: float
    deadline: float
    reading: Reading | None = None
    good: Reading | None = None
    good_at: float | None = None
    slowed: Shown = EMPTY
    read_at: float | None = None

    @property
    def fresh_for(self) -> float:
        """Seconds for which a reading counts as current."""
        return 2 * self.interval + self.deadline

    def age(self, monotonic: float) -> float | None:
        """Seconds since the last good reading; None where there was none."""
        return None if self.good_at is None else max(0.0, monotonic - self.good_at)

    def stale(self, monotonic: float) -> bool:
        """Whether the last good reading is past its freshness, or there is none."""
        age = self.age(monotonic)
        return age is None or age > self.fresh_for

    def unheard(self, monotonic: float) -> bool:
        """Whether even the newest reading, a failed one too, is past its freshness, or there is none."""
        return self.read_at is None or monotonic - self.read_at > self.fresh_for

    def status(self, monotonic: float) -> Status:
        """How it stands at a moment: as its newest reading says, *unknown* past its freshness or before there was one."""
        if self.reading is None:
            return Status.UNKNOWN
        old = self.stale(monotonic) if self.reading.error is None else self.unheard(monotonic)
        return max(self.reading.status, Status.UNKNOWN) if old else self.reading.status


class Offer(Struct, frozen=True):
    """A remedy that a panel's rows have, as the screen needs it: its key, and why the gate would refuse it now (empty where
    it would not)."""

    action: str
    """`database.terminate`."""
    key: str
    title: Shown
    help: Shown
    effect: str
    bulk: bool
    needs_row: bool
    refused: Shown = EMPTY


class PanelState(Struct, frozen=True):
    """One panel as it stands. `broken` says why its package could not be loaded; then there is no card."""

    name: str
    kind: str
    status: Status
    card: Card | None
    settings: Any
    probes: tuple[ProbeState, ...] = ()
    judged: Mapping[str, Judged] = field(default_factory=dict)
    offers: tuple[Offer, ...] = ()
    broken: Shown = EMPTY
    suspected: Mapping[str, Shown] = field(default_factory=dict)
    changes: tuple[Change, ...] = ()
    folds: tuple[Fold, ...] = ()
    escalations: tuple[Escalation, ...] = ()
    silences: tuple[Silence, ...] = ()
    maintenance: Shown = EMPTY
    """What is said of the panel while it is under maintenance (`maintenance until 04:00:00Z: backups`)."""

    @property
    def counts(self) -> bool:
        """Whether it is counted among those that stand so or so: a list of everybody's alerts would count them twice, but where
        its own source does not answer."""
        return self.card is None or not self.card.lists_alerts or self.status >= Status.UNKNOWN

    def readings(self, monotonic: float) -> Readings:
        """What the panel's view is given: the last good readings, the failed ones where there was never a good one."""
        by_probe: dict[str, list[Reading]] = {}
        stale = set()
        for each in self.probes:
            shown = each.good or each.reading
            if shown is not None:
                by_probe.setdefault(each.probe, []).append(shown)
            if each.stale(monotonic):
                stale.add((each.target, each.probe))
        return Readings(
            self.name,
            self.settings,
            {probe: tuple(readings) for probe, readings in by_probe.items()},
            self.judged,
            frozenset(stale),
            self.suspected,
            self.changes,
            self.folds,
            self.escalations,
            self.silences,
            self.maintenance,
        )

    def aged(self, monotonic: float) -> PanelState:
        """The panel at a later moment at which nothing new has come: what is past its freshness by then is *unknown*. The same
        one where nothing is."""
        status = max((each.status(monotonic) for each in self.probes), default=self.status)
        return replace(self, status=status) if status > self.status else self

    @property
    def failures(self) -> tuple[Reading, ...]:
        """The newest readings that have no answer."""
        return tuple(each.reading for each in self.probes if each.reading and each.reading.error)


class Deed(Struct, frozen=True):
    """An action under way or just ended, for the screen: its plan, what has become of each item, and the proof.

    `ended` is UTC seconds when nothing more will come of it.
    """

    id: str
    plan: Plan
    began: float
    outcomes: tuple[tuple[str, Outcome], ...] = ()
    proofs: tuple[tuple[str, Proof], ...] = ()
    ended: float | None = None


class OpenIntent(Struct, frozen=True):
    """A deed of an earlier run whose outcome was never recorded: it may have happened."""

    id: str
    at: float
    who: Shown
    action: str
    what: Shown


class Seat(Struct, frozen=True):
    """Who polls for this screen: one poller a host, over all its dashboards (`lease.py`)."""

    role: Literal["alone", "leads", "follows"]
    """`alone`: without a journal to share; `leads`: this process polls, others may follow; `follows`: another one polls."""
    leader: Shown = EMPTY
    """Who polls where we follow: user and process (`anna, pid 4711`)."""
    recorded: bool = False
    """Whether the one who polls is a `watchfloor record`, which goes on when every screen is closed."""


NO_SEAT = Seat("alone")


class Snapshot(Struct, frozen=True):
    """Everything there is to see, at one moment. `at` is UTC seconds, `monotonic` the same moment on the other clock."""

    number: int
    at: float
    monotonic: float
    name: Shown
    environment: Shown
    production: bool
    level: Level
    panels: tuple[PanelState, ...] = ()
    alerts: tuple[Alert, ...] = ()
    folds: tuple[Fold, ...] = ()
    """The same alerts as lines: those of one cause are one, the worst first."""
    escalations: tuple[Escalation, ...] = ()
    """The clocks of the alerts that want an answer; none where nobody is on call by the config."""
    silences: tuple[Silence, ...] = ()
    """The silences and maintenance windows in force, ours and Alertmanager's."""
    seat: Seat = NO_SEAT
    tells: bool = False
    """Whether the config has anybody told or paged: then it matters whether anybody goes on polling when this is closed."""
    alone: Shown = EMPTY
    """Why others cannot see what is said and done here: the team's journal is out of reach. Also among `warnings`."""
    deeds: tuple[Deed, ...] = ()
    open_intents: tuple[OpenIntent, ...] = ()
    warnings: tuple[Shown, ...] = ()
    """What is wrong with Watchfloor itself (a full disk, a clock that is off, a config warning)."""

    def aged(self, monotonic: float) -> Snapshot:
        """Everything at a later moment, as the panels' views see it then: who draws late says nothing of a panel that its rows
        do not say. The same one where nothing went past its freshness meanwhile."""
        panels = tuple(each.aged(monotonic) for each in self.panels)
        same = all(each is before for each, before in zip(panels, self.panels, strict=True))
        return self if same else replace(self, panels=panels)

    def panel(self, name: str) -> PanelState | None:
        """A panel by its name."""
        return next((each for each in self.panels if each.name == name), None)


class Feed:
    """The door itself. `submit` carries a question into the engine's loop."""

    def __init__(
        self, first: Snapshot, history: History, submit: Callable[[Callable[[], Awaitable[Any]]], Future[Any]]
    ) -> None:
        self._lock = threading.Lock()
        self._newest = first
        self._wake: Callable[[], None] | None = None
        self._told = False
        self._submit = submit
        self._answer: Callable[[Ask], Awaitable[Any]] | None = None
        self.history = history

    def newest(self) -> Snapshot:
        """The newest snapshot; after it, the next news wakes again."""
        with self._lock:
            self._told = False
            return self._newest

    def peek(self) -> Snapshot:
        """The newest snapshot, without counting as having seen it."""
        with self._lock:
            return self._newest

    def on_news(self, wake: Callable[[], None] | None) -> None:
        """Whom to wake, from the engine's thread, when there is news; it must only pass the word on."""
        with self._lock:
            self._wake, self._told = wake, False

    def ask(self, question: Ask) -> Future[Any]:
        """A question to the engine; its answer, or its exception, as a future. From any thread."""
        answer = self._answer
        assert answer is not None, "the engine has not started"
        return self._submit(lambda: answer(question))

    def publish(self, snapshot: Snapshot) -> None:
        """The engine's side: a newer snapshot replaces an unseen one."""
        with self._lock:
            self._newest = snapshot
            wake = None if self._told else self._wake
            self._told = True
        if wake:
            wake()

    def answers_with(self, answer: Callable[[Ask], Awaitable[Any]]) -> None:
        """The engine's side: what answers the questions, in its loop."""
        self._answer = answer
