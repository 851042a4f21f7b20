"""The panel as a person reads it."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from panels.alerts.config import AlertsConfig
from panels.alerts.view import view
from tests.clocks import START
from tests.engine.some_alerts import Facts, alert
from tests.printing import printed
from tui.engine.alert import Alert
from tui.engine.ask import Matcher
from tui.engine.escalation import Duty, PagedAt, clocks
from tui.engine.folds import folded
from tui.engine.history import History
from tui.engine.layout import Room
from tui.engine.panel import Readings
from tui.engine.reading import Status
from tui.engine.silences import Silence
from tui.engine.text import Shown

ERRORS = alert("error rate", -552, "P0", fired_at=START - 252)
CONNECTIONS = alert("connections", -340, "P1", value=0.87, threshold=0.85, acked_by="kim", acked_at=START - 22)
SLOW = alert("slow", -30, "P2", "pending", value=1.2, threshold=1.0, unit="s")
OVER = alert("disk", -4000, "P2", "resolved", ended=START - 60)
LAG: Facts = {"source": "alertmanager", "says": Shown("lag 40s")}
THEIRS = alert("am:1", -5000, "P1", labels={"instance": "db-2"}, rule="Replication lag", target="db-2", **LAG)
TOO = alert("am:2", -4990, "P1", labels={"instance": "db-3"}, rule="Replication lag", target="db-3", **LAG)
MINE = (Matcher("alertname", "slow"),)
SILENCE = Silence("s1", "silence", START - 3600, START + 3600, Shown("kim"), Shown("deploy noise"), MINE)
WINDOW = Silence(
    *("", "maintenance", START - 60, START + 600, Shown(""), Shown("backups")),
    panels=("database",),
    hides=("x",),
    from_config=True,
)


def drawn(width: int, *alerts: Alert, silences: tuple[Silence, ...] = (), **settings: Any) -> str:
    folds = folded(alerts)
    readings = Readings(
        *("alerts", AlertsConfig.model_validate({"kind": "alerts"} | settings), {}),
        folds=folds,
        silences=silences,
        escalations=clocks([each for fold in folds for each in fold.alerts], Duty(), lambda each: None, START),
    )
    return printed(view(readings, History(), Room(width, 18, START)), width)


ALL = (ERRORS, CONNECTIONS, SLOW, OVER, THEIRS, TOO)


def test_at_half_of_120() -> None:
    assert drawn(58, ERRORS, CONNECTIONS) == (
        """\
[2 firing, 1 not acked]
       alert          value             for
 P0 ✖  error rate     6.2 % > 5 %     9m12s  due in 11m
 P1 ✖  connections    87.0 % > 85 %   5m40s  acked 03:11Z"""
    )


def test_at_80_every_section() -> None:
    assert drawn(78, *ALL, silences=(SILENCE, WINDOW)) == (
        """\
[3 firing, 2 not acked, 1 pending]
       alert                        value                   for
 P0 ✖  error rate                   6.2 % > 5 %           9m12s  due in 11m
 P1 ✖  Replication lag db-2     +1  lag 40s               1h23m  due now
 P1 ✖  connections                  87.0 % > 85 %         5m40s  acked 03:11Z
       pending
 P2 ▲  slow                         1,200 ms > 1,000 ms     30s
       over lately
 P2    disk                         was > 5 %             1h05m  over 03:11Z
       silences
       alertname="slow"             hides none            1h00m  until 04:12Z
       maintenance database         hides 1               1m00s  until 03:22Z"""
    )


def test_with_more_room_who_and_why() -> None:
    assert drawn(118, *ALL, silences=(SILENCE, WINDOW)) == (
        """\
[3 firing, 2 not acked, 1 pending]
       alert                                         value                   for
 P0 ✖  error rate                                    6.2 % > 5 %           9m12s  not acked · backup due in 11m
 P1 ✖  Replication lag db-2 · 2 instances: db…   +1  lag 40s               1h23m  not acked · backup due now
 P1 ✖  connections                                   87.0 % > 85 %         5m40s  acked 03:11:50Z kim
       pending
 P2 ▲  slow                                          1,200 ms > 1,000 ms     30s
       over lately
 P2    disk                                          was > 5 %             1h05m  over 03:11:12Z
       silences
       alertname="slow"                              hides none            1h00m  until 04:12:12Z kim: deploy noise
       maintenance database                          hides 1               1m00s  until 03:22:12Z config: backups"""
    )


def test_where_there_is_no_room_what_was_said_stands_in_the_values_place() -> None:
    assert drawn(44, ERRORS, CONNECTIONS) == (
        """\
