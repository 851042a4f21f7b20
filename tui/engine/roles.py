"""The roles of an engine whose journal others share, and how it goes from one to another.

    leads ──deposed, or one that goes before it asks──▶ follows ──nobody polls──▶ leads
      └──────── file cannot be used ─▶ alone ◀─ file cannot be used ──┘       (and back, when it can)

The one who leads polls, judges and shares; the one who follows asks no source anything; alone means that nobody can be asked
who polls, so this process does, and says so. Where the lease falls free, one that is read-only lets others come first, for it
tells nobody. Who leads may ask sources only within `LOST` of a heartbeat that came through: one that was stopped and is woken
first learns whether it still leads.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import sqlite3
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from .clock import Clock
from .feed import ProbeState, Seat
from .follow import Key, Shared, inherited, share, shared_since
from .judge import Judgement
from .lease import BEAT, LOST, Lease
from .term import Deposed, Fence, Leader, LeaseError, Term, fence
from .text import EMPTY, Shown, clean
from .threads import in_daemon_thread

LOOK = 0.25
"""Seconds between two looks of a follower."""
AT_FIRST = 0.3
"""Seconds that a start waits to learn who polls; then it polls."""
AT_LAST = 0.4
"""Seconds that an exit, or a stop, waits for the lease to be given up."""
HANGS = 3.0
"""Seconds after which a call to the file counts as failed."""
UNSEEN = 5.0
"""Seconds between two sharings while nobody follows: enough for whoever comes."""
RESTS = 1.0
"""Seconds for which one that gave the lease up because it is about to be stopped does not seek it again."""
T = TypeVar("T")


class Watcher(Protocol):
    """What the roles need of the engine, in its loop."""

    def poll(self) -> None:
        """Polls and judges from now on; nothing where it does already."""

    async def rest(self) -> None:
        """Asks no source any more and judges nothing: what is shown is what `take` brings."""

    def poke(self, panel: str | None) -> None:
        """Polls a panel at once, all where none is named."""

    def sit(self, seat: Seat, trouble: Shown) -> None:
        """Shows who polls, and why nobody can be asked."""

    async def written(self) -> object:
        """Waits a moment for what was seen to happen to stand in the journal."""
        ...

    def found(self) -> tuple[Sequence[tuple[Key, ProbeState]], Judgement, bytes | None]:
        """What there is to share: every state, what was judged last, and the rules' timers."""

    def take(self, shared: Shared) -> None:
        """Takes what the leader shared."""


