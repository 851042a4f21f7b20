"""Every shape of a health reply: the five systems', the field's standards, and what is none of them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from panels.health.contracts import BAD, GOOD, WARN, Verdict, by_expression, read
from tui.engine.reading import Status

OK, WARNS, UNKNOWN, FAILS = Status.OK, Status.DEGRADED, Status.UNKNOWN, Status.FAILING
HOBBYIST = {"release": "r42", "environment": "production", "timestamp": "2026-11-21T03:12:12Z"}


def told(data: object) -> Verdict:
    return read(json.dumps(data).encode(), "application/json")


def failing(verdict: Verdict) -> list[str]:
    return [f"{part.name}: {part.says}" if part.says else part.name for part in verdict.failing]


@pytest.mark.parametrize(
    ("data", "status", "named"),
    [
        # hobbyist
        ({"status": "pass", "checks": [{"component": "database", "status": "pass"}], **HOBBYIST}, OK, []),
        (
            {"status": "fail", "checks": [{"component": "database", "status": "fail", "message": "no route"}], **HOBBYIST},
            FAILS,
            ["database: no route"],
        ),
        (
            {"status": "pass", "checks": [{"component": "a", "status": "pass"}, {"component": "redis", "status": "fail"}]},
            FAILS,
            ["redis"],
        ),
        ({"status": "fail"}, FAILS, []),
        # agent-factory
        ({"status": "healthy", "database": "connected", "cache": "connected", "version": "0.1.0"}, OK, []),
        ({"status": "healthy", "database": "disconnected", "cache": "connected"}, FAILS, ["database"]),
        ({"status": "healthy", "region": "fra1", "version": "down", "message": "error"}, OK, []),
        # cliply
        ({"ok": True, "service": "api", "checks": {"env": True, "db": True}}, OK, []),
        ({"ok": False, "service": "api", "checks": {"env": True, "db": False}}, FAILS, ["db"]),
        ({"ok": True, "checks": {"env": True, "queue": False}}, FAILS, ["queue"]),
        # not-a-label
        ({"healthy": True}, OK, []),
        ({"healthy": False}, FAILS, []),
        ({"api": {"healthy": True}, "redis": {"healthy": False}, "ai_service": {"healthy": True}}, FAILS, ["redis"]),
        # health+json
        (
            {"status": "warn", "checks": {"db:time": [{"status": "warn", "output": "900 ms"}, {"status": "pass"}]}},
            WARNS,
            ["db:time: 900 ms"],
        ),
        ({"status": "fail", "checks": {"a": [{"status": "pass"}], "b": [{"status": "fail"}]}, "output": "x"}, FAILS, ["b"]),
        # Spring Actuator
        ({"status": "UP", "components": {"db": {"status": "UP", "details": {"database": "PostgreSQL"}}}}, OK, []),
        (
            {"status": "DOWN", "components": {"db": {"status": "DOWN", "details": {"error": "refused"}}}},
            FAILS,
            ["db: refused"],
        ),
        ({"status": "OUT_OF_SERVICE"}, FAILS, []),
        ({"status": "UNKNOWN"}, UNKNOWN, []),
        ({"status": "UP", "details": {"redis": {"status": "DOWN"}}}, FAILS, ["redis"]),
        # ASP.NET
        ({"status": "Healthy", "entries": {"sql": {"status": "Healthy", "data": {}, "duration": "0:01"}}}, OK, []),
        ({"status": "Degraded", "entries": {"sql": {"status": "Degraded", "description": "slow"}}}, WARNS, ["sql: slow"]),
        ({"status": "Unhealthy", "entries": {"sql": {"status": "Unhealthy"}}}, FAILS, ["sql"]),
        # what stands between the shapes
        ({"status": {"db": "ok", "cache": "fail"}}, FAILS, ["cache"]),
        ({"status": 200, "message": "fine"}, OK, []),
        ({"status": 503}, FAILS, []),
        ({"ok": 1}, OK, []),
        ({"ok": 0}, FAILS, []),
        ({"checks": {"db": "sulking"}}, UNKNOWN, ["db: sulking"]),
        ({"checks": {"db": None, "cache": "ok"}}, UNKNOWN, ["db: says nothing"]),
        ({"ok": True, "checks": {"uptime": "3 days"}}, OK, []),
        ({"status": "ok", "migration": {"status": "idle"}}, OK, []),
        ({"services": [{"name": "mail", "status": "down", "error": "timeout"}]}, FAILS, ["mail: timeout"]),
        ({"checks": [{"status": "fail"}]}, FAILS, ["?"]),
    ],
)
def test_shapes(data: object, status: Status, named: list[str]) -> None:
    verdict = told(data)
    assert verdict.known
    assert verdict.status is status
    assert failing(verdict) == named


@pytest.mark.parametrize("word", ["sulking", "", None, 7, 3.5, "no"])
@pytest.mark.parametrize("name", ["status", "ok", "healthy"])
def test_a_verdict_that_nobody_knows_is_unknown_never_well(name: str, word: object) -> None:
    assert told({name: word}).status is UNKNOWN


@pytest.mark.parametrize("data", [{}, {"name": "shop"}, [], ["ok"], 7, None, {"user": {"name": "x"}}])
def test_json_that_is_no_health_reply_says_nothing(data: object) -> None:
    assert not told(data).known


@pytest.mark.parametrize(
    ("body", "content_type", "status", "known"),
    [
        (b"OK", "text/plain", OK, True),
        (b"Healthy\n", "text/plain", OK, True),
        (b"Unhealthy", "text/plain", FAILS, True),
        (b"Degraded", "text/plain", WARNS, True),
        (b'"UP"', "application/json", OK, True),
        (b"false", "application/json", FAILS, True),
        (b"", "application/json", OK, False),
        (b"welcome to the shop", "text/plain", OK, False),
        (b"<html>", "text/html", OK, False),
        (b'{"status":"pass"', "application/json", FAILS, True),
        (b'{"status":"pass"', "text/plain", OK, False),
        (b"[" * 200_000, "application/json", FAILS, True),
        (b'{"status":' + b"9" * 5000 + b"}", "application/json", FAILS, True),
        (b'{"status":NaN}', "application/json", UNKNOWN, True),
        (b'\xef\xbb\xbf{"status":"pass"}', "application/json", OK, True),
        (b'{"status":"p\xff"}', "application/json", UNKNOWN, True),
    ],
)
def test_words_and_bytes(body: bytes, content_type: str, status: Status, known: bool) -> None:
    verdict = read(body, content_type)
    assert (verdict.status, verdict.known) == (status, known)


def test_kubernetes_verbose() -> None:
    verdict = read(b"[+]ping ok\n[-]etcd failed: reason withheld\nreadyz check failed\n", "text/plain")
    assert verdict.status is FAILS
    assert failing(verdict) == ["etcd: failed: reason withheld"]


def test_facts_are_facts() -> None:
    verdict = told({"status": "pass", "service": "api", "message": "all good", **HOBBYIST})
    assert verdict.facts == {"service": "api", "message": "all good", **HOBBYIST}
    assert verdict.parts == ()


def test_the_worst_component_comes_first() -> None:
    assert failing(told({"ok": False, "checks": {"a": "warn", "b": "sulking", "c": "down", "d": "ok"}}))[0] == "c"


@pytest.mark.parametrize(
    ("expression", "status"),
    [
        ("state == 'green' && lag < `5`", OK),
        ("state == 'red'", FAILS),
        ("missing", FAILS),
        ("length(state)", FAILS),
        ("abs(state)", UNKNOWN),
    ],
)
def test_an_expression(expression: str, status: Status) -> None:
    assert by_expression(b'{"state":"green","lag":2}', expression).status is status


def test_an_expression_names_what_it_found() -> None:
    assert failing(by_expression(b'{"state":"red"}', "state"))[0] == 'healthy: state is "red"'


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 200_000, b"<html>"])
def test_an_expression_over_what_is_no_json(body: bytes) -> None:
    assert failing(by_expression(body, "ok")) == ["reply: is no JSON"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.sampled_from(sorted(GOOD | WARN | BAD)),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(max_size=8) | st.sampled_from(["status", "ok", "healthy", "checks", "components", "component", "name"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_no_reply_is_a_defect(data: object) -> None:
    told(data)


@given(st.binary(max_size=200), st.sampled_from(["application/json", "text/plain", "text/html", ""]))
def test_no_bytes_are_a_defect(body: bytes, content_type: str) -> None:
    read(body, content_type)


@given(JSON, st.sampled_from(["status", "ok", "healthy"]), st.sampled_from(sorted(BAD)))
def test_what_says_it_fails_is_never_well(rest: object, name: str, word: str) -> None:
    data = {**rest, name: word} if isinstance(rest, dict) else {name: word}
    assert told(data).status is FAILS
