"""The job endpoints for operators, and the endpoint that the timer calls.

401 without a token, 403 with one that may not, 404 for an unknown job, 409 for one in another state. A repeated
`Idempotency-Key` gets the first answer again and does nothing.
"""

import hmac
import uuid
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from tui.demo.web.state import Refused, State, bearer, state

KEPT_ANSWERS = 1000


@dataclass(frozen=True)
class Deed:
    """What an operator can do to a job: in which state, and how. `guard` is part of the statement that acts."""

    set: str
    guard: str
    refusal: str


REQUEUE = "status = 'queued', worker_id = NULL, last_heartbeat = NULL, run_after = now()"
DEEDS = {
    "retry": Deed(
        set=f"{REQUEUE}, error = NULL, finished_at = NULL",
        guard="status = 'failed'",
        refusal="only a failed job can be retried",
    ),
    "cancel": Deed(
        set="status = 'cancelled', finished_at = now()",
        guard="status IN ('queued', 'running')",
        refusal="only a queued or running job can be cancelled",
    ),
    "unlock": Deed(
        set=REQUEUE,
        guard="status = 'running' AND coalesce(last_heartbeat < now() - interval '5 minutes', true)",
        refusal="only a running job without a heartbeat for 5 minutes can be unlocked",
    ),
}

SCAN = """
    WITH due AS (
        UPDATE schedules SET status = 'queued'
        WHERE id IN (SELECT id FROM schedules WHERE status = 'scheduled' AND publish_at <= now() FOR UPDATE SKIP LOCKED)
        RETURNING id, clip_id, connected_account_id
    )
    SELECT worker_enqueue_job(
        CASE a.platform WHEN 'youtube' THEN 'PUBLISH_YOUTUBE' ELSE 'PUBLISH_TIKTOK' END,
        jsonb_build_object('schedule_id', due.id, 'clip_id', due.clip_id, 'account_id', a.id))
    FROM due JOIN connected_accounts a ON a.id = due.connected_account_id
"""
TURN = "SELECT pg_advisory_xact_lock(hashtext('scan-schedules'))"
"""Whoever goes through all schedules takes its turn first, until its transaction ends."""
PATIENCE = ("SET LOCAL lock_timeout = '50s'", "SET LOCAL statement_timeout = '55s'")
"""Nobody waits for the scan as a person waits for a page."""


def add_routes(router: web.UrlDispatcher) -> None:
    for name in DEEDS:
        router.add_post(f"/api/admin/jobs/{{id}}/{name}", act)
    router.add_post("/api/cron/scan-schedules", scan)


async def act(request: web.Request) -> web.Response:
    app = state(request)
    _authorise(app, bearer(request))
    key = request.headers.get("Idempotency-Key")
    if key and key in app.answered:
        path, status, body = app.answered[key]
        if path != request.path:
            raise Refused(422, "idempotency_key_reused", f"this key belongs to {path}")
        return web.json_response(body, status=status)
    body = await _act(app, request.path.rpartition("/")[2], request.match_info["id"])
    if key:
        app.answered[key] = (request.path, 200, body)
        if len(app.answered) > KEPT_ANSWERS:
            del app.answered[next(iter(app.answered))]
    return web.json_response(body)


async def scan(request: web.Request) -> web.Response:
    """Makes a job for every schedule that is due."""
    app = state(request)
    if not hmac.compare_digest(request.headers.get("X-CRON-SECRET", ""), app.environment.get("CRON_SECRET") or "-"):
        raise Refused(401, "unauthorized", "the X-CRON-SECRET header does not match")
    enqueued = await _scan(app)
    app.metrics.workflows.labels("scan").inc()
    return web.json_response({"ok": True, "enqueued": enqueued})


async def _scan(app: State) -> int:
    """How many jobs were made, once it was our turn."""
    async with app.pool.connection() as connection, connection.transaction():
        for statement in (*PATIENCE, TURN):
            await connection.execute(statement.encode())
        return (await connection.execute(SCAN)).rowcount


async def _act(app: State, name: str, job: str) -> dict[str, Any]:
    try:
        uuid.UUID(job)
    except ValueError:
        raise Refused(404, "not_found", "no such job") from None
    deed = DEEDS[name]
    done = await app.rows(f"UPDATE jobs SET {deed.set} WHERE id = %s AND {deed.guard} RETURNING status", [job])  # noqa: S608  # fixed words
    if done:
        return {"ok": True, "job": {"id": job, "status": done[0]["status"]}}
    found = await app.rows("SELECT status FROM jobs WHERE id = %s", [job])
    if not found:
        raise Refused(404, "not_found", "no such job")
    raise Refused(409, "conflict", f"{deed.refusal}; this one is {found[0]['status']}")


def _authorise(app: State, token: str) -> None:
    if hmac.compare_digest(token, app.environment.get("ADMIN_TOKEN") or "-"):
        return
    if hmac.compare_digest(token, app.environment.get("READER_TOKEN") or "-"):
        raise Refused(403, "forbidden", "this token may read, not act")
    raise Refused(401, "unauthorized", "a bearer token is needed")
