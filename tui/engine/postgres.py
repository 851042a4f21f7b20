"""One PostgreSQL database, asked politely: one connection, short read-only transactions, hard time limits.

    look   a read-only transaction on the connection that is kept, one after the other over all panels
    act    a transaction on a connection of its own, opened for a deed and closed after it

Limits are set inside each transaction (`SET LOCAL`), never at connection start, so that they hold behind every pooler. They
do not bind a frozen server, so each wait has a deadline of ours as well. Past it the question is left to itself and the
connection with it: later looks wait for the same one, and after a while it is given up, once, for a new one. A server that
swallows questions thus holds two of our connections at the most, however long it lasts.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from msgspec import Struct
from psycopg.pq import TransactionStatus

from .clock import Clock
from .postgres_connection import connect, opened_within, sever, unheard
from .postgres_dsn import login
from .postgres_session import Connection, Session, broken, now
from .postgres_words import DatabaseError, failure, hangs
from .reading import Status
from .secrets import SecretText

__all__ = ["Database", "DatabaseError", "Session"]

SLOWEST_STATEMENT = 2.0
"""Seconds that a statement may take where its caller says nothing: ours take milliseconds on a server that is well."""
GIVEN_UP_AFTER = 15.0
"""Seconds after which a hanging connection is given up for a new one."""
STILL_CONNECTING = 60.0
"""Seconds for which one connection attempt is waited for, over many looks, before it is made anew."""
_REMEMBERED_TRIPS = 20


class _Hung(Struct):
    """A question that is unanswered past its deadline, and since when (monotonic seconds)."""

    task: asyncio.Future[Any]
    connection: Connection
    since: float


class Database:
    """The process's way to one database: the one connection that looks, or those that act, one at a time."""

    def __init__(self, dsn: SecretText, *, acts: bool, clock: Clock) -> None:
        self._dsn = dsn
        self._acts = acts
        self._clock = clock
        self._turn = asyncio.Lock()
        self._connection: Connection | None = None
        self._opening: asyncio.Task[Connection] | None = None
        self._opening_since = 0.0
        self._hung: _Hung | None = None
        self._given_up: int | None = None
        self._closed = False
        self._trips: deque[float] = deque(maxlen=_REMEMBERED_TRIPS)

    async def login(self) -> str:
        """The role as which the DSN logs in, without asking the server. Raises DatabaseError where it cannot be read."""
        return await login(self._dsn)

    @asynccontextmanager
    async def look(self, deadline: float, *, statement_timeout: float | None = None) -> AsyncIterator[Session]:
        """A read-only transaction within `deadline` seconds, waiting for its turn and a connection included.

        `statement_timeout` in seconds bounds each statement. Raises DatabaseError on entering where none is to be had, and
        inside where the server ends a statement or says nothing until the deadline.
        """
        assert not self._acts, "the acting connection does not look"
        until = now() + deadline
        await self._take_turn(until)
        try:
            session = await self._begin(until, statement_timeout or SLOWEST_STATEMENT)
            try:
                yield session
            except BaseException:
                await self._end(session, "ROLLBACK")
                raise
            await self._end(session, "COMMIT")
        finally:
            self._turn.release()

    @asynccontextmanager
    async def act(self, deadline: float) -> AsyncIterator[Session]:
        """A transaction on a connection of its own, committed on leaving. Raises DatabaseError; once it was entered, one
        that is `lost` means that what was asked may have been done."""
        until = now() + deadline
        connection = await self._open_apart(until)
        session = Session(connection, until, max(0.1, until - now()))
        try:
            await session.begin("READ WRITE")
            yield session
            await session.end("COMMIT")
        finally:
            session.leave()
            if session.hung:
                sever(connection, session.hung)
            else:
                connection.pgconn.finish()

    @asynccontextmanager
    async def aside(self, deadline: float) -> AsyncIterator[None]:
        """Gives the looking connection up and opens none while inside, so that a server that is full has a place for a
        deed: the one that was ours. Raises DatabaseError where its turn does not come within `deadline` seconds."""
        await self._take_turn(now() + deadline)
        try:
            if self._hung is None:
                self._drop()
            yield
        finally:
            self._turn.release()

    async def close(self) -> None:
        """Ends the connections; waits for nobody."""
        self._closed = True
        if self._opening:
            self._opening.cancel()
        if self._hung:
            sever(self._hung.connection, self._hung.task)
        elif self._connection:
            self._connection.pgconn.finish()
        self._connection, self._opening, self._hung = None, None, None

    # --- the looking connection --------------------------------------------------------------------------------------

    async def _take_turn(self, until: float) -> None:
        """One look at a time. Raises DatabaseError where the ones before it took all the time there was."""
        began = now()
        try:
            async with asyncio.timeout_at(until):
                await self._turn.acquire()
        except TimeoutError:
            if self._hung or self._opening:
                raise hangs(now() - began) from None
            raise failure(
                "deadline", "our other questions to it took all the time", "ask less often: `interval`", Status.UNKNOWN
            ) from None

    async def _begin(self, until: float, limit: float) -> Session:
        """A transaction on the kept connection. One that went away between two looks (a restart, a pooler) is replaced
        once, so that an idle end is no failure."""
        kept = self._connection is not None and self._hung is None
        for again in (kept, False):
            session = Session(await self._ready(until), until, min(limit, max(0.1, until - now())), self._trip)
            try:
                await session.begin("READ ONLY")
                await self._look_for_given_up(session)
                return session
            except DatabaseError as error:
                self._left(session)
                if not (error.lost and again and session.hung is None):
                    raise
            except BaseException:
                self._left(session)
                raise
        raise AssertionError("unreachable: the second round returns or raises")

    async def _end(self, session: Session, how: str) -> None:
        """Ends the transaction; a failure to do so costs the connection, not the answer."""
        with suppress(DatabaseError):
            if trip := await session.end(how):
                self._trips.append(trip)
        self._left(session)

    def _left(self, session: Session) -> None:
        """What becomes of the connection after a look: kept, waited for, or dropped where its state is not known."""
        session.leave()
        connection = self._connection
        if connection is None:
            return
        if session.hung is not None:
            self._hung = _Hung(session.hung, connection, self._clock.monotonic())
            session.hung.add_done_callback(unheard)
            if self._closed:
                sever(connection, session.hung)
        elif broken(connection) or connection.info.transaction_status is not TransactionStatus.IDLE:
            self._drop()

    @property
    def _trip(self) -> float:
        """Seconds of a bare round trip: the fastest of the last ones."""
        return min(self._trips, default=0.0)

    async def _ready(self, until: float) -> Connection:
        """The kept connection, or a new one. Raises DatabaseError."""
        if self._hung is not None:
            await self._wait_for_hung(self._hung, until)
        if self._connection is not None and broken(self._connection):
            self._drop()
        if self._connection is None:
            self._connection = await self._open(until)
            self._trips.clear()
        return self._connection

    async def _wait_for_hung(self, hung: _Hung, until: float) -> None:
        """Waits for an old question to end; then its connection is dropped, as nobody knows its state. Raises DatabaseError
        while it does not."""
        await asyncio.wait({hung.task}, timeout=max(0.0, until - now()))
        if hung.task.done():
            self._hung = None
            self._drop()
            return
        age = self._clock.monotonic() - hung.since
        if age > GIVEN_UP_AFTER and self._given_up is None:
            self._given_up = hung.connection.info.backend_pid
            sever(hung.connection, hung.task)
            self._hung, self._connection = None, None
        raise hangs(age)

    async def _look_for_given_up(self, session: Session) -> None:
        """Whether the session that was given up is gone: then another one may be, if need be."""
        if self._given_up is not None:
            sql = "SELECT 1 AS there FROM pg_catalog.pg_stat_activity WHERE pid = %s"
            if not await session.rows(sql, [self._given_up]):
                self._given_up = None

    async def _open(self, until: float) -> Connection:
        """A new connection. An attempt that is not through by the deadline goes on, and the next look waits for it: a
        frozen server must not collect attempts. Raises DatabaseError."""
        if self._opening is None or (self._opening.done() and self._opening.exception()):
            self._opening, self._opening_since = asyncio.ensure_future(self._connect()), self._clock.monotonic()
        opening = self._opening
        await asyncio.wait({opening}, timeout=max(0.0, until - now()))
        age = self._clock.monotonic() - self._opening_since
        if opening.done():
            self._opening = None
            return opening.result()
        if age > STILL_CONNECTING:
            opening.cancel()
            self._opening = None
        raise hangs(age, connecting=True)

    def _drop(self) -> None:
        """Closes the kept connection."""
        if self._connection is not None:
            self._connection.pgconn.finish()
            self._connection = None

    # --- any connection ----------------------------------------------------------------------------------------------

    async def _open_apart(self, until: float) -> Connection:
        """A new connection that nobody else will use. Raises DatabaseError; nothing was asked then."""
        return await opened_within(self._connect(), until)

    async def _connect(self) -> Connection:
        return await connect(self._dsn)
