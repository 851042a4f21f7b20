"""What users come for: uploads, publishing, their projects and clips. Each route does real work in the database."""

from typing import Any

from aiohttp import web
from psycopg.types.json import Jsonb

from tui.demo.web.state import Refused, State, body, state

PROJECTS = """
    SELECT id::text, title, status, created_at::text
    FROM projects WHERE workspace_id = %s ORDER BY created_at DESC LIMIT 20
"""
CLIPS = "SELECT id::text, title, duration_ms, views FROM clips WHERE project_id = %s ORDER BY created_at DESC"
OLDEST_DRAFT = """
    UPDATE projects SET updated_at = now()
    WHERE id = (
        SELECT id FROM projects WHERE workspace_id = %s AND status = 'draft'
        ORDER BY updated_at LIMIT 1 FOR UPDATE SKIP LOCKED
    )
    RETURNING id::text
"""
PROJECT = "SELECT id::text FROM projects WHERE id = %s"
TARGET = """
    SELECT c.id::text AS clip_id, a.id::text AS account_id, a.platform, a.expires_at > now() AS valid
    FROM clips c, connected_accounts a WHERE c.id = %s AND a.id = %s
"""
ENQUEUE = "SELECT worker_enqueue_job(%s, %s)::text AS id"
SCHEDULE = """
    INSERT INTO schedules (workspace_id, clip_id, connected_account_id, publish_at)
    SELECT workspace_id, %s, id, now() + %s * interval '1 second' FROM connected_accounts WHERE id = %s
    RETURNING id::text
"""


def add_routes(router: web.UrlDispatcher) -> None:
    router.add_get("/api/projects", projects)
    router.add_get("/api/clips", clips)
    router.add_post("/api/upload/init", upload_init)
    router.add_post("/api/upload/complete", upload_complete)
    router.add_post("/api/publish/youtube", publish_youtube)
    router.add_post("/api/publish/tiktok", publish_tiktok)
    router.add_post("/api/schedules", schedule)


async def projects(request: web.Request) -> web.Response:
    app = state(request)
    found = await app.rows(PROJECTS, [_argument(request, "workspace_id")])
    await app.partner("billing/entitlement")
    return web.json_response({"projects": found})


async def clips(request: web.Request) -> web.Response:
    app = state(request)
    found = await app.rows(CLIPS, [_argument(request, "project_id")])
    await app.partner("media/sign")
    return web.json_response({"clips": found})


async def upload_init(request: web.Request) -> web.Response:
    app, sent = state(request), await body(request, "workspace_id")
    draft = await app.rows(OLDEST_DRAFT, [sent["workspace_id"]])
    if not draft:
        raise Refused(409, "no_draft", "every draft of the workspace is being uploaded to")
    await app.partner("storage/sign")
    app.metrics.agents.labels("uploader").inc()
    return web.json_response({"project_id": draft[0]["id"], "parts": 8}, status=201)


async def upload_complete(request: web.Request) -> web.Response:
    """Takes a part; with the last one, transcription begins."""
    app, sent = state(request), await body(request, "project_id")
    if not await app.rows(PROJECT, [sent["project_id"]]):
        raise Refused(404, "not_found", "no such project")
    await app.partner("storage/finish")
    if not sent.get("final"):
        return web.json_response({"ok": True})
    return await _enqueue(app, "TRANSCRIBE", {"project_id": sent["project_id"]}, "transcription")


async def publish_youtube(request: web.Request) -> web.Response:
    return await _publish(request, "youtube", "PUBLISH_YOUTUBE")


async def publish_tiktok(request: web.Request) -> web.Response:
    return await _publish(request, "tiktok", "PUBLISH_TIKTOK")


async def schedule(request: web.Request) -> web.Response:
    app, sent = state(request), await body(request, "clip_id", "account_id", "in_seconds")
    made = await app.rows(SCHEDULE, [sent["clip_id"], sent["in_seconds"], sent["account_id"]])
    return web.json_response({"schedule_id": made[0]["id"]}, status=201)


async def _publish(request: web.Request, platform: str, kind: str) -> web.Response:
    app, sent = state(request), await body(request, "clip_id", "account_id")
    target = await app.rows(TARGET, [sent["clip_id"], sent["account_id"]])
    if not target or target[0]["platform"] != platform:
        raise Refused(422, "bad_target", f"clip and {platform} account are needed")
    await app.partner(f"{platform}/validate")
    if sent.get("validate_only"):
        return web.json_response({"ok": True})
    payload = {"clip_id": sent["clip_id"], "account_id": sent["account_id"]}
    return await _enqueue(app, kind, payload, "publishing")


async def _enqueue(app: State, kind: str, payload: dict[str, Any], workflow: str) -> web.Response:
    job = await app.rows(ENQUEUE, [kind, Jsonb(payload)])
    app.metrics.workflows.labels(workflow).inc()
    return web.json_response({"ok": True, "job": {"id": job[0]["id"], "status": "queued"}}, status=202)


def _argument(request: web.Request, name: str) -> str:
    if value := request.query.get(name):
        return value
    raise Refused(400, "bad_request", f"{name} is needed")
