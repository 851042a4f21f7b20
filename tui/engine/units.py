"""Quantities: how they are typed in the config, kept (base units) and shown.

Base units are seconds, bytes, ratios (0-1), per second and plain counts. Every figure on screen and in messages goes
through `show`, so that a duration reads the same everywhere: `58s`, `4m12s`, `1d2h`.
"""

from __future__ import annotations

import math
import re
from functools import lru_cache
from typing import Annotated, Literal

from pydantic import BeforeValidator, WithJsonSchema

from .text import Shown

Unit = Literal["s", "bytes", "ratio", "1/s", "count"]
"""The base units. `count` is a number of things; anything without a unit is a count."""

NOT_MEASURED = Shown("–")

_DURATION = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_SIZE = {
    "b": 1,
    "kb": 10**3,
    "mb": 10**6,
    "gb": 10**9,
    "tb": 10**12,
    "kib": 2**10,
    "mib": 2**20,
    "gib": 2**30,
    "tib": 2**40,
}
_DURATION_PART = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w)")
_SIZE_WHOLE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]?i?b)\s*", re.I)


def parse_duration(text: object) -> float:
    """Seconds in `"5s"`, `"4m12s"`, `"1.5h"`. Raises ValueError, saying what to write, for anything else."""
    if isinstance(text, (int, float)) and not isinstance(text, bool):
        raise ValueError(f'a duration needs a unit: write "{text:g}s" or "{text:g}m"')
    if isinstance(text, str):
        parts = _DURATION_PART.findall(text)
        if parts and not _DURATION_PART.sub("", text).strip():
            return sum(float(number) * _DURATION[unit] for number, unit in parts)
    raise ValueError('expected a duration such as "5s", "10m" or "24h"')


SHORTEST = 0.1
"""Seconds below which nothing is asked again, nor given time to answer."""


def parse_interval(text: object) -> float:
    """Like `parse_duration`, but long enough to poll by. Raises ValueError."""
    seconds = parse_duration(text)
    if seconds < SHORTEST:
        raise ValueError(f'too short to ask by: expected "{SHORTEST * 1000:.0f}ms" at least, found "{text}"')
    return seconds


def parse_ratio(value: object) -> float:
    """A ratio in `"5 %"` or `0.05`. Raises ValueError for anything else, also for a bare number above 1."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if 0 <= value <= 1:
            return float(value)
        raise ValueError(f'a ratio is 0 to 1, or a share with its sign: write "{value:g} %"')
    if isinstance(value, str) and (found := re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*%\s*", value)):
        return float(found.group(1)) / 100
    raise ValueError('expected a ratio such as "5 %" or 0.05')


def parse_size(value: object) -> int:
    """Bytes in `"256 MB"` or `"1 GiB"`. Raises ValueError, naming the unit, for anything else."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        raise ValueError(f'a size needs a unit: write "{value:g} MB"')
    if isinstance(value, str) and (found := _SIZE_WHOLE.fullmatch(value)):
        return round(float(found.group(1)) * _SIZE[found.group(2).lower()])
    raise ValueError('expected a size such as "256 MB" or "1 GiB"')


