"""One PostgreSQL database, asked politely: one connection, short read-only transactions, hard time limits.

STUB, being written by the database panel's author; the interface below is agreed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from .clock import Clock
from .secrets import SecretText


class Session(Protocol):
    """An open transaction."""

    async def rows(self, sql: str, parameters: Mapping[str, Any] | Sequence[Any] | None = None) -> list[dict[str, Any]]:
        """A statement's rows as dictionaries. Raises ProbeError."""
        ...

    async def one(self, sql: str, parameters: Mapping[str, Any] | Sequence[Any] | None = None) -> dict[str, Any]:
        """A statement's only row."""
        ...

    @property
    def server_version(self) -> int:
        """As libpq gives it: 150018."""
        ...


@dataclass(frozen=True)
class Spent:
    """Server time, in seconds, as measured round the statements."""

    seconds: float


class Database:
    """The process's one looking (or acting) connection to a database."""

    def __init__(self, dsn: SecretText, *, acts: bool, clock: Clock) -> None:
        raise NotImplementedError

    def look(self, deadline: float, *, statement_timeout: float | None = None) -> AbstractAsyncContextManager[Session]:
        """A read-only transaction within `deadline` seconds. Raises ProbeError on entering where none is to be had."""
        raise NotImplementedError

    def act(self, deadline: float) -> AbstractAsyncContextManager[Session]:
        """A transaction of its own on the acting connection, which is opened for it and closed after it."""
        raise NotImplementedError

    async def close(self) -> None:
        """Ends the connection."""
