"""The blocking side of a Prometheus client: prometheus-api-client over a `requests` session that is bounded in time and size.

Imported in a worker thread, and only where a Prometheus is watched: requests and its friends take a fifth of a second. No
redirects (an API's root is named in the config; what redirects is usually a login page), no hidden retries, no netrc.
"""

from __future__ import annotations

import errno
import json
import os
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3.exceptions as broken
from prometheus_api_client import PrometheusConnect
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies
from urllib3.util.retry import Retry

from .http import API_LIMIT, USER_AGENT
from .http_answer import retry_after
from .http_tls import tls_context
from .prometheus import Access, query_error
from .reading import ProbeError, no_answer
from .units import show_duration, show_size

CHUNK = 65536
EARLIER = 0.97
"""The sockets give up at this share of what is left, so that the thread itself can say in which phase it was stuck."""


class Line:
    """One connection to one server, used by one thread at a time."""

    def __init__(self, access: Access) -> None:
        self._session = _Session(access)
        self._connect = PrometheusConnect(
            url=access.url.rstrip("/"), headers=dict(access.headers), retry=Retry(0), session=self._session
        )

    def instant(self, query: str, own: str, seconds: float) -> tuple[Any, list[str]]:
        """The raw result of an instant query and its warnings, within `seconds`; Prometheus itself gives up after `own`."""
        timeout = self._session.begin(seconds)
        result = self._connect.custom_query(query, params={"timeout": own}, timeout=timeout)
        return result, self._session.warnings

    def over(self, query: str, start: float, end: float, step: float, own: str, seconds: float) -> tuple[Any, list[str]]:
        """The raw result of a range query and its warnings."""
        timeout = self._session.begin(seconds)
        began, ended = (datetime.fromtimestamp(at, UTC) for at in (start, end))
        result = self._connect.custom_query_range(query, began, ended, f"{step:g}", params={"timeout": own}, timeout=timeout)
        return result, self._session.warnings

    def close(self) -> None:
        """Ends the connection."""
        self._connect.close()


class _Session:
    """What `PrometheusConnect` takes for a `requests.Session`: bounded, and it raises what went wrong in our own words."""

    def __init__(self, access: Access) -> None:
        self.verify = True
        self.cert = None
        self.warnings: list[str] = []
        self._until = 0.0
        self._settings = access.settings
        self._session = requests.Session()
        self._session.trust_env = False  # netrc holds other people's passwords; the proxy is looked up below
        self._session.headers.update({"User-Agent": USER_AGENT, "Accept-Encoding": "identity"})
        proxy = access.proxy
        self._session.proxies = {"http": proxy, "https": proxy} if proxy else get_environ_proxies(access.url)

    def mount(self, prefix: str, adapter: HTTPAdapter) -> None:
        """Takes the library's adapter (with its retries, none) in a form that knows our certificates."""
        context = tls_context(self._settings.ca, self._settings.cert, self._settings.key)
        self._session.mount(prefix, _Adapter(context, adapter.max_retries))

    def begin(self, seconds: float) -> float:
        """Starts the clock of the next request; returns the time-out of its single steps."""
        self.warnings = []
        self._until = monotonic() + max(seconds, 0.05)
        return max(seconds * EARLIER, 0.05)

    def request(self, method: str, url: str, **arguments: Any) -> _Reply:
        """One exchange. Raises ProbeError for anything but a result."""
        try:
            response = self._session.request(method, url, **{**arguments, "allow_redirects": False, "stream": True})
            with response:
                body = self._body(response)
        except (requests.RequestException, broken.HTTPError, OSError, UnicodeError) as error:
            raise _explained(error) from None
        document = _document(body)
        if response.status_code != 200 or document is None or document.get("status") != "success":
            raise _refused(response.status_code, response.headers, body, document)
        self.warnings = [str(each) for each in document.get("warnings") or ()]
        return _Reply(document)

    def _body(self, response: requests.Response) -> bytes:
        """The body within time and size; as it comes, so that a drip is noticed."""
        if response.headers.get("content-encoding", "identity").lower() not in ("identity", ""):
            raise no_answer("body", "encoded, though that was not asked for", "serve it unencoded to this client")
        received = bytearray()
        while chunk := response.raw.read1(CHUNK, decode_content=False):
            received += chunk
            if len(received) > API_LIMIT:
                raise no_answer("body", f"longer than {show_size(API_LIMIT)}", "aggregate in the query: sum by (…)")
            if monotonic() > self._until:
                raise no_answer("body", "begins to answer and does not end in time", _HINT_SLOW)
        return bytes(received)

    def close(self) -> None:
        """Ends its connections."""
        self._session.close()


