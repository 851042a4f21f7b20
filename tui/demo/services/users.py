"""The product's users: 20 to 40 requests a second over its routes, really sent.

They do not wait for one another: a slow route slows nobody else, as on the open internet. Most publish requests only
validate, most upload requests are parts: about one in a hundred makes a job.
"""

import asyncio
import hashlib
import math
import random
import time
import uuid
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final, NamedTuple

import aiohttp

USUAL_RATE = 26.0
SWING = 0.25
"""How far the rate swings around the usual one, over some minutes."""
AT_ONCE = 150
MAKES_A_JOB = 1 / 120


class Call(NamedTuple):
    """One request to be sent."""

    method: str
    path: str
    body: dict[str, Any] | None = None


SHARES: Final[Mapping[str, float]] = {
    "projects": 34,
    "clips": 26,
    "init": 9,
    "complete": 8,
    "youtube": 8,
    "tiktok": 7,
    "titles": 4,
    "captions": 4,
    "schedule": 0.18,
}


class Users:
    """Sends about `rate` requests a second, over routes by their `shares`, until it is stopped; none while `at_once` of them
    have no answer."""

    def __init__(
        self,
        url: str,
        rng: random.Random,
        rate: float = USUAL_RATE,
        at_once: int = AT_ONCE,
        shares: Mapping[str, float] = SHARES,
    ) -> None:
        self._url = url
        self._rng = rng
        self._usual, self._at_once = rate, at_once
        self._shares = shares
        self._open: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        timeout = aiohttp.ClientTimeout(total=20)
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=30)
        async with aiohttp.ClientSession(self._url, timeout=timeout, connector=connector) as session:
            while True:
                await asyncio.sleep(self._rng.expovariate(self._rate()))
                if len(self._open) < self._at_once:
                    task = asyncio.create_task(_send(session, self._next()))
                    self._open.add(task)
                    task.add_done_callback(self._open.discard)

    def _rate(self) -> float:
        return self._usual * (1 + SWING * math.sin(time.monotonic() / 70))

    def _next(self) -> Call:
        what = self._rng.choices(list(self._shares), list(self._shares.values()))[0]
        clip = _id("clip", self._rng.randint(1, 960))
        workspace = self._rng.randint(1, 12)
        real = self._rng.random() < MAKES_A_JOB
        match what:
            case "projects":
                return Call("GET", f"/api/projects?workspace_id={_id('workspace', workspace)}")
            case "clips":
                return Call("GET", f"/api/clips?project_id={_id('project', self._rng.randint(1, 200))}")
            case "init":
                body = {"workspace_id": _id("workspace", workspace), "size_bytes": self._rng.randrange(10**7, 10**9)}
                return Call("POST", "/api/upload/init", body)
            case "complete":
                body = {"project_id": _id("project", self._rng.randint(1, 36)), "final": real}
                return Call("POST", "/api/upload/complete", body)
            case "titles" | "captions":
                return Call("POST", f"/api/suggest/{what}", {"clip_id": clip})
            case "schedule":
                account = _id("account", self._rng.randint(1, 24))
                return Call("POST", "/api/schedules", {"clip_id": clip, "account_id": account, "in_seconds": 45})
            case platform:
                account = _id("account", workspace + (12 if platform == "tiktok" else 0))
                body = {"clip_id": clip, "account_id": account, "validate_only": not real}
                return Call("POST", f"/api/publish/{platform}", body)


async def _send(session: aiohttp.ClientSession, call: Call) -> None:
    with suppress(aiohttp.ClientError, TimeoutError):
        async with session.request(call.method, call.path, json=call.body) as answer:
            await answer.read()


def _id(kind: str, number: int) -> str:
    """The id that the seeded row has: it follows from its name."""
    return str(uuid.UUID(hashlib.md5(f"{kind}-{number}".encode(), usedforsecurity=False).hexdigest()))
