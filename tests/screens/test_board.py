"""The board by its keys: what a person sees and where the cursor stands."""

from __future__ import annotations

import re

import pytest
from msgspec.structs import replace
from textual.geometry import Region

from tests import story
from tests.screens.conftest import Open, Stage
from tui.engine.ask import PollNow
from tui.engine.feed import Snapshot
from tui.engine.reading import Row, Status
from tui.engine.text import Shown


def with_rows(snapshot: Snapshot, place: int, rows: tuple[Row, ...]) -> Snapshot:
    """The snapshot with other rows in one panel."""
    panel = snapshot.panels[place]
    probe = panel.probes[0]
    assert probe.good is not None
    reading = replace(probe.good, rows=rows)
    panel = replace(panel, probes=(replace(probe, reading=reading, good=reading),))
    return replace(
        snapshot, number=snapshot.number + 1, panels=(*snapshot.panels[:place], panel, *snapshot.panels[place + 1 :])
    )


async def test_a_glance_says_how_bad_where_and_since_when(opened: Open) -> None:
    async with opened() as stage:
        assert stage.lines[0].split() == [
            "shop",
            *["·", "PRODUCTION", "✖", "2", "failing", "●", "3", "ok", "acked", "by", "kim", "armed", "03:12:12Z"],
        ]
        assert stage.lines[1].startswith(" P0 ✖ error rate 6.2 % > 5 %  metrics  9m12s       not acked · backup due in 3m")
        assert stage.lines[2].startswith(" 1 health ●   2 metrics ✖   3 database ✖   4 jobs ●   5 deploys ●◆   6 alerts 2")


async def test_a_good_night_has_an_empty_second_line(opened: Open) -> None:
    async with opened(night=story.Night(broken=False)) as stage:
        assert "● 5 ok" in stage.lines[0]
        assert stage.lines[1].strip() == ""


@pytest.mark.parametrize(("size", "panels"), [((80, 24), 1), ((120, 36), 6), ((200, 50), 6)])
async def test_it_shows_as_many_panels_as_there_is_room_for(opened: Open, size: tuple[int, int], panels: int) -> None:
    async with opened(size=size) as stage:
        rules = sum(f"{number} {card.kind} " in "\n".join(stage.lines[3:] if size[0] == 80 else stage.lines[2:])
                    for number, (card, _) in enumerate(story.PANELS, 1))  # fmt: skip
        assert rules == panels


async def test_a_terminal_too_small_says_so_and_comes_back(opened: Open) -> None:
    async with opened(size=(40, 10)) as stage:
        assert "too small" in stage.text
        await stage.pilot.resize_terminal(80, 24)
        await stage.pilot.pause()
        assert "1 health" in stage.text and "too small" not in stage.text


async def test_numbers_tab_and_arrows_go_to_panels(opened: Open) -> None:
    async with opened(size=(120, 36)) as stage:
        for keys, panel in (("3", "database"), ("h", "deploys"), ("l", "database"), ("tab", "jobs"), ("shift+tab", "database")):
            await stage.press(keys)
            focused = stage.board.focused_panel
            assert focused is not None and focused.panel == panel, keys


async def test_the_cursor_stays_on_its_row_whatever_moves(opened: Open) -> None:
    async with opened() as stage:
        await stage.press("2", "j", "j")
        panel = stage.board.focused_panel
        assert panel is not None and panel.selected == "GET  /api/orders"
        base = story.snapshot()
        reading = base.panels[1].probes[0].good
        assert reading is not None
        rows = tuple(replace(row, status=Status.FAILING if "search" in row.key else row.status) for row in reading.rows[::-1])
        await stage.publish(with_rows(base, 1, rows))
        assert panel.selected == "GET  /api/orders"
        assert next(line for line in stage.lines if line.startswith("▸")).startswith("▸GET  /api/orders")


async def test_a_row_that_goes_takes_the_cursor_with_it(opened: Open) -> None:
    async with opened() as stage:
        await stage.press("3", "j")
        panel = stage.board.focused_panel
        assert panel is not None and panel.selected == "8140@1"
        base = story.snapshot()
        reading = base.panels[2].probes[0].good
        assert reading is not None
        await stage.publish(with_rows(base, 2, tuple(row for row in reading.rows if row.key != "8140@1")))
        assert panel.selected is None
        await stage.press("X")
        assert "select a row first" in stage.text and not stage.engine.executed


async def test_figures_that_move_do_not_move_rows(opened: Open) -> None:
    async with opened() as stage:
        await stage.press("2")
        before = [row.key for row in stage.board.panels[1].rows]
        base = story.snapshot()
        reading = base.panels[1].probes[0].good
        assert reading is not None
        await stage.publish(with_rows(base, 1, reading.rows[::-1]))
        assert [row.key for row in stage.board.panels[1].rows] == before


async def test_typing_filters_and_letters_are_no_keys_then(opened: Open) -> None:
    async with opened() as stage:
        await stage.press("2", "slash", *"cart")
        assert "/cart▏ 2 matches" in stage.text
        await stage.press("enter")
        assert [row.key for row in stage.board.panels[1].rows] == ["GET  /api/cart", "POST /api/cart"]
        await stage.press("escape")
        assert len(stage.board.panels[1].rows) == len(story.ROUTES)


