"""The systems' own configs, as their rules are driven."""

from __future__ import annotations

import os
import re
from functools import cache
from pathlib import Path
from unittest.mock import patch

from tests.test_examples import ROOT, STAND_INS
from tui.config import load
from tui.engine.rules import Rule


@cache
def rules_of(system: str) -> tuple[Rule, ...]:
    """Every rule in force in one system's example, the panels' own included."""
    path: Path = ROOT / "examples" / f"{system}.toml"
    named = re.findall(r"env:([A-Z_]+)", path.read_text())
    with patch.dict(os.environ, {name: STAND_INS.get(name, "secret") for name in named}):
        return load(path).setup.rules


def rule_of(system: str, name: str) -> Rule:
    """One rule by its name."""
    (found,) = [each for each in rules_of(system) if each.name == name]
    return found
