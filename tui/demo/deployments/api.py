"""The book over HTTP, in the shapes of Vercel's API: list (v7 and v6), one deployment, the project, a rollback.

Every call needs the bearer token. Errors are `{"error": {"code", "message"}}`, and a rollback is accepted at once and done
a moment later, as with the original.
"""

import asyncio
import hmac
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from aiohttp import web

from tui.demo import ports
from tui.demo.deployments.book import NAME, PROJECT, Book, Deployment, host

LIMIT = 20
MAX_LIMIT = 100
ROLLBACK_TAKES = 0.5


class Refusal(Exception):
    """An answer of the error shape."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class Api:
    """The HTTP side of a book."""

    def __init__(self, book: Book, token: str) -> None:
        self._book = book
        self._token = token
        self._pending: set[asyncio.Task[None]] = set()
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://{ports.HOST}:{self.port}"

    async def start(self) -> None:
        app = web.Application(middlewares=[self._guarded])
        app.router.add_get("/{version:v[67]}/deployments", self._list)
        app.router.add_get("/v13/deployments/{id}", self._one)
        app.router.add_get("/v9/projects/{project}", self._project)
        app.router.add_post("/v1/projects/{project}/rollback/{id}", self._roll_back)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        server = ports.listen(ports.DEPLOYMENTS)
        self.port = ports.number(server)
        await web.SockSite(runner, server).start()

    @web.middleware
    async def _guarded(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        try:
            sent = request.headers.get("Authorization", "")
            if not hmac.compare_digest(sent, f"Bearer {self._token}"):
                raise Refusal(403, "forbidden", "Not authorized")
            return await handler(request)
        except Refusal as error:
            return _error(error.status, error.code, str(error))
        except web.HTTPException as error:
            return _error(error.status, "not_found", error.reason)

    async def _list(self, request: web.Request) -> web.Response:
        query = request.query
        self._known_project(query.get("projectId", PROJECT))
        limit = min(_number(query.get("limit"), LIMIT), MAX_LIMIT)
        found = list(_chosen(self._book, query))
        page, more = found[:limit], len(found) > limit
        pagination = {
            "count": len(page),
            "next": _ms(page[-1].created) if page and more else None,
            "prev": _ms(page[0].created) if page else None,
        }
        return web.json_response({"pagination": pagination, "deployments": [self._listed(each) for each in page]})

    async def _one(self, request: web.Request) -> web.Response:
        item = self._listed(self._deployment(request.match_info["id"]))
        return web.json_response({"id": item.pop("uid"), **item})

    async def _project(self, request: web.Request) -> web.Response:
        self._known_project(request.match_info["project"])
        live, alias = self._book.current, self._book.alias
        last = alias and {
            "type": "rollback",
            "jobStatus": alias.outcome,
            "fromDeploymentId": alias.origin,
            "toDeploymentId": alias.target,
            "requestedAt": _ms(alias.requested),
        }
        production = {"id": live.uid, "readyState": live.state, "createdAt": _ms(live.created), "url": host(live)}
        body = {"id": PROJECT, "name": NAME, "targets": {"production": production}, "lastAliasRequest": last}
        return web.json_response(body)

    async def _roll_back(self, request: web.Request) -> web.Response:
        self._known_project(request.match_info["project"])
        target = self._deployment(request.match_info["id"])
        check(self._book, target)
        task = asyncio.create_task(self._book.roll_back(target, ROLLBACK_TAKES))
        self._pending.add(task)
        task.add_done_callback(self._pending.discard)
        return web.Response(status=201)

    def _deployment(self, identity: str) -> Deployment:
        if found := self._book.find(identity):
            return found
        raise Refusal(404, "not_found", f"Can't find the deployment {identity}.")

    def _known_project(self, identity: str) -> None:
        if identity not in (PROJECT, NAME):
            raise Refusal(404, "not_found", f"Project {identity} not found.")

    def _listed(self, deployment: Deployment) -> dict[str, Any]:
        name, login = deployment.author
        live = deployment.uid == self._book.live
        item: dict[str, Any] = {
            "uid": deployment.uid,
            "name": NAME,
            "projectId": PROJECT,
            "url": host(deployment),
            "created": _ms(deployment.created),
            "createdAt": _ms(deployment.created),
            "buildingAt": _ms(deployment.created + 2),
            "state": deployment.state,
            "readyState": deployment.state,
            "target": "production" if deployment.production else None,
            "source": "git",
            "creator": {"uid": f"usr_{login}", "username": login, "githubLogin": login},
            "inspectorUrl": f"https://vercel.com/{NAME}/{NAME}/{deployment.uid[4:]}",
            "aliasAssigned": _ms(deployment.ready) if deployment.can_serve and deployment.ready else False,
            "meta": {
                "githubCommitSha": deployment.sha,
                "githubCommitRef": deployment.branch,
                "githubCommitMessage": deployment.message,
                "githubCommitAuthorName": name,
                "githubCommitAuthorLogin": login,
                "githubOrg": NAME,
                "githubRepo": NAME,
            },
        }
        if deployment.ready:
            item["ready"] = _ms(deployment.ready)
        if deployment.can_serve:
            item |= {"readySubstate": "PROMOTED", "isRollbackCandidate": not live}
        if deployment.state == "ERROR":
            item |= {"errorCode": "BUILD_FAILED", "errorMessage": 'Command "npm run build" exited with 1'}
        return item


def check(book: Book, target: Deployment) -> None:
    """Raises what the API answers when production cannot be pointed there."""
    if target.uid == book.live:
        raise Refusal(409, "conflict", "This deployment is already serving production.")
    if not target.can_serve:
        raise Refusal(422, "not_rollbackable", "Only a READY production deployment can be rolled back to.")


def _chosen(book: Book, query: Any) -> Iterator[Deployment]:
    states = set(filter(None, query.get("state", "").upper().split(",")))
    since = _number(query.get("since") or query.get("from"), 0)
    until = _number(query.get("until") or query.get("to"), 1 << 62)
    target = query.get("target")
    for each in sorted(book.all, key=lambda each: each.created, reverse=True):
        wanted = target is None or each.production == (target == "production")
        fits = all(query.get(name) in (None, have) for name, have in (("branch", each.branch), ("sha", each.sha)))
        candidate = query.get("rollbackCandidate") != "true" or (each.can_serve and each.uid != book.live)
        if wanted and fits and candidate and since <= _ms(each.created) < until and (not states or each.state in states):
            yield each


def _number(text: str | None, default: int) -> int:
    if text is None:
        return default
    if not text.isdigit() or int(text) == 0:
        raise Refusal(400, "bad_request", f"Invalid request: {text[:40]!r} should be a positive number.")
    return int(text)


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


def _error(status: int, code: str, message: str) -> web.Response:
    return web.json_response({"error": {"code": code, "message": message}}, status=status)
