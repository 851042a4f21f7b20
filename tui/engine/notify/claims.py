"""Claims in the journal: a notification is written down before it is sent, so that two pollers never tell twice.

Written, then read back: the first claim of a thing counts, whoever made it. Over hosts, which read each other's entries a
moment later, it is taken in the team's journal first. Where the journal cannot be written people are told all the same, and it
is said that they may be told twice: a full disk must keep nobody from being called.
"""

from __future__ import annotations

import asyncio
import sqlite3
import uuid
from collections.abc import Awaitable, Callable, Sequence
from itertools import count
from typing import TypeVar

from ..alert import Alert
from ..clock import Clock
from ..entries import AlertMoved, Claimed, Said, Told, Untold
from ..journal import Entry, Journal, JournalError
from ..reading import ProbeError
from ..redact import redact
from ..text import EMPTY, Shown, clean
from ..threads import in_daemon_thread
from .due import Due
from .ledger import IN_FLIGHT, KEPT, Ledger

WHO = "watchfloor"
KINDS = (Claimed.kind, Told.kind, Untold.kind)
T = TypeVar("T")
TeamClaim = Callable[[str, Sequence[str], str, float], Awaitable[object]]
"""Takes things of a kind for a holder, for seconds, over all hosts: None where it is ours. Raises ProbeError where nobody can
be asked. `Together.claim` is one."""


class Claims:
    """The way into the journal and back. `ledger` is what was read so far."""

    def __init__(self, journal: Journal | None, clock: Clock, team: TeamClaim | None = None) -> None:
        self.ledger = Ledger()
        self.loaded = False
        self.problem: Shown = EMPTY
        """Why nothing can be recorded; empty where all is well."""
        self._journal = journal
        self._clock = clock
        self._team = team
        self._me = uuid.uuid4().hex
        self._last: int | None = None
        self._unwritten = count(-1, -1)
        self._one_at_a_time = asyncio.Lock()

    async def refresh(self) -> None:
        """Reads what was written since, by whichever process; all of it the first time."""
        async with self._one_at_a_time:
            await self._refresh()

    async def _refresh(self) -> None:
        journal = self._journal
        if journal is not None:
            for entry in await self._done(lambda: self._read(journal)) or ():
                self.ledger.apply(entry.id, entry.at, entry.said, here=entry.origin is None)
        self.loaded = True

    def _read(self, journal: Journal) -> Sequence[Entry]:
        """What is new; the first time all that is young enough to matter. Blocks for the disk. Raises JournalError."""
        if self._last is None:
            last = journal.newest()
            found = [each for each in journal.entries(self._clock.utc() - KEPT, KINDS) if each.id <= last]
        else:
            found = list(journal.after(self._last))
            last = found[-1].id if found else self._last
        self._last = last
        return found

    async def claim(self, wanted: Sequence[Due]) -> list[Due]:
        """Those that are ours to tell: nobody claimed them before."""
        free = [each for each in wanted if await self._is_free(each)]
        async with self._one_at_a_time:
            ids = {}
            for each in free:
                if not each.again:
                    ids[each.key] = await self._say(Claimed(*each.written))
            await self._refresh()
        return [each for each in free if each.again or self._is_ours(each, ids[each.key])]

    async def _is_free(self, each: Due) -> bool:
        """Whether no other host tells it just now. Where nobody can be asked it is: twice told is better than never."""
        if self._team is None:
            return True
        thing = f"{each.alert.fingerprint} {each.mark.kind}:{each.mark.detail}"  # other hosts name the episode otherwise
        try:
            return await self._team(f"notify/{each.channel}", (thing,), self._me, IN_FLIGHT) is None
        except ProbeError:
            return True

    def _is_ours(self, due: Due, id_: int) -> bool:
        standing = self.ledger.standing(due.alert.fingerprint, due.channel, due.mark)
        return standing is None or standing.id == id_

    async def told(self, those: Sequence[Due], tries: int) -> None:
        """They arrived."""
        await self._settle([Told(*each.written, tries) for each in those])

    async def untold(self, those: Sequence[Due], says: str, tries: int) -> None:
        """They did not, and nobody holds them any more."""
        await self._settle([Untold(*each.written, redact(says), tries) for each in those])

    async def _settle(self, sayings: Sequence[Said]) -> None:
        async with self._one_at_a_time:
            for each in sayings:
                await self._say(each)
            await self._refresh()

    async def _say(self, said: Said) -> int:
        """The entry's id; below 0 where it could not be written, and is known to this process alone."""
        journal, now = self._journal, self._clock.utc()
        written = await self._done(lambda: journal.say(now, WHO, said)) if journal is not None else None
        if written is not None:
            self.problem = EMPTY
            return written
        id_ = next(self._unwritten)
        self.ledger.apply(id_, now, said)
        return id_

    async def _done(self, call: Callable[[], T]) -> T | None:
        """A call to the journal in a thread; None, and `problem` set, where the disk does not let it."""
        try:
            found = await in_daemon_thread(call, "watchfloor-claims")
        except (JournalError, sqlite3.Error) as error:
            self.problem = clean(f"notifications cannot be recorded, people may be told twice: {error}")
            return None
        return found

    async def last_seen(self, fingerprint: str) -> Alert | None:
        """An alert as it last moved, for one that is not there any more."""
        journal, since = self._journal, self._clock.utc() - KEPT
        if journal is None:
            return None
        entries: Sequence[Entry] = await self._done(lambda: journal.entries(since, (AlertMoved.kind,))) or ()
        for entry in reversed(entries):
            said = entry.said
            if isinstance(said, AlertMoved) and said.alert.fingerprint == fingerprint:
                return said.alert
        return None
