"""Signals over time on disk: a block a panel and stretch of time, so that an hour's sparklines are read in milliseconds.

A minute's values in full, later an hour's with one mean a minute, then a day's with one each ten minutes. Times and values are
doubles; series that were measured at the same moments (a probe's) share them.
"""

from __future__ import annotations

import math
import zlib
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence

import msgspec
from msgspec import Struct

from .frame import Unreadable

VERSION = 1
Values = tuple["array[float]", "array[float]"]
"""Times (UTC seconds) and values of one signal, oldest first; NaN where nothing was measured."""
Points = dict[str, Values]
"""By signal key."""
Packed = dict[str, tuple[bytes, bytes]]
"""The same, still as bytes: a series is only looked at when somebody draws it."""

_decoder = msgspec.msgpack.Decoder(list[tuple[bytes, dict[str, bytes]]])


class Block(Struct, frozen=True):
    """The values of one panel from `start` (UTC seconds) on; `step` is how many seconds a value stands for, 0 in full."""

    start: int
    step: int
    series: Packed


def written(points: Mapping[str, Values]) -> bytes:
    """A block as bytes."""
    groups: dict[bytes, dict[str, bytes]] = {}
    for key, (at, values) in points.items():
        groups.setdefault(at.tobytes(), {})[key] = values.tobytes()
    return zlib.compress(msgspec.msgpack.encode(list(groups.items())), 1)


def read(version: int, data: bytes) -> Packed:
    """A block's series. Raises Unreadable."""
    if version != VERSION:
        raise Unreadable(f"version {version}")
    try:
        groups = _decoder.decode(zlib.decompress(data))
    except (msgspec.MsgspecError, zlib.error, UnicodeDecodeError) as error:
        raise Unreadable(str(error)) from error
    return {key: (at, values) for at, series in groups for key, values in series.items() if len(at) == len(values)}


def add(points: Points, key: str, at: float, value: float | None) -> None:
    """Appends a value to a series; one that is not newer than the last is the same one, seen again."""
    times, values = points.setdefault(key, (array("d"), array("d")))
    if not times or at > times[-1]:
        times.append(at)
        values.append(math.nan if value is None else value)


def joined(blocks: Sequence[Block], key: str) -> Values:
    """One series over several blocks, which stand in order of time. Where blocks of two steps cover a moment, the finer one
    counts."""
    pairs = [(block, block.series[key]) for block in blocks if key in block.series]
    if all(block.step == 0 for block, _ in pairs):
        at, values = array("d"), array("d")
        at.frombytes(b"".join(pair[0] for _, pair in pairs))
        values.frombytes(b"".join(pair[1] for _, pair in pairs))
        return in_order(at, values)
    return _merged(sorted(pairs, key=lambda each: each[0].step))


def _merged(pairs: Iterable[tuple[Block, tuple[bytes, bytes]]]) -> Values:
    """One series of blocks of several steps, the finer first."""
    found: dict[float, float] = {}
    finer: set[int] = set()
    for block, pair in pairs:
        here = list(zip(array("d", pair[0]), array("d", pair[1]), strict=True))
        if block.step:
            here = [(at, value) for at, value in here if int(at // 60) not in finer]
        finer.update([int(at // 60) for at, _ in here] if block.step else [block.start // 60])
        found.update(here)
    return array("d", sorted(found)), array("d", [found[each] for each in sorted(found)])


def in_order(at: array[float], values: array[float]) -> Values:
    """The pair with its times ascending, each once."""
    if sorted(set(at)) == at.tolist():
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
    keys = dict.fromkeys(key for block in blocks for key in block.series)
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
