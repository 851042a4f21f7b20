"""The panel's statements, a file each, so that anyone can read what will hit production."""

from __future__ import annotations

from functools import cache
from pathlib import Path


@cache
def statement(name: str) -> str:
    """The statement in `name.sql`, without its comments."""
    text = Path(__file__).with_name(f"{name}.sql").read_text(encoding="utf-8")
    return "\n".join(line for line in text.splitlines() if not line.startswith("--"))
