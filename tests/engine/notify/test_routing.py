"""Who is told: each routing of the five systems as its example says it, and the hours."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.clocks import START
from tests.engine.notify.alerts import alert, over
from tests.test_examples import STAND_INS
from tui.config import load
from tui.engine.alert import Alert, Severity
from tui.engine.notify.channel import Channel, Transition, When
from tui.engine.notify.hours import parse_hours
from tui.engine.notify.routing import routes
from tui.engine.text import Shown

ROOT = Path(__file__).parents[3]
MONDAY_MORNING = datetime.datetime(2026, 11, 23, 10, 0, tzinfo=datetime.UTC).timestamp()
SUNDAY_NIGHT = datetime.datetime(2026, 11, 22, 3, 7, tzinfo=datetime.UTC).timestamp()

Told = Callable[..., set[str]]


@pytest.fixture
def system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> tuple[Channel, ...]:
    path = ROOT / "examples" / f"{request.param}.toml"
    for name in re.findall(r"env:([A-Z_]+)", path.read_text()):
        monkeypatch.setenv(name, STAND_INS.get(name, "secret"))
    return load(path).setup.channels


def told(
    channels: tuple[Channel, ...], one: Alert, at: float = SUNDAY_NIGHT, on: Transition = "firing", whom: str = ""
) -> set[str]:
    return {each.title for each in routes(one, on, at, channels, whom)}


# --- the five systems ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("system", ["agent-factory"], indirect=True)
@pytest.mark.parametrize(
    ("severity", "whom"),
    [
        ("P0", {"alerts", "engineering", "sms-oncall", "cto"}),
        ("P1", {"alerts", "engineering"}),
        ("P2", {"alerts", "engineering"}),
        ("P3", {"alerts"}),
    ],
)
def test_agent_factory_by_severity(system: tuple[Channel, ...], severity: Severity, whom: set[str]) -> None:
    assert told(system, alert("HighErrorRate", severity)) == whom


@pytest.mark.parametrize("system", ["agent-factory"], indirect=True)
def test_agent_factory_calls_the_cto_again_where_nobody_answers(system: tuple[Channel, ...]) -> None:
    assert told(system, alert("ServiceDown", "P0"), on="escalated", whom="cto") == {"sms-cto"}
    assert told(system, alert("ServiceDown", "P1"), on="escalated", whom="cto") == set()


@pytest.mark.parametrize("system", ["cliply"], indirect=True)
@pytest.mark.parametrize(
    ("one", "whom"),
    [
        (alert("HighErrorRate", "P0"), {"alerts", "founder"}),
        (alert("cron not run", "P1", "jobs"), {"alerts", "founder"}),
        (alert("ServiceDown", "P0", "health", {"endpoint": "readyz"}), {"alerts", "founder", "sms"}),
        (alert("PublishFailures", "P0", "jobs", {"kind": "PUBLISH_TIKTOK"}), {"alerts", "founder", "publishing"}),
        (alert("JobFailureRate", "P2", "jobs", {"kind": "CLIP_RENDER"}), {"alerts", "founder"}),
    ],
    ids=lambda value: value.rule if isinstance(value, Alert) else "",
)
def test_cliply_by_panel_and_kind(system: tuple[Channel, ...], one: Alert, whom: set[str]) -> None:
    assert told(system, one) == whom


@pytest.mark.parametrize("system", ["not-a-label"], indirect=True)
@pytest.mark.parametrize(
    ("rule", "at_night", "in_hours"),
    [
        ("ServiceDown", {"oncall", "sms-oncall"}, {"oncall", "sms-oncall"}),
        ("HighErrorRate", {"alerts", "engineering"}, {"alerts", "engineering"}),
        ("DatabaseConnectionPoolHigh", {"team"}, {"team"}),
        ("payment gateway", {"finance", "engineering"}, {"finance", "engineering"}),
        ("SlowResponseTime", set(), {"performance"}),
        ("CPU", set(), {"devops"}),
        ("memory", set(), {"devops"}),
        ("certificate", set(), {"devops"}),
    ],
)
def test_not_a_label_by_rule_with_its_warnings_in_business_hours(
    system: tuple[Channel, ...], rule: str, at_night: set[str], in_hours: set[str]
) -> None:
    assert told(system, alert(rule), SUNDAY_NIGHT) == at_night
    assert told(system, alert(rule), MONDAY_MORNING) == in_hours


@pytest.mark.parametrize("system", ["prod-007"], indirect=True)
@pytest.mark.parametrize(
    ("one", "whom"),
    [
        (alert("ServiceDown", "P0", "health"), {"alerts-critical", "oncall", "primary"}),
        (alert("slow health", "P2", "health"), {"alerts-performance"}),
        (alert("tenant errors", "P1", "tenants", {"route": "acme"}), {"alerts-errors", "oncall"}),
        (
            alert("enterprise errors", "P0", "tenants", {"route": "enterprise-acme"}),
            {"alerts-critical", "alerts-errors", "oncall", "revenue", "primary"},
        ),
        (alert("payments", "P0", "tenants"), {"alerts-critical", "oncall", "revenue", "primary"}),
        (alert("isolation breach", "P0", "tenants"), {"alerts-critical", "oncall", "security", "primary"}),
        (alert("authentication", "P0", "tenants"), {"alerts-critical", "oncall", "security", "primary"}),
    ],
    ids=lambda value: value.rule if isinstance(value, Alert) else "",
)
def test_prod_007_by_kind(system: tuple[Channel, ...], one: Alert, whom: set[str]) -> None:
    assert told(system, one) == whom


@pytest.mark.parametrize("system", ["prod-007"], indirect=True)
def test_prod_007_calls_the_secondary_when_it_escalates(system: tuple[Channel, ...]) -> None:
    assert told(system, alert("ServiceDown", "P0"), on="escalated") == {"secondary"}


@pytest.mark.parametrize("system", ["hobbyist"], indirect=True)
def test_hobbyist_is_paged_at_the_first_failure(system: tuple[Channel, ...]) -> None:
    assert told(system, alert("ServiceDown", "P1", "health", {"endpoint": "portal"})) == {"slack", "mail", "pagerduty"}
    assert told(system, alert("FailedDeployment", "P2", "deploys")) == {"slack", "mail"}


# --- what is said once for all channels ----------------------------------------------------------------------------------


def channel(*on: Transition, **when: object) -> Channel:
    return Channel(kind="command", when=When.model_validate(when), on=on or ("firing", "resolved"))


@pytest.mark.parametrize(
    "one",
    [
        alert("hot", state="pending"),
        alert("hot", silenced=Shown("by anna, 20m: known")),
        alert("hot", in_maintenance=True),
        alert("hot", source="alertmanager"),
    ],
    ids=["pending", "silenced", "in maintenance", "theirs"],
)
def test_nobody_is_told(one: Alert) -> None:
    assert routes(one, "firing", START, [channel()]) == ()


def test_what_is_over_is_told_although_it_is_silenced_now() -> None:
    one = replace(over(alert("hot"), START), silenced=Shown("by anna"))
    assert len(routes(one, "resolved", START, [channel(), channel("firing")])) == 1


def test_theirs_are_told_where_the_channel_says_so() -> None:
    assert routes(alert("hot", source="alertmanager"), "firing", START, [channel(theirs=True)])


def test_all_conditions_must_hold_and_each_may_be_several() -> None:
    wants = channel(severity=["P0", "P1"], rules=["hot*"], labels={"kind": ["PUBLISH_*", "TRANSCRIBE"], "tier": "gold"})
    fits = alert("hot oven", "P1", labels={"kind": "TRANSCRIBE", "tier": "gold", "more": "x"})
    assert routes(fits, "firing", START, [wants])
    for other in (
        replace(fits, severity="P2"),
        replace(fits, rule="cold"),
        replace(fits, labels=(("kind", "TRANSCRIBE"),)),
        replace(fits, labels=(("kind", "CLIP_RENDER"), ("tier", "gold"))),
    ):
        assert not routes(other, "firing", START, [wants]), other


def test_an_escalation_reaches_whom_it_calls() -> None:
    backup, anybody = channel("escalated", whom=["backup"]), channel("escalated")
    assert routes(alert("hot"), "escalated", START, [backup, anybody], "backup") == (backup, anybody)
    assert routes(alert("hot"), "escalated", START, [backup, anybody], "cto") == (anybody,)


# --- hours ---------------------------------------------------------------------------------------------------------------


def at(text: str) -> float:
    return datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.UTC).timestamp()


@pytest.mark.parametrize(
    ("hours", "within", "outside"),
    [
        ("always", ["2026-11-22T03:00"], []),
        ("business", ["2026-11-23T09:00", "2026-11-27T17:59"], ["2026-11-23T08:59", "2026-11-27T18:00", "2026-11-28T12:00"]),
        # Berlin is an hour ahead in winter and two in summer.
        (
            "mon-fri 09:00-18:00 Europe/Berlin",
            ["2026-11-23T08:00", "2026-07-06T07:00"],
            ["2026-11-23T07:59", "2026-11-23T17:00"],
        ),
        ("22:00-06:00", ["2026-11-23T22:00", "2026-11-23T05:59"], ["2026-11-23T06:00", "2026-11-23T21:59"]),
        ("fri 22:00-06:00", ["2026-11-27T22:00", "2026-11-28T05:59"], ["2026-11-27T05:00", "2026-11-28T22:00"]),
        ("sat-mon 00:00-24:00", ["2026-11-28T00:00", "2026-11-30T23:59"], ["2026-12-01T00:00", "2026-11-27T23:59"]),
        ("mon-fri 09:00-12:00, sat 10:00-11:00 UTC", ["2026-11-28T10:30", "2026-11-23T11:00"], ["2026-11-28T11:00"]),
        ("outside business", ["2026-11-28T12:00"], ["2026-11-23T12:00"]),
    ],
)
def test_hours(hours: str, within: list[str], outside: list[str]) -> None:
    read = parse_hours(hours)
    assert [read.cover(at(each)) for each in within] == [True] * len(within)
    assert [read.cover(at(each)) for each in outside] == [False] * len(outside)


@pytest.mark.parametrize(
    "hours",
    ["", "sometimes", "mon-fri", "9-18", "mon-xyz 09:00-18:00", "mon 09:61-10:00", "mon 25:00-26:00", "09:00-18:00 Mars/Base"],
)
def test_hours_that_nobody_keeps_are_refused_with_what_to_write(hours: str) -> None:
    with pytest.raises(ValueError, match=r'"mon-fri 09:00-18:00 Europe/Berlin"'):
        parse_hours(hours)


@given(start=st.integers(0, 1439), end=st.integers(0, 1439), minute=st.integers(0, 7 * 1440 - 1))
def test_outside_hours_are_all_the_others(start: int, end: int, minute: int) -> None:
    text = f"mon-fri {start // 60:02}:{start % 60:02}-{end // 60:02}:{end % 60:02}"
    when = at("2026-11-23T00:00") + minute * 60
    assert parse_hours(text).cover(when) is not parse_hours(f"outside {text}").cover(when)
