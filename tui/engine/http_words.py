"""Why an HTTP request got no answer, in words for a person, with what to look at."""

from __future__ import annotations

import os
import ssl

import httpx

from .reading import ProbeError, no_answer

HINTS = {
    "DNS": "check the name, or this host's resolver",
    "connect": "is it running, and may this host reach it?",
    "TLS": "check certificate, name and protocol",
    "first byte": "it takes connections but does not answer: look at its load and logs",
    "body": "it begins to answer and stops: look at its load and logs",
}


def explained(error: httpx.HTTPError, phase: str) -> ProbeError:
    """A transport error, by the phase that the request was in."""
    if phase == "first byte" and isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError)):
        phase = "connect"  # behind a proxy nobody tells; the error does
    cause = _root(error)
    if isinstance(cause, ssl.SSLCertVerificationError):
        return no_answer("TLS", cause.verify_message, "renew or trust the certificate (`ca` in the config)")
    if isinstance(cause, ssl.SSLError):
        return no_answer("TLS", (cause.reason or str(cause)).lower().replace("_", " "), HINTS["TLS"])
    if isinstance(cause, OSError) and cause.errno:
        return no_answer(phase, os.strerror(cause.errno).lower(), HINTS[phase])
    if isinstance(error, httpx.LocalProtocolError):
        # Its message quotes the header, which may be a secret.
        return no_answer("config", "HTTP allows no such header", "is there a line break in a header or its secret?")
    if isinstance(error, httpx.RemoteProtocolError):
        return no_answer(phase, f"broke off or is no HTTP: {error}", HINTS[phase])
    return no_answer(phase, str(error) or type(error).__name__, HINTS[phase])


def _root(error: BaseException) -> BaseException:
    """The innermost cause, where the operating system or OpenSSL spoke; of a group, its first member's."""
    seen: BaseException = error
    while True:
        if isinstance(seen, BaseExceptionGroup):
            following: BaseException | None = seen.exceptions[0]
        else:
            following = seen.__cause__ or seen.__context__
        if following is None or following is seen:
            return seen
        seen = following
