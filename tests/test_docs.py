"""The docs say what is so."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from tui.demo import CATALOGUE
from tui.demo.faults.calls import MODELS, REFUSALS, SLOW
from tui.demo.faults.catalogue import Entry
from tui.demo.faults.components import KINDS
from tui.demo.faults.crowd import Crowd
from tui.demo.faults.deploys import CHANGES
from tui.demo.faults.jobs import FailingKind

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("fault", CATALOGUE, ids=lambda fault: fault.name)
def test_the_demo_page_has_a_line_for_the_fault(fault: Entry) -> None:
    lines = (ROOT / "docs" / "demo.md").read_text().splitlines()
    assert f"| `{fault.name}` | {fault.panel} | {fault.about} | {fault.clears_by} |" in lines


DRAWN: dict[str, Sequence[object]] = {
    "api-5xx": [each.operation for each in REFUSALS],
    "api-slow": [operations[0].partition("/")[0] for operations in SLOW],
    "health-down": KINDS,
    "job-failures": [each.kind for each in FailingKind.SIGNATURES],
    "bad-deploy": [each.route for each in CHANGES],
    "surge": [", ".join(wants) if len(wants) < 3 else "all routes" for wants in Crowd.WANTS],
    "models-down": [each.operation.partition("/")[0] for each in MODELS],
}
"""What each fault draws first: its kind."""
SEEDS = 10


@pytest.mark.parametrize("fault", DRAWN)
def test_the_demo_page_says_which_seed_brings_which_kind(fault: str) -> None:
    seeds: dict[object, list[str]] = {kind: [] for kind in DRAWN[fault]}
    for seed in range(SEEDS):
        seeds[random.Random(f"{seed}:{fault}").choice(DRAWN[fault])].append(str(seed))
    says = " · ".join(f"{kind}: {', '.join(found) or 'none'}" for kind, found in seeds.items())
    assert f"| `{fault}` | {says} |" in (ROOT / "docs" / "demo.md").read_text().splitlines()


def test_the_default_config_is_the_demos() -> None:
    from tui.demo.config import usual

    assert (ROOT / "config.toml").read_text() == usual()


def test_the_config_page_is_what_the_settings_say() -> None:
    from docs.reference import PAGE, page

    assert PAGE.read_text() == page(), "run: make reference"
