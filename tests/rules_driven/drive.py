"""An episode from its beginning to its end, on a driven clock: what is done on the stage, and what each rule must make of it,
through the panels' own probes, a real Prometheus and a real database.

test_every_rule.py drives the same rules with signals made to measure, to the second and through every severity.
"""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from tests.clocks import DrivenClock
from tests.rules_driven.episodes import Episode
from tests.rules_driven.floor import Floor, only, watched
from tests.rules_driven.stage import Stage

FLAPPED = re.compile(r"inactive(( pending)?( firing)? resolved)+")
"""Through what an alert goes that comes and is over: more than once, where the figure itself stood at its limit."""


class Drive:
    """An episode on the stage, and those who watch it: a process for each rule, and the one that goes on after it."""

    def __init__(self, episode: Episode, stage: Stage, folder: Path) -> None:
        self.episode = episode
        self.stage = stage
        self.floors: list[Floor] = []
        self._setups = [(only(stage.setup(system), rule), rule) for system, rule in episode.rules]
        self._clocks = [DrivenClock(time.time()) for _ in self._setups]
        self._files = [folder / f"{place}.db" for place, _ in enumerate(self._setups)]
        self._timers = [b"" for _ in self._setups]

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """A process for each rule, which goes on from where the one before it was killed."""
        async with AsyncExitStack() as those:
            self.floors = [
                await those.enter_async_context(watched(setup, rule, clock, file, timers))
                for (setup, rule), clock, file, timers in zip(
                    self._setups, self._clocks, self._files, self._timers, strict=True
                )
            ]
            yield
            self._timers = [floor.engine.judge.timers() for floor in self.floors]
        for clock in self._clocks:
            clock.move(30)

    async def well(self) -> None:
        """Nothing is wrong, for as long as the rules must have seen it so. Where the machine stood still, the product was slow
        or refused somebody, and a rule that saw it was right: then it is waited until that is over."""
        await self.episode.mends(self.stage)
        for floor in self.floors:
            for _ in range(max(3, round(self.episode.warm / 60))):
                await floor.polls(60.0 if self.episode.warm else 0.0)
            await floor.until("inactive", step=self.episode.step)
            floor.tells()

    async def breaks(self) -> list[str]:
        """It breaks, and each rule sees it; gives how each begins."""
        await self.episode.breaks(self.stage)
        for floor in self.floors if self.episode.afresh else ():
            floor.looks_afresh()
        return [await floor.until("pending", "firing", step=self.episode.step, nudge=self.nudge) for floor in self.floors]

    async def ends(self) -> None:
        """It is mended, and each rule sees it."""
        await self.episode.mends(self.stage)
        for floor in self.floors:
            step = 0.0 if floor.written.keep_firing_for else self.episode.step
            await floor.until("inactive", step=step, nudge=self.nudge)

    @property
    def nudge(self) -> Callable[[], Awaitable[None]] | None:
        """What is done before each poll."""
        nudge = self.episode.nudge
        return (lambda: nudge(self.stage)) if nudge else None


async def play(episode: Episode, stage: Stage, folder: Path) -> None:
    """All of it: it flaps once; then it comes to stay, the machine sleeps, the process is killed, and another sees the end."""
    drive = Drive(episode, stage, folder)
    async with drive.watching():
        await drive.well()
        await drive.breaks()
        await drive.ends()
        for floor in drive.floors:
            went = floor.tells()
            assert went and all(map(FLAPPED.fullmatch, went)), went

        begun = await drive.breaks()
        for floor, state in zip(drive.floors, begun, strict=True):
            assert floor.sleeps() == state, "a sleep is evidence of nothing"
            assert floor.written.measure.of_silence or all(each.unknown_since is not None for each in floor.alerts if each.open)

    async with drive.watching():
        for floor, state in zip(drive.floors, begun, strict=True):
            assert floor.looks() == state, "what was recorded, before anything is asked"
            assert floor.tells() == set()
            await floor.until("firing", nudge=drive.nudge)
            went = floor.tells()
            assert not any(way.endswith("resolved") for way in went)
            assert state == "firing" or "pending firing" in went
            assert floor.sleeps() == "firing"

        await episode.mends(stage)
        assert all(floor.looks() == "firing" for floor in drive.floors), "nobody has seen yet that it is over"
        await drive.ends()
        for floor in drive.floors:
            went = floor.tells()
            assert any(way.startswith("firing resolved") for way in went), went
