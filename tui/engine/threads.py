"""Blocking calls that can never hold up the exit: each in a daemon thread of its own.

asyncio's default executor is joined at exit, so one hung DNS lookup or `requests` call would keep the process alive.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from functools import partial
from typing import TypeVar

T = TypeVar("T")


async def in_daemon_thread(call: Callable[[], T], name: str = "watchfloor-call") -> T:
    """The call's result. When the waiting task is cancelled the thread runs on, unheard, and ends with the process."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(set_it: Callable[[], None]) -> None:
        if not future.done():
            set_it()

    def run() -> None:
        try:
            result = call()
        except BaseException as error:  # carried over to the waiting task, whatever it is
            outcome: Callable[[], None] = partial(future.set_exception, error)
        else:
            outcome = partial(future.set_result, result)
        try:
            loop.call_soon_threadsafe(settle, outcome)
        except RuntimeError:
            return  # the loop is closed: nobody waits any more

    threading.Thread(target=run, name=name, daemon=True).start()
    return await future
