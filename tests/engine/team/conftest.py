"""A database for the team, and a way to it that can be cut."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.engine.team.hosts import NUMBERS
from tests.servers.postgres import Server
from tests.servers.proxy import Proxy, start_proxy


@pytest.fixture
def dsn(postgres: Server) -> str:
    return postgres.new_database(f"team_{next(NUMBERS)}")


@pytest.fixture
def through(postgres: Server, dsn: str) -> Iterator[tuple[Proxy, str]]:
    """A way to the database that can be cut."""
    with start_proxy(postgres.port) as proxy:
        yield proxy, dsn.replace(f":{postgres.port}/", f":{proxy.port}/")
