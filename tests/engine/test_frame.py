"""What changed between two moments, told and taken back: every field of a reading, whatever is in it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tui.engine.frame import VERSION, Batch, Frame, Unreadable, Whole, read, written
from tui.engine.kept import kept
from tui.engine.reading import Change, Failure, Link, Reading, Row, Signal, Status, Theirs, TheirSilence
from tui.engine.step import Probed, Step, step_between, stepped
from tui.engine.text import Shown

SLOWLY = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""Readings have many fields, so they take their time to make."""
KEY = ("panel", "target", "probe")
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12).map(Shown)
NUMBERS = st.floats(allow_nan=False) | st.integers(-(2**63), 2**63 - 1) | st.booleans()
VALUES = st.one_of(st.none(), TEXTS, NUMBERS, st.lists(st.none() | st.floats(allow_nan=False), max_size=3).map(tuple))
LABELS = st.dictionaries(TEXTS, TEXTS, max_size=2).map(lambda found: tuple(sorted(found.items())))
SEVERITY = st.sampled_from(["P0", "P1", "P2", "P3"])


def some(what: st.SearchStrategy[Any], most: int = 3) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(what, max_size=most).map(tuple)


SIGNALS = st.builds(
    Signal,
    st.sampled_from(["up", "latency"]),
    st.none() | st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["s", "count"]),
    LABELS,
)
ROWS = st.lists(
    st.builds(
        Row,
        st.sampled_from(["a", "b", "c", "d"]),
        st.dictionaries(st.sampled_from(["x", "y", "z"]), VALUES),
        st.sampled_from(Status),
        st.none() | TEXTS,
        some(st.builds(Link, TEXTS, TEXTS), 1),
        st.dictionaries(TEXTS, some(TEXTS), max_size=1),
        st.sampled_from(["", "job"]),
    ),
    unique_by=lambda row: row.key,
).map(tuple)
MATCHERS = st.tuples(TEXTS, TEXTS, st.booleans(), st.booleans())
READINGS = st.builds(
    Reading,
    st.just(KEY[0]),
    st.just(KEY[1]),
    st.just(KEY[2]),
    st.floats(0, 2e9),
    st.floats(0, 60),
    st.sampled_from(Status),
    some(SIGNALS),
    ROWS,
    some(st.builds(Change, TEXTS, st.floats(0, 2e9), st.sampled_from(["deployment", "mark"]), TEXTS, TEXTS), 2),
    st.none() | st.builds(Failure, TEXTS, TEXTS, TEXTS, st.booleans(), st.none() | st.floats(0, 60)),
    some(TEXTS, 2),
    some(
        st.builds(
            Theirs, TEXTS, TEXTS, LABELS, SEVERITY, st.sampled_from(["pending", "firing"]), st.floats(0, 2e9), TEXTS, TEXTS
        ),
        1,
    ),
    some(st.builds(TheirSilence, TEXTS, some(MATCHERS, 1), st.floats(0, 2e9), st.floats(0, 2e9), TEXTS, TEXTS), 1),
)
PROBED = st.builds(Probed, st.floats(0.1, 60), st.floats(0.1, 60), READINGS, st.none(), st.just(True), st.booleans(), TEXTS)


@SLOWLY
@given(before=PROBED, now=PROBED)
def test_a_step_leads_from_any_state_to_any_other(before: Probed, now: Probed) -> None:
    row = read(VERSION, False, written(Batch((step_between(0, before, now),))))
    assert isinstance(row, Batch)
    assert stepped(before, row.steps[0], KEY) == now
    assert repr(stepped(before, row.steps[0], KEY).reading) == repr(now.reading)


@SLOWLY
@given(probed=PROBED)
def test_a_full_set_is_read_as_it_was_written(probed: Probed) -> None:
    row = read(VERSION, True, written(Whole(((KEY, probed),))))
    assert isinstance(row, Whole)
    assert row.probes == ((KEY, probed),)


def test_no_field_of_a_reading_is_forgotten() -> None:
    """Whoever adds one must have it told here, in the strategy above and in `Step`."""
    told = set(Step.__struct_fields__) | {"panel", "target", "probe"}
    assert set(Reading.__struct_fields__) <= told
    assert len(Reading.__struct_fields__) == 13


@SLOWLY
@given(before=READINGS, failed=READINGS)
def test_a_failed_poll_keeps_what_was_good_before(before: Reading, failed: Reading) -> None:
    was, now = Probed(1.0, 1.0, before), Probed(1.0, 1.0, failed, before, answered=False)
    assert stepped(was, step_between(0, was, now), KEY) == now


@SLOWLY
@given(first=READINGS, second=READINGS)
def test_what_did_not_change_is_not_looked_at_again(first: Reading, second: Reading) -> None:
    as_written = kept(first)
    assert kept(second, (first, as_written)) == kept(second)
    again = kept(first, (first, as_written))
    assert all(one is other for one, other in zip(again.rows, as_written.rows, strict=True))


@pytest.mark.parametrize(("version", "data"), [(VERSION + 1, b""), (VERSION, b"\xc1"), (VERSION, b"\x81\xa5steps\x93")])
@pytest.mark.parametrize("whole", [True, False])
def test_what_cannot_be_read_says_so(version: int, data: bytes, whole: bool) -> None:
    with pytest.raises(Unreadable):
        read(version, whole, data)


def test_a_row_that_does_not_fit_is_no_crash_of_another_kind() -> None:
    step = step_between(7, Probed(1.0, 1.0), Probed(2.0, 1.0))
    with pytest.raises(LookupError):
        Frame().take(Batch((step,)))
