"""What an engine does beside answering: what goes on for as long as it lives, and what is done once and then over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from .text import Shown, clean


class Tasks:
    """One engine's tasks, in its loop. `broken` is told, in words, of what has ended by a defect: figures would only grow
    stale."""

    def __init__(self, broken: Callable[[Shown], object]) -> None:
        self._broken = broken
        self._tasks: set[asyncio.Future[Any]] = set()

    def goes_on(self, what: str, doing: Coroutine[Any, Any, None]) -> asyncio.Future[None]:
        """Does it for as long as the engine lives."""
        task = self.keep(doing)
        task.add_done_callback(self.seen(what))
        return task

    def seen(self, what: str) -> Callable[[asyncio.Future[Any]], None]:
        """What a task is to call when it is done, so that its defect is seen."""

        def ended(task: asyncio.Future[Any]) -> None:
            if not task.cancelled() and (error := task.exception()) is not None:
                self._broken(clean(f"{what} has ended: {type(error).__name__}: {error}"))

        return ended

    def keep(self, doing: Coroutine[Any, Any, Any]) -> asyncio.Future[Any]:
        """Does it beside all else, until it is done or the engine ends."""
        task = asyncio.ensure_future(doing)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def cancel(self) -> list[asyncio.Future[Any]]:
        """The engine ends; what is left is given back, to be waited for."""
        left = list(self._tasks)
        for task in left:
            task.cancel()
        return left
