"""A database for the team, and a way to it that can be cut."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.engine.team.hosts import NUMBERS
from tests.servers.postgres import Server
from tests.servers.proxy import Proxy, start_proxy
from tests.waiting import LONG
from tui.engine import postgres_session
from tui.engine.team import link, sharing


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever looks or claims waits for the team, and for another one's claim, for as long as the machine takes: a test's
    process that stands still holds up the others that it plays too."""
    monkeypatch.setattr(sharing, "AT_ONCE", LONG)
    monkeypatch.setattr(link, "STATEMENT", LONG)
    monkeypatch.setattr(postgres_session, "LONGEST_LOCK_WAIT", LONG)


@pytest.fixture
def dsn(postgres: Server, patient: None) -> str:
    return postgres.new_database(f"team_{next(NUMBERS)}")


@pytest.fixture
def through(postgres: Server, dsn: str) -> Iterator[tuple[Proxy, str]]:
    """A way to the database that can be cut."""
    with start_proxy(postgres.port) as proxy:
        yield proxy, dsn.replace(f":{postgres.port}/", f":{proxy.port}/")
