"""How large the database and its tables are, and how fast they grow: asked each minute, as it costs the file system."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

from msgspec import Struct, field

from tui.engine.connections import Tools
from tui.engine.panel import Memory, Target
from tui.engine.reading import Found, Row, Status, Value, signal
from tui.engine.text import Shown, clean
from tui.engine.units import NOT_MEASURED, show_count, show_duration, show_size

from .config import DatabaseConfig
from .sql import statement

GROWTH_OVER = 3600.0
"""Seconds over which growth is taken."""
SOONEST = 60.0
"""Seconds that must lie between two sizes before they are called a growth."""


class Kept(Struct):
    """The sizes of the last hour: the server's clock, the database's, and each table's."""

    sizes: deque[tuple[float, int, dict[str, int]]] = field(default_factory=deque)


async def ask_sizes(target: Target, tools: Tools, memory: Memory) -> Found:
    """The sizes now, and their growth. Raises ProbeError."""
    config: DatabaseConfig = target.settings
    kept: Kept = memory.setdefault("kept", Kept())
    async with tools.postgres(config.dsn).look(target.deadline) as session:
        whole = await session.one(statement("sizes"))
        tables = await session.rows(statement("tables"))
        spent = session.spent
    size, clock = int(whole["size"]), float(whole["clock"])
    kept.sizes.append((clock, size, {row["name"]: int(row["size"]) for row in tables}))
    while clock - kept.sizes[0][0] > GROWTH_OVER:
        kept.sizes.popleft()
    first_clock, first_size, first_tables = kept.sizes[0]
    over = clock - first_clock
    hourly = 3600.0 / over if over >= SOONEST - 5 else None
    signals = [
        signal("size", size, "bytes"),
        signal("growth", (size - first_size) * hourly if hourly else None, "bytes"),
        signal("size_used", size / config.quota if config.quota else None, "ratio"),
    ]
    rows = tuple(_row(row, first_tables.get(row["name"]), hourly) for row in tables if row["size"])
    return Found(Status.OK, tuple(signals), rows, spent=spent)


def _row(row: Mapping[str, Any], before: int | None, hourly: float | None) -> Row:
    """One table: its figures in words, and in `numbers` as bytes, bytes grown in an hour, rows and dead rows."""
    size = int(row["size"])
    growth = (size - before) * hourly if hourly is not None and before is not None else None
    cells: dict[str, Value] = {
        "table": clean(row["name"], 120),
        "size": show_size(size),
        "of it indexes": show_size(int(row["indexes"])),
        "an hour": _grown(growth),
        "rows ≈": _short(row["rows"]),
        "dead rows": _short(row["dead"]),
        "vacuumed": Shown(f"{show_duration(row['vacuumed'])} ago")
        if row["vacuumed"] is not None
        else Shown("never, or not known"),
        "numbers": (float(size), growth, row["rows"], row["dead"]),
    }
    return Row(f"table:{row['name']}", cells, group="table")


def _grown(growth: float | None) -> Shown:
    """`+3.0 MB`, `0`; `–` where it cannot be told yet."""
    if growth is None:
        return NOT_MEASURED
    return Shown(f"{'+' if growth > 0 else ''}{show_size(growth)}") if growth else Shown("0")


def _short(count: float | None) -> Shown:
    """A large number in few digits: `1.2 M`."""
    if count is None or count < 100_000:
        return show_count(round(count) if count is not None else None)
    return Shown(f"{count / 1e6:.1f} M" if count < 1e9 else f"{count / 1e9:.1f} G")
