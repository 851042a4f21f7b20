"""Where in a TOML file a value stands, so that a mistake can be named with its line.

`tomllib` gives values without places. This reads the same text once more for headers and keys alone; it is never asked what a
value is, so what it does not understand costs a line number and nothing else.
"""

from __future__ import annotations

import re

Path = tuple[str | int, ...]

_HEADER = re.compile(r"^\s*(\[\[?)\s*(.+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"""^\s*((?:"[^"]*"|'[^']*'|[A-Za-z0-9_-]+)(?:\s*\.\s*(?:"[^"]*"|'[^']*'|[A-Za-z0-9_-]+))*)\s*=""")
_PART = re.compile(r""""([^"]*)"|'([^']*)'|([A-Za-z0-9_-]+)""")
_INLINE = re.compile(r"""(?:[{,]\s*)("[^"]*"|'[^']*'|[A-Za-z0-9_-]+)\s*=""")


def _parts(dotted: str) -> list[str]:
    return [next(filter(None, found), "") for found in _PART.findall(dotted)]


def places(text: str) -> dict[Path, int]:
    """The 1-based line of each table, key and inline key, by path; arrays of tables are counted from 0."""
    found: dict[Path, int] = {(): 1}
    counts: dict[Path, int] = {}
    base: Path = ()
    fence = ""
    for number, line in enumerate(text.splitlines(), 1):
        if fence:
            fence = "" if fence in line else fence
            continue
        if header := _HEADER.match(line):
            base = _table(header.group(1) == "[[", _parts(header.group(2)), counts)
            found.setdefault(base, number)
            continue
        if key := _KEY.match(line):
            path: Path = (*base, *_parts(key.group(1)))
            found[path] = number
            rest = line[key.end() :]
            for inline in _INLINE.findall(rest):
                found.setdefault((*path, *_parts(inline)), number)
            fence = next((mark for mark in ('"""', "'''") if rest.count(mark) % 2), "")
    return found


def _table(is_array: bool, parts: list[str], counts: dict[Path, int]) -> Path:
    """The path that a header opens: `[[panel.endpoint]]` is the newest panel's next endpoint."""
    path: Path = ()
    for place, part in enumerate(parts):
        path = (*path, part)
        last = place == len(parts) - 1
        if last and is_array:
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path = (*path, counts[path])
    return path


def line_of(known: dict[Path, int], path: Path) -> int | None:
    """The line of a path, or of what holds it."""
    for end in range(len(path), -1, -1):
        if path[:end] in known:
            return known[path[:end]]
    return None
