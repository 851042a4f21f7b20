"""A label and what stands beside it: what details are made of. Pure."""

from __future__ import annotations

from tui.engine.text import EMPTY, Shown, clean
from tui.widgets.ink import Line, Piece, Role, fit, spaces, wrap

LABEL = 16


def fact_lines(label: str, text: Shown, width: int, role: Role = "text", link: str = "") -> list[Line]:
    """A label and its text, wrapped beside it."""
    lines = []
    for order, part in enumerate(wrap(text, max(10, width - LABEL - 3))):
        head = Piece(fit(clean(label) if order == 0 else EMPTY, LABEL), "dim")
        lines.append(Line((spaces(1), head, spaces(1), Piece(part, role, link))))
    return lines
