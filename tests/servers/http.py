"""A raw HTTP server on a loopback port, in the test's own loop: answers as told, or misbehaves in every way the field knows.

    async def test_…(web: Web) -> None:
        web.answers["/health"] = reply(b'{"status":"pass"}')
        web.answers["/slow"] = drips_body

It is raw because what frameworks forbid (half a header, a lie about the length) is just what must be tested.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import json
import ssl
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
import trustme

STEP = 0.05
"""Seconds between two drops of what drips."""


@dataclass(frozen=True)
class Asked:
    """One request as it came."""

    method: str
    target: str
    headers: Mapping[str, str]
    connection: int
    """Which connection it came on, counted from 1."""

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]


@dataclass
class Wire:
    """The server's end of one connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    web: Web

    async def send(self, data: bytes) -> None:
        """Sends, and waits until the other side takes it."""
        self.writer.write(data)
        self.web.sent += len(data)
        await self.writer.drain()


Behaviour = Callable[[Wire, Asked], Awaitable[None]]


@dataclass
class Web:
    """The server: what it answers by path, what it was asked."""

    answers: dict[str, bytes | Behaviour] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    sent: int = 0
    port: int = 0
    scheme: str = "http"
    host: str = "127.0.0.1"
    _open: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.host}:{self.port}"

    def says(self, path: str, data: object, status: int = 200) -> None:
        """A path answers with JSON."""
        self.answers[path] = reply(json.dumps(data).encode(), status)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, request by request."""
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        task.add_done_callback(self._open.discard)
        wire, number = Wire(reader, writer, self), self.connections
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                asked = _parsed(head, number)
                self.asked.append(asked)
                await reader.readexactly(int(asked.headers.get("content-length", "0")))
                answer = self.answers.get(asked.path, NOT_FOUND)
                if isinstance(answer, bytes):
                    await wire.send(answer.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" if asked.method == "HEAD" else answer)
                else:
                    await answer(wire, asked)
                if writer.is_closing():
                    return
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            return
        finally:
            writer.close()

    def hang_up(self) -> None:
        """Ends every connection."""
        for task in self._open:
            task.cancel()


def _parsed(head: bytes, connection: int) -> Asked:
    first, *lines = head.decode("latin-1").rstrip().split("\r\n")
    method, target, _ = first.split(" ")
    pairs = (line.partition(":") for line in lines)
    return Asked(method, target, {name.lower(): value.strip() for name, _, value in pairs}, connection)


def reply(body: bytes = b"", status: int = 200, content_type: str = "application/json", **headers: str) -> bytes:
    """A whole, well-formed answer; header names are given with `_` for `-`."""
    lines = [f"HTTP/1.1 {status} Said", f"Content-Length: {len(body)}", f"Content-Type: {content_type}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


NOT_FOUND = reply(b"not found", 404, "text/plain")


async def hangs(wire: Wire, asked: Asked) -> None:
    """Takes the request and says nothing."""
    await wire.reader.read()


async def drips_headers(wire: Wire, asked: Asked) -> None:
    """A byte of the headers at a time, without end."""
    await wire.send(b"HTTP/1.1 200 OK\r\nX-Drip: ")
    while True:
        await wire.send(b"x")
        await asyncio.sleep(STEP)


async def drips_body(wire: Wire, asked: Asked) -> None:
    """A byte of the body at a time, without end: never late for a time-out per read."""
    await wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while True:
        await wire.send(b" ")
        await asyncio.sleep(STEP)


async def never_ends(wire: Wire, asked: Asked) -> None:
    """As many bytes as the other side takes."""
    await wire.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
    while True:
        await wire.send(b"[" * 65536)


async def closes(wire: Wire, asked: Asked) -> None:
    """Takes the request and hangs up."""
    wire.writer.close()


async def closes_early(wire: Wire, asked: Asked) -> None:
    """Promises more than it sends."""
    await wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")
    wire.writer.close()


async def resets(wire: Wire, asked: Asked) -> None:
    """Breaks the connection off."""
    transport = wire.writer.transport
    transport.abort()


async def speaks_no_http(wire: Wire, asked: Asked) -> None:
    """Another protocol altogether."""
    await wire.send(b"220 mail.example ESMTP\r\n")
    wire.writer.close()


async def closes_when_reused(wire: Wire, asked: Asked) -> None:
    """Answers a connection's first request well and hangs up at its second, as a server does whose patience with an idle
    connection ran out at that very moment."""
    if sum(each.connection == asked.connection for each in wire.web.asked) > 1:
        wire.writer.close()
        return
    await wire.send(reply(b'{"ok":true}'))


def bomb(size: int = 50_000_000) -> bytes:
    """A short answer that inflates to `size` bytes, made without ever holding them."""
    packer = zlib.compressobj(wbits=31)
    pieces = [packer.compress(b" " * 1_000_000) for _ in range(size // 1_000_000)]
    return reply(b"".join((*pieces, packer.flush())), Content_Encoding="gzip")


def to(url: str, status: int = 302) -> bytes:
    """A redirect."""
    return reply(b"", status, Location=url)


@contextlib.asynccontextmanager
async def start_web(context: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> AsyncIterator[Web]:
    """A server of one's own; with a context it speaks TLS."""
    web = Web(scheme="https" if context else "http", host=host)
    server = await asyncio.start_server(web.serve, "127.0.0.1", 0, ssl=context, limit=1 << 20)
    web.port = server.sockets[0].getsockname()[1]
    try:
        yield web
    finally:
        server.close()
        web.hang_up()


@pytest.fixture
async def web() -> AsyncIterator[Web]:
    """A server that answers 404 to everything."""
    async with start_web() as server:
        yield server


@dataclass(frozen=True)
class Authority:
    """A certificate authority of the test's own; `file` is what a config names as `ca`."""

    ca: trustme.CA
    file: Path

    def context(self, *names: str, ends_in: datetime.timedelta = datetime.timedelta(days=30)) -> ssl.SSLContext:
        """A server's context with a certificate for these names that ends then."""
        now = datetime.datetime.now(datetime.UTC)
        certificate = self.ca.issue_cert(*names, not_before=now - datetime.timedelta(days=400), not_after=now + ends_in)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(context)
        return context


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    """One authority for the whole run."""
    ca = trustme.CA()
    file = tmp_path_factory.mktemp("ca") / "ca.pem"
    ca.cert_pem.write_to_path(str(file))
    yield Authority(ca, file)


start_tls = partial(start_web, host="localhost")
"""A TLS server, called by its name."""