async def test_sort_goes_through_the_columns_and_back(opened: Open) -> None:
    async with opened() as stage:
        await stage.press("2", "s", "s")
        assert "sorted by rate" in stage.text
        assert stage.board.panels[1].rows[0].key == "GET  /api/orders"
        await stage.press("s", "s", "s")
        assert stage.board.panels[1].rows[0].key == "POST /api/checkout"


async def test_alerts_without_a_source_of_their_own_move_with_everybodys_polls(opened: Open) -> None:
    def asking_nobody(snapshot: Snapshot) -> Snapshot:
        return replace(snapshot, panels=(*snapshot.panels[:5], replace(snapshot.panels[5], probes=())))

    async with opened(first=asking_nobody(story.snapshot())) as stage:
        await stage.press("6")
        assert "9m12s" in stage.lines[5] and "2 firing" in stage.lines[3]
        await stage.publish(asking_nobody(story.snapshot(story.NOW + 5, number=2)))
        assert "9m17s" in stage.lines[5]


async def test_freezing_holds_the_panels_and_not_the_alert(opened: Open) -> None:
    async with opened() as stage:
        await stage.press("2", "space")
        assert "FROZEN 03:12:12Z" in stage.lines[0]
        before = stage.lines[3:-1]
        well = story.snapshot(story.NOW + 60, story.Night(broken=False))
        await stage.publish(well)
        assert stage.lines[3:-1] == before and stage.lines[1].strip() == ""
        await stage.press("space")
        assert "FROZEN" not in stage.text and stage.lines[3:] != before


async def test_enter_opens_a_row_and_a_figure(opened: Open) -> None:
    async with opened() as stage:
        await stage.press("3", "enter")
        assert "shop_app" in stage.text and "statement" in stage.text and "T  terminate" in stage.text
        assert stage.lines[1].startswith(" P0 ✖ error rate")
        await stage.press("escape", "2", "k", "k", "k", "k", "enter")
        assert "share of requests answered with a 5xx" in stage.text and "limit 5 %" in stage.text and "suspect" in stage.text


async def test_a_failed_poll_keeps_the_figures_under_what_failed(opened: Open) -> None:
    base = story.snapshot()
    bad = story.failed(base.panels[2], "connect", "connection refused by 127.0.0.1:5432", "is it running?")
    async with opened(first=replace(base, panels=(*base.panels[:2], bad, *base.panels[3:]))) as stage:
        await stage.press("3")
        assert stage.lines[4] == " ✖ connect: connection refused by 127.0.0.1:5432"
        assert stage.lines[5].strip() == "try: is it running?"
        assert "52 / 60" in stage.text


async def test_old_figures_look_old(opened: Open) -> None:
    async with opened() as stage:
        await stage.press("2")
        assert "03:12:09Z" in stage.lines[3]
        stage.clock.move(9)
        stage.app._tick()
        await stage.pilot.pause()
        assert "late 10s" in stage.lines[3]
        stage.clock.move(10)
        stage.app._tick()
        await stage.pilot.pause()
        assert "stale 20s" in stage.lines[3]
        roles = {piece.role for line in stage.board.panels[1].lines[1:] for piece in line.pieces if piece.text.strip()}
        assert roles <= {"dim", "faint", "focus"}


@pytest.mark.parametrize("wakes_by", ["its own clock", "news from before"])
async def test_whoever_draws_late_says_the_same_on_every_line(opened: Open, wakes_by: str) -> None:
    """The screen, or the machine, stood still: what is past its freshness by now was judged well before it."""
    first = story.snapshot(night=story.Night(broken=False))
    async with opened(first=first) as stage:
        assert "● 5 ok" in stage.lines[0] and "1 health ●" in stage.lines[2]
        stage.clock.move(20)
        if wakes_by == "its own clock":
            stage.app._tick()
            await stage.pilot.pause()
        else:
            await stage.publish(replace(first, number=2))
        assert "? 5 unknown  ● 1 ok" in stage.lines[0], "deployments, asked each 30s, are fresh still"
        assert "1 health ?" in stage.lines[2] and "5 deploys ●" in stage.lines[2]
        assert stage.lines[3].startswith("─ 1 health ? unknown ") and "stale 20s" in stage.lines[3]


async def test_a_view_that_breaks_costs_its_panel_alone(opened: Open) -> None:
    base = story.snapshot()
    card = base.panels[0].card
    assert card is not None
    broken = replace(base.panels[0], card=replace(card, view="tests.story:no_such_view"))
    async with opened(size=(120, 36), first=replace(base, panels=(broken, *base.panels[1:]))) as stage:
        assert "this panel cannot be drawn: AttributeError" in stage.text and "POST /api/checkout" in stage.text


async def test_a_panel_that_could_not_be_loaded_says_why(opened: Open) -> None:
    base = story.snapshot()
    gone = replace(base.panels[0], card=None, broken=Shown("theirs could not be loaded: ImportError"), probes=(), offers=())
    async with opened(first=replace(base, panels=(gone, *base.panels[1:]))) as stage:
        await stage.press("1")
        assert "theirs could not be loaded: ImportError" in stage.text


