"""Themes: one TOML file each, a style for every part that a piece of text can play."""

from __future__ import annotations

import tomllib
from functools import lru_cache

from msgspec import Struct
from rich.errors import StyleSyntaxError
from rich.style import Style

from tui.themes import theme_folder, theme_names

from .ink import Piece, Role

DEFAULT = "night"


class ThemeError(Exception):
    """A theme that is not there or not whole; the message says what to write."""


class Theme(Struct, frozen=True):
    """A theme's styles, for one depth of colour."""

    name: str
    background: Style
    cursor: Style
    styles: dict[Role, Style]

    def style(self, piece: Piece, cursor: bool) -> Style:
        """How a piece is drawn. On the cursor's ground nothing is fainter than dim: it is lighter than the rest, or darker."""
        role = "dim" if cursor and piece.role == "faint" else piece.role
        return _combined(self.background, self.cursor if cursor else None, self.styles[role], piece.link)


@lru_cache(maxsize=4096)
def _combined(background: Style, cursor: Style | None, own: Style, link: str) -> Style:
    """One style object for one look: equal looks are the same object, so that comparing pictures is cheap."""
    whole = background + cursor + own if cursor is not None else background + own
    return whole.update_link(link) if link else whole


def load_theme(name: str, colours16: bool = False, colourless: bool = False) -> Theme:
    """The theme for a terminal of 256 colours and more, or of 16. Where somebody wants no colours (`NO_COLOR`), what has the
    focus is underlined: nothing else but its colour would tell it. Raises ThemeError."""
    file = theme_folder() / f"{name}.toml"
    if name not in theme_names():
        raise ThemeError(f"there is no theme {name!r}; there are: {', '.join(theme_names())}")
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))["colours16" if colours16 else "colours"]
        styles = {key: Style.parse(value) for key, value in table.items()}
        styles["focus"] += Style(underline=colourless)
        return _theme(name, styles)
    except (KeyError, StyleSyntaxError, tomllib.TOMLDecodeError) as error:
        raise ThemeError(f"the theme {name!r} is not whole: {error}") from error


def _theme(name: str, styles: dict[str, Style]) -> Theme:
    roles: tuple[Role, ...] = (
        "text", "dim", "faint", "ok", "degraded", "unknown", "failing", "change", "focus", "key", "picture", "alarm",
    )  # fmt: skip
    parts: dict[Role, Style] = {role: styles[role] for role in roles}
    parts["strong"] = styles["text"] + Style(bold=True)
    return Theme(name, styles["background"], styles["cursor"], parts)
