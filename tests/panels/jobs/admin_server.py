"""A small admin API over the test's queue, which does what it is asked, or misbehaves in one of many ways.

`requests` are all that arrived, `deeds` how often each idempotency key was carried out.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from tests.panels.jobs.queue import Queue

DEEDS = {
    "retry": "UPDATE jobs SET status = 'queued', worker_id = NULL WHERE id = %s AND status = 'failed' RETURNING id",
    "cancel": "UPDATE jobs SET status = 'cancelled' WHERE id = %s AND status IN ('queued', 'running') RETURNING id",
    "unlock": "UPDATE jobs SET status = 'queued', worker_id = NULL WHERE id = %s AND status = 'running' RETURNING id",
}


@dataclass
class Admin:
    """How it behaves now: `well`, an HTTP status, `hang before`, `hang after`, `drop after`, `page`, `not done`, `redirect`."""

    queue: Queue
    mood: str | int = "well"
    url: str = ""
    requests: list[web.Request] = field(default_factory=list)
    deeds: Counter[str] = field(default_factory=Counter)
    hanging: int = 0
    """Requests that it leaves without an answer."""
    released: asyncio.Event = field(default_factory=asyncio.Event)

    async def act(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        if isinstance(self.mood, int):
            return web.json_response({"error": "conflict", "message": f"no: {self.mood}"}, status=self.mood)
        if self.mood == "hang before":
            await self._hang()
        if self.mood == "page":
            return web.Response(text="<html>Sign in</html>", content_type="text/html")
        if self.mood == "not done":
            return web.json_response({"ok": False, "message": "the queue is paused"})
        if self.mood == "redirect":
            return web.Response(status=307, headers={"Location": "/elsewhere"})
        if request.headers.get("Authorization") != "Bearer s3cret-token":
            return web.json_response({"message": "a token is needed"}, status=401)
        done = await self._do(request)
        if self.mood == "hang after":
            await self._hang()
        if self.mood == "drop after":
            assert request.transport is not None
            request.transport.abort()
        return web.json_response({"ok": True}) if done else web.json_response({"message": "not in that state"}, status=409)

    async def _hang(self) -> None:
        self.hanging += 1
        await self.released.wait()

    async def _do(self, request: web.Request) -> bool:
        self.deeds[request.headers["Idempotency-Key"]] += 1
        deed = DEEDS[request.match_info["verb"]]
        return bool(await asyncio.to_thread(self.queue.run, deed, request.match_info["id"]))


@asynccontextmanager
async def admin_server(queue: Queue) -> AsyncIterator[Admin]:
    """The API, listening; what hangs in it is let go at the end."""
    admin = Admin(queue)
    app = web.Application()
    app.router.add_post("/api/admin/jobs/{id}/{verb}", admin.act)
    runner = web.AppRunner(app, shutdown_timeout=0.5)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    admin.url = f"http://127.0.0.1:{port}/api/admin/jobs"
    try:
        yield admin
    finally:
        admin.released.set()
        await runner.cleanup()
