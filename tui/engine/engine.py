"""The engine: polls, judges and acts in a thread of its own, and publishes what there is to see through the feed.

A terminal that stalls blocks the screen's loop; nothing that must go on lives there. `check` and `act` use the same engine
without a thread: they await `Engine.session()` in their own loop. Where a `lease` says that another process of this host polls,
this one asks no source anything and shows what that one shares (`roles.py`).
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from .answers import Answers
from .ask import Unrecorded
from .clock import Clock, SystemClock
from .connections import Tools
from .deeds import Deeds
from .desk import Desk
from .entries import ConfigRead
from .feed import Feed, Level, Snapshot
from .gate import Gate
from .history import History
from .journal import Entry, Journal
from .judge import Judge, Judgement, States
from .lease import Lease
from .part import Part
from .picture import Picture, in_short
from .questions import Questions
from .reading import Change
from .reread import Look, Reread, Rereading
from .rules import RuleBook
from .sayings import Sayings
from .setup import Setup
from .status_file import StatusFile, StatusPlace
from .tasks import Tasks
from .telling import Telling
from .text import EMPTY, Shown
from .together import Together
from .watching import Watching

if TYPE_CHECKING:
    from .recording import Recording
    from .roles import Roles

STOPS = 0.5
"""Seconds that a stop waits for the lease to be given up, also where the engine's own loop hangs."""


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
        self.tasks = Tasks(self._broke)
        self.history = History()
        self.tools = Tools(setup.environment, self.clock, self.history)
        self.rules = RuleBook(setup.rules, setup.environment, self.history, hold=hold)
        self.deeds = Deeds(journal, self.clock, self._publish)
        self.gate = Gate(setup, level, self.tools, journal, self.clock, self.deeds.moved)
        self.together = self.gate.together = Together(setup, level, journal, self.clock, self._team_news)
        self.desk = Desk(setup.maintenance)
        self.judge = Judge(self.rules, self.history, self.clock, self.desk, setup.duty)
        self.sayings = Sayings(journal, self.desk, self.clock, self._publish)
        self.telling = Telling(
            setup, level, self.tools, journal, self.clock, self.together, self._publish, self.sayings.write_down
        )
        self.answers = Answers(setup, level, self.tools, self.judge, self.history, self.sayings, self.clock)
        self.answers.pager = self.telling.pager
        self.judge.says = self.sayings.say_soon
        self.sayings.listeners.append(self._heard)
        self.tools.in_maintenance = lambda panel: bool(self.desk.quiet.maintenance(panel, self.clock.utc()))
        self.tools.open_series = self.rules.open_series
        self.gate.suspected = lambda: self.judge.newest.suspected
        self.watching = Watching(setup, self.tools, self.judge, self.history, self._news, self.tasks.seen("polling"))
        self.watching.begins, self.watching.ends = self._lead, self._follow
        self.watching.writes = lambda: self.sayings.written(0.5)
        self.poller = self.watching.poller
        self.part = Part(lease, self.watching, self.clock, self.tasks.goes_on, self._make_recording)
        self.sayings.fence = self.part.fence
        self.telling.elsewhere = lambda: self.part.others
        self._rereading = Rereading(look, self._reread, self.clock) if look else None
        self._unread: Shown = EMPTY
        self.picture = Picture(
            *(setup, level, self.clock, self.gate, self.deeds, self.together, self.watching, self._judged),
            passing=lambda: (self._unread, self.part.problem),
        )
        self.questions = Questions(self.watching, self.part, self.gate, self.deeds, self.answers, self.clock, self._publish)
        self._status = StatusFile(status, self.clock, setup.interval) if status else None
        self._journal = journal
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._ended: asyncio.Event | None = None
        self._grace = 0.0
        self.feed = Feed(self.picture.drawn(self.watching.states(), self.judge.newest), self.history, self._submit)
        self.feed.answers_with(self.questions.answer)
        self.picture.shows = self.feed.publish

    # --- its life ---------------------------------------------------------------------------------------------------

    @contextlib.asynccontextmanager
    async def session(self) -> AsyncIterator[Engine]:
        """The engine within the caller's loop, without polling by itself: for `check` and `act`."""
        self._loop = asyncio.get_running_loop()
        self.picture.begin()
        await self.deeds.read_intents()
        await self.sayings.start()
        try:
            yield self
        finally:
            self.picture.rest()
            if self.deeds.shown:
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
        self._grace = grace
        with contextlib.suppress(RuntimeError):  # the loop has ended by itself
            loop.call_soon_threadsafe(ended.set)
        thread.join(grace + 0.5)

    def _run(self, ready: threading.Event) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            asyncio.run(self._main(ready))

    async def _main(self, ready: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        self.picture.begin()
        self._ended = asyncio.Event()
        await self.deeds.read_intents()
        await self.sayings.start()
        ready.set()
        self.tasks.goes_on("judging", self._judge_by_the_clock())
        self.tasks.goes_on("sharing with the team", self.together.run())
        if self._rereading:
            self.tasks.goes_on("reading the config again", self._rereading.run())
        self.part.begin()
        await self._ended.wait()
        if self._status and self.watching.polls:
            self._status.forget()
        await self.sayings.written(0.5)  # while this process may still write as the one who polls
        await self.part.end()
        self.gate.stop_after_item()
        await self._let_deed_end(self._grace)
        await self.together.part(0.3)
        left = [*self.tasks.cancel(), *self.part.cancel(), *self.deeds.cancel()]
        if left:
            await asyncio.wait(left, timeout=0.5)
        await self.tools.close()

    def _make_recording(self, roles: Roles) -> Recording:
        """What records while this process leads."""
        from .recording import Recording  # late: the first picture does without

        assert self._journal is not None, "a lease is on a journal's file"
        return Recording(self.setup, self._journal, self.clock, self.history, self.rules, lambda: roles.term, self._publish)

    async def watch(self) -> None:
        """Polls and judges in the caller's loop until cancelled: for `check --for`, within a `session`."""
        await asyncio.gather(self.poller.run(), self._judge_by_the_clock())

    def step_down(self) -> None:
        """Gives the lease up: this process is about to be stopped (Ctrl-Z). From another thread; waits `STOPS` at most."""
        if self._loop:
            with contextlib.suppress(Exception):  # it is stopped all the same, and its lease then runs out by itself
                asyncio.run_coroutine_threadsafe(self.part.step_down(), self._loop).result(STOPS)

    def reread(self) -> None:
        """Reads the config again, soon; from any thread."""
        if self._loop and (rereading := self._rereading):
            what = "reading the config again"
            with contextlib.suppress(RuntimeError):  # the loop has ended by itself
                self._loop.call_soon_threadsafe(lambda: self.tasks.goes_on(what, rereading.now()))

    async def _reread(self, found: Reread) -> None:
        """A config that was read again: in force from now on, or refused and said."""
        self._unread = found.says
        if found.setup is not None:
            await self._use(found.setup)
            self.history.happened(Change(found.digest, self.clock.utc(), "config", Shown("config read again"), found.says))
        if not self.part.follows:  # the one who polls says so itself
            with contextlib.suppress(Unrecorded):  # the journal's own trouble is shown where it matters: at a deed
                await self.sayings.say(self.setup.user, ConfigRead(found.digest, found.setup is not None, found.says))
        self._publish()

    async def _use(self, setup: Setup) -> None:
        """Another config for the same environment: nothing that was seen or is held by a rule is lost."""
        await self.watching.pause()
        try:
            self._hand_out(setup)
        finally:
            self.watching.resume()
        if not self.deeds.under_way:
            await self.tools.close()  # clients are made anew, with the settings and secrets that hold now
        await self.part.change(setup.watched)

    def _hand_out(self, setup: Setup) -> None:
        """Nothing here waits, so that no snapshot shows half of each."""
        self.setup = setup
        if self.level is not Level.WATCH:
            self.level = level_for(setup)
        self.rules.use(setup.rules, self.clock.utc())
        self.desk.use(setup.maintenance)
        self.judge.duty, self.answers.setup = setup.duty, setup
        self.telling.use(setup)
        self.answers.pager = self.telling.pager
        self.gate.use(setup, self.level)
        self.picture.use(setup, self.level)
        self.watching.use(setup)

    def warn(self, says: Shown) -> None:
        """Something about Watchfloor itself that a person must see; before `start`."""
        self.picture.warn(says)

    def _lead(self) -> None:
        """This process polls from now on, so it shares with the team and tells people."""
        self.together.lead(True)
        self.telling.lead()

    async def _follow(self) -> None:
        """It does not any more, and keeps no connection open to what it no longer asks."""
        self.together.lead(False)
        await self.telling.rest()
        if not self.deeds.under_way:
            await self.tools.close()

    async def _let_deed_end(self, grace: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.gate.idle(), grace)

    async def _judge_by_the_clock(self) -> None:
        """Holds end and readings grow stale without a new reading: the rules are asked each second; news only if there are."""
        while True:
            await self.clock.sleep(1.0)
            await self.sayings.catch_up()
            before = in_short(self.feed.peek())
            snapshot = self.picture.now()
            if before != in_short(snapshot):
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

    def _team_news(self) -> None:
        """Others said something, or the team went out of reach or came back."""
        self._publish()
        self.tasks.keep(self.sayings.catch_up())

    def _heard(self, entry: Entry) -> None:
        """A new entry in the journal: what was said here goes to the team, and an open intent may be dealt with by now."""
        if entry.origin is None:
            self.together.poke()
        if entry.kind in ("outcome", "settled") and self.deeds.is_open(entry.deed):
            self.tasks.keep(self.deeds.read_intents())

    # --- what goes out ----------------------------------------------------------------------------------------------

    def _news(self, at_once: bool) -> None:
        """Something is new: seen at once, or with what else comes in the next moment."""
        if at_once:
            self._publish()
        else:
            self.picture.soon()

    def _publish(self) -> None:
        self.picture.publish()

    def _broke(self, says: Shown) -> None:
        """A defect in what goes on for as long as the engine lives."""
        self.picture.warn(says)
        self._publish()

    def judge_now(self) -> Snapshot:
        """Everything as it stands, judged at this moment; also published."""
        self._publish()
        return self.feed.newest()

    def _judged(self) -> tuple[States, Judgement]:
        """Every state, and what is said of it now: by the rules here, or by the one who leads."""
        states = self.watching.states()
        if self.part.held():
            # Woken from a stop: another may be polling, and judging, so nothing is said before that is known.
            return states, self.judge.again(states)
        judgement = self.telling.take(self.watching.judgement(states))
        if self.telling.leads:
            self.judge.newest = judgement
            self.sayings.write_down(self.judge.moves(), judgement.at)
        self.part.judged(states, judgement)
        return states, judgement


def level_for(setup: Setup) -> Level:
    """What may leave by this config, where nothing forbids it."""
    return Level.ARMED if setup.allow else Level.RESPOND
