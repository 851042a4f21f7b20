"""What an HTTP server answered: its body unpacked within bounds, and what its headers say of time."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from time import time

from msgspec import Struct

from .reading import no_answer
from .units import show_size

_DATE = re.compile(r"[A-Z][a-z]{2}, (\d\d) ([A-Z][a-z]{2}) (\d{4}) (\d\d):(\d\d):(\d\d) GMT", re.A)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


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


def unpacked(body: bytes, encoding: str, inflated: int) -> bytes:
    """The body as it was before it was packed, `inflated` bytes at the most. Raises ProbeError where it exceeds that or is
    encoded in a way nobody asked for."""
    encoding = encoding.strip().lower()
    if encoding in ("identity", "") or not body:
        return body
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise no_answer("body", f"encoded as {encoding}, though none was asked for", "serve it unencoded to this client")
    try:
        opener = zlib.decompressobj(wbits=47)
        content = opener.decompress(body, inflated + 1)
        if len(content) <= inflated and not opener.eof:
            raise zlib.error("it breaks off")
    except zlib.error as error:
        raise no_answer("body", f"not {encoding} as it says: {error}", "look at the proxy in between") from None
    if len(content) > inflated:
        raise no_answer("body", f"inflates beyond {show_size(inflated)}", "is this the right URL? A health reply is short")
    return content


def clock_offset_of(date: str | None) -> float | None:
    """How far the server's clock is ahead of ours, to the second that a Date header has."""
    said = _seconds(date) if date else None
    return None if said is None else said - time()


@lru_cache(maxsize=64)
def _seconds(date: str) -> float | None:
    """UTC seconds of an HTTP date; many targets say the same one. None where it is no date."""
    try:
        if found := _DATE.fullmatch(date):
            day, month, *rest = found.groups()
            year, hour, minute, second = map(int, rest)
            return datetime(year, _MONTHS.index(month) + 1, int(day), hour, minute, second, tzinfo=UTC).timestamp()
        from email.utils import parsedate_to_datetime  # late: the two older forms are rare

        return parsedate_to_datetime(date).timestamp()
    except (TypeError, ValueError, OverflowError):
        return None


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that a 429 or 503 asks to wait (a number or an HTTP date), a day at most; None where it says nothing."""
    said = headers.get("retry-after", "").strip()
    if said.isascii() and said.isdigit():
        return min(float(said), 86400.0)
    until = _seconds(said) if said else None
    return None if until is None else min(max(0.0, until - time()), 86400.0)
