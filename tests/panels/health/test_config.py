"""What the config takes, and what `config check --connect` says."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from panels.health.check import check
from panels.health.config import HealthConfig, endpoints
from tests.panels.health.conftest import Asker
from tests.servers.http import reply


def made(**settings: Any) -> HealthConfig:
    return HealthConfig.model_validate({"kind": "health", **settings})


def test_urls_and_tables_alike() -> None:
    config = made(
        endpoints=["https://shop.example/api/readyz", "https://shop.example/"],
        endpoint=[{"name": "admin", "url": "https://shop.example/x", "interval": "5m", "deadline": "3s"}],
    )
    wanted = endpoints(config)
    assert [each.name for each in wanted] == ["readyz", "shop.example", "admin"]
    assert (wanted[2].interval, wanted[2].deadline) == (300, 3)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({}, "nothing to watch"),
        ({"endpoints": ["shop.example/health"]}, "https://"),
        ({"endpoints": ["https://a.example/x", "https://b.example/x"]}, "two endpoints are called x"),
        ({"endpoint": [{"url": "https://a.example/x", "depends_on": "y"}]}, "no other endpoint"),
        ({"endpoint": [{"url": "https://a.example/x", "depends_on": "x"}]}, "no other endpoint"),
        ({"endpoints": ["https://a.example/x"], "known_good": ["1.1.1.1"]}, "host:port"),
        ({"endpoint": [{"url": "https://a.example/x", "healthy": "a =="}]}, "JMESPath"),
        ({"endpoint": [{"url": "https://a.example/x", "expect": []}]}, "expect"),
        ({"endpoint": [{"url": "https://a.example/x", "headers": {"Authorization": "Bearer abc"}}]}, "never stands"),
        ({"endpoint": [{"url": "https://me:abc@a.example/x"}]}, "password never stands"),
        ({"endpoint": [{"url": "https://a.example/x", "colour": "red"}]}, "colour"),
        ({"endpoints": ["https://a.example/x"], "failures": 0}, "failures"),
    ],
)
def test_mistakes(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        made(**settings)


async def test_connected(health: Asker) -> None:
    health.web.says("/health", {"ok": True})
    (line,) = await check(health.config, health.tools)
    assert (line.reached, line.says, line.missing) == (True, "ok", ())


async def test_not_connected(health: Asker) -> None:
    health.web.answers["/health"] = reply(b"", 401)
    (line,) = await check(health.config, health.tools)
    assert (line.reached, line.says) == (True, "HTTP 401: it refuses our credentials")
    assert line.missing == ("mend `headers` in the config",)
