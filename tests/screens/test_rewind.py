"""Looking back: what is shown then, what stays live, and that nothing can be done."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

import pytest
from msgspec.structs import replace

from tests import story
from tests.recorded import Recorded
from tests.screens.conftest import Open, Stage
from tests.waiting import soon
from tui.engine.ask import Rewind, Unacknowledge
from tui.engine.feed import Snapshot
from tui.engine.rewind import rewound
from tui.engine.text import Shown
from tui.widgets.glyphs import ASCII, UNICODE
from tui.widgets.rewound import rewound_lines, scrub_bar


async def back_before_the_deploy(stage: Stage) -> None:
    """Three marks back, and a poll."""
    await stage.press("left_curly_bracket", "left_curly_bracket", "left_curly_bracket", "left_square_bracket")


async def test_lines_three_and_four_say_where_one_is(opened: Open) -> None:
    async with opened() as stage:
        await stage.press("2", "left_square_bracket")
        assert stage.lines[2].startswith(" ◀◀ 03:12:08Z   4s ago · not live · actions off")
        assert stage.lines[2].endswith("esc: live")
        assert stage.lines[3].startswith(" 02:12 ───") and stage.lines[3].endswith(" now") and "┃" in stage.lines[3]
        assert stage.lines[4].startswith(" 1 health ●   2 metrics ✖")
        assert "[ rewind" in stage.lines[-1] and "] forth" in stage.lines[-1]


async def test_panels_show_what_was_and_lines_one_and_two_what_is(opened: Open) -> None:
    async with opened() as stage:
        await stage.press("2")
        await back_before_the_deploy(stage)
        assert "✖ 2 failing" in stage.lines[0] and stage.lines[1].startswith(" P0 ✖ error rate")
        assert "2 metrics ●" in stage.lines[4] and "errors       0.2 %" in stage.text
        assert "10m34s ago" in stage.lines[2]
        later = story.snapshot(story.NOW + 5, number=2)
        await stage.publish(later)
        assert "10m39s ago" in stage.lines[2] and "9m17s" in stage.lines[1] and "errors       0.2 %" in stage.text


async def test_escape_is_live_again_from_wherever_one_is(opened: Open) -> None:
    async with opened() as stage:
        await stage.press("2")
        await back_before_the_deploy(stage)
        await stage.press("escape")
        assert "◀◀" not in stage.text and "errors       6.2 % ✖" in stage.text
        await stage.press("k", "k", "k", "k", "enter")
        await back_before_the_deploy(stage)
        assert "◀◀ 03:01:38Z" in stage.lines[2] and "0.2 %  ● ok" in stage.text
        await stage.press("escape")
        assert "◀◀" not in stage.text and "6.2 %  ✖ failing" in stage.text  # still in the detail
        await stage.press("escape")
        assert "2 metrics" in stage.text


async def test_forth_again_ends_in_what_is_now(opened: Open) -> None:
    async with opened() as stage:
        await stage.press("right_square_bracket")
        assert "this is now" in stage.text
        await stage.press("left_square_bracket", "left_square_bracket", "right_square_bracket", "right_square_bracket")
        assert "◀◀" not in stage.text
        await stage.press("left_curly_bracket", "right_curly_bracket")
        assert "◀◀" not in stage.text


async def test_nothing_can_be_done_in_the_past_and_why_is_said(opened: Open) -> None:
    async with opened() as stage:
        await stage.press("3", "left_square_bracket")
        asked = len(stage.engine.asked)
        for key in ("a", "S", "E", "T", "X"):
            await stage.press(key)
            assert "not now: actions are off; esc is live again" in stage.text, key
        await stage.press("6", "enter")
        for key in ("a", "A", "F", "M"):
            await stage.press(key)
            assert "actions are off" in stage.text, key
        assert len(stage.engine.asked) == asked


async def test_what_was_just_taken_may_be_taken_back_while_one_looks_back(opened: Open) -> None:
    async with opened() as stage:
        await stage.press("6", "a", "left_square_bracket")
        assert "a undoes" in stage.text
        await stage.press("a")
        assert stage.engine.asked[-1] == Unacknowledge(("a",)) and "taken back" in stage.text


async def test_alerts_are_those_of_then(opened: Open) -> None:
    async with opened() as stage:
        await stage.press("6", "left_curly_bracket", "left_curly_bracket", "enter")
        assert "◀◀ 03:08:03Z" in stage.lines[2] and "P0 ✖ error rate" in stage.lines[4]
        assert "firing" in stage.text and "5m" in stage.text


async def test_held_keys_go_faster_and_ask_one_question_at_a_time(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    async with opened() as stage:
        waiting: list[tuple[Rewind, Future[Any]]] = []

        def ask(question: Any) -> Future[Any]:
            future: Future[Any] = Future()
            waiting.append((question, future))
            return future

        monkeypatch.setattr(stage.app.feed, "ask", ask)  # an engine that takes its time
        for _ in range(30):
            stage.clock.move(0.05)
            await stage.pilot.press("left_square_bracket")
        assert len(waiting) == 1 and waiting[0][0].steps == -1
        past = rewound(Recorded(), waiting[0][0], story.NOW, stage.engine._drawn)
        waiting[0][1].set_result(past)
        await soon(lambda: len(waiting) == 2)
        assert waiting[1][0].steps < -29


async def test_what_is_not_recorded_is_unknown_and_said(opened: Open) -> None:
    async with opened() as stage:
        stage.engine.recorded = Recorded(since=story.NOW - 30)
        for _ in range(9):
            await stage.press("left_square_bracket")
        assert "nothing is recorded before this" in stage.text


def test_the_bar_in_ascii_says_the_same() -> None:
    past = rewound(Recorded(), Rewind(story.NOW - 700, -1), story.NOW, lambda past: ())
    assert past is not None
    lines = [ASCII.plain(each).text for each in rewound_lines(past, story.NOW, 80, ASCII)]
    assert lines[0].startswith(" << 03:00:28Z   11m44s ago | not live | actions off")
    assert lines[1].isascii() and "|-*--" in lines[1] and "P0=" in lines[1]


def test_a_name_on_the_bar_stands_whole_or_not_at_all() -> None:
    past = rewound(Recorded(), Rewind(story.NOW - 700, -1), story.NOW, lambda past: ())
    assert past is not None
    fired = next(mark for mark in past.marks if mark.kind == "fired")
    change = next(mark for mark in past.marks if mark.kind == "change")
    ats = {"P2": -1500.0, "P0": -1490.0, "P1": -1430.0, "P3": -1.0}
    marks = tuple(replace(fired, severity=name, title=name, at=story.NOW + at) for name, at in ats.items())
    bar = scrub_bar(replace(past, marks=(*marks, replace(change, at=story.NOW - 1495))), story.NOW, 80, UNICODE).text
    assert "◆P0P1" in bar or "◆P0━P1" in bar, bar
    assert "P2" not in bar and bar.endswith("P3 now")


def test_gaps_thinning_and_damage_are_said() -> None:
    past = rewound(Recorded(), Rewind(story.NOW - 700, -1), story.NOW, lambda past: ())
    assert past is not None

    def says(**more: Any) -> str:
        return rewound_lines(replace(past, **more), story.NOW, 120, UNICODE)[0].text

    assert "nothing recorded since 02:58:00Z" in says(recorded=story.NOW - 852)
    assert "nothing was recorded then" in says(recorded=None)
    assert "one picture each 10m" in says(step=600)
    assert "cannot be read" in says(problem=Shown("what was recorded then cannot be read: torn"))
    assert "2026-11-19 03:12:12Z" in says(at=story.NOW - 2 * 86400, start=story.NOW - 31 * 86400)


async def test_a_panel_that_was_not_there_then_says_so(opened: Open) -> None:
    async with opened() as stage:
        first: Snapshot = stage.app.snapshot
        await stage.press("left_square_bracket")
        past = stage.app.rewound
        assert past is not None
        stage.app.rewinding.past = replace(past, panels=past.panels[:5])
        await stage.publish(replace(first, number=2))
        await stage.press("6")
        assert "6 alerts ? unknown" in stage.text and "there was nothing of it then" in stage.text
