"""Who is to answer, until when, and who is called then: rotation, the escalation clock, maintenance windows."""

from __future__ import annotations

import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.clocks import START
from tests.engine.some_alerts import alert
from tui.engine.alert import Alert, Severity
from tui.engine.escalation import Duty, Escalation, PagedAt, Patience, clocks, in_few_words, in_words, to_page
from tui.engine.maintenance import Weekly, Window, in_force
from tui.engine.rotation import Rotation, Turn, on_call
from tui.engine.text import Shown

BERLIN = ZoneInfo("Europe/Berlin")
WEEKS = Rotation((Turn("anna", "ben"), Turn("kim", "lee"), Turn("max")), "2026-03-16", 9 * 60, "Europe/Berlin")


def berlin(text: str) -> float:
    return datetime.datetime.fromisoformat(text).replace(tzinfo=BERLIN).timestamp()


# --- rotation --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "who"),
    [
        ("2026-03-16 09:00", ("anna", "ben")),
        ("2026-03-16 08:59", ("max", "")),  # before the anchor the weeks take turns as well
        ("2026-03-23 08:59", ("anna", "ben")),
        ("2026-03-23 09:00", ("kim", "lee")),
        ("2026-03-30 08:59", ("kim", "lee")),  # the clocks changed on the 29th: the hand-over is at nine all the same
        ("2026-03-30 09:00", ("max", "")),
        ("2026-04-06 09:00", ("anna", "ben")),
    ],
)
def test_weeks_take_turns_by_the_wall_clock(at: str, who: tuple[str, str]) -> None:
    shift = on_call(WEEKS, berlin(at))
    assert shift is not None
    assert (shift.primary, shift.backup) == who
    assert shift.since <= berlin(at) < shift.until


def test_the_week_in_which_clocks_change_is_an_hour_shorter() -> None:
    shift = on_call(WEEKS, berlin("2026-03-27 12:00"))
    assert shift is not None
    assert shift.until - shift.since == 7 * 86400 - 3600


@given(st.floats(berlin("2020-01-01"), berlin("2035-01-01")), st.integers(0, 1439))
def test_somebody_is_always_on_call_and_shifts_meet(at: float, hour: int) -> None:
    rotation = Rotation(WEEKS.turns, WEEKS.anchor, hour, WEEKS.zone)
    shift = on_call(rotation, at)
    assert shift is not None
    assert shift.since <= at < shift.until
    after = on_call(rotation, shift.until)
    assert after is not None
    assert after.since == shift.until


@pytest.mark.parametrize(("hour", "day"), [(150, "2026-10-25"), (150, "2026-03-29")], ids=["twice", "not at all"])
def test_a_hand_over_in_the_hour_in_which_clocks_change_happens_once(hour: int, day: str) -> None:
    rotation = Rotation((Turn("anna"), Turn("kim")), "2026-03-22", hour, "Europe/Berlin")
    began = berlin(f"{day} 00:00")
    on = [shift.primary for minute in range(0, 360, 5) if (shift := on_call(rotation, began + minute * 60))]
    assert sum(before != after for before, after in pairwise(on)) == 1, on


def test_nobody_is_on_call_where_nobody_is_named() -> None:
    assert on_call(Rotation((), "2026-03-16"), START) is None


# --- the clock -------------------------------------------------------------------------------------------------------------


def clock(
    seconds: float, one: Alert | None = None, paged: PagedAt | None = None, duty: Duty | None = None
) -> tuple[Escalation, str, str]:
    """The one alert's clock so many seconds after START: itself, its state and its words."""
    alerts = [one or alert("errors", severity="P0")]
    (found,) = clocks(alerts, duty or Duty(), lambda each: paged, START + seconds)
    return found, found.state(START + seconds), in_words(found, START + seconds)


@pytest.mark.parametrize(
    ("seconds", "state", "says"),
    [
        (0, "waiting", "not acked · backup due in 15m"),
        (119, "waiting", "not acked · backup due in 14m"),
        (120, "overdue", "not acked · backup due in 13m"),
        (841, "overdue", "not acked · backup due in 59s"),
        (900, "due", "not acked · backup due now"),
    ],
)
def test_a_p0_is_acknowledged_in_two_minutes_or_the_backup_is_due_in_fifteen(seconds: int, state: str, says: str) -> None:
    assert clock(seconds)[1:] == (state, says)


@pytest.mark.parametrize(
    ("seconds", "severity", "says"),
    [
        (0, "P1", "not acked · backup due in 30m"),
        (0, "P2", "not acked · 2h00m left"),
        (7199, "P2", "not acked · 1s left"),
        (7300, "P2", "not acked · overdue 1m"),
        (0, "P3", "not acked · 1d left"),
    ],
)
def test_the_milder_the_longer(seconds: int, severity: Severity, says: str) -> None:
    assert clock(seconds, alert("errors", severity=severity))[2] == says


