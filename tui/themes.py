"""Which themes there are, without reading one: the config is checked where nothing is drawn."""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path


def theme_folder() -> Traversable:
    """Where the themes are: inside the wheel, or at the root of a checkout."""
    packaged = files("tui") / "data" / "themes"
    return packaged if packaged.is_dir() else Path(__file__).parents[1] / "themes"


def theme_names() -> list[str]:
    """Every theme there is."""
    return sorted(each.name.removesuffix(".toml") for each in theme_folder().iterdir() if each.name.endswith(".toml"))
