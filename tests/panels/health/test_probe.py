"""One endpoint: what each answer comes to, what is kept from poll to poll, and which phase a failure names."""

from __future__ import annotations

import asyncio
import time

import pytest

from tests.clocks import passes
from tests.panels.health.conftest import Asker, the_row, value
from tests.servers import http as servers
from tests.servers.children import port_of_its_own
from tests.servers.http import Authority, reply, start_tls, to
from tests.waiting import GRACE, LONG, Stopwatch, soon
from tui.engine.reading import Status

OK, WARNS, UNKNOWN, FAILS = Status.OK, Status.DEGRADED, Status.UNKNOWN, Status.FAILING


async def test_well(health: Asker) -> None:
    health.web.says("/health", {"status": "pass", "checks": [{"component": "database", "status": "pass"}], "release": "r42"})
    began = time.monotonic()

    found = await health.ask()

    row = the_row(found)
    assert (found.status, row.key, row.cells["says"], row.cells["release"]) == (OK, "health", "ok", "r42")
    assert value(found, "up") == 1
    assert 0 < (value(found, "latency") or 0) < time.monotonic() - began
    assert {dict(each.labels)["endpoint"] for each in found.signals} == {"health"}
    assert row.long["components"] == ("ok        database",)
    assert found.error is None


async def test_it_is_asked_past_every_cache(health: Asker) -> None:
    await health.ask()
    assert health.web.asked[0].headers["cache-control"] == "no-cache"


async def test_a_503_names_the_part_that_fails(health: Asker) -> None:
    health.web.says("/health", {"ok": False, "checks": {"env": True, "db": False}}, 503)

    found = await health.ask()

    assert found.status is FAILS
    assert the_row(found).cells["says"] == "HTTP 503 · db"
    assert found.error is not None
    assert (found.error.phase, found.error.hint) == ("status", "look at db")
    assert not found.error.refused, "its refusal is the measurement: never slowed"
    assert value(found, "up") == 0
    assert value(found, "latency") is not None, "an answer took its time, whatever it said"


async def test_well_by_http_and_not_by_its_word(health: Asker) -> None:
    health.web.says("/health", {"status": "healthy", "database": "disconnected"})
    found = await health.ask()
    assert found.status is FAILS
    assert the_row(found).cells["says"] == "database"
    assert found.error is not None and found.error.phase == "contract"


async def test_degraded_is_up(health: Asker) -> None:
    health.web.says("/health", {"status": "warn", "checks": {"db:time": [{"status": "warn", "output": "900 ms"}]}})
    found = await health.ask()
    assert (found.status, value(found, "up"), the_row(found).cells["says"]) == (WARNS, 1, "db:time: 900 ms")


@pytest.mark.parametrize(
    ("behaviour", "phase", "given_up_after"),
    [
        ("hangs", "first byte", 0),
        ("drips_headers", "first byte", 0),
        ("drips_body", "body", 50),
        ("never_ends", "body", None),
        ("closes", "first byte", None),
        ("closes_early", "body", None),
        ("speaks_no_http", "first byte", None),
    ],
)
async def test_no_answer_is_failing_and_names_its_phase(
    health: Asker, behaviour: str, phase: str, given_up_after: int | None
) -> None:
    """What ends by its deadline alone is given up once so many bytes came."""
    health.web.answers["/health"] = getattr(servers, behaviour)

    asking = asyncio.ensure_future(health.ask())
    if given_up_after is not None:
        await soon(lambda: health.web.asked and health.web.sent >= given_up_after)
        passes(LONG)
    found = await asking

    assert found.status is FAILS
    assert found.error is not None and found.error.phase == phase
    assert the_row(found).cells["phase"] == phase
    assert str(the_row(found).cells["says"]).startswith(f"{phase}: ")
    assert value(found, "latency") is None, "no data is not zero"


async def test_a_bomb_is_failing(health: Asker) -> None:
    health.web.answers["/health"] = servers.bomb()
    assert the_row(await health.ask()).cells["says"] == "body: inflates beyond 1.0 MB"


async def test_nobody_listens(health: Asker) -> None:
    health.settings["endpoints"] = [f"http://127.0.0.1:{port_of_its_own()}/health"]
    assert the_row(await health.ask()).cells["says"] == "connect: connection refused"


@pytest.mark.parametrize(
    ("status", "phase", "says"),
    [
        (401, "rights", "HTTP 401: it refuses our credentials"),
        (403, "rights", "HTTP 403: it refuses our credentials"),
        (429, "status", "HTTP 429: it limits us, wants 30s between"),
    ],
)
async def test_who_refuses_us_is_unknown(health: Asker, status: int, phase: str, says: str) -> None:
    health.web.answers["/health"] = reply(b"no", status, Retry_After="30")
    found = await health.ask()
    assert (found.status, the_row(found).cells["says"]) == (UNKNOWN, says)
    assert found.error is not None and found.error.phase == phase
    assert value(found, "up") is None


