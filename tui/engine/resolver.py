"""Names to addresses, so that a hanging resolver can neither outlive a deadline nor hold up the exit.

Looks names up in a daemon thread, remembers answers for a minute, and tells which phase a request is in, so that a failure
can name it.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import time
from collections.abc import Callable
from typing import Any, TypeVar

from msgspec import Struct

from .threads import in_daemon_thread

REMEMBERED = 60.0
FIRST_ADDRESS = 2.0
"""Seconds that one address may take while others are left to try: a black-holed IPv6 must not cost the whole deadline."""

Entries = list[Any]
"""What the resolver gives: tuples whose last member begins with the address."""

P = TypeVar("P", bound=asyncio.BaseProtocol)

_known: dict[tuple[str, int], tuple[float, tuple[str, ...]]] = {}
_asked: dict[tuple[asyncio.AbstractEventLoop, str, int], asyncio.Task[Entries]] = {}


class NameNotFound(Exception):
    """The resolver has no address for a host; the message is the resolver's own."""


class Phase(Struct):
    """Where a request is: `DNS`, `connect`, `TLS`, `first byte`, `body`."""

    now: str = "first byte"


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


async def connect(host: str, port: int, phase: Phase, protocol: Callable[[], P]) -> P:
    """A connection to the first of the host's addresses that takes one; tells its phases. Raises NameNotFound or OSError."""
    phase.now = "DNS"
    found = await addresses(host, port)
    phase.now = "connect"
    loop = asyncio.get_running_loop()
    for place, address in enumerate(found):
        last = place == len(found) - 1
        try:
            async with asyncio.timeout(None if last else FIRST_ADDRESS):
                return (await loop.create_connection(protocol, address, port))[1]
        except OSError:  # a time-out is one too
            if last:
                _known.pop((host, port), None)
                raise
    raise NameNotFound("the resolver knows the name but gives no address")
