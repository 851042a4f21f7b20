"""The picture: everything there is to see at one moment, drawn of what was judged, and published through the feed.

News are gathered for a moment: a flood of answers is judged and drawn a few times a second, not each by each.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from .clock import Clock
from .deeds import Deeds
from .feed import Level, Snapshot
from .gate import Gate
from .judge import Judgement, States, drawn_up
from .setup import Setup
from .text import Shown, clean
from .together import Together
from .watching import Watching

COALESCE = 0.04
"""Seconds for which news are gathered into one snapshot."""
SETTLE = 0.4
"""Seconds between two snapshots at the least."""


class Picture:
    """One engine's picture. `judged` gives every state and what is said of them now; `passing` what is wrong with Watchfloor
    itself at present. Lives in the engine's loop."""

    def __init__(
        self,
        setup: Setup,
        level: Level,
        clock: Clock,
        gate: Gate,
        deeds: Deeds,
        together: Together,
        watching: Watching,
        judged: Callable[[], tuple[States, Judgement]],
        passing: Callable[[], Iterable[Shown]],
    ) -> None:
        self.setup = setup
        self.level = level
        self.shows: Callable[[Snapshot], object] = lambda snapshot: None
        """Where a snapshot goes: the feed's."""
        self.lasting: tuple[Shown, ...] = ()
        """What is wrong for as long as this process lives."""
        self._clock = clock
        self._gate = gate
        self._deeds = deeds
        self._together = together
        self._watching = watching
        self._judged = judged
        self._passing = passing
        self._number = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._published = 0.0
        self._due: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """Its loop is there: news may wait for what else comes."""
        self._loop = asyncio.get_running_loop()

    def use(self, setup: Setup, level: Level) -> None:
        """The config was read again."""
        self.setup, self.level = setup, level

    def warn(self, says: Shown) -> None:
        """Something about Watchfloor itself that a person must see from now on."""
        self.lasting = (*self.lasting, says)

    # --- when ---------------------------------------------------------------------------------------------------------

    def soon(self) -> None:
        """Something is new: it is published with what else comes in the next moment."""
        if self._loop and self._due is None:
            since = self._loop.time() - self._published
            self._due = self._loop.call_later(max(COALESCE, SETTLE - since), self.publish)

    def publish(self) -> None:
        """Everything as it stands now."""
        self.rest()
        self._published = self._loop.time() if self._loop else 0.0
        self.shows(self.now())

    def rest(self) -> None:
        """Publishes nothing by itself any more."""
        if self._due:
            self._due.cancel()
            self._due = None

    # --- what ---------------------------------------------------------------------------------------------------------

    def now(self) -> Snapshot:
        """Judged and drawn at this moment."""
        return self.drawn(*self._judged())

    def drawn(self, states: States, judgement: Judgement) -> Snapshot:
        """What was judged, drawn."""
        monotonic = self._clock.monotonic()
        self._number += 1
        return Snapshot(
            number=self._number,
            at=judgement.at,
            monotonic=monotonic,
            name=clean(self.setup.name),
            environment=clean(self.setup.environment),
            production=self.setup.production,
            level=self.level,
            panels=drawn_up(self.setup, states, judgement, self._gate, monotonic),
            alerts=judgement.alerts,
            folds=judgement.folds,
            seat=self._watching.seat,
            tells=self.setup.duty.page or bool(self.setup.channels),
            escalations=judgement.escalations,
            silences=judgement.silences,
            deeds=self._deeds.shown,
            open_intents=self._deeds.intents,
            alone=self._together.alone,
            warnings=(*self._warnings(), *judgement.troubles),
        )

    def _warnings(self) -> tuple[Shown, ...]:
        """What is wrong with Watchfloor itself, now."""
        passing = (self._watching.trouble, self._together.alone, self._deeds.problem, *self._passing())
        return (*self.setup.warnings, *self._gate.problems, *self.lasting, *filter(None, passing))


def in_short(snapshot: Snapshot) -> tuple[object, ...]:
    """What of a snapshot is news where no reading has come."""
    return snapshot.alerts, [(panel.status, panel.judged, panel.maintenance) for panel in snapshot.panels]
