"""`[severities]`, `[escalation]` and `[[maintenance]]`: what may be typed, and what comes of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui.config import load
from tui.config_source import ConfigError
from tui.engine.escalation import PATIENCE, Patience
from tui.engine.maintenance import Weekly, Window
from tui.engine.rotation import Rotation, Turn
from tui.engine.setup import Setup
from tui.engine.text import Shown

HEALTH = '[[panel]]\nkind = "health"\nendpoints = ["https://shop.example/readyz"]\n'


def loaded(folder: Path, text: str) -> Setup:
    path = folder / "config.toml"
    path.write_text(HEALTH + text)
    return load(path).setup


def mistakes(folder: Path, text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        loaded(folder, text)
    return [each.says for each in caught.value.mistakes]


def test_without_any_the_clocks_are_agent_factorys(tmp_path: Path) -> None:
    setup = loaded(tmp_path, "")
    assert (setup.duty.patience, setup.duty.page, setup.duty.rotation, setup.maintenance) == (PATIENCE, False, None, ())


def test_a_clock_replaces_what_it_says_and_no_more(tmp_path: Path) -> None:
    setup = loaded(tmp_path, '[severities.P0]\nescalate = "10m"\n[severities.P1]\nescalate = "0s"\n')
    assert setup.duty.patience["P0"] == Patience(120.0, 600.0)
    assert setup.duty.patience["P1"] == Patience(1800.0, None)
    assert setup.duty.patience["P2"] == PATIENCE["P2"]


def test_a_rotation_is_weeks_with_primary_and_backup(tmp_path: Path) -> None:
    setup = loaded(
        tmp_path,
        '[escalation]\npage = true\nanchor = "2026-03-16"\nhandover = "10:30"\nzone = "Europe/Berlin"\n'
        '[[escalation.week]]\nprimary = "anna"\nbackup = "ben"\n[[escalation.week]]\nprimary = "kim"\n',
    )
    assert setup.duty.page
    assert setup.duty.rotation == Rotation((Turn("anna", "ben"), Turn("kim")), "2026-03-16", 630, "Europe/Berlin")


def test_maintenance_is_once_or_each_week(tmp_path: Path) -> None:
    setup = loaded(
        tmp_path,
        '[[maintenance]]\npanels = ["health"]\nsince = 2026-11-21T03:12:12Z\nuntil = 2026-11-21T04:12:12\nreason = "move"\n'
        '[[maintenance]]\nhours = "sun 02:00-04:00, sat 23:00-01:00 Europe/Berlin"\n',
    )
    assert setup.maintenance == (
        Window(("health",), 1_795_230_732.0, 1_795_234_332.0, reason=Shown("move")),
        Window((), weekly=Weekly((6,), 120, 240, "Europe/Berlin")),
        Window((), weekly=Weekly((5,), 1380, 60, "Europe/Berlin")),
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[severities.P0]\nacknowledge = 2\n", 'a duration needs a unit: write "2s" or "2m"'),
        ('[severities.P5]\nacknowledge = "2m"\n', "unknown key"),
        ('[escalation]\nhandover = "25:00"\n', 'expected a time of day such as "09:00", found "25:00"'),
        ('[escalation]\nanchor = "monday"\n', 'expected a day such as "2026-11-16", found "monday"'),
        ('[escalation]\nzone = "Berlin"\n', 'there is no time zone "Berlin" here'),
        ('[[maintenance]]\nreason = "x"\n', "when? write since"),
        ('[[maintenance]]\nhours = "always"\n', "maintenance has hours of its own"),
        ("[[maintenance]]\nsince = 2026-11-22T02:00:00Z\n", "when? write since"),
        ("[[maintenance]]\nsince = 2026-11-22T02:00:00Z\nuntil = 2026-11-22T01:00:00Z\n", "it ends before it begins"),
        ('[[maintenance]]\npanels = ["helth"]\nhours = "sun 02:00-04:00"\n', "there is no panel helth, did you mean 'health'?"),
        ("maintenance = 1\n", "expected"),
    ],
)
def test_mistakes_say_what_to_write(tmp_path: Path, text: str, says: str) -> None:
    if text.startswith("maintenance"):
        path = tmp_path / "config.toml"
        path.write_text(text + HEALTH)
        with pytest.raises(ConfigError) as caught:
            load(path)
        found = [each.says for each in caught.value.mistakes]
    else:
        found = mistakes(tmp_path, text)
    assert any(says in each for each in found), found
