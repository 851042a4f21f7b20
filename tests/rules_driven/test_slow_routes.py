"""Routes that take seconds. Each rule by a real fault, from inactive to firing to resolved (drive.py)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rules_driven.drive import play
from tests.rules_driven.episodes import SLOW_ROUTES, Episode
from tests.rules_driven.stage import Stage


@pytest.mark.timeout(600)
@pytest.mark.parametrize("episode", SLOW_ROUTES, ids=lambda each: each.name)
async def test_a_fault_fires_and_its_end_resolves(episode: Episode, stage: Stage, tmp_path: Path) -> None:
    await play(episode, stage, tmp_path)
