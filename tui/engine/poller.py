"""One task a probe and target: schedule, deadline, back-off, freshness.

A slow or hanging target delays no other; a probe never overlaps itself; a probe that does not end when it is told to is
left behind (and not asked again until it has). Back-off is for sources that refuse or limit *us* and for panels that cost a
database more than their share, and says so. Judges nothing: readings go to `taken`.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from .connections import Tools
from .feed import ProbeState
from .panel import BEFORE, Memory, Probe, Target
from .reading import Failure, Found, ProbeError, Reading, Status, finding
from .redact import redact
from .text import EMPTY, Shown, clean
from .units import SHORTEST, show_duration

GRACE = 0.15
"""Seconds past its deadline after which a probe is cut off: the promise is 0.25."""
SLOWEST = 60.0
BUDGET = 0.005
"""Seconds of a database's time that one panel may spend a second."""
JUMP = 2.0
"""A clock that moved this much against another one jumped, or the machine slept."""
AT_ONCE = 24
"""So many jobs may be asked in one moment; more are spread over SPREAD seconds, so that they never come in bursts."""
SPREAD = 2.0
HELD = 0.05
"""Seconds between two looks whether sources may be asked again."""
MOST_DOUBLINGS = 10
"""The interval of a source that refuses doubles no further: by then it is past every cap, and a number stays a number."""


