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

from .actions import Outcome, Plan, Proof
from .history import History
from .panel import Card, Judged, Readings
from .reading import Change, Labels, Reading, Status, series_key
from .text import EMPTY, Shown
from .units import Unit

Severity = Literal["P0", "P1", "P2", "P3"]


def status_of(severity: Severity) -> Status:
    """What a breached rule makes of its panel: P0, P1 failing; P2, P3 degraded (DESIGN.md, who judges)."""
    return Status.FAILING if severity in ("P0", "P1") else Status.DEGRADED


class Level(StrEnum):
    """What may leave this process: nothing, what tells, or what acts. The top line shows it; no flag raises it."""

    WATCH = "watch"
    RESPOND = "respond"
    ARMED = "armed"


class ProbeState(Struct, frozen=True):
    """One probe of one target: its newest reading, its last good one, and how fresh they are.

    `asked` and `good_at` are monotonic seconds; `fresh_for` how long a reading counts (twice the interval in force plus the
    deadline); `slowed` says, in words, why it is polled less often than configured.
    """

    target: str
    probe: str
    interval: float
    deadline: float
    reading: Reading | None = None
    good: Reading | None = None
    good_at: float | None = None
    slowed: Shown = EMPTY

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
        )

    @property
    def failures(self) -> tuple[Reading, ...]:
        """The newest readings that have no answer."""
        return tuple(each.reading for each in self.probes if each.reading and each.reading.error)


class Alert(Struct, frozen=True):
    """A rule that is breached. Times are UTC seconds; `value` and `threshold` are in the signal's base unit."""

    fingerprint: str
    rule: str
    panel: str
    signal: str
    labels: Labels
    severity: Severity
    state: Literal["pending", "firing", "resolved"]
    value: float | None
    threshold: float
    unit: Unit
    way: Literal["above", "below"]
    since: float
    fired_at: float | None = None
    acked_by: str = ""
    acked_at: float | None = None
    why: Shown = EMPTY
    link: str = ""
    playbook: str = ""
    suspect: Shown = EMPTY
    """The likeliest cause among the changes before it (`deploy 9f3c2a1, 80s before`)."""

    @property
    def key(self) -> str:
        """`panel.signal{labels}`, as in rules and JSON."""
        return f"{self.panel}.{series_key(self.signal, self.labels)}"

    @property
    def status(self) -> Status:
        """What it makes of its panel."""
        return status_of(self.severity)


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
    deeds: tuple[Deed, ...] = ()
    open_intents: tuple[OpenIntent, ...] = ()
    warnings: tuple[Shown, ...] = ()
    """What is wrong with Watchfloor itself (a full disk, a clock that is off, a config warning)."""

    def panel(self, name: str) -> PanelState | None:
        """A panel by its name."""
        return next((each for each in self.panels if each.name == name), None)


class PollNow(Struct, frozen=True):
    """Ask: poll at once, everything or one panel. Answers None when the polls are on their way."""

    panel: str | None = None


class MakePlan(Struct, frozen=True):
    """Ask: the plan of an action (`database.terminate`) for row keys. Answers a Plan; raises PlanRefused or ProbeError."""

    action: str
    keys: tuple[str, ...]


class Execute(Struct, frozen=True):
    """Ask: carry out a plan. `typed` is what the person typed, `yes` that they said so. Answers the ended Deed; raises
    PlanRefused where the gate refuses."""

    plan: Plan
    typed: str = ""
    yes: bool = False


class Settle(Struct, frozen=True):
    """Ask: a person looked at an open intent and says that it is dealt with. Answers None."""

    intent: str


Ask = PollNow | MakePlan | Execute | Settle


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
