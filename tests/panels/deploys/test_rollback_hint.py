"""The rollback hint: which deployment it names, which command, and what it says where it names none."""

from __future__ import annotations

import shlex
from typing import Any

import pytest

from panels.deploys.actions import ACTIONS, plan
from tests.panels.deploys.conftest import Project
from tests.servers.vercel import Answer, deployed, failed
from tui.engine.actions import Context, Effect, Plan, PlanRefused
from tui.engine.text import Shown


async def hint(project: Project, suspected: dict[str, Shown] | None = None) -> Plan:
    return await plan((), Context("deploys", project.config, project.tools, "production", True, suspected or {}))


async def why_not(project: Project, suspected: dict[str, Shown] | None = None) -> str:
    with pytest.raises(PlanRefused) as caught:
        await hint(project, suspected)
    return caught.value.says


def facts(plan: Plan) -> dict[str, str]:
    """What the plan says besides, by its name."""
    return dict(plan.facts)


def serve(project: Project, *items: dict[str, Any]) -> None:
    project.server.deployments = list(items)
    project.server.serve(items[0]["uid"])


def test_it_only_shows() -> None:
    (action,) = ACTIONS
    assert (action.verb, action.key, action.effect, action.needs_row) == ("rollback-hint", "B", Effect.SHOWS, False)
    assert action.execute is None


async def test_the_good_one_before_the_live_one(project: Project) -> None:
    serve(project, deployed("9f3c2a1", 632), failed("aa00bb1", 4000), deployed("5be0d17", 93_632, "Index orders"))

    found = await hint(project)

    assert found.copy == "vercel rollback shop-5be0d17-team.vercel.app"
    assert found.url == "https://vercel.com/shop/shop/5be0d17"
    assert found.request == (found.copy,)
    assert found.what == "goes back to 5be0d17 main, which served for 1d1h"
    assert dict(found.items[0].facts) == {
        "commit": "5be0d17 main: Index orders",
        "by": "Ines Vidal",
        "made": "2026-11-20 01:11:00Z, 1d2h ago",
        "was good": "1d1h",
    }
    said = facts(found)
    assert said["from"] == "9f3c2a1 main, live since 2026-11-21 03:01:40Z (10m32s)"
    assert {"undone", "settings", "crons", "after"} <= set(said), "what a rollback does not undo"
    assert not any(request.method != "GET" for request in project.server.asked), "it never runs"


async def test_it_says_what_followed_the_live_one(project: Project) -> None:
    serve(project, deployed("9f3c2a1", 632), deployed("5be0d17", 93_632))
    found = await hint(project, {"dpl_9f3c2a1": Shown("error rate 1m20s after")})
    assert facts(found)["from"].endswith("◆ error rate 1m20s after")


async def test_a_team_is_the_command_s_scope(project: Project) -> None:
    serve(project, deployed("9f3c2a1", 632), deployed("5be0d17", 93_632))
    project.team = "team_42"
    assert (await hint(project)).copy == "vercel rollback shop-5be0d17-team.vercel.app --scope team_42"


async def test_another_command_for_a_look_alike(project: Project) -> None:
    serve(project, deployed("9f3c2a1", 632), deployed("5be0d17", 93_632))
    project.settings["rollback_command"] = "watchfloor demo rollback {id}"
    project.team = "team_42"
    assert (await hint(project)).copy == "watchfloor demo rollback dpl_5be0d17"


async def test_previews_staged_and_failed_ones_are_no_way_back(project: Project) -> None:
    serve(
        project,
        deployed("9f3c2a1", 632),
        deployed("ccccccc", 1000, target=None),
        deployed("ddddddd", 2000, readySubstate="STAGED"),
        deployed("eeeeeee", 3000, aliasAssigned=False),
        failed("aa00bb1", 4000),
        deployed("5be0d17", 93_632),
    )
    assert (await hint(project)).items[0].key == "dpl_5be0d17"


