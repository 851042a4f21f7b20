"""The other companies' APIs that the product calls: storage, YouTube, TikTok, billing, models, transcription and so on.

One small HTTP service answers for all of them; each operation (`youtube/upload`) has a temper: how long it takes, how
often it refuses, and in which words.
"""

import asyncio
import random
import uuid
from dataclasses import dataclass, field

from aiohttp import web

from tui.demo import ports


@dataclass(frozen=True)
class Temper:
    """How an operation behaves. `{request}` and `{number}` in the message differ from one answer to the next."""

    shortest: float
    longest: float
    refuses: float = 0.0
    status: int = 503
    message: str = ""


USUAL: dict[str, Temper] = {
    "storage/sign": Temper(0.015, 0.06),
    "storage/finish": Temper(0.02, 0.08),
    "storage/ping": Temper(0.001, 0.004),
    "youtube/validate": Temper(0.06, 0.2),
    "tiktok/validate": Temper(0.06, 0.22),
    "billing/entitlement": Temper(0.003, 0.015),
    "media/sign": Temper(0.003, 0.02),
    "openai/responses": Temper(0.08, 0.3),
    "anthropic/messages": Temper(0.08, 0.3),
    "cache/ping": Temper(0.0, 0.002),
    "youtube/upload": Temper(4, 12, 0.02, 403, "The request exceeds your quota, request {request}"),
    "tiktok/upload": Temper(4, 12, 0.025, 429, "rate_limit_exceeded, log id {number}"),
    "deepgram/listen": Temper(6, 18, 0.012, 504, "no answer within 30000 ms, request {request}"),
    "openai/highlights": Temper(4, 12, 0.016, 503, "the server is overloaded, request req_{request}"),
    "encoder/render": Temper(10, 28, 0.008, 422, "invalid data found at frame {number}"),
}


@dataclass
class Partners:
    """All of them, and their tempers of the moment."""

    rng: random.Random
    tempers: dict[str, Temper] = field(default_factory=lambda: dict(USUAL))
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://{ports.HOST}:{self.port}"

    def calm(self, operation: str) -> None:
        """Back to how it usually is."""
        self.tempers[operation] = USUAL[operation]

    async def start(self) -> None:
        app = web.Application()
        app.router.add_post("/{operation:.+}", self._answer)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        server = ports.listen()
        self.port = ports.number(server)
        await web.SockSite(runner, server).start()

    async def _answer(self, request: web.Request) -> web.Response:
        temper = self.tempers.get(request.match_info["operation"])
        if temper is None:
            return web.json_response({"message": "no such operation"}, status=404)
        refused = self.rng.random() < temper.refuses
        takes = self.rng.uniform(temper.shortest, temper.longest)
        await asyncio.sleep(min(takes, 1.5) if refused else takes)
        if refused:
            return web.json_response({"message": self.words(temper.message)}, status=temper.status)
        return web.json_response({"ok": True})

    def words(self, message: str) -> str:
        """The message, with its numbers and ids of this once."""
        number, request = self.rng.randrange(10**6, 10**9), uuid.UUID(int=self.rng.getrandbits(128)).hex[:12]
        return message.format(number=number, request=request)
