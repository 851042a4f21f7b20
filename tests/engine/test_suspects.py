"""Suspects: the change nearest before an alert, and what is said of it on either side."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tests.clocks import START
from tests.engine.test_rules import HIGH_ERRORS, Watch, errors
from tui.engine.alert import Alert
from tui.engine.reading import Change
from tui.engine.suspects import MOST, Timeline, followed_by, suspects_of, with_suspects
from tui.engine.text import Shown


def deployment(seconds: float, name: str = "9f3c2a1") -> Change:
    return Change(f"dpl_{name}", START + seconds, "deployment", Shown(f"deploy {name} main"))


def keys(alert: Alert, changes: list[Change]) -> list[str]:
    return [each.key for each in suspects_of(alert, Timeline(changes))]


@pytest.fixture
def alert() -> Alert:
    api = Watch(HIGH_ERRORS)
    api.sees(errors(0.062))
    return api.book.alerts(api.now)[0]


def test_the_nearest_change_before_an_alert_is_its_suspect(alert: Alert) -> None:
    changes = [deployment(-1200, "old"), deployment(-600, "5be0d17"), deployment(-80), deployment(300, "later")]
    assert keys(alert, changes)[0] == changes[2].key
    (told,) = with_suspects([alert], changes)
    assert told.suspect == "deploy 9f3c2a1 main, 1m20s before"
    assert followed_by(with_suspects([alert], changes), changes) == {"dpl_9f3c2a1": "HighErrorRate 1m20s after"}


@pytest.mark.parametrize("seconds", [-901.0, 11.0])
def test_what_happened_long_before_or_after_is_no_suspect(alert: Alert, seconds: float) -> None:
    assert keys(alert, [deployment(seconds)]) == []
    assert with_suspects([alert], [deployment(seconds)]) == (alert,)


def test_clocks_differ_a_little(alert: Alert) -> None:
    (told,) = with_suspects([alert], [deployment(5)])
    assert told.suspect == "deploy 9f3c2a1 main, 0s before"


def test_a_resolved_alert_suspects_nobody(alert: Alert) -> None:
    over = replace(alert, state="resolved")
    assert with_suspects([over], [deployment(-80)]) == (over,)
    assert followed_by([over], [deployment(-80)]) == {}


def test_a_change_is_told_of_the_worst_that_followed_it(alert: Alert) -> None:
    mild = replace(alert, rule="SlowResponseTime", severity="P2", since=START - 20)
    told = with_suspects([mild, alert], [deployment(-80)])
    assert followed_by(told, [deployment(-80)]) == {"dpl_9f3c2a1": "HighErrorRate 1m20s after"}


def test_a_release_that_changed_is_the_deployments_echo(alert: Alert) -> None:
    seen = Change("web/9f3c2a1", START - 60, "release", Shown("web now runs 9f3c2a1"))
    assert keys(alert, [deployment(-80), seen]) == ["dpl_9f3c2a1"]
    assert keys(alert, [deployment(-600), seen])[0] == seen.key, "one long before is no cause of it"


# --- everything that happened, on one line of time ------------------------------------------------------------------------


def lock(seconds: float, *about: str) -> Change:
    return Change(f"lock{seconds}", START + seconds, "lock", Shown("session 8121 blocks others"), Shown("2 waited"), about)


def test_what_touches_it_comes_first_then_the_nearest(alert: Alert) -> None:
    changes = [deployment(-600), lock(-20, "database"), deployment(-80, "5be0d17"), lock(-300, "api")]
    found = suspects_of(alert, Timeline(changes))
    assert [(each.key, each.lead, each.touches) for each in found] == [
        ("dpl_5be0d17", 80.0, True),
        ("lock-300", 300.0, True),
        ("dpl_9f3c2a1", 600.0, True),
        ("lock-20", 20.0, False),
    ]
    assert found[1].evidence == "03:07:12Z · it touches api · 2 waited"
    assert found[3].evidence == "03:11:52Z · elsewhere · 2 waited"


def test_alerts_before_it_are_listed_and_one_on_what_it_depends_on_leads(alert: Alert) -> None:
    mine = replace(alert, target="web", root="readyz")
    before = replace(alert, fingerprint="r", rule="ServiceDown", panel="health", target="readyz", since=START - 60)
    apart = replace(alert, fingerprint="c", rule="connections", panel="database", since=START - 30)
    later = replace(alert, fingerprint="l", since=START + 30)
    (told, *_) = with_suspects([mine, before, apart, later], [])
    assert [(each.what, each.touches) for each in told.suspects] == [("ServiceDown", True), ("connections", False)]
    assert told.suspects[0].evidence == "03:11:12Z · web depends on readyz"
    assert told.suspect == "ServiceDown, 1m00s before"
    (alone, *_) = with_suspects([alert, apart], [])
    assert (alone.suspect, [each.what for each in alone.suspects]) == ("", ["connections"]), "no cause, only earlier"


def test_a_release_seen_on_the_thing_itself_is_evidence(alert: Alert) -> None:
    mine = replace(alert, target="web")
    seen = Change("web/1", START - 60, "release", Shown("web now runs 1"), about=("health", "web"))
    assert [each.evidence for each in suspects_of(mine, Timeline([seen]))] == ["03:11:12Z · it touches web"]


def test_in_a_storm_each_looks_at_its_nearest_neighbours_alone(alert: Alert) -> None:
    storm = [replace(alert, fingerprint=str(place), since=START - 800 + 2 * place) for place in range(400)]
    storm[0] = replace(storm[0], target="readyz", rule="ServiceDown")
    mine = replace(alert, target="web", root="readyz")
    told = with_suspects([*storm, mine], [])[-1]
    assert told.suspects[0].what == "ServiceDown", "the one it depends on, however long before"
    assert [each.key for each in told.suspects[1:]] == [str(place) for place in range(395, 395 - MOST + 1, -1)]
