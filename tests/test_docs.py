"""The docs say what is so."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui.demo import CATALOGUE
from tui.demo.faults.catalogue import Entry

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("fault", CATALOGUE, ids=lambda fault: fault.name)
def test_the_demo_page_has_a_line_for_the_fault(fault: Entry) -> None:
    lines = (ROOT / "docs" / "demo.md").read_text().splitlines()
    assert f"| `{fault.name}` | {fault.panel} | {fault.about} | {fault.clears_by} |" in lines


def test_the_default_config_is_the_demos() -> None:
    from tui.demo.config import usual

    assert (ROOT / "config.toml").read_text() == usual()


def test_the_config_page_is_what_the_settings_say() -> None:
    from docs.reference import PAGE, page

    assert PAGE.read_text() == page(), "run: make reference"
