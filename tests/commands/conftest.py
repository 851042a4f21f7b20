"""The program and a service for it to watch, for the commands' tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.running import Program
from tests.servers.things import Things, start_things


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path)


@pytest.fixture
def things() -> Iterator[Things]:
    with start_things(a="broken", b="broken", c="broken") as service:
        yield service
