"""Hosts with journals of their own that share them through one PostgreSQL."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
from msgspec.structs import replace

from tests import theirs
from tui.engine.clock import SystemClock
from tui.engine.entries import Unacknowledged
from tui.engine.journal import Journal
from tui.engine.secrets import SecretText
from tui.engine.team import Team

NUMBERS = count()
SETUP = theirs.setup("http://127.0.0.1:1")


class Host:
    """A host with a journal of its own, and its share in the team's."""

    def __init__(
        self,
        name: str,
        dsn: str,
        path: Path | str = ":memory:",
        user: str = "anna",
        setup: Any = SETUP,
        *,
        sends: bool = True,
    ) -> None:
        self.name = name
        self.journal = Journal(path)
        self.news = 0
        secret, setup = SecretText(dsn, is_url=True), replace(setup, user=user)
        self.team = Team(secret, setup, self.journal, SystemClock(), self._news, name, sends=sends)
        self.user = user

    def _news(self) -> None:
        self.news += 1

    def say(self, *fingerprints: str) -> None:
        """One entry each, told apart by its fingerprint."""
        for each in fingerprints:
            self.journal.say(100.0, self.user, Unacknowledged((each,)))

    @property
    def said(self) -> list[str]:
        """The fingerprints of every entry here, in order."""
        return [each.data["fingerprints"][0] for each in self.journal.after(0)]

    def said_by(self, origin: str | None) -> list[str]:
        return [each.data["fingerprints"][0] for each in self.journal.after(0) if each.origin == origin]


@asynccontextmanager
async def sharing_of(*hosts: Host) -> AsyncIterator[None]:
    """All share, each in a task of its own."""
    tasks = [asyncio.ensure_future(host.team.run()) for host in hosts]
    try:
        yield
        assert not [task for task in tasks if task.done()], "sharing goes on whatever happens"
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


def rows(dsn: str, what: str = "*", rest: str = "ORDER BY seq") -> list[Any]:
    with psycopg.connect(dsn, autocommit=True) as connection:
        return connection.execute(f"SELECT {what} FROM watchfloor_entry {rest}").fetchall()


def insert(connection: psycopg.Connection[Any], fingerprint: str) -> None:
    connection.execute(
        "INSERT INTO watchfloor_entry (uid, origin, dashboard, environment, at, kind, version, who, data)"
        " VALUES (%s, 'slow', 'shop', 'demo', 1, 'unacknowledged', 1, 'carl', %s)",
        [f"uid-{fingerprint}", json.dumps({"fingerprints": [fingerprint]})],
    )
