"""Every kind of `[[rule]]` as it is typed, and what is said of one that does not fit."""

from __future__ import annotations

from typing import Any

import pytest

from tests.test_config import HEALTH, Folder, folder, rule_of
from tui.config_source import ConfigError
from tui.engine.panel import Threshold
from tui.engine.rules import Measure, Raise
from tui.engine.rules.absent import Absent
from tui.engine.rules.baseline import Baseline
from tui.engine.rules.burn import LEVELS, Burn
from tui.engine.rules.change import Change
from tui.engine.rules.events import Events
from tui.engine.rules.rule import NEWEST

__all__ = ["folder"]

KINDS_OF_RULE = [
    ("health.up", 'below = 1\nin_a_row = 2\nseverity = "P0"', NEWEST, "count", "below", (Threshold("P0", 1.0),)),
    ("health.up", 'absent = "5m"\nseverity = "P1"', Absent(), "s", "above", (Threshold("P1", 300.0),)),
    (
        "health.latency",
        'above = 2\nbaseline = "1d"\nseverity = "P2"',
        Baseline(86400.0, 300.0),
        "count",
        "above",
        (Threshold("P2", 2.0),),
    ),
    (
        "health.latency",
        'above = 3\nbaseline = "1h"\nwindow = "10m"\nseverity = "P2"',
        Baseline(3600.0, 600.0),
        "count",
        "above",
        (Threshold("P2", 3.0),),
    ),
    (
        "health.certificate_left",
        'below = "-2d"\nchange_over = "10m"\nseverity = "P3"',
        Change(600.0),
        "s",
        "below",
        (Threshold("P3", -172800.0),),
    ),
    (
        "health.uptime",
        'below = -0.1\nchange_over = "10m"\nseverity = "P3"',
        Change(600.0),
        "ratio",
        "below",
        (Threshold("P3", -0.1),),
    ),
    ("health.up", 'above = 10\nevents_in = "10m"\nseverity = "P1"', Events(600.0), "count", "above", (Threshold("P1", 10.0),)),
    (
        "health.up",
        'below = 3\nevents_in = "10m"\nevents = "sum"\nseverity = "P1"',
        Events(600.0, "sum"),
        "count",
        "below",
        (Threshold("P1", 3.0),),
    ),
    ("health.uptime", 'slo = "99 %"', Burn(0.99, of_successes=True), "count", "above", LEVELS),
]


@pytest.mark.parametrize(("signal", "says", "measure", "unit", "way", "levels"), KINDS_OF_RULE)
def test_kinds_of_rules(folder: Folder, signal: str, says: str, measure: Measure, unit: str, way: str, levels: Any) -> None:
    rule = rule_of(folder.load(HEALTH + f'[[rule]]\nname = "r"\nsignal = "{signal}"\n{says}\n'), "r")
    assert (rule.measure, rule.unit, rule.way, rule.levels, rule.main) == (measure, unit, way, levels, "endpoint")
    assert rule.in_a_row == (2 if "in_a_row" in says else 1)


def test_a_rule_that_outlasts_flapping_and_is_worse_for_some(folder: Folder) -> None:
    rule = rule_of(
        folder.load(
            HEALTH + '[[rule]]\nname = "r"\nsignal = "health.up"\nbelow = 1\nseverity = "P2"\nkeep_firing_for = "5m"\n'
            'raise = { endpoint = { "pay-*" = "P0", readyz = "P1" } }\n'
        ),
        "r",
    )
    assert rule.keep_firing_for == 300.0
    assert rule.raises == (Raise("endpoint", "pay-*", "P0"), Raise("endpoint", "readyz", "P1"))


KINDS_WRONG = [
    ("health.up", 'absent = "5m"', "how bad is it?"),
    ("health.up", 'absent = "5m"\nabove = 1\nseverity = "P1"', "absent says itself where it begins"),
    ("health.up", 'absent = "5m"\nfor = "1m"\nseverity = "P1"', "absent says itself how long it takes: leave for"),
    ("health.up", 'absent = 5\nseverity = "P1"', 'rule r.absent: a duration needs a unit: write "5s"'),
    ("health.up", 'absent = "5m"\nslo = "99 %"\nseverity = "P1"', "absent and slo are two kinds of rule"),
    ("health.uptime", 'slo = "99 %"\nseverity = "P1"', "slo has four severities"),
    ("health.uptime", "slo = 99.9", "rule r.slo: a ratio is 0 to 1"),
    ("health.uptime", "slo = 1.0", 'rule r.slo: an objective leaves room for errors: write slo = "99.9 %"'),
    (
        "health.latency",
        'slo = "99 %"',
        "rule r.slo: an objective is on a share, such as error_rate or up: the unit of latency is s",
    ),
    (
        "health.latency",
        'above = "2s"\nbaseline = "1h"\nseverity = "P1"',
        "rule r.above: with baseline a limit is a factor: write 2",
    ),
    ("health.latency", 'above = 2\nbaseline = "2h"\nseverity = "P1"', "rule r.baseline: expected '1h' or '1d', found '2h'"),
    (
        "health.latency",
        'above = 2\nevents_in = "5m"\nseverity = "P1"',
        "rule r.events_in: latency is no number of events: its unit is s",
    ),
    ("health.up", 'above = 2\nevents_in = "2h"\nseverity = "P1"', "events_in is an hour at most"),
    ("health.up", 'above = 2\nevents = "sum"\nseverity = "P1"', 'write events_in = "10m" as well'),
    ("health.up", 'above = 2\nevents_in = "5m"\nwindow = "5m"\nseverity = "P1"', "events_in has its own window"),
    (
        "health.up",
        'below = 1\nseverity = "P1"\nraise = { endpont = { a = "P0" } }',
        "rule r.raise.endpont: up has no label endpont, did you mean 'endpoint'?",
    ),
    ("health.up", 'below = 1\nseverity = "P1"\nraise = { endpoint = { a = "worse" } }', "expected 'P0'"),
    ("health.up", 'below = 1\nseverity = "P1"\nin_a_row = 0', "rule r.in_a_row: expected"),
    ("health.up", 'below = 1\nseverity = "P1"\nin_row = 2', "unknown key 'in_row', did you mean 'in_a_row'?"),
    ("health.up", 'below = 1\nseverity = "P1"\nP1 = { below = 1 }', "P1 is given twice"),
]


@pytest.mark.parametrize(("signal", "rest", "says"), KINDS_WRONG)
def test_a_mistake_is_said_with_what_to_write(folder: Folder, signal: str, rest: str, says: str) -> None:
    with pytest.raises(ConfigError) as refused:
        folder.load(HEALTH + f"[[rule]]\nname = 'r'\nsignal = '{signal}'\n{rest}\n")
    assert says in str(refused.value)
