"""What is said of alerts, written down and heard: into the journal before it takes effect, and out of it onto the desk.

    here:       say ──▶ journal (on the disk) ──▶ desk
    elsewhere:                 journal ──`catch_up`, each second──▶ desk

So every dashboard of this host says the same, and after a restart what was said before. Journal calls block for the disk: each
is made in a thread of its own.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

from .ask import Unrecorded
from .clock import Clock
from .desk import Desk
from .entries import (
    Acknowledged,
    CalledFalse,
    CameBack,
    Maintained,
    Marked,
    Paged,
    Said,
    Silenced,
    SilenceEnded,
    Unacknowledged,
)
from .journal import Entry, Journal, JournalError
from .term import Deposed, Fence
from .threads import in_daemon_thread

READ_BACK = 90 * 86400.0
"""Seconds of the past that are read at the start."""
HEARD = tuple(
    each.kind
    for each in (
        Acknowledged,
        Unacknowledged,
        CameBack,
        Silenced,
        Maintained,
        SilenceEnded,
        CalledFalse,
        Paged,
        Marked,
    )
)
"""The kinds read at the start. That an alert ended need not be: an acknowledgement is not older than its alert."""
MOST_WAITING = 2000
"""So much waits for a disk that takes nothing; the oldest is given up."""
ITSELF = "watchfloor"
"""Who says what no person said."""


class Sayings:
    """The desk's way to the journal and back. Lives in the engine's loop. `heard` is called when something was taken."""

    def __init__(self, journal: Journal | None, desk: Desk, clock: Clock, heard: Callable[[], None]) -> None:
        self._journal = journal
        self.desk = desk
        self._clock = clock
        self._heard = heard
        self._last = 0
        self._reading = asyncio.Lock()
        self._under_way: dict[Said, asyncio.Task[None]] = {}
        self._waiting: deque[tuple[float, Said]] = deque(maxlen=MOST_WAITING)
        self._writing: asyncio.Task[None] | None = None
        self.listeners: list[Callable[[Entry], None]] = []
        """Who else is to hear each new entry, of whatever kind, in the order written; in the loop."""
        self.fence: Callable[[], Fence | None] = lambda: None
        """What is asked, in the same transaction, whether this process may still say what the one who polls says by itself."""

    async def start(self) -> None:
        """Takes what was said before. An unreadable journal says so elsewhere, and has said nothing."""
        journal = self._journal
        if journal is None:
            return
        since = self._clock.utc() - READ_BACK
        try:
            last, found = await in_daemon_thread(lambda: (journal.newest(), journal.entries(since, HEARD)))
        except JournalError:
            return
        for entry in found:
            if entry.id <= last:  # what came in between is caught up with, by all who listen
                self.desk.apply(entry)
        self._last = last

    async def catch_up(self) -> Sequence[Entry]:
        """Takes what was written since, by whichever process of this host; returns it."""
        journal = self._journal
        if journal is None:
            return ()
        async with self._reading:
            last = self._last
            try:
                found = await in_daemon_thread(lambda: journal.after(last))
            except JournalError:
                return ()
            for entry in found:
                self.desk.apply(entry)
                for listener in self.listeners:
                    listener(entry)
            if found:
                self._last = found[-1].id
        if any(entry.kind in HEARD for entry in found):
            self._heard()
        return found

    async def say(self, who: str, said: Said, at: float | None = None, fence: Fence | None = None) -> None:
        """Writes it down, and then takes it; `at` is when it was so (UTC seconds), now where it is not given. Raises Unrecorded
        where it cannot be written, and what `fence` raises: then it was not said."""
        journal = self._journal
        if journal is None:
            raise Unrecorded("there is no journal here: what cannot be recorded does not happen")
        from .kept import kept_word  # late: nothing is said before the first picture

        when, written = self._clock.utc() if at is None else at, kept_word(said)
        try:
            await in_daemon_thread(lambda: journal.say(when, who, written, fence))
        except JournalError as error:
            raise Unrecorded(str(error)) from error
        await self.catch_up()

    def say_soon(self, said: Said) -> None:
        """What the one who polls says by itself (`came back`, `paged`), once while it is being written. Without a journal
        nothing was acknowledged, so there is nothing to say."""
        if self._journal is None or said in self._under_way:
            return
        task = asyncio.ensure_future(self._say_quietly(said))
        self._under_way[said] = task
        task.add_done_callback(lambda _: self._under_way.pop(said, None))

    def write_down(self, said: Sequence[Said], at: float) -> None:
        """What the one who polls has seen happen (alerts that moved), each once and in order, as soon as the disk takes it."""
        if self._journal is None or not said:
            return
        self._waiting.extend((at, each) for each in said)
        if self._writing is None or self._writing.done():
            self._writing = asyncio.ensure_future(self._write())

    async def _write(self) -> None:
        """Until nothing waits; over a full disk it tries again."""
        while self._waiting:
            at, said = self._waiting[0]
            try:
                await self.say(ITSELF, said, at, self.fence())
            except Deposed:
                self._waiting.clear()  # another process polls by now, and says it in its own words
                return
            except Unrecorded:
                await self._clock.sleep(1.0)
                continue
            self._waiting.popleft()

    async def written(self, within: float) -> None:
        """Waits until what waits is written, for so many seconds at most."""
        if self._writing is not None:
            await asyncio.wait([self._writing], timeout=within)

    async def _say_quietly(self, said: Said) -> None:
        """A full disk shows a banner of its own; the next judgement says it again."""
        try:
            await self.say(ITSELF, said, fence=self.fence())
        except Deposed:
            return
        except Unrecorded:
            await self._clock.sleep(1.0)
