"""What the probe makes of the API: the list, what serves, and every way to have no answer."""

from __future__ import annotations

import time
from email.utils import formatdate

import pytest

from tests.panels.deploys.conftest import Project
from tests.servers.vercel import BUILD, NOW, Answer, deployed, failed
from tui.engine.reading import Change, Found, Row, Status
from tui.engine.text import Shown


def values(found: Found) -> dict[str, float | None]:
    return {each.name: each.value for each in found.signals}


def row(found: Found, sha: str) -> Row:
    return next(each for each in found.rows if each.cells["commit"] == sha)


async def test_a_deployment_is_a_row_by_its_id(project: Project) -> None:
    project.server.deployments = [deployed("9f3c2a1", 632, "Reserve stock\n\nand release it")]
    project.server.serve("dpl_9f3c2a1")

    found = await project.look()

    assert found.status is Status.OK
    only = found.rows[0]
    assert only.key == "dpl_9f3c2a1"
    shown = {name: only.cells[name] for name in ("commit", "branch", "author", "message", "state", "live", "created")}
    assert shown == {
        "commit": "9f3c2a1",
        "branch": "main",
        "author": "Ines Vidal",
        "message": "Reserve stock",
        "state": "ready",
        "live": True,
        "created": NOW - 632 - BUILD,
    }
    assert only.cells["age"] == pytest.approx(632)
    assert only.long["message"] == ("Reserve stock", "", "and release it")
    assert [link.url.partition("//")[2].partition("/")[0] for link in only.links] == [
        "vercel.com",
        "shop-9f3c2a1-team.vercel.app",
        "github.com",
    ]


async def test_the_figures(project: Project) -> None:
    project.server.deployments = [
        deployed("aaaaaa1", 10, state="BUILDING", readyState="BUILDING", aliasAssigned=False),
        failed("bbbbbb2", 600),
        deployed("ccccccc", 3600),
        deployed("ddddddd", 30 * 3600),
        failed("eeeeee5", 40 * 3600),
    ]
    project.server.serve("dpl_ccccccc")

    assert values(await project.look()) == {
        "newest_failed": 1,
        "deployments_failed_24h": 1,
        "success_rate": 0.5,
        "last_deploy_age": pytest.approx(3600),
        "building": 1,
    }


async def test_what_was_not_measured_is_no_zero(project: Project) -> None:
    project.server.serve("dpl_none")

    found = await project.look()

    assert values(found) == {
        "newest_failed": None,
        "deployments_failed_24h": 0,
        "success_rate": None,
        "last_deploy_age": None,
        "building": 0,
    }


async def test_a_deployment_that_went_live_is_a_change_and_a_failed_one_is_none(project: Project) -> None:
    project.server.deployments = [
        failed("bbbbbb2", 60),
        deployed("9f3c2a1", 632, "Reserve stock"),
        deployed("aaaaaa1", 700, target=None),
        deployed("ccccccc", 800, readySubstate="STAGED"),
    ]
    project.server.serve("dpl_9f3c2a1")
    project.settings["target"] = "all"

    found = await project.look()

    assert found.changes == (
        Change("dpl_9f3c2a1", NOW - 632, "deployment", Shown("deploy 9f3c2a1 main"), Shown("Reserve stock")),
    )


async def test_it_went_live_when_it_got_the_domain_not_when_it_was_built(project: Project) -> None:
    late = deployed("9f3c2a1", 632)
    late["aliasAssigned"] = round((NOW - 100) * 1000)
    told_later = deployed("ccccccc", 5000, aliasAssigned=True)
    project.server.deployments = [late, told_later]

    assert [change.at for change in (await project.look()).changes] == [NOW - 5000, NOW - 100]


async def test_ready_for_production_is_not_serving(project: Project) -> None:
    project.server.deployments = [deployed("9f3c2a1", 632), deployed("5be0d17", 93_632)]
    project.server.rolled_back("dpl_9f3c2a1", "dpl_5be0d17", 100)

    found = await project.look()

    assert row(found, "9f3c2a1").cells["live"] is False
    assert row(found, "9f3c2a1").cells["rolled_back"] is True
    good = row(found, "5be0d17")
    assert good.cells["live"] is True
    assert good.cells["live_since"] == NOW - 100
    assert good.cells["served_for"] == pytest.approx(93_000 + 100)
    assert found.changes[-1] == Change(
        f"rollback:dpl_5be0d17@{NOW - 100:.0f}",
        NOW - 100,
        "deployment",
        Shown("rollback to 5be0d17 main"),
        Shown("from 9f3c2a1 main"),
    )
    assert found.notes == ("rolled back: new deployments wait until one is promoted",)


