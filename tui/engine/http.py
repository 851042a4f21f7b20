"""One HTTP client a target: bounded in time, bytes and redirects, and able to say in which phase it failed.

A time-out per read is never late for a server that drips a byte a second; here one deadline holds for everything. Bodies are
cut on the wire and inflated within bounds (reliability.md D7-D9).
"""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from pydantic import Field

from .http_address import Address, address_of
from .http_answer import Fetched, clock_offset_of, unpacked
from .http_line import Answer, BadRequest, Broken, Direct, Line, Request, TooLong
from .panel import Settings
from .reading import ProbeError, no_answer
from .resolver import NameNotFound, Phase
from .secrets import Headers, SecretError, SecretText, SecretUrl
from .units import show_duration, show_size

HEALTH_ON_WIRE, HEALTH_INFLATED = 256_000, 1 << 20
API_LIMIT = 8 << 20
REDIRECTS = 3
REDIRECTING = (301, 302, 303, 307, 308)
USER_AGENT = "watchfloor"
Sent = dict[str, tuple[bytes, bytes]]
"""Headers as they are sent, by their names in lower case: names are equal whatever their case."""


class HttpSettings(Settings):
    """What every HTTP target takes."""

    headers: Headers = Field(default_factory=dict)
    """Headers to send; a secret in one as `{env:NAME}`."""
    ca: Path | None = None
    """A file of certificates to trust besides the system's."""
    cert: Path | None = None
    """The client certificate, in PEM."""
    key: Path | None = None
    """The client certificate's key, where it stands apart."""
    proxy: SecretUrl | None = None
    """A proxy; the environment's (`HTTPS_PROXY`, `NO_PROXY`) where it is not given."""

    def http(self) -> HttpSettings:
        """These settings alone, of a model that has more: what identifies a client."""
        return HttpSettings.model_construct(**{name: getattr(self, name) for name in HttpSettings.model_fields})

    def __hash__(self) -> int:
        headers = tuple(sorted((name, text.source) for name, text in self.headers.items()))
        return hash((headers, self.ca, self.cert, self.key, self.proxy))


@cache
def tls_context(ca: Path | None, cert: Path | None, key: Path | None) -> ssl.SSLContext:
    """A TLS context, made once for all targets of equal settings: making one costs 10 ms."""
    import certifi  # late: only where TLS is used

    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    if ca:
        context.load_verify_locations(ca)
    if cert:
        context.load_cert_chain(cert, key)
    return context


class HttpClient:
    """The client of one target. At most two connections, one kept alive. It keeps no cookies: one would pin a probe to one of
    several servers."""

    def __init__(self, settings: HttpSettings) -> None:
        self._settings = settings
        self._line: Line | None = None
        self._headers: Sent | None = None

    async def fetch(
        self,
        method: str,
        url: SecretText | str,
        *,
        deadline: float,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        body: bytes | None = None,
        on_wire: int = API_LIMIT,
        inflated: int = API_LIMIT,
        keep_redirects: bool = False,
    ) -> Fetched:
        """One request and its whole answer within `deadline` seconds.

        Raises ProbeError (status *unknown*: the caller knows whether a refusal is the watched thing's own) with the phase
        in which it failed. Any HTTP status is an answer. Redirects are followed three times at the most, the configured
        headers stay with their origin; with `keep_redirects` a redirect is itself the answer.
        """
        phase = Phase("connect")
        try:
            async with asyncio.timeout(deadline):
                answer = await self._followed(phase, method, url, headers, params, body, on_wire, keep_redirects)
        except TimeoutError:
            raise no_answer(phase.now, f"nothing more within {show_duration(deadline)}", _HINTS[phase.now]) from None
        except TooLong:
            raise no_answer(
                "body", f"longer than {show_size(on_wire)}", "is this the right URL? A health reply is short"
            ) from None
        except (NameNotFound, Broken, OSError) as error:
            raise _explained(error, phase.now) from None
        except BadRequest:  # what it holds may be a secret
            raise no_answer(
                "config", "HTTP allows no such header", "is there a line break in a header or its secret?"
            ) from None
        except SecretError as error:
            raise no_answer("config", str(error), "set it, or mend its reference in the config") from None
        return Fetched(
            status=answer.status,
            headers=answer.headers,
            body=unpacked(answer.body, answer.headers.get("content-encoding", ""), inflated),
            took=answer.took,
            first_byte=answer.first_byte,
            certificate_ends=answer.certificate_ends,
            clock_offset=clock_offset_of(answer.headers.get("date")),
        )

    async def _followed(
        self,
        phase: Phase,
        method: str,
        url: SecretText | str,
        headers: Mapping[str, str] | None,
        params: Mapping[str, str] | None,
        body: bytes | None,
        on_wire: int,
        keep_redirects: bool,
    ) -> Answer:
        """The answer behind at most three redirects."""
        address = _asked(await url.reveal() if isinstance(url, SecretText) else url, params or {})
        line = self._line = self._line or await self._made()
        origin = address.origin
        sent = {**await self._configured(), **_sent(headers or {})}
        for _ in range(REDIRECTS + 1):
            answer = await line.send(_request(phase, method, address, sent if address.origin == origin else {}, body), on_wire)
            location = answer.headers.get("location") if answer.status in REDIRECTING else None
            if keep_redirects or location is None or method not in ("GET", "HEAD"):
                return answer
            address = _target(address, location)
        raise no_answer("status", f"redirects more than {REDIRECTS} times", "name the final URL in the config")

    async def _made(self) -> Line:
        """The line to the server: by a proxy where the config or the environment names one."""
        proxy = await self._settings.proxy.reveal() if self._settings.proxy else None
        if proxy is None and not _environment_has_proxy():
            return Direct(self._context)
        from .http_proxied import Proxied  # late: httpx costs a start 60 ms, and few have a proxy

        try:
            return Proxied(self._context, proxy)
        except ValueError as error:
            raise no_answer("config", f"not a proxy that can be asked: {error}", "mend `proxy` in the config") from None

    def _context(self) -> ssl.SSLContext:
        """The certificates to trust and to show. Raises ProbeError where they cannot be read."""
        made = self._settings
        try:
            return tls_context(made.ca, made.cert, made.key)
        except (OSError, ssl.SSLError) as error:
            raise no_answer("config", f"TLS files: {error.strerror or error}", "mend ca, cert or key in the config") from None

    async def _configured(self) -> Sent:
        """The configured headers, revealed."""
        if self._headers is None:
            self._headers = _sent({name: await text.reveal() for name, text in self._settings.headers.items()})
        return self._headers

    def forget_secrets(self) -> None:
        """After a refusal (401, 403): secrets are read anew before the next request."""
        self._headers = None
        for text in self._settings.headers.values():
            text.forget()

    async def close(self) -> None:
        """Ends its connections."""
        if self._line is not None:
            await self._line.close()
            self._line = None


