"""The rendering service's own health endpoint: a port that answers `{"healthy": true}`, or nobody does."""

from aiohttp import web

from tui.demo import ports


class Media:
    """One endpoint on one port, which keeps its number (the usual one, if it is free) while it is closed."""

    def __init__(self) -> None:
        self.port = ports.MEDIA
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://{ports.HOST}:{self.port}/health"

    async def open(self) -> None:
        if self._runner is not None:
            return
        app = web.Application()
        app.router.add_get("/health", _health)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        server = ports.listen(self.port)
        self.port = ports.number(server)
        await web.SockSite(self._runner, server).start()

    async def close(self) -> None:
        """Stops listening; open connections are closed as well."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None


async def _health(_: web.Request) -> web.Response:
    return web.json_response({"healthy": True}, headers={"Cache-Control": "no-store"})
