"""The HTTP client against servers that misbehave: in time, within bounds, and with the phase in which it broke."""

from __future__ import annotations

import asyncio
import gzip
import time
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Mapping
from email.utils import formatdate
from pathlib import Path
from typing import TypedDict, Unpack

import pytest

from tests.servers import http as servers
from tests.servers.http import Asked, Web, Wire, reply, start_web, to
from tests.servers.http import web as web
from tests.waiting import DEADLINES, GRACE, LONG, Stopwatch, soon
from tui.engine.http import HEALTH_INFLATED, HEALTH_ON_WIRE, HttpClient, HttpSettings
from tui.engine.http_answer import Fetched, retry_after
from tui.engine.reading import ProbeError, Status
from tui.engine.secrets import SecretText

NOWHERE = "http://127.0.0.1:1"
"""Where nothing ever listens."""


@pytest.fixture
async def client() -> AsyncIterator[HttpClient]:
    made = HttpClient(HttpSettings())
    yield made
    await made.close()


class How(TypedDict, total=False):
    """How a request may differ."""

    headers: Mapping[str, str]
    keep_redirects: bool


async def get(client: HttpClient, url: str | SecretText, deadline: float = LONG, **how: Unpack[How]) -> Fetched:
    return await client.fetch("GET", url, deadline=deadline, on_wire=HEALTH_ON_WIRE, inflated=HEALTH_INFLATED, **how)


async def broken(client: HttpClient, url: str | SecretText, deadline: float = LONG) -> ProbeError:
    with pytest.raises(ProbeError) as caught:
        await get(client, url, deadline)
    assert caught.value.status is Status.UNKNOWN, "whether the refusal is the measurement, only the caller knows"
    assert not caught.value.failure.refused
    return caught.value


# --- an answer ------------------------------------------------------------------------------------------------------


async def test_an_answer(web: Web, client: HttpClient) -> None:
    web.answers["/"] = reply(b'{"ok":true}', 503, "Application/JSON; charset=utf-8", X_Thing="1")

    began = time.monotonic()
    found = await get(client, web.url)

    assert (found.status, found.body, found.content_type) == (503, b'{"ok":true}', "application/json")
    assert found.headers["x-thing"] == "1"
    assert 0 < found.first_byte <= found.took <= time.monotonic() - began
    assert found.certificate_ends is None


async def test_one_connection_is_kept_and_used_again(web: Web, client: HttpClient) -> None:
    web.answers["/"] = reply(b"{}")
    for _ in range(5):
        await get(client, web.url)
    assert web.connections == 1


async def test_configured_headers_go_before_our_own(web: Web) -> None:
    client = HttpClient(HttpSettings(headers={"host": SecretText("shop.test"), "User-Agent": SecretText("probe")}))
    web.answers["/"] = reply(b"{}")
    await get(client, web.url)
    await get(client, web.url, headers={"X-Own": "1"})
    assert [(each.headers["host"], each.headers["user-agent"]) for each in web.asked] == [("shop.test", "probe")] * 2
    assert [each.headers.get("x-own") for each in web.asked] == [None, "1"]
    await client.close()


async def test_what_is_asked_again_and_again_can_change(web: Web, client: HttpClient) -> None:
    web.answers |= {"/": reply(b"{}"), "/b": reply(b"{}")}
    for body in (b"1", b"1", b"23"):
        await client.fetch("POST", web.url, deadline=LONG, body=body)
    await client.fetch("POST", f"{web.url}/b", deadline=LONG, body=b"23")
    asked = [(each.target, each.headers["content-length"]) for each in web.asked]
    assert asked == [
        ("/", "1"),
        ("/", "1"),
        ("/", "2"),
        ("/b", "2"),
    ]


async def test_an_idle_connection_that_the_server_has_ended_is_not_used_again(web: Web, client: HttpClient) -> None:
    web.answers["/"] = reply(b"{}")
    await get(client, web.url)
    web.hang_up()
    await soon(lambda: not web._open)
    assert (await client.fetch("POST", web.url, deadline=LONG)).status == 200
    assert (web.connections, len(web.asked)) == (2, 2)


