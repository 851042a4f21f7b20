"""The line to one HTTP server: asyncio's sockets, h11's framing, and the phase that a request is in told at every step.

A general client (httpx) costs each poll twice this time and each start 60 ms, and can tell neither the phase nor a
connection that was used before. Behind a proxy it is still the one that asks: `http_proxied.py`.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from time import monotonic
from typing import Protocol

import h11
from msgspec import Struct

from .http_address import Address
from .resolver import Phase, connect

KEPT = 75.0
"""Seconds that an idle connection is used again."""
HEAD_LIMIT = 100 * 1024
"""Bytes of an answer's headers."""
_HIGH = 1 << 18
"""Bytes that wait to be read before the server is made to wait."""


class Broken(Exception):
    """The exchange broke off, or is no HTTP; the message says how."""


class TooLong(Exception):
    """The body is longer than was allowed."""


class BadRequest(Exception):
    """HTTP allows no such request. Says nothing: what it holds may be secret."""


class Request(Struct, frozen=True):
    """What is asked; headers in the order in which they are sent, Host among them. `phase` is told where it is."""

    method: str
    address: Address
    headers: list[tuple[bytes, bytes]]
    phase: Phase
    body: bytes = b""


class Answer(Struct, frozen=True):
    """What came back: header names in lower case, the body as it was on the wire, and seconds until headers and end."""

    status: int
    headers: dict[str, str]
    body: bytes
    first_byte: float
    took: float
    certificate_ends: float | None = None


class Line(Protocol):
    """How a client reaches servers: directly, or by a proxy."""

    async def send(self, request: Request, on_wire: int) -> Answer:
        """One exchange. Raises TooLong past `on_wire` bytes of body, Broken, BadRequest, NameNotFound or OSError."""
        ...

    async def close(self) -> None:
        """Ends its connections."""
        ...


class Direct:
    """Straight to the server. Two connections at the most, of which one is kept for the next request to its origin."""

    def __init__(self, context: Callable[[], ssl.SSLContext]) -> None:
        self._context = context
        self._kept: Connection | None = None
        self._two = asyncio.Semaphore(2)

    async def send(self, request: Request, on_wire: int) -> Answer:
        """One exchange; again on a new connection where an idle one was closed just as it was used again: servers that keep
        connections for as long as an interval would else seem to fail now and then. Never for what changes something."""
        async with self._two:
            began = monotonic()
            if (connection := self._idle(request.address)) is not None:
                try:
                    return await self._over(connection, request, on_wire, began)
                except (Broken, ConnectionError):
                    if request.phase.now == "body" or request.method not in ("GET", "HEAD"):
                        raise
            return await self._over(await self._opened(request), request, on_wire, began)

    async def close(self) -> None:
        """Ends the connection that is kept."""
        if self._kept is not None:
            self._kept.end()
            self._kept = None

    async def _over(self, connection: Connection, request: Request, on_wire: int, began: float) -> Answer:
        """One exchange over a connection, which is kept if it can be."""
        try:
            answer = await connection.exchange(request, on_wire, began)
        except BaseException:
            connection.end()
            raise
        if connection.made_ready() and self._kept is None:
            self._kept = connection
        else:
            connection.end()
        return answer

    def _idle(self, address: Address) -> Connection | None:
        """The kept connection, where it leads to this origin and still stands."""
        kept, self._kept = self._kept, None
        if kept is None or (kept.origin == address.origin and kept.stands()):
            return kept
        kept.end()
        return None

    async def _opened(self, request: Request) -> Connection:
        """A new connection, secured where the URL says so."""
        address, phase = request.address, request.phase
        context = self._context() if address.secure else None
        stream = await connect(address.host, address.port, phase, Stream)
        if context is not None:
            phase.now = "TLS"
            try:
                await stream.secure(context, address.host)
            except BaseException:
                stream.transport.abort()
                raise
        return Connection(stream, address)


