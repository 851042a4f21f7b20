"""Names to addresses: a resolver that hangs, fails or knows several addresses. The operating system's is stood in for."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.servers.http import Web, reply
from tests.servers.http import web as web
from tests.waiting import GRACE, LONG, Stopwatch
from tui.engine import resolver
from tui.engine.http import HttpClient, HttpSettings
from tui.engine.reading import ProbeError
from tui.engine.resolver import NameNotFound, addresses

Answer = Callable[[str, int], list[str]]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Answer]]:
    """The last of the answers put in here is the resolver's."""
    answers: list[Answer] = []

    def stand_in(host: str, port: int, **_: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in answers[-1](host, port)]

    monkeypatch.setattr(socket, "getaddrinfo", stand_in)
    monkeypatch.setattr(resolver, "_known", {})
    yield answers


def gives(*found: str) -> Answer:
    return lambda host, port: list(found)


def fails(host: str, port: int) -> list[str]:
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


async def test_an_address_is_asked_nobody() -> None:
    assert await addresses("127.0.0.1", 80) == ("127.0.0.1",)
    assert await addresses("::1", 80) == ("::1",)


async def test_an_answer_is_remembered(names: list[Answer]) -> None:
    names.append(gives("127.0.0.1", "127.0.0.1", "127.0.0.2"))
    assert await addresses("shop.test", 80) == ("127.0.0.1", "127.0.0.2")
    names.append(fails)
    assert await addresses("shop.test", 80) == ("127.0.0.1", "127.0.0.2")


async def test_a_failure_is_not_remembered(names: list[Answer]) -> None:
    names.append(fails)
    with pytest.raises(NameNotFound, match="Name or service not known"):
        await addresses("shop.test", 80)
    names.append(gives("127.0.0.1"))
    assert await addresses("shop.test", 80) == ("127.0.0.1",)


async def test_a_name_nobody_knows_is_a_failure_of_dns(names: list[Answer]) -> None:
    names.append(fails)
    client = HttpClient(HttpSettings())
    with pytest.raises(ProbeError) as caught:
        await client.fetch("GET", "http://shop.test/", deadline=LONG)
    assert (caught.value.failure.phase, caught.value.failure.says) == ("DNS", "Name or service not known")


async def test_no_name_at_all(names: list[Answer]) -> None:
    def refuses(host: str, port: int) -> list[str]:
        raise UnicodeError("label too long")

    names.append(refuses)
    with pytest.raises(NameNotFound):
        await addresses("x" * 70 + ".test", 80)


async def test_a_dead_address_costs_little_while_another_lives(names: list[Answer], web: Web) -> None:
    names.append(gives("127.0.0.2", "127.0.0.1"))
    web.answers["/"] = reply(b"{}")
    client = HttpClient(HttpSettings())
    assert (await client.fetch("GET", f"http://shop.test:{web.port}/", deadline=LONG)).status == 200
    await client.close()


async def test_a_hanging_resolver_outlives_no_deadline_and_holds_one_thread(names: list[Answer]) -> None:
    ends, threads = threading.Event(), list[int]()

    def hangs(host: str, port: int) -> list[str]:
        threads.append(threading.get_ident())
        ends.wait(LONG)
        return ["127.0.0.1"]

    client = HttpClient(HttpSettings())
    names.append(fails)
    with pytest.raises(ProbeError):  # what a first request loads and makes takes none of the next one's time
        await client.fetch("GET", "http://shop.test:9/", deadline=LONG)
    names.append(hangs)
    for _ in range(5):
        watch = Stopwatch()
        with pytest.raises(ProbeError) as caught:
            await client.fetch("GET", "http://shop.test:9/", deadline=0.3)
        assert watch.took < 0.3 + GRACE
        assert caught.value.failure.phase == "DNS"
    assert len(threads) == 1

    waiting = asyncio.ensure_future(addresses("shop.test", 9))
    await asyncio.sleep(0)
    ends.set()
    assert await waiting == ("127.0.0.1",), "who still waits gets the answer"
