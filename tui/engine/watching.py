"""What an engine sees: its probes' states and what is judged of them, polled here or shared by another process.

In either case the same things happen with a reading: it goes into the history, and into the next snapshot. Whether this process
asks the sources is its role's to say (`roles.py`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from msgspec.structs import replace

from .connections import Tools
from .feed import NO_SEAT, ProbeState, Seat
from .follow import Key, Shared
from .history import History
from .judge import Judge, Judgement, States
from .panel import DEFAULT_INTERVAL, LONGEST_DEADLINE, Probe, Target
from .poller import Job, Poller, targets_of
from .setup import Setup
from .text import EMPTY, Shown

ENDS_WITHIN = 0.5
"""Seconds that polls under way get to be cancelled."""


class Watching:
    """The states of one engine, and where they come from. `news(at_once)` is called in the loop when something is new, with
    whether it should be seen before others have gathered; `broke` with what a defect of the poller raised."""

    def __init__(
        self,
        setup: Setup,
        tools: Tools,
        judge: Judge,
        history: History,
        news: Callable[[bool], None],
        broke: Callable[[asyncio.Future[Any]], None],
    ) -> None:
        self.setup = setup
        self.seat: Seat = NO_SEAT
        self.trouble: Shown = EMPTY
        """Why nobody can be asked who polls."""
        self.judgement: Callable[[States], Judgement] = judge.judge
        """What is said of the states: judged here, or by the one who leads."""
        self.begins: Callable[[], object] = lambda: None
        """Called when this process becomes the one that polls, and so the one that shares and tells."""
        self.ends: Callable[[], Awaitable[object]] = _nothing
        """Called when it no longer is."""
        self.writes: Callable[[], Awaitable[object]] = _nothing
        """What waits for the journal to hold what was seen to happen."""
        self._judge = judge
        self._history = history
        self._news = news
        self._broke = broke
        self._timers: bytes | None = None
        """What the rules of the one who leads remember, for when this process goes on with it."""
        self._polling: asyncio.Future[None] | None = None
        self._asks = False
        """Whether its role is to ask."""
        self._paused = False
        self.poller = Poller(tools, self._taken)
        for target, probe in _wanted(setup):
            self.poller.add(target, probe)

    @property
    def polls(self) -> bool:
        """Whether this process asks the sources."""
        return self._polling is not None

    def states(self) -> dict[str, list[ProbeState]]:
        """Every probe's state, by panel, in the config's order."""
        states: dict[str, list[ProbeState]] = {panel.name: [] for panel in self.setup.panels}
        for job in self.poller.jobs:
            states[job.target.panel].append(job.state)
        return states

    async def pause(self) -> None:
        """Asks nothing until `resume`, whatever its role becomes meanwhile."""
        self._paused = True
        await self._end_polling()

    def resume(self) -> None:
        """Asks again, where its role is to."""
        self._paused = False
        self._begin_polling()

    def use(self, setup: Setup) -> None:
        """Another config, while it is paused: what is asked as before keeps its state and memory."""
        before = {_key(job): job for job in self.poller.jobs}
        self.setup = setup
        self.poller.jobs = []
        for target, probe in _wanted(setup):
            self.poller.add(target, probe)
            if (old := before.get(_key(self.poller.jobs[-1]))) is not None:
                _keep(old, self.poller.jobs[-1])

    def _taken(self, job: Job) -> None:
        if job.state.reading:
            self._history.record(job.state.reading)
        self._news(False)

    # --- what its role asks of it (`roles.Watcher`) -------------------------------------------------------------------

    def poll(self) -> None:
        """Polls and judges from now on; nothing where it does already."""
        self.judgement = self._judge.judge
        if self._timers is not None:
            self._judge.restore(self._timers)
            self._timers = None
        self._asks = True
        self.begins()
        self._begin_polling()

    async def rest(self) -> None:
        """Asks no source any more and judges nothing: what is shown is what `take` brings."""
        self.judgement = self._judge.again
        self._asks = False
        await self._end_polling()
        await self.ends()

    def _begin_polling(self) -> None:
        if self._asks and not self._paused and (self._polling is None or self._polling.done()):
            self._polling = asyncio.ensure_future(self.poller.run())
            self._polling.add_done_callback(self._broke)

    async def _end_polling(self) -> None:
        polling, self._polling = self._polling, None
        if polling is not None:
            polling.cancel()
            await asyncio.wait([polling], timeout=ENDS_WITHIN)

    def poke(self, panel: str | None) -> None:
        """Polls a panel at once, all where none is named."""
        self.poller.poke(panel)

    def sit(self, seat: Seat, trouble: Shown) -> None:
        """Shows who polls, and why nobody can be asked."""
        if (seat, trouble) != (self.seat, self.trouble):
            self.seat, self.trouble = seat, trouble
            self._news(True)

    async def written(self) -> object:
        """Waits a moment for what was seen to happen to stand in the journal."""
        return await self.writes()

    def found(self) -> tuple[Sequence[tuple[Key, ProbeState]], Judgement, bytes | None]:
        """What there is to share: every state, what was judged last, and the rules' timers."""
        return [(_key(job), job.state) for job in self.poller.jobs], self._judge.newest, self._judge.timers()

    def take(self, shared: Shared) -> None:
        """Takes what the leader shared: as if it had been polled and judged here."""
        for job in self.poller.jobs:
            state = shared.states.get(_key(job))
            if state is not None and _newer(state, job.state):
                if state.reading is not None and state.reading != job.state.reading:
                    self._history.record(state.reading)
                job.take_over(state)
        if shared.judgement is not None:
            self._judge.newest = shared.judgement
            self._timers = shared.timers
        self._news(True)


async def _nothing() -> None:
    """Nobody is told."""


def _wanted(setup: Setup) -> Sequence[tuple[Target, Probe]]:
    """What a config has asked: each probe's targets, with interval and deadline in force."""
    return [
        (target, probe)
        for panel in setup.panels
        for probe in (panel.card.probes if panel.card else ())
        for target in targets_of(
            panel.name,
            probe,
            panel.settings,
            panel.settings.interval or setup.interval or DEFAULT_INTERVAL,
            panel.settings.deadline or setup.deadline,
            LONGEST_DEADLINE,
            setup.environment,
        )
    ]


def _key(job: Job) -> Key:
    return job.target.panel, job.target.name, job.probe.name


def _keep(old: Job, new: Job) -> None:
    """What is still asked goes on: with its figures, and with its memory where it is the same thing that is asked."""
    new.polls = old.polls
    new.state = replace(old.state, interval=new.target.interval, deadline=new.target.deadline, slowed=EMPTY)
    before, after = old.target, new.target
    if before.settings == after.settings or (after.part is not None and before.part == after.part):
        new.memory, new.spends = old.memory, old.spends


def _newer(state: ProbeState, than: ProbeState) -> bool:
    """Whether what is shared of a probe is not older than what this process knows: by the clock that all processes of a host
    share and nobody sets. A state without it is from a moment at which a clock jumped."""
    if state.reading is None:
        return False
    if than.reading is None or than.read_at is None:
        return True
    return state.reading.at >= than.reading.at if state.read_at is None else state.read_at >= than.read_at
