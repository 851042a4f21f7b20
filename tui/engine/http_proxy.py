"""Which proxy the environment names for an address: `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, and what `NO_PROXY` spares."""

from __future__ import annotations

import os

import httpx

NAMES = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


def environment_proxy(address: httpx.URL) -> str | None:
    """The proxy's URL; None where the address is asked directly."""
    if not any(map(os.environ.get, NAMES)):
        return None
    from urllib.request import getproxies, proxy_bypass  # late: few have one

    named = getproxies()
    proxy = named.get(address.scheme) or named.get("all")
    if not proxy or proxy_bypass(address.host if address.port is None else f"{address.host}:{address.port}"):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"
