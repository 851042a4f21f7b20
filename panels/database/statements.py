"""Which statements the database spends its time on: pg_stat_statements, as the difference between two polls.

Where the extension is missing this probe says so, and the sessions' probe samples instead (sampling.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from tui.engine.connections import Tools
from tui.engine.folding import fold_sql
from tui.engine.panel import Memory, Target
from tui.engine.postgres_words import MARK, DatabaseError
from tui.engine.reading import Found, Row, Signal, Status, Value, signal
from tui.engine.text import Shown, clean, clean_lines
from tui.engine.units import show_count, show_duration, show_latency, show_rate, show_ratio

from .config import DatabaseConfig
from .sql import statement

if TYPE_CHECKING:
    from tui.engine.postgres import Session

MOST = 20
FEWEST_CALLS = 20
"""Calls below which a percentile over statements would be one statement's figure."""
LONG = 10.0
"""Seconds from which a mean reads as a duration: no column of milliseconds has room for it."""
TEXTS_KEPT = 1000
MISSING = "pg_stat_statements is missing: statements are sampled from what runs at each poll"

Key = tuple[int, int, bool]
"""A statement's identity within the database: user, queryid, whether at top level."""


class Counted(Struct, frozen=True):
    """A statement's counters; `seconds` of execution."""

    calls: int
    seconds: float
    rows: int

    def since(self, before: Counted | None) -> Counted:
        """What was added since; all of it where the counters began anew (a reset, an eviction)."""
        if before is None or before.calls > self.calls or before.seconds > self.seconds:
            return self
        return Counted(self.calls - before.calls, self.seconds - before.seconds, self.rows - before.rows)


class Where(Struct, frozen=True):
    """How the installed version of the extension is to be asked."""

    schema: str
    columns: frozenset[str]

    def sql(self, name: str) -> str:
        """A statement file with its placeholders filled: the schema is quoted by the server, the rest are words of ours."""
        time = "total_exec_time" if "total_exec_time" in self.columns else "total_time"
        toplevel = "s.toplevel" if "toplevel" in self.columns else "true"
        text = statement(name)
        for placeholder, word in (("{schema}", self.schema), ("{time}", time), ("{toplevel}", toplevel)):
            text = text.replace(placeholder, word)
        return text


class Kept(Struct):
    """What is kept between polls."""

    where: Where | None = None
    counters: dict[Key, Counted] = field(default_factory=dict)
    clock: float | None = None
    texts: dict[int, str] = field(default_factory=dict)


async def ask_statements(target: Target, tools: Tools, memory: Memory) -> Found:
    """The statements' counters, and what was added to them since the last poll. Raises ProbeError."""
    config: DatabaseConfig = target.settings
    kept: Kept = memory.setdefault("kept", Kept())
    try:
        async with tools.postgres(config.dsn).look(target.deadline) as session:
            kept.where = kept.where or await _find(session)
            if kept.where is None:
                return Found(Status.OK, notes=(Shown(MISSING),), spent=session.spent)
            found = await session.rows(kept.where.sql("statements"))
            now, seconds, added = _added(found, config, kept)
            top = sorted(added.items(), key=lambda item: -item[1].seconds)[: 2 * MOST]
            await _learn_texts(session, kept, [key[1] for key, _ in top])
            top = [(key, each) for key, each in top if MARK not in kept.texts.get(key[1], "")][:MOST]
            spent = session.spent
    except DatabaseError as error:
        kept.where = None  # it may have been dropped, moved or upgraded: looked for anew
        raise error
    hidden = sum(row["queryid"] is None for row in found)
    notes = (Shown("statements of other roles are hidden from us"),) if hidden else ()
    kept.clock = now
    return Found(Status.OK, _signals(added, seconds), _rows(top, added, seconds, kept.texts), notes=notes, spent=spent)


async def _find(session: Session) -> Where | None:
    """Where the extension is; None where it is not installed or its library not loaded."""
    found = await session.rows(statement("statements_where"))
    return Where(found[0]["schema"], frozenset(found[0]["columns"])) if found else None