def test_it_runs_from_when_an_answer_is_wanted() -> None:
    came_back = alert("errors", severity="P0", asked_at=START + 600)
    assert clock(600, came_back)[2] == "not acked · backup due in 15m"


def test_what_is_answered_silenced_or_pending_has_none() -> None:
    quiet = [alert("a", acked_by="anna"), alert("b", silenced=Shown("by anna"))]
    quiet += [alert("c", state="pending"), alert("d", state="resolved")]
    assert clocks(quiet, Duty(), lambda each: None, START) == ()


def test_who_is_called_is_named_by_the_rotation() -> None:
    found, _, says = clock(0, duty=Duty(rotation=Rotation((Turn("anna", "ben"),), "2026-03-16")))
    assert (found.person, found.whom, says) == ("ben", "ben (backup)", "not acked · ben (backup) due in 15m")
    alone = clock(0, duty=Duty(rotation=Rotation((Turn("anna"),), "2026-03-16")))
    assert (alone[0].person, alone[0].whom) == ("anna", "anna (primary)")


def test_once_somebody_was_called_it_says_so() -> None:
    found, state, says = clock(960, paged=PagedAt(START + 900, "ben", True))
    assert (found.paged_at, state, says) == (START + 900, "paged", "not acked · ben paged 1m ago")


def test_where_nobody_was_reached_it_says_that_and_goes_on_counting() -> None:
    failed = PagedAt(START + 60, "ben", False, Shown("ben: NOT told by sms (HTTP 500)"))
    assert clock(100, paged=failed)[1:] == ("waiting", "not acked · backup NOT reached · due in 14m")
    assert clock(901, paged=failed)[1:] == ("due", "not acked · backup NOT reached")


def test_where_only_some_channels_told_them_it_says_which_and_goes_on() -> None:
    half = PagedAt(START + 900, "ben", True, Shown("ben: told by slack; NOT told by sms"), ("slack",), ("sms", "mail"))
    found, state, says = clock(960, paged=half)
    assert (found.paged_at, state, says) == (None, "due", "not acked · ben paged by slack, NOT by sms, mail")
    assert clock(100, paged=half)[2] == "not acked · ben paged by slack, NOT by sms, mail · due in 14m"
    assert to_page([clock(960, paged=half, duty=Duty(page=True))[0]], START + 960), "the others are tried again"


NOBODY = PagedAt(START, "ben", True, Shown("ben: NOT told by sms (HTTP 500)"))
SOME = PagedAt(START, "ben", True, Shown("ben: told by slack; NOT told by sms"), ("slack",), ("sms",))


@pytest.mark.parametrize(
    ("seconds", "severity", "paged", "says"),
    [
        (0, "P0", None, "due in 15m"),
        (901, "P0", None, "due now"),
        (0, "P2", None, "2h00m left"),
        (7300, "P2", None, "overdue 1m"),
        (52_000, "P2", None, "overdue 12h"),
        (400_000, "P2", None, "overdue 4d"),
        (3599, "P0", PagedAt(START, "ben", True), "paged 59m ago"),
        (90_000, "P0", PagedAt(START, "ben", True), "paged 25h ago"),
        (100, "P0", NOBODY, "NOT reached"),
        (901, "P0", NOBODY, "NOT reached"),
        (100, "P0", SOME, "paged in part"),
    ],
)
def test_where_there_is_little_room_the_same_is_told_in_few_words(
    seconds: int, severity: Severity, paged: PagedAt | None, says: str
) -> None:
    found, *_ = clock(seconds, alert("errors", severity=severity), paged=paged)
    assert in_few_words(found, START + seconds) == says and len(says) <= 13


@pytest.mark.parametrize(
    ("page", "seconds", "paged", "calls"),
    [
        (True, 900, None, 1),
        (False, 900, None, 0),
        (True, 899, None, 0),
        (True, 900, PagedAt(START + 5, "ben", False), 0),
        (True, 900, PagedAt(START + 5, "ben", False, Shown("ben: NOT told by sms")), 1),
    ],
)
def test_it_calls_by_itself_only_where_the_config_says_so(page: bool, seconds: int, paged: PagedAt | None, calls: int) -> None:
    found, *_ = clock(seconds, paged=paged, duty=Duty(page=page))
    assert len(to_page([found], START + seconds)) == calls


def test_a_severity_may_have_clocks_of_its_own_or_none() -> None:
    never = Duty({**Duty().patience, "P0": Patience(60.0)})
    assert clock(61, duty=never)[1:] == ("overdue", "not acked · overdue 1s")


# --- maintenance -----------------------------------------------------------------------------------------------------------


def test_a_window_that_is_once() -> None:
    window = Window(("api",), START, START + 60)
    assert [window.now(START + at) is not None for at in (-1, 0, 59, 60)] == [False, True, True, False]


NIGHTLY = Window((), weekly=Weekly((5,), 23 * 60, 60, "Europe/Berlin"))
"""Saturdays from 23:00 until 01:00 the next day."""


