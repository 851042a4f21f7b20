"""The fields of a dialog as data: a choice, words, a condition that is in or out. Pure: a key makes another field of it."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from tui.engine.text import EMPTY, Shown, clean
from tui.widgets.glyphs import Glyphs
from tui.widgets.ink import Line, Piece, Role, cut_line, fit, spaces, wrap

LABEL = 10
LONGEST = 200
"""Characters that a person may type into one field."""


class Choice(Struct, frozen=True):
    """One of several; left and right turn."""

    label: Shown
    options: tuple[Shown, ...]
    at: int = 0

    def pressed(self, key: str, character: str | None) -> Choice:
        """The field after a key."""
        step = {"left": -1, "right": 1, "space": 1}.get(key, 0)
        return replace(self, at=(self.at + step) % len(self.options))

    @property
    def keys(self) -> str:
        """What its keys do, in words."""
        return "← → choose" if len(self.options) > 1 else ""


class Words(Struct, frozen=True):
    """What a person types. `needed` says that it cannot stay empty."""

    label: Shown
    text: str = ""
    needed: bool = True

    def pressed(self, key: str, character: str | None) -> Words:
        """The field after a key."""
        if key == "backspace":
            return replace(self, text=self.text[:-1])
        if key == "ctrl+u":
            return replace(self, text="")
        if character and character.isprintable():
            return replace(self, text=(self.text + character)[:LONGEST])
        return self

    @property
    def keys(self) -> str:
        """What its keys do, in words."""
        return "type it"


class Tick(Struct, frozen=True):
    """Something that is in or left out; space turns it."""

    label: Shown
    text: Shown
    on: bool = True

    def pressed(self, key: str, character: str | None) -> Tick:
        """The field after a key."""
        return replace(self, on=not self.on) if key in ("space", "left", "right") else self

    @property
    def keys(self) -> str:
        """What its keys do, in words."""
        return "space leaves it out" if self.on else "space takes it in"


Field = Choice | Words | Tick


def field_lines(fields: Sequence[Field], here: int | None, width: int, glyphs: Glyphs) -> list[Line]:
    """Each field on a line; the one that keys go to (`here`) with the cursor and what its keys do."""
    lines = []
    label = EMPTY
    for place, field in enumerate(fields):
        repeated = field.label == label
        label = field.label
        sign = Piece(Shown(glyphs.cursor), "focus") if place == here else spaces(1)
        head = Piece(fit(EMPTY if repeated else field.label, LABEL), "dim")
        keys = [spaces(3), Piece(Shown(field.keys), "faint")] if place == here and field.keys else []
        more: list[Shown] = []
        if isinstance(field, Tick):  # a condition that somebody agrees to is never cut
            first, *more = wrap(field.text, max(8, width - LABEL - 6))
            field = replace(field, text=first)
        lines.append(cut_line(Line((sign, head, *_value(field, place == here, glyphs), *([] if more else keys))), width))
        lines += [Line((spaces(LABEL + 5), Piece(part, "focus" if place == here else "text"))) for part in more]
    return lines


def _value(field: Field, here: bool, glyphs: Glyphs) -> list[Piece]:
    if isinstance(field, Choice):
        pieces = []
        for place, option in enumerate(field.options):
            role: Role = ("focus" if here else "strong") if place == field.at else "dim"
            text = f"[{option}]" if place == field.at else f" {option} "
            pieces.append(Piece(Shown(text), role))
        return pieces
    if isinstance(field, Words):
        caret = [Piece(Shown(glyphs.caret), "focus")] if here else []
        return [Piece(clean(field.text), "focus" if here else "text"), *caret]
    sign = glyphs.mark if field.on else " "
    role = "focus" if here else "text" if field.on else "faint"
    return [Piece(Shown(f"[{sign}] {field.text}"), role)]
