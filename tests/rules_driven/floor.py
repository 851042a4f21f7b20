"""An engine on a driven clock over real sources, polled when told to; and one that goes on where another was killed.

Sources take their own time, in which next to none passes here (`until(…, step=GLANCE)`); what a rule waits for (`for`, a
baseline's hour) passes here in no time at all, poll by poll at the panel's own pace.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from msgspec.structs import replace

from tests.clocks import DrivenClock
from tests.waiting import looked
from tests.watched import opened
from tui.engine.alert import Alert
from tui.engine.engine import Engine
from tui.engine.feed import Level
from tui.engine.rules import Rule
from tui.engine.rules.means import read_back
from tui.engine.setup import Setup
from tui.engine.store import Store

GLANCE = 0.01
"""Seconds of the driven clock between two polls where only the source's own time is waited for."""
BETWEEN = 0.4
"""Seconds of the source's own time between two polls."""
PATIENCE = 150.0
"""Seconds that a source may take to show what was done to it, on a machine that has much else to do."""


@dataclass
class Floor:
    """The engine, and what it told of one rule."""

    rule: str
    engine: Engine
    clock: DrivenClock
    store: Store
    told: list[tuple[str, str, str]] = field(default_factory=list)
    """The alert, and from which state to which it went."""

    @property
    def pace(self) -> float:
        """Seconds that may pass between two polls: two intervals, as one poll may be missed; after more, nobody has looked."""
        return 2 * min(job.target.interval for job in self.engine.poller.jobs)

    async def polls(self, step: float = 0.0) -> str:
        """Time passes (its pace, where nothing is said), everything is asked; gives the rule's state."""
        self.clock.move(step or self.pace)
        await self.engine.poller.once()
        self._reads_back()
        state = self.looks()
        self.store.write(self.engine.watching.states(), self.engine.judge.newest, self.clock.utc())
        return state

    def looks(self) -> str:
        """The rule's state as it was judged last: the worst of its alerts that are not over, or `inactive`."""
        states = {each.state for each in self.alerts if each.open}
        moves = [each for each in self.engine.rules.moves() if each.alert.rule == self.rule]
        self.told += [(each.alert.key, each.was, each.alert.state) for each in moves]
        return next((each for each in ("firing", "pending") if each in states), "inactive")

    @property
    def alerts(self) -> list[Alert]:
        """The rule's alerts; ours, not another system's."""
        return [each for each in self.engine.judge_now().alerts if each.rule == self.rule and not each.source]

    @property
    def written(self) -> Rule:
        """The rule as the config has it."""
        return next(each for each in self.engine.setup.rules if each.name == self.rule)

    def tells(self) -> set[str]:
        """Through which states each of its alerts went since this was last asked; a change of severity alone is none."""
        ways: dict[str, str] = {}
        for key, was, state in self.told:
            ways[key] = f"{ways.get(key, was)} {state}" if was != state else ways.get(key, was)
        self.told.clear()
        return set(ways.values())

    async def until(self, *states: str, step: float = 0.0, nudge: Callable[[], Awaitable[None]] | None = None) -> str:
        """Polls until the rule stands so; `nudge` is done before each poll."""
        return await self.comes(lambda state: state in states, step, nudge)

    async def comes(
        self, stands: Callable[[str], bool], step: float = 0.0, nudge: Callable[[], Awaitable[None]] | None = None
    ) -> str:
        """Polls until all stands so, by the rule's state and by what else is looked at; gives the state."""

        async def poll() -> str:
            if nudge:
                await nudge()
            state = await self.polls(step)
            return state if stands(state) else ""

        def says() -> str:
            return f"{self.rule} is still {self.looks()}: {self._measured()}"

        return await looked(poll, PATIENCE, says, BETWEEN if step == GLANCE else 0.0)

    def sleeps(self) -> str:
        """The machine sleeps for twenty minutes; the poller marks everything stale."""
        self.clock.suspend(1200)
        for job in self.engine.poller.jobs:
            job.state = replace(job.state, good_at=None, read_at=None)
        return self.looks()

    def looks_afresh(self) -> None:
        """Its probes have no memory, as those of a process that began this moment."""
        for job in self.engine.poller.jobs:
            job.memory.clear()

    def _reads_back(self) -> None:
        """What baselines and budgets compare with is read from the record, as `recording.py` does."""
        means = self.engine.rules.means
        if wanted := means.wanted():
            means.taken_back(read_back(wanted, self.store.signals, self.engine.history), wanted)

    def _measured(self) -> str:
        """What the panels say now, for whoever reads a failure."""
        panels = self.engine.feed.peek().panels
        signal_name = self.written.signal.partition("{")[0]
        values = [
            f"{signal.key} = {signal.value}"
            for panel in panels
            for probe in panel.probes
            if probe.reading
            for signal in probe.reading.signals
            if signal.name == signal_name
        ]
        return "; ".join([*values, *(str(each) for panel in panels for each in panel.failures)])


@asynccontextmanager
async def watched(setup: Setup, rule: str, clock: DrivenClock, journal: Path, timers: bytes = b"") -> AsyncIterator[Floor]:
    """A process that watches and records, going on from what another left in the same file where its timers are given."""
    engine, store = Engine(setup, Level.WATCH, clock=clock), opened(journal, clock)
    if timers:
        store.restore(engine.history, clock.utc())
        engine.judge.restore(timers)
    engine.rules.means.recorded = True
    try:
        async with engine.session():
            yield Floor(rule, engine, clock, store)
    finally:
        store.close()


def only(setup: Setup, rule: str, *panels: str) -> Setup:
    """The setup with no more than the panel that a rule looks at, these beside it, and all rules of theirs."""
    panels = (*panels, *(each.panel for each in setup.rules if each.name == rule))
    return replace(
        setup,
        panels=tuple(each for each in setup.panels if each.name in panels),
        rules=tuple(each for each in setup.rules if each.panel in panels),
    )