@pytest.mark.parametrize(
    ("at", "within"),
    [
        ("2026-11-21 22:59", False),
        ("2026-11-21 23:00", True),
        ("2026-11-22 00:59", True),
        ("2026-11-22 01:00", False),
        ("2026-11-22 23:30", False),
    ],
)
def test_a_weekly_window_may_go_over_midnight(at: str, within: bool) -> None:
    assert (NIGHTLY.now(berlin(at)) is not None) is within


def test_in_the_night_the_clocks_change_a_window_keeps_to_the_wall() -> None:
    span = Window((), weekly=Weekly((6,), 60, 5 * 60, "Europe/Berlin")).now(berlin("2026-03-29 04:30"))
    assert span == (berlin("2026-03-29 01:00"), berlin("2026-03-29 05:00"))
    assert span[1] - span[0] == 3 * 3600, "an hour of that night did not happen"


@pytest.mark.parametrize(
    ("begins", "ends", "span"),
    [
        (150, 195, ("03:00", "03:15")),  # 02:30 is skipped: at once after it
        (150, 165, ("03:00", "03:15")),  # and so is 02:45: as long as it is written
        (90, 150, ("01:30", "03:00")),
        (120, 180, ("03:00", "04:00")),
    ],
)
def test_a_window_that_begins_in_the_skipped_hour_begins_after_it(begins: int, ends: int, span: tuple[str, str]) -> None:
    window = Window((), weekly=Weekly((6,), begins, ends, "Europe/Berlin"))
    since, until = (berlin(f"2026-03-29 {at}") for at in span)
    assert window.now(since) == (since, until) and window.now(since - 1) is None and window.now(until) is None


def test_a_window_that_begins_in_the_doubled_hour_begins_once() -> None:
    window = Window((), weekly=Weekly((6,), 150, 165, "Europe/Berlin"))
    first = berlin("2026-10-25 02:30")
    assert window.now(first) == (first, first + 900)
    assert window.now(first + 3600) is None, "the wall clock says 02:30 again"


def _changes(zone: ZoneInfo) -> list[int]:
    """The moments of some years at which a zone's clocks change, in UTC seconds."""

    def offset(at: int) -> datetime.timedelta | None:
        return datetime.datetime.fromtimestamp(at, zone).utcoffset()

    found = []
    for day in range(1_704_067_200, 1_830_297_600, 86400):
        low, high = day, day + 86400
        if offset(low) != offset(high):
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if offset(middle) == offset(low) else (low, middle)
            found.append(high)
    return found


ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Havana", "Asia/Beirut", "Africa/Casablanca"]
"""By an hour and by half of one, at night and at midnight, forth and back."""
CHANGES = [(zone, at) for zone in ZONES for at in _changes(ZoneInfo(zone))]


@given(change=st.sampled_from(CHANGES), before=st.integers(-100, 160), lasts=st.integers(1, 200))
def test_on_the_night_of_a_change_each_window_comes_once(change: tuple[str, int], before: int, lasts: int) -> None:
    """It begins with the first minute whose wall clock has come to its beginning, and is not over before its end has come."""
    name, at = change
    zone = ZoneInfo(name)
    begins = datetime.datetime.fromtimestamp(at - 60, zone).replace(tzinfo=None) - datetime.timedelta(minutes=before)
    ends = begins + datetime.timedelta(minutes=lasts)
    minutes = [each.hour * 60 + each.minute for each in (begins, ends)]
    window = Window((), weekly=Weekly((begins.weekday(),), minutes[0], minutes[1] or 1440, name))
    night = range(at - 6 * 3600, at + 12 * 3600, 60)
    wall = {each: datetime.datetime.fromtimestamp(each, zone).replace(tzinfo=None) for each in night}
    within = [each for each in night if window.now(each)]
    assert within == list(range(within[0], within[-1] + 60, 60)), "once"
    assert within[0] == next(each for each in night if wall[each] >= begins)
    over = next(each for each in night if wall[each] >= ends)
    assert within[-1] + 60 == (over if over > within[0] else within[0] + 60 * lasts)


def test_when_a_window_was_last_over() -> None:
    once = Window((), START, START + 60)
    assert [once.ended(START + at) for at in (0, 59, 60, 9e9)] == [None, None, START + 60, START + 60]
    over = berlin("2026-11-22 01:00")
    assert NIGHTLY.ended(over) == NIGHTLY.ended(berlin("2026-11-28 23:30")) == over
    assert NIGHTLY.ended(over - 1) == over - 7 * 86400


def test_of_several_windows_the_longest_is_said() -> None:
    short, long = Window((), START, START + 60), Window(("api",), START, START + 600)
    assert in_force([short, long], "api", START) == (long, (START, START + 600))
    assert in_force([short, long], "web", START) == (short, (START, START + 60))
    assert in_force([long], "web", START) is None
