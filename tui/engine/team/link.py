"""The one connection to the team's database: opened when it is needed, one transaction at a time, with hard limits.

Whatever goes wrong costs the connection: nobody knows its state then, and what was asked may have been done, which does no
harm, as entries are known by their uid and claims by their deed. Where the connection is direct, the server says at once when
somebody has added an entry; behind a pooler it cannot, and the poll of each second has to do.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

from ..postgres_connection import connect, opened_within, sever
from ..postgres_session import Connection, Session, broken, now
from ..postgres_words import failure, hangs
from ..reading import Status
from ..secrets import SecretText

STATEMENT = 2.0
"""Seconds that one statement may take."""
CHANNEL = "watchfloor_entry"
_USABLE = ("UTF8", "SQL_ASCII")
_MAKING = 7_463_221_905
"""The advisory lock under which the tables are made: two hosts may come at once."""


@cache
def statement(name: str) -> str:
    """The statement in `name.sql`, without its comments."""
    text = Path(__file__).with_name(f"{name}.sql").read_text(encoding="utf-8")
    return "\n".join(line for line in text.splitlines() if not line.startswith("--"))


class Link:
    """The connection. Lives in one loop."""

    def __init__(self, dsn: SecretText) -> None:
        self._dsn = dsn
        self._turn = asyncio.Lock()
        self._connection: Connection | None = None
        self._heard: int | None = None
        self.fresh = False
        """Whether the connection is a new one: the caller looks whether it is the same journal, and sets this to false."""

    @asynccontextmanager
    async def session(self, deadline: float, *, writes: bool = True) -> AsyncIterator[Session]:
        """A transaction within `deadline` seconds, waiting for its turn and a connection included; committed on leaving. Raises
        DatabaseError; then nobody knows whether what was asked was done."""
        until = now() + deadline
        try:
            async with asyncio.timeout_at(until):
                await self._turn.acquire()
        except TimeoutError:
            raise hangs(deadline) from None
        self.deaf()
        try:
            async with self._transaction(await self._ready(until), until, writes) as session:
                yield session
        finally:
            self._turn.release()

    @asynccontextmanager
    async def _transaction(self, connection: Connection, until: float, writes: bool) -> AsyncIterator[Session]:
        session = Session(connection, until, STATEMENT)
        try:
            await session.begin("READ WRITE" if writes else "READ ONLY")
            yield session
            if await session.end("COMMIT") is None:
                raise failure("query", "the connection was lost in the middle of a question", "", Status.UNKNOWN, lost=True)
        except BaseException:
            self._let_go(session.hung)
            raise
        finally:
            session.leave()

    async def _ready(self, until: float) -> Connection:
        """The connection, with tables and rights looked at where it is new. Raises DatabaseError."""
        if self._connection is not None and broken(self._connection):
            self._let_go()
        if self._connection is None:
            connection = await opened_within(connect(self._dsn), until)
            connection.add_notify_handler(lambda notify: None)  # that it came is all there is to know
            self._connection, self.fresh = connection, True
            async with self._transaction(connection, until, True) as session:
                await _prepare(session, connection)
        return self._connection

    def hear(self, woken: Callable[[], object]) -> None:
        """Calls `woken` when the server has something to say, until the next transaction: never while one is under way."""
        if self._turn.locked() or self._connection is None or broken(self._connection):
            return
        self._heard = self._connection.pgconn.socket
        asyncio.get_running_loop().add_reader(self._heard, woken)

    def deaf(self) -> None:
        """Stops listening: the driver watches the same socket while it asks."""
        if self._heard is not None:
            asyncio.get_running_loop().remove_reader(self._heard)
            self._heard = None

    def close(self) -> None:
        """Ends the connection; waits for nobody. Not while a transaction is under way, which ends it itself."""
        if not self._turn.locked():
            self._let_go()

    def _let_go(self, hung: asyncio.Future[Any] | None = None) -> None:
        self.deaf()
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if hung is not None:
            sever(connection, hung)
        else:
            connection.pgconn.finish()


async def _prepare(session: Session, connection: Connection) -> None:
    """Looks at what is there, makes what is missing, and asks to be told of news. Raises DatabaseError, with the GRANT that is
    missing."""
    found = await session.one(statement("rights"))
    if lacks := lacking(found):
        raise failure(*lacks, Status.UNKNOWN)
    if not found["there"]:
        await session.rows(f"SELECT pg_advisory_xact_lock({_MAKING})")
        for name in ("entries", "claims"):
            await session.rows(statement(name))
    if found["pid"] == connection.info.backend_pid:  # a pooler makes up a pid of its own
        await session.rows(f"LISTEN {CHANNEL}")


def lacking(rights: Mapping[str, Any]) -> tuple[str, str, str] | None:
    """What keeps us from sharing there, by what rights.sql found: where it fails, why, and what to do."""
    login, schema = quoted(rights["login"]), quoted(rights["schema"] or "public")
    if rights["encoding"] not in _USABLE:
        return "config", f"its encoding is {rights['encoding']}", "make a database with  ENCODING 'UTF8'"
    if not rights["there"] and not rights["may_create"]:
        says = f"it has no table watchfloor_entry, and {rights['login']} may not make it"
        make = f"GRANT CREATE ON SCHEMA {schema} TO {login};"
        return "rights", says, f"{make} or make both tables (docs/journal.md), and {grants(login)}"
    if rights["there"] and not rights["may_use"]:
        return "rights", f"{rights['login']} may not read and write its tables", grants(login)
    return None


def grants(login: str) -> str:
    """What a role needs that does not own the tables; its name quoted."""
    return (
        f"GRANT SELECT, INSERT ON watchfloor_entry TO {login}; "
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON watchfloor_claim TO {login};"
    )


def quoted(name: str) -> str:
    """A name as SQL takes it."""
    return '"' + name.replace('"', '""') + '"'
