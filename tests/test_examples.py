"""Every example is a config that loads, without a warning."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tui.config import load

ROOT = Path(__file__).parent.parent
STAND_INS = {
    "DATABASE_URL": "postgresql://watch@db/app",
    "DATABASE_OPS_URL": "postgresql://ops@db/app",
    "SUPABASE_DB_URL": "postgresql://watch@db/app",
    "SUPABASE_OPS_URL": "postgresql://ops@db/app",
    "PROMETHEUS_URL": "http://prometheus:9090",
}


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.toml")), ids=lambda path: path.stem)
def test_an_example_loads(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in re.findall(r"env:([A-Z_]+)", path.read_text()):
        monkeypatch.setenv(name, STAND_INS.get(name, "secret"))
    setup = load(path).setup
    assert not setup.warnings
    assert all(panel.card for panel in setup.panels)


def test_there_is_an_example_for_each_system() -> None:
    names = {path.stem for path in (ROOT / "examples").glob("*.toml")}
    assert names == {"agent-factory", "cliply", "hobbyist", "not-a-label", "prod-007"}