class _Adapter(HTTPAdapter):
    """TLS with the certificates of the config, besides the system's."""

    def __init__(self, context: ssl.SSLContext, retries: Retry) -> None:
        self._context = context
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=retries)

    def init_poolmanager(self, *arguments: Any, **named: Any) -> None:
        super().init_poolmanager(*arguments, **{**named, "ssl_context": self._context})

    def proxy_manager_for(self, proxy: Any, **named: Any) -> Any:
        return super().proxy_manager_for(proxy, **{**named, "ssl_context": self._context})


class _Reply:
    """A result, as far as the library looks at it."""

    status_code = 200

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document

    def json(self) -> dict[str, Any]:
        """The answer with its `data`; a result of the wrong shape becomes an empty place that the caller's check finds."""
        data = self._document.get("data")
        return {"data": data if isinstance(data, dict) and "result" in data else {"result": None}}


def _document(body: bytes) -> dict[str, Any] | None:
    """The JSON object of an answer; None where it is none."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


_HINT_SLOW = "look at Prometheus's load, or make the query cheaper with a recording rule"
_HINT_URL = "name Prometheus's root URL in the config; /api/v1 is added to it"


def _refused(status: int, headers: Mapping[str, str], body: bytes, document: dict[str, Any] | None) -> ProbeError:
    """What an answer that is no result means."""
    kind, says = (document or {}).get("errorType"), (document or {}).get("error")
    if status in (401, 403):
        return no_answer("rights", f"HTTP {status}: it refuses our credentials", "mend `headers` in the config", refused=True)
    if status == 429:
        wait = retry_after(headers)
        wish = f", wants {show_duration(wait)} between" if wait else ""
        return no_answer("status", f"HTTP 429: it limits us{wish}", "raise `interval`", refused=True, retry_after=wait)
    if kind == "bad_data":
        return query_error("query", str(says), "mend the query in the config")
    if kind == "execution":
        return query_error("query", str(says), "it cannot be computed there: mend the query, or ask another server")
    if kind in ("timeout", "canceled"):
        return query_error("deadline", str(says), _HINT_SLOW)
    if 300 <= status < 400:
        origin = urlsplit(headers.get("location", ""))
        return no_answer("status", f"HTTP {status}: redirects to {origin.netloc or 'another path'}{origin.path}", _HINT_URL)
    if document is None and status == 200:
        return no_answer("contract", "answers, but not with JSON: is it a login page?", _HINT_URL)
    if status == 404:
        return no_answer("status", "HTTP 404: no Prometheus API there", _HINT_URL)
    plain = "" if body.lstrip()[:1] == b"<" else body[:200].decode("utf-8", "replace").strip()
    detail = f": {says or plain}" if says or plain else ""
    return no_answer("status", f"HTTP {status}{detail}", "look at Prometheus's own log and load")


def _explained(error: Exception) -> ProbeError:
    """A transport error in words: never its own text, which may hold the URL with its password."""
    cause: Any = error
    while (deeper := _deeper(cause)) is not None:
        cause = deeper
    match cause:
        case broken.NameResolutionError():
            return no_answer("DNS", "the name is not known", "check the name, or this host's resolver")
        case broken.ConnectTimeoutError():
            return no_answer("connect", "takes no connection in time", "is it running, and may this host reach it?")
        case ssl.SSLCertVerificationError():
            return no_answer("TLS", cause.verify_message, "renew or trust the certificate (`ca` in the config)")
        case ssl.SSLError() | broken.SSLError() | requests.exceptions.SSLError():
            return no_answer("TLS", "no TLS can be agreed on", "check certificate, name and protocol")
        case broken.ReadTimeoutError() | TimeoutError():
            return no_answer("first byte", "takes the question but does not answer", _HINT_SLOW)
        case broken.ProxyError():
            return no_answer("connect", "the proxy does not let us through", "check `proxy`, or NO_PROXY")
        case OSError() if cause.errno:
            says, refused = os.strerror(cause.errno).lower(), cause.errno == errno.ECONNREFUSED
            return no_answer("connect", says, "is it running, and may this host reach it?", refused=refused)
        case requests.exceptions.InvalidURL() | UnicodeError() | broken.LocationParseError():
            return no_answer("config", "not a URL that can be asked", "mend the URL in the config")
        case _:
            return no_answer("body", f"broke off or is no HTTP ({type(cause).__name__})", "look at what stands in between")


def _deeper(error: Any) -> BaseException | None:
    """The error behind this one, as requests and urllib3 wrap them; None where this one says most."""
    if isinstance(error, (broken.NameResolutionError, broken.ReadTimeoutError)):
        return None
    if isinstance(error, broken.ConnectTimeoutError) and not isinstance(error, broken.NewConnectionError):
        return None
    if isinstance(error, broken.MaxRetryError) and error.reason is not None:
        return error.reason
    wrapped = next((each for each in error.args if isinstance(each, BaseException)), None)
    return wrapped or (error.__cause__ if isinstance(error, (broken.HTTPError, requests.RequestException)) else None)
