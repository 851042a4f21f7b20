"""Tries the team's journal once, for `config check --connect`: who we are there, and what is missing. Makes nothing."""

from __future__ import annotations

from ..panel import Checked
from ..postgres_connection import connect, opened_within
from ..postgres_session import Session, now
from ..postgres_words import DatabaseError
from ..secrets import SecretText
from ..text import clean
from .link import STATEMENT, lacking, statement

DEADLINE = 5.0


async def check(url: SecretText) -> Checked:
    """A line for `[journal] url`."""
    source = clean(f"journal  {url.masked}")
    try:
        connection = await opened_within(connect(url), now() + DEADLINE)
        session = Session(connection, now() + DEADLINE, STATEMENT)
        try:
            await session.begin("READ ONLY")
            found = await session.one(statement("rights"))
        finally:
            connection.pgconn.finish()
    except DatabaseError as error:
        return Checked(source, False, clean(error), (error.failure.hint,) if error.failure.hint else ())
    lacks = lacking(found)
    tables = "its tables are there" if found["there"] else "its tables are made when it is first used"
    says = f"as {found['login']}: {lacks[1] if lacks else tables}"
    return Checked(source, True, clean(says), (clean(lacks[2]),) if lacks else ())
