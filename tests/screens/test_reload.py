"""The config is read again while the board stands: panels come, go and change places."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tests import story
from tests.screens.conftest import Open

SIZES = ((80, 24), (120, 36), (200, 50))


@pytest.mark.parametrize("size", SIZES)
async def test_a_panel_that_goes_is_gone_and_the_others_stay_as_they_were(opened: Open, size: tuple[int, int]) -> None:
    base = story.snapshot()
    async with opened(size=size) as stage:
        await stage.press("3", "j", "m")
        await stage.publish(replace(base, number=2, panels=base.panels[1:]))
        assert [panel.panel for panel in stage.board.panels] == ["metrics", "database", "jobs", "deploys", "alerts"]
        panel = stage.board.focused_panel
        assert panel is not None and panel.panel == "database" and panel.marked == ("8140@1",)
        assert "2 database ✖ failing" in stage.text and "1 health" not in stage.text


@pytest.mark.parametrize("size", SIZES)
async def test_a_panel_that_comes_is_shown(opened: Open, size: tuple[int, int]) -> None:
    base = story.snapshot()
    async with opened(size=size, first=replace(base, panels=base.panels[:2])) as stage:
        await stage.press("2")
        await stage.publish(replace(base, number=2))
        await stage.press("3")
        assert "3 database ✖ failing" in stage.text and "8121" in stage.text
        assert len(stage.board.panels) == 6


async def test_the_panel_that_has_the_keys_may_go(opened: Open) -> None:
    base = story.snapshot()
    async with opened() as stage:
        await stage.press("6")
        await stage.publish(replace(base, number=2, panels=base.panels[:2]))
        assert "1 health" in stage.text
        await stage.press("2", "j")
        assert "2 metrics" in stage.text


async def test_panels_may_change_places(opened: Open) -> None:
    base = story.snapshot()
    async with opened(size=(120, 36)) as stage:
        await stage.press("2", "j", "j")
        await stage.publish(replace(base, number=2, panels=base.panels[::-1]))
        panel = stage.board.focused_panel
        assert panel is not None and (panel.panel, panel.number) == ("metrics", 5) and panel.selected == "GET  /api/orders"
        assert "1 alerts" in stage.text and "6 health" in stage.text


async def test_no_panel_at_all_is_no_crash(opened: Open) -> None:
    base = story.snapshot()
    async with opened() as stage:
        await stage.publish(replace(base, number=2, panels=()))
        await stage.press("1", "j", "enter", "a")
        await stage.publish(replace(base, number=3))
        await stage.press("1")
        assert "1 health" in stage.text


async def test_while_a_detail_stands_over_it(opened: Open) -> None:
    base = story.snapshot()
    async with opened() as stage:
        await stage.press("6", "enter")
        await stage.publish(replace(base, number=2, panels=base.panels[:3]))
        assert "error rate" in stage.text
        await stage.press("escape")
        assert "1 health" in stage.text and len(stage.board.panels) == 3