class Connection:
    """One connection that speaks HTTP/1.1."""

    def __init__(self, stream: Stream, address: Address) -> None:
        self._stream = stream
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEAD_LIMIT)
        self.origin = address.origin
        self._idle_since = 0.0

    async def exchange(self, request: Request, on_wire: int, began: float) -> Answer:
        """One request and its whole answer."""
        request.phase.now = "first byte"
        self._stream.write(self._bytes_of(request))
        try:
            head = await self._head()
            first_byte = monotonic() - began
            request.phase.now = "body"
            body = await self._body(on_wire)
        except h11.RemoteProtocolError as error:
            raise Broken(f"broke off or is no HTTP: {error}") from None
        headers: dict[str, str] = {}
        for name, value in head.headers:
            key, text = name.decode("latin-1"), value.decode("latin-1")
            headers[key] = f"{headers[key]}, {text}" if key in headers else text
        return Answer(head.status_code, headers, body, first_byte, monotonic() - began, self._stream.certificate_ends)

    def _bytes_of(self, request: Request) -> bytes:
        """The request as it goes over the wire."""
        try:
            head = h11.Request(method=request.method, target=request.address.target, headers=request.headers)
            asked = self._http.send(head) or b""
            if request.body:
                asked += self._http.send(h11.Data(data=request.body)) or b""
            return asked + (self._http.send(h11.EndOfMessage()) or b"")
        except h11.LocalProtocolError:
            raise BadRequest from None

    async def _head(self) -> h11.Response:
        """Status and headers; what goes before them (100, 103) is passed over."""
        while True:
            event = await self._event()
            if isinstance(event, h11.Response):
                return event
            if not isinstance(event, h11.InformationalResponse):
                raise Broken("closed without an answer")

    async def _body(self, on_wire: int) -> bytes:
        received = bytearray()
        while isinstance(event := await self._event(), h11.Data):
            received += event.data
            if len(received) > on_wire:
                raise TooLong
        return bytes(received)

    async def _event(self) -> object:
        """What the server says next."""
        while (event := self._http.next_event()) is h11.NEED_DATA:
            data = await self._stream.read()
            if not data and self._http.their_state is h11.SEND_RESPONSE:
                raise Broken("closed without an answer")
            self._http.receive_data(data)
        return event

    def made_ready(self) -> bool:
        """Whether it can be used again; then it is ready for the next request."""
        if self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
            return False
        self._http.start_next_cycle()
        self._idle_since = monotonic()
        return self._http.trailing_data == (b"", False)

    def stands(self) -> bool:
        """Whether nothing has come over it, nor ended it, while it was idle, and that was not long."""
        return self._stream.quiet and monotonic() - self._idle_since < KEPT

    def end(self) -> None:
        """Closes it."""
        self._stream.close()


class Stream(asyncio.Protocol):
    """The bytes of one connection, as they come. asyncio's own streams copy each twice, and cannot be secured (3.11)."""

    transport: asyncio.Transport

    def __init__(self) -> None:
        self.certificate_ends: float | None = None
        """UTC seconds at which the server's certificate expires; None where there is none."""
        self._received = bytearray()
        self._ended = False
        self._error: Exception | None = None
        self._reader: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio's word that it stands."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    async def secure(self, context: ssl.SSLContext, host: str) -> None:
        """TLS from here on. Raises ssl.SSLError or OSError."""
        loop = asyncio.get_running_loop()
        secured = await loop.start_tls(self.transport, self, context, server_hostname=host, ssl_shutdown_timeout=1.0)
        if secured is None:
            raise Broken("closed during the handshake")
        self.transport = secured
        certificate = secured.get_extra_info("peercert") or {}
        if ends := certificate.get("notAfter"):
            self.certificate_ends = float(ssl.cert_time_to_seconds(str(ends)))

    def data_received(self, data: bytes) -> None:
        """asyncio's word that bytes have come."""
        self._received += data
        if len(self._received) > _HIGH:
            self.transport.pause_reading()
        self._wake()

    def eof_received(self) -> None:
        """asyncio's word that no more will come."""
        self._ended = True
        self._wake()

    def connection_lost(self, error: Exception | None) -> None:
        """asyncio's word that it is gone."""
        self._ended, self._error = True, error
        self._wake()

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    @property
    def quiet(self) -> bool:
        """Whether it stands and nothing waits to be read."""
        return not self._ended and not self._received

    def write(self, data: bytes) -> None:
        """Sends it, sooner or later."""
        self.transport.write(data)

    async def read(self) -> bytes:
        """The next bytes; none where it has ended. Raises what broke it off."""
        if not self._received and not self._ended:
            self._reader = asyncio.get_running_loop().create_future()
            await self._reader
        if self._received:
            data = bytes(self._received)
            self._received.clear()
            self.transport.resume_reading()
            return data
        if self._error is not None:
            raise self._error
        return b""

    def close(self) -> None:
        """Ends it."""
        self.transport.close()
