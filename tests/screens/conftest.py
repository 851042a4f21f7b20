"""The dashboard on a scripted engine and a clock that stands still."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
from textual.events import Key
from textual.pilot import Pilot
from textual.timer import Timer

from tests import story
from tests.clocks import DrivenClock
from tests.screens.engine import ScriptedEngine
from tests.waiting import soon
from tui.engine.feed import Snapshot
from tui.screens.board import Board
from tui.screens.dashboard import WatchfloorApp
from tui.screens.live import Live
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

    def arrives(self, letter: str) -> None:
        """A letter comes in, as the driver's thread passes it on; nobody has looked at it yet."""
        assert self.app._driver is not None
        event = Key(letter, letter)
        event.set_sender(self.app)
        self.app._driver.send_message(event)

    async def publish(self, snapshot: Snapshot) -> None:
        """News from the engine, taken by the screen."""
        self.engine.publish(snapshot)
        await self.pilot.pause()

    async def stand(self, seconds: float = 0.6) -> None:
        """Time passes while the person reads."""
        self.clock.move(seconds)
        await self.pilot.pause()

    async def settle(self) -> None:
        """Until no `y` waits to settle any more, and what came of it is on screen. One that has waited may wait anew, once that
        is looked at: so it is over when nobody began to wait meanwhile."""
        made = -1
        while made != Timer._timer_count:
            made = Timer._timer_count
            await self._looked_at()
            await soon(lambda: not self._settling)
            await self._looked_at()

    async def _looked_at(self) -> None:
        """Behind what has come in: at the screen, what that passes on to the app, and what comes back from there."""
        for _ in range(3):
            await self.pilot.pause()

    @property
    def _settling(self) -> bool:
        """Whether a screen's timer waits for a `y` to settle."""
        timers = [timer for screen in self.app.screen_stack for timer in screen._timers if timer._interval == SETTLES]
        return any(timer._task is not None and not timer._task.done() for timer in timers)

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


@pytest.fixture(autouse=True)
def no_terminal_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is drawn is the same in every terminal, and without one."""
    for name in ("TERM", "COLORTERM", "NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)


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