def _added(
    found: Sequence[Mapping[str, Any]], config: DatabaseConfig, kept: Kept
) -> tuple[float | None, float | None, dict[Key, Counted]]:
    """The server's clock, the seconds since the last poll, and what each statement added in them. Without a last poll, or
    where the config wants totals, the seconds are None and the figures those since the last reset."""
    now = float(found[0]["clock"]) if found else kept.clock
    counters = {
        (int(row["userid"]), int(row["queryid"]), bool(row["toplevel"])): Counted(row["calls"], row["seconds"], row["rows"])
        for row in found
        if row["queryid"] is not None
    }
    before, kept.counters = kept.counters, counters
    if config.statements == "total" or kept.clock is None or now is None:
        return now, None, counters
    added = {key: each.since(before.get(key)) for key, each in counters.items()}
    return now, now - kept.clock, {key: each for key, each in added.items() if each.calls > 0}


async def _learn_texts(session: Session, kept: Kept, ids: Iterable[int]) -> None:
    """The texts of statements that are shown for the first time."""
    unknown = sorted(set(ids) - kept.texts.keys())
    if not unknown or kept.where is None:
        return
    if len(kept.texts) > TEXTS_KEPT:
        kept.texts.clear()
    for row in await session.rows(kept.where.sql("statement_texts"), {"ids": unknown}):
        kept.texts[int(row["queryid"])] = row["query"] or ""


def _signals(added: Mapping[Key, Counted], seconds: float | None) -> tuple[Signal, ...]:
    """Calls a second, their mean, and a percentile that is an estimate: by the statements' means, as single calls are not
    counted apart."""
    calls = sum(each.calls for each in added.values())
    spent = sum(each.seconds for each in added.values())
    known = seconds is not None and seconds > 0
    return (
        signal("statement_rate", calls / seconds if known and seconds else None, "1/s"),
        signal("query_mean", spent / calls if known and calls else None, "s"),
        signal("query_p95", _p95(added.values()) if known and calls >= FEWEST_CALLS else None, "s"),
    )


def _p95(counted: Iterable[Counted]) -> float | None:
    """The mean time below which 95 of 100 calls' statements lie."""
    by_mean = sorted((each.seconds / each.calls, each.calls) for each in counted if each.calls)
    left = 0.95 * sum(calls for _, calls in by_mean)
    for mean, calls in by_mean:
        left -= calls
        if left <= 0:
            return mean
    return None


def _rows(
    top: Sequence[tuple[Key, Counted]], added: Mapping[Key, Counted], seconds: float | None, texts: Mapping[int, str]
) -> tuple[Row, ...]:
    """A row a statement, the one that took most of the time first."""
    total = sum(each.seconds for each in added.values())
    return tuple(_row(key, each, each.seconds / total if total else 0.0, seconds, texts.get(key[1], "")) for key, each in top)


def show_mean(seconds: float | None) -> Shown:
    """A mean in milliseconds; a duration where that is so long that no column has room for it."""
    return show_duration(seconds) if seconds is not None and seconds >= LONG else show_latency(seconds)


def _row(key: Key, each: Counted, share: float, seconds: float | None, query: str) -> Row:
    """One statement: its figures in words, and in `numbers` as share, mean seconds, calls (a second, where it is known over
    how many), rows a call, and those seconds (None since the last reset)."""
    mean = each.seconds / each.calls if each.calls else None
    often = each.calls / seconds if seconds else float(each.calls)
    rows = each.rows / each.calls if each.calls else None
    cells: dict[str, Value] = {
        "share": show_ratio(share),
        "mean": show_mean(mean),
        "calls": show_rate(often) if seconds else show_count(often),
        "rows a call": show_count(rows),
        "over": Shown(f"last {show_duration(seconds)}") if seconds else Shown("since the last reset"),
        "query": clean(fold_sql(query)) or Shown("(its text is gone)"),
        "queryid": clean(key[1]),
        "numbers": (share, mean, often, rows, seconds or None),
    }
    identity = f"statement:{key[0]}/{key[1]}/{int(key[2])}"
    return Row(identity, cells, long={"statement": clean_lines(query)}, group="statement")
