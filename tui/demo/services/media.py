"""The rendering service's own health endpoint: a port that answers `{"healthy": true}`, or nobody does."""

import socket

from aiohttp import web

from tui.demo import ports


class Media:
    """One endpoint on one port (the usual one, if it is free), which it keeps while it is closed."""

    def __init__(self) -> None:
        self._server: socket.socket | None = None
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"http://{ports.HOST}:{ports.number(self._server)}/health"

    async def open(self) -> None:
        if self._runner is not None:
            return
        app = web.Application()
        app.router.add_get("/health", _health)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        self._server = ports.listen(ports.MEDIA) if self._server is None else ports.loud(self._server)
        await web.SockSite(self._runner, self._server.dup()).start()

    async def close(self) -> None:
        """Stops listening; open connections are closed as well."""
        if self._runner is not None and self._server is not None:
            await self._runner.cleanup()
            self._runner, self._server = None, ports.hushed(self._server)


async def _health(_: web.Request) -> web.Response:
    return web.json_response({"healthy": True}, headers={"Cache-Control": "no-store"})