async def test_what_is_built_while_a_rollback_stands_never_served(project: Project) -> None:
    project.server.deployments = [deployed("fffffff", 30), deployed("9f3c2a1", 632), deployed("5be0d17", 93_632)]
    project.server.rolled_back("dpl_9f3c2a1", "dpl_5be0d17", 100)

    found = await project.look()

    assert row(found, "fffffff").cells["served_for"] is None
    assert "dpl_fffffff" not in {change.key for change in found.changes}


async def test_a_deployment_after_a_rollback_was_lifted_serves_again(project: Project) -> None:
    project.server.deployments = [deployed("fffffff", 30), deployed("9f3c2a1", 632), deployed("5be0d17", 93_632)]
    project.server.rolled_back("dpl_9f3c2a1", "dpl_5be0d17", 100)
    project.server.project["targets"]["production"] = {"id": "dpl_fffffff"}

    found = await project.look()

    assert row(found, "fffffff").cells["live"] is True
    assert row(found, "5be0d17").cells["served_for"] == pytest.approx(93_000 + 70)


@pytest.mark.parametrize(
    ("status", "note"),
    [
        ("pending", "rollback to 5be0d17 main under way for 10s"),
        ("in-progress", "rollback to 5be0d17 main under way for 10s"),
        ("failed", "the rollback to 5be0d17 main failed"),
    ],
)
async def test_a_rollback_that_is_not_done_is_said_and_changes_nothing(project: Project, status: str, note: str) -> None:
    project.server.deployments = [deployed("9f3c2a1", 632), deployed("5be0d17", 93_632)]
    project.server.rolled_back("dpl_9f3c2a1", "dpl_5be0d17", 10, status)

    found = await project.look()

    assert found.notes == (note,)
    assert row(found, "9f3c2a1").cells["live"] is True
    assert {change.key for change in found.changes} == {"dpl_9f3c2a1", "dpl_5be0d17"}


async def test_what_serves_is_shown_though_it_is_older_than_the_list(project: Project) -> None:
    project.server.deployments = [deployed("9f3c2a1", 632), deployed("5be0d17", 93_632), deployed("77aa019", 200_000)]
    project.server.serve("dpl_77aa019")
    project.settings["limit"] = 2

    found = await project.look()

    assert [each.cells["commit"] for each in found.rows] == ["9f3c2a1", "5be0d17", "77aa019"]
    assert found.rows[-1].cells["live"] is True


async def test_the_last_day_is_read_whole(project: Project) -> None:
    project.server.deployments = [failed(f"{number:07d}", number * 600 + 1) for number in range(160)]
    project.server.serve("dpl_x")

    found = await project.look()

    lists = [request.query for request in project.server.asked if request.path.endswith("/deployments")]
    assert [query.get("limit") for query in lists] == ["20", "100", "100"]
    assert "until" in lists[1]
    assert values(found)["deployments_failed_24h"] == 144
    assert len(found.rows) == 21, "the limit, and what serves"


async def test_a_day_of_too_many_says_so(project: Project) -> None:
    project.server.deployments = [deployed(f"{number:07d}", number * 10 + 1) for number in range(600)]
    project.server.serve("dpl_0000000")

    assert (await project.look()).notes == ("counts hold the newest 420 alone: the last 24h have more",)


async def test_the_older_list_serves_where_the_newer_is_not_there(project: Project) -> None:
    project.server.versions = ("v6",)
    project.server.deployments = [deployed("9f3c2a1", 632)]
    project.server.serve("dpl_9f3c2a1")

    await project.look()
    await project.look()

    assert project.server.paths == [
        "/v7/deployments",
        "/v6/deployments",
        "/v9/projects/prj_shop",
        "/v6/deployments",
        "/v9/projects/prj_shop",
    ]


async def test_every_call_names_the_team(project: Project) -> None:
    project.server.team = project.team = "team_42"
    project.server.serve("dpl_none")
    await project.look()
    assert {request.query.get("teamId") for request in project.server.asked} == {"team_42"}

    project.server.team = project.team = "the-shop"
    await project.look()
    assert project.server.asked[-1].query["slug"] == "the-shop"


