"""The dashboard on a scripted engine and a clock that stands still."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
from textual.pilot import Pilot

from tests import story
from tests.clocks import DrivenClock
from tests.screens.engine import ScriptedEngine
from tui.engine.feed import Snapshot
from tui.screens.board import Board
from tui.screens.dashboard import WatchfloorApp
from tui.screens.live import Live
from tui.screens.settling import AGAIN
from tui.screens.word import SETTLES
from tui.widgets.canvas import Canvas


class Stage:
    """A running dashboard: its engine, its clock, its keys, and what it shows."""

    def __init__(self, app: WatchfloorApp, engine: ScriptedEngine, clock: DrivenClock, pilot: Pilot[int]) -> None:
        self.app, self.engine, self.clock, self.pilot = app, engine, clock, pilot

    async def press(self, *keys: str) -> None:
        """Presses keys as fingers do: a fifth of a second apart."""
        for key in keys:
            self.clock.move(0.2)
            await self.pilot.press(key)
        await self.pilot.pause()

    async def publish(self, snapshot: Snapshot) -> None:
        """News from the engine, taken by the screen."""
        self.engine.publish(snapshot)
        await self.pilot.pause()

    async def stand(self, seconds: float = 0.6) -> None:
        """Time passes while the person reads."""
        self.clock.move(seconds)
        await self.pilot.pause()

    async def settle(self) -> None:
        """Time goes by in which a `y` settles, or is dropped; anew where the machine stood still meanwhile."""
        for _ in range(AGAIN + 1):
            began = time.monotonic()
            await self.pilot.pause(SETTLES * 3)
            if time.monotonic() - began < SETTLES * 4:
                return

    async def tick(self) -> None:
        """What each second does of itself."""
        screen = self.app.screen
        assert isinstance(screen, Live)
        screen.tick()
        await self.pilot.pause()

    @property
    def board(self) -> Board:
        return self.app.get_screen("board", Board)

    @property
    def text(self) -> str:
        """The whole screen as text."""
        strips = self.app.screen._compositor.render_strips()
        return "\n".join(strip.text.rstrip() for strip in strips)

    @property
    def lines(self) -> list[str]:
        return self.text.split("\n")

    def of(self, name: str) -> str:
        """What one canvas of the top screen shows."""
        return "\n".join(line.text for line in self.app.screen.query_one(f"#{name}", Canvas).lines)


Open = Callable[..., AbstractAsyncContextManager[Stage]]


@pytest.fixture
def opened() -> Open:
    """Opens the dashboard: `async with opened(size=(80, 24)) as stage`."""

    @asynccontextmanager
    async def open_(
        size: tuple[int, int] = (80, 24), first: Snapshot | None = None, night: story.Night | None = None, **options: Any
    ) -> AsyncIterator[Stage]:
        engine = ScriptedEngine(first or story.snapshot(night=night), story.history(night=night))
        clock = DrivenClock(story.NOW, story.MONOTONIC)
        app = WatchfloorApp(engine.feed, clock=clock, **options)
        async with app.run_test(size=size, notifications=True, tooltips=True) as pilot:
            await pilot.pause()
            yield Stage(app, engine, clock, pilot)

    return open_
