"""Which kinds of panel are installed: what packages offer under the entry-point group `watchfloor.panels`.

`importlib.metadata` gives the same answer, but costs a start 30 ms: it imports what parses mail, and looks at every package
again each time. So the few files that matter are read here; where packages lie in archives, it is still the one to ask.
"""

from __future__ import annotations

import sys
from functools import lru_cache
from pathlib import Path

from msgspec import Struct

GROUP = "watchfloor.panels"


class Offered(Struct, frozen=True):
    """One kind: where its card is (`panels.health:CARD`), and the folder that describes the package which offers it."""

    kind: str
    card: str
    folder: Path | None = None

    @property
    def package(self) -> str:
        """The package's name, for the report of one that cannot be loaded."""
        if self.folder is None:
            return self.card
        from importlib.metadata import Distribution  # late: see above

        return Distribution.at(self.folder).name or self.card


def installed_kinds() -> dict[str, Offered]:
    """The kinds that installed packages offer, without importing any of them."""
    return _kinds(tuple(dict.fromkeys(sys.path)))


@lru_cache(maxsize=4)
def _kinds(path: tuple[str, ...]) -> dict[str, Offered]:
    """What the packages on a path offer; of two that are called the same, the first on it counts, as for an import."""
    folders = [Path(each) for each in path]
    if any(folder.is_file() for folder in folders):
        return _in_archives()
    found: dict[str, Offered] = {}
    packages: set[str] = set()
    for folder in folders:
        here = {each: each.parent.name.partition("-")[0].lower() for each in sorted(folder.glob("*-info/entry_points.txt"))}
        for file, package in here.items():
            if package not in packages:
                found = {**{each.kind: each for each in _offers(file)}, **found}
        packages.update(here.values())
    return found


def _offers(file: Path) -> list[Offered]:
    """What one package offers to us: `kind = module:attribute`, a line each, under our group's heading."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeError):
        return []
    offered, ours = [], False
    for line in map(str.strip, text.splitlines() if GROUP in text else ()):
        if line.startswith("["):
            ours = line == f"[{GROUP}]"
        elif ours and "=" in line and not line.startswith("#"):
            kind, _, card = line.partition("=")
            offered.append(Offered(kind.strip(), card.partition("[")[0].strip(), file.parent))
    return offered


def _in_archives() -> dict[str, Offered]:
    from importlib.metadata import entry_points  # late: see above

    return {each.name: Offered(each.name, each.value) for each in entry_points(group=GROUP)}
