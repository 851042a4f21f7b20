"""What each statement costs: none scans the queue but the one that says so, and none is slow."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from panels.jobs.config import JobsConfig
from panels.jobs.statements import FOLDER, Shape, can_be_id, quoted, read, statements
from tests.panels.jobs.queue import Queue, make_queue
from tests.servers.postgres import Server

MAY_SCAN = {"running_beyond"}
JOBS = 220_000
FILL = """
    INSERT INTO jobs (kind, status, created_at, run_after, worker_id, last_heartbeat, finished_at, payload, error)
    SELECT 'KIND_' || n %% 5, CASE WHEN n %% 50 = 0 THEN 'failed' ELSE 'succeeded' END, at, at, 'worker-' || n %% 3,
           at + interval '9 s', at + interval '10 s', jsonb_build_object('schedule_id', gen_random_uuid()),
           CASE WHEN n %% 50 = 0 THEN 'Refused: request ' || md5(n::text) END
    FROM (SELECT n, now() - (1 - n / %s::float) * interval '4 days' AS at FROM generate_series(1, %s) n) made
"""


@pytest.fixture(scope="module")
def full(postgres: Server) -> Iterator[Queue]:
    """A queue with four days of jobs, vacuumed as autovacuum would."""
    queue = make_queue(postgres, "jobs_full")
    queue.run(FILL, JOBS, JOBS)
    queue.add("KIND_1", "queued", 40)
    queue.add("KIND_2", "running", 10, worker_id="worker-1", last_heartbeat=2)
    queue.run("INSERT INTO schedules (publish_at) SELECT now() - n * interval '1 hour' FROM generate_series(1, 100) n")
    queue.run("VACUUM ANALYZE jobs")
    yield queue


def test_no_statement_but_the_named_one_scans_the_queue(full: Queue) -> None:
    with psycopg.connect(full.watch) as connection:
        plans = {name: plan(connection, name, text) for name, text in ready().items()}
    assert {name for name, lines in plans.items() if "Seq Scan on jobs" in lines} <= MAY_SCAN
    assert "Index" in plans["minutes"] and "Index" in plans["members"] and "Index" in plans["walk"]


def test_every_statement_looks_at_no_more_than_its_part(full: Queue) -> None:
    """What 20 ms of server time are made of, counted instead of timed: the rows that any step of it yields, and the blocks."""
    with psycopg.connect(full.watch) as connection:
        seen = {name: looked_at(connection, name, text) for name, text in ready().items() if name not in MAY_SCAN}
    assert {name: rows for name, (rows, _) in seen.items() if rows > 10_000} == {}
    assert {name: blocks for name, (_, blocks) in seen.items() if blocks > 1_000} == {}


def test_every_file_says_what_it_costs_and_needs() -> None:
    for path in FOLDER.glob("*.sql"):
        comment = "".join(line for line in path.read_text().splitlines(keepends=True) if line.startswith("--"))
        assert path.stem == "job" or ("Cost: " in comment and "Needs: " in comment), path.name
        assert "--" not in read(path.stem)


def test_names_from_the_config_are_quoted_whatever_they_hold(full: Queue) -> None:
    full.run('CREATE SCHEMA "Work shop"')
    full.run('CREATE TABLE "Work shop"."job""s" (LIKE jobs)')
    full.run('ALTER TABLE "Work shop"."job""s" RENAME kind TO "the kind; DROP TABLE jobs"')
    config = JobsConfig.model_validate(
        {
            "dsn": full.superuser,
            "tables": {"jobs": 'Work shop.job"s'},
            "columns": {"kind": "the kind; DROP TABLE jobs"},
            "states": {"failed": "it's lost"},
        }
    )
    with psycopg.connect(full.superuser) as connection:
        for name, text in statements(config, shape()).items():
            connection.execute(text.encode(), parameters(name))
    assert quoted('Work shop.job"s') == '"Work shop"."job""s"'


def test_absent_columns_stand_as_null(full: Queue) -> None:
    text = statements(JobsConfig.model_validate({"dsn": full.watch}), shape(optional=()))["by_id"]
    assert "NULL::timestamptz" in text and '"finished_at"' not in text


def test_only_what_can_be_an_identity_is_asked_for() -> None:
    assert can_be_id("0b9ff9c4-50cc-4d31-b4b2-c9d2b32dd6e1", "uuid") and not can_be_id("12", "uuid")
    assert can_be_id("12", "bigint") and not can_be_id("12; DROP", "bigint")
    assert can_be_id("any'thing", "text")


def shape(optional: tuple[str, ...] = ("payload", "attempts", "error", "finished_at")) -> Shape:
    return Shape("uuid", frozenset(optional), True, False, "watch")


def ready() -> dict[str, str]:
    return statements(JobsConfig.model_validate({"dsn": "host=localhost dbname=x"}), shape())


def parameters(name: str) -> dict[str, Any]:
    """What a poll would ask with: an hour for the window's statements, a day for the walk."""
    now = time.time()
    return {
        "starts": [now - 3600, now - 120],
        "ends": [now - 1800, now + 60],
        "limit": 10_000 if name in ("minutes", "walk") else 1_000,
        "status": "failed",
        "ids": ["0b9ff9c4-50cc-4d31-b4b2-c9d2b32dd6e1"] * 50,
        "before": now - 86400 if name == "running_beyond" else now,
        "since": now - 86400,
        "kind": "KIND_0",
        "key": "schedule_id",
        "table": '"jobs"',
        "created_at": "created_at",
        "run_after": "run_after",
    }


def plan(connection: psycopg.Connection[Any], name: str, text: str) -> str:
    rows = connection.execute(f"EXPLAIN {text}".encode(), parameters(name)).fetchall()
    return "\n".join(str(row[0]) for row in rows)


def looked_at(connection: psycopg.Connection[Any], name: str, text: str) -> tuple[int, int]:
    """The most rows that a step of the plan went through, kept or thrown away, and the blocks that the whole touched."""
    explained = f"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) {text}"
    (((explanation,),),) = connection.execute(explained.encode(), parameters(name)).fetchall()
    top = explanation["Plan"]
    return max(_rows(top)), top["Shared Hit Blocks"] + top["Shared Read Blocks"]


def _rows(step: dict[str, Any]) -> Iterator[int]:
    yield int((step["Actual Rows"] + step.get("Rows Removed by Filter", 0)) * step["Actual Loops"])
    for each in step.get("Plans", ()):
        yield from _rows(each)
