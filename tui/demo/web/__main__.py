"""`python -m tui.demo.web`: the web service as a process, told on stdin where its database and partners are.

It hears `{"serve": {...}}` first, then at any time `{"environment": {...}}` (settings that changed) and `{"release": {...}}`
(the build that is live from now on).
"""

import asyncio
import json
import logging
import sys
import time
import uuid
from typing import Any

import aiohttp
import psycopg
from aiohttp import web

from tui.demo import ports
from tui.demo.database.pool import Pool, PoolTimeout
from tui.demo.lifetime import Message, obey
from tui.demo.web import admin, business, health, suggestions
from tui.demo.web.metrics import Metrics
from tui.demo.web.state import PARTNER_DEADLINE, STATE, Refused, Regression, Release, State

POOL_SIZE = 6
UNCOUNTED = ("/metrics", "/healthz", "/api/readyz", "/api/admin/readyz", "/api/health", "/api/v1/health")
log = logging.getLogger("api")


class Service:
    """The process: nothing until it is told to serve."""

    def __init__(self) -> None:
        self._state: State | None = None

    async def handle(self, message: Message) -> Message:
        match message:
            case {"serve": told}:
                return {"port": await self._serve(told)}
            case {"environment": changed} if self._state:
                self._state.environment.update(changed)
                self._state.pool.dsn = self._state.environment["DATABASE_URL"]
            case {"release": release} if self._state:
                self._state.release = _release(release)
            case _:
                raise ValueError(f"not understood: {list(message)}")
        return {"ok": True}

    async def _serve(self, told: dict[str, Any]) -> int:
        pool = Pool(told["environment"]["DATABASE_URL"], POOL_SIZE, "shop_api")
        await pool.fill()
        partners = aiohttp.ClientSession(
            told["partners"],
            timeout=aiohttp.ClientTimeout(total=PARTNER_DEADLINE),
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=30),
        )
        self._state = State(told["environment"], pool, partners, Metrics(), _release(told["release"]))
        runner = web.AppRunner(_application(self._state), access_log=None)
        await runner.setup()
        server = ports.listen(told["port"])
        await web.SockSite(runner, server).start()
        return ports.number(server)


def _application(state: State) -> web.Application:
    app = web.Application(middlewares=[_measured])
    app[STATE] = state
    for part in (health, business, suggestions, admin):
        part.add_routes(app.router)
    app.router.add_get("/metrics", state.metrics.page)
    return app


def _release(told: dict[str, Any]) -> Release:
    regression = told.get("regression")
    return Release(told["sha"], Regression(**regression) if regression else None)


@web.middleware
async def _measured(request: web.Request, handler: Any) -> web.StreamResponse:
    """Counts and times each request, and turns what goes wrong into an answer."""
    started = time.perf_counter()
    resource = request.match_info.route.resource
    route = resource.canonical if resource else "unmatched"
    identity = request.headers.get("X-Request-Id") or uuid.uuid4().hex[:16]
    app = request.app[STATE]
    try:
        app.release.serve(route)
        response: web.StreamResponse = await handler(request)
    except web.HTTPException as error:
        response = _refusal(error.status, error.reason.lower().replace(" ", "_"), error.reason, identity)
    except Refused as error:
        response = _refusal(error.status, error.code, str(error), identity)
    except (PoolTimeout, psycopg.OperationalError) as error:
        response = _refusal(503, "database_unavailable", str(error).strip(), identity)
    except psycopg.DataError as error:
        response = _refusal(400, "bad_request", str(error).strip(), identity)
    except Exception as error:
        response = _refusal(500, "internal_error", f"{type(error).__name__}: {error}", identity)
    response.headers["X-Request-Id"] = identity
    if route not in UNCOUNTED:
        app.metrics.observe(request.method, route, response.status, time.perf_counter() - started)
    return response


def _refusal(status: int, code: str, message: str, identity: str) -> web.Response:
    if status >= 500:
        log.error("%s", message, extra={"request": identity})
    return web.json_response({"error": {"code": code, "message": message}}, status=status)


class Lines(logging.Formatter):
    """Log lines as agent-factory writes them: JSON with time, level, message and request."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "timestamp": self.formatTime(record),
            "level": record.levelname,
            "message": record.getMessage(),
            "request_id": getattr(record, "request", None),
        }
        return json.dumps(line)


if __name__ == "__main__":
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Lines())
    logging.basicConfig(level=logging.ERROR, handlers=[handler])
    asyncio.run(obey(Service().handle))