async def test_it_asks_for_nothing_that_must_be_unpacked(web: Web, client: HttpClient) -> None:
    web.answers["/"] = reply(b"{}")
    await get(client, web.url)
    assert web.asked[0].headers["accept-encoding"] == "identity"
    assert web.asked[0].headers["user-agent"] == "watchfloor"


async def test_a_head_has_no_body(web: Web, client: HttpClient) -> None:
    web.answers["/"] = reply(b"{}")
    found = await client.fetch("HEAD", web.url, deadline=LONG)
    assert (found.status, found.body) == (200, b"")


async def test_a_body_is_sent(web: Web, client: HttpClient) -> None:
    web.answers["/"] = reply(b"{}")
    await client.fetch("POST", web.url, deadline=LONG, body=b"12345", params={"a": "b c&"})
    assert web.asked[0].method == "POST"
    assert web.asked[0].target == "/?a=b+c%26"
    assert web.asked[0].headers["content-length"] == "5"


async def test_no_cookie_is_kept(web: Web, client: HttpClient) -> None:
    """A sticky session would hide the other servers behind a balancer, and cookies know no ports."""
    web.answers["/"] = reply(b"{}", Set_Cookie="session=s3cret; Path=/")
    await get(client, web.url)
    await get(client, web.url)
    assert "cookie" not in web.asked[1].headers


@pytest.mark.parametrize("ahead", [0, 300, -86_400])
async def test_the_other_clock_s_offset(web: Web, client: HttpClient, ahead: float) -> None:
    """To the second that the header has, and as far as it is certain, whenever the answer comes."""
    said = float(int(time.time()) + ahead)
    web.answers["/"] = reply(b"{}", Date=formatdate(said, usegmt=True))
    before = time.time()
    found = (await get(client, web.url)).clock_offset
    assert found is not None
    assert said - time.time() <= found <= said - before + (ahead <= 0)


async def test_an_answer_that_comes_late_is_of_no_clock_that_is_behind(
    web: Web, client: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def a_minute_late(wire: Wire, asked: Asked) -> None:
        said = formatdate(time.time(), usegmt=True)
        monkeypatch.setattr("tui.engine.http_answer.time", lambda: time.time() + 60)
        await wire.send(reply(b"{}", Date=said))

    web.answers["/"] = a_minute_late
    assert (await get(client, web.url)).clock_offset == 0


@pytest.mark.parametrize("date", ["", "yesterday", "Sun, 99 Nov 2026 03:12:12 GMT", "9" * 400])
async def test_a_date_that_is_none(web: Web, client: HttpClient, date: str) -> None:
    web.answers["/"] = reply(b"{}", Date=date)
    assert (await get(client, web.url)).clock_offset is None


# --- bounded in time ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("behaviour", "phase"),
    [("hangs", "first byte"), ("drips_headers", "first byte"), ("drips_body", "body")],
)
async def test_one_deadline_holds_over_everything(web: Web, client: HttpClient, behaviour: str, phase: str) -> None:
    web.answers["/"] = getattr(servers, behaviour)
    found = []
    for deadline in DEADLINES:
        began, watch = time.monotonic(), Stopwatch()
        error = await broken(client, web.url, deadline)
        assert watch.took < deadline + GRACE
        assert time.monotonic() - began >= deadline
        assert error.failure.hint
        found.append(error.failure.phase)
        if found[-1] == phase:
            return
    raise AssertionError(found)


async def test_a_slow_one_delays_no_other(web: Web, client: HttpClient) -> None:
    web.answers["/slow"] = servers.hangs
    web.answers["/"] = reply(b"{}")
    other = HttpClient(HttpSettings())
    slow = asyncio.ensure_future(broken(client, f"{web.url}/slow", deadline=LONG))
    await soon(lambda: web.asked)
    await get(other, web.url)
    assert not slow.done()
    slow.cancel()
    await other.close()


