"""What a health reply says: every known shape becomes one verdict, with the failing component by name.

The shapes (systems.md, and the field's standards):

    {"status":"pass","checks":[{"component","status","message"?}]}         hobbyist
    {"status":"healthy","database":"connected","cache":"connected"}        agent-factory: siblings that are status words
    {"ok":true,"checks":{"env":true,"db":true}}                            cliply
    {"healthy":true}, or one such per part                                 not-a-label
    {"status":"warn","checks":{"db:time":[{"status","output"}]}}           health+json (draft-inadarei-api-health-check)
    {"status":"UP","components":{"db":{"status":"UP","details":{}}}}       Spring Actuator
    {"status":"Healthy","entries":{…}}, or the bare word                   ASP.NET
    "[+]ping ok", "[-]etcd failed: reason"                                 Kubernetes, verbose

What has none of these is judged by its HTTP status alone, unless it is HTML where a health reply was to be expected.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from tui.engine.reading import Status
from tui.engine.text import EMPTY, Shown, clean

GOOD = frozenset(
    {
        "pass",
        "passed",
        "ok",
        "up",
        "healthy",
        "connected",
        "green",
        "true",
        "ready",
        "alive",
        "operational",
        "success",
        "online",
        "available",
        "serving",
    }
)
WARN = frozenset({"warn", "warning", "degraded", "yellow", "partial", "slow"})
BAD = frozenset(
    {
        "fail",
        "failed",
        "failing",
        "error",
        "down",
        "unhealthy",
        "disconnected",
        "red",
        "false",
        "out_of_service",
        "critical",
        "dead",
        "timeout",
        "unavailable",
        "unreachable",
        "offline",
        "not_serving",
    }
)
FACTS = (
    "version",
    "release",
    "releaseId",
    "environment",
    "service",
    "serviceId",
    "timestamp",
    "message",
    "description",
    "output",
)
"""Members that are facts to show, never components."""
_VERDICTS = frozenset({"status", "ok", "healthy"})
_PARTS = ("checks", "components", "details", "entries", "services", "results", "dependencies", "status")
_NOTHING_ELSE = frozenset({"checks", "components", "entries", "dependencies", "status"})
"""Where nothing but components stands, so that a word nobody knows is a component that cannot be read."""
_VERBOSE = re.compile(r"^\[([+-])\](\S+) (.*)$", re.M)
_DEPTH = 4


class Part(Struct, frozen=True):
    """A component as the reply names it."""

    name: Shown
    status: Status
    says: Shown = EMPTY


class Verdict(Struct, frozen=True):
    """What a reply says. `known` is false where it has none of the known shapes, so that only the HTTP status counts."""

    status: Status
    parts: tuple[Part, ...] = ()
    facts: Mapping[str, Shown] | None = None
    known: bool = True

    @property
    def failing(self) -> tuple[Part, ...]:
        """The components that are not well, the worst first."""
        return tuple(sorted((part for part in self.parts if part.status is not Status.OK), key=lambda part: -part.status))


def word(value: object) -> Status | None:
    """What a status word or boolean means; None where it is none."""
    if isinstance(value, bool):
        return Status.OK if value else Status.FAILING
    if not isinstance(value, str):
        return None
    text = value.strip().lower()
    if text in GOOD:
        return Status.OK
    if text in WARN:
        return Status.DEGRADED
    return Status.FAILING if text in BAD else None


def read(body: bytes, content_type: str) -> Verdict:
    """The verdict of a reply's body, without its HTTP status. Never raises: what cannot be read is *not known*."""
    text = body.decode("utf-8-sig", "replace").strip()
    if not text:
        return Verdict(Status.OK, known=False)
    try:
        data = json.loads(text, parse_constant=lambda name: None)
    except (ValueError, RecursionError):
        return _plain(text, content_type)
    if isinstance(data, dict):
        return _object(data)
    status = word(data)
    return Verdict(Status.OK, known=False) if status is None else Verdict(status)


def _plain(text: str, content_type: str) -> Verdict:
    """A bare word, or Kubernetes' lines."""
    lines = _VERBOSE.findall(text)
    if lines:
        parts = tuple(
            Part(clean(name), Status.OK if sign == "+" else Status.FAILING, clean(says)) for sign, name, says in lines
        )
        return Verdict(max(part.status for part in parts), parts)
    status = word(text) if len(text) < 40 else None
    if status is None and "json" in content_type:
        return Verdict(Status.FAILING, (Part(Shown("reply"), Status.FAILING, Shown("says it is JSON and is not")),))
    return Verdict(Status.OK, known=False) if status is None else Verdict(status)


