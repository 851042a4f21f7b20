"""One connection to a PostgreSQL: opened within its time, and ended while a question is under way on it."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

import psycopg
from psycopg.rows import dict_row

from .postgres_dsn import destination
from .postgres_session import Connection, now
from .postgres_words import hangs, took_no_connection
from .secrets import SecretText


async def opened_within(connecting: Coroutine[Any, Any, Connection], until: float) -> Connection:
    """The connection that is being opened, within the time left. Raises DatabaseError; nothing was asked then."""
    began = now()
    opening = asyncio.ensure_future(connecting)
    try:
        await asyncio.wait({opening}, timeout=max(0.0, until - began))
    finally:
        if not opening.done():
            opening.cancel()
    if not opening.done():
        raise hangs(now() - began, connecting=True)
    return opening.result()


async def connect(dsn: SecretText) -> Connection:
    """A new connection, which commits each statement by itself. Raises DatabaseError."""
    there = await destination(dsn)
    try:
        return await psycopg.AsyncConnection.connect(
            autocommit=True,
            prepare_threshold=None,  # a pooler gives each transaction another server connection
            row_factory=dict_row,
            **there.parameters,  # type: ignore[arg-type]  # libpq's own, all strings
        )
    except psycopg.Error as error:
        problem = took_no_connection(error, there.login, there.where)
        if problem.failure.phase == "rights":
            dsn.forget()
        raise problem from None


def sever(connection: Connection, task: asyncio.Future[Any]) -> None:
    """Ends a connection while a question is under way on it. The socket is shut down rather than closed: the question then
    ends by itself, and no new file can take its descriptor's number while the loop still watches it."""
    with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(connection.pgconn.socket)) as same:
        same.shutdown(socket.SHUT_RDWR)

    def finish(ended: asyncio.Future[Any]) -> None:
        unheard(ended)
        connection.pgconn.finish()

    task.add_done_callback(finish)


def unheard(task: asyncio.Future[Any]) -> None:
    """Takes a late result, so that nothing complains that nobody did."""
    if not task.cancelled():
        task.exception()
