"""A queue like cliply's in a test's own database: its tables, its two indexes, and jobs to put in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg

from tests.servers.postgres import Server

TABLES = """
    CREATE TABLE schedules (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        workspace_id uuid, clip_id uuid, connected_account_id uuid,
        publish_at timestamptz NOT NULL,
        status text NOT NULL DEFAULT 'scheduled',
        created_at timestamptz NOT NULL DEFAULT now()
    );
    CREATE TABLE jobs (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        kind text NOT NULL,
        status text NOT NULL DEFAULT 'queued',
        worker_id text,
        last_heartbeat timestamptz,
        run_after timestamptz NOT NULL DEFAULT now(),
        created_at timestamptz NOT NULL DEFAULT now(),
        payload jsonb NOT NULL DEFAULT '{}'
        {optional}
    );
    CREATE INDEX ON jobs (status, run_after) WHERE status = 'queued';
    CREATE INDEX ON jobs (created_at);
    GRANT SELECT ON jobs, schedules TO watch;
"""
OPTIONAL = ", attempts int NOT NULL DEFAULT 0, error text, finished_at timestamptz"


@dataclass(frozen=True)
class Queue:
    """The tables, and the means to put jobs in as the product would."""

    database: str
    watch: str
    superuser: str

    @contextmanager
    def session(self) -> Iterator[psycopg.Connection[Any]]:
        with psycopg.connect(self.superuser, autocommit=True) as connection:
            yield connection

    def run(self, statement: str, *parameters: Any) -> list[Any]:
        with self.session() as connection:
            cursor = connection.execute(statement.encode(), parameters)
            return cursor.fetchall() if cursor.description else []

    def add(self, kind: str, status: str, number: int = 1, **columns: Any) -> list[str]:
        """Jobs of one sort; ages in seconds by column (`created_at=60`), other values as they are."""
        aged = {"created_at", "run_after", "last_heartbeat", "finished_at"}
        names = ["kind", "status", *columns]
        values = ["%s", "%s", *("now() - %s * interval '1 second'" if name in aged else "%s" for name in columns)]
        statement = f"INSERT INTO jobs ({', '.join(names)}) SELECT {', '.join(values)} FROM generate_series(1, %s) RETURNING id"
        return [str(row[0]) for row in self.run(statement, kind, status, *columns.values(), number)]


def make_queue(server: Server, name: str, *, optional: bool = True) -> Queue:
    """A fresh queue in a database of its own."""
    superuser = server.new_database(name)
    queue = Queue(name, server.dsn("watch", name), superuser)
    queue.run(TABLES.replace("{optional}", OPTIONAL if optional else ""))
    return queue
