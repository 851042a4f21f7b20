"""Every way in which the API has no answer: the words, the hint, and whether the poller backs off."""

from __future__ import annotations

import asyncio

import pytest

from tests.clocks import passes
from tests.panels.deploys.conftest import Project
from tests.servers.vercel import Answer, deployed, limited
from tests.waiting import soon
from tui.engine.reading import ProbeError, Status


async def refused(project: Project) -> ProbeError:
    with pytest.raises(ProbeError) as caught:
        await project.look()
    assert caught.value.status is Status.UNKNOWN, "the messenger failed, not what it tells of"
    return caught.value


async def test_without_its_team_a_good_token_looks_bad_and_the_hint_says_so(project: Project) -> None:
    project.server.team = "team_42"
    error = await refused(project)
    assert error.failure.phase == "rights"
    assert error.failure.says == "HTTP 403: forbidden Not authorized"
    assert "without `team`" in error.failure.hint
    assert error.failure.refused, "it refuses us: ask less often"


async def test_a_refused_token_is_read_again(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    config = project.config
    await project.look(config)
    project.server.token = "rotated-token-1"
    monkeypatch.setenv("VERCEL_TEST_TOKEN", "rotated-token-1")
    with pytest.raises(ProbeError):
        await project.look(config)
    assert (await project.look(config)).status is Status.OK


async def test_a_project_that_is_not_there(project: Project) -> None:
    project.settings["vercel"] = {"project": "prj_other", "token": "env:VERCEL_TEST_TOKEN", "base": project.server.url}
    error = await refused(project)
    assert error.failure.says == "HTTP 404: not_found Project not found."
    assert "team" in error.failure.hint
    assert not error.failure.refused


async def test_a_limit_says_until_when_and_is_kept(project: Project) -> None:
    project.server.instead["/v7"] = limited(45)
    error = await refused(project)
    assert error.failure.says == "HTTP 429: it limits us until 03:12:57Z"
    assert error.failure.refused
    assert error.failure.retry_after == pytest.approx(45)


async def test_a_limit_by_header(project: Project) -> None:
    project.server.instead["/v7"] = Answer(429, b"slow down", {"Retry-After": "30"})
    assert (await refused(project)).failure.retry_after == 30


async def test_a_limit_without_a_word_is_still_a_limit(project: Project) -> None:
    project.server.instead["/v7"] = Answer(429, b'{"error":{"limit":{"reset":true}}}')
    error = await refused(project)
    assert error.failure.refused
    assert error.failure.retry_after is None


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"<html>gateway</html>", "no JSON object"),
        (b"{", "no JSON object"),
        (b"[" * 200_000, "no JSON object"),
        (b"[1, 2]", "no JSON object"),
        (b'{"deployments": {}}', "no list of deployments"),
        (b"{}", "no list of deployments"),
    ],
)
async def test_a_reply_that_is_none(project: Project, body: bytes, says: str) -> None:
    project.server.instead["/v7"] = Answer(200, body)
    error = await refused(project)
    assert error.failure.phase == "contract"
    assert says in error.failure.says


async def test_a_server_error_backs_nothing_off(project: Project) -> None:
    project.server.instead["/v7"] = Answer(502, b"bad gateway")
    error = await refused(project)
    assert error.failure.says == "HTTP 502"
    assert not error.failure.refused


async def test_a_server_that_hangs_is_given_up_in_time(project: Project) -> None:
    project.server.instead["/v7"] = Answer(hangs=True)
    looking = asyncio.ensure_future(refused(project))
    await soon(lambda: project.server.paths)
    passes(project.deadline)
    error = await looking
    assert error.failure.phase == "first byte"


async def test_one_deadline_holds_over_both_questions(project: Project) -> None:
    project.server.instead["/v9"] = Answer(hangs=True)
    looking = asyncio.ensure_future(project.look())
    await soon(lambda: len(project.server.paths) == 2)
    passes(project.deadline)
    assert (await looking).status is Status.UNKNOWN


async def test_a_list_without_the_project_is_shown_as_unknown(project: Project) -> None:
    project.server.deployments = [deployed("9f3c2a1", 632)]
    project.server.instead["/v9"] = Answer(403, b'{"error":{"code":"forbidden","message":"no"}}')

    found = await project.look()

    assert found.status is Status.UNKNOWN
    assert found.error is not None
    assert found.error.says == "which one serves: HTTP 403: forbidden no"
    assert found.error.refused
    assert found.rows[0].cells["live"] is None