async def test_two_at_once_over_one_client_each_name_their_own_phase(web: Web, client: HttpClient) -> None:
    """Whether a deed or a message may have arrived is told by it: a call for help goes beside what a channel tells anyway."""
    web.answers["/slow"] = servers.hangs
    slow = asyncio.ensure_future(broken(client, f"{web.url}/slow"))
    assert await soon(lambda: web.asked)
    assert (await broken(client, NOWHERE)).failure.phase == "connect"
    assert not slow.done()
    web.hang_up()
    assert (await slow).failure.phase == "first byte"


async def test_after_one_was_cut_off_the_next_is_well(web: Web, client: HttpClient) -> None:
    web.answers["/"] = servers.hangs
    for _ in range(4):
        await broken(client, web.url, deadline=0.1)
    web.answers["/"] = reply(b"{}")
    assert (await get(client, web.url)).status == 200


# --- bounded in bytes -----------------------------------------------------------------------------------------------


async def test_no_more_is_read_than_the_bound(web: Web, client: HttpClient) -> None:
    web.answers["/"] = servers.never_ends
    error = await broken(client, web.url)
    assert error.failure.phase == "body"
    assert error.failure.says == "longer than 256 kB"
    assert web.sent < 8_000_000, "what the sockets hold at the most"


async def test_the_bound_itself_is_within(web: Web, client: HttpClient) -> None:
    web.answers["/"] = reply(b" " * HEALTH_ON_WIRE)
    assert len((await get(client, web.url)).body) == HEALTH_ON_WIRE
    web.answers["/"] = reply(b" " * (HEALTH_ON_WIRE + 1))
    await broken(client, web.url)


async def test_a_bomb_is_not_inflated(web: Web, client: HttpClient) -> None:
    web.answers["/"] = servers.bomb(100_000_000)
    tracemalloc.start()
    try:
        error = await broken(client, web.url)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert error.failure.says == "inflates beyond 1.0 MB"
    assert most < 20_000_000, "bytes at once, of the hundred million"


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(b'{"ok":1}', mtime=0)),
        ("X-GZIP", gzip.compress(b'{"ok":1}', mtime=0)),
        ("deflate", zlib.compress(b'{"ok":1}')),
    ],
)
async def test_what_is_packed_unasked_is_read_all_the_same(web: Web, client: HttpClient, encoding: str, body: bytes) -> None:
    web.answers["/"] = reply(body, Content_Encoding=encoding)
    assert (await get(client, web.url)).body == b'{"ok":1}'


@pytest.mark.parametrize(
    ("encoding", "body", "says"),
    [
        ("br", b"x", "encoded as br, though none was asked for"),
        ("gzip", b'{"ok":true}', "not gzip as it says"),
        ("gzip", gzip.compress(b'{"ok":true}' * 50, mtime=0)[:-12], "it breaks off"),
    ],
)
async def test_what_cannot_be_unpacked(web: Web, client: HttpClient, encoding: str, body: bytes, says: str) -> None:
    web.answers["/"] = reply(body, Content_Encoding=encoding)
    error = await broken(client, web.url)
    assert error.failure.phase == "body"
    assert says in error.failure.says


# --- broken off -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("behaviour", "phase"),
    [("closes", "first byte"), ("resets", "first byte"), ("closes_early", "body"), ("speaks_no_http", "first byte")],
)
async def test_what_breaks_off_says_where(web: Web, client: HttpClient, behaviour: str, phase: str) -> None:
    web.answers["/"] = getattr(servers, behaviour)
    error = await broken(client, web.url)
    assert error.failure.phase == phase
    assert error.failure.says


async def test_nobody_listens(client: HttpClient) -> None:
    error = await broken(client, NOWHERE)
    assert (error.failure.phase, error.failure.says) == ("connect", "connection refused")


