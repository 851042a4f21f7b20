"""Suspects: the change nearest before an alert, and what is said of it on either side."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tests.clocks import START
from tests.engine.test_rules import HIGH_ERRORS, Watch, errors
from tui.engine.alert import Alert
from tui.engine.reading import Change
from tui.engine.suspects import followed_by, suspect_of, with_suspects
from tui.engine.text import Shown


def deployment(seconds: float, name: str = "9f3c2a1") -> Change:
    return Change(f"dpl_{name}", START + seconds, "deployment", Shown(f"deploy {name} main"))


@pytest.fixture
def alert() -> Alert:
    api = Watch(HIGH_ERRORS)
    api.sees(errors(0.062))
    return api.book.alerts(api.now)[0]


def test_the_nearest_change_before_an_alert_is_its_suspect(alert: Alert) -> None:
    changes = [deployment(-1200, "old"), deployment(-600, "5be0d17"), deployment(-80), deployment(300, "later")]
    assert suspect_of(alert, changes) == changes[2]
    (told,) = with_suspects([alert], changes)
    assert told.suspect == "deploy 9f3c2a1 main, 1m20s before"
    assert followed_by([alert], changes) == {"dpl_9f3c2a1": "HighErrorRate 1m20s after"}


@pytest.mark.parametrize("seconds", [-901.0, 11.0])
def test_what_happened_long_before_or_after_is_no_suspect(alert: Alert, seconds: float) -> None:
    assert suspect_of(alert, [deployment(seconds)]) is None
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
    assert followed_by([mild, alert], [deployment(-80)]) == {"dpl_9f3c2a1": "HighErrorRate 1m20s after"}


def test_a_release_that_changed_is_the_deployments_echo(alert: Alert) -> None:
    seen = Change("web/9f3c2a1", START - 60, "release", Shown("web now runs 9f3c2a1"))
    assert suspect_of(alert, [deployment(-80), seen]) == deployment(-80)
    assert suspect_of(alert, [deployment(-600), seen]) == seen, "one long before is no cause of it"
