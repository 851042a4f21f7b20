"""One open transaction on one connection: what a probe or an action asks through.

A question past its deadline is left to itself, never cancelled: what becomes of its connection is `postgres.py`'s business.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeVar

import psycopg
from psycopg.pq import ConnStatus
from psycopg.rows import DictRow

from .postgres_words import MARK, ended_statement, failure, hangs
from .reading import Status

T = TypeVar("T")
Connection = psycopg.AsyncConnection[DictRow]
Parameters = Mapping[str, Any] | Sequence[Any] | None

_FIRST_WORD = re.compile(r"^\s*(\w+)")
LONGEST_LOCK_WAIT = 0.5
IDLE_LIMIT = 5.0
"""Seconds past the deadline after which the server ends a transaction of ours that was left open."""


class Session:
    """An open transaction. Statements run one at a time; `%(name)s` or `%s` stand for parameters, which the server binds
    (with parameters a literal percent sign is `%%`)."""

    def __init__(self, connection: Connection, until: float, limit: float, trip: float = 0.0) -> None:
        self._connection = connection
        self._until = until
        self._limit = limit
        self._trip = trip
        self.spent = 0.0
        """Seconds of server time so far: the statements' round trips, less what a bare round trip takes. For `Found.spent`."""
        self.notices: list[str] = []
        """What the server remarked besides (raw), such as `PID 7 is not a PostgreSQL backend process`."""
        self.hung: asyncio.Future[Any] | None = None
        connection.add_notice_handler(self._noticed)

    async def rows(self, sql: str, parameters: Parameters = None) -> list[dict[str, Any]]:
        """A statement's rows as dictionaries; none where it returns none. Raises DatabaseError, a ProbeError."""
        return await self._timed(self._execute(_FIRST_WORD.sub(rf"\1 {MARK}", sql, count=1), parameters))

    async def one(self, sql: str, parameters: Parameters = None) -> dict[str, Any]:
        """The only row of a statement that always has one. Raises DatabaseError, also where there is none."""
        found = await self.rows(sql, parameters)
        if len(found) != 1:
            raise failure("query", f"expected one row, found {len(found)}", "", Status.UNKNOWN)
        return found[0]

    @property
    def server_version(self) -> int:
        """As libpq gives it: 150018."""
        return self._connection.info.server_version

    async def begin(self, mode: str) -> None:
        """Opens the transaction with its limits in force."""
        limits = {
            "statement_timeout": self._limit,
            "lock_timeout": min(LONGEST_LOCK_WAIT, self._limit),
            "idle_in_transaction_session_timeout": max(0.0, self._until - now()) + IDLE_LIMIT,
        }
        # As one SELECT, which pg_stat_statements counts as one statement whatever the figures; each SET LOCAL with another
        # figure would be one of its own there, and push out the application's.
        settings = [f"set_config('{name}', '{_ms(seconds)}', true)" for name, seconds in limits.items()]
        settings.append("set_config('jit', 'off', true)")
        await self._timed(self._execute(f"BEGIN {mode}; SELECT {MARK} {', '.join(settings)}", None))

    async def end(self, how: str) -> float | None:
        """`COMMIT` or `ROLLBACK`; nothing where the connection is gone or busy. Returns the seconds it took: the end of a
        transaction that only read is a bare round trip."""
        if self.hung is not None or broken(self._connection):
            return None
        began = time.perf_counter()
        await self._within(self._execute(how, None))
        return time.perf_counter() - began

    def leave(self) -> None:
        """Stops listening; the connection may go on."""
        with suppress(ValueError):
            self._connection.remove_notice_handler(self._noticed)

    async def _execute(self, sql: str, parameters: Parameters) -> list[dict[str, Any]]:
        cursor = await self._connection.execute(sql.encode(), parameters)
        return await cursor.fetchall() if cursor.description else []

    async def _timed(self, question: Coroutine[Any, Any, T]) -> T:
        """The answer, its server time added to what was spent."""
        began = time.perf_counter()
        answer = await self._within(question)
        self.spent += max(0.0, time.perf_counter() - began - self._trip)
        return answer

    async def _within(self, question: Coroutine[Any, Any, T]) -> T:
        """The answer by the deadline. Past it, or when cancelled, the question is left to itself as `hung`: cancelling it
        would make psycopg wait for the server five seconds more."""
        began = now()
        task = asyncio.ensure_future(question)
        try:
            await asyncio.wait({task}, timeout=max(0.0, self._until - began))
        except asyncio.CancelledError:
            self.hung = task
            raise
        if not task.done():
            self.hung = task
            raise hangs(now() - began)
        try:
            return task.result()
        except psycopg.Error as error:
            raise ended_statement(error, self._limit, broken=broken(self._connection)) from None

    def _noticed(self, diagnostic: psycopg.errors.Diagnostic) -> None:
        self.notices.append(diagnostic.message_primary or "")


def broken(connection: Connection) -> bool:
    """Whether the connection is gone, as far as our side knows."""
    return connection.closed or connection.pgconn.status is ConnStatus.BAD


def now() -> float:
    """The loop's own clock, for waiting: a driven clock must not stop a deadline."""
    return asyncio.get_running_loop().time()


def _ms(seconds: float) -> int:
    return max(1, round(seconds * 1000))
