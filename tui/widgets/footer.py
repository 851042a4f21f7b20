"""The last line: the next useful keys, made from the bindings that work now and never written twice. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich.cells import cell_len

from tui.engine.text import Shown

from .ink import Line, Piece, apart, spaces


class Hint(NamedTuple):
    """A key and what it does; `live` is false where it would only say why not."""

    key: Shown
    does: Shown
    live: bool = True


def key_line(hints: Sequence[Hint], last: Sequence[Hint], width: int) -> Line:
    """As many hints as fit, the first first; `last` stand at the right end on every screen."""
    right = _pieces(last)
    room = width - sum(cell_len(piece.text) for piece in right) - 4
    left: list[Piece] = [spaces(1)]
    used = 1
    for hint in hints:
        pieces = _pieces([hint])
        size = sum(cell_len(piece.text) for piece in pieces) + 2
        if used + size > room:
            break
        left += [*pieces, spaces(2)]
        used += size
    return apart(left, [*right, spaces(1)], width)


def _pieces(hints: Sequence[Hint]) -> list[Piece]:
    pieces: list[Piece] = []
    for order, hint in enumerate(hints):
        if order:
            pieces.append(spaces(2))
        pieces.append(Piece(hint.key, "key" if hint.live else "faint"))
        pieces.append(Piece(Shown(f" {hint.does}"), "dim" if hint.live else "faint"))
    return pieces
