"""A look-alike of Vercel's deployments API on a loopback port, in the test's own loop, and ways to make it misbehave.

    async def test_…(vercel: Vercel) -> None:
        vercel.deployments = [deployed("9f3c2a1", 632), deployed("5be0d17", 93_000)]
        vercel.serve("dpl_5be0d17")

Times are given as seconds before `NOW`, the driven clock's start.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from tests.clocks import START

NOW = START
TOKEN = "vercel-token-7f3a9b"
PROJECT = "prj_shop"
BUILD = 40
"""Seconds that a build takes."""

Item = dict[str, Any]


def deployed(sha: str, ago: float, message: str = "Add a thing", **differing: Any) -> Item:
    """A production deployment from git that went live `ago` seconds before NOW, as the list has it."""
    live, uid = _ms(NOW - ago), f"dpl_{sha[:7]}"
    item: Item = {
        "uid": uid,
        "name": "shop",
        "projectId": PROJECT,
        "url": f"shop-{sha[:7]}-team.vercel.app",
        "created": live - BUILD * 1000,
        "createdAt": live - BUILD * 1000,
        "buildingAt": live - BUILD * 1000 + 2000,
        "ready": live,
        "aliasAssigned": live,
        "state": "READY",
        "readyState": "READY",
        "readySubstate": "PROMOTED",
        "target": "production",
        "source": "git",
        "creator": {"uid": "usr_1", "username": "inesvidal"},
        "inspectorUrl": f"https://vercel.com/shop/shop/{sha[:7]}",
        "meta": {
            "githubCommitSha": (sha * 6)[:40],
            "githubCommitRef": "main",
            "githubCommitMessage": message,
            "githubCommitAuthorName": "Ines Vidal",
            "githubOrg": "shop",
            "githubRepo": "shop",
        },
    }
    return item | differing


def failed(sha: str, ago: float, **differing: Any) -> Item:
    """A production build that ended in an error."""
    item = deployed(sha, ago, state="ERROR", readyState="ERROR", aliasAssigned=False, errorCode="BUILD_FAILED")
    for name in ("ready", "readySubstate"):
        del item[name]
    return item | {"errorMessage": 'Command "npm run build" exited with 1'} | differing


@dataclass
class Answer:
    """What is answered in place of the truth."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    hangs: bool = False


@dataclass
class Vercel:
    """The server: what it knows, what it was asked, how it misbehaves (`instead`, by the path's beginning)."""

    deployments: list[Item] = field(default_factory=list)
    project: Item = field(default_factory=dict)
    versions: tuple[str, ...] = ("v7", "v6")
    token: str = TOKEN
    team: str = ""
    instead: dict[str, Answer] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[web.Request] = field(default_factory=list)
    port: int = 0
    _ends: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def paths(self) -> list[str]:
        """What was asked, without the query."""
        return [request.path for request in self.asked]

    def serve(self, uid: str, **alias: Any) -> None:
        """Lets a deployment have production; `alias` is the last alias request."""
        found = next((each for each in self.deployments if each["uid"] == uid), {"uid": uid})
        production = {"id": uid, **{name: value for name, value in found.items() if name != "uid"}}
        self.project = {"id": PROJECT, "name": "shop", "targets": {"production": production}, "lastAliasRequest": alias or None}

    def rolled_back(self, origin: str, target: str, ago: float, status: str = "succeeded", kind: str = "rollback") -> None:
        """Somebody pointed production from one to another, `ago` seconds before NOW."""
        alias = {"type": kind, "jobStatus": status, "fromDeploymentId": origin, "toDeploymentId": target}
        self.serve(target if status == "succeeded" else origin, **alias, requestedAt=_ms(NOW - ago))

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answers one request: what stands `instead`, a refusal, or the truth."""
        self.asked.append(request)
        for path, answer in self.instead.items():
            if request.path.startswith(path):
                if answer.hangs:
                    await self._ends.wait()
                return web.Response(status=answer.status, body=answer.body, headers=answer.headers)
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return _error(403, "forbidden", "Not authorized")
        if self.team and request.query.get("teamId", request.query.get("slug")) != self.team:
            return _error(403, "forbidden", "Not authorized")
        version, _, rest = request.path.strip("/").partition("/")
        if rest == "deployments" and version in self.versions:
            return self._list(request)
        if request.path == f"/v9/projects/{PROJECT}":
            return web.json_response(self.project, headers=self.headers)
        return _error(404, "not_found", "The requested API endpoint was not found.")

    def stop(self) -> None:
        """Lets what hangs end."""
        self._ends.set()

    def _list(self, request: web.Request) -> web.Response:
        if request.query.get("projectId") != PROJECT:
            return _error(404, "not_found", "Project not found.")
        target, until = request.query.get("target"), int(request.query.get("until", 1 << 60))
        fitting = [
            each
            for each in self.deployments
            if (target is None or each.get("target") == target) and each.get("created", 0) < until
        ]
        page = fitting[: int(request.query["limit"])]
        more = page[-1]["created"] if len(fitting) > len(page) else None
        pagination = {"count": len(page), "next": more, "prev": None}
        return web.json_response({"pagination": pagination, "deployments": page}, headers=self.headers)


def limited(after: float) -> Answer:
    """429, as Vercel says it: the limit is reset `after` seconds from NOW."""
    body = web.json_response(
        {"error": {"code": "rate_limited", "message": "Rate limit exceeded", "limit": {"reset": NOW + after, "total": 100}}}
    ).body
    assert isinstance(body, bytes)
    return Answer(429, body)


def _error(status: int, code: str, message: str) -> web.Response:
    return web.json_response({"error": {"code": code, "message": message}}, status=status)


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


@contextlib.asynccontextmanager
async def start_vercel() -> AsyncIterator[Vercel]:
    """A server of one's own."""
    server = Vercel()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.port = runner.addresses[0][1]
    try:
        yield server
    finally:
        server.stop()
        await runner.cleanup()


@pytest.fixture
async def vercel() -> AsyncIterator[Vercel]:
    """A server that knows nothing yet."""
    async with start_vercel() as server:
        yield server
