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
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from .answers import Answers
from .ask import Ask, Execute, MakePlan, PollNow, Rewind, Settle, Unrecorded
from .claims import left_open
from .clock import Clock, SystemClock
from .connections import Tools
from .desk import Desk
from .entries import ConfigRead, Said
from .feed import Deed, Feed, Level, OpenIntent, Snapshot
from .gate import Gate
from .history import History
from .journal import Entry, Journal, JournalError
from .judge import Judge, Judgement, States, drawn_up
from .lease import Lease, LeaseError
from .reading import Change
from .reread import Look, Reread, Rereading
from .roles import Roles
from .rules import RuleBook
from .sayings import Sayings
from .setup import Setup
from .status_file import StatusFile, StatusPlace
from .telling import Telling
from .text import EMPTY, Shown, clean
from .threads import in_daemon_thread
from .together import Together
from .watching import Watching

if TYPE_CHECKING:
    from .feed import PanelState
    from .past import Past
    from .recording import Recording
    from .rewind import Recorded

COALESCE = 0.04
"""Seconds for which news are gathered into one snapshot."""
SETTLE = 0.4
"""Seconds between two snapshots at the least: a flood of answers is judged and drawn a few times a second, not each by each."""
RECORDS_AFTER = 1.0
"""Seconds after the start at which the readings on disk are opened."""
DEEDS_SHOWN = 20


