"""The panel as a person reads it."""

from __future__ import annotations

from panels.deploys.view import view
from tests.panels.deploys.conftest import Project
from tests.printing import printed
from tests.servers.vercel import NOW, Answer, deployed, failed
from tui.engine.history import History
from tui.engine.layout import Room
from tui.engine.panel import Readings
from tui.engine.reading import Status


def drawn(readings: Readings, width: int) -> str:
    return printed(view(readings, History(), Room(width, 18, NOW)), width)


async def story(project: Project) -> None:
    """The pictures' story: a bad deployment ten minutes ago, a good one before it."""
    project.server.deployments = [
        deployed("9f3c2a1", 632, "Reserve stock at checkout"),
        failed("aa00bb1", 4000),
        deployed("5be0d17", 93_632, "Index orders by customer"),
        deployed("77aa019", 200_000, "Upgrade the encoder to 7.1"),
    ]
    project.server.serve("dpl_9f3c2a1")


SUSPECTED = {"dpl_9f3c2a1": "error rate 1m20s after"}


async def test_at_half_of_120(project: Project) -> None:
    await story(project)
    assert drawn(await project.readings(SUSPECTED), 58) == (
        """\
[live 9f3c2a1 main, 10m32s · vercel]
 live 9f3c2a1 for 10m32s   failed 24h 1   success 75 %
 commit         state    at
 9f3c2a1  main  live     03:01:40Z  ◆ error rate 1m20s af…
 aa00bb1  main  error ✖  02:04:52Z  Command "npm run buil…
 5be0d17  main  ready    20 Nov     last good, 1d1h · Ind…
 77aa019  main  ready    18 Nov     Upgrade the encoder t…"""
    )


async def test_at_80(project: Project) -> None:
    await story(project)
    assert drawn(await project.readings(SUSPECTED), 78) == (
        """\
[live 9f3c2a1 main, 10m32s · vercel]
 live 9f3c2a1 for 10m32s   failed 24h 1   success 75 %
 commit         state    at
 9f3c2a1  main  live     03:01:40Z  ◆ error rate 1m20s after
 aa00bb1  main  error ✖  02:04:52Z  Command "npm run build" exited with 1
 5be0d17  main  ready    20 Nov     last good, 1d1h · Index orders by customer
 77aa019  main  ready    18 Nov     Upgrade the encoder to 7.1"""
    )


async def test_with_more_room_who_and_how_long(project: Project) -> None:
    await story(project)
    assert drawn(await project.readings(), 98).splitlines()[2:4] == [
        " commit         state    at                                               by              built in",
        " 9f3c2a1  main  live     03:01:40Z  Reserve stock at checkout             Ines Vidal           38s",
    ]


async def test_rolled_back(project: Project) -> None:
    await story(project)
    project.server.rolled_back("dpl_9f3c2a1", "dpl_5be0d17", 100)
    assert drawn(await project.readings(), 78) == (
        """\
[live 5be0d17 main, 1m40s · vercel]
 live 5be0d17 for 1m40s   failed 24h 1   success 75 %
 rolled back: new deployments wait until one is promoted
 commit         state    at
 9f3c2a1  main  ready    03:01:40Z  rolled back
 aa00bb1  main  error ✖  02:04:52Z  Command "npm run build" exited with 1
 5be0d17  main  live     03:10:32Z  Index orders by customer
 77aa019  main  ready    18 Nov     last good, 1d5h · Upgrade the encoder to …"""
    )


async def test_what_followed_a_rollback_stands_at_what_serves_since(project: Project) -> None:
    await story(project)
    project.server.rolled_back("dpl_9f3c2a1", "dpl_5be0d17", 100)
    key = f"rollback:dpl_5be0d17@{NOW - 100:.0f}"
    assert "5be0d17  main  live     03:10:32Z  ◆ error rate 9s after" in drawn(
        await project.readings({key: "error rate 9s after"}), 78
    )


async def test_being_built(project: Project) -> None:
    building = {"state": "BUILDING", "readyState": "BUILDING", "aliasAssigned": False}
    project.server.deployments = [deployed("fffffff", 5, "Fix it", **building), deployed("9f3c2a1", 632)]
    project.server.serve("dpl_9f3c2a1")
    assert drawn(await project.readings(), 78) == (
        """\
[live 9f3c2a1 main, 10m32s, 1 building · vercel]
 live 9f3c2a1 for 10m32s   failed 24h 0   success 100 %   building 1
 commit         state     at
 fffffff  main  building  03:11:27Z  Fix it
 9f3c2a1  main  live      03:01:40Z  Add a thing"""
    )


async def test_what_failed_days_ago_is_no_alarm(project: Project) -> None:
    await story(project)
    project.server.deployments += [failed("cc00cc1", 3 * 86400)]
    layout = view(await project.readings(), History(), Room(78, 18, NOW))
    states = {str(row.cells[0].text): (row.cells[2].text, row.cells[2].status, row.status) for row in layout.rows}
    assert states["aa00bb1"] == ("error", Status.FAILING, Status.FAILING)
    assert states["cc00cc1"] == ("error", None, Status.OK)


async def test_it_is_not_known_what_serves(project: Project) -> None:
    await story(project)
    project.server.instead["/v9"] = Answer(500)
    lines = drawn(await project.readings(), 78).splitlines()
    assert lines[0] == "[which one serves is not known · vercel]"
    assert lines[1].startswith(" live not known")
    assert not any("last good" in line or "  live  " in line for line in lines[2:])


async def test_nothing_deployed(project: Project) -> None:
    project.server.project = {"targets": {}}
    assert "nothing was ever deployed" in drawn(await project.readings(), 58)


async def test_no_answer_yet(project: Project) -> None:
    assert drawn(Readings("deploys", project.config, {}), 58) == " no answer yet"


async def test_equal_answers_draw_equal_pictures(project: Project) -> None:
    await story(project)
    first, second = await project.readings(), await project.readings()
    assert drawn(first, 78) == drawn(second, 78)
