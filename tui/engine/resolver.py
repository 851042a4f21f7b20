"""Names to addresses, so that a hanging resolver can neither outlive a deadline nor hold up the exit.

A network backend for httpcore: looks names up in a daemon thread, remembers answers for a minute, and tells which phase a
request is in, so that a failure can name it.
"""

from __future__ import annotations

import asyncio
import ipaddress
import select
import socket
import ssl
import time
from collections.abc import Iterable
from contextvars import ContextVar
from typing import Any

import httpcore
from msgspec import Struct

from .threads import in_daemon_thread

REMEMBERED = 60.0
"""Seconds for which an answer is remembered."""
MOST_REMEMBERED = 1000
FIRST_ADDRESS = 2.0
"""Seconds that one address may take while others are left to try: a black-holed IPv6 must not cost the whole deadline."""

Entries = list[Any]
"""What the resolver gives: tuples whose last member begins with the address."""

_known: dict[tuple[str, int], tuple[float, tuple[str, ...]]] = {}
_asked: dict[tuple[asyncio.AbstractEventLoop, str, int], asyncio.Task[Entries]] = {}


class NameNotFound(Exception):
    """The resolver has no address for a host; the message is the resolver's own."""


class Phase(Struct):
    """Where a request is: `DNS`, `connect`, `TLS`, `first byte`, `body`. `reused` while it goes over a connection that was
    open before."""

    now: str = "first byte"
    reused: bool = False


CURRENT: ContextVar[Phase] = ContextVar("watchfloor_phase")
"""The phase of the request that the running task makes: several may go over one client at once."""


async def addresses(host: str, port: int) -> tuple[str, ...]:
    """The host's IP addresses in the resolver's order. Raises NameNotFound."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        pass
    else:
        return (host,)
    known = _known.get((host, port))
    if known and time.monotonic() - known[0] < REMEMBERED:
        return known[1]
    try:
        found = await asyncio.shield(_lookup(host, port))
    except (OSError, UnicodeError) as error:
        raise NameNotFound(getattr(error, "strerror", None) or str(error)) from None
    answer = tuple(dict.fromkeys(str(entry[4][0]) for entry in found))
    _known[host, port] = (time.monotonic(), answer)
    if len(_known) > MOST_REMEMBERED:  # redirects to another name each time
        _known.pop(next(iter(_known)))
    return answer


def _lookup(host: str, port: int) -> asyncio.Task[Entries]:
    """The lookup that is under way for a name, or a new one: a resolver that hangs holds one thread a name, not one a poll."""
    key = (asyncio.get_running_loop(), host, port)
    if key not in _asked:
        ask = in_daemon_thread(lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM), "watchfloor-dns")
        _asked[key] = asyncio.ensure_future(ask)
        _asked[key].add_done_callback(lambda task: _forget(key, task))
    return _asked[key]


def _forget(key: tuple[asyncio.AbstractEventLoop, str, int], task: asyncio.Task[Entries]) -> None:
    """A lookup has ended; whoever gave up waiting for it does not hear of its failure."""
    del _asked[key]
    if not task.cancelled():
        task.exception()


class _Open(httpcore.AsyncNetworkStream):
    """An open connection: tells while a handshake is under way, and quickly whether the server has hung up, which httpcore asks
    twice a request."""

    def __init__(self, inner: httpcore.AsyncNetworkStream) -> None:
        self._inner = inner
        self._socket: socket.socket = inner.get_extra_info("socket")

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        """The secured connection, as httpcore makes it."""
        phase = CURRENT.get()
        phase.now = "TLS"
        secured = await self._inner.start_tls(ssl_context, server_hostname, timeout)
        phase.now = "first byte"
        return secured

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """As httpcore does it."""
        return await self._inner.read(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """As httpcore does it."""
        await self._inner.write(buffer, timeout)

    async def aclose(self) -> None:
        """As httpcore does it."""
        await self._inner.aclose()

    def get_extra_info(self, info: str) -> Any:
        """As httpcore does it."""
        return self._readable() if info == "is_readable" else self._inner.get_extra_info(info)

    def _readable(self) -> bool:
        """Whether there is something to read, or the end; a closed socket is at its end."""
        if (number := self._socket.fileno()) < 0:
            return True
        asked = select.poll()
        asked.register(number, select.POLLIN)
        return bool(asked.poll(0))


class Resolving(httpcore.AsyncNetworkBackend):
    """httpcore's own backend behind our lookup. Says which phase a new connection is in; one that is open already is at its
    `first byte`. httpcore's tracing would tell too, but costs each poll a twentieth of its time."""

    def __init__(self) -> None:
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """A connection to the first of the host's addresses that takes one. Raises NameNotFound or httpcore's errors."""
        phase = CURRENT.get()
        phase.reused = False
        phase.now = "DNS"
        found = await addresses(host, port)
        phase.now = "connect"
        for place, address in enumerate(found):
            last = place == len(found) - 1
            try:
                stream = await self._inner.connect_tcp(
                    address, port, timeout if last else FIRST_ADDRESS, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if last:
                    _known.pop((host, port), None)
                    raise
            else:
                phase.now = "first byte"
                return _Open(stream)
        raise NameNotFound("the resolver knows the name but gives no address")

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None
    ) -> httpcore.AsyncNetworkStream:
        """As httpcore does it."""
        return await self._inner.connect_unix_socket(path, timeout, socket_options)

    async def sleep(self, seconds: float) -> None:
        """As httpcore does it."""
        await self._inner.sleep(seconds)