def parse_quantity(value: object, unit: Unit) -> float:
    """A threshold as typed in a rule, in the signal's base unit. Raises ValueError when the unit does not fit."""
    match unit:
        case "s":
            return parse_duration(value)
        case "ratio":
            return parse_ratio(value)
        case "bytes":
            return float(parse_size(value))
        case "1/s":
            if isinstance(value, str) and (found := re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*/\s*(s|min|h)\s*", value)):
                return float(found.group(1)) / {"s": 1, "min": 60, "h": 3600}[found.group(2)]
            raise ValueError('expected a rate such as "10/s" or "42/min"')
        case "count":
            if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
                return float(value)
            raise ValueError("expected a plain number")


Duration = Annotated[
    float,
    BeforeValidator(parse_duration),
    WithJsonSchema({"type": "string", "pattern": r"^\d", "examples": ["5s", "10m", "24h"]}),
]
"""Seconds; typed `"5s"`, `"10m"`, `"24h"`."""
Interval = Annotated[
    float,
    BeforeValidator(parse_interval),
    WithJsonSchema({"type": "string", "pattern": r"^\d", "examples": ["5s", "1m"]}),
]
"""Seconds, 0.1 at least: how often something is asked, or how long an answer may take."""
Ratio = Annotated[
    float, BeforeValidator(parse_ratio), WithJsonSchema({"type": ["string", "number"], "examples": ["5 %", 0.05]})
]
"""0 to 1; typed `"5 %"` or `0.05`."""
Size = Annotated[int, BeforeValidator(parse_size), WithJsonSchema({"type": "string", "examples": ["256 MB"]})]
"""Bytes; typed `"256 MB"`."""


def show_duration(seconds: float | None) -> Shown:
    """`58s`, `4m12s`, `2h05m`, `1d2h`; `–` where it was not measured.

    Never negative: clocks differ, but ages do not run backwards.
    """
    if seconds is None or not math.isfinite(seconds):
        return NOT_MEASURED
    whole = max(0, int(seconds))
    minutes, second = divmod(whole, 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    if days:
        return Shown(f"{days}d{hour}h" if hour else f"{days}d")
    if hours:
        return Shown(f"{hours}h{minute:02d}m")
    return Shown(f"{minutes}m{second:02d}s" if minutes else f"{second}s")


HOURS = 10_000.0
"""Seconds from which no latency is told in milliseconds."""


def show_latency(seconds: float | None) -> Shown:
    """A response time in whole milliseconds, `1,420 ms`: the one unit of latency columns, so that they compare at a glance.
    Hours are told as a duration: no column holds so many milliseconds."""
    if seconds is None or not math.isfinite(seconds):
        return NOT_MEASURED
    if seconds >= HOURS:
        return show_duration(seconds)
    milliseconds = seconds * 1000
    return Shown(f"{milliseconds:,.0f} ms" if milliseconds >= 1 or milliseconds == 0 else "<1 ms")


def show_ratio(ratio: float | None, digits: int = 1) -> Shown:
    """A share in percent, `6.2 %`. What is not quite all or not quite nothing never rounds to 100 or 0."""
    if ratio is None or not math.isfinite(ratio):
        return NOT_MEASURED
    step = 10.0**-digits
    percent = round(ratio * 100, digits)
    if percent >= 100 > ratio * 100:
        percent = 100 - step
    if percent == 0 < ratio:
        return Shown(f"<{step:.{digits}f} %")
    return Shown(f"{percent:.{digits}f} %")


def show_size(size: float | None) -> Shown:
    """Bytes in the decimal unit that keeps two or three digits, `4.1 GB`."""
    if size is None or not math.isfinite(size):
        return NOT_MEASURED
    for unit, factor in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if abs(size) >= factor:
            scaled = size / factor
            return Shown(f"{scaled:.0f} {unit}" if abs(scaled) >= 100 else f"{scaled:.1f} {unit}")
    return Shown(f"{size:.0f} B")


def show_rate(rate: float | None) -> Shown:
    """Events a second, `152 /s`, or a minute where they are rare, `42 /min`."""
    if rate is None or not math.isfinite(rate):
        return NOT_MEASURED
    if rate >= 100:
        return Shown(f"{rate:,.0f} /s")
    if rate >= 1 or rate == 0:
        return Shown(f"{rate:.1f} /s")
    per_minute = rate * 60
    if 0 < per_minute < 0.05:
        return Shown("<0.1 /min")
    return Shown(f"{per_minute:.0f} /min" if per_minute >= 10 else f"{per_minute:.1f} /min")


def show_per_second(rate: float | None) -> Shown:
    """Events a second whatever their rate, `0.1 /s`: the one unit of a column of rates."""
    if rate is None or not math.isfinite(rate):
        return NOT_MEASURED
    if rate >= 100:
        return Shown(f"{rate:,.0f} /s")
    return Shown("<0.1 /s") if 0 < rate < 0.05 else Shown(f"{rate:.1f} /s")


def show_count(number: float | None) -> Shown:
    """A number of things, `2,400`; with one decimal only where it is no whole number."""
    if number is None or not math.isfinite(number):
        return NOT_MEASURED
    return Shown(f"{number:,.0f}" if float(number).is_integer() else f"{number:,.1f}")


def show_many(number: int, what: str) -> Shown:
    """`1 panel`, `2 panels`."""
    return Shown(f"{number} {what}{'' if number == 1 else 's'}")


@lru_cache(maxsize=512)
def show_limit(limit: float, unit: Unit) -> Shown:
    """A threshold as a person would write it: `5 %`, not `5.0 %`."""
    return Shown(f"{limit * 100:g} %") if unit == "ratio" else show(limit, unit)


def show(value: float | None, unit: Unit) -> Shown:
    """A signal's value in words of its unit; latencies (seconds under 10) in ms, longer spans as durations."""
    match unit:
        case "s":
            return show_latency(value) if value is not None and abs(value) < 10 else show_duration(value)
        case "ratio":
            return show_ratio(value)
        case "bytes":
            return show_size(value)
        case "1/s":
            return show_rate(value)
        case "count":
            return show_count(value)
