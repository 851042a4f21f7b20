"""Sources that do not answer: each way told apart, each within the deadline, none able to hold up the exit."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Unpack

import pytest

from panels.metrics.config import MetricsConfig
from panels.metrics.queried import Queried, _Told
from tests.panels.metrics.conftest import Settings, values, watch
from tests.servers.children import HOST, port_of_its_own
from tests.servers.prometheus import Service, serve_metrics, start_prometheus
from tests.waiting import GRACE, LONG, Stopwatch, looked
from tui.engine.connections import Tools
from tui.engine.prometheus import Answer, Series
from tui.engine.reading import Failure, ProbeError, Status
from tui.engine.text import Shown


async def failure(tools: Tools, deadline: float = LONG, **settings: Unpack[Settings]) -> Failure:
    """Why a source has no answer; it is a messenger, so the panel is never *failing* for it."""
    with pytest.raises(ProbeError) as caught:
        await watch(tools, deadline, **settings).look()
    assert caught.value.status is Status.UNKNOWN
    return caught.value.failure


def reply(service: Service, status: int, body: str, content_type: str = "application/json") -> None:
    service.status, service.page, service.content_type = status, body.encode(), content_type


def error(kind: str, says: str) -> str:
    return json.dumps({"status": "error", "errorType": kind, "error": says})


def result(*series: dict[str, object], **more: object) -> str:
    return json.dumps({"status": "success", "data": {"resultType": "vector", "result": list(series)}, **more})


@pytest.mark.parametrize(
    ("status", "body", "phase", "says", "refused"),
    [
        (401, "Unauthorized", "rights", "refuses our credentials", True),
        (403, error("forbidden", "no tenant"), "rights", "refuses our credentials", True),
        (429, "slow down", "status", "it limits us", True),
        (400, error("bad_data", 'parse error: unknown function "rat"'), "query", 'unknown function "rat"', False),
        (422, error("execution", "query processing would load too many samples"), "query", "too many samples", False),
        (503, error("timeout", "query timed out in expression evaluation"), "deadline", "timed out in expression", False),
        (503, "Service Unavailable", "status", "HTTP 503: Service Unavailable", False),
        (500, error("internal", "disk full"), "status", "HTTP 500: disk full", False),
        (502, "<html><body>Bad gateway \x1b[2J</body>", "status", "HTTP 502", False),
        (404, "404 page not found", "status", "no Prometheus API there", False),
        (302, "", "status", "HTTP 302: redirects to another path", False),
        (200, "<html>Log in</html>", "contract", "login page", False),
        (200, "[" * 100_000, "contract", "not with JSON", False),
        (200, '{"status": "success"}', "contract", "not as Prometheus does", False),
        (200, '{"status": "success", "data": {"result": [{"metric": 3}]}}', "contract", "not as Prometheus does", False),
        (200, result({"metric": {}, "value": [1, "many"]}), "contract", "not as Prometheus does", False),
        (200, error("internal", "half done"), "status", "half done", False),
        (200, '{"status": "success", "padding": "' + "x" * (8 << 20) + '"}', "body", "longer than", False),
    ],
    ids=lambda value: str(value)[:24],
)
async def test_every_refusal_of_a_prometheus_has_its_words(
    service: Service, tools: Tools, status: int, body: str, phase: str, says: str, refused: bool
) -> None:
    reply(service, status, body, "text/html" if body.startswith("<") else "application/json")
    told = await failure(tools, prometheus=f"http://{HOST}:{service.port}")
    assert (told.phase, told.refused) == (phase, refused) and says in told.says
    assert told.hint and "\x1b" not in told.says and len(told.says) <= 400


async def test_a_partial_answer_is_no_data(service: Service, tools: Tools) -> None:
    """Thanos with a store that is down answers 200 and a warning."""
    reply(service, 200, result({"metric": {}, "value": [time.time(), "5"]}, warnings=["store eu-2 did not answer"]))
    found = await watch(tools, prometheus=f"http://{HOST}:{service.port}").look()
    assert found.status is Status.UNKNOWN and set(values(found).values()) <= {None, 0.0, 8.0}
    assert any("store eu-2 did not answer" in note for note in found.notes)


@pytest.mark.parametrize(
    ("errors", "found"),
    [
        (Answer((Series({"route": "/b"}, ((1.0, 1.0),)),)), [0.0, 0.25]),
        (Answer((), (Shown("store eu-2 did not answer"),)), [None, None]),
        (ProbeError(Failure("deadline", Shown("late"))), [None, None]),
    ],
    ids=["all of it", "a store is down", "no answer"],
)
def test_a_route_without_errors_is_one_of_which_all_errors_were_told(
    errors: Answer | ProbeError, found: list[float | None]
) -> None:
    """Else an answer that lacks some would end the alert of a route that fails."""
    rates = Answer((Series({"route": "/a"}, ((1.0, 4.0),)), Series({"route": "/b"}, ((1.0, 4.0),))))
    told = _Told({"routes_rate": rates, "routes_errors": errors, "routes_p95": Answer(())})
    config = MetricsConfig.model_validate({"kind": "metrics", "prometheus": "http://127.0.0.1:9"})
    assert [each.errors for each in Queried(config)._routes(told)] == found


async def test_a_clock_that_is_off_is_said(service: Service, tools: Tools) -> None:
    reply(service, 200, result({"metric": {}, "value": [time.time() - 300, "5"]}))
    found = await watch(tools, prometheus=f"http://{HOST}:{service.port}").look()
    assert values(found)["request_rate"] == 5
    assert any(note.startswith("Prometheus's clock is 5m") and note.endswith("behind ours") for note in found.notes)


async def test_credentials_are_sent_kept_out_of_words_and_read_again_after_a_refusal(
    service: Service, tools: Tools, tmp_path: Path
) -> None:
    token = tmp_path / "token"
    token.write_text("old-secret")
    reply(service, 200, result({"metric": {}, "value": [time.time(), "5"]}))
    settings: Settings = {
        "prometheus": f"http://ops:{{file:{token}}}@{HOST}:{service.port}/",
        "headers": {"X-Scope-OrgID": "shop", "X-Token": f"{{file:{token}}}"},
    }
    asked = watch(tools, **settings)
    await asked.look()
    assert all(each["X-Scope-OrgID"] == "shop" and each["X-Token"] == "old-secret" for each in service.asked)
    assert all(each["Authorization"].startswith("Basic ") for each in service.asked)
    service.asked.clear()
    token.write_text("new-secret")
    service.status = 401
    with pytest.raises(ProbeError) as caught:
        await asked.look()
    assert "secret" not in str(caught.value) + caught.value.failure.hint
    service.status = 200
    service.asked.clear()
    await asked.look()
    assert all(each["X-Token"] == "new-secret" for each in service.asked)


async def test_nobody_there_and_no_such_name_are_told_apart(tools: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_TOKEN", "s3cret-token")
    told = await failure(tools, prometheus=f"http://user:{{env:SHOP_TOKEN}}@{HOST}:{port_of_its_own()}")
    assert (told.phase, told.says, told.refused) == ("connect", "connection refused", True)
    told = await failure(tools, prometheus="http://no-such-host.invalid:9090")
    assert told.phase == "DNS"
    with serve_metrics() as service:
        told = await failure(tools, prometheus=f"https://{HOST}:{service.port}")
        assert told.phase == "TLS"


@contextmanager
def stuck(drip: bytes = b"") -> Iterator[int]:
    """A port that takes connections and never answers; or drips these bytes for ever, a few a second."""
    with socket.create_server((HOST, 0), backlog=64) as listening:
        ended = threading.Event()

        def feed(connection: socket.socket) -> None:
            with connection, suppress(OSError):
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" if drip else b"")
                while not ended.wait(0.2):
                    connection.sendall(drip)

        def serve() -> None:
            with suppress(OSError):
                while True:
                    threading.Thread(target=feed, args=(listening.accept()[0],), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        yield listening.getsockname()[1]
        ended.set()


@pytest.mark.parametrize("drip", [b"", b" "], ids=["silent", "dripping"])
@pytest.mark.parametrize("scraped", [False, True], ids=["prometheus", "scrape"])
async def test_a_source_that_hangs_is_given_up_in_time(tools: Tools, scraped: bool, drip: bytes) -> None:
    """Again and again, with no more than four threads ever waiting for it."""
    before = set(threading.enumerate())
    with stuck(drip) as port:
        url = f"http://{HOST}:{port}"
        asked = watch(tools, 0.6, scrape=url) if scraped else watch(tools, 0.6, prometheus=url)
        for _ in range(3):
            spent = Stopwatch()
            with pytest.raises(ProbeError):
                await asked.look()
            assert spent.took < 0.6 + GRACE
        waiting = [each for each in threading.enumerate() if each.name.startswith("watchfloor-prometheus")]
        assert len(set(waiting) - before) <= 4


async def test_a_frozen_prometheus_is_given_up_in_time_and_asked_again_when_it_lives(tools: Tools, service: Service) -> None:
    with start_prometheus(service.port) as server:
        asked = watch(tools, prometheus=server.url, tiles=[{"name": "one", "query": "1"}])
        await asked.look()
        server.pause()
        for _ in range(2):
            spent = Stopwatch()
            with pytest.raises(ProbeError) as caught:
                await asked.within(0.8).look()
            assert spent.took < 0.8 + GRACE
            assert caught.value.failure.phase in ("first byte", "deadline") and caught.value.failure.hint
        server.resume()

        async def answers() -> bool:
            with suppress(ProbeError):
                return values(await asked.look())['tile{name="one"}'] == 1
            return False

        await looked(answers)


def test_a_hanging_prometheus_does_not_hold_up_the_exit() -> None:
    """The process ends as soon as it wants to, though its threads still wait."""
    program = """
        import asyncio, sys
        from tests.panels.metrics.conftest import watch
        from tui.engine.connections import Tools

        async def main():
            asking = asyncio.ensure_future(watch(Tools(), 60.0, prometheus=sys.argv[1]).look())
            await asyncio.wait([asking], timeout=1.0)
            print(asking.done())

        asyncio.run(main())
    """
    with stuck() as port:
        spent = Stopwatch()
        ended = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(program), f"http://{HOST}:{port}"],
            capture_output=True,
            timeout=90,
            text=True,
            check=True,
        )
        assert ended.stdout.strip() == "False"  # it was still waiting
        assert spent.took < LONG  # of the sixty seconds that it would have waited


@pytest.mark.parametrize(
    ("source", "absent"),
    [("scrape", ["prometheus_api_client", "requests", "urllib3"]), ("prometheus", ["prometheus_client"])],
)
def test_what_the_other_source_needs_is_not_imported(service: Service, source: str, absent: list[str]) -> None:
    service.observe("/api/orders", times=3)
    program = """
        import asyncio, sys
        from panels.metrics.config import MetricsConfig
        from panels.metrics.probe import ask
        from tui.engine.connections import Tools
        from tui.engine.panel import Target

        async def main():
            config = MetricsConfig(**{sys.argv[1]: sys.argv[2]})
            try:
                await ask(Target("m", "m", config, None, 5.0, 5.0), Tools(), {})
            except Exception as error:
                print(type(error).__name__)

        asyncio.run(main())
        print([name for name in sys.argv[3:] if name in sys.modules])
    """
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), source, service.url, *absent],
        capture_output=True,
        timeout=90,
        text=True,
        check=True,
    )
    assert ended.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("status", "body", "content_type", "phase", "says"),
    [
        (401, "", "text/plain", "rights", "refuses our credentials"),
        (429, "", "text/plain", "status", "it limits us"),
        (500, "Traceback", "text/plain", "status", "HTTP 500 in place of a metrics page"),
        (200, "<html>", "text/html", "contract", "HTML or JSON"),
        (200, '{"status": "ok"}', "application/json", "contract", "HTML or JSON"),
        (200, 'http_requests_total{route="/a} 1\n', "text/plain", "contract", "line 1 is no metric"),
        (200, "x" * (9 << 20), "text/plain", "body", "longer than 8.4 MB"),
    ],
    ids=lambda value: str(value)[:24],
)
async def test_every_refusal_of_a_page_has_its_words(
    service: Service, tools: Tools, status: int, body: str, content_type: str, phase: str, says: str
) -> None:
    reply(service, status, body, content_type)
    told = await failure(tools, scrape=service.url)
    assert told.phase == phase and says in told.says and told.hint


async def test_labels_of_a_hostile_page_stay_raw_as_keys_and_are_cleaned_as_text(service: Service, tools: Tools) -> None:
    route = "/\x1b[2J\u202egnp.exe[/x]\u200b"
    read = watch(tools, scrape=service.url)
    service.observe(route)
    await read.look()
    service.observe(route, times=9)
    row = (await read.look()).rows[0]
    assert row.key == route
    assert not any(character in str(row.cells["route"]) for character in "\x1b\u202e\u200b")
