"""One HTTP request of a channel, and what its answer means for a message."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..http import HttpSettings
from ..http_answer import Fetched, retry_after
from ..reading import ProbeError
from ..redact import redact
from ..secrets import SecretText
from ..text import Shown, clean
from .channel import Undelivered

if TYPE_CHECKING:
    from ..connections import Tools

ANSWER = 16_384
"""Bytes of an answer that are read."""
SENT = ("first byte", "body", "status")
"""Phases in which the request may have arrived although its answer did not."""


async def post(
    tools: Tools,
    channel: str,
    settings: HttpSettings,
    url: SecretText | str,
    body: bytes | None,
    headers: dict[str, str],
    deadline: float,
    method: str = "POST",
) -> Fetched:
    """The answer to one request. Raises Undelivered where there is none."""
    client = tools.http(f"notify/{channel}", settings)
    try:
        # A connection kept since the last message may be closed at the other end just now, and what tells is never sent twice.
        said = {"connection": "close", **headers}
        return await client.fetch(
            method, url, deadline=deadline, headers=said, body=body, on_wire=ANSWER, inflated=ANSWER, keep_redirects=True
        )
    except ProbeError as error:
        failure = error.failure
        says = redact(f"{failure.phase}: {failure.says}")
        raise Undelivered(says, final=failure.phase == "config", maybe=failure.phase in SENT) from None


async def told(
    tools: Tools,
    channel: str,
    settings: HttpSettings,
    url: SecretText | str,
    body: bytes | None,
    headers: dict[str, str],
    deadline: float,
    method: str = "POST",
) -> Fetched:
    """`post`, where any 2xx means that it was told. Raises Undelivered with what the answer says otherwise: 429 and 5xx are
    tried again, other refusals are final, and after them secrets are read anew."""
    fetched = await post(tools, channel, settings, url, body, headers, deadline, method)
    if 200 <= fetched.status < 300:
        return fetched
    if fetched.status in (429, 503):
        raise Undelivered(words(fetched), retry_after=retry_after(fetched.headers))
    if fetched.status >= 500 or fetched.status == 408:
        raise Undelivered(words(fetched))
    if isinstance(url, SecretText):
        url.forget()
    tools.http(f"notify/{channel}", settings).forget_secrets()
    raise Undelivered(words(fetched), final=True)


def words(fetched: Fetched) -> Shown:
    """`HTTP 404: no_service`."""
    says = clean(redact(fetched.body.decode("utf-8", "replace").strip()), 120)
    return clean(f"HTTP {fetched.status}: {says}" if says else f"HTTP {fetched.status}")