[2 firing, 1 not acked]
       alert           value             for
 P0 ✖  error rate      6.2 % > 5 %     9m12s
 P1 ✖  connections     acked 03:11Z    5m40s"""
    )


def test_a_name_goes_before_what_was_said_of_it() -> None:
    long = alert("SlowResponseTime", -24, "P0")
    text = drawn(58, long, CONNECTIONS)
    assert "SlowResponseTime" in text and "acked 03:11Z" in text and "…" not in text


def test_a_line_that_came_back_says_by_what() -> None:
    joined = alert("slow", -100, "P2", target="web", came_back=Shown("slow joined"), asked_at=START - 100)
    first = alert("error rate", -552, "P0", target="web", acked_by="kim", acked_at=START - 300)
    (fold,) = folded([first, joined])
    readings = Readings(
        *("alerts", AlertsConfig(kind="alerts"), {}),
        folds=(replace(fold, joined=Shown("slow joined")),),
        escalations=clocks([joined], Duty(), lambda each: None, START),
    )
    (row,) = view(readings, History(), Room(118, 18, START)).rows
    assert row.cells[-1].text == "slow joined · not acked · 1h59m left"


@pytest.mark.parametrize(("width", "says"), [(118, "not acked · ben paged by slack, NOT by sms"), (58, "paged in part")])
def test_who_was_called_by_some_channels_alone_is_not_simply_paged(width: int, says: str) -> None:
    half = PagedAt(START - 60, "ben", True, Shown("ben: told by slack; NOT told by sms"), ("slack",), ("sms",))
    due = clocks([replace(ERRORS, asked_at=START - 1000)], Duty(), lambda each: half, START)
    readings = Readings("alerts", AlertsConfig(kind="alerts"), {}, folds=folded([ERRORS]), escalations=due)
    (row,) = view(readings, History(), Room(width, 18, START)).rows
    assert row.cells[-1].text.startswith(says)


def test_rows_are_the_lines_so_that_keys_act_on_them() -> None:
    folds = folded(ALL)
    rows = view(Readings("alerts", AlertsConfig(kind="alerts"), {}, folds=folds), History(), Room(118, 18, START)).rows
    assert [row.key for row in rows if not row.heading] == [fold.key for fold in folds]


def test_what_cannot_be_measured_says_since_when() -> None:
    assert "unknown 03:12Z" in drawn(118, alert("error rate", -552, unknown_since=START - 10))


def test_maintenance_and_silence_are_said_whole() -> None:
    quiet = Shown("by kim until 04:12:12Z: deploy noise")
    assert "silenced by kim until 04:12:12Z: de" in drawn(118, alert("a", silenced=quiet))
    assert "silenced" in drawn(58, alert("a", silenced=quiet))
    covered = alert("a", silenced=Shown("maintenance until 04:00:00Z: move"), in_maintenance=True)
    assert "maintenance until 04:00:00Z: move" in drawn(118, covered)


def test_calm_is_said_but_only_where_it_was_seen() -> None:
    assert drawn(58) == " nothing fires"
    assert drawn(58, alertmanager="http://alertmanager:9093") == " no answer yet"


@pytest.mark.parametrize("width", [58, 59, 65, 78])
@pytest.mark.parametrize("name", ["BlockedSessions", "IdleInTransaction", "HighErrorRate"])
def test_in_little_room_neither_a_name_nor_what_is_unknown_is_cut(name: str, width: int) -> None:
    one, other = alert(name, -24, "P0", unknown_since=START - 10), alert("other", -24, "P2")
    for alerts in ((one,), (one, other)):
        text = drawn(width, *alerts)
        assert name in text and "unknown 03:12Z" in text and "…" not in text


def test_a_silence_that_ends_another_day_says_which() -> None:
    given = Readings(
        *("alerts", AlertsConfig(kind="alerts"), {}),
        silences=(Silence("s", "silence", START, START + 7 * 86400, Shown("kim"), Shown("moving")),),
    )
    for width, says in ((118, "28 Nov 03:12Z kim: moving"), (65, "28 Nov")):
        assert f"until {says}" in printed(view(given, History(), Room(width, 18, START)), width)


def test_alerts_out_of_sight_are_never_called_well() -> None:
    layout = view(
        Readings("alerts", AlertsConfig(kind="alerts"), {}, folds=folded([ERRORS, CONNECTIONS])), History(), Room(58, 18, START)
    )
    assert layout.calm == "" and [row.status for row in layout.rows] == [
        Status.FAILING,
        Status.OK,
    ]  # the second is acknowledged
