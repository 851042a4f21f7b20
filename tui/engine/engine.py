"""The engine: polls, judges and acts in a thread of its own, and publishes what there is to see through the feed.

A terminal that stalls blocks the screen's loop; nothing that must go on lives there. `check` and `act` use the same engine
without a thread: they await `Engine.session()` in their own loop. Where a `lease` says that another process of this host polls,
this one asks no source anything and shows what that one shares (`roles.py`).
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from .answers import Answers
from .ask import Ask, Execute, MakePlan, PollNow, Rewind, Settle, Unrecorded
from .claims import left_open
from .clock import Clock, SystemClock
from .connections import Tools
from .desk import Desk
from .feed import NO_SEAT, Deed, Feed, Level, OpenIntent, ProbeState, Seat, Snapshot
from .follow import Key, Shared
from .gate import Gate
from .history import History
from .journal import Journal
from .judge import Judge, Judgement, States, drawn_up
from .lease import Lease, LeaseError
from .panel import DEFAULT_INTERVAL, LONGEST_DEADLINE
from .poller import Job, Poller, targets_of
from .roles import Roles
from .rules import RuleBook
from .sayings import Sayings
from .setup import Setup
from .telling import Telling
from .text import EMPTY, Shown, clean
from .threads import in_daemon_thread
from .together import Together

if TYPE_CHECKING:
    from .feed import PanelState
    from .past import Past
    from .rewind import Recorded

COALESCE = 0.04
"""Seconds for which news are gathered into one snapshot."""
SETTLE = 0.4
"""Seconds between two snapshots at the least: a flood of answers is judged and drawn a few times a second, not each by each."""
DEEDS_SHOWN = 20


class Engine:
    """One dashboard's engine. `level` is what may leave; without a `journal` nothing can be recorded, so nothing is done;
    without a `lease` it polls by itself."""

    def __init__(
        self,
        setup: Setup,
        level: Level,
        *,
        journal: Journal | None = None,
        lease: Lease | None = None,
        clock: Clock | None = None,
        hold: bool = True,
    ) -> None:
        self.setup = setup
        self.level = level
        self.clock: Clock = clock or SystemClock()
        self.history = History()
        self.tools = Tools(setup.environment, self.clock, self.history)
        self.rules = RuleBook(setup.rules, setup.environment, self.history, hold=hold)
        self.gate = Gate(setup, level, self.tools, journal, self.clock, self._deed_moved)
        self.together = self.gate.together = Together(setup, journal, self.clock, self._publish)
        self.telling = Telling(setup, level, self.tools, journal, self.clock, self.together, self._publish)
        self.desk = Desk(setup.maintenance)
        self.judge = Judge(self.rules, self.history, self.clock, self.desk, setup.duty)
        self.sayings = Sayings(journal, self.desk, self.clock, self._publish)
        self.answers = Answers(setup, level, self.tools, self.judge, self.history, self.sayings, self.clock)
        self.judge.says = self.sayings.say_soon
        self.tools.in_maintenance = lambda panel: bool(self.desk.maintenance(panel, self.clock.utc()))
        self.gate.suspected = lambda: self.judge.newest.suspected
        self.poller = Poller(self.tools, self._taken)
        self.roles: Roles | None = None
        if lease is not None:
            self.roles = Roles(lease, self, self.clock)
            self.poller.held = self.roles.held
        self._seat = NO_SEAT
        self._trouble = EMPTY
        self._judging = self.judge.judge
        self._polling: asyncio.Future[None] | None = None
        self._journal = journal
        self.recorded: Recorded | None = None
        """The readings on disk, for whoever looks back; None where there are none."""
        self._add_jobs()
        self._deeds: dict[str, Deed] = {}
        self._intents: tuple[OpenIntent, ...] = ()
        self._warnings: tuple[Shown, ...] = (*setup.warnings, *self.gate.problems)
        self._number = 0
        self._published = 0.0
        self._due: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Future[Any]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._ended: asyncio.Event | None = None
        self.feed = Feed(self._snapshot(self._states(), self.judge.newest), self.history, self._submit)
        self.feed.answers_with(self._answer)

    def _add_jobs(self) -> None:
        """One job a probe and target, with interval and deadline in force."""
        for panel in self.setup.panels:
            for probe in panel.card.probes if panel.card else ():
                interval = panel.settings.interval or self.setup.interval or DEFAULT_INTERVAL
                deadline = panel.settings.deadline or self.setup.deadline
                for target in targets_of(
                    panel.name, probe, panel.settings, interval, deadline, LONGEST_DEADLINE, self.setup.environment
                ):
                    self.poller.add(target, probe)

    # --- its life ---------------------------------------------------------------------------------------------------

    @contextlib.asynccontextmanager
    async def session(self) -> AsyncIterator[Engine]:
        """The engine within the caller's loop, without polling by itself: for `check` and `act`."""
        self._loop = asyncio.get_running_loop()
        await self._read_intents()
        await self.sayings.start()
        try:
            yield self
        finally:
            if self._due:
                self._due.cancel()
            await self.tools.close()

    def start(self) -> None:
        """Polls in a thread of its own, from now on until `stop`."""
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), name="watchfloor-engine", daemon=True)
        self._thread.start()
        ready.wait(5)

    def stop(self, grace: float = 2.0) -> None:
        """Ends the polling; a deed under way gets `grace` seconds to end. Returns within little more than that."""
        loop, ended, thread = self._loop, self._ended, self._thread
        if loop is None or ended is None or thread is None:
            return
        with contextlib.suppress(RuntimeError):  # the loop has ended by itself
            loop.call_soon_threadsafe(ended.set)
        thread.join(grace + 0.5)

    def _run(self, ready: threading.Event) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            asyncio.run(self._main(ready))

    async def _main(self, ready: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        self._ended = asyncio.Event()
        await self._read_intents()
        await self.sayings.start()
        ready.set()
        judging = asyncio.ensure_future(self._judge_by_the_clock())
        playing = asyncio.ensure_future(self._play())
        playing.add_done_callback(functools.partial(self._broke, "polling"))
        sharing = asyncio.ensure_future(self.together.run())
        sharing.add_done_callback(functools.partial(self._broke, "sharing with the team"))
        await self._ended.wait()
        if self.roles:
            await self.roles.step_down(for_good=True)
        await self.rest()
        self.gate.stop_after_item()
        await self._let_deed_end(2.0)
        left = [judging, playing, sharing, *self._tasks]
        for task in left:
            task.cancel()
        await asyncio.wait(left, timeout=0.5)
        await self.tools.close()

    async def _play(self) -> None:
        """The engine's role for as long as it lives."""
        if self.roles is None:
            self.poll()
            return
        await self.roles.run()

    async def watch(self) -> None:
        """Polls and judges in the caller's loop until cancelled: for `check --for`, within a `session`."""
        await asyncio.gather(self.poller.run(), self._judge_by_the_clock())

    def step_down(self, within: float = 0.5) -> None:
        """Gives the lease up: this process is about to be stopped (Ctrl-Z). From another thread; waits so long at most."""
        loop, roles = self._loop, self.roles
        if loop is None or roles is None:
            return
        with contextlib.suppress(Exception):  # it is stopped all the same, and its lease then runs out by itself
            asyncio.run_coroutine_threadsafe(roles.step_down(), loop).result(within)

    def warn(self, says: Shown) -> None:
        """Something about Watchfloor itself that a person must see; before `start`."""
        self._warnings = (*self._warnings, says)

    # --- what its role asks of it (`roles.Watcher`) --------------------------------------------------------------------

    def poll(self) -> None:
        """Polls and judges from now on; nothing where it does already."""
        self._judging = self.judge.judge
        self.together.lead(True)
        self.telling.lead()
        if self._polling is None or self._polling.done():
            self._polling = asyncio.ensure_future(self.poller.run())
            self._polling.add_done_callback(functools.partial(self._broke, "polling"))

    async def rest(self) -> None:
        """Asks no source any more and judges nothing: what is shown is what `take` brings."""
        self._judging = self.judge.again
        self.together.lead(False)
        polling, self._polling = self._polling, None
        if polling is not None:
            polling.cancel()
            await asyncio.wait([polling], timeout=0.5)
        await self.telling.rest()

    def poke(self, panel: str | None) -> None:
        """Polls a panel at once, all where none is named."""
        self.poller.poke(panel)

    def sit(self, seat: Seat, trouble: Shown) -> None:
        """Shows who polls, and why nobody can be asked."""
        if (seat, trouble) != (self._seat, self._trouble):
            self._seat, self._trouble = seat, trouble
            self._publish()

    def found(self) -> tuple[Sequence[tuple[Key, ProbeState]], Judgement, bytes | None]:
        """What there is to share: every state, what was judged last, and the rules' timers."""
        states = [((job.target.panel, job.target.name, job.probe.name), job.state) for job in self.poller.jobs]
        return states, self.judge.newest, None

    def take(self, shared: Shared) -> None:
        """Takes what the leader shared: as if it had been polled and judged here."""
        for job in self.poller.jobs:
            state = shared.states.get((job.target.panel, job.target.name, job.probe.name))
            if state is not None and _newer(state, job.state):
                if state.reading is not None and state.reading != job.state.reading:
                    self.history.record(state.reading)
                job.state = state
        if shared.judgement is not None:
            self.judge.newest = shared.judgement
        self._publish()

    async def _let_deed_end(self, grace: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.gate.idle(), grace)

    def _broke(self, what: str, task: asyncio.Future[None]) -> None:
        """A defect in what goes on for as long as the engine lives must be seen: figures would only grow stale."""
        if not task.cancelled() and (error := task.exception()) is not None:
            self._warnings = (*self._warnings, clean(f"{what} has ended: {type(error).__name__}: {error}"))
            self._publish()

    async def _judge_by_the_clock(self) -> None:
        """Holds end and readings grow stale without a new reading: the rules are asked each second; news only if there are."""
        while True:
            await self.clock.sleep(1.0)
            await self.sayings.catch_up()
            before = _in_short(self.feed.peek())
            snapshot = self._judge()
            if before != _in_short(snapshot):
                self.feed.publish(snapshot)

    # --- what comes in ----------------------------------------------------------------------------------------------

    def _submit(self, work: Callable[[], Awaitable[Any]]) -> Future[Any]:
        """Carries a question into the loop, from any thread."""
        assert self._loop is not None, "the engine has not started"

        async def run() -> Any:
            return await work()

        return asyncio.run_coroutine_threadsafe(run(), self._loop)

    async def _answer(self, question: Ask) -> Any:
        """Answers one question of the feed."""
        match question:
            case PollNow(panel):
                return await self._poke(panel)
            case MakePlan(action, keys):
                return await self.gate.plan(action, keys)
            case Execute(plan, typed, yes):
                deed = await self._kept(self.gate.execute(plan, yes=yes, typed=typed))
                with contextlib.suppress(Unrecorded):  # the deed is done; its panel is polled in its own time
                    await self._poke(plan.panel)
                return deed
            case Rewind():
                return await self._rewind(question)
            case Settle(intent):
                await self.gate.settle(intent)
                await self._read_intents()
                self._publish()
                return None
            case _:
                return await self.answers.answer(question)

    async def _rewind(self, question: Rewind) -> Any:
        """Everything as it was, read beside the polls. Raises Unrecorded."""
        from .rewind import rewound  # late: only where somebody looks back
        from .store import StoreError

        recorded, now = self.recorded, self.clock.utc()
        if recorded is None:
            raise Unrecorded("nothing is recorded that one could go back to")

        def draw(past: Past) -> tuple[PanelState, ...]:
            return drawn_up(self.setup, past.states, past.judgement, self.gate, past.monotonic)

        try:
            return await in_daemon_thread(lambda: rewound(recorded, question, now, draw), "watchfloor-rewind")
        except StoreError as error:
            raise Unrecorded(str(error)) from error

    async def _poke(self, panel: str | None) -> None:
        """Polls at once, or has the one who leads do so. Raises Unrecorded."""
        if self.roles is None or not self.roles.follows:
            self.poller.poke(panel)
            return
        try:
            await self.roles.wish(panel)
        except (LeaseError, TimeoutError) as error:
            raise Unrecorded(f"the one who polls cannot be asked: {error}") from error

    async def _kept(self, deed: Awaitable[Deed]) -> Deed:
        """Deeds belong to the engine: whoever asked may go away, the deed goes on."""
        task = asyncio.ensure_future(deed)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return await asyncio.shield(task)

    # --- what goes out ----------------------------------------------------------------------------------------------

    def _taken(self, job: Job) -> None:
        """A new reading: into the history, and, with what else comes in the next moment, into a snapshot."""
        if job.state.reading:
            self.history.record(job.state.reading)
        if self._loop and self._due is None:
            since = self._loop.time() - self._published
            self._due = self._loop.call_later(max(COALESCE, SETTLE - since), self._publish)

    def _deed_moved(self, deed: Deed) -> None:
        self._deeds[deed.id] = deed
        while len(self._deeds) > DEEDS_SHOWN:
            del self._deeds[next(iter(self._deeds))]
        self._publish()

    def _publish(self) -> None:
        self._due = None
        self._published = self._loop.time() if self._loop else 0.0
        self.feed.publish(self._judge())

    def judge_now(self) -> Snapshot:
        """Everything as it stands, judged at this moment; also published."""
        self._publish()
        return self.feed.newest()

    def _judge(self) -> Snapshot:
        """Runs the rules over the newest signals, and draws the snapshot."""
        states = self._states()
        judgement = self.telling.take(self._judging(states))
        if self.telling.leads:
            self.judge.newest = judgement
        if self.roles:
            self.roles.news()
        return self._snapshot(states, judgement)

    def _states(self) -> dict[str, list[ProbeState]]:
        states: dict[str, list[ProbeState]] = {panel.name: [] for panel in self.setup.panels}
        for job in self.poller.jobs:
            states[job.target.panel].append(job.state)
        return states

    def _snapshot(self, states: States, judgement: Judgement) -> Snapshot:
        monotonic = self.clock.monotonic()
        self._number += 1
        return Snapshot(
            number=self._number,
            at=judgement.at,
            monotonic=monotonic,
            name=clean(self.setup.name),
            environment=clean(self.setup.environment),
            production=self.setup.production,
            level=self.level,
            panels=drawn_up(self.setup, states, judgement, self.gate, monotonic),
            alerts=judgement.alerts,
            folds=judgement.folds,
            seat=self._seat,
            escalations=judgement.escalations,
            silences=judgement.silences,
            deeds=tuple(self._deeds.values()),
            open_intents=self._intents,
            alone=self.together.alone,
            warnings=(*self._warnings, *filter(None, (self._trouble, self.together.alone)), *judgement.troubles),
        )

    async def _read_intents(self) -> None:
        """Deeds of earlier runs that may have happened."""
        journal = self._journal
        if journal is None:
            return
        now = self.clock.utc()
        found = await in_daemon_thread(lambda: left_open(journal, now))
        running = set(self._deeds)
        self._intents = tuple(
            OpenIntent(each.deed or "", each.at, each.who, clean(each.data.get("action", "")), clean(each.data.get("what", "")))
            for each in found
            if each.deed not in running
        )


def _newer(state: ProbeState, than: ProbeState) -> bool:
    """Whether what is shared of a probe is not older than what this process knows."""
    return state.reading is not None and (than.reading is None or state.reading.at >= than.reading.at)


def _in_short(snapshot: Snapshot) -> tuple[object, ...]:
    """What of a snapshot is news where no reading has come."""
    return snapshot.alerts, [(panel.status, panel.judged) for panel in snapshot.panels]
