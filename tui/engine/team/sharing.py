"""Sharing: one round sends what is ours and takes what is theirs; whoever leads on a host makes one each second.

A round that is cut off anywhere is made again from the same marks: what arrived already is known by its uid. It never blocks
the poller, and while the team is out of reach (`alone`) entries wait here, in order.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from msgspec.structs import replace

from ..claims import Holder
from ..clock import Clock, clock_time
from ..journal import Entry, Journal, JournalError
from ..postgres_session import Session
from ..postgres_words import DatabaseError
from ..reading import no_answer
from ..secrets import SecretText
from ..setup import Setup
from ..text import EMPTY, Shown, clean
from ..threads import in_daemon_thread
from . import ledger
from .ledger import Away, Mark
from .link import CHANNEL, Link, statement
from .wire import arriving, leaving

EVERY = 1.0
"""Seconds between two rounds, where nothing wakes it earlier."""
WITHIN = 5.0
"""Seconds that a round may take; one that a person waits for has less."""
AT_ONCE = 3.0
"""Seconds that a person waits for the team at the most."""
LONGEST_WAIT = 10.0
"""Seconds between two tries while it is out of reach."""
SWEPT_EVERY = 3600.0
"""Seconds between two looks for claims that are long over."""
SENT_AT_ONCE = 200
TAKEN_AT_ONCE = 500


class Team:
    """One process's share in the team's journal. Lives in the engine's loop.

    `news` is called when entries of others arrived, or the team went out of reach or came back. One that `sends` nothing reads:
    what is said here meanwhile goes out when a process that may send shares for this host.
    """

    def __init__(
        self,
        dsn: SecretText,
        setup: Setup,
        journal: Journal,
        clock: Clock,
        news: Callable[[], object] = lambda: None,
        host: str = "",
        *,
        sends: bool = True,
    ) -> None:
        self._link = Link(dsn)
        self._journal = journal
        self._clock = clock
        self._news = news
        self._who = setup.user
        self._scope = {"dashboard": str(clean(setup.name)), "environment": str(clean(setup.environment))}
        self.host = clean(host or socket.gethostname())
        self._kept: Mark | None = None
        self._horizon = 0
        self._seen: dict[int, int] = {}
        self._away: Away | None = Away(clock.utc(), Shown("not asked yet"))
        self._tries = 0
        self._reached = float("-inf")
        self._swept = float("-inf")
        self._woken = asyncio.Event()
        self._running = False
        self._sends = sends

    # --- what others are told ----------------------------------------------------------------------------------------

    @property
    def alone(self) -> Shown:
        """Why others cannot see what is done here; empty while they can."""
        if self._away is None:
            return EMPTY
        since = "" if self._tries == 0 else f", since {clock_time(self._away.since)}"
        return clean(f"alone: others cannot see this (the team's journal: {self._away.says}{since})", 1000)

    def follow(self, away: Away | None) -> None:
        """What the process that shares for this host says of it: for one that only follows."""
        self._away, self._tries = away, 1

    # --- rounds ------------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Shares until cancelled: for the one process of a host that leads."""
        self._running = True
        try:
            while True:
                full = await self._try(WITHIN)
                if not full:
                    await self._pause()
        finally:
            self._running = False
            self._link.close()

    def poke(self) -> None:
        """There is something to send: the next round is made at once."""
        self._woken.set()

    async def look(self) -> Shown:
        """Sends and takes what there is, now, for somebody who waits; returns `alone`."""
        if self._clock.monotonic() - self._reached > EVERY or not self._running:
            until = self._clock.monotonic() + AT_ONCE
            while await self._try(AT_ONCE) and self._clock.monotonic() < until:
                pass
            self.rest()
        return self.alone

    def rest(self) -> None:
        """Keeps no connection that nobody needs: a host has one, that of the process which shares."""
        if not self._running:
            self._link.close()

    async def _pause(self) -> None:
        """Until the next round is due, somebody pokes, or the server says that there is news."""
        seconds = EVERY if not self._tries else min(LONGEST_WAIT, 2.0 ** min(self._tries, 5) / 2) * random.uniform(0.5, 1.0)  # noqa: S311  # jitter
        if not self._tries:
            self._link.hear(self._woken.set)
        waiting = [asyncio.ensure_future(self._clock.sleep(seconds)), asyncio.ensure_future(self._woken.wait())]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._woken.clear()
            self._link.deaf()
            for each in waiting:
                each.cancel()

    async def _try(self, within: float) -> bool:
        """A round, and what is known of the team after it; says whether there is more."""
        try:
            more, new = await self._twice(within)
        except (DatabaseError, JournalError) as error:
            await self._is_away(_in_words(error))
            return False
        self._reached = self._clock.monotonic()
        if self._away is not None:
            await self._is_back()
        elif new:
            self._news()
        return more

    async def _twice(self, within: float) -> tuple[bool, int]:
        """A round; where the kept connection had ended meanwhile (a restart, a pooler), once more on a new one."""
        try:
            return await self._round(within)
        except DatabaseError as error:
            if not error.lost or error.failure.phase == "deadline":
                raise
            return await self._round(within)

    async def _is_away(self, says: Shown) -> None:
        self._tries += 1
        was, self._away = self._away, Away(self._away.since if self._away and self._tries > 1 else self._clock.utc(), says)
        if was is None or was.says != says:
            await self._note(self._away)

    async def _is_back(self) -> None:
        self._away, self._tries = None, 0
        await self._note(None)

    async def _note(self, away: Away | None) -> None:
        """For those who follow; a file that cannot be written is said elsewhere."""
        if self._running:
            with suppress(JournalError):
                await in_daemon_thread(lambda: ledger.note_away(self._journal, away))
        self._news()

    async def _round(self, within: float) -> tuple[bool, int]:
        """Sends a page and takes a page, in one transaction. Returns whether there is more, and how many were new here."""
        mark, ours = await in_daemon_thread(self._due)
        async with self._link.session(within) as session:
            if self._link.fresh:
                if mark.seq and not (await session.one(statement("same"), {"seq": mark.seq, "uid": mark.uid}))["same"]:
                    await in_daemon_thread(lambda: ledger.start_over(self._journal))
                    return True, 0
                self._link.fresh = False
            await self._push(session, ours)
            page = await self._pull(session, mark)
        if not ours and page[0]["seq"] is None:
            return self._took(mark, ours, page)  # nothing is written: no need for a thread
        return await in_daemon_thread(lambda: self._took(mark, ours, page))

    def _due(self) -> tuple[Mark, Sequence[Entry]]:
        """How far we are, and what is to be sent. The horizon is remembered here where nothing was to be written with it."""
        kept = ledger.mark_of(self._journal)
        if kept != self._kept:
            self._kept, self._horizon, self._seen = kept, kept.horizon, {}
        return kept, self._journal.ours(kept.sent, SENT_AT_ONCE) if self._sends else ()

    async def _push(self, session: Session, ours: Sequence[Entry]) -> None:
        """Adds ours, and tells those who listen."""
        columns = leaving(ours)
        if columns["uid"]:
            given = {**columns, **self._scope, "origin": self.host}
            if await session.rows(statement("push"), given):
                await session.rows(f"SELECT pg_notify('{CHANNEL}', '')")

    async def _pull(self, session: Session, mark: Mark) -> list[dict[str, Any]]:
        wanted = {"seq": mark.seq, "horizon": self._horizon, "seen": list(self._seen), "most": TAKEN_AT_ONCE}
        return await session.rows(statement("pull"), {**self._scope, **wanted})

    def _took(self, mark: Mark, ours: Sequence[Entry], page: list[dict[str, Any]]) -> tuple[bool, int]:
        """After the commit: what came stands in the journal, and the marks with it."""
        horizon = page[0]["horizon"]
        rows = [row for row in page if row["seq"] is not None]
        full = len(rows) == TAKEN_AT_ONCE
        if full and rows[-1]["seq"] < mark.seq:
            horizon = self._horizon  # of what became visible late there may be more on the next page
        kept, new = mark, 0
        if ours:
            kept = replace(kept, sent=ours[-1].id)
            ledger.note_sent(self._journal, mark, kept.sent)
        if rows:
            newest = rows[-1] if rows[-1]["seq"] > mark.seq else {"seq": mark.seq, "uid": mark.uid}
            kept = replace(kept, seq=newest["seq"], uid=newest["uid"], horizon=horizon)
            new = ledger.take(self._journal, [arriving(row) for row in rows], mark, kept)
        self._kept, self._horizon = kept, horizon
        self._seen |= {row["seq"]: row["xact"] for row in rows}
        self._seen = {seq: xact for seq, xact in self._seen.items() if xact >= horizon}
        return full or len(ours) == SENT_AT_ONCE, new

    # --- claims ------------------------------------------------------------------------------------------------------

    async def claim(self, action: str, keys: Sequence[str], deed: str, lasts: float) -> Holder | None:
        """Takes the targets for a deed, for `lasts` seconds; for the same deed again it makes that longer. Returns who has one
        of them, and then takes none. Raises DatabaseError where the team is out of reach: then nobody knows."""
        given = self._claimed(action, keys, deed)
        if self._running and self._away is not None:
            raise no_answer("connect", self._away.says)  # it is tried all the time: nobody need wait for one try more
        async with self._link.session(AT_ONCE) as session:
            await self._sweep(session)
            taken = await session.rows(statement("claim"), {**given, "who": self._who, "origin": self.host, "lasts": lasts})
            if len(taken) == len(given["items"]):
                return None
            await session.rows(statement("release"), given)
            found = await session.rows(statement("holder"), given)
        if not found:
            return Holder(Shown("somebody"), EMPTY, 0.0)  # who has just ended
        return Holder(clean(found[0]["who"]), clean(found[0]["origin"]), found[0]["for_s"])

    async def _sweep(self, session: Session) -> None:
        """Forgets claims that are long over, now and then."""
        if self._clock.monotonic() - self._swept > SWEPT_EVERY:
            self._swept = self._clock.monotonic()
            await session.rows(statement("forget"), self._scope)

    async def release(self, action: str, keys: Sequence[str], deed: str) -> None:
        """The deed has its outcome. Raises DatabaseError; then the claim ends by its time."""
        async with self._link.session(AT_ONCE) as session:
            await session.rows(statement("release"), self._claimed(action, keys, deed))

    def _claimed(self, action: str, keys: Sequence[str], deed: str) -> dict[str, Any]:
        """A deed's targets as the statements take them: each key by its hash, as a key may be of any length."""
        items = sorted({hashlib.sha256(json.dumps(key).encode()).hexdigest() for key in keys})
        return {**self._scope, "action": action, "items": items, "deed": deed}


def _in_words(error: DatabaseError | JournalError) -> Shown:
    """Why a round failed; with what to do where that is for us to do."""
    if isinstance(error, JournalError):
        return clean(error)
    failure = error.failure
    return clean(
        f"{failure.says}: {failure.hint}" if failure.hint and failure.phase in ("rights", "config") else failure.says, 900
    )
