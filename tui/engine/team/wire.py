"""An entry on its way to and from the team's database: nothing secret leaves, nothing that steers a terminal comes in."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..journal import Entry, data_of
from ..redact import redact
from ..text import clean

LONGEST = 20_000
"""Characters that one text of an entry may have."""
LATEST = 253_402_300_799.0
"""UTC seconds of the last moment that a date can be written of."""
OF_THIS_HOST = frozenset({"config"})
"""Kinds that say something of a process here and mean nothing elsewhere."""


def leaving(entries: Sequence[Entry]) -> dict[str, list[Any]]:
    """Entries as the columns of push.sql. They were redacted when they were written; a secret that was read since is, now."""
    shared = [each for each in entries if each.kind not in OF_THIS_HOST]
    return {
        "uid": [each.uid for each in shared],
        "at": [each.at for each in shared],
        "kind": [each.kind for each in shared],
        "version": [each.version for each in shared],
        "who": [redact(each.who) for each in shared],
        "deed": [each.deed for each in shared],
        # ASCII alone, so that a NUL or half a surrogate pair in a label is no text that the server refuses.
        "data": [json.dumps(_each_text(each.data, redact), sort_keys=True) for each in shared],
    }


def arriving(row: Mapping[str, Any]) -> Entry:
    """A row of pull.sql as an entry. One that cannot be read is kept as what could be: it must not stop those behind it."""
    try:
        data = _each_text(data_of(row["data"]), lambda text: clean(text, LONGEST))
    except RecursionError:
        data = {"unreadable": str(clean(row["data"], LONGEST))}
    return Entry(
        0,
        min(max(row["at"], 0.0), LATEST) if math.isfinite(row["at"]) else 0.0,
        str(clean(row["kind"])),
        row["version"],
        clean(row["who"]),
        row["deed"],
        data,
        row["uid"],
        str(clean(row["origin"])),
    )


def _each_text(value: Any, change: Callable[[str], str]) -> Any:
    """The value with each text in it changed, and the keys of its tables too."""
    match value:
        case str():
            return change(value)
        case dict():
            return {change(key): _each_text(each, change) for key, each in value.items()}
        case list() | tuple():
            return [_each_text(each, change) for each in value]
        case _:
            return value
