"""TLS contexts, each made once for all targets of equal settings."""

from __future__ import annotations

import ssl
from functools import cache
from pathlib import Path


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


@cache
def no_certificates() -> ssl.SSLContext:
    """A context that verifies and trusts nobody, made once."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
