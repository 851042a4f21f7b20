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
from itertools import pairwise
from operator import lt

import msgspec
from msgspec import Struct

from .decoding import decoder
from .frame import Unreadable, encoded

VERSION = 1
Values = tuple["array[float]", "array[float]"]
"""Times (UTC seconds) and values of one signal, oldest first; NaN where nothing was measured."""
Points = dict[str, Values]
"""By signal key."""


class Groups(Struct, frozen=True, array_like=True):
    """A block as it is written: `names` are the keys of each group, packed; each group has two `parts`: its times, and its
    series' values, one after the other."""

    names: bytes
    parts: list[bytes]


_decoder = decoder(Groups)
_names = decoder(list[list[str]])


class Block(Struct, frozen=True):
    """The values of one panel from `start` (UTC seconds) on; `step` is how many seconds a value stands for, 0 in full.

    Still as bytes: a series is only looked at when somebody draws it.
    """

    start: int
    step: int
    places: Mapping[str, tuple[int, int]] = {}
    """By key, where its group begins in `parts`, and its place there."""
    parts: Sequence[bytes] = ()


def written(points: Mapping[str, Values]) -> bytes:
    """A block as bytes."""
    groups: dict[bytes, list[str]] = {}
    for key, (at, _) in points.items():
        groups.setdefault(at.tobytes(), []).append(key)
    parts: list[bytes] = []
    for times, keys in groups.items():
        parts += times, b"".join([points[key][1].tobytes() for key in keys])
    return zlib.compress(encoded(Groups(encoded(list(groups.values())), parts)), 1)


def block(start: int, step: int, version: int, data: bytes) -> Block:
    """A block from its bytes. Raises Unreadable."""
    if version != VERSION:
        raise Unreadable(f"version {version}")
    try:
        found = _decoder.decode(zlib.decompress(data))
        places = _places(found.names)
    except (msgspec.MsgspecError, zlib.error, UnicodeDecodeError) as error:
        raise Unreadable(str(error)) from error
    return Block(start, step, places, found.parts)


def in_memory(start: int, points: Mapping[str, Values]) -> Block:
    """A block of values that are not on disk as one yet."""
    places = {key: (2 * place, 0) for place, key in enumerate(points)}
    return Block(start, 0, places, [part.tobytes() for pair in points.values() for part in pair])


@lru_cache(maxsize=64)
def _places(names: bytes) -> dict[str, tuple[int, int]]:
    """Where each series stands. Raises msgspec's errors."""
    return {key: (2 * group, place) for group, keys in enumerate(_names.decode(names)) for place, key in enumerate(keys)}


def add(points: Points, key: str, at: float, value: float | None) -> None:
    """Appends a value to a series; one that is not newer than the last is the same one, seen again."""
    times, values = points.setdefault(key, (array("d"), array("d")))
    if not times or at > times[-1]:
        times.append(at)
        values.append(math.nan if value is None else value)


SPANS = {0: 60, 60: 3600, 600: 86400}
"""How many seconds a block covers, by its step."""


def apart(blocks: Sequence[Block]) -> bool:
    """Whether no two blocks, in order of their starts, cover the same moment: else some of it is pinned."""
    return all(each.start + SPANS[each.step] <= later.start for each, later in pairwise(blocks))


def joined(blocks: Sequence[Block], key: str, are_apart: bool | None = None) -> Values:
    """One series over several blocks, in order of their starts. Where blocks of two steps cover a moment, the finer one
    counts; who has looked already says whether they are `apart`."""
    if not (apart(blocks) if are_apart is None else are_apart):
        return _merged(sorted(blocks, key=lambda each: each.step), key)
    pairs = _pairs(blocks, key)
    at, values = array("d"), array("d")
    at.frombytes(b"".join([times for _, times, _ in pairs]))
    values.frombytes(b"".join([each for _, _, each in pairs]))
    return in_order(at, values)


def _pairs(blocks: Iterable[Block], key: str) -> list[tuple[Block, bytes, bytes]]:
    """One signal's times and values in each block that has it. Most blocks share one table of what stands where."""
    found = []
    places: Mapping[str, tuple[int, int]] | None = None
    place: tuple[int, int] | None = None
    for each in blocks:
        if each.places is not places:
            places = each.places
            place = places.get(key)
        if place is not None:
            at = each.parts[place[0]]
            size = len(at)
            found.append((each, at, each.parts[place[0] + 1][place[1] * size : (place[1] + 1) * size]))
    return found


def _merged(blocks: Iterable[Block], key: str) -> Values:
    """One series of blocks of several steps, the finer first."""
    at, values = array("d"), array("d")
    finer: set[int] = set()
    for each, *pair in _pairs(blocks, key):
        times, here = array("d", pair[0]), array("d", pair[1])
        if each.step:
            left = [place for place, moment in enumerate(times) if int(moment // 60) not in finer]
            times, here = array("d", [times[place] for place in left]), array("d", [here[place] for place in left])
        finer.update([int(moment // 60) for moment in times] if each.step else [each.start // 60])
        at.extend(times)
        values.extend(here)
    return in_order(at, values)


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
    ordered = sorted(blocks, key=lambda each: each.start)
    return {key: _thin(joined(ordered, key), step) for key in keys}


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
