"""The pictures of screens.md's night, as drawn: looked at once, held from then on. `--snapshot-update` after looking again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests import story
from tests.clocks import DrivenClock
from tests.screens.engine import ScriptedEngine
from tui.screens.dashboard import WatchfloorApp

SIZES = ((80, 24), (120, 36), (200, 50))


def dashboard(broken: bool = True, **options: Any) -> WatchfloorApp:
    """The dashboard at 03:12:12."""
    night = story.Night(broken)
    engine = ScriptedEngine(story.snapshot(night=night), story.history(night=night))
    return WatchfloorApp(engine.feed, clock=DrivenClock(story.NOW, story.MONOTONIC), **options)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("broken", [True, False], ids=["broken", "well"])
def test_the_board(snap_compare: Callable[..., bool], size: tuple[int, int], broken: bool) -> None:
    assert snap_compare(dashboard(broken), terminal_size=size, press=["2"])


@pytest.mark.parametrize("size", SIZES[:2], ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize(
    "keys", [["3", "T"], ["3", "enter"], ["5", "B"], ["3", "question_mark"]], ids=["plan", "row", "hint", "help"]
)
def test_what_keys_open(snap_compare: Callable[..., bool], size: tuple[int, int], keys: list[str]) -> None:
    assert snap_compare(dashboard(), terminal_size=size, press=keys)


WHAT_IS_SAID = {
    "alerts": ["6"],
    "alert": ["6", "enter"],
    "acknowledged": ["2", "a"],
    "silence": ["6", "S", *"deploying"],
    "escalate": ["2", "E"],
    "rewound": ["2", "left_curly_bracket", "left_curly_bracket", "left_curly_bracket", "left_square_bracket"],
}


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("keys", list(WHAT_IS_SAID.values()), ids=list(WHAT_IS_SAID))
def test_alerts_and_the_past(snap_compare: Callable[..., bool], size: tuple[int, int], keys: list[str]) -> None:
    assert snap_compare(dashboard(), terminal_size=size, press=keys)


@pytest.mark.parametrize("theme", ["day", "contrast"])
def test_other_themes(snap_compare: Callable[..., bool], theme: str) -> None:
    assert snap_compare(dashboard(theme=theme), terminal_size=(80, 24), press=["3"])


def test_the_past_in_ascii(snap_compare: Callable[..., bool]) -> None:
    assert snap_compare(dashboard(ascii_only=True), terminal_size=(80, 24), press=["6", "left_curly_bracket", "enter"])


def test_ascii(snap_compare: Callable[..., bool]) -> None:
    assert snap_compare(dashboard(ascii_only=True), terminal_size=(80, 24), press=["2"])
