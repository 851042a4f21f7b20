"""What every test may use: a real PostgreSQL, a real Prometheus; and what every test leaves as it found it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

# Hundreds of programs are started here: compiled once, into a folder apart, each starts in a tenth of the time and the checkout
# stays clean.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
os.environ["PYTHONPYCACHEPREFIX"] = f"{tempfile.gettempdir()}/watchfloor-tests-compiled-{os.getuid()}"

from tests.servers.postgres import postgres, unhurried
from tui.engine.secrets import known_values

__all__ = ["postgres", "unhurried"]

# How long an example takes says something of the machine, and nothing of what is tested. The same examples each time: what is
# red is so everywhere, and by what was changed. New ones are looked for with `pytest --hypothesis-profile=explore`.
settings.register_profile("same", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
settings.register_profile("explore", deadline=None, suppress_health_check=list(HealthCheck), max_examples=2000)
settings.load_profile("same")


FIRST = ("test_watched.py", "test_slow_routes.py")
"""The files that take longest: begun last, they would go on alone while the other workers are done."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long files first, everything else in its order."""
    items.sort(key=lambda item: item.path.name not in FIRST)


@pytest.fixture(autouse=True)
def secrets_of_its_own() -> Iterator[None]:
    """Secrets that one test reads are masked in no other's words."""
    before = set(known_values)
    yield
    known_values.clear()
    known_values.update(before)
