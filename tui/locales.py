"""What the locale says of the terminal. Imports nothing that costs: tmux asks for the status line again and again."""

from __future__ import annotations

import os
import sys

IN_ASCII = str.maketrans(
    {"…": "~", "–": "-", "—": "-", "·": "|", "×": "x", "→": ">", "←": "<", "↑": "^", "↓": "v", "●": "o", "▲": "^", "✖": "X",
     "◆": "*", "▸": ">", "✓": "+", "±": "+", "µ": "u", "≥": ">", "≤": "<", "’": "'", "‘": "'", "“": '"', "”": '"',
     "├": "|", "└": "`", "│": "|", "─": "-", "▏": "_", "┃": "|", "━": "=", "◀": "<"}
)  # fmt: skip
"""Our signs where there is no Unicode, each in one cell: as a `?` they would say *unknown*."""
COERCED = ("C.UTF-8", "C.utf8", "UTF-8")
"""What Python itself writes to `LC_CTYPE` at its start where it finds the locale `C` (PEP 538): nobody said so."""


def wants_ascii() -> bool:
    """Whether the locale says that the terminal shows no Unicode. Where there is none at all, most terminals show it, but tmux
    and screen then put `_` in its place."""
    said = {name: value for name in ("LC_ALL", "LC_CTYPE", "LANG") if (value := os.environ.get(name))}
    if sys.flags.utf8_mode and said.get("LC_CTYPE") in COERCED:
        del said["LC_CTYPE"]
    if said:
        return "utf" not in next(iter(said.values())).lower()
    return bool(os.environ.get("TMUX") or os.environ.get("STY"))


def for_stdout(signs: str) -> str:
    """Text of our own signs as stdout can hold it, and as it is seen there."""
    shows_unicode = "utf" in (getattr(sys.stdout, "encoding", None) or "ascii").lower() and not wants_ascii()
    return signs if shows_unicode else signs.translate(IN_ASCII)
