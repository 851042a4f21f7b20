"""What was learnt of the queue as rows: kinds, groups of failures, single jobs, workers. Pure.

The view draws some of them; every one can be opened, filtered and acted on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tui.engine.reading import Row, Value
from tui.engine.text import EMPTY, Shown, clean, clean_lines

from .config import JobsConfig
from .failures import Group
from .figures import KindFigures, by_kind, is_stuck, listed
from .look import Kept

MOST_GROUPS = 40
MOST_OF_GROUP = 10
MOST_FAILED = 150
MOST_RUNNING = 150
MOST_WORKERS = 50


KIND = "kind:"


def kind_key(kind: str) -> str:
    """The key of a kind's row: what an action is told to take that kind's jobs."""
    return f"{KIND}{kind}"


def kind_of(row: Row) -> str:
    """The raw name of a kind's row, as signals are labelled."""
    return row.key.removeprefix(KIND)


def short(identity: str) -> str:
    """Enough of an identity to tell jobs apart: a uuid's first piece."""
    first = identity.partition("-")[0] if len(identity) == 36 and identity.count("-") == 4 else identity
    return first if len(first) <= 16 else f"{first[:15]}…"


def rows(config: JobsConfig, kept: Kept) -> tuple[Row, ...]:
    """All rows, each job once: stuck, running, failed, due or recent, in this order of what matters."""
    kinds = listed(by_kind(config, kept), config, kept)
    groups = kept.failures.groups()[:MOST_GROUPS]
    jobs: dict[str, Row] = {}
    for row in [*_running(config, kept), *_failed(groups, kept.now), *_others(kept)]:
        jobs.setdefault(row.key, row)
    return (
        *(_kind(each) for each in kinds),
        *(_group(group, kept) for group in groups),
        *jobs.values(),
        *_workers(kept),
    )


def _kind(each: KindFigures) -> Row:
    cells: dict[str, Value] = {
        "kind": clean(each.kind, 80),
        "queued": each.queued,
        "due": each.due,
        "oldest_due": each.oldest_due,
        "running": each.running,
        "stuck": each.stuck,
        "failure_rate": each.failure_rate,
        "failed_24h": each.failed,
        "created_24h": each.created,
        "failed_10m": each.failed_lately,
    }
    return Row(kind_key(each.kind), cells, group="kind")


def _group(group: Group, kept: Kept) -> Row:
    newest = group.jobs[0]
    failed = sum(each.failed for each in kept.window.by_kind.values())
    cells: dict[str, Value] = {
        "signature": clean(group.signature),
        "kind": clean(group.kind, 80),
        "jobs": len(group.jobs),
        "newest": None if newest.at is None else max(0.0, kept.now - newest.at),
        "newest_created": kept.now - newest.row["created"],
        "at_least": kept.failures.held < failed,
    }
    long = {"newest error": clean_lines(newest.row["error"])} if newest.row["error"] else {}
    return Row(group.key, cells, parent=kind_key(group.kind), long=long, group="failure")


def _running(config: JobsConfig, kept: Kept) -> list[Row]:
    """The stuck ones first, the longest silent before others; then those that run the longest."""
    found = []
    for row in kept.running.values():
        stuck = is_stuck(row["heartbeat_age"], config)
        long = (row["due_age"] or 0.0) > config.long_running
        silent = row["heartbeat_age"] if row["heartbeat_age"] is not None else float("inf")
        why = "stuck" if stuck else "long" if long else "running"
        found.append(((not stuck, -silent if stuck else -(row["due_age"] or 0.0)), job(row, why, kind_key(row["kind"] or ""))))
    return [each for _, each in sorted(found, key=lambda pair: (pair[0], pair[1].key))[:MOST_RUNNING]]


def _failed(groups: list[Group], now: float) -> list[Row]:
    """The newest of each group of failures; read when they failed, so their ages have run on since."""
    found = [(each, group.key) for group in groups for each in group.jobs[:MOST_OF_GROUP]][:MOST_FAILED]
    return [job(each.row, "failed", key, passed=now - each.seen) for each, key in found]


def _others(kept: Kept) -> list[Row]:
    """What has been due the longest, and the newest jobs of all."""
    due = [job(row, "due", kind_key(row["kind"] or "")) for row in kept.due]
    return due + [job(row, "recent", kind_key(row["kind"] or "")) for row in kept.recent]


def job(row: Mapping[str, Any], why: str, parent: str, passed: float = 0.0) -> Row:
    """A job as a row, read `passed` seconds ago; `why` says why it is listed: `stuck`, `long`, `running`, `failed`, `due`,
    `recent`."""
    error = row["error"]
    cells: dict[str, Value] = {
        "job": clean(row["id"], 80),
        "kind": clean(row["kind"] or "", 80),
        "status": clean(row["status"] or "", 40),
        "why": Shown(why),
        "worker": clean(row["worker"], 80) if row["worker"] is not None else None,
        "heartbeat": _later(row["heartbeat_age"], passed),
        "due_since": _later(row["due_age"], passed),
        "created": _later(row["age"], passed),
        "attempts": row["attempts"],
        "ended": _later(row["finished_age"], passed),
        "error": clean(error.strip().splitlines()[0]) if error and error.strip() else EMPTY,
    }
    long = {"error": clean_lines(error)} if error else {}
    return Row(row["id"], cells, parent=parent, long=long, group="job")


def _later(age: float | None, passed: float) -> float | None:
    """An age as it is after some seconds more."""
    return None if age is None else age + passed


def _workers(kept: Kept) -> list[Row]:
    """The workers that were heard in 24 h, the last heard first."""
    heard = sorted(kept.heartbeats.items(), key=lambda pair: (-pair[1], pair[0]))[:MOST_WORKERS]
    found = []
    for name, at in heard:
        running = sum(1 for row in kept.running.values() if row["worker"] == name)
        cells: dict[str, Value] = {"worker": clean(name, 80), "heartbeat": max(0.0, kept.now - at), "running": running}
        found.append(Row(f"worker:{name}", cells, group="worker"))
    return found
