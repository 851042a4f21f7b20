"""Themes: whole, every word of them legible where it stands, and on the whole screen at once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from rich.color import Color
from rich.color_triplet import ColorTriplet
from rich.style import Style
from rich.terminal_theme import TerminalTheme

from tests.screens.conftest import Open, Stage
from tui.engine.text import Shown
from tui.themes import theme_names
from tui.widgets.ink import Piece, Role
from tui.widgets.theme import Theme, load_theme

WORDS: tuple[Role, ...] = ("text", "dim", "ok", "degraded", "unknown", "failing", "change", "focus", "key", "alarm", "strong")
SHAPES: tuple[Role, ...] = ("faint", "picture")
LEGIBLE = {WORDS: 4.5, SHAPES: 3.0}
"""WCAG 2.2: 1.4.3 for text, 1.4.11 for rules, bars and what is greyed because it does nothing now."""

BLACK, WHITE = (0, 0, 0), (255, 255, 255)
CONSOLE = TerminalTheme(
    BLACK, (170, 170, 170),
    [BLACK, (170, 0, 0), (0, 170, 0), (170, 85, 0), (0, 0, 170), (170, 0, 170), (0, 170, 170), (170, 170, 170)],
    [(85, 85, 85), (255, 85, 85), (85, 255, 85), (255, 255, 85), (85, 85, 255), (255, 85, 255), (85, 255, 255), WHITE],
)  # fmt: skip
"""What Linux's own console shows for the sixteen."""
XTERM = TerminalTheme(
    BLACK, (229, 229, 229),
    [BLACK, (205, 0, 0), (0, 205, 0), (205, 205, 0), (0, 0, 238), (205, 0, 205), (0, 205, 205), (229, 229, 229)],
    [(127, 127, 127), (255, 0, 0), (0, 255, 0), (255, 255, 0), (92, 92, 255), (255, 0, 255), (0, 255, 255), WHITE],
)  # fmt: skip
GREY = TerminalTheme((30, 30, 30), (212, 212, 212), [BLACK] * 8)
"""A dark terminal that is not quite black, as many editors have it."""
TERMINALS = {True: (CONSOLE, XTERM), False: (XTERM, GREY)}
"""Terminals of 16 colours, and of 256."""


def luminance(colour: ColorTriplet) -> float:
    """Relative luminance, 0 to 1 (WCAG 2.2)."""
    linear = [each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in colour.normalized]
    return sum(share * each for share, each in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(style: Style, terminal: TerminalTheme) -> float:
    """Between a style's ink and its ground, 1 to 21 (WCAG 2.2)."""
    ink, on = style.color or Color.default(), style.bgcolor or Color.default()
    light, dark = sorted(
        (luminance(ink.get_truecolor(terminal)), luminance(on.get_truecolor(terminal, foreground=False))), reverse=True
    )
    return (light + 0.05) / (dark + 0.05)


def looks(theme: Theme, roles: tuple[Role, ...]) -> Iterator[tuple[str, Style]]:
    """Each role as it is drawn, on the ground and under the cursor."""
    for role in roles:
        for cursor in (False, True):
            yield f"{role}{' under the cursor' * cursor}", theme.style(Piece(Shown("x"), role), cursor)


@pytest.mark.parametrize("colours16", [False, True], ids=["256", "16"])
@pytest.mark.parametrize("name", theme_names())
def test_every_word_is_legible_and_every_shape_is_seen(name: str, colours16: bool) -> None:
    theme = load_theme(name, colours16)
    faint = [
        f"{role} {contrast(style, terminal):.1f}"
        for roles, least in LEGIBLE.items()
        for role, style in looks(theme, roles)
        for terminal in TERMINALS[colours16]
        if contrast(style, terminal) < least
    ]
    assert faint == []


@pytest.mark.parametrize("colours16", [False, True], ids=["256", "16"])
@pytest.mark.parametrize("name", theme_names())
def test_the_cursor_s_row_is_seen(name: str, colours16: bool) -> None:
    theme = load_theme(name, colours16)
    row, other = (theme.style(Piece(Shown("x"), "text"), cursor) for cursor in (True, False))
    assert (row.bgcolor, row.bold) != (other.bgcolor, other.bold)


@pytest.mark.parametrize("name", theme_names())
def test_without_colours_the_focus_is_still_told_from_the_rest(name: str) -> None:
    theme = load_theme(name, colourless=True)
    shapes = {role: (theme.styles[role].bold, theme.styles[role].underline) for role in ("focus", "strong", "dim", "faint")}
    assert list(shapes.values()).count(shapes["focus"]) == 1


def told_apart(colour: Color | None) -> tuple[object, ...]:
    """A colour by what is sent for it: `white` and `color(7)` are one."""
    return (None,) if colour is None or colour.is_default else (colour.number, colour.triplet)


def grounds(stage: Stage) -> set[tuple[object, ...]]:
    """The grounds of all cells on screen."""
    strips = stage.app.screen._compositor.render_strips()
    return {told_apart(segment.style.bgcolor if segment.style else None) for strip in strips for segment in strip}


async def test_a_theme_s_ground_is_under_everything_and_on_every_page(opened: Open) -> None:
    """Also between the panels, and on a page that was made in another theme."""
    async with opened(size=(120, 36)) as stage:
        await stage.press("question_mark", "escape", "3", "enter", "escape")
        for name in ("day", "contrast", "night"):
            stage.app.use_theme(name)
            await stage.pilot.pause()
            look = stage.app.look
            allowed = {told_apart(each.bgcolor) for role in (*WORDS, *SHAPES) for _, each in looks(look, (role,))}
            for key in ("", "enter", "question_mark"):
                await stage.press(*filter(None, [key]))
                assert grounds(stage) <= allowed, f"{key or 'the board'} in {name}"
                await stage.press(*["escape"] * bool(key))
