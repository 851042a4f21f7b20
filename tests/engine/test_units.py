"""Quantities: typed with their unit, kept in base units, shown the same everywhere."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tui.engine.units import (
    Unit,
    parse_duration,
    parse_quantity,
    parse_ratio,
    parse_size,
    show,
    show_count,
    show_duration,
    show_latency,
    show_rate,
    show_ratio,
    show_size,
)

SHOWS: list[Callable[[float | None], str]] = [show_duration, show_latency, show_ratio, show_size, show_rate, show_count]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("5s", 5), ("250ms", 0.25), ("4m12s", 252), ("1.5h", 5400), ("24h", 86_400), ("1d 2h", 93_600), ("2w", 1_209_600)],
)
def test_durations_are_typed_with_their_unit(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("value", [5, 0.5, True, "5", "", "s", "5 parsecs", "5s?", "-5s", None, [], "5s5"])
def test_what_is_no_duration_says_what_to_write(value: object) -> None:
    with pytest.raises(ValueError, match=r'"5s"|write "'):
        parse_duration(value)


def test_a_bare_number_is_told_its_unit() -> None:
    with pytest.raises(ValueError, match='write "5s" or "5m"'):
        parse_duration(5)
    with pytest.raises(ValueError, match='write "256 MB"'):
        parse_size(256)
    with pytest.raises(ValueError, match='write "5 %"'):
        parse_ratio(5)


@pytest.mark.parametrize(("value", "ratio"), [("5 %", 0.05), ("0.1%", 0.001), (0.05, 0.05), (1, 1), (0, 0), ("100 %", 1)])
def test_ratios(value: object, ratio: float) -> None:
    assert parse_ratio(value) == pytest.approx(ratio)


@pytest.mark.parametrize("value", ["5", -0.1, 1.5, True, None, math.nan, math.inf, "% 5", "five %"])
def test_what_is_no_ratio(value: object) -> None:
    with pytest.raises(ValueError, match="ratio"):
        parse_ratio(value)


@pytest.mark.parametrize(
    ("text", "size"), [("256 MB", 256_000_000), ("1 GiB", 1 << 30), ("4.1gb", 4_100_000_000), ("0 B", 0), ("8KiB", 8192)]
)
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("value", ["256", "MB", "-1 MB", "1 XB", True, None])
def test_what_is_no_size(value: object) -> None:
    with pytest.raises(ValueError, match="size"):
        parse_size(value)


@pytest.mark.parametrize(
    ("value", "unit", "base"),
    [
        ("2s", "s", 2),
        ("5 %", "ratio", 0.05),
        ("1 GB", "bytes", 1e9),
        ("42/min", "1/s", 0.7),
        ("10 / s", "1/s", 10),
        (3, "count", 3),
    ],
)
def test_a_threshold_is_typed_in_its_signal_s_unit(value: object, unit: Unit, base: float) -> None:
    assert parse_quantity(value, unit) == pytest.approx(base)


@pytest.mark.parametrize(
    ("value", "unit"),
    [
        ("5 %", "s"),
        (5, "s"),
        ("2s", "ratio"),
        (10, "1/s"),
        ("2s", "count"),
        (True, "count"),
        (math.nan, "count"),
        (math.inf, "count"),
    ],
)
def test_a_threshold_in_another_unit_is_a_mistake(value: object, unit: Unit) -> None:
    with pytest.raises(ValueError, match=r"expected|needs|ratio"):
        parse_quantity(value, unit)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0s"),
        (0.9, "0s"),
        (58, "58s"),
        (60, "1m00s"),
        (252, "4m12s"),
        (3600, "1h00m"),
        (7500, "2h05m"),
        (86_400, "1d"),
        (93_600, "1d2h"),
        (-5, "0s"),
        (None, "–"),
    ],
)
def test_a_duration_reads_the_same_everywhere(seconds: float | None, shown: str) -> None:
    assert show_duration(seconds) == shown


@pytest.mark.parametrize(
    ("ratio", "digits", "shown"),
    [
        (0.062, 1, "6.2 %"),
        (0, 1, "0.0 %"),
        (1, 1, "100.0 %"),
        (0.99999, 1, "99.9 %"),
        (0.99996, 2, "99.99 %"),
        (0.00001, 1, "<0.1 %"),
        (0.995, 0, "99 %"),
        (0.001, 0, "<1 %"),
        (1.5, 0, "150 %"),
    ],
)
def test_what_is_not_quite_all_or_nothing_never_rounds_to_it(ratio: float, digits: int, shown: str) -> None:
    assert show_ratio(ratio, digits) == shown


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (1.42, "s", "1,420 ms"),
        (0.0004, "s", "<1 ms"),
        (0, "s", "0 ms"),
        (252, "s", "4m12s"),
        (4.1e9, "bytes", "4.1 GB"),
        (182e6, "bytes", "182 MB"),
        (999, "bytes", "999 B"),
        (152.4, "1/s", "152 /s"),
        (3.14, "1/s", "3.1 /s"),
        (0.7, "1/s", "42 /min"),
        (0.01, "1/s", "0.6 /min"),
        (0.0001, "1/s", "<0.1 /min"),
        (0, "1/s", "0.0 /s"),
        (2400, "count", "2,400"),
        (2.5, "count", "2.5"),
    ],
)
def test_shown_in_words_of_its_unit(value: float, unit: Unit, shown: str) -> None:
    assert show(value, unit) == shown


@pytest.mark.parametrize("shows", SHOWS)
@pytest.mark.parametrize("value", [None, math.nan, math.inf, -math.inf])
def test_what_was_not_measured_is_no_figure(shows: Callable[[Any], str], value: float | None) -> None:
    assert shows(value) == "–"


@given(st.floats(0, 1e9))
def test_a_duration_shown_can_be_typed(seconds: float) -> None:
    shown = parse_duration(show_duration(seconds))
    assert shown <= seconds
    assert seconds - shown < (3600 if seconds >= 86_400 else 60 if seconds >= 3600 else 1)


@given(st.floats(0, 1e12), st.sampled_from(SHOWS))
@example(100_000.0, show_latency)
def test_no_figure_is_too_wide_for_its_column(value: float, shows: Callable[[float | None], str]) -> None:
    if shows in (show_size, show_ratio) or value < 1e6:
        assert len(shows(value if shows is not show_ratio else value / 1e12)) <= 13


@given(st.floats(1e-12, 1, exclude_max=True))
def test_a_share_that_is_something_is_never_shown_as_nothing_or_all(ratio: float) -> None:
    assert show_ratio(ratio) not in ("0.0 %", "100.0 %")
