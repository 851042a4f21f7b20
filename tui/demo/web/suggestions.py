"""Titles and captions that a model suggests. A model that refuses is stood in for by the other; without either there is no
suggestion, and nothing fails for that: users can write a title themselves.
"""

from contextlib import suppress

from aiohttp import web

from tui.demo.web.state import Refused, body, state

OPENAI, ANTHROPIC = "openai/responses", "anthropic/messages"
CLIP = "SELECT title, duration_ms FROM clips WHERE id = %s"


def add_routes(router: web.UrlDispatcher) -> None:
    router.add_post("/api/suggest/titles", titles)
    router.add_post("/api/suggest/captions", captions)


async def titles(request: web.Request) -> web.Response:
    return await _suggest(request, "title-writer", (OPENAI, ANTHROPIC))


async def captions(request: web.Request) -> web.Response:
    return await _suggest(request, "caption-writer", (ANTHROPIC, OPENAI))


async def _suggest(request: web.Request, agent: str, models: tuple[str, ...]) -> web.Response:
    """The first model that answers suggests something."""
    app, sent = state(request), await body(request, "clip_id")
    clip = await app.rows(CLIP, [sent["clip_id"]])
    if not clip:
        raise Refused(404, "not_found", "no such clip")
    for model in models:
        with suppress(Refused):
            await app.partner(model)
            app.metrics.agents.labels(agent).inc()
            return web.json_response({"suggestions": [clip[0]["title"]], "model": model.partition("/")[0]})
    return web.json_response({"suggestions": [], "model": None})
