"""What the tests here share: one stage."""

from __future__ import annotations

from tests.demo.conftest import state_home
from tests.rules_driven.stage import stage

__all__ = ["stage", "state_home"]
