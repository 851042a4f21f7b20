"""An engine's way to the team's journal (`team/`): loaded when it is first needed, and nothing at all where no url is set.

leads    shares, each second                       (every engine that polls)
follows  reads from the file what that one noted    (every other)
acts     looks and claims over a connection of its own, for as long as a deed takes
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from .claims import Holder
from .clock import Clock
from .feed import Level
from .journal import Journal, JournalError
from .reading import ProbeError
from .setup import Setup
from .text import EMPTY, Shown
from .threads import in_daemon_thread

if TYPE_CHECKING:
    from .team import Team

LOOK = 1.0
"""Seconds between two looks of one that follows."""


class Together:
    """The team's journal as one engine needs it; at the level *watch* nothing leaves for it. `news` is called in the loop when
    others' entries came, or the team went out of reach or came back."""

    def __init__(self, setup: Setup, level: Level, journal: Journal | None, clock: Clock, news: Callable[[], object]) -> None:
        self._setup = setup
        self._level = level
        self._journal = journal
        self._clock = clock
        self._news = news
        self._team: Team | None = None
        self._leads = False
        self._changed = asyncio.Event()

    @property
    def alone(self) -> Shown:
        """Why others cannot see what is done here; empty while they can, and where there is no team's journal."""
        if not self.configured:
            return EMPTY
        return self._team.alone if self._team else Shown("alone: the team's journal is not reached yet")

    @property
    def configured(self) -> bool:
        """Whether there is a team to share with."""
        return self._setup.journal_url is not None and self._journal is not None

    def lead(self, leads: bool) -> None:
        """Whether this process is the one of its host that shares."""
        self._leads = leads
        self._changed.set()

    def poke(self) -> None:
        """Something was said here: it is sent at once."""
        if self._team:
            self._team.poke()

    async def run(self) -> None:
        """Shares or follows, until cancelled; returns at once where there is nothing to share with."""
        if not self.configured:
            return
        team = await self._load()
        while True:
            self._changed.clear()
            if self._leads:
                await self._until_changed(team.run())
            else:
                await self._until_changed(self._follow(team))

    async def look(self) -> Shown:
        """`alone`, after sending and taking what there is: for a plan, which a person waits for."""
        return await (await self._load()).look() if self.configured else EMPTY

    async def claim(self, action: str, keys: Sequence[str], deed: str, lasts: float) -> Holder | None:
        """Takes targets for a deed (again: for longer); returns who has one. Raises ProbeError where it cannot be asked."""
        return await (await self._load()).claim(action, keys, deed, lasts) if self.configured else None

    async def release(self, action: str, keys: Sequence[str], deed: str) -> None:
        """The deed has its outcome; where that cannot be told, its claim ends by its time."""
        if not self.configured:
            return
        team = await self._load()
        with suppress(ProbeError):
            await team.release(action, keys, deed)
        team.poke()
        team.rest()

    async def part(self, within: float) -> None:
        """The process is ending: sends what was said and done here; what is left the next one sends."""
        if self._team is None or self._team.alone:
            return
        with suppress(TimeoutError):
            await asyncio.wait_for(self._team.look(), within)

    async def _load(self) -> Team:
        if self._team is None:
            from_config, journal = self._setup.journal_url, self._journal
            assert from_config is not None and journal is not None
            made = await in_daemon_thread(_team_class)
            self._team = self._team or made(
                from_config, self._setup, journal, self._clock, self._news, sends=self._level is not Level.WATCH
            )
        return self._team

    async def _follow(self, team: Team) -> None:
        """What the one who shares notes of the team, each second."""
        from .team.ledger import away_of

        journal = self._journal
        assert journal is not None
        while True:
            before = team.alone
            with suppress(JournalError):
                team.follow(await in_daemon_thread(lambda: away_of(journal)))
            if team.alone != before:
                self._news()
            await self._clock.sleep(LOOK)

    async def _until_changed(self, doing: Coroutine[Any, Any, None]) -> None:
        """Does it until the role changes."""
        task = asyncio.ensure_future(doing)
        changed = asyncio.ensure_future(self._changed.wait())
        try:
            await asyncio.wait({task, changed}, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                task.result()
        finally:
            task.cancel()
            changed.cancel()


def _team_class() -> type[Team]:
    """Late: psycopg costs 160 ms, and most configs share with nobody."""
    from .team import Team

    return Team