class Job(Struct):
    """One probe of one target, and how its polling goes."""

    target: Target
    probe: Probe
    state: ProbeState
    memory: Memory = field(default_factory=dict)
    refusals: int = 0
    spends: deque[float] = field(default_factory=lambda: deque((0.0, 0.0), maxlen=3))
    """The server time of the last three polls; those that were not yet count as nothing."""
    sleeper: asyncio.Future[None] | None = None
    running: asyncio.Task[Found] | None = None
    poked: bool = False
    polls: int = 0
    """How often it was asked by this process."""

    @property
    def spent(self) -> float:
        """What a poll costs, steadied: one dear poll (the first on a new connection, a busy moment) is no reason to ask less
        often; two of three are."""
        return sorted(self.spends)[len(self.spends) // 2]

    def take_over(self, state: ProbeState) -> None:
        """Takes what another process read of it: it goes on from there."""
        self.state = state
        if state.good is not None:
            self.memory[BEFORE] = state.good


class Poller:
    """All jobs of one engine. `taken(job)` is called in the loop whenever a job's state holds a new reading."""

    def __init__(self, tools: Tools, taken: Callable[[Job], None], jitter: Callable[[], float] = random.random) -> None:
        self._tools = tools
        self._clock = tools.clock
        self._taken = taken
        self._jitter = jitter
        self.jobs: list[Job] = []
        self.held: Callable[[], bool] = lambda: False
        """Whether no source may be asked now: the engine's to tell (`roles.py`)."""

    def add(self, target: Target, probe: Probe) -> None:
        """Takes a job on; before `run`."""
        self.jobs.append(Job(target, probe, ProbeState(target.name, probe.name, target.interval, target.deadline)))

    async def run(self) -> None:
        """Polls until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch_clocks())
            for place, job in enumerate(self.jobs):
                group.create_task(self._keep(job, self._first_wait(job, place)))

    async def once(self) -> None:
        """Polls every job once, side by side."""
        await asyncio.gather(*(self._poll(job) for job in self.jobs))

    def poke(self, panel: str | None = None) -> None:
        """Polls at once: everything, or one panel's jobs."""
        for job in self.jobs:
            if panel in (None, job.target.panel):
                _poke(job)

    def _first_wait(self, job: Job, place: int) -> float:
        """Few jobs start at once, so that the first picture is whole; many are spread. What another process asked lately is
        not asked before it is due."""
        share = (place - AT_ONCE) / max(1, len(self.jobs) - AT_ONCE)
        spread = 0.0 if place < AT_ONCE else min(job.target.interval, SPREAD) * share
        if job.state.reading is None:
            return spread
        left = job.state.interval - abs(self._clock.utc() - job.state.reading.at)
        return left if left > 0 else spread

    async def _keep(self, job: Job, wait: float) -> None:
        """One job's endless round."""
        due = self._clock.monotonic() + wait
        if wait:
            await self._sleep(job, wait)
        while True:
            began = self._clock.monotonic()
            job.poked = False
            while self.held():
                await self._sleep(job, HELD)
            await self._poll(job)
            if job.poked:
                continue  # what was asked before the poke may be older than what the poke is about
            due = self._next_turn(job, due, began)
            await self._sleep(job, due - self._clock.monotonic())

    def _next_turn(self, job: Job, due: float, began: float) -> float:
        """When a job is asked again that was due then and asked at `began`, in seconds of the monotonic clock.

        At a fixed rate: missed turns are skipped, never made up for. A turn that came late, or early because it was poked,
        shifts none after it: otherwise all whose turns fell into a moment in which the loop stood still would stay together,
        and many spread ones become a burst. A source that refuses us is left alone for as long as it said, from its answer on.
        """
        now, interval = self._clock.monotonic(), job.state.interval
        if job.refusals:
            return now + interval
        due += interval * ((now - due) // interval + 1)
        return due if due - began >= interval / 2 else due + interval

    async def _sleep(self, job: Job, seconds: float) -> None:
        """Waits, or until poked."""
        job.sleeper = asyncio.ensure_future(self._clock.sleep(seconds))
        try:
            await job.sleeper
        except asyncio.CancelledError:
            if not job.poked or ((task := asyncio.current_task()) and task.cancelling()):
                job.sleeper.cancel()
                raise
        finally:
            job.sleeper = None

    async def _poll(self, job: Job) -> None:
        """Asks once and takes what came of it."""
        began = self._clock.monotonic()
        found = await self._ask(job)
        now = self._clock.monotonic()
        target = job.target
        reading = Reading(
            target.panel,
            target.name,
            job.probe.name,
            self._clock.utc(),
            now - began,
            found.status,
            found.signals,
            found.rows,
            found.changes,
            found.error,
            found.notes,
            found.alerts,
            found.silences,
        )
        job.polls += 1
        job.spends.append(found.spent)
        interval, slowed = self._interval(job, found.error)
        # A failed poll keeps the last good figures; one that still has rows to show (a failing endpoint's) is a picture.
        answered = found.error is None or bool(found.rows)
        job.state = replace(
            job.state,
            reading=reading,
            good=reading if answered else job.state.good,
            good_at=now if answered else job.state.good_at,
            read_at=now,
            interval=interval,
            slowed=slowed,
        )
        self._taken(job)

    async def _ask(self, job: Job) -> Found:
        """The probe's answer within its deadline, or the failure in its place."""
        deadline = job.target.deadline
        if job.running is not None and not job.running.done():
            return _nothing("deadline", "the question before this one still hangs", "it is asked again when that ends")
        job.running = asyncio.ensure_future(job.probe.ask(job.target, self._tools, job.memory))
        try:
            done, _ = await asyncio.wait({job.running}, timeout=deadline + GRACE)
        except asyncio.CancelledError:
            job.running.cancel()
            raise
        if not done:
            job.running.cancel()
            job.running.add_done_callback(_unheard)
            return _nothing("deadline", f"no answer within {show_duration(deadline)}", "is the source slow, or far?")
        try:
            return finding(job.running.result())
        except ProbeError as error:
            return Found(error.status, error=error.failure)
        except asyncio.CancelledError:
            return _nothing("deadline", "the question was broken off", "")
        except Exception as error:  # a probe's defect costs its own panel, never the dashboard
            return _nothing("defect", _in_words(error), "a mistake in the panel, not in what it watches: please report it")

    def _interval(self, job: Job, error: Failure | None) -> tuple[float, Shown]:
        """The interval in force from now on, and in words why it is not the configured one."""
        wanted = job.target.interval
        if error and error.refused:
            job.refusals += 1
            backed_off = min(max(SLOWEST, wanted), wanted * 2 ** min(job.refusals, MOST_DOUBLINGS))
            # Full jitter above the wanted interval, so that many dashboards do not come back as one.
            interval = wanted + (backed_off - wanted) * (0.5 + 0.5 * self._jitter())
            if error.retry_after is not None:
                interval = max(interval, error.retry_after)
            return interval, clean(f"it refuses us: asked each {show_duration(interval)}")
        job.refusals = 0
        share = self._share(job) if job.spent else 0.0
        if share > BUDGET:
            interval = min(wanted * share / BUDGET, max(SLOWEST, wanted))
            says = f"its statements cost {share * 1000:.0f} ms a second: asked each {show_duration(interval)}"
            return interval, clean(says)
        return wanted, EMPTY

    def _share(self, job: Job) -> float:
        """Seconds of a database's time that the job's panel spends a second, over all its probes."""
        return sum(each.spent / each.target.interval for each in self.jobs if each.target.panel == job.target.panel)

    async def _watch_clocks(self) -> None:
        """Notices that the machine slept or its clock was set: then everything is stale until polled again, which it is at
        once, spread over a few seconds."""
        clock = self._clock
        slept, wall = clock.boottime() - clock.monotonic(), clock.utc() - clock.boottime()
        while True:
            await clock.sleep(1.0)
            slept_now, wall_now = clock.boottime() - clock.monotonic(), clock.utc() - clock.boottime()
            if abs(slept_now - slept) > JUMP or abs(wall_now - wall) > JUMP:
                for job in self.jobs:
                    job.state = replace(job.state, good_at=None, read_at=None)
                    self._taken(job)
                await self._poke_in_turn()
                slept_now, wall_now = clock.boottime() - clock.monotonic(), clock.utc() - clock.boottime()
            slept, wall = slept_now, wall_now

    async def _poke_in_turn(self) -> None:
        """Pokes every job, some at a time, so that hundreds do not wake their sources in one moment."""
        pause = SPREAD * AT_ONCE / max(1, len(self.jobs))
        for first in range(0, len(self.jobs), AT_ONCE):
            if first:
                await self._clock.sleep(pause)
            for job in self.jobs[first : first + AT_ONCE]:
                _poke(job)


def _nothing(phase: str, says: str, hint: str) -> Found:
    """What stands in an answer's place where the messenger failed."""
    return Found(Status.UNKNOWN, error=Failure(phase, clean(redact(says)), clean(hint)))


def _poke(job: Job) -> None:
    """Has a job polled at once, or once more where it is being polled."""
    job.poked = True
    if job.sleeper:
        job.sleeper.cancel()


def _in_words(error: Exception) -> str:
    """A defect's type and message; of one that cannot even say what it is, its type."""
    try:
        return f"{type(error).__name__}: {error}"
    except Exception:  # its own __str__ is broken too
        return type(error).__name__


def _unheard(task: asyncio.Task[Found]) -> None:
    """Takes the late result of an abandoned question, so that nothing complains that nobody did."""
    if not task.cancelled():
        task.exception()


def targets_of(
    panel: str,
    probe: Probe,
    settings: object,
    wanted_interval: float,
    wanted_deadline: float | None,
    longest: float,
    environment: str,
) -> Sequence[Target]:
    """The targets of one probe with interval and deadline in force: the target's own, the probe's, the panel's."""
    targets = []
    for each in probe.targets(settings):
        interval = max(each.interval or probe.every(settings) or wanted_interval, SHORTEST)
        deadline = each.deadline or probe.deadline(settings) or wanted_deadline or min(interval, longest)
        targets.append(Target(panel, each.name, settings, each.part, interval, deadline, environment))
    return targets
