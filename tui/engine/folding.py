"""What makes equal texts equal: statements without their literals, messages without their ids and numbers.

SQL is kept with its literals folded; what cannot be read to its end is cut there, never kept raw.
"""

from __future__ import annotations

import re

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
