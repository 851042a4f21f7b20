"""Which deployment to go back to: one rule for the view that marks it and for the hint that names the command.

of the production deployments that went live before the one that serves now
leave out   what nobody may return to · what was itself rolled back · what an alert suspects
prefer      the newest that served for ten minutes: one that was replaced sooner was never proven
else        the newest there is
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from tui.engine.reading import Row
from tui.engine.text import Shown
from tui.engine.units import show_duration

PROVEN = 600.0
"""Seconds of service after which a deployment counts as proven: longer than most alerts hold back."""


class Choice(Struct, frozen=True):
    """The deployment to go back to, the one that serves now, and those between them that were passed over, with why."""

    good: Row
    live: Row
    passed: tuple[tuple[Row, Shown], ...] = ()


class NothingGood(Exception):
    """No deployment can be named; the message says why."""


def text(row: Row, name: str) -> Shown:
    """A cell that holds text; empty where it holds none."""
    value = row.cells.get(name)
    return Shown(value if isinstance(value, str) else "")


def title(row: Row) -> Shown:
    """Commit and branch: what people call a deployment."""
    return Shown(f"{text(row, 'commit')} {text(row, 'branch')}".strip())


def choose(rows: Sequence[Row], suspected: Mapping[str, Shown]) -> Choice:
    """The last good deployment before the one that serves. Raises NothingGood."""
    live = next((row for row in rows if row.cells.get("live") is True), None)
    if live is None:
        raise NothingGood("the API does not say which deployment serves, so none can be called the one before it")
    if under_way := next((row for row in rows if text(row, "pointing")), None):
        raise NothingGood(f"{title(under_way)}: {text(under_way, 'pointing')}; wait for its outcome")
    before = _before(live, rows)
    if not before:
        raise NothingGood("no older production deployment is known: there is nothing to go back to")
    judged = [(row, _against(row, suspected)) for row in before]
    usable = [row for row, against in judged if not against]
    if not usable:
        why = "; ".join(f"{title(row)} {against}" for row, against in judged[:3])
        raise NothingGood(f"none of the older ones will do: {why}")
    good = next((row for row in usable if (row.number("served_for") or 0.0) >= PROVEN), usable[0])
    return Choice(good, live, tuple((row, against or _brief(row)) for row, against in judged[: before.index(good)]))


def _before(live: Row, rows: Sequence[Row]) -> list[Row]:
    """The production deployments that were made before the live one and once served, the newest first."""
    made = live.number("created") or 0.0
    older = [row for row in rows if row is not live and (row.number("created") or 0.0) < made]
    return sorted(
        (row for row in older if row.number("served_for") is not None), key=lambda row: -(row.number("created") or 0.0)
    )


def _against(row: Row, suspected: Mapping[str, Shown]) -> Shown:
    """What speaks against going back to it; empty where nothing does."""
    if row.cells.get("rolled_back"):
        return Shown("was itself rolled back")
    if row.key in suspected:
        return Shown(f"is suspected: {suspected[row.key]}")
    return Shown("") if row.cells.get("can_return") else Shown("cannot be returned to")


def _brief(row: Row) -> Shown:
    return Shown(f"served for {show_duration(row.number('served_for'))} only")