async def test_a_401_that_is_expected_is_well(health: Asker) -> None:
    health.settings["endpoint"] = [{"url": f"{health.web.url}/health", "expect": [401]}]
    health.web.answers["/health"] = reply(b"", 401)
    assert (await health.ask()).status is OK


@pytest.mark.parametrize(("age", "status"), [("3", OK), ("600", UNKNOWN), ("²", OK), ("9" * 5000, UNKNOWN), ("old", OK)])
async def test_a_cached_answer_is_a_lie(health: Asker, age: str, status: Status) -> None:
    health.web.answers["/health"] = reply(b'{"ok":true}', Age=age)
    assert (await health.ask()).status is status


async def test_a_login_page_is_no_health_reply(health: Asker) -> None:
    health.web.answers["/health"] = reply(b"<html>Sign in</html>", 200, "text/html; charset=utf-8")
    found = await health.ask()
    assert (found.status, the_row(found).cells["says"]) == (UNKNOWN, "HTML where a health reply was expected")
    health.settings["endpoint"] = [{"url": f"{health.web.url}/health", "contract": "status"}]
    assert (await health.ask()).status is OK


async def test_html_is_well_where_nothing_else_was_promised(health: Asker) -> None:
    health.settings["endpoints"] = [f"{health.web.url}/"]
    health.web.answers["/"] = reply(b"<html>Shop</html>", 200, "text/html")
    assert (await health.ask()).status is OK


async def test_head_judges_the_status_alone(health: Asker) -> None:
    health.settings["endpoint"] = [{"url": f"{health.web.url}/health", "method": "HEAD"}]
    health.web.says("/health", {"ok": False})
    assert (await health.ask()).status is OK
    assert health.web.asked[0].method == "HEAD"


async def test_redirects_are_followed_or_are_the_answer(health: Asker) -> None:
    health.web.answers |= {"/health": to("/elsewhere"), "/elsewhere": reply(b'{"ok":true}')}
    assert (await health.ask()).status is OK
    health.settings["endpoint"] = [{"url": f"{health.web.url}/health", "redirects": False, "expect": [302]}]
    assert (await health.ask()).status is OK
    assert health.web.asked[-1].path == "/health"


async def test_an_expression_judges_what_no_contract_knows(health: Asker) -> None:
    health.settings["endpoint"] = [{"url": f"{health.web.url}/health", "healthy": "state == 'green'"}]
    health.web.says("/health", {"state": "green"})
    assert (await health.ask()).status is OK
    health.web.says("/health", {"state": "red"})
    found = await health.ask()
    assert the_row(found).cells["says"] == "healthy: state == 'green' is false"


