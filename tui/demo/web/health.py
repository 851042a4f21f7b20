"""The health endpoints: one of each shape that systems.md lists. Each looks anew, and says 503 when a part is broken.

`/api/readyz` opens a connection of its own: a pool that still holds old ones would hide that no new one can be had.
"""

import hmac
from datetime import UTC, datetime
from typing import Any

import psycopg
from aiohttp import web

from tui.demo.database.pool import PoolTimeout
from tui.demo.web.state import Refused, State, bearer, state

ENVIRONMENT = "demo"
"""What the config calls this environment: a health page that says another is a warning."""
FRESH = {"Cache-Control": "no-store"}
VERSION = "2.14.0"


def add_routes(router: web.UrlDispatcher) -> None:
    router.add_get("/api/readyz", ready)
    router.add_get("/api/admin/readyz", admin_ready)
    router.add_get("/api/health", health)
    router.add_get("/api/v1/health", health_v1)
    router.add_get("/healthz", plain)


async def ready(request: web.Request) -> web.Response:
    app = state(request)
    checks = {"env": not app.missing(), "db": await _new_connection(app)}
    return _answer({"ok": all(checks.values()), "service": "api", "checks": checks}, all(checks.values()))


async def admin_ready(request: web.Request) -> web.Response:
    app = state(request)
    token = bearer(request)
    if not any(hmac.compare_digest(token, app.environment.get(name) or "-") for name in ("ADMIN_TOKEN", "READER_TOKEN")):
        raise Refused(401, "unauthorized", "a bearer token is needed")
    checks = {
        "env": not app.missing(),
        "db": await _new_connection(app),
        "queue": await _reads(app, "SELECT FROM jobs WHERE status = 'queued' LIMIT 1"),
        "storage": await _partner(app, "storage/ping"),
        "stripe": bool(app.environment.get("STRIPE_WEBHOOK_SECRET")),
    }
    body = {"ok": all(checks.values()), "service": "api", "checks": checks, "version": VERSION}
    return _answer(body, all(checks.values()))


async def health(request: web.Request) -> web.Response:
    app = state(request)
    missing = app.missing()
    checks = [
        _check("environment", not missing, f"{', '.join(missing)} is not set"),
        _check("database", await _reads(app, "SELECT 1"), "the database does not answer"),
        _check("storage", await _partner(app, "storage/ping"), "the object store does not answer"),
    ]
    well = all(check["status"] == "pass" for check in checks)
    body = {
        "status": "pass" if well else "fail",
        "checks": checks,
        "release": app.release.sha,
        "environment": ENVIRONMENT,
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds"),
    }
    return _answer(body, well)


async def health_v1(request: web.Request) -> web.Response:
    app = state(request)
    database, cache = await _reads(app, "SELECT 1"), await _partner(app, "cache/ping")
    body = {
        "status": "healthy" if database and cache else "unhealthy",
        "database": "connected" if database else "disconnected",
        "cache": "connected" if cache else "disconnected",
        "version": VERSION,
    }
    return _answer(body, database and cache)


async def plain(request: web.Request) -> web.Response:
    well = await _reads(state(request), "SELECT 1")
    return web.Response(status=200 if well else 503, text="ok\n" if well else "database\n", headers=FRESH)


def _answer(body: dict[str, Any], well: bool) -> web.Response:
    return web.json_response(body, status=200 if well else 503, headers=FRESH)


def _check(component: str, well: bool, message: str) -> dict[str, str]:
    check = {"component": component, "status": "pass" if well else "fail"}
    return check if well else check | {"message": message}


async def _new_connection(app: State) -> bool:
    try:
        async with await app.pool.connect() as connection:
            await connection.execute("SELECT 1")
    except psycopg.Error:
        return False
    return True


async def _reads(app: State, query: str) -> bool:
    try:
        await app.rows(query)
    except (psycopg.Error, PoolTimeout):
        return False
    return True


async def _partner(app: State, operation: str) -> bool:
    try:
        await app.partner(operation)
    except Refused:
        return False
    return True
