"""An HTTP URL taken apart: where to connect, what to ask for, and with whose credentials."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import quote, unquote, urlencode, urljoin, urlsplit

from msgspec import Struct

PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"[a-z0-9._:-]+")
_IN_PATH, _IN_QUERY = "/%:@!$&'()*+,;=~", "/%:@!$&'()*+,;=~?[]|"


class Address(Struct, frozen=True):
    """`url` as written; `target` is path and query as they are sent; `credentials` those of the URL, ready for Basic."""

    url: str
    scheme: str
    host: str
    port: int
    target: str
    credentials: str = ""

    @property
    def secure(self) -> bool:
        """Whether it is asked over TLS."""
        return self.scheme == "https"

    @property
    def origin(self) -> tuple[str, str, int]:
        """Scheme, host and port: what credentials stay within."""
        return self.scheme, self.host, self.port

    @property
    def authority(self) -> str:
        """The host as the Host header says it, with the port where it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    def joined(self, location: str) -> Address:
        """Where a redirect leads from here. Raises ValueError where HTTP cannot go there."""
        return address_of(urljoin(self.url, location))

    def asking(self, params: Mapping[str, str]) -> Address:
        """The same place, asked with these parameters."""
        if not params:
            return self
        bare = self.url.partition("#")[0]
        return address_of(f"{bare}{'&' if '?' in bare else '?'}{urlencode(params)}")


@lru_cache(maxsize=4096)
def address_of(url: str) -> Address:
    """A URL, taken apart once. Raises ValueError where it is none that can be asked."""
    parts = urlsplit(url)
    if parts.scheme not in PORTS:
        raise ValueError("it begins with neither http:// nor https://")
    host = (parts.hostname or "").encode("idna" if not url.isascii() else "ascii").decode()
    if not _HOST.fullmatch(host):
        raise ValueError("it names no host")
    target = quote(parts.path or "/", safe=_IN_PATH)
    if parts.query:
        target += f"?{quote(parts.query, safe=_IN_QUERY)}"
    credentials = ""
    if parts.username or parts.password:
        pair = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
        credentials = b64encode(pair.encode()).decode()
    return Address(url, parts.scheme, host, PORTS[parts.scheme] if parts.port is None else parts.port, target, credentials)
