"""What surrounds the screen: where it refuses to open, what it clears away, themes, signs, and the few bytes it writes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace
from rich.console import Console
from textual.geometry import Size

from tests import story
from tests.screens.conftest import Open
from tui.app import prepare_environment, refusal
from tui.engine.feed import OpenIntent
from tui.engine.text import Shown
from tui.screens.arrangement import columns_of, places, shares, snake
from tui.screens.live import Live
from tui.themes import theme_names
from tui.widgets.freshness import freshness
from tui.widgets.ink import Piece
from tui.widgets.theme import ThemeError, load_theme


def test_no_terminal_no_dashboard() -> None:
    assert "watchfloor check" in refusal()  # pytest's stdin is none


def test_what_would_type_keys_is_cleared_away(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TEXTUAL_PRESS", "TEXTUAL_SCREENSHOT", "TEXTUAL_DRIVER", "TEXTUAL", "TEXTUAL_FPS", "TEXTUAL_ANIMATIONS"):
        monkeypatch.setenv(name, "q")
    prepare_environment()
    assert not {"TEXTUAL_PRESS", "TEXTUAL_SCREENSHOT", "TEXTUAL_DRIVER", "TEXTUAL"} & set(os.environ)
    assert os.environ["TEXTUAL_ANIMATIONS"] == "none"


@pytest.mark.parametrize("colours16", [False, True])
def test_every_theme_is_whole_and_tells_failing_from_text(colours16: bool) -> None:
    assert {"night", "day", "contrast"} <= set(theme_names())
    for name in theme_names():
        theme = load_theme(name, colours16)
        looks = {role: theme.style(Piece(Shown("x"), role), False) for role in ("text", "degraded", "unknown", "failing")}
        assert len(set(map(str, looks.values()))) == 4, name


def test_an_unknown_theme_names_those_there_are() -> None:
    with pytest.raises(ThemeError, match="night"):
        load_theme("nihgt")


LOCALES = [
    ({"LC_ALL": "C"}, True), ({"LANG": "C"}, True), ({"LANG": "en_US.ISO-8859-1"}, True), ({"LANG": "de_DE.UTF-8"}, False),
    ({"LANG": "C", "LC_CTYPE": "C.UTF-8"}, False), ({}, False), ({"TMUX": "/tmp/tmux-0/default,1,0"}, True),
]  # fmt: skip


@pytest.mark.parametrize(("locale", "ascii_only"), LOCALES, ids=str)
def test_a_locale_without_unicode_gets_ascii(locale: dict[str, str], ascii_only: bool) -> None:
    """Asked in a process of its own: Python changes its locale before our first line."""
    asked = [sys.executable, "-c", "from tui.locales import wants_ascii; print(wants_ascii())"]
    answer = subprocess.run(asked, env=locale, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == str(ascii_only)


async def test_ascii_is_ascii(opened: Open) -> None:
    async with opened(size=(120, 36), ascii_only=True) as stage:
        await stage.press("3")
        assert stage.text.isascii() and "X failing" in stage.text and "|-8140" in stage.text


async def test_the_clock_costs_its_digits(opened: Open) -> None:
    async with opened() as stage:
        stage.clock.move(1)
        screen = stage.app.screen
        assert isinstance(screen, Live)
        compositor = screen._compositor
        screen.tick()
        head = screen.query_one("#head")
        compositor.update_widgets({head})
        update = compositor.render_partial_update()
        assert update is not None
        written = update.render_segments(Console(color_system="256", force_terminal=True))
        assert "3" in written and len(written) < 20


async def test_warnings_and_open_deeds_are_said_until_they_are_dealt_with(opened: Open) -> None:
    intent = OpenIntent("i", story.NOW - 300, Shown("kim"), "database.terminate", Shown("ends session 8121"))
    first = replace(story.snapshot(), warnings=(Shown("the disk is full"),), open_intents=(intent,))
    async with opened(first=first) as stage:
        assert "? begun 03:07:12Z, outcome never recorded" in stage.lines[-2]
        await stage.publish(replace(first, open_intents=()))
        assert "▲ the disk is full" in stage.lines[-2]
        await stage.publish(story.snapshot())
        assert stage.lines[-2].strip() == ""


def test_panels_stand_where_they_stood() -> None:
    assert snake(6, 2) == [[0, 3, 4], [1, 2, 5]]
    assert shares([5, 30, 4], 33) == [5, 22, 4]
    assert shares([20, 20], 21) == [10, 10]
    assert [columns_of(Size(*size)) for size in ((80, 24), (119, 60), (120, 36), (200, 50), (200, 49))] == [1, 1, 2, 3, 2]
    regions, detail = places([5, 9, 9, 5, 5], Size(200, 46), 3)
    assert detail is not None and detail.width == 66 and regions[0].height == 5 and regions[2].bottom == 46


def test_freshness_in_words() -> None:
    state = story.snapshot().panels[1]  # measured 3 s ago, each 5 s, with 5 s to answer
    at = story.MONOTONIC - 3
    assert freshness(state, at + 3).says == "03:12:09Z"
    assert freshness(state, at + 9.9).says == "03:12:09Z"
    assert freshness(state, at + 12).says == "late 10s"
    assert freshness(state, at + 49).says == "stale 45s" and freshness(state, at + 49).stale
