"""One HTTP client a target: bounded in time, bytes and redirects, and able to say in which phase it failed.

httpx's own time-outs are per read, so a server that drips a byte a second is never late for them; here one deadline holds
for everything. Bodies are cut on the wire and inflated within bounds (reliability.md D7-D9).
"""

from __future__ import annotations

import asyncio
import ssl
from base64 import b64encode
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from time import monotonic, time

import httpcore
import httpx
from pydantic import Field

from .http_answer import NO_PLACE, Fetched, body_of, certificate_ends, clock_offset_of, redirect_of
from .http_proxy import environment_proxy
from .http_tls import no_certificates, tls_context
from .http_words import HINTS, explained
from .panel import Settings
from .reading import no_answer
from .resolver import CURRENT, NameNotFound, Phase, Resolving
from .secrets import Headers, SecretError, SecretText, SecretUrl
from .units import show_duration

HEALTH_ON_WIRE, HEALTH_INFLATED = 256_000, 1 << 20
API_LIMIT = 8 << 20
REDIRECTS = 3
USER_AGENT = "watchfloor"
ALWAYS = {"user-agent": USER_AGENT, "accept": "*/*", "accept-encoding": "identity"}
Origin = tuple[str, str, int | None]


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


class HttpClient:
    """The client of one target. At most two connections, one kept alive. It keeps no cookies: one would pin a probe to one of
    several servers, and cookies know no ports."""

    def __init__(self, settings: HttpSettings) -> None:
        self._settings = settings
        self._transports: dict[Origin, httpx.AsyncHTTPTransport] = {}
        self._headers: dict[str, str] | None = None
        self._asked: object = None
        self._last: httpx.Request

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
        before = CURRENT.set(phase)
        try:
            async with asyncio.timeout(deadline):
                return await self._follow(method, url, headers, params, body, on_wire, inflated, keep_redirects)
        except TimeoutError:
            raise no_answer(phase.now, f"nothing more within {show_duration(deadline)}", HINTS[phase.now]) from None
        except NameNotFound as error:
            raise no_answer("DNS", str(error), HINTS["DNS"]) from None
        except httpx.HTTPError as error:
            raise explained(error, phase.now) from None
        except (httpx.InvalidURL, UnicodeError) as error:
            if phase.now == "first byte":  # it was asked: what cannot be read is where it redirects to
                raise no_answer("status", f"redirects to what is no URL: {error}", NO_PLACE) from None
            raise no_answer("config", f"not a URL that can be asked: {error}", "mend the URL in the config") from None
        except SecretError as error:
            raise no_answer("config", str(error), "set it, or mend its reference in the config") from None
        except (OSError, ssl.SSLError) as error:
            raise no_answer("config", f"TLS files: {error.strerror or error}", "mend ca, cert or key in the config") from None
        finally:
            CURRENT.reset(before)

    async def _follow(
        self,
        method: str,
        url: SecretText | str,
        headers: Mapping[str, str] | None,
        params: Mapping[str, str] | None,
        body: bytes | None,
        on_wire: int,
        inflated: int,
        keep_redirects: bool,
    ) -> Fetched:
        """The answer behind at most three redirects."""
        address = _parsed(await url.reveal() if isinstance(url, SecretText) else url)
        if params:
            address = address.copy_merge_params(params)
        origin, sent = _origin(address), await self._sent(headers)
        for _ in range(REDIRECTS + 1):
            request = self._request(method, address, sent if _origin(address) == origin else {}, body)
            fetched, target = await self._sent_once_more(request, on_wire, inflated)
            if keep_redirects or target is None or method not in ("GET", "HEAD"):
                return fetched
            address = target
        raise no_answer("status", f"redirects more than {REDIRECTS} times", "name the final URL in the config")

    def _request(self, method: str, address: httpx.URL, headers: Mapping[str, str], body: bytes | None) -> httpx.Request:
        """The request; the one before it where it is the same, as it is at every poll: making one costs a tenth of that."""
        asked = (method, address, headers, body)
        if self._asked != asked:
            sent = {**ALWAYS, **{name.lower(): value for name, value in headers.items()}}
            if address.userinfo:
                pair = f"{address.username}:{address.password}"
                sent["authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
            self._asked, self._last = asked, httpx.Request(method, address, headers=sent, content=body)
        return self._last

    async def _sent_once_more(self, request: httpx.Request, on_wire: int, inflated: int) -> tuple[Fetched, httpx.URL | None]:
        """`_send`, and again on a new connection where an idle one was closed just as it was used again: servers that keep
        connections for as long as an interval would else seem to fail now and then. Never for what changes something."""
        phase = CURRENT.get()
        phase.now, phase.reused = "first byte", True
        try:
            return await self._send(request, on_wire, inflated)
        except (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError):
            if not phase.reused or phase.now == "body" or request.method not in ("GET", "HEAD"):
                raise
        return await self._send(request, on_wire, inflated)

    async def _send(self, request: httpx.Request, on_wire: int, inflated: int) -> tuple[Fetched, httpx.URL | None]:
        """One exchange: the answer, and where it redirects to. Straight to the transport: what httpx's client adds (cookies,
        authentication, redirects, hooks) is not wanted here, and costs a sixth of a poll."""
        transport = self._transports.get(_origin(request.url)) or await self._transport(request.url)
        began, asked = monotonic(), time()
        response = await transport.handle_async_request(request)
        try:
            first_byte = monotonic() - began
            clock_offset = clock_offset_of(response.headers.get("date"), asked)
            CURRENT.get().now = "body"
            content = await body_of(response, on_wire, inflated)
            fetched = Fetched(
                status=response.status_code,
                headers=response.headers,
                body=content,
                took=monotonic() - began,
                first_byte=first_byte,
                certificate_ends=certificate_ends(response) if request.url.scheme == "https" else None,
                clock_offset=clock_offset,
            )
            return fetched, redirect_of(request, response)
        finally:
            await response.aclose()

    async def _sent(self, headers: Mapping[str, str] | None) -> dict[str, str]:
        """The configured headers, revealed, and the request's own."""
        if self._headers is None:
            self._headers = {name: await text.reveal() for name, text in self._settings.headers.items()}
        return {**self._headers, **(headers or {})}

    def forget_secrets(self) -> None:
        """After a refusal (401, 403): secrets are read anew before the next request."""
        self._headers = None
        for text in self._settings.headers.values():
            text.forget()

    async def _transport(self, address: httpx.URL) -> httpx.AsyncHTTPTransport:
        """The transport to an origin, made at first use: two connections at the most, one kept alive."""
        if len(self._transports) > REDIRECTS:  # redirects that lead elsewhere each time
            await self.close()
        secure = address.scheme == "https"
        made = self._settings
        # A context without certificates trusts nobody: reading them costs 20 ms that plain HTTP need not pay.
        context = tls_context(made.ca, made.cert, made.key) if secure else no_certificates()
        proxy = await made.proxy.reveal() if made.proxy else environment_proxy(address)
        limits = httpx.Limits(max_connections=2, max_keepalive_connections=1, keepalive_expiry=75)
        try:
            transport = httpx.AsyncHTTPTransport(verify=context, limits=limits, proxy=proxy)
        except ValueError:
            says = "the proxy is none that can be asked"
            raise no_answer("config", says, "http:// or https://, in `proxy` or the environment") from None
        if proxy is None:
            # httpx offers no argument for httpcore's network backend; the pool is what it would have made itself.
            transport._pool = httpcore.AsyncConnectionPool(
                ssl_context=context,
                max_connections=2,
                max_keepalive_connections=1,
                keepalive_expiry=75,
                network_backend=Resolving(),
            )
        self._transports[_origin(address)] = transport
        return transport

    async def close(self) -> None:
        """Ends its connections."""
        transports, self._transports = self._transports, {}
        for transport in transports.values():
            await transport.aclose()


def _origin(url: httpx.URL) -> Origin:
    """Scheme, host and port: what credentials stay within."""
    return url.scheme, url.host, url.port


@lru_cache(maxsize=4096)
def _parsed(url: str) -> httpx.URL:
    """A URL, parsed once: httpx would do it at every request. Raises httpx.InvalidURL also where HTTP cannot go there."""
    parsed = httpx.URL(url)
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise httpx.InvalidURL("expected http:// or https:// and a host")
    return parsed