_HINTS = {
    "DNS": "check the name, or this host's resolver",
    "connect": "is it running, and may this host reach it?",
    "TLS": "check certificate, name and protocol",
    "first byte": "it takes connections but does not answer: look at its load and logs",
    "body": "it begins to answer and stops: look at its load and logs",
}


def _asked(url: str, params: Mapping[str, str]) -> Address:
    """The URL with its parameters. Raises ProbeError where it is none."""
    try:
        return address_of(url).asking(params)
    except ValueError as error:
        raise no_answer("config", f"not a URL that can be asked: {error}", "mend the URL in the config") from None


def _target(address: Address, location: str) -> Address:
    """Where an answer redirects to. Raises ProbeError where that is no place HTTP can go to."""
    try:
        return address.joined(location)
    except ValueError as error:
        says = f"redirects to {location[:80]}: {error}"
        raise no_answer("status", says, "HTTP cannot go there: look at its configuration") from None


def _sent(headers: Mapping[str, str]) -> Sent:
    """Headers as they go over the wire."""
    return {name.lower(): (name.encode(), value.encode()) for name, value in headers.items()}


ALWAYS = _sent({"User-Agent": USER_AGENT, "Accept": "*/*", "Accept-Encoding": "identity"})


def _request(phase: Phase, method: str, address: Address, headers: Sent, body: bytes | None) -> Request:
    """What is sent: what always is, and what the config and the caller say in its place or besides."""
    sent = {"host": (b"Host", address.authority.encode()), **ALWAYS, **headers}
    if address.credentials:
        sent["authorization"] = (b"Authorization", b"Basic " + address.credentials.encode())
    if body is not None or method not in ("GET", "HEAD"):
        sent["content-length"] = (b"Content-Length", str(len(body or b"")).encode())
    return Request(method, address, list(sent.values()), phase, body or b"")


def _explained(error: Exception, phase: str) -> ProbeError:
    """What broke it off, in words."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return no_answer("TLS", error.verify_message, "renew or trust the certificate (`ca` in the config)")
    if isinstance(error, ssl.SSLError):
        return no_answer("TLS", (error.reason or str(error)).lower().replace("_", " "), _HINTS["TLS"])
    if isinstance(error, OSError) and error.errno:
        return no_answer(phase, os.strerror(error.errno).lower(), _HINTS[phase])
    return no_answer(phase, str(error) or type(error).__name__, _HINTS[phase])


def _environment_has_proxy() -> bool:
    """Whether the environment names a proxy; then httpx's handling of it (and of NO_PROXY) serves."""
    return any(
        os.environ.get(name) for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
    )