async def test_an_idle_connection_closed_as_it_is_used_again_is_no_failure(web: Web, client: HttpClient) -> None:
    web.answers["/"] = servers.closes_when_reused
    for _ in range(3):
        assert (await get(client, web.url)).status == 200
    assert web.connections == 3


async def test_what_changes_something_is_never_sent_twice(web: Web, client: HttpClient) -> None:
    web.answers["/"] = servers.closes_when_reused
    await get(client, web.url)
    with pytest.raises(ProbeError):
        await client.fetch("POST", web.url, deadline=LONG)
    assert [each.method for each in web.asked] == ["GET", "POST"]


async def test_a_fresh_connection_that_breaks_off_is_asked_once(web: Web, client: HttpClient) -> None:
    web.answers["/"] = servers.closes
    await broken(client, web.url)
    assert len(web.asked) == 1


# --- redirects ------------------------------------------------------------------------------------------------------


def secret_headers(monkeypatch: pytest.MonkeyPatch) -> HttpSettings:
    monkeypatch.setenv("HTTP_TEST_TOKEN", "s3cret-token")
    return HttpSettings(headers={"Authorization": SecretText("Bearer {env:HTTP_TEST_TOKEN}"), "X-Api-Version": SecretText("2")})


async def test_three_redirects_are_followed(web: Web, client: HttpClient) -> None:
    web.answers |= {"/": to("/1"), "/1": to("/2", 301), "/2": to("/3", 307), "/3": reply(b"there")}
    assert (await get(client, web.url)).body == b"there"


async def test_a_fourth_is_not(web: Web, client: HttpClient) -> None:
    web.answers["/"] = to("/")
    error = await broken(client, web.url)
    assert (error.failure.phase, error.failure.says) == ("status", "redirects more than 3 times")
    assert len(web.asked) == 4


async def test_a_redirect_can_itself_be_the_answer(web: Web, client: HttpClient) -> None:
    web.answers["/"] = to("/login")
    assert (await get(client, web.url, keep_redirects=True)).status == 302


