"""What the config takes, and what `config check --connect` says."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from panels.deploys.check import check
from panels.deploys.config import DeploysConfig, interval
from tests.panels.deploys.conftest import Project
from tests.servers.vercel import TOKEN, Answer, deployed


def config(vercel: dict[str, Any] | None = None, **differing: Any) -> DeploysConfig:
    settings = {"project": "prj_1", "token": "env:VERCEL_TEST_TOKEN"} | (vercel or {})
    return DeploysConfig.model_validate({"kind": "deploys", "vercel": settings} | differing)


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VERCEL_TEST_TOKEN", TOKEN)


def test_a_few_words_are_a_whole_config() -> None:
    made = config()
    assert (made.limit, made.target, made.rollback_command) == (20, "production", "vercel rollback {url}")
    assert made.vercel.base.source == "https://api.vercel.com"


def test_asked_each_20s_unless_the_panel_says_its_own() -> None:
    assert interval(config()) == 20.0
    assert interval(config(interval="5s")) is None


@pytest.mark.parametrize(
    ("vercel", "says"),
    [
        ({"token": "abc123"}, "never stands in the config"),
        ({"base": "ftp://x"}, "https://"),
        ({"project": "a/../b"}, "pattern"),
        ({"team": "a b"}, "pattern"),
        ({"colour": 1}, "colour"),
    ],
)
def test_mistakes(vercel: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        config(vercel)


@pytest.mark.parametrize("command", ["vercel rollback", "x {0}", "x {}", "x {url.__class__}", "x {url!r}", "x {", "x {name}"])
def test_a_command_must_say_where_the_deployment_goes(command: str) -> None:
    with pytest.raises(ValidationError):
        config(rollback_command=command)


async def test_connected(project: Project) -> None:
    project.server.deployments = [deployed("9f3c2a1", 632)]
    project.server.serve("dpl_9f3c2a1")
    (line,) = await check(project.config, project.tools)
    assert line.reached
    assert line.says == "sees project shop; live is 9f3c2a1 main"


async def test_not_connected_says_what_to_do(project: Project) -> None:
    project.server.team = "team_42"
    (line,) = await check(project.config, project.tools)
    assert not line.reached
    assert line.says == "rights: HTTP 403: forbidden Not authorized"
    assert "team" in line.missing[0]


async def test_half_connected(project: Project) -> None:
    project.server.instead["/v9"] = Answer(403)
    (line,) = await check(project.config, project.tools)
    assert line.reached
    assert line.says == "sees deployments, but not which one serves: HTTP 403"
