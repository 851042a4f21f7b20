"""`python -m tui.demo.worker`: the product's worker as a process. Claims due jobs, keeps them alive, ends them.

Three workers by name share the process, each with a few jobs at a time. A claim is one statement (`SKIP LOCKED`), so that
any number of them agree. What a job does is one call to a partner; what it refuses is the job's error.
"""

import asyncio
import logging
from contextlib import suppress
from functools import partial
from typing import Any

import aiohttp
import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from tui.demo.database.pool import Pool, PoolTimeout
from tui.demo.lifetime import Message, obey

NAMES = ("worker-fra1-1", "worker-fra1-2", "worker-fra1-3")
AT_ONCE = 4
CLAIM_EVERY = 1.0
HEARTBEAT_EVERY = 3.0

OPERATIONS = {
    "PUBLISH_YOUTUBE": ("youtube/upload", "YouTube"),
    "PUBLISH_TIKTOK": ("tiktok/upload", "TikTok"),
    "TRANSCRIBE": ("deepgram/listen", "Deepgram"),
    "HIGHLIGHT_DETECT": ("openai/highlights", "OpenAI"),
    "CLIP_RENDER": ("encoder/render", "Encoder"),
}
FOLLOWS = {"TRANSCRIBE": ("HIGHLIGHT_DETECT",), "HIGHLIGHT_DETECT": ("CLIP_RENDER",) * 3}
"""What is enqueued when a job of the kind succeeded."""

REQUEUE_OWN = """
    UPDATE jobs SET status = 'queued', worker_id = NULL, last_heartbeat = NULL
    WHERE worker_id = %s AND status = 'running'
"""
CLAIM = """
    UPDATE jobs SET status = 'running', worker_id = %s, last_heartbeat = now(), attempts = attempts + 1
    WHERE id = (
        SELECT id FROM jobs WHERE status = 'queued' AND run_after <= now()
        ORDER BY run_after LIMIT 1 FOR UPDATE SKIP LOCKED
    )
    RETURNING id, kind, payload
"""
HEARTBEAT = """
    UPDATE jobs SET last_heartbeat = now() WHERE id = ANY(%s) AND worker_id = %s AND status = 'running' RETURNING id
"""
FINISH = """
    UPDATE jobs SET status = %s, error = %s, finished_at = now()
    WHERE id = %s AND worker_id = %s AND status = 'running' RETURNING id
"""
SCHEDULE = "UPDATE schedules SET status = %s WHERE id = (%s::jsonb ->> 'schedule_id')::uuid"
ENQUEUE = "SELECT worker_enqueue_job(%s, %s)"
log = logging.getLogger("worker")


class Worker:
    """One worker: a name, and the jobs it has in hand."""

    def __init__(self, name: str, pool: Pool, partners: aiohttp.ClientSession) -> None:
        self._name = name
        self._pool = pool
        self._partners = partners
        self._jobs: dict[Any, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Claims and beats for ever. A database that is away is waited for."""
        await self._rows(REQUEUE_OWN, self._name)
        beat = 0.0
        while True:
            try:
                await self._claim()
                beat += CLAIM_EVERY
                if beat >= HEARTBEAT_EVERY:
                    beat = 0.0
                    await self._beat()
            except (psycopg.Error, PoolTimeout) as error:
                log.error("%s: %s", self._name, str(error).strip())
            await asyncio.sleep(CLAIM_EVERY)

    async def _claim(self) -> None:
        while len(self._jobs) < AT_ONCE and (claimed := await self._rows(CLAIM, self._name)):
            job = claimed[0]
            task = asyncio.create_task(self._work(job))
            self._jobs[job["id"]] = task
            task.add_done_callback(partial(self._done, job["id"]))
            await asyncio.sleep(0.05)

    def _done(self, identity: object, task: asyncio.Task[None]) -> None:
        self._jobs.pop(identity, None)

    async def _beat(self) -> None:
        """Says that each job is in hand; one that is not ours any more is let go."""
        if self._jobs:
            ours = {row["id"] for row in await self._rows(HEARTBEAT, list(self._jobs), self._name)}
            for identity, task in list(self._jobs.items()):
                if identity not in ours:
                    task.cancel()

    async def _work(self, job: dict[str, Any]) -> None:
        operation, company = OPERATIONS[job["kind"]]
        error = await self._call(operation, company)
        status = "failed" if error else "succeeded"
        with suppress(psycopg.Error, PoolTimeout):
            if not await self._rows(FINISH, status, error, job["id"], self._name):
                return
            if job["payload"].get("schedule_id"):
                await self._rows(SCHEDULE, "failed" if error else "published", Jsonb(job["payload"]))
            for kind in () if error else FOLLOWS.get(job["kind"], ()):
                await self._rows(ENQUEUE, kind, Jsonb(job["payload"]))

    async def _call(self, operation: str, company: str) -> str | None:
        """The error in words, or nothing."""
        try:
            async with self._partners.post(f"/{operation}") as answer:
                body = await answer.json()
        except (aiohttp.ClientError, TimeoutError) as error:
            return f"{company}: {type(error).__name__} {error}"
        return f"{company} {answer.status}: {body.get('message')}" if answer.status >= 400 else None

    async def _rows(self, query: str, *arguments: Any) -> list[dict[str, Any]]:
        async with self._pool.connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
            await cursor.execute(query.encode(), arguments)
            return await cursor.fetchall() if cursor.description else []


class Process:
    """Hears `{"work": {"dsn", "partners"}}` once."""

    def __init__(self) -> None:
        self._running: list[asyncio.Task[None]] = []

    async def handle(self, message: Message) -> Message:
        told = message["work"]
        pool = Pool(told["dsn"], 4, "shop_worker")
        await pool.fill()
        partners = aiohttp.ClientSession(told["partners"], timeout=aiohttp.ClientTimeout(total=120))
        self._running = [asyncio.create_task(Worker(name, pool, partners).run()) for name in NAMES]
        return {"ok": True}


if __name__ == "__main__":
    logging.basicConfig(
        level=logging.ERROR, format='{"timestamp": "%(asctime)s", "level": "%(levelname)s", "message": "%(message)s"}'
    )
    asyncio.run(obey(Process().handle))
