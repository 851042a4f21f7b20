"""How large the database and its tables are, and how fast they grow: asked each minute, as it costs the file system."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from tui.engine.connections import Tools
from tui.engine.panel import Memory, Target
from tui.engine.reading import Found, Row, Status, signal
from tui.engine.text import clean

from .config import DatabaseConfig
from .sql import statement

GROWTH_OVER = 3600.0
"""Seconds over which growth is taken."""
SOONEST = 60.0
"""Seconds that must lie between two sizes before they are called a growth."""


@dataclass(slots=True)
class Kept:
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
    rows = tuple(
        Row(
            f"table:{row['name']}",
            {
                "table": clean(row["name"], 120),
                "size": int(row["size"]),
                "indexes": int(row["indexes"]),
                "growth": (int(row["size"]) - first_tables[row["name"]]) * hourly
                if hourly and row["name"] in first_tables
                else None,
                "rows": row["rows"],
                "dead": row["dead"],
                "vacuumed": row["vacuumed"],
            },
            group="table",
        )
        for row in tables
        if row["size"]
    )
    return Found(Status.OK, tuple(signals), rows, spent=spent)
