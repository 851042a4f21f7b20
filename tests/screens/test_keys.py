"""Lower case looks, upper case acts: a walk over every binding of every screen, and over what is written about them."""

from __future__ import annotations

import string

import pytest

from tests import story
from tests.screens.conftest import Open, Stage
from tui.engine.ask import Acknowledge, MakePlan, PollNow, Rewind
from tui.screens.dialog import Dialog
from tui.screens.keys import allowed_keys
from tui.widgets.remedies import may_act


def is_dialog(stage: Stage) -> bool:
    """Whether a plan of what a person is about to say is on screen."""
    return isinstance(stage.app.screen, Dialog)


LOOKS = (MakePlan, PollNow, Rewind)
"""Questions that change nothing."""
LATER = set("pDinuxw@")
"""Keys of screens.md that belong to later issues."""


async def test_no_key_but_an_upper_case_letter_opens_a_plan_and_none_acts(opened: Open) -> None:
    async with opened() as stage:
        for number in (1, 3, 5):  # no remedies, remedies, a hint
            await stage.press(str(number), "j")
            for key in stage.app.screen.active_bindings:
                if key in ("q", "ctrl+q", "ctrl+c"):
                    continue  # these leave
                stage.engine.asked.clear()
                stage.app.show_panel(number)
                stage.board.panels[number - 1].rest()
                await stage.press(key)
                planned = any(isinstance(each, MakePlan) for each in stage.engine.asked) or is_dialog(stage)
                acts = len(key) == 1 and key.isupper() and key != "G"
                assert planned == acts or (acts and "ends nothing" in stage.text), key
                others = [each for each in stage.engine.asked if not isinstance(each, LOOKS)]
                assert others == ([Acknowledge(("a",))] if key == "a" else []), key
                stage.app.taken = None
                stage.app.go_live()
            stage.app.show_panel(number)


async def test_every_letter_of_the_keyboard_is_bound_as_the_page_says(opened: Open) -> None:
    bound: set[str] = set()
    async with opened() as stage:
        for number in range(1, len(story.PANELS) + 1):
            await stage.press(str(number))
            bound |= set(stage.app.screen.active_bindings)
    assert {"j", "k", "g", "G", "h", "l", "m", "s", "z", "r", "y", "e", "o", "q", "a", "S", "E", "X", "T", "B"} <= bound
    assert not bound & LATER
    assert not bound & set("HJKL")
    assert {key for key in bound if key in string.ascii_uppercase} == {"G", "S", "E", "X", "T", "B"}


async def test_in_an_alert_too_upper_case_opens_a_plan_and_lower_case_reaches_nobody(opened: Open) -> None:
    async with opened() as stage:
        await stage.press("6", "j", "enter")
        keys = [key for key in stage.app.screen.active_bindings if key not in ("q", "ctrl+q", "ctrl+c", "a")]
        assert {"S", "E", "A", "F", "M"} == {key for key in keys if may_act(key)}
        for key in keys:
            stage.app.show_panel(6)
            await stage.press("enter", key)
            assert all(isinstance(each, Rewind) for each in stage.engine.asked), key
            stage.app.go_live()
            assert is_dialog(stage) == may_act(key) or "kim is at it" in stage.text, key


def test_only_upper_case_letters_that_move_nothing_may_act() -> None:
    assert [key for key in string.printable if may_act(key)] == sorted(set(string.ascii_uppercase) - set("GHJKL"))


def test_a_configured_key_cannot_make_a_remedy_act_in_lower_case() -> None:
    keys = {"database.terminate": "t", "database.cancel": "C", "zoom": "f"}
    assert allowed_keys(keys, story.snapshot()) == {"database.cancel": "C", "zoom": "f"}


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("zooom", "there is no key called 'zooom', did you mean 'zoom'?"),
        ("panel.zoom", "there is no key called 'panel.zoom'"),
        ("zoom", ""), ("quit", ""), ("database.cancel", ""), ("detail.copy", ""), ("panel.3", ""),
    ],
)  # fmt: skip
async def test_a_name_of_no_key_is_said(opened: Open, name: str, says: str) -> None:
    async with opened(size=(120, 36), keys={name: "f2"}) as stage:
        assert says in stage.text and bool(says) == ("[keys]" in stage.text)


async def test_keys_are_configurable_and_the_footer_follows(opened: Open) -> None:
    async with opened(size=(120, 36), keys={"zoom": "f", "database.terminate": "Q"}) as stage:
        await stage.press("3")
        assert "Q terminate" in stage.lines[-1] and "f zoom" in stage.lines[-1]
        await stage.press("Q")
        assert "terminate 1 session" in stage.text


async def test_help_lists_every_key_that_works_here(opened: Open) -> None:
    async with opened(size=(120, 50)) as stage:
        await stage.press("3", "question_mark")
        for words in (
            "terminate: end the session",
            "cancel: cancel the running statement",
            "this panel alone",
            "go to a panel",
        ):
            assert words in stage.text
        await stage.press("escape")
        assert "3 database" in stage.text


async def test_everything_is_found_by_name(opened: Open) -> None:
    async with opened() as stage:
        await stage.press("colon", *"panel jobs", "enter")
        await stage.pilot.pause()
        panel = stage.board.focused_panel
        assert panel is not None and panel.panel == "jobs"
        await stage.press("3", "ctrl+p", *"terminate", "enter")
        await stage.pilot.pause()
        assert "terminate 1 session" in stage.text
        await stage.press("escape", "colon", *"theme day", "enter")
        await stage.pilot.pause()
        assert stage.app.look.name == "day"
        await stage.press("colon", *"alert p0", "enter")
        await stage.pilot.pause()
        assert "One request in twenty fails" in stage.text


async def test_copying_says_sent_and_not_copied(opened: Open) -> None:
    async with opened() as stage:
        await stage.press("3", "y")
        assert stage.app.clipboard.startswith("8121\t3m59s\tidle in tx")
        assert "sent to the terminal's clipboard: 8121" in stage.text
        await stage.press("e")
        assert "measured 2026-11-21 03:12:10Z" in stage.app.clipboard
        await stage.press("5", "o")
        assert stage.app.clipboard == "https://vercel.example/shop/9f3c2a1"
