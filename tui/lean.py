"""Textual without its own command palette, which we replace (`screens/palette.py`): a seventh of Textual's import, for
widgets that nobody ever sees.

`leave_out_the_palette` puts a stand-in where Textual's modules look for `textual.command`, before Textual is first imported.
They only subclass and name what it has; nothing of it is ever made, because `ENABLE_COMMAND_PALETTE` is off. A name that the
stand-in does not know (a newer Textual's) is looked up in the real module, which costs the time again and nothing else.
"""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType
from typing import Any

NAME = "textual.command"
KNOWN = ("CommandListItem", "CommandPalette", "DiscoveryHit", "Hit", "Hits", "Provider", "SimpleProvider")
"""What Textual 8.2's app, themes and system commands take from it."""


class Absent:
    """In place of a class of the palette: to be named and subclassed, never made."""

    def __init__(self, *given: Any, **named: Any) -> None:
        raise RuntimeError("Textual's command palette is left out: Watchfloor has its own")


def leave_out_the_palette() -> None:
    """Before Textual is imported; nothing where it has been already (tests)."""
    if "textual" not in sys.modules:
        sys.modules[NAME] = _StandIn(NAME)


class _StandIn(ModuleType):
    """The module's place, with the names that are known to be asked for."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        for each in KNOWN:
            setattr(self, each, type(each, (Absent,), {}))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # what Python itself asks of a module
            raise AttributeError(name)
        return getattr(_the_real_one(), name)


def _the_real_one() -> ModuleType:
    """Textual's own module, for what the stand-in lacks. Raises ImportError."""
    spec = importlib.util.find_spec("textual")
    if spec is None or not spec.submodule_search_locations:
        raise ImportError(NAME)
    found = importlib.util.spec_from_file_location(NAME, f"{spec.submodule_search_locations[0]}/command.py")
    if found is None or found.loader is None:
        raise ImportError(NAME)
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module