async def test_a_project_that_does_not_say_what_serves(project: Project) -> None:
    project.server.deployments = [deployed("9f3c2a1", 632)]
    project.server.project = {"name": "shop", "targets": None}

    found = await project.look()

    assert found.notes == ("the API does not say which deployment serves",)
    assert found.rows[0].cells["live"] is None


async def test_a_deployment_from_a_shell_has_no_commit(project: Project) -> None:
    bare = deployed("9f3c2a1", 632)
    del bare["meta"]
    project.server.deployments = [bare, deployed("ccccccc", 700, meta=None, creator="?"), deployed("ddddddd", 800, meta=["x"])]
    project.server.serve("dpl_9f3c2a1")

    found = await project.look()

    first = found.rows[0]
    assert (first.cells["commit"], first.cells["branch"], first.cells["author"]) == ("9f3c2a1", "", "inesvidal")
    assert first.cells["message"] == ""


async def test_commits_of_other_hosts(project: Project) -> None:
    meta = {"gitlabCommitSha": "abcdef0123", "gitlabCommitRef": "trunk", "gitlabCommitAuthorName": "Jun"}
    project.server.deployments = [deployed("9f3c2a1", 632, meta=meta)]
    project.server.serve("dpl_9f3c2a1")
    cells = (await project.look()).rows[0].cells
    assert (cells["commit"], cells["branch"], cells["author"]) == ("abcdef0", "trunk", "Jun")


async def test_hostile_text_is_shown_and_steers_nothing(project: Project) -> None:
    meta = {
        "githubCommitSha": "\x1b[2J\x1b]52;c;ZXZpbA==\x07",
        "githubCommitRef": "main\u202e\nevil",
        "githubCommitMessage": "[@click=app.quit]x[/] \x9b2J" + "y" * 100_000,
        "githubOrg": "../..",
        "githubRepo": "javascript:",
    }
    project.server.deployments = [deployed("9f3c2a1", 632, meta=meta, inspectorUrl="javascript:alert(1)", url="a b;rm -rf /")]
    project.server.serve("dpl_9f3c2a1")

    found = await project.look()

    texts = [value for value in found.rows[0].cells.values() if isinstance(value, str)]
    texts += [change.title for change in found.changes] + [change.detail for change in found.changes]
    assert not any(ord(character) < 32 or "\x7f" <= character < "\xa0" or character == "\u202e" for character in "".join(texts))
    assert max(map(len, texts)) <= 200
    assert found.rows[0].links == ()


@pytest.mark.parametrize("moment", [None, "soon", True, -5, 1e300, 10**400, [], {}])
async def test_times_that_are_none(project: Project, moment: object) -> None:
    odd = deployed("9f3c2a1", 632)
    for name in ("created", "createdAt", "buildingAt", "ready", "aliasAssigned"):
        odd[name] = moment if not isinstance(moment, int) or moment < 10**300 else 1
    project.server.deployments = []
    project.server.serve("dpl_9f3c2a1")
    project.server.project["targets"]["production"] = odd | {"id": "dpl_9f3c2a1"}
    found = await project.look()
    assert found.rows[0].cells["live"] is True


async def test_entries_that_are_none_are_counted(project: Project) -> None:
    body = b'{"deployments": [null, 7, {}, {"uid": ""}, {"uid": "dpl_1"}], "pagination": {"next": "soon"}}'
    project.server.instead["/v7"] = Answer(200, body)
    project.server.serve("dpl_1")
    found = await project.look()
    assert [each.key for each in found.rows] == ["dpl_1"]
    assert found.notes == ("4 entries could not be read",)


async def test_a_clock_that_differs_is_put_right_and_said(project: Project) -> None:
    ahead = 300
    project.server.headers["Date"] = formatdate(time.time() + ahead, usegmt=True)
    project.server.deployments = [deployed("9f3c2a1", 632 - ahead)]
    project.server.serve("dpl_9f3c2a1")

    found = await project.look()

    assert found.changes[0].at == pytest.approx(NOW - 632, abs=30)
    assert found.notes[0].startswith("its clock is ") and "ahead of ours" in found.notes[0]


async def test_the_token_stands_nowhere(project: Project) -> None:
    project.server.deployments = [deployed("9f3c2a1", 632)]
    project.server.serve("dpl_9f3c2a1")
    found = await project.look()
    assert project.server.token not in repr(found)
    assert project.server.token not in repr(project.config)
