"""The keys that work on the screen below, from its bindings themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from textual.binding import Binding
from textual.screen import Screen

from tui.engine.reading import Status
from tui.engine.text import Shown, clean
from tui.widgets.ink import BLANK, ROLES, Line, Piece, cut_line, fit, spaces, wrap
from tui.widgets.remedies import may_act

from .live import sign_of
from .page import Page

TO_PANELS = ("go(", "app.show_panel(")
"""How the actions of the panels' numbers begin."""


class Help(Page):
    """All keys of the screen from which it was opened."""

    def __init__(self) -> None:
        super().__init__()
        self._bindings_below: list[Binding] = []

    def about(self, screen: Screen[Any]) -> None:
        """Which screen's keys to show."""
        self._bindings_below = [active.binding for active in screen.active_bindings.values()]
        self.top = 0

    def page(self, width: int) -> Sequence[Line]:
        """The keys that look, the keys that act, and what the signs mean."""
        looks = [each for each in grouped(self._bindings_below) if not acts(each[0])]
        remedies = [each for each in grouped(self._bindings_below) if acts(each[0])]
        lines = [_heading("Lower case looks: nothing here changes anything"), *_keys(looks, width, 2 if width >= 76 else 1)]
        if remedies:
            lines += [BLANK, _heading("Upper case acts: each opens a plan first, and asks")]
            lines += _keys(remedies, width, 1)
        return [*lines, BLANK, _heading("Signs"), *self._signs()]

    def _signs(self) -> list[Line]:
        glyphs = self.dash.glyphs
        pieces = [spaces(2)]
        for status in Status:
            pieces += [Piece(Shown(f"{glyphs.status[status]} {status.word}"), ROLES[status]), spaces(3)]
        return [Line((*pieces, Piece(Shown(f"{glyphs.change} change"), "change")))]


def acts(binding: Binding) -> bool:
    """Whether a binding opens a plan: one upper-case letter, and none that moves."""
    return may_act(binding.key)


def grouped(bindings: Sequence[Binding]) -> list[tuple[Binding, str]]:
    """Each action once, with all its keys; the numbers of the panels as one."""
    keys: dict[str, list[str]] = {}
    first: dict[str, Binding] = {}
    for each in bindings:
        action = "go" if each.action.startswith(TO_PANELS) else each.action
        first.setdefault(action, each)
        keys.setdefault(action, []).append(sign_of(each.key))
    return [(first[action], "1…9" if action == "go" else " ".join(signs[:2])) for action, signs in keys.items()]


def _heading(text: str) -> Line:
    return Line((spaces(1), Piece(Shown(text), "strong")))


def _keys(entries: Sequence[tuple[Binding, str]], width: int, columns: int) -> list[Line]:
    """The entries in one column or two, read downwards."""
    if columns == 1:
        return [line for binding, signs in entries for line in _whole(binding, signs, width)]
    each = width // columns
    half = -(-len(entries) // columns)
    cells = [_entry(binding, signs, each) for binding, signs in entries]
    lines = []
    for place in range(half):
        pieces = list(cells[place])
        if place + half < len(cells):
            pieces += cells[place + half]
        lines.append(cut_line(Line(tuple(pieces)), width))
    return lines


def _entry(binding: Binding, signs: str, width: int) -> list[Piece]:
    return [spaces(2), Piece(fit(clean(signs), 10), "key"), spaces(1), Piece(fit(name_of(binding), width - 13))]


def _whole(binding: Binding, signs: str, width: int) -> list[Line]:
    """An entry in as many lines as it needs."""
    parts = wrap(name_of(binding), max(10, width - 14))
    heads = [Piece(fit(clean(signs), 10), "key"), *(spaces(10) for _ in parts[1:])]
    return [Line((spaces(2), head, spaces(1), Piece(part))) for head, part in zip(heads, parts, strict=True)]


def name_of(binding: Binding) -> Shown:
    """What a key does, in a few words."""
    if binding.action.startswith(TO_PANELS):
        return Shown("go to a panel")
    if binding.action.startswith("screen.act("):
        return clean(f"{binding.description}: {binding.tooltip}")
    return clean(binding.tooltip or binding.description)
