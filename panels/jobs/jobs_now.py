"""Jobs as they are now, for an action: by their identity, or by the group whose row it was asked from."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from urllib.parse import unquote

from tui.engine.actions import Context

from .config import JobsConfig
from .failures import FAILURE, words
from .remedies import Job
from .rows import KIND
from .statements import can_be_id, read, read_shape, statements
from .window import KEPT, STEP

DEADLINE = 5.0


async def these_jobs(ids: Sequence[str], context: Context) -> list[Job]:
    """The jobs of these ids, in this order; one that is not there has the status None. Raises ProbeError."""
    if not ids:
        return []
    config: JobsConfig = context.settings
    async with context.tools.postgres(config.dsn).look(DEADLINE) as session:
        shape = await read_shape(config, session)
        possible = [each for each in ids if can_be_id(each, shape.id_type)]
        rows = await session.rows(statements(config, shape)["by_id"], {"ids": possible})
    found = {row["id"]: row for row in rows}
    return [found.get(each.lower()) or found.get(each) or {"id": each, "status": None} for each in ids]


async def of_group(key: str, status: str, limit: int, fits: Callable[[Job], bool], context: Context) -> list[Job]:
    """The jobs of one status that stand behind a kind's or a failure's row, the newest first, `limit` at the most: looked for
    step by step through the last 24 h, by age. Raises ProbeError."""
    config: JobsConfig = context.settings
    kind, signature = _parts(key)
    found: list[Job] = []
    until = asyncio.get_running_loop().time() + DEADLINE
    async with context.tools.postgres(config.dsn).look(DEADLINE + 1) as session:
        walk = statements(config, await read_shape(config, session))["walk"]
        now = float((await session.one(read("clock")))["now"])
        since, before = now - KEPT * 60, now + 1
        while len(found) < limit and before > since and asyncio.get_running_loop().time() < until:
            parameters = {"since": since, "before": before, "limit": STEP, "kind": kind, "status": status}
            rows = await session.rows(walk, parameters)
            jobs = [row for row in rows if row["id"] is not None and fits(row)]
            found += [job for job in jobs if signature is None or words(job["error"]) == signature]
            before = rows[0]["reached"] if rows[0]["looked"] >= STEP else since
    return found[:limit]


def _parts(key: str) -> tuple[str, str | None]:
    """The kind, and the signature where it is a failure's key."""
    if key.startswith(FAILURE):
        kind, _, signature = key.removeprefix(FAILURE).partition(":")
        return unquote(kind), signature
    return key.removeprefix(KIND), None
