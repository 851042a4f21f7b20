"""A task a channel, so that one which hangs holds up no other; and what is under way when it all ends.

outboxes ──next──▶ begun ──`tell`──▶ ended          calls for help are under way beside them
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator, Mapping

from ..redact import redact
from .channel import Undelivered
from .outbox import Item, Outbox


class Serving:
    """Serves outboxes. `tell` tells one message of a box; `news` is called in the loop after each."""

    def __init__(self, tell: Callable[[Outbox, Item], Awaitable[None]], news: Callable[[], None]) -> None:
        self._tell = tell
        self._news = news
        self._boxes: Mapping[str, Outbox] = {}
        self._workers: dict[str, asyncio.Task[None]] = {}
        self._changed = asyncio.Event()
        self._under_way: set[object] = set()
        self._idle = asyncio.Event()
        self._ending = False

    def use(self, boxes: Mapping[str, Outbox]) -> None:
        """These are to be served, by title; those that are there already go on."""
        self._boxes = boxes
        self._changed.set()

    async def run(self) -> None:
        """Serves until cancelled."""
        self._ending = False
        try:
            while True:
                self._changed.clear()
                self._staff()
                await self._changed.wait()
        finally:
            for worker in self._workers.values():
                worker.cancel()
            self._workers.clear()
            self._under_way.clear()

    def _staff(self) -> None:
        """One task a channel; those of channels that are gone end."""
        for title in self._workers.keys() - self._boxes.keys():
            self._workers.pop(title).cancel()
        for title, box in self._boxes.items():
            if title not in self._workers:
                self._workers[title] = asyncio.ensure_future(self._serve(box))

    @property
    def running(self) -> bool:
        """Whether there is somebody to tell what waits."""
        return bool(self._workers)

    @property
    def idle(self) -> bool:
        """Whether every channel has told what it could by now: what is left waits for a pause to end."""
        return not self._under_way and all(each.resting for each in self._boxes.values())

    async def finish(self, grace: float) -> None:
        """Begins nothing more, and lets what is under way arrive, for `grace` seconds at most."""
        self._ending = True
        with contextlib.suppress(TimeoutError):
            if self._under_way:
                await asyncio.wait_for(self._idle.wait(), grace)

    @contextlib.contextmanager
    def begun(self) -> Iterator[None]:
        """Something is under way for as long as the block lasts."""
        this = object()
        self._under_way.add(this)
        self._idle.clear()
        try:
            yield
        finally:
            self._under_way.discard(this)
            if not self._under_way:
                self._idle.set()

    async def _serve(self, box: Outbox) -> None:
        """One channel's messages, one after the other."""
        while not self._ending:
            item = await box.next()
            if self._ending:  # whoever polls next tells it: it is due for as long as it is so
                return
            with self.begun():
                try:
                    await self._tell(box, item)
                except Exception as error:  # a defect of ours must not leave the channel unserved
                    box.failed(item, Undelivered(redact(f"{type(error).__name__}: {error}")))
                    box.give_up(item)
            self._news()
