"""What may be shown and kept: secrets by value, literals of SQL by shape.

Every secret that was ever read is known by value and masked wherever text leaves the process (journal, logs, errors, crash
reports). SQL is kept with its literals folded; what cannot be read to its end is cut there, never kept raw.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from urllib.parse import quote, quote_plus

from .secrets import known_values
from .text import clean

MASK = "•••"
_SHORTEST = 4
"""A secret shorter than this would mask ordinary words; none worth the name is."""

_USERINFO = re.compile(r"(?<=://)([^/\s:@]*):([^/\s]+)@")
_KEY_VALUE = re.compile(
    r"""((?:\b|_)(?:password|passwd|pwd|token|secret|api[_-]?key|authorization)["']?\s*[=:]\s*)"""
    r"""((?:bearer|basic|token)\s+)?("[^"]*"|'[^']*'|\S+)""",
    re.I,
)
_SQL = re.compile(
    r"""
      (?P<escaped>\b[Ee]'(?:[^'\\]|''|\\.)*')
    | (?P<string>(?:\b[BbXxNn]|\b[Uu]&)?'(?:[^'\\]|''|\\(?!'))*'(?!'))
    | (?P<dollar>\$(?P<tag>\w*)\$.*?\$(?P=tag)\$)
    | (?P<name>"(?:[^"]|"")*")
    | (?P<comment>--[^\n]*|/\*(?:(?!/\*).)*?\*/)
    | (?P<parameter>\$\d+)
    | (?P<number>(?<!\w)(?:0[xXoObB][0-9a-fA-F_]+|(?:\d[\d_]*(?:\.[\d_]*)?|\.\d[\d_]*)(?:[eE][+-]?\d+)?))
    | (?P<open>'|\$\w*\$|/\*|")
    """,
    re.X | re.S,
)


def redact(text: str) -> str:
    """Text with every known secret, and what looks like a password in a URL or assignment, masked."""
    for written in _ways_to_write(frozenset(known_values)):
        text = text.replace(written, MASK)
    text = _USERINFO.sub(rf"\1:{MASK}@", text)
    return _KEY_VALUE.sub(rf"\1\2{MASK}", text)


@lru_cache(maxsize=8)
def _ways_to_write(values: frozenset[str]) -> tuple[str, ...]:
    """Every form in which a secret may stand in a text, the longest first: as it is, in a URL, in JSON, as Python quotes it,
    cleaned for the screen, and each long line of one that has several (a key)."""
    forms: set[str] = set()
    for value in values:
        escaped = json.dumps(value)[1:-1]
        forms |= {value, quote(value, safe=""), quote(value), quote_plus(value), escaped, repr(value)[1:-1]}
        forms |= {json.dumps(value, ensure_ascii=False)[1:-1], str(clean(value, len(value) + 1))}
        forms |= {line for line in value.splitlines() if len(line) >= 2 * _SHORTEST}
    return tuple(sorted((form for form in forms if len(form) >= _SHORTEST), key=lambda form: (-len(form), form)))


def fold_sql(sql: str) -> str:
    """A statement with its literals as `?` and its comments gone. An unclosed quote ends it with `…`: what cannot be told
    apart is not kept."""
    pieces: list[str] = []
    place = 0
    for found in _SQL.finditer(sql):
        pieces.append(sql[place : found.start()])
        place = found.end()
        match found.lastgroup:
            case "name" | "parameter":
                pieces.append(found.group())
            case "comment":
                pieces.append(" ")
            case "open":
                return " ".join("".join(pieces).split()) + " …"
            case _:
                pieces.append("?")
    pieces.append(sql[place:])
    return " ".join("".join(pieces).split())


_UUID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", re.I)
_HEX = re.compile(r"(?<![^\W_])(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{8,}(?![^\W_])", re.I)
"""Also behind a prefix (`req_3f2a91c0`). All digits are a number, however many, or one message would have two signatures."""
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_NUMBER = re.compile(r"\d+(?:[.:,]\d+)*")


def signature(text: str) -> str:
    """What a message says when its ids, numbers and quoted values are folded: two failures of one cause become one line."""
    first = text.strip().splitlines()[0] if text.strip() else ""
    for pattern, stand_in in ((_UUID, "<id>"), (_HEX, "<id>"), (_QUOTED, "<…>"), (_NUMBER, "<n>")):
        first = pattern.sub(stand_in, first)
    return " ".join(first.split())