async def test_after_a_rollback_it_names_the_one_before_what_serves(project: Project) -> None:
    project.server.deployments = [deployed("9f3c2a1", 632), deployed("5be0d17", 93_632), deployed("77aa019", 200_000)]
    project.server.rolled_back("dpl_9f3c2a1", "dpl_5be0d17", 100)
    assert (await hint(project)).items[0].key == "dpl_77aa019"


async def test_what_was_rolled_back_is_never_named(project: Project) -> None:
    project.server.deployments = [deployed("fffffff", 50), deployed("9f3c2a1", 63_200), deployed("5be0d17", 93_632)]
    project.server.rolled_back("dpl_9f3c2a1", "dpl_5be0d17", 30_000)
    project.server.project["targets"]["production"] = {"id": "dpl_fffffff"}

    found = await hint(project)

    assert found.items[0].key == "dpl_5be0d17"
    assert facts(found)["passed"] == "9f3c2a1 main: was itself rolled back"


async def test_what_an_alert_suspects_is_passed_over(project: Project) -> None:
    serve(project, deployed("fffffff", 50), deployed("9f3c2a1", 5000), deployed("5be0d17", 93_632))
    found = await hint(project, {"dpl_9f3c2a1": Shown("error rate 1m20s after")})
    assert found.items[0].key == "dpl_5be0d17"
    assert facts(found)["passed"] == "9f3c2a1 main: is suspected: error rate 1m20s after"


async def test_what_was_replaced_at_once_was_never_proven(project: Project) -> None:
    serve(project, deployed("fffffff", 50), deployed("9f3c2a1", 290), deployed("5be0d17", 93_632))
    found = await hint(project)
    assert found.items[0].key == "dpl_5be0d17"
    assert facts(found)["passed"] == "9f3c2a1 main: served for 4m00s only"


async def test_the_unproven_is_better_than_nothing(project: Project) -> None:
    serve(project, deployed("fffffff", 50), deployed("9f3c2a1", 290))
    assert (await hint(project)).items[0].key == "dpl_9f3c2a1"


async def test_nothing_older(project: Project) -> None:
    serve(project, deployed("9f3c2a1", 632))
    assert (await why_not(project)).startswith("no older production deployment is known")


async def test_none_of_the_older_will_do(project: Project) -> None:
    serve(project, deployed("9f3c2a1", 632), deployed("5be0d17", 93_632, isRollbackCandidate=False))
    assert "5be0d17 main cannot be returned to" in await why_not(project)


async def test_it_is_not_known_what_serves(project: Project) -> None:
    serve(project, deployed("9f3c2a1", 632), deployed("5be0d17", 93_632))
    project.server.project = {"name": "shop"}
    assert "does not say which deployment serves" in await why_not(project)
    project.server.instead["/v9"] = Answer(500)
    assert (await why_not(project)).startswith("which one serves: HTTP 500")


async def test_while_one_is_under_way_it_says_wait(project: Project) -> None:
    project.server.deployments = [deployed("9f3c2a1", 632), deployed("5be0d17", 93_632)]
    project.server.rolled_back("dpl_9f3c2a1", "dpl_5be0d17", 10, "in-progress")
    assert "rollback under way for 10s" in await why_not(project)


@pytest.mark.parametrize("address", ["x; rm -rf ~", "$(id).app", "-y", "a\nb", "`id`", ""])
async def test_no_address_gets_into_a_shell(project: Project, address: str) -> None:
    serve(project, deployed("9f3c2a1", 632), deployed("5be0d17", 93_632, url=address))
    assert shlex.split((await hint(project)).copy) == ["vercel", "rollback", "dpl_5be0d17"]


@pytest.mark.parametrize("identity", ["dpl_1; rm -rf ~", "--yes", "dpl_$(id)"])
async def test_no_id_gets_into_a_shell(project: Project, identity: str) -> None:
    serve(project, deployed("9f3c2a1", 632), deployed("5be0d17", 93_632, uid=identity, url=""))
    assert "no deployment's id" in await why_not(project)
