"""What would have kept a false alert quiet: tried on the rules themselves."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.clocks import START
from tests.engine.some_alerts import alert
from tui.config_rule_models import RuleSection
from tui.engine.alert import Alert
from tui.engine.ask import Tuning
from tui.engine.history import History
from tui.engine.panel import Threshold
from tui.engine.reading import Reading, Signal, Status
from tui.engine.rules import Raise, Rule
from tui.engine.text import Shown
from tui.engine.tuning import tune, typed
from tui.engine.units import Unit, parse_quantity

ERRORS = Rule("errors", "api", "errors", "ratio", "above", (Threshold("P1", 0.05, 30.0), Threshold("P0", 0.5)))


def past(*values: float | None, step: float = 10.0) -> History:
    """A history that ends now, a value every `step` seconds."""
    history = History()
    for place, value in enumerate(values):
        at = START - step * (len(values) - 1 - place)
        history.record(Reading("api", "api", "look", at, 0.0, Status.OK, (Signal("errors", value, "ratio"),)))
    return history


def tuned(history: History, rule: Rule | None = ERRORS, one: Alert | None = None) -> Tuning:
    return tune(one or alert("errors"), rule, history, START)


def test_a_limit_beyond_the_worst_or_a_hold_beyond_the_longest() -> None:
    found = tuned(past(0.01, 0.062, 0.03, 0.08, 0.07, 0.01))
    assert (
        found.toml
        == """\
[[rule]]
name = "errors"
signal = "api.errors"
P1 = { above = "8.4 %", for = "30s" }
P0 = { above = "50 %" }
# or
# [[rule]]
# name = "errors"
# signal = "api.errors"
# P1 = { above = "5 %", for = "30s" }
# P0 = { above = "50 %" }"""
    )
    assert found.says == "above 8.4 %: the worst was 8.0 % · or for 30s: the longest was 20s, in the last hour"


def test_the_whole_rule_is_written_and_the_level_that_made_the_alert_is_tuned() -> None:
    rule = replace(
        ERRORS,
        in_a_row=2,
        keep_firing_for=300.0,
        raises=(Raise("tier", "enterprise", "P0"), Raise("tier", "gold*", "P1"), Raise("route", "/pay", "P0")),
        why=Shown('users "wait"'),
        link="https://runbooks.example/errors",
        playbook="errors",
    )
    found = tuned(past(0.01, 0.08, 0.01), rule, alert("errors", severity="P0", raised_by=Shown("tier enterprise")))
    section = RuleSection.model_validate(tomllib.loads(found.toml)["rule"][0])
    assert section.P1 is not None and section.P0 is not None
    assert (section.P1.above, section.P0.above) == ("8.4 %", "50 %"), "a P1 that its label raised"
    assert (section.in_a_row, section.keep_firing_for, section.playbook) == (2, 300.0, "errors")
    assert (section.why, section.link) == ('users "wait"', "https://runbooks.example/errors")
    assert section.raises == {"tier": {"enterprise": "P0", "gold*": "P1"}, "route": {"/pay": "P0"}}


def test_what_still_goes_on_lasts_until_now() -> None:
    assert "the longest was 30s" in tuned(past(0.01, 0.062, 0.06, 0.06, 0.06)).says


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (tuned(past(0.01, 0.02)), "nothing measured in the last hour is beyond its limit: no other limit can be derived"),
        (tuned(past(0.9), one=alert("errors", source="prometheus")), "errors is prometheus's rule: it is tuned there"),
        (tuned(past(0.9), rule=None), "errors is no rule of this config any more"),
    ],
)
def test_where_nothing_can_be_offered_it_says_why(found: Tuning, says: str) -> None:
    assert (found.toml, found.says) == ("", says)


@given(st.lists(st.one_of(st.none(), st.floats(0, 1)), min_size=1, max_size=40))
def test_with_the_limit_that_is_offered_nothing_would_have_been_beyond(values: list[float | None]) -> None:
    found = tuned(past(*values))
    if not found.toml:
        assert not [value for value in values if value is not None and value > 0.05]
        return
    section = RuleSection.model_validate(tomllib.loads(found.toml)["rule"][0])
    assert section.P1 is not None
    limit = parse_quantity(section.P1.above, "ratio") if section.P1.above != "100 %" else 1.0
    assert all(value <= limit for value in values if value is not None)


@given(st.floats(0.001, 1e6), st.sampled_from(["s", "count", "1/s"]))
def test_a_limit_is_typed_as_the_config_reads_it(value: float, unit: Unit) -> None:
    (written,) = tomllib.loads(f"limit = {typed(value, unit)}").values()
    assert parse_quantity(written, unit) == pytest.approx(value, rel=1e-4)
