"""Before it acts: what counts as a person's word, what does not, and what is said afterwards."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any
from unittest.mock import patch

import pytest
from msgspec.structs import replace
from textual.events import Paste

from tests import story
from tests.screens.conftest import Open, Stage
from tui.engine.actions import Item, Outcome, Plan, Proof, Result
from tui.engine.ask import MakePlan
from tui.engine.feed import Deed
from tui.engine.text import EMPTY, Shown
from tui.screens import confirm, settling
from tui.screens.plan import plan_lines, progress, summary
from tui.screens.settling import LATE, once_settled
from tui.screens.word import SETTLES


async def to_terminate(stage: Stage) -> None:
    """The plan to terminate session 8121 stands."""
    await stage.press("3", "T")
    await stage.stand()


@contextmanager
def hearing(module: ModuleType, does: Callable[[], object]) -> Iterator[None]:
    """What happens in the very moment in which a `y` begins to settle, as the module has it done."""

    def settles(*waits: Any) -> None:
        once_settled(*waits)
        does()

    with patch.object(module, "once_settled", settles):
        yield


async def test_what_destroys_is_typed(opened: Open) -> None:
    async with opened() as stage:
        await to_terminate(stage)
        assert "PRODUCTION · armed" in stage.text and "rolled back" in stage.text
        assert stage.lines[1].startswith(" P0 ✖ error rate")
        await stage.press(*"8121")
        assert not stage.engine.executed
        await stage.press("enter")
        assert [each.typed for each in stage.engine.executed] == ["8121"]
        assert "done: pg_terminate_backend said true" in stage.text and "verified: nobody waits for it" in stage.text


async def test_what_is_typed_wrong_does_nothing(opened: Open) -> None:
    async with opened() as stage:
        await to_terminate(stage)
        await stage.press(*"8140", "enter")
        assert not stage.engine.executed and "that is not 8121" in stage.text


async def test_what_changes_takes_a_y_and_no_enter(opened: Open) -> None:
    async with opened() as stage:
        await stage.press("3", "j", "X")
        await stage.stand()
        await stage.press("enter", "Y", "space")
        assert not stage.engine.executed
        await stage.press("y")
        await stage.settle()
        assert [each.yes for each in stage.engine.executed] == [True]


async def test_alone_what_changes_is_typed_too(opened: Open) -> None:
    async with opened() as stage:
        says = Shown("alone: others cannot see this (the team's journal: it is shutting down)")
        for name, plan in stage.engine.plans.items():
            stage.engine.plans[name] = replace(plan, alone=says, facts=((Shown("alone"), says), *plan.facts), confirm="8140")
        await stage.press("3", "j", "X")
        await stage.stand()
        assert "others cannot see this" in stage.text and "Type 8140 and press enter" in stage.text
        await stage.press("y")
        await stage.settle()
        assert not stage.engine.executed
        await stage.press("backspace", *"8140", "enter")
        assert [each.typed for each in stage.engine.executed] == ["8140"]


async def test_keys_before_the_plan_has_stood_are_dropped(opened: Open) -> None:
    async with opened() as stage:
        await stage.press("3", "j", "X", "y")
        await stage.settle()
        assert not stage.engine.executed


async def test_a_y_that_others_follow_is_no_y(opened: Open) -> None:
    async with opened() as stage:
        await stage.press("3", "j", "X")
        await stage.stand()
        stage.clock.move(0.2)
        stage.arrives("y")
        stage.arrives("e")
        await stage.settle()
        assert not stage.engine.executed


async def test_a_y_counts_behind_what_came_with_it_and_was_not_looked_at_yet(opened: Open) -> None:
    """The screen was drawn meanwhile, say."""
    async with opened() as stage:
        await stage.press("3", "j", "X")
        await stage.stand()

        def is_busy() -> None:
            stage.arrives("e")
            time.sleep(SETTLES)

        with hearing(confirm, lambda: asyncio.get_running_loop().call_later(SETTLES / 2, is_busy)):
            await stage.press("y")
            await stage.settle()
        assert not stage.engine.executed


async def test_a_y_settles_only_while_keys_could_be_heard(opened: Open) -> None:
    """The whole program stood still behind the `y`: what was typed meanwhile is read a moment later."""
    async with opened() as stage:
        await stage.press("3", "j", "X")
        await stage.stand()
        with hearing(confirm, lambda: time.sleep(LATE * 1.5)):
            with hearing(settling, lambda: stage.arrives("e")):
                await stage.press("y")
                await stage.settle()
            assert not stage.engine.executed
            await stage.press("y")
            await stage.settle()
        assert [each.yes for each in stage.engine.executed] == [True]


async def test_keys_faster_than_fingers_and_held_keys_are_dropped(opened: Open) -> None:
    async with opened() as stage:
        await to_terminate(stage)
        stage.clock.move(0.2)
        await stage.pilot.press(*"8121", "enter")  # all at the same moment: a paste in a terminal that does not mark it
        assert not stage.engine.executed
        await stage.press("enter")
        stage.clock.move(1)
        for _ in range(4):
            stage.clock.move(0.05)
            await stage.pilot.press("8")
        assert "press enter: 8▏" in stage.text


async def test_a_paste_does_not_count(opened: Open) -> None:
    async with opened() as stage:
        await to_terminate(stage)
        stage.app.screen.post_message(Paste("8121"))
        await stage.pilot.pause()
        assert "a paste does not count" in stage.text
        await stage.press("enter")
        assert not stage.engine.executed


async def test_the_plan_stays_bound_to_its_keys(opened: Open) -> None:
    async with opened() as stage:
        await to_terminate(stage)
        plan = stage.of("body")
        await stage.publish(story.snapshot(story.NOW + 5, story.Night(broken=False)))
        assert stage.of("body") == plan and stage.lines[1].strip() == ""
        await stage.press(*"8121", "enter")
        assert stage.engine.asked[0] == MakePlan("database.terminate", ("8121@1",))
        assert [each.plan for each in stage.engine.executed] == [story.PLANS["database.terminate"]]


async def test_news_at_the_end_find_a_screen_half_taken_apart(opened: Open) -> None:
    async with opened() as stage:
        await to_terminate(stage)
        await stage.app.screen.query("#head").remove()  # as the app does on its way out
        await stage.publish(story.snapshot(story.NOW + 5, number=2))
        stage.app._tick()
        await stage.pilot.pause()
        assert stage.app.is_running


async def test_escape_leaves_all_as_it_is(opened: Open) -> None:
    async with opened() as stage:
        await to_terminate(stage)
        await stage.press("8", "1", "escape", "2", "1", "enter")
        assert not stage.engine.executed


async def test_tab_shows_the_exact_request(opened: Open) -> None:
    async with opened() as stage:
        await to_terminate(stage)
        await stage.press("tab")
        assert "pg_terminate_backend(pid)" in stage.text and "Type 8121" in stage.text
        assert "tab the plan in words" in stage.text
        await stage.press("tab")
        assert "rolled back" in stage.text


async def test_a_hint_is_shown_and_copied_and_never_run(opened: Open) -> None:
    async with opened() as stage:
        await stage.press("5", "B")
        await stage.stand()
        assert "vercel rollback 5be0d17 --scope shop" in stage.text
        await stage.press("y")
        assert stage.app.clipboard == "vercel rollback 5be0d17 --scope shop"
        assert "sent to the terminal's clipboard" in stage.text and "copied" not in stage.text
        assert not stage.engine.executed


async def test_a_refused_plan_says_why(opened: Open) -> None:
    async with opened() as stage:
        stage.engine.plans.clear()
        await to_terminate(stage)
        assert "there is nothing to do" in stage.text and "Nothing was done." in stage.text
        await stage.press("y", "enter")
        assert not stage.engine.executed


async def test_a_greyed_key_says_why(opened: Open) -> None:
    base = story.snapshot()
    offers = tuple(replace(each, refused=Shown('not allowed: the config needs  [actions] allow = ["database.terminate"]'))
                   for each in base.panels[2].offers)  # fmt: skip
    panels = (*base.panels[:2], replace(base.panels[2], offers=offers), *base.panels[3:])
    async with opened(first=replace(base, panels=panels)) as stage:
        await stage.press("3", "T")
        assert "terminate: not allowed: the config needs" in stage.text and not stage.engine.asked


async def test_a_row_that_does_not_offer_it_says_why(opened: Open) -> None:
    async with opened() as stage:
        await stage.press("3", "X")
        assert "cancel: ends nothing: it is idle" in stage.text and not stage.engine.asked


async def test_several_marked_rows_need_an_action_for_several(opened: Open) -> None:
    async with opened() as stage:
        await stage.press("3", "m", "j", "m", "T")
        assert "acts on one row at a time" in stage.text and not stage.engine.asked


async def test_quitting_asks_while_a_deed_is_under_way(opened: Open) -> None:
    plan = story.PLANS["database.terminate"]
    under_way = replace(story.snapshot(), deeds=(Deed("d", plan, story.NOW),))
    async with opened(first=under_way) as stage:
        await stage.press("q")
        assert "under way: ends session 8121. q again leaves" in stage.text and stage.app.return_code is None
        await stage.press("q")
        assert stage.app.return_code == 0


@pytest.mark.parametrize(
    ("result", "proof", "says"),
    [
        (Result.DONE, Proof(True, Shown("gone")), "terminate 1 session: done, verified: gone"),
        (Result.DONE, Proof(False, Shown("still there")), "terminate 1 session: done, NOT verified: still there"),
        (Result.CHANGED, None, "terminate 1 session: no longer as planned: it moved"),
        (Result.UNKNOWN, None, "terminate 1 session: outcome unknown: it moved"),
        (Result.REFUSED, None, "terminate 1 session: refused: it moved"),
    ],
)
def test_an_outcome_in_a_line(result: Result, proof: Proof | None, says: str) -> None:
    proofs = (("8121@1", proof),) if proof else ()
    deed = Deed("d", story.PLANS["database.terminate"], 0.0, (("8121@1", Outcome(result, Shown("it moved"))),), proofs, 1.0)
    assert summary(deed) == says


def many(number: int) -> Plan:
    """A plan to give that many jobs back."""
    facts = ((Shown("status"), Shown("running")), (Shown("attempts"), Shown("1")))
    return replace(
        story.PLANS["database.terminate"],
        title=Shown(f"unlock {number} jobs"),
        what=Shown(f"gives {number} jobs back to the queue"),
        items=tuple(Item(f"{at}", Shown(f"RENDER {at}"), facts) for at in range(number)),
        facts=((Shown("acts if"), Shown("stuck")),),
    )


def test_a_plan_for_many_says_what_could_go_wrong_before_it_lists_each() -> None:
    lines = [line.text.rstrip() for line in plan_lines(many(34), 80)]
    assert lines[:4] == [
        " what      gives 34 jobs back to the queue",
        " to        RENDER 0, RENDER 1, RENDER 2, RENDER 3, RENDER 4, RENDER 5 and 28",
        "           more, each as it is now below",
        " acts if   stuck",
    ]
    assert lines[4:8] == ["", " RENDER 0", " status    running", " attempts  1"]
    assert lines[-3] == " RENDER 33"
    assert plan_lines(many(2), 80)[1].text.rstrip() == " to        RENDER 0, RENDER 1"


def deed_of(number: int, results: dict[str, Result], proofs: dict[str, bool | None], ended: float | None = 1.0) -> Deed:
    outcomes = tuple(
        (key, Outcome(result, Shown("rights") if result is Result.FAILED else EMPTY)) for key, result in results.items()
    )
    return Deed("d", many(number), 0.0, outcomes, tuple((key, Proof(each)) for key, each in proofs.items()), ended)


def told(deed: Deed) -> list[str]:
    return [line.text.strip() for line in progress(deed.plan, deed, deed.ended is not None, 80)]


def test_of_many_it_is_said_how_many_went_how_and_which_did_not_go_well() -> None:
    done = {str(at): Result.DONE for at in range(9)}
    assert told(deed_of(9, done, dict.fromkeys(done, True))) == ["9 of 9 done · 9 verified"]
    under_way = deed_of(9, {"0": Result.DONE, "1": Result.DONE}, {"0": True}, None)
    assert told(under_way) == ["2 of 9 done, 7 to go · 1 verified, 1 being looked at"]
    ill = deed_of(9, {**done, "3": Result.FAILED}, {**dict.fromkeys(done, True), "5": False})
    assert told(ill)[1:] == ["RENDER 3: failed: rights", "RENDER 5: done", "NOT verified"]
    stopped = deed_of(9, {"0": Result.DONE}, {"0": None})
    assert told(stopped)[0] == "1 of 9 done, 8 not begun · 1 of which it could not be told"
    assert summary(stopped) == f"unlock 9 jobs: {told(stopped)[0]}"


def test_however_many_went_wrong_how_it_went_is_on_screen() -> None:
    lines = told(deed_of(34, {str(at): Result.FAILED for at in range(34)}, {}))
    assert lines[:3] == ["0 of 34 done, 34 failed", "34 did not go well, the first of them:", "RENDER 0: failed: rights"]
    assert len(lines) < 10


def test_a_hints_command_stands_before_what_else_there_is_to_know() -> None:
    hint = story.PLANS["deploys.rollback"]
    facts = tuple((Shown("undone"), Shown(f"fact {at}")) for at in range(20))
    lines = [line.text.rstrip() for line in plan_lines(replace(hint, facts=facts), 80)]
    assert lines[1] == " command   vercel rollback 5be0d17 --scope shop"
