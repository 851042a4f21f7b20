"""The product's timer: calls the schedule scan every few seconds after the last one, as a vendor's cron would each minute."""

import asyncio
from contextlib import suppress

import aiohttp

EVERY = 10.0
PATIENCE = 60.0
"""Seconds that a scan may take, as long as a vendor lets a function run."""
ENDS_WITHIN = 2.0
"""Seconds for which a stop waits for the scan under way: it would go on at the service, and scan what comes after the stop."""


class Timer:
    """Runs until it is stopped, and can be started again. A scan that is refused is asked for again the next time."""

    def __init__(self, url: str, secret: str) -> None:
        self._url = f"{url}/api/cron/scan-schedules"
        self._headers = {"X-CRON-SECRET": secret}
        self._task: asyncio.Task[None] | None = None
        self._calls = asyncio.Lock()
        """Held while a scan is under way."""

    @property
    def running(self) -> bool:
        return self._task is not None

    def start(self) -> None:
        self._task = self._task or asyncio.create_task(self._run())

    async def stop(self) -> None:
        if self._task is not None:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._calls.acquire(), ENDS_WITHIN)
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task, self._calls = None, asyncio.Lock()

    async def _run(self) -> None:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PATIENCE)) as session:
            while True:
                with suppress(aiohttp.ClientError, TimeoutError):
                    async with self._calls, session.post(self._url, headers=self._headers) as answer:
                        await answer.read()
                await asyncio.sleep(EVERY)