def _object(data: Mapping[str, Any]) -> Verdict:
    """A JSON object in any of the shapes."""
    own = [found for name in _VERDICTS if (found := _own(data, name)) is not None]
    parts = tuple(_parts(data, told=bool(own)))
    known = bool(own or parts)
    status = max([*own, *(part.status for part in parts)], default=Status.OK)
    facts = {name: clean(data[name], 120) for name in FACTS if isinstance(data.get(name), (str, int, float))}
    return Verdict(status, parts, facts, known)


def _own(data: Mapping[str, Any], name: str) -> Status | None:
    """What the object says of itself under one of the verdict names; a word nobody knows is *unknown*, never well."""
    if name not in data:
        return None
    value = data[name]
    if isinstance(value, (dict, list)):
        return None  # it holds the components
    status = word(value)
    if status is None and isinstance(value, int):
        return _numbered(name, value)
    return Status.UNKNOWN if status is None else status


def _numbered(name: str, value: int) -> Status:
    """A verdict as a number: an HTTP status under `status`, else 1 and 0."""
    if name == "status":
        return (Status.OK if value < 400 else Status.FAILING) if 100 <= value < 600 else Status.UNKNOWN
    return {0: Status.FAILING, 1: Status.OK}.get(value, Status.UNKNOWN)


def _parts(data: Mapping[str, Any], told: bool) -> Iterator[Part]:
    """The components, wherever the shape keeps them. `told` is whether the reply has a verdict of its own: then a word that
    nobody knows may be a fact; without one it may hide a failure."""
    for holder in _PARTS:
        held = data.get(holder)
        if isinstance(held, list):
            yield from (part for each in held if isinstance(each, dict) and (part := _listed(each)))
        elif isinstance(held, dict):
            for name, value in held.items():
                if part := _named(str(name), value):
                    yield part
                elif not told and holder in _NOTHING_ELSE and (value is None or isinstance(value, str)):
                    yield Part(clean(name, 60), Status.UNKNOWN, clean(value or "says nothing", 160))
    for name, value in data.items():
        if name in _VERDICTS or name in _PARTS or name in FACTS:
            continue
        if isinstance(value, str) and (status := word(value)) is not None:
            yield Part(clean(name, 60), status)
        elif isinstance(value, dict) and (part := _named(str(name), value)) and part.status is not Status.UNKNOWN:
            yield part


def _listed(check: Mapping[str, Any]) -> Part | None:
    """`{"component":"db","status":"fail","message":"…"}`."""
    name = next(
        (check[key] for key in ("component", "name", "componentId", "id", "check") if isinstance(check.get(key), str)), "?"
    )
    return _named(name, check)


def _named(name: str, value: object, depth: int = 0) -> Part | None:
    """A component by name: a boolean, a word, an object with a verdict, or health+json's list of them."""
    if depth > _DEPTH:
        return None
    if isinstance(value, list):
        inner = [part for each in value if (part := _named(name, each, depth + 1))]
        return max(inner, key=lambda part: part.status, default=None)
    if isinstance(value, dict):
        statuses = [found for key in _VERDICTS if (found := _own(value, key)) is not None]
        if not statuses:
            return None
        return Part(clean(name, 60), max(statuses), _says(value))
    status = word(value)
    return None if status is None else Part(clean(name, 60), status)


def _says(part: Mapping[str, Any]) -> Shown:
    """Why, in the component's own words: also where Spring keeps them, one level down."""
    details = part.get("details")
    for said in (part, details if isinstance(details, dict) else {}):
        for key in ("message", "output", "error", "description", "reason"):
            if isinstance(said.get(key), (str, int, float)) and said[key]:
                return clean(said[key], 160)
    return EMPTY


def by_expression(body: bytes, expression: str) -> Verdict:
    """The verdict of a JMESPath expression that is true when all is well."""
    import jmespath  # only where an expression is used

    try:
        data = json.loads(body.decode("utf-8-sig", "replace"), parse_constant=lambda name: None)
    except (ValueError, RecursionError):
        return Verdict(Status.FAILING, (Part(Shown("reply"), Status.FAILING, Shown("is no JSON")),))
    try:
        result = jmespath.search(expression, data)
    except jmespath.exceptions.JMESPathError as error:
        return Verdict(Status.UNKNOWN, (Part(Shown("healthy"), Status.UNKNOWN, clean(f"cannot be judged: {error}")),))
    facts = {
        name: clean(data[name], 120) for name in FACTS if isinstance(data, dict) and isinstance(data.get(name), (str, int))
    }
    if result is True:
        return Verdict(Status.OK, facts=facts)
    says = clean(f"{expression} is {json.dumps(result)}", 160)
    return Verdict(Status.FAILING, (Part(Shown("healthy"), Status.FAILING, says),), facts)
