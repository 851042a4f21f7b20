"""TLS: trusted, and each way of not being."""

from __future__ import annotations

import asyncio
import datetime
import time
from collections.abc import AsyncIterator

import pytest

from tests.servers.http import Authority, Web, reply, start_tls
from tests.servers.http import authority as authority
from tests.servers.http import web as web
from tests.waiting import LONG
from tui.engine.http import HttpClient, HttpSettings
from tui.engine.reading import ProbeError

DAY = datetime.timedelta(days=1)


@pytest.fixture
async def client(authority: Authority) -> AsyncIterator[HttpClient]:
    """A client that trusts the test's authority."""
    made = HttpClient(HttpSettings(ca=authority.file))
    yield made
    await made.close()


async def refused(client: HttpClient, url: str) -> ProbeError:
    with pytest.raises(ProbeError) as caught:
        await client.fetch("GET", url, deadline=LONG)
    return caught.value


async def test_trusted_and_how_long_still(authority: Authority, client: HttpClient) -> None:
    async with start_tls(authority.context("localhost", ends_in=21 * DAY)) as server:
        server.answers["/"] = reply(b"{}")
        found = await client.fetch("GET", server.url, deadline=LONG)
    assert found.certificate_ends == pytest.approx(time.time() + 21 * 86_400, abs=60)


async def test_expired(authority: Authority, client: HttpClient) -> None:
    async with start_tls(authority.context("localhost", ends_in=-DAY)) as server:
        error = await refused(client, server.url)
    assert (error.failure.phase, error.failure.says) == ("TLS", "certificate has expired")


async def test_another_s_name(authority: Authority, client: HttpClient) -> None:
    async with start_tls(authority.context("shop.example")) as server:
        error = await refused(client, server.url)
    assert error.failure.phase == "TLS"
    assert "localhost" in error.failure.says


async def test_nobody_we_trust(authority: Authority) -> None:
    stranger = HttpClient(HttpSettings())
    async with start_tls(authority.context("localhost")) as server:
        error = await refused(stranger, server.url)
    assert error.failure.phase == "TLS"
    assert "unable to get local issuer certificate" in error.failure.says
    assert "`ca`" in error.failure.hint


async def test_no_tls_at_all(client: HttpClient) -> None:
    """A plain server takes the handshake for a request that is none."""

    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(reply(b"", 400))
        writer.close()

    async with await asyncio.start_server(plain, "127.0.0.1", 0) as server:
        error = await refused(client, f"https://localhost:{server.sockets[0].getsockname()[1]}")
    assert error.failure.phase == "TLS"
    assert error.failure.says


async def test_credentials_do_not_go_from_https_to_http(
    authority: Authority, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TLS_TEST_TOKEN", "s3cret-token")
    settings = HttpSettings.model_validate({"ca": authority.file, "headers": {"Authorization": "Bearer {env:TLS_TEST_TOKEN}"}})
    client = HttpClient(settings)
    async with start_tls(authority.context("localhost")) as server:
        server.answers["/"] = reply(b"", 302, Location=web.url)
        web.answers["/"] = reply(b"{}")
        await client.fetch("GET", server.url, deadline=LONG)
    assert "authorization" not in web.asked[0].headers
    await client.close()


async def test_from_http_to_https(authority: Authority, web: Web, client: HttpClient) -> None:
    async with start_tls(authority.context("localhost")) as server:
        server.answers["/"] = reply(b"there")
        web.answers["/"] = reply(b"", 301, Location=server.url)
        for _ in range(2):
            found = await client.fetch("GET", web.url, deadline=LONG)
            assert (found.status, found.body) == (200, b"there")
            assert found.certificate_ends is not None
