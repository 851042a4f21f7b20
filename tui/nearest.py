"""What was probably meant by a name that is nobody's. Imports nothing before something is wrong."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(name: str, known: Iterable[str]) -> str:
    """`, did you mean …?` where something is near."""
    import difflib  # late: only where something is wrong

    near = difflib.get_close_matches(name, list(map(str, known)), 1, 0.6)
    return f", did you mean {near[0]!r}?" if near else ""