async def test_credentials_stay_with_their_origin(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    client = HttpClient(secret_headers(monkeypatch))
    async with start_web() as elsewhere:
        web.answers |= {"/": to("/same"), "/same": to(f"{elsewhere.url}/there")}
        elsewhere.answers["/there"] = to(f"{web.url}/back")
        web.answers["/back"] = reply(b"done")

        assert (await get(client, web.url, headers={"x-request": "1"})).body == b"done"

        assert web.asked[1].headers["authorization"] == "Bearer s3cret-token"
        there = elsewhere.asked[0].headers
        assert not {"authorization", "x-api-version", "x-request", "cookie"} & set(there)
    await client.close()


async def test_credentials_in_the_url_do_not_wander(web: Web, client: HttpClient) -> None:
    async with start_web() as elsewhere:
        web.answers["/"] = to(elsewhere.url + "/there")
        elsewhere.answers["/there"] = reply(b"{}")
        await get(client, web.url.replace("//", "//me:pass@"))
        assert web.asked[0].headers["authorization"].startswith("Basic ")
        assert "authorization" not in elsewhere.asked[0].headers


@pytest.mark.parametrize("target", ["ftp://x/y", "file:///etc/passwd", "javascript:alert(1)"])
async def test_a_redirect_to_nowhere(web: Web, client: HttpClient, target: str) -> None:
    web.answers["/"] = to(target)
    error = await broken(client, web.url)
    assert error.failure.phase == "status"
    assert "redirects to" in error.failure.says


@pytest.mark.parametrize("target", ["http://[", "http://", "//", "http://\xff/", "\x00"])
async def test_a_redirect_that_hardly_is_one(web: Web, client: HttpClient, target: str) -> None:
    web.answers["/"] = to(target)
    assert (await broken(client, web.url)).failure.hint


# --- the config's mistakes ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("url", ["http://[", "ftp://x", "http://", "http://a b/"])
async def test_what_is_no_url(client: HttpClient, url: str) -> None:
    assert (await broken(client, url)).failure.hint


async def test_a_secret_that_is_not_there(client: HttpClient) -> None:
    error = await broken(client, SecretText("env:NOT_SET_ANYWHERE"))
    assert error.failure.phase == "config"
    assert "NOT_SET_ANYWHERE is not set" in error.failure.says


async def test_a_secret_with_a_line_break_is_not_shown(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_TEST_TOKEN", "s3c\nret")
    client = HttpClient(HttpSettings(headers={"Authorization": SecretText("Bearer {env:HTTP_TEST_TOKEN}")}))
    error = await broken(client, web.url)
    assert error.failure.phase == "config"
    assert "s3c" not in str(error)


async def test_secrets_are_read_again_after_a_refusal(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    web.answers["/"] = reply(b"{}", 401)
    client = HttpClient(secret_headers(monkeypatch))
    await get(client, web.url)
    monkeypatch.setenv("HTTP_TEST_TOKEN", "rotated")
    await get(client, web.url)
    assert web.asked[1].headers["authorization"] == "Bearer s3cret-token"
    client.forget_secrets()
    await get(client, web.url)
    assert web.asked[2].headers["authorization"] == "Bearer rotated"
    await client.close()


async def test_a_ca_file_that_is_not_there() -> None:
    client = HttpClient(HttpSettings(ca=Path("/nowhere/ca.pem")))
    error = await broken(client, "https://localhost:1")
    assert (error.failure.phase, error.failure.says) == ("config", "TLS files: No such file or directory")


async def test_a_proxy(web: Web) -> None:
    client = HttpClient(HttpSettings(proxy=SecretText(web.url, is_url=True)))
    web.answers["http://shop.invalid/health"] = reply(b"by proxy")
    assert (await get(client, "http://shop.invalid/health")).body == b"by proxy"
    assert web.asked[0].headers["user-agent"] == "watchfloor"
    web.answers["http://shop.invalid/health"] = servers.closes_early
    assert (await broken(client, "http://shop.invalid/health")).failure.phase == "body"
    await client.close()


@pytest.mark.parametrize("name", ["http_proxy", "ALL_PROXY"])
async def test_the_environment_s_proxy_and_what_it_leaves_out(web: Web, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, web.url.removeprefix("http://"))
    monkeypatch.setenv("no_proxy", "localhost,127.0.0.1")
    client = HttpClient(HttpSettings())
    web.answers |= {"http://shop.invalid/": reply(b"by proxy"), "/": reply(b"itself")}
    assert (await get(client, "http://shop.invalid/")).body == b"by proxy"
    assert (await get(client, web.url)).body == b"itself"
    await client.close()


async def test_a_proxy_that_is_gone() -> None:
    client = HttpClient(HttpSettings(proxy=SecretText(NOWHERE, is_url=True)))
    error = await broken(client, "http://shop.invalid/health")
    assert (error.failure.phase, error.failure.says) == ("connect", "connection refused")
    await client.close()


async def test_a_proxy_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_TEST_PROXY", "gopher://x")
    client = HttpClient(HttpSettings(proxy=SecretText("env:HTTP_TEST_PROXY", is_url=True)))
    assert (await broken(client, "http://shop.invalid/health")).failure.phase == "config"


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("30", 30), ("0", 0), ("9" * 5000, 86_400), ("²", None), ("-5", None), ("soon", None), ("", None)],
)
def test_retry_after(said: str, seconds: float | None) -> None:
    assert retry_after({"retry-after": said}) == seconds


def test_retry_after_as_a_date() -> None:
    said = float(int(time.time()) + 60)
    before = time.time()
    found = retry_after({"retry-after": formatdate(said, usegmt=True)})
    assert found is not None
    assert said - time.time() <= found <= said - before
    assert retry_after({"retry-after": formatdate(time.time() - 60, usegmt=True)}) == 0
