"""The program, and a small service for it to watch in a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.running import Program
from tests.servers.things import Things, start_things

INTERVAL = 0.5


@pytest.fixture
def things() -> Iterator[Things]:
    with start_things(a="broken") as service:
        yield service


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path)


def health_only(things: Things) -> str:
    return f"""
[watchfloor]
name = "shop"
environment = "demo"
interval = "{INTERVAL}s"
[[panel]]
kind = "health"
[[panel.endpoint]]
name = "readyz"
url = "{things.url}/readyz"
deadline = "10s"                  # that a busy machine stood still for a moment says nothing of the service
[[panel.endpoint]]
name = "second"
url = "{things.url}/readyz?again"
deadline = "10s"
"""
