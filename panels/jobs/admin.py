"""The admin endpoints, `POST {admin}/{id}/retry|cancel|unlock`: what is sent, and what an answer means.

2xx                       done
401, 403                  refused: our token, or its rights
404, 410                  no longer as planned: the job is gone
409, 412                  no longer as planned: it is in another state
other 3xx, 4xx            refused: the endpoint is another, or limits us
502, 504, 520, 524        unknown: a gateway lost sight of it, the endpoint itself may have acted
other 5xx                 failed: the endpoint says so itself
no connection             failed: nothing was sent
no answer after sending   unknown: it may have happened, and is never repeated
"""

from __future__ import annotations

import json
from urllib.parse import quote

from tui.engine.actions import Outcome, Result
from tui.engine.connections import Tools
from tui.engine.http_answer import Fetched
from tui.engine.reading import ProbeError, no_answer
from tui.engine.redact import MASK, redact
from tui.engine.secrets import SecretError
from tui.engine.text import EMPTY, Shown, clean

from .config import JobsConfig

DEADLINE = 10.0
"""Seconds for an answer, after which the outcome is unknown."""
UNSENT = frozenset({"DNS", "connect", "TLS", "config"})
"""Phases in which nothing of the request has left yet."""
GATEWAY = frozenset({502, 504, 520, 524})


def path(job: str, verb: str) -> str:
    """What stands behind the admin URL; the id is percent-encoded, so that it cannot lead elsewhere."""
    return f"/{quote(job, safe='')}/{verb}"


def shown_request(config: JobsConfig, job: str, verb: str) -> tuple[Shown, ...]:
    """The request as the plan shows it, its secrets masked."""
    assert config.admin is not None
    lines = [f"POST {config.admin.masked.rstrip('/')}{path(job, verb)}", "Idempotency-Key: <this deed's own>"]
    if config.token:
        lines.append(f"{config.token_header}: {_credential(config, MASK)}")
    return tuple(clean(line) for line in lines)


def _credential(config: JobsConfig, token: str) -> str:
    return f"{config.token_scheme} {token}" if config.token_scheme else token


async def send(config: JobsConfig, tools: Tools, panel: str, job: str, verb: str, key: str) -> Outcome:
    """Sends one request, once, and says what came of it. Never raises for what the other side does."""
    assert config.admin is not None
    client = tools.http(f"{panel}/admin", config.http())
    try:
        # A connection that was kept alive may just have been closed by the other side: that would look like an unknown outcome.
        headers = {"Idempotency-Key": quote(key, safe=":-_.~"), "Connection": "close", **await _authorisation(config)}
        address = (await config.admin.reveal()).rstrip("/") + path(job, verb)
        fetched = await client.fetch("POST", address, deadline=DEADLINE, headers=headers, body=b"")
    except SecretError as error:
        return Outcome(Result.FAILED, clean(f"nothing was sent: {error}"))
    except ProbeError as error:
        return _unanswered(error)
    if fetched.status in (401, 403):
        client.forget_secrets()
        if config.token:
            config.token.forget()
    return judge(fetched, config)


async def _authorisation(config: JobsConfig) -> dict[str, str]:
    """The header that carries the token. Raises SecretError."""
    return {config.token_header: _credential(config, await config.token.reveal())} if config.token else {}


def _unanswered(error: ProbeError) -> Outcome:
    """No answer: whether the request had left decides what is known."""
    failure = error.failure
    if failure.phase in UNSENT:
        return Outcome(Result.FAILED, clean(redact(f"nothing was sent: {failure.phase}: {failure.says}. {failure.hint}")))
    return Outcome(
        Result.UNKNOWN, clean(redact(f"sent, then no answer: {failure.says}. It may have happened: look at the job"))
    )


def judge(fetched: Fetched, config: JobsConfig) -> Outcome:
    """What an answer means, in the words of the table above."""
    status = fetched.status
    said = _said(fetched)
    if 200 <= status < 300:
        return _accepted(fetched, said)
    match status:
        case 401:
            hint = (
                "set `token`, and the header it goes in" if not config.token else "is `token` the right one, and still valid?"
            )
            return _outcome(Result.REFUSED, status, "it does not know us", said, hint)
        case 403:
            return _outcome(Result.REFUSED, status, "our token may not do this", said, "give it the right to act on jobs")
        case 404 | 410:
            return _outcome(
                Result.CHANGED, status, "it knows no such job", said, "or `admin` is not the URL of the job endpoints"
            )
        case 409 | 412:
            return _outcome(Result.CHANGED, status, "the job is in another state", said, "")
        case 429:
            return _outcome(Result.REFUSED, status, "it limits us", said, "try again later")
        case _ if status in GATEWAY:
            return _outcome(Result.UNKNOWN, status, "a gateway lost sight of it: it may have happened", said, "look at the job")
        case _ if status >= 500:
            return _outcome(Result.FAILED, status, "it failed", said, "look at its logs")
        case _ if status < 400:
            return _outcome(Result.REFUSED, status, "it redirects", said, "name the final URL in `admin`")
        case _:
            return _outcome(Result.REFUSED, status, "it refuses", said, "is `admin` the URL of the job endpoints?")


def _accepted(fetched: Fetched, said: str) -> Outcome:
    """A 2xx may still be no deed: a page in place of an API, or a body that says no."""
    if fetched.content_type == "text/html":
        hint = "is `admin` right, and the token? look at the job"
        return _outcome(Result.UNKNOWN, fetched.status, "a web page answered, not the admin API", "", hint)
    body = _object(fetched)
    if body.get("ok") is False or body.get("success") is False:
        return _outcome(Result.FAILED, fetched.status, "it says that it was not done", said, "")
    return Outcome(Result.DONE, Shown("accepted") if fetched.status == 202 else EMPTY)


def _outcome(result: Result, status: int, says: str, said: str, hint: str) -> Outcome:
    parts = (f"HTTP {status}: {says}", f"“{said}”" if said else "", hint)
    return Outcome(result, clean(redact(" · ".join(filter(None, parts)))))


def _object(fetched: Fetched) -> dict[str, object]:
    """The body as a JSON object; empty where it is none."""
    try:
        body = json.loads(fetched.body)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def _said(fetched: Fetched) -> str:
    """What the answer says of itself, in a few words: JSON's usual members, else plain text."""
    body = _object(fetched)
    for name in ("message", "detail", "error", "code"):
        value = body.get(name)
        value = value.get("message") if isinstance(value, dict) else value
        if isinstance(value, str) and value:
            return value[:200]
    if not body and fetched.content_type == "text/plain":
        return fetched.body[:200].decode("utf-8", "replace").strip()
    return ""


async def reach(config: JobsConfig, tools: Tools) -> Fetched:
    """Whether anything answers at the admin URL, without acting: a `HEAD` of it, with our token. Raises ProbeError where
    nothing does."""
    assert config.admin is not None
    client = tools.http(f"{config.title}/admin", config.http())
    try:
        return await client.fetch("HEAD", config.admin, deadline=5.0, headers=await _authorisation(config))
    except SecretError as error:
        raise no_answer("config", str(error), "set it, or mend its reference in the config") from None
