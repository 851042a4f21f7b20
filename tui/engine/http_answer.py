"""What an HTTP server answered: its body within bounds, where it redirects to, what its headers and certificate say of time."""

from __future__ import annotations

import ssl
import zlib
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from functools import lru_cache
from time import time

import httpx
from msgspec import Struct

from .clock import ahead_of_ours
from .reading import no_answer
from .units import show_size

NO_PLACE = "HTTP cannot go there: look at its configuration"


class Fetched(Struct, frozen=True):
    """An HTTP answer. `took` is seconds until the body's end, `first_byte` until the headers.

    `certificate_ends` is UTC seconds (TLS alone); `clock_offset` how far the server's clock is ahead of ours, in seconds.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    took: float
    first_byte: float
    certificate_ends: float | None = None
    clock_offset: float | None = None

    @property
    def content_type(self) -> str:
        """The media type alone, lower case."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


async def body_of(response: httpx.Response, on_wire: int, inflated: int) -> bytes:
    """The body within both bounds. Raises ProbeError where it exceeds one or is encoded in a way nobody asked for."""
    received = bytearray()
    assert isinstance(response.stream, httpx.AsyncByteStream)
    async for chunk in response.stream:
        received += chunk
        if len(received) > on_wire:
            raise no_answer("body", f"longer than {show_size(on_wire)}", "is this the right URL? A health reply is short")
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding in ("identity", "") or not received:
        return bytes(received)
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise no_answer("body", f"encoded as {encoding}, though none was asked for", "serve it unencoded to this client")
    try:
        opener = zlib.decompressobj(wbits=47)
        content = opener.decompress(bytes(received), inflated + 1)
        if len(content) <= inflated and not opener.eof:
            raise zlib.error("it breaks off")
    except zlib.error as error:
        raise no_answer("body", f"not {encoding} as it says: {error}", "look at the proxy in between") from None
    if len(content) > inflated:
        raise no_answer("body", f"inflates beyond {show_size(inflated)}", "is this the right URL? A health reply is short")
    return content


def redirect_of(request: httpx.Request, response: httpx.Response) -> httpx.URL | None:
    """Where the answer redirects to. Raises ProbeError where that is no place HTTP can go to."""
    if not response.has_redirect_location:
        return None
    target = request.url.join(response.headers["location"])
    if target.scheme not in ("http", "https"):
        raise no_answer("status", f"redirects to {response.headers['location'][:80]}", NO_PLACE)
    return target


def certificate_ends(response: httpx.Response) -> float | None:
    """UTC seconds at which the peer's certificate expires."""
    stream = response.extensions.get("network_stream")
    tls = stream.get_extra_info("ssl_object") if stream else None
    certificate = tls.getpeercert() if tls else None
    ends = certificate.get("notAfter") if certificate else None
    return ssl.cert_time_to_seconds(str(ends)) if ends else None


def clock_offset_of(date: str | None, asked: float) -> float | None:
    """How far the server's clock is ahead of ours, by the whole seconds of its Date header; `asked` at that UTC second."""
    said = _seconds(date) if date else None
    return None if said is None else ahead_of_ours(said, asked, time(), step=1.0)


@lru_cache(maxsize=64)
def _seconds(date: str) -> float | None:
    """UTC seconds of an HTTP date; many targets say the same one, and parsing it costs more than a dictionary."""
    try:
        return parsedate_to_datetime(date).timestamp()
    except (TypeError, ValueError, OverflowError):
        return None


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that a 429 or 503 asks to wait (a number or an HTTP date), a day at most; None where it says nothing."""
    said = headers.get("retry-after", "").strip()
    if said.isascii() and said.isdigit():
        return min(float(said), 86400.0)
    try:
        return min(max(0.0, parsedate_to_datetime(said).timestamp() - time()), 86400.0) if said else None
    except (TypeError, ValueError, OverflowError):
        return None
