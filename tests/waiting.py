"""Waiting for an effect: ask until it is there, or fail in time. Nothing sleeps a while and hopes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(what: Callable[[], T], within: float = 10.0, says: str = "") -> T:
    """Asks again and again until it is true, and gives what it came to."""
    deadline = time.monotonic() + within
    while not (found := what()):
        assert time.monotonic() < deadline, says or "it did not come true in time"
        time.sleep(0.02)
    return found


async def soon(what: Callable[[], T], within: float = 10.0, says: str = "") -> T:
    """`eventually`, where the loop has to go on meanwhile."""
    deadline = time.monotonic() + within
    while not (found := what()):
        assert time.monotonic() < deadline, says or "it did not come true in time"
        await asyncio.sleep(0.01)
    return found
