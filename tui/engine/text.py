"""Text from outside is data: cleaned once, here, into `Shown`, the only type that widgets draw.

A health reply, a job's error or a commit message may hold terminal escapes, bidi overrides, markup or a megabyte.
`clean` makes control characters visible instead of deleting them, so that nobody is misled by what is missing,
and cuts with a mark. Markup needs no care: what draws `Shown` never parses it.
"""

from __future__ import annotations

import re
from typing import NewType

Shown = NewType("Shown", str)
"""Text that is safe to draw: one line, no control, bidi or zero-width characters, of bounded length."""

CUT = "…"
DEFAULT_LIMIT = 400

# Control pictures (U+2400 block) stand for C0 and DEL; everything else that steers a terminal or hides text becomes U+FFFD.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ud800-\udfff\U00013430-\U0001343f"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_MARKS = (
    "[\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u0610-\u061a\u064b-\u065f\u0e34-\u0e3a\u0e47-\u0e4e\u1ab0-\u1aff\u1dc0-\u1dff"
    "\u20d0-\u20ff\ufe20-\ufe2f]"
)
# No language puts more than three marks on a letter; many of them are drawn over the lines above and below.
_PILED = re.compile(f"({_MARKS}{{3}}){_MARKS}+")
_LINE_END = re.compile(r"\r\n|\r|\n")
_SPACES = "\t\n\r\x0b\x0c\u2028\u2029"


def _mark(found: re.Match[str]) -> str:
    """The visible stand-in for one unsafe character."""
    character = found.group()
    if "\ufe00" <= character <= "\ufe0f":
        return ""  # chooses a glyph's emoji form, whose width terminals disagree on; nothing is hidden by leaving it out
    if character in _SPACES:
        return " "
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    return "\ufffd"


def clean(text: object, limit: int = DEFAULT_LIMIT) -> Shown:
    """Outside text as one drawable line of at most `limit` characters, a cut shown as `…`.

    Cuts before it looks closer, so that a megabyte costs no more than a line.
    """
    raw = text if isinstance(text, str) else str(text)
    whole = len(raw) <= limit
    safe = _UNSAFE.sub(_mark, raw if whole else raw[: max(limit - 1, 0)])
    if not safe.isascii():
        safe = _PILED.sub("\\1\ufffd", safe)
    return Shown(safe if whole else safe + CUT)


def escaped_for_terminals(json: str) -> str:
    """JSON in which what would steer a terminal or hide text is escaped: to a program it says the same."""
    return _UNSAFE.sub(_escape, json)


def _escape(found: re.Match[str]) -> str:
    character = found.group()
    if character == "\n":  # between values; within a text JSON has escaped it
        return character
    units = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


def clean_lines(text: str, lines: int = 40, limit: int = DEFAULT_LIMIT) -> tuple[Shown, ...]:
    """Outside text of several lines (a statement, a stack trace) as drawable lines, the last one `…` where there were more."""
    most = lines * limit * 2
    parts = _LINE_END.split(text[:most].rstrip("\r\n"))
    shown = tuple(clean(part.replace("\t", "    "), limit) for part in parts[:lines]) if text else ()
    return shown if len(parts) <= lines and len(text) <= most else (*shown, Shown(CUT))


EMPTY = Shown("")
