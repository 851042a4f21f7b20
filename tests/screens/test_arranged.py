"""Which panel has the keys, and what is shown where there is no room."""

from __future__ import annotations

from msgspec.structs import replace

from tests import story
from tests.screens.conftest import Open
from tui.engine.ask import Execute
from tui.screens.arranged import worst_panel

WELL = story.snapshot(night=story.Night(broken=False))


async def test_until_somebody_takes_the_keys_they_are_with_what_is_worst(opened: Open) -> None:
    async with opened(first=WELL) as stage:
        assert stage.board.focused_name == "health"
        await stage.publish(story.snapshot(number=2))
        assert stage.board.focused_name == "metrics" and "POST /api/checkout" in stage.text
        await stage.publish(replace(WELL, number=3))
        assert stage.board.focused_name == "metrics"  # nothing is worse anywhere: nothing moves
        await stage.press("4")
        await stage.publish(story.snapshot(number=4))
        assert stage.board.focused_name == "jobs"
        await stage.press("escape")
        assert stage.board.focused_name == "metrics"


async def test_it_stays_where_something_no_less_bad_is(opened: Open) -> None:
    async with opened() as stage:
        first, *others = stage.app.snapshot.alerts
        assert stage.board.focused_name == first.panel == "metrics"
        elsewhere = replace(first, panel="database", fingerprint="b", since=first.since - 60)
        await stage.publish(replace(story.snapshot(number=2), alerts=(elsewhere, first, *others), folds=()))
        assert stage.board.focused_name == "metrics"


def test_nothing_moves_where_the_worst_is_here_already() -> None:
    shot = story.snapshot()
    assert worst_panel(shot, "health") == "metrics" and worst_panel(shot, "metrics") is None
    pending = replace(shot, alerts=(replace(shot.alerts[0], state="pending"),), folds=())
    assert worst_panel(pending, "metrics") is None and worst_panel(pending, "health") == "metrics"
    assert worst_panel(replace(shot, alerts=(), folds=()), "health") is None


async def test_one_panel_has_no_zoom(opened: Open) -> None:
    async with opened(size=(80, 24)) as stage:
        assert "z zoom" not in stage.lines[-1]
        await stage.press("z")
        assert "one panel is all there is room for" in stage.text
        await stage.pilot.resize_terminal(120, 36)
        await stage.pilot.pause()
        assert "z zoom" in stage.lines[-1] and "1 health" in stage.text and "5 deploys" in stage.text


async def test_a_number_leads_to_its_panel_from_a_page_too(opened: Open) -> None:
    async with opened() as stage:
        await stage.press("2", "enter", "3")
        assert stage.app.screen is stage.board and stage.board.focused_name == "database"


async def test_nothing_is_confirmed_that_is_not_on_screen(opened: Open) -> None:
    async with opened() as stage:
        await stage.press("3", "T")
        await stage.pilot.resize_terminal(40, 8)
        await stage.pilot.pause()
        assert "40x8 is too small" in stage.text and "Type" not in stage.text
        await stage.stand()
        await stage.press(*"8121", "enter")
        assert not [each for each in stage.engine.asked if isinstance(each, Execute)]
        await stage.pilot.resize_terminal(80, 24)
        await stage.pilot.pause()
        await stage.press(*"8121", "enter")
        assert [each for each in stage.engine.asked if isinstance(each, Execute)]