class Engine:
    """One dashboard's engine. `level` is what may leave; without a `journal` nothing can be recorded, so nothing is done;
    without a `lease` it polls by itself; `look` reads the config again; `status` is where `status-line` finds how it stands."""

    def __init__(
        self,
        setup: Setup,
        level: Level,
        *,
        journal: Journal | None = None,
        lease: Lease | None = None,
        look: Look | None = None,
        status: StatusPlace | None = None,
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
        self.together = self.gate.together = Together(setup, journal, self.clock, self._team_news)
        self.telling = Telling(setup, level, self.tools, journal, self.clock, self.together, self._publish)
        self.desk = Desk(setup.maintenance)
        self.judge = Judge(self.rules, self.history, self.clock, self.desk, setup.duty)
        self.sayings = Sayings(journal, self.desk, self.clock, self._publish)
        self.answers = Answers(setup, level, self.tools, self.judge, self.history, self.sayings, self.clock)
        self.answers.pager = self.telling.pager
        self.judge.says = self.sayings.say_soon
        self.sayings.listeners.append(self._heard)
        self.judge.can_call = lambda: self.telling.pager is not None
        self.tools.in_maintenance = lambda panel: bool(self.desk.maintenance(panel, self.clock.utc()))
        self.gate.suspected = lambda: self.judge.newest.suspected
        self.watching = Watching(
            setup, self.tools, self.judge, self.history, self._news, functools.partial(self._broke, "polling")
        )
        self.watching.begins, self.watching.ends = self._lead, self._follow
        self.poller = self.watching.poller
        self.roles: Roles | None = None
        if lease is not None:
            self._share_by(lease)
        self._rereading = Rereading(look, self._reread, self.clock) if look else None
        self._unread: Shown = EMPTY
        self._status = StatusFile(status, self.clock, setup.interval) if status else None
        self._journal = journal
        self.recorded: Recorded | None = None
        """What one can go back to; the journal's readings where it is None."""
        self.recording: Recording | None = None
        self._recorder: asyncio.Future[None] | None = None
        self._deeds: dict[str, Deed] = {}
        self._intents: tuple[OpenIntent, ...] = ()
        self._warnings: tuple[Shown, ...] = ()
        self._number = 0
        self._published = 0.0
        self._due: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Future[Any]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._ended: asyncio.Event | None = None
        self._playing: asyncio.Future[None] | None = None
        self.feed = Feed(self._snapshot(self.watching.states(), self.judge.newest), self.history, self._submit)
        self.feed.answers_with(self._answer)

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
            if self._deeds:
                await self.together.part(2.0)
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
        going_on = [
            self._goes_on("judging", self._judge_by_the_clock()),
            self._goes_on("sharing with the team", self.together.run()),
        ]
        if self._rereading:
            going_on.append(self._goes_on("reading the config again", self._rereading.run()))
        self._play()
        await self._ended.wait()
        if self._status and self.watching.polls:
            self._status.forget()
        if self.roles:
            await self.roles.step_down(for_good=True)
        await self.watching.rest()
        await self.sayings.written(0.5)
        self.gate.stop_after_item()
        await self._let_deed_end(2.0)
        await self.together.part(0.3)
        left = [*going_on, *filter(None, (self._playing, self._recorder)), *self._tasks]
        for task in left:
            task.cancel()
        await asyncio.wait(left, timeout=0.5)
        await self.tools.close()

    def _play(self) -> None:
        """The engine's role from now on."""
        if self.roles is None:
            self.watching.poll()
            return
        self._playing = self._goes_on("polling", self.roles.run())
        if self._journal is not None:
            self._recorder = self._goes_on("recording", self._record(self._journal, self.roles))

    async def _record(self, journal: Journal, roles: Roles) -> None:
        """Writes down what is seen; the first picture does without."""
        await self.clock.sleep(RECORDS_AFTER)
        from .recording import Recording

        self.recording = Recording(self.setup, journal, self.clock, self.history, self.rules, lambda: roles.term, self._publish)
        await self.recording.run()

    def _goes_on(self, what: str, doing: Coroutine[Any, Any, None]) -> asyncio.Future[None]:
        """Does it for as long as the engine lives; where it ends by a defect, that is seen."""
        task = asyncio.ensure_future(doing)
        task.add_done_callback(functools.partial(self._broke, what))
        return task

    def _share_by(self, lease: Lease) -> None:
        """Who polls is decided by this lease."""
        self.roles = Roles(lease, self.watching, self.clock)
        self.poller.held = self.roles.held
        self.sayings.fence = self.roles.fence

    async def watch(self) -> None:
        """Polls and judges in the caller's loop until cancelled: for `check --for`, within a `session`."""
        await asyncio.gather(self.poller.run(), self._judge_by_the_clock())

    def step_down(self, within: float = 0.5) -> None:
        """Gives the lease up: this process is about to be stopped (Ctrl-Z). From another thread; waits so long at most."""
        if self._loop and self.roles:
            with contextlib.suppress(Exception):  # it is stopped all the same, and its lease then runs out by itself
                asyncio.run_coroutine_threadsafe(self.roles.step_down(), self._loop).result(within)

    def reread(self) -> None:
        """Reads the config again, soon; from any thread."""
        if self._loop and self._rereading:
            asyncio.run_coroutine_threadsafe(self._rereading.now(), self._loop)

    async def _reread(self, found: Reread) -> None:
        """A config that was read again: in force from now on, or refused and said."""
        self._unread = found.says
        if found.setup is not None:
            await self._use(found.setup)
            self.history.happened(Change(found.digest, self.clock.utc(), "config", Shown("config read again"), found.says))
        await self._say(ConfigRead(found.digest, found.setup is not None, found.says))
        self._publish()

    async def _use(self, setup: Setup) -> None:
        """Another config for the same environment: nothing that was seen or is held by a rule is lost."""
        polled = False
        while self.watching.polls:  # its role may begin to poll just now
            polled = await self.watching.pause()
        # From here until polling goes on nothing waits, so that no snapshot shows half of each.
        before, self.setup = self.setup, setup
        if self.level is not Level.WATCH:
            self.level = level_for(setup)
        self.rules.use(setup.rules, self.clock.utc())
        self.desk.use(setup.maintenance)
        self.judge.duty, self.answers.setup = setup.duty, setup
        self.telling.use(setup)
        self.answers.pager = self.telling.pager
        self.gate.use(setup, self.level)
        self.watching.use(setup)
        if polled:
            self.watching.poll()
        if not any(deed.ended is None for deed in self._deeds.values()):
            await self.tools.close()  # clients are made anew, with the settings and secrets that hold now
        if self.roles and setup.watched != before.watched:
            await self._watch_as(self.roles.lease.of(setup.watched))

    async def _watch_as(self, lease: Lease) -> None:
        """What is watched has changed, and with it whose lease it is."""
        if self.roles:
            await self.roles.step_down(for_good=True)
        for task in filter(None, (self._playing, self._recorder)):
            task.cancel()
            await asyncio.wait([task])
        self._share_by(lease)
        self._play()

    def warn(self, says: Shown) -> None:
        """Something about Watchfloor itself that a person must see; before `start`."""
        self._warnings = (*self._warnings, says)

    def _lead(self) -> None:
        """This process polls from now on, so it shares with the team and tells people."""
        self.together.lead(True)
        self.telling.lead()

    async def _follow(self) -> None:
        """It does not any more."""
        self.together.lead(False)
        await self.telling.rest()

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
            if self._status and self.watching.polls:
                await self._status.tell(snapshot)

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

        recorded, now = self.recorded or (self.recording.store if self.recording else None), self.clock.utc()
        if recorded is None:
            raise Unrecorded("nothing is recorded that one could go back to")

        asked = {job.target.panel for job in self.poller.jobs}

        def draw(past: Past) -> tuple[PanelState, ...]:
            # A panel that asks nobody (our own alerts) is as the judgement of then says, where there is one.
            silent = [panel.name for panel in self.setup.panels if panel.name not in asked] if past.recorded else []
            states = {**{panel.name: past.states[panel.name] for panel in self.setup.panels}, **{name: [] for name in silent}}
            return drawn_up(self.setup, states, past.judgement, self.gate, past.monotonic)

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

    def _team_news(self) -> None:
        """Others said something, or the team went out of reach or came back."""
        self._publish()
        self._keep(self.sayings.catch_up())

    def _heard(self, entry: Entry) -> None:
        """A new entry in the journal: what was said here goes to the team, and an open intent may be dealt with by now."""
        if entry.origin is None:
            self.together.poke()
        if entry.kind in ("outcome", "settled") and any(each.id == entry.deed for each in self._intents):
            self._keep(self._read_intents())

    def _keep(self, doing: Coroutine[Any, Any, object]) -> None:
        """Does it beside all else, until it is done or the engine ends."""
        task = asyncio.ensure_future(doing)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _kept(self, deed: Awaitable[Deed]) -> Deed:
        """Deeds belong to the engine: whoever asked may go away, the deed goes on."""
        task = asyncio.ensure_future(deed)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return await asyncio.shield(task)

    # --- what goes out ----------------------------------------------------------------------------------------------

    def _news(self, at_once: bool) -> None:
        """Something is new: seen at once, or with what else comes in the next moment."""
        if at_once:
            self._publish()
        elif self._loop and self._due is None:
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
        states = self.watching.states()
        if self.roles and self.roles.held():
            # Woken from a stop: another may be polling, and judging, so nothing is said before that is known.
            return self._snapshot(states, self.judge.again(states))
        judgement = self.telling.take(self.watching.judgement(states))
        if self.telling.leads:
            self.judge.newest = judgement
            self.sayings.write_down(self.judge.moves(), judgement.at)
        if self.roles:
            self.roles.news()
        if self.recording:
            self.recording.take(states, judgement)
        return self._snapshot(states, judgement)

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
            seat=self.watching.seat,
            tells=self.setup.duty.page or bool(self.setup.channels),
            escalations=judgement.escalations,
            silences=judgement.silences,
            deeds=tuple(self._deeds.values()),
            open_intents=self._intents,
            alone=self.together.alone,
            warnings=(*self._all_warnings(), *judgement.troubles),
        )

    def _all_warnings(self) -> tuple[Shown, ...]:
        """What is wrong with Watchfloor itself, now."""
        unrecorded = self.recording.problem if self.recording else EMPTY
        passing = filter(None, (self._unread, self.watching.trouble, self.together.alone, unrecorded))
        return (*self.setup.warnings, *self.gate.problems, *self._warnings, *passing)

    async def _say(self, said: Said) -> None:
        """Adds an entry in the name of the one who polls; where that is another process, it says so itself."""
        journal = self._journal
        if journal is None or (self.roles and self.roles.follows):
            return
        at, who = self.clock.utc(), self.setup.user
        with contextlib.suppress(JournalError):  # the journal's own trouble is shown where it matters: at a deed
            await in_daemon_thread(lambda: journal.say(at, who, said))

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


def level_for(setup: Setup) -> Level:
    """What may leave by this config, where nothing forbids it."""
    return Level.ARMED if setup.allow else Level.RESPOND


def _in_short(snapshot: Snapshot) -> tuple[object, ...]:
    """What of a snapshot is news where no reading has come."""
    return snapshot.alerts, [(panel.status, panel.judged) for panel in snapshot.panels]
