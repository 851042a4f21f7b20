"""`[[notify]]` of the config: who is told of what. A pattern that fits nothing is a mistake here, not a surprise at night."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import Protocol, TypeVar

from pydantic import BaseModel

from tui.config_places import Path as Place
from tui.config_words import found_in_words
from tui.engine.notify.channel import KINDS, Channel, load_kind
from tui.engine.rules import Rule
from tui.nearest import nearest

M = TypeVar("M", bound=BaseModel)


class Pass(Protocol):
    """What of the pass over a config is needed here."""

    def mistake(self, place: Place, says: str) -> None:
        """Notes what is wrong with the value at a place."""
        ...

    def section(self, model: type[M], values: object, place: Place) -> M | None:
        """A table as its model; None, with every mistake noted, where it does not fit."""
        ...


def channels(check: Pass, tables: object, panels: Sequence[str], rules: Sequence[Rule]) -> list[Channel]:
    """Every channel, in the config's order; mistakes are noted."""
    if not isinstance(tables, list):
        check.mistake(("notify",), "expected [[notify]] tables")
        return []
    found: list[Channel] = []
    for index, table in enumerate(tables):
        place: Place = ("notify", index)
        channel = _channel(check, table, place)
        if channel is None:
            continue
        if any(each.title == channel.title for each in found):
            check.mistake((*place, "name"), f"two channels are called {channel.title}: give each a name of its own")
        _look_up(check, (*place, "when", "panels"), channel.when.panels, panels)
        if not channel.when.theirs:
            _look_up(check, (*place, "when", "rules"), channel.when.rules, sorted({each.name for each in rules}))
        found.append(channel)
    return found


def _channel(check: Pass, table: object, place: Place) -> Channel | None:
    """One `[[notify]]`, by the model of its kind."""
    if not isinstance(table, dict):
        check.mistake(place, f"expected a table, found {found_in_words(table)}")
        return None
    kind = table.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        says = f"unknown kind {kind!r}{nearest(str(kind), KINDS)}; there are: " if kind else "which kind? one of "
        check.mistake((*place, "kind"), says + ", ".join(KINDS))
        return None
    return check.section(load_kind(kind), table, place)


def _look_up(check: Pass, place: Place, patterns: Sequence[str], known: Iterable[str]) -> None:
    """Notes patterns that fit nothing that there is."""
    names = list(known)
    for pattern in patterns:
        if not any(name == pattern or fnmatchcase(name, pattern) for name in names):
            check.mistake(place, f"{pattern!r} is none of {', '.join(names) or 'none'}{nearest(pattern, names)}")