class Roles:
    """The role of one engine, and its changes."""

    def __init__(self, lease: Lease, watcher: Watcher, clock: Clock) -> None:
        self.lease = lease
        self.term: Term | None = None
        """While this process leads: what its writes are fenced with."""
        self.follows = False
        self.others = False
        """While this process leads: whether another config is polled on this journal, too."""
        self._watcher = watcher
        self._clock = clock
        self._may_ask_until = float("inf")
        self._rests_until = 0.0
        self._seen = -1
        self._news = asyncio.Event()
        self._followed = asyncio.Event()

    def held(self) -> bool:
        """Whether no source may be asked now, because another may be polling."""
        return self._clock.boottime() > self._may_ask_until

    def fence(self) -> Fence | None:
        """What the writes of the one who leads are fenced with; None where nobody can be asked (`alone`)."""
        term = self.term
        if term is not None:
            return functools.partial(fence, term=term)
        return _refused if self.follows else None

    def news(self) -> None:
        """There is something new to share."""
        self._news.set()

    async def run(self) -> None:
        """Plays the roles until cancelled."""
        next_: Term | Leader | None
        try:
            async with asyncio.timeout(AT_FIRST):
                next_ = await self._call(self.lease.seek)
        except (LeaseError, TimeoutError) as error:
            next_ = await self._alone(error)
        while True:
            if isinstance(next_, Term):
                next_ = await self._lead(next_)
            elif isinstance(next_, Leader):
                next_ = await self._follow(next_)
            else:
                next_ = await self._make_way()

    async def wish(self, panel: str | None) -> None:
        """Has the leader poll a panel at once. Raises LeaseError, TimeoutError."""
        await self._call(lambda: self.lease.wish(panel))

    async def step_down(self, *, for_good: bool = False) -> None:
        """Gives the lease up at once: this process ends, or is about to be stopped."""
        term = self.term
        if term is None:
            return
        self._rests_until = float("inf") if for_good else self._clock.monotonic() + RESTS
        self._may_ask_until = 0.0
        with contextlib.suppress(Deposed, LeaseError, TimeoutError):
            async with asyncio.timeout(AT_LAST):
                await self._watcher.written()  # the next one takes for said what is shared
                await self._call(lambda: share(self.lease, term, *self._watcher.found()))
                await self._call(lambda: self.lease.give_up(term))

    # --- leads ------------------------------------------------------------------------------------------------------

    async def _lead(self, term: Term) -> Term | Leader | None:
        """Polls and shares, as long as the term stands; returns what comes after it."""
        await self._inherit()
        self.term, self.follows = term, False
        self._may_ask_until = self._clock.boottime() + LOST
        seat = Seat("leads", recorded=self.lease.holder.kind == "record")
        self._watcher.poll()
        self._watcher.sit(seat, EMPTY)
        sharing = asyncio.ensure_future(self._share(term))
        try:
            await self._beat(term, seat)
        except Deposed:
            await self._watcher.written()
        finally:
            self.term = None
            sharing.cancel()
        self._seen = -1  # what others have shared since, and what we have, is not to be told apart: all is read again
        return await self._seek_again()

    async def _beat(self, term: Term, seat: Seat) -> None:
        """Heartbeats until one that goes before this one wants the lease. Raises Deposed."""
        failing = 0.0
        while True:
            began = self._clock.boottime()
            try:
                duties = await self._call(lambda: self.lease.beat(term))
            except (LeaseError, TimeoutError) as error:
                failing = failing or self._clock.monotonic()
                if self._clock.monotonic() - failing > LOST:
                    self._may_ask_until = float("inf")  # nobody can be asked: better twice than not at all
                    self._watcher.sit(Seat("alone"), _trouble(error))
            else:
                failing, self.others = 0.0, duties.others
                if self._clock.monotonic() >= self._rests_until:  # else the lease was given up while this was under way
                    self._may_ask_until = began + LOST
                self._watcher.sit(seat, EMPTY)
                for panel in duties.wishes:
                    self._watcher.poke(panel)
                (self._followed.set if duties.followed else self._followed.clear)()
                if duties.claimed:
                    with contextlib.suppress(LeaseError, TimeoutError):  # it is ours still, and the next heartbeat asks again
                        await self._call(lambda: self.lease.give_up(term))
                    return
            await self._clock.sleep(BEAT)

    async def _share(self, term: Term) -> None:
        """Shares what is new, at once where somebody follows, else now and then."""
        sent: dict[Key, ProbeState] = {}
        while True:
            await self._news.wait()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(UNSEEN):
                    await self._followed.wait()
            self._news.clear()
            # Who goes on from what is shared takes it for said: an alert that fired must stand in the journal by then.
            await self._watcher.written()
            states, judgement, timers = self._watcher.found()
            changed = [(key, state) for key, state in states if sent.get(key) is not state]
            try:
                await self._call(functools.partial(share, self.lease, term, changed, judgement, timers))
            except Deposed:
                return  # the next heartbeat says so too
            except (LeaseError, TimeoutError):
                continue  # the heartbeat says so; what was not shared goes with the next
            sent.update(changed)

    async def _inherit(self) -> None:
        """What the one before has shared last, also since it was followed last: timers go on, what fired is not said again, and
        what was asked just now is not asked again."""
        seen = self._seen
        with contextlib.suppress(LeaseError, TimeoutError):
            new = await self._call(lambda: inherited(self.lease) if seen < 0 else shared_since(self.lease, seen))
            self._watcher.take(new)

    # --- follows ----------------------------------------------------------------------------------------------------

    async def _follow(self, leader: Leader) -> Term | Leader | None:
        """Shows what the leader shares, until nobody leads or nothing can be read; returns what comes after."""
        await self._watcher.rest()
        self.follows = True
        heard = self._clock.monotonic()
        said = worked = float("-inf")
        while True:
            self._watcher.sit(Seat("follows", leader.holder.named, leader.holder.kind == "record"), EMPTY)
            now = self._clock.monotonic()
            try:
                if now - said >= BEAT:
                    said = now
                    found = await self._call(self._present)
                else:
                    found = await self._call(self.lease.look)
                if found is None:
                    await self._clock.sleep(2 * LOOK if self.lease.goes_last else 0.0)
                    return await self._seek_again()
                if found.number > self._seen:
                    shared = await self._call(lambda: shared_since(self.lease, self._seen))
                    self._seen = max(shared.number, found.number)
                    self._watcher.take(shared)
                if (found.epoch, found.beat) != (leader.epoch, leader.beat):
                    heard = now
                elif self._lost(found, heard) and (term := await self._call(functools.partial(self.lease.take_over, found))):
                    return term
                leader, worked = found, now
            except (LeaseError, TimeoutError) as error:
                if now - max(worked, heard) > LOST:
                    return await self._alone(error)
            await self._clock.sleep(LOOK)

    def _present(self) -> Leader | None:
        """Lets the leader know that it is followed, and by whom."""
        self.lease.follows()
        return self.lease.look()

    def _lost(self, leader: Leader, heard: float) -> bool:
        """Whether the leader is gone: by the boot clock, and by how long we have listened. After the machine slept only the
        first says so, and the leader gets the time to speak."""
        patience = LOST + (2 * LOOK if self.lease.goes_last else 0.0)
        return self._clock.boottime() - leader.beat > patience and self._clock.monotonic() - heard > patience

    async def _make_way(self) -> Term | Leader | None:
        """One that goes before this one is about to lead: waits until it does, or does not come."""
        await self._watcher.rest()
        self.follows = True
        self._watcher.sit(Seat("follows"), EMPTY)
        await self._clock.sleep(LOOK)
        return await self._seek_again()

    # --- alone ------------------------------------------------------------------------------------------------------

    async def _alone(self, error: Exception) -> Term | Leader | None:
        """Polls, and tries again and again to learn who else does."""
        self.follows = False
        self._may_ask_until = float("inf")
        self._watcher.poll()
        while True:
            self._watcher.sit(Seat("alone"), _trouble(error))
            await self._clock.sleep(BEAT)
            try:
                return await self._call(self.lease.seek)
            except (LeaseError, TimeoutError) as again:
                error = again

    async def _seek_again(self) -> Term | Leader | None:
        """The lease, or who has it; when the time to rest is over."""
        while (left := self._rests_until - self._clock.monotonic()) > 0:
            await self._clock.sleep(min(left, LOOK))
        try:
            return await self._call(self.lease.seek)
        except (LeaseError, TimeoutError) as error:
            return await self._alone(error)

    async def _call(self, call: Callable[[], T]) -> T:
        """A call that blocks for the file. Raises TimeoutError where that hangs."""
        async with asyncio.timeout(HANGS):
            return await in_daemon_thread(call, "watchfloor-lease")


def _refused(connection: sqlite3.Connection) -> None:
    """The fence of one that follows: it writes nothing as the leader. Raises Deposed."""
    raise Deposed("this process follows")


def _trouble(error: Exception) -> Shown:
    """Why this process polls by itself, in words."""
    says = str(error) or "the journal's disk does not answer"
    return clean(f"polling alone, others may poll too: the journal's lease cannot be used: {says}")
