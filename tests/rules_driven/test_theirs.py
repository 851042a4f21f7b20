"""The same fault, as our rule sees it and as the product's own Prometheus and Alertmanager do: one line, and one end."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.clocks import DrivenClock
from tests.rules_driven.floor import GLANCE, Floor, only, watched
from tests.rules_driven.stage import Stage
from tui.engine.alert import Alert, Fold

RULE = "HighErrorRate"


@pytest.mark.timeout(600)
async def test_what_both_see_is_one_line_through_a_flap_a_gap_and_a_restart(stage: Stage, tmp_path: Path) -> None:
    setup, clock, journal = only(stage.setup("cliply"), RULE, "alerts"), DrivenClock(time.time() - 30), tmp_path / "journal.db"
    async with watched(setup, RULE, clock, journal) as floor:
        await floor.polls(30.0)
        for _ in range(2):  # it flaps
            await floor.comes(lambda state: not theirs(floor) and state == "inactive", GLANCE)
            await goes_along(floor)
            await stage.fault("api-5xx")
            await floor.comes(lambda state: bool(theirs(floor)) and state == "firing", GLANCE)
            line = folded(floor)
            assert {each.source for each in line.alerts} == {"", "alertmanager"}
            assert line.lead.severity == "P0"
            await stage.heal("api-5xx")
            await floor.comes(lambda state: not theirs(floor) and state == "inactive", GLANCE)
        await stage.fault("api-5xx")
        await floor.comes(lambda state: bool(theirs(floor)) and state == "firing", GLANCE)
        floor.sleeps()
        slept = theirs(floor)
        assert slept is not None and slept.unknown_since is not None, "nobody knows what their Alertmanager says by now"
        timers = floor.engine.judge.timers()
    async with watched(setup, RULE, clock, journal, timers) as floor:
        await floor.comes(lambda state: bool(theirs(floor)) and state == "firing", GLANCE)
        silence = silenced(stage)
        await floor.comes(lambda _: bool((there := theirs(floor)) and there.silenced_there), GLANCE)
        assert floor.looks() == "firing", "theirs is silenced, ours is not"
        stage.alertmanager.call("DELETE", f"/api/v2/silence/{silence}")
        await floor.comes(lambda _: bool((there := theirs(floor)) and not there.silenced_there), GLANCE)
        await stage.heal("api-5xx")
        await floor.comes(lambda state: not theirs(floor) and state == "inactive", GLANCE)


async def goes_along(floor: Floor) -> None:
    """The driven clock, which stands while a source takes its time, goes on to the source's own: by both, what fires next began
    at the same time."""
    await floor.polls(max(GLANCE, time.time() - floor.clock.utc()))


def theirs(floor: Floor) -> Alert | None:
    """Their alert that is not over."""
    alerts = floor.engine.judge_now().alerts
    return next((each for each in alerts if each.source and each.rule == RULE and each.open), None)


def folded(floor: Floor) -> Fold:
    """The line that shows the rule."""
    folds = floor.engine.judge_now().folds
    return next(each for each in folds if any(alert.rule == RULE and alert.open for alert in each.alerts))


def silenced(stage: Stage) -> str:
    """A silence made in their Alertmanager, by its id."""
    matcher = {"name": "alertname", "value": RULE, "isRegex": False}
    until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
    since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    asked = {"matchers": [matcher], "startsAt": since, "endsAt": until, "createdBy": "anna", "comment": "being looked at"}
    made: str = stage.alertmanager.call("POST", "/api/v2/silences", asked)["silenceID"]
    return made