async def test_identical_snapshots_refresh_nothing(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    async with opened(size=(200, 50)) as stage:
        refreshed = count_refreshes(stage, monkeypatch)
        for number in range(5):
            await stage.publish(replace(story.snapshot(), number=number))
        assert refreshed == []


async def test_one_figure_refreshes_its_cells_alone(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    async with opened() as stage:
        await stage.press("2")
        refreshed = count_refreshes(stage, monkeypatch)
        base = story.snapshot()
        reading = base.panels[1].probes[0].good
        assert reading is not None
        rows = tuple(
            replace(row, cells={**row.cells, "p95": 0.2104}) if "GET  /api/orders" in row.key else row for row in reading.rows
        )
        rows = tuple(replace(row, cells={**row.cells, "p95": 0.199}) if "products" in row.key else row for row in rows)
        await stage.publish(with_rows(base, 1, rows))
        assert len(refreshed) == 1 and refreshed[0][0].width <= 3


def count_refreshes(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> list[tuple[Region, ...]]:
    """Notes every refresh of a canvas from here on."""
    from tui.widgets.canvas import Canvas

    seen: list[tuple[Region, ...]] = []
    real = Canvas.refresh

    def refresh(self: Canvas, *regions: Region, **options: bool) -> Canvas:
        seen.append(regions)
        return real(self, *regions, **options)

    monkeypatch.setattr(Canvas, "refresh", refresh)
    return seen


async def test_polling_now_asks_for_this_panel(opened: Open) -> None:
    async with opened() as stage:
        await stage.press("3", "r")
        assert PollNow("database") in stage.engine.asked


async def test_line_two_names_the_worst_even_while_it_is_pending(opened: Open) -> None:
    base = story.snapshot()
    pending = replace(base.alerts[0], state="pending", fired_at=None)
    minor = replace(base.alerts[0], fingerprint="c", rule="slow", severity="P2")
    async with opened(first=replace(base, alerts=(minor, pending))) as stage:
        assert stage.lines[1].startswith(" P0 ✖ error rate")


async def test_an_opened_row_moves_on_with_the_polls_and_says_when_it_is_gone(opened: Open) -> None:
    async with opened() as stage:
        await stage.press("2", "enter")
        assert "status           ✖ failing" in stage.text and "POST /api/checkout" in stage.lines[2]
        well = story.snapshot(night=story.Night(broken=False))
        await stage.publish(well)
        assert "status           ● ok" in stage.text
        reading = well.panels[1].probes[0].good
        assert reading is not None
        await stage.publish(with_rows(well, 1, tuple(row for row in reading.rows if "checkout" not in row.key)))
        assert "no longer listed: this is the last that was known of it" in stage.text
        await stage.publish(story.snapshot())
        assert "status           ✖ failing" in stage.text


async def test_an_opened_row_shows_the_signals_that_carry_its_name_with_their_past(opened: Open) -> None:
    async with opened() as stage:
        await stage.press("2", "enter")
        assert re.search(r"route errors +41.2 % +[▁▂▃▄▅▆▇█◆ ]{16,}", stage.text)


async def test_a_figure_that_nobody_measured_is_unknown(opened: Open) -> None:
    base = story.snapshot()
    async with opened(first=base) as stage:
        await stage.press("2", "k", "k", "enter")
        assert "● ok" in stage.text
        probe = base.panels[1].probes[0]
        assert probe.good is not None
        unmeasured = replace(probe, good=replace(probe.good, signals=()))
        await stage.publish(
            replace(base, panels=(base.panels[0], replace(base.panels[1], probes=(unmeasured,)), *base.panels[2:]))
        )
        assert "–  ? unknown" in stage.text and "● ok" not in stage.lines[3]


async def test_an_opened_row_says_what_is_wrong_with_it_before_all_else(opened: Open) -> None:
    base = story.snapshot()
    route = base.panels[1].probes[0].good.rows[0].key if base.panels[1].probes[0].good else ""
    slow = replace(base.alerts[0], fingerprint="r", rule="slow route", labels=(("route", route),), signal="route_p95")
    async with opened(first=replace(base, alerts=(*base.alerts, slow))) as stage:
        await stage.press("2", "enter")
        places = [stage.text.index(word) for word in ("✖ failing", "P0 ✖ slow route", "since 03:03:00Z", "measured")]
        assert places == sorted(places)


async def test_an_opened_row_says_why_it_is_asked_less_often(opened: Open) -> None:
    base = story.snapshot()
    panel = base.panels[1]
    probe = replace(panel.probes[0], interval=30.0, slowed=Shown("it refuses us: asked each 30s"))
    async with opened(first=replace(base, panels=(base.panels[0], replace(panel, probes=(probe,)), *base.panels[2:]))) as stage:
        assert "asked each 30s" in stage.lines[3]
        await stage.press("enter")
        assert "slowed           it refuses us: asked each 30s" in stage.text
