"""Which moment a step or a jump leads to, and what it answers with."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace

from panels.alerts import CARD as ALERTS_CARD
from panels.alerts.config import AlertsConfig
from tests import story
from tests.clocks import DrivenClock
from tests.recorded import MARKS, Recorded
from tui.engine.ask import Rewind, Unrecorded
from tui.engine.engine import Engine
from tui.engine.feed import Level, PanelState
from tui.engine.judge import Judgement
from tui.engine.past import Past
from tui.engine.reading import Status
from tui.engine.rewind import DAY, Rewound, rewound
from tui.engine.setup import PanelSetup, Setup
from tui.engine.store import Store

NOW = story.NOW


def nothing(past: Past) -> tuple[PanelState, ...]:
    """For what is not drawn."""
    return ()


def go(recorded: Recorded, at: float | None = None, **how: int) -> Rewound | None:
    """The answer to one question."""
    return rewound(recorded, Rewind(at, panel="metrics", every=5.0, **how), NOW, nothing)


def went(recorded: Recorded, at: float | None = None, **how: int) -> float:
    """How many seconds before now it leads."""
    found = go(recorded, at, **how)
    assert found is not None
    return NOW - found.at


def test_within_an_hour_a_step_is_a_poll() -> None:
    recorded = Recorded()
    first = recorded.moments(NOW - 10, NOW)
    assert NOW - went(recorded, steps=-1) in first
    at = NOW - went(recorded, steps=-1)
    assert NOW - went(recorded, at, steps=-1) == at - 5
    assert NOW - went(recorded, at, steps=-4) == at - 20
    assert NOW - went(recorded, at - 20, steps=1) == at - 15


def test_forth_ends_in_what_is_now() -> None:
    assert go(Recorded(), NOW - 4, steps=1) is None
    assert go(Recorded(), NOW - 20, steps=16) is None


def test_beyond_an_hour_a_step_is_a_minute_and_beyond_a_day_ten() -> None:
    recorded = Recorded(since=NOW - 2 * DAY)
    at = NOW - went(recorded, NOW - 3600, steps=-1)
    assert at % 60 == 0 and 0 < NOW - 3600 - at <= 60
    assert NOW - went(recorded, at, steps=-1) == at - 60
    assert NOW - went(recorded, at, steps=1) == at + 60
    far = NOW - went(recorded, NOW - DAY - 100, steps=-1)
    assert far % 600 == 0 and NOW - went(recorded, far, steps=-2) == far - 1200


def test_a_gap_is_crossed_in_one_step_both_ways() -> None:
    gap = (NOW - 1800, NOW - 600)
    recorded = Recorded(gap=gap)
    after = recorded.moments(gap[1], NOW)[0]
    before = recorded.moments(NOW - 3600, gap[0])[-1]
    assert NOW - went(recorded, after, steps=-1) == before
    assert NOW - went(recorded, before, steps=1) == after


def test_a_long_gap_beyond_the_hour_is_crossed_too() -> None:
    recorded = Recorded(since=NOW - DAY, gap=(NOW - 6 * 3600, NOW - 2 * 3600))
    at = NOW - went(recorded, NOW - 2 * 3600, steps=-1)
    assert at <= NOW - 6 * 3600
    assert NOW - went(recorded, at, steps=1) >= NOW - 2 * 3600


def test_the_beginning_is_said() -> None:
    recorded = Recorded(since=NOW - 60)
    first = recorded.moments(NOW - 100, NOW)[0]
    with pytest.raises(Unrecorded, match="nothing is recorded before this"):
        go(recorded, first, steps=-1)
    assert NOW - went(recorded, first + 20, steps=-16) == recorded.span()[0]  # held down, it ends at the first
    with pytest.raises(Unrecorded, match="no alert and no change"):
        go(recorded, MARKS[0].at, jump=-1)


def test_jumps_go_from_mark_to_mark_and_show_what_they_are_about() -> None:
    recorded = Recorded()
    found, at = [], None
    for _ in MARKS:
        past = go(recorded, at, jump=-1)
        assert past is not None and 0 <= past.at - past.anchor <= 5
        found.append(past.anchor)
        at = past.anchor
    assert found == [each.at for each in reversed(MARKS)]
    past = go(recorded, at, jump=1)
    assert past is not None and past.anchor == MARKS[1].at
    assert go(recorded, MARKS[2].at, jump=1) is None
    assert past.alerts[0].rule == "error rate" and past.alerts[0].state == "firing"


def test_the_axis_holds_the_moment_and_its_marks() -> None:
    recorded = Recorded(since=NOW - 2 * DAY)
    hour, day, month = (go(recorded, NOW - back, steps=-1) for back in (60, 7200, DAY + 60))
    assert hour is not None and hour.start == NOW - 3600 and hour.marks == MARKS
    assert day is not None and day.start == NOW - DAY
    assert month is not None and month.start == NOW - 31 * DAY


def test_the_past_offers_no_action() -> None:
    found = rewound(Recorded(), Rewind(steps=-1), NOW, lambda past: story.snapshot().panels)
    assert found is not None
    offers = [offer for panel in found.panels for offer in panel.offers]
    assert offers and all("actions are off" in offer.refused for offer in offers)


def test_from_the_store_as_it_was_written(tmp_path: Path) -> None:
    clock = DrivenClock(NOW)
    store = Store(tmp_path / "journal.db", clock)
    for step in range(24):
        shot = story.snapshot(NOW - 600 + 5 * step)
        states = {panel.name: list(panel.probes) for panel in shot.panels}
        first = shot.panels[0]
        judged = {panel.name: dict(panel.judged) for panel in shot.panels}
        judgement = Judgement(shot.at, judged, shot.alerts, shot.folds, dict(first.suspected), first.changes)
        assert store.write(states, judgement, shot.at)
    past = rewound(store, Rewind(NOW - 520, -1, panel="metrics"), NOW, nothing)
    assert past is not None and past.at == NOW - 525 and past.recorded == NOW - 525
    assert [each.state for each in past.alerts] == ["pending"]
    good = store.past(past.at).states["metrics"][0].good
    assert good is not None and good.status is Status.OK
    assert replace(good, rows=()).at == pytest.approx(NOW - 528)
    store.close()


async def test_the_engine_answers_beside_its_polls_and_a_panel_that_asks_nobody_is_known() -> None:
    ours = PanelSetup("alerts", "alerts", ALERTS_CARD, AlertsConfig(kind="alerts"))
    setup = Setup("shop", "production", True, "x", "anna", 5.0, None, (ours,))
    engine = Engine(setup, Level.WATCH, clock=DrivenClock(NOW))
    async with engine.session():
        with pytest.raises(Unrecorded, match="nothing is recorded that one could go back to"):
            await asyncio.wrap_future(engine.feed.ask(Rewind(steps=-1)))
        engine.questions.recorded = Recorded()
        past = await asyncio.wrap_future(engine.feed.ask(Rewind(steps=-1)))
        assert past.panels[0].status is Status.OK and past.panels[0].folds[0].lead.rule == "error rate"
        assert past.panels[0].probes == ()  # else its view has no answer to draw yet
        engine.questions.recorded = Recorded(since=NOW - 3)
        past = await asyncio.wrap_future(engine.feed.ask(Rewind(NOW - 60)))
        assert past.recorded is None and past.panels[0].status is Status.UNKNOWN
