"""A process's part among those who share a journal: its role, and what it records while it leads.

Without a lease there is nobody to share with, and it polls. Another config is another lease, with a role of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from .ask import Unrecorded
from .clock import Clock
from .judge import Judgement, States
from .lease import Lease
from .roles import Roles
from .term import Fence, LeaseError
from .text import EMPTY, Shown
from .watching import Watching

if TYPE_CHECKING:
    from .recording import Recording

RECORDS_AFTER = 1.0
"""Seconds after the start at which the readings on disk are opened: the first picture does without."""


class Part:
    """One engine's part. `goes_on(what, doing)` does something for as long as the engine lives and has its defects seen;
    `recording(roles)` makes what records."""

    def __init__(
        self,
        lease: Lease | None,
        watching: Watching,
        clock: Clock,
        goes_on: Callable[[str, Coroutine[Any, Any, None]], asyncio.Future[None]],
        recording: Callable[[Roles], Recording],
    ) -> None:
        self.recording: Recording | None = None
        """What records, and what one can look back by; None until the first picture stands, and where nobody shares."""
        self._watching = watching
        self._clock = clock
        self._goes_on = goes_on
        self._make_recording = recording
        self._tasks: list[asyncio.Future[None]] = []
        self._roles = Roles(lease, watching, clock) if lease else None
        watching.poller.held = self.held

    def begin(self) -> None:
        """Takes part from now on."""
        if self._roles is None:
            self._watching.poll()
            return
        self._tasks = [
            self._goes_on("polling", self._roles.run()),
            self._goes_on("recording", self._record(self._roles)),
        ]

    async def change(self, watched: str) -> None:
        """What is watched has changed, and with it whose lease it is."""
        roles = self._roles
        if roles is None or roles.lease.watched == watched:
            return
        await roles.step_down(for_good=True)
        for task in self.cancel():
            await asyncio.wait([task])
        self._roles = Roles(roles.lease.of(watched), self._watching, self._clock)
        self.begin()

    async def end(self) -> None:
        """Takes part no longer: another may poll at once."""
        if self._roles:
            await self._roles.step_down(for_good=True)
        await self._watching.rest()

    def cancel(self) -> list[asyncio.Future[None]]:
        """Ends what goes on."""
        for task in self._tasks:
            task.cancel()
        return self._tasks

    async def step_down(self) -> None:
        """Gives the lease up: this process is about to be stopped."""
        if self._roles:
            await self._roles.step_down()

    def held(self) -> bool:
        """Whether no source may be asked now, nor anything be said, because another may be polling."""
        return self._roles is not None and self._roles.held()

    def fence(self) -> Fence | None:
        """What the writes of the one who polls are fenced with."""
        return self._roles.fence() if self._roles else None

    @property
    def follows(self) -> bool:
        """Whether another process polls."""
        return self._roles is not None and self._roles.follows

    @property
    def others(self) -> bool:
        """Whether another config is polled on this journal, as far as this process knows."""
        return self._roles is not None and self._roles.others

    @property
    def problem(self) -> Shown:
        """Why something is not recorded at present; empty while all is."""
        return self.recording.problem if self.recording else EMPTY

    async def poke(self, panel: str | None) -> None:
        """Polls at once, or has the one who leads do so. Raises Unrecorded."""
        if self._roles is None or not self._roles.follows:
            self._watching.poke(panel)
            return
        try:
            await self._roles.wish(panel)
        except (LeaseError, TimeoutError) as error:
            raise Unrecorded(f"the one who polls cannot be asked: {error}") from error

    def judged(self, states: States, judgement: Judgement) -> None:
        """What stands now: shared, and recorded, by the one who leads."""
        if self._roles:
            self._roles.news()
        if self.recording:
            self.recording.take(states, judgement)

    async def _record(self, roles: Roles) -> None:
        await self._clock.sleep(RECORDS_AFTER)
        self.recording = self._make_recording(roles)
        await self.recording.run()
