"""Signals over time on disk: a block a panel and stretch of time, so that an hour's sparklines are read in milliseconds.

A minute's values in full, later an hour's with one mean a minute, then a day's with one each ten minutes. Times and values are
doubles. Series that were measured at the same moments (a probe's) share their times; which series there are stands apart, and
is the same from block to block, so that it is read once.
"""

from __future__ import annotations

import math
import zlib
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from operator import lt

import msgspec
from msgspec import Struct

from .frame import Unreadable, encoded

VERSION = 1
Values = tuple["array[float]", "array[float]"]
"""Times (UTC seconds) and values of one signal, oldest first; NaN where nothing was measured."""
Points = dict[str, Values]
"""By signal key."""


class Groups(Struct, frozen=True, array_like=True):
    """A block as it is written: `names` are the keys of each group, packed; a group is its times and its series' values, one
    after the other."""

    names: bytes
    groups: list[tuple[bytes, bytes]]


_decoder = msgspec.msgpack.Decoder(Groups)
_names = msgspec.msgpack.Decoder(list[list[str]])


class Block(Struct, frozen=True):
    """The values of one panel from `start` (UTC seconds) on; `step` is how many seconds a value stands for, 0 in full.

    Still as bytes: a series is only looked at when somebody draws it.
    """

    start: int
    step: int
    places: Mapping[str, tuple[int, int]] = {}
    """By key, its group and its place there."""
    groups: Sequence[tuple[bytes, bytes]] = ()

    def series(self, key: str) -> tuple[bytes, bytes] | None:
        """The times and values of one signal; None where it is not here."""
        place = self.places.get(key)
        if place is None:
            return None
        at, values = self.groups[place[0]]
        return at, values[place[1] * len(at) : (place[1] + 1) * len(at)]


def written(points: Mapping[str, Values]) -> bytes:
    """A block as bytes."""
    groups: dict[bytes, list[str]] = {}
    for key, (at, _) in points.items():
        groups.setdefault(at.tobytes(), []).append(key)
    values = [(at, b"".join([points[key][1].tobytes() for key in keys])) for at, keys in groups.items()]
    return zlib.compress(encoded(Groups(encoded(list(groups.values())), values)), 1)


def block(start: int, step: int, version: int, data: bytes) -> Block:
    """A block from its bytes. Raises Unreadable."""
    if version != VERSION:
        raise Unreadable(f"version {version}")
    try:
        found = _decoder.decode(zlib.decompress(data))
        places = _places(found.names)
    except (msgspec.MsgspecError, zlib.error, UnicodeDecodeError) as error:
        raise Unreadable(str(error)) from error
    return Block(start, step, places, found.groups)


def in_memory(start: int, points: Mapping[str, Values]) -> Block:
    """A block of values that are not on disk as one yet."""
    places = {key: (place, 0) for place, key in enumerate(points)}
    return Block(start, 0, places, [(at.tobytes(), values.tobytes()) for at, values in points.values()])


@lru_cache(maxsize=64)
def _places(names: bytes) -> dict[str, tuple[int, int]]:
    """Where each series stands. Raises msgspec's errors."""
    return {key: (group, place) for group, keys in enumerate(_names.decode(names)) for place, key in enumerate(keys)}


def add(points: Points, key: str, at: float, value: float | None) -> None:
    """Appends a value to a series; one that is not newer than the last is the same one, seen again."""
    times, values = points.setdefault(key, (array("d"), array("d")))
    if not times or at > times[-1]:
        times.append(at)
        values.append(math.nan if value is None else value)


def joined(blocks: Sequence[Block], key: str) -> Values:
    """One series over several blocks, which stand in order of time. Where blocks of two steps cover a moment, the finer one
    counts."""
    pairs = [(each, pair) for each in blocks if (pair := each.series(key))]
    if all([each.step == 0 for each, _ in pairs]):  # noqa: C419  # nearly always, and for each series
        at, values = array("d"), array("d")
        at.frombytes(b"".join([pair[0] for _, pair in pairs]))
        values.frombytes(b"".join([pair[1] for _, pair in pairs]))
        return in_order(at, values)
    return _merged(sorted(pairs, key=lambda each: each[0].step))


def _merged(pairs: Iterable[tuple[Block, tuple[bytes, bytes]]]) -> Values:
    """One series of blocks of several steps, the finer first."""
    found: dict[float, float] = {}
    finer: set[int] = set()
    for of, pair in pairs:
        here = list(zip(array("d", pair[0]), array("d", pair[1]), strict=True))
        if of.step:
            here = [(at, value) for at, value in here if int(at // 60) not in finer]
        finer.update([int(at // 60) for at, _ in here] if of.step else [of.start // 60])
        found.update(here)
    return array("d", sorted(found)), array("d", [found[each] for each in sorted(found)])


def in_order(at: array[float], values: array[float]) -> Values:
    """The pair with its times ascending, each once."""
    if all(map(lt, at, at[1:])):
        return at, values
    pairs = dict(zip(at, values, strict=True))
    return array("d", sorted(pairs)), array("d", [pairs[each] for each in sorted(pairs)])


def between(series: Values, start: float, end: float) -> Values:
    """What of a series lies after `start`, up to `end`."""
    at, values = series
    low, high = bisect_right(at, start), bisect_right(at, end)
    return at[low:high], values[low:high]


def thinned(blocks: Sequence[Block], step: int) -> Points:
    """The series of blocks with one mean for each `step` seconds, at the last moment that it stands for."""
    keys = dict.fromkeys(key for each in blocks for key in each.places)
    return {key: _thin(joined(blocks, key), step) for key in keys}


def _thin(series: Values, step: int) -> Values:
    at, values = array("d"), array("d")
    place, length = 0, len(series[0])
    while place < length:
        bucket = series[0][place] // step
        end = place
        while end < length and series[0][end] // step == bucket:
            end += 1
        measured = [each for each in series[1][place:end] if not math.isnan(each)]
        at.append(series[0][end - 1])
        values.append(sum(measured) / len(measured) if measured else math.nan)
        place = end
    return at, values
