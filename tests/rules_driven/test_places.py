"""Health, database, jobs, deployments. Each rule by a real fault, from inactive to firing to resolved (drive.py)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rules_driven.drive import play
from tests.rules_driven.episodes import PLACES, REQUESTS, SLOW_ROUTES, Episode
from tests.rules_driven.stage import Stage
from tests.rules_driven.test_every_rule import AGENT_FACTORY, CLIPLY, ELSEWHERE


def test_no_rule_of_the_tables_is_left_out() -> None:
    there = {(case.system, case.rule) for case in (*AGENT_FACTORY, *CLIPLY)} | ELSEWHERE
    assert there <= {rule for episode in (*SLOW_ROUTES, *REQUESTS, *PLACES) for rule in episode.rules}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("episode", PLACES, ids=lambda each: each.name)
async def test_a_fault_fires_and_its_end_resolves(episode: Episode, stage: Stage, tmp_path: Path) -> None:
    await play(episode, stage, tmp_path)
