"""The rule book's state as bytes: what must outlive a restart, a change of the polling leader, or a changed config.

A timer survives where its rule is still the same (name, panel, signal, labels) and still compares the same way; a level keeps
its own where its severity and limit are the same. An alert outlives a change of its rule's limits, which then judge it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

import msgspec
from msgspec import Struct

from ..alert import Alert
from ..decoding import decodable
from ..reading import Labels
from . import life
from .life import Held, Level
from .rule import Rule

VERSION = 1


class _Level(Struct, frozen=True):
    """A breached level."""

    severity: str
    limit: float
    timer: Level


class _Series(Struct, frozen=True):
    """What a rule remembers of one series. `compares` is how the rule compared when it was written."""

    rule: tuple[str, str, str, Labels]
    compares: str
    labels: Labels
    key: str
    source: tuple[str, str]
    levels: tuple[_Level, ...]
    at: float | None
    well: float | None
    silent: float
    alert: Alert | None


class _State(Struct, frozen=True):
    version: int
    at: float
    series: tuple[_Series, ...]


def written(held: Iterable[Held], now: float) -> bytes:
    """The state of every series that has one: an alert, or a silence."""
    series = tuple(_written(each) for each in held if each.alert is not None or each.breached or each.silent)
    # By the standard library: a label may hold a lone surrogate, which stays what it is (escaped).
    return json.dumps(msgspec.to_builtins(_State(VERSION, now, series))).encode()


def _written(held: Held) -> _Series:
    levels = zip(held.rule.levels, held.levels, strict=True)
    return _Series(
        held.rule.identity,
        _compares(held.rule),
        held.labels,
        held.key,
        held.source,
        tuple(_Level(each.severity, each.limit, timer) for each, timer in levels if timer.since is not None),
        held.at,
        held.well,
        held.silent,
        held.alert,
    )


def read(state: bytes, rules: Sequence[Rule]) -> tuple[list[Held], list[Alert]]:
    """What is remembered of the series of these rules, and the alerts whose rule is gone. A state that cannot be read, because
    another version wrote it, is none."""
    try:
        known = msgspec.convert(json.loads(state), decodable(_State))
    except (ValueError, msgspec.ValidationError):
        return [], []
    if known.version != VERSION:
        return [], []
    by_identity = {rule.identity: rule for rule in rules}
    found, ended = [], []
    for each in known.series:
        rule = by_identity.get(each.rule)
        if rule is not None:
            found.append(_restored(each, rule))
        elif each.alert is not None:
            ended.append(each.alert)
    return found, ended


def _restored(series: _Series, rule: Rule) -> Held:
    """What is remembered, under the rule as it is now."""
    held = life.new(rule, series.labels, series.key, series.source)
    held.at, held.alert, held.silent = series.at, series.alert, series.silent
    held.well = series.well if series.well is not None else 0.0
    if series.compares == _compares(rule):
        timers = {(each.severity, each.limit): each.timer for each in series.levels}
        held.levels = [timers.get((each.severity, each.limit)) or Level() for each in rule.levels]
        if any(level.since is not None for level in held.levels):
            held.well = None
    return held


def _compares(rule: Rule) -> str:
    """How the rule compares: a changed way or measure makes old timers meaningless."""
    return f"{rule.way} {rule.measure!r}"