async def test_headers_are_sent_and_read_again_after_a_refusal(health: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEALTH_TOKEN", "first-token")
    headers = {"Authorization": "Bearer {env:HEALTH_TOKEN}"}
    health.settings["endpoint"] = [{"url": f"{health.web.url}/health", "headers": headers}]
    config = health.config
    health.web.answers["/health"] = reply(b"", 401)
    await health.ask(config=config)
    assert health.web.asked[-1].headers["authorization"] == "Bearer first-token"
    monkeypatch.setenv("HEALTH_TOKEN", "second-token")
    await health.ask(config=config)
    assert health.web.asked[-1].headers["authorization"] == "Bearer second-token"


# --- failures in a row ----------------------------------------------------------------------------------------------


async def test_failing_only_after_as_many_failures_in_a_row(health: Asker) -> None:
    health.settings["failures"] = 3
    bad, good = reply(b'{"ok":false}'), reply(b'{"ok":true}')
    seen = []
    for answer in (bad, bad, good, bad, bad, bad, bad):
        health.web.answers["/health"] = answer
        found = await health.ask()
        seen.append((found.status, value(found, "up")))
    assert seen == [(WARNS, None), (WARNS, None), (OK, 1), (WARNS, None), (WARNS, None), (FAILS, 0), (FAILS, 0)]


async def test_it_says_how_often_it_failed(health: Asker) -> None:
    health.settings["endpoint"] = [{"url": f"{health.web.url}/health", "failures": 2}]
    health.web.says("/health", {"ok": False, "checks": {"db": False}})
    assert the_row(await health.ask()).cells["says"] == "failed 1 of 2: db"
    assert the_row(await health.ask()).cells["says"] == "db"


async def test_unknown_neither_adds_to_the_failures_nor_ends_them(health: Asker) -> None:
    health.settings["failures"] = 2
    seen = []
    for answer in (reply(b"", 500), reply(b"", 429), reply(b"", 500), reply(b"", 429), reply(b"", 500)):
        health.web.answers["/health"] = answer
        seen.append((await health.ask()).status)
    assert seen == [WARNS, UNKNOWN, FAILS, UNKNOWN, FAILS]


# --- from poll to poll ----------------------------------------------------------------------------------------------


async def test_since_when(health: Asker) -> None:
    health.web.says("/health", {"ok": True})
    await health.ask()
    health.clock.move(60)
    assert the_row(await health.ask()).cells["since"] == 60
    health.web.says("/health", {"ok": False})
    assert the_row(await health.ask()).cells["since"] == 0


async def test_it_fails_since_its_first_failure(health: Asker) -> None:
    health.settings["failures"] = 3
    since = []
    for answer in (b'{"ok":true}', b'{"ok":false}', b'{"ok":false}', b'{"ok":false}', b'{"ok":true}'):
        health.web.answers["/health"] = reply(answer)
        since.append(the_row(await health.ask()).cells["since"])
        health.clock.move(10)
    assert since == [0, 0, 10, 20, 0]


async def test_p95_is_of_good_answers(health: Asker) -> None:
    for _ in range(5):
        health.web.says("/health", {"ok": True})
        found = await health.ask()
    well = value(found, "latency_p95")
    assert well is not None and well > 0
    health.web.says("/health", {"ok": False})
    assert value(await health.ask(), "latency_p95") == well


async def test_a_release_that_changes_is_a_change(health: Asker) -> None:
    seen = []
    for release in ("r41", "r41", "r42", "r42"):
        health.web.says("/health", {"status": "pass", "release": release})
        health.clock.move(10)
        seen.append((await health.ask()).changes)
    assert [len(changes) for changes in seen] == [0, 0, 1, 0]
    (change,) = seen[2]
    assert (change.kind, change.title, change.detail) == ("release", "health now runs r42", "before: r41")
    assert change.at == health.clock.utc() - 10


async def test_an_environment_that_is_another_is_said(health: Asker) -> None:
    health.web.says("/health", {"status": "pass", "environment": "staging"})
    assert (await health.ask()).notes == ("health says it is staging, not production",)
    health.web.says("/health", {"status": "pass", "environment": "Production"})
    assert (await health.ask()).notes == ()


async def test_hostile_text_is_shown_and_steers_nothing(health: Asker) -> None:
    evil = "\x1b]52;c;ZXZpbA==\x07\u202e[@click=app.quit]x[/]" + "y" * 10_000
    health.web.says("/health", {"status": "fail", "checks": [{"component": evil, "status": "fail", "message": evil}]})
    row = the_row(await health.ask())
    texts = [text for text in row.cells.values() if isinstance(text, str)] + list(row.long["components"])
    assert not any(ord(letter) < 32 or letter in "\u202e\x7f\x9b" for letter in "".join(texts))
    assert max(map(len, texts)) <= 400


# --- TLS, and this host's own network -------------------------------------------------------------------------------


async def test_days_left_of_its_certificate(health: Asker, authority: Authority) -> None:
    async with start_tls(authority.context("localhost")) as server:
        server.answers["/health"] = reply(b'{"ok":true}')
        health.settings["endpoint"] = [{"url": f"{server.url}/health", "ca": str(authority.file)}]
        left = value(await health.ask(), "certificate_left")
    assert left is not None
    assert left == pytest.approx(time.time() + 30 * 86_400 - health.clock.utc(), abs=120)


async def test_a_certificate_that_does_not_hold_is_failing(health: Asker, authority: Authority) -> None:
    async with start_tls(authority.context("shop.example")) as server:
        health.settings["endpoint"] = [{"url": f"{server.url}/health", "ca": str(authority.file)}]
        found = await health.ask()
    assert found.status is FAILS
    assert found.error is not None and found.error.phase == "TLS"


async def test_when_no_known_good_address_answers_it_is_this_host_s_network(health: Asker) -> None:
    health.settings |= {
        "endpoints": [f"http://127.0.0.1:{port_of_its_own()}/health"],
        "known_good": [f"127.0.0.1:{port_of_its_own()}", "name.invalid:443"],
    }
    found = await health.ask()
    assert found.status is UNKNOWN
    assert found.error is not None and found.error.phase == "network"
    assert value(found, "up") is None


async def test_when_one_answers_it_is_the_endpoint(health: Asker) -> None:
    health.settings |= {
        "endpoints": [f"http://127.0.0.1:{port_of_its_own()}/health"],
        "known_good": [f"127.0.0.1:{port_of_its_own()}", f"127.0.0.1:{health.web.port}"],
    }
    assert (await health.ask()).status is FAILS


@pytest.mark.parametrize(("known_good", "status"), [("closed", UNKNOWN), ("open", FAILS)])
async def test_the_network_is_looked_at_within_the_deadline(health: Asker, known_good: str, status: Status) -> None:
    """A black-holed network is noticed by time-outs: then nothing of the deadline is left to look at others after it."""
    health.web.answers["/health"] = servers.hangs
    port = port_of_its_own() if known_good == "closed" else health.web.port
    health.settings["known_good"] = [f"127.0.0.1:{port}"]
    watch = Stopwatch()
    assert (await health.ask(deadline=2.0)).status is status
    assert watch.took < 2.0 + GRACE
