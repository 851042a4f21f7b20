"""The line that goes by a proxy, the config's or the environment's: httpx knows CONNECT, credentials and NO_PROXY. Imported
only where there is a proxy."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from http.cookiejar import CookieJar, DefaultCookiePolicy
from time import monotonic

import httpx

from .http_line import Answer, BadRequest, Broken, Request, TooLong


class Proxied:
    """By a proxy; the environment's where none is named. Two connections at the most, one kept."""

    def __init__(self, context: Callable[[], ssl.SSLContext], proxy: str | None) -> None:
        self._client = httpx.AsyncClient(
            verify=context(),
            limits=httpx.Limits(max_connections=2, max_keepalive_connections=1, keepalive_expiry=75),
            timeout=None,  # noqa: S113  # one deadline holds over everything, see HttpClient.fetch
            proxy=proxy,
            # A cookie would pin a probe to one of several servers, and cookies know no ports: none is kept.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        )

    async def send(self, request: Request, on_wire: int) -> Answer:
        """One exchange; see `Line`. Nobody tells the phase behind a proxy: the error does."""
        request.phase.now = "first byte"
        began = monotonic()
        try:
            return await self._sent(request, on_wire, began)
        except (httpx.LocalProtocolError, httpx.InvalidURL):
            raise BadRequest from None
        except httpx.HTTPError as error:
            if isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError)):
                request.phase.now = "connect"
            raise _cause(error) from None

    async def _sent(self, request: Request, on_wire: int, began: float) -> Answer:
        asked = self._client.build_request(
            request.method, request.address.url, headers=request.headers, content=request.body or None
        )
        response = await self._client.send(asked, stream=True)
        try:
            first_byte = monotonic() - began
            request.phase.now = "body"
            body = bytearray()
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > on_wire:
                    raise TooLong
            headers = {name.lower(): value for name, value in response.headers.items()}
            ends = _certificate_ends(response) if request.address.secure else None
            return Answer(response.status_code, headers, bytes(body), first_byte, monotonic() - began, ends)
        finally:
            await response.aclose()

    async def close(self) -> None:
        """Ends its connections."""
        await self._client.aclose()


def _cause(error: httpx.HTTPError) -> Exception:
    """The innermost cause, where the operating system or OpenSSL spoke; else the error in words."""
    seen: BaseException = error
    while (following := _behind(seen)) is not None and following is not seen:
        seen = following
    if isinstance(seen, OSError):
        return seen
    return Broken(f"{'broke off or is no HTTP: ' if isinstance(error, httpx.RemoteProtocolError) else ''}{error}")


def _behind(error: BaseException) -> BaseException | None:
    """What an error came from; of a group, its first member."""
    return error.exceptions[0] if isinstance(error, BaseExceptionGroup) else error.__cause__ or error.__context__


def _certificate_ends(response: httpx.Response) -> float | None:
    """UTC seconds at which the peer's certificate expires."""
    stream = response.extensions.get("network_stream")
    tls = stream.get_extra_info("ssl_object") if stream else None
    ends = (tls.getpeercert() or {}).get("notAfter") if tls else None
    return float(ssl.cert_time_to_seconds(str(ends))) if ends else None
