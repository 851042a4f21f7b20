"""Jobs in trouble: some that nobody works on any more, or a kind that fails with one signature."""

import random
from typing import NamedTuple

from tui.demo.faults.fault import Fault
from tui.demo.services.partners import Temper
from tui.demo.stack import Parts
from tui.demo.worker import OPERATIONS


class StuckJobs(Fault):
    """Jobs that run, by a worker that is gone."""

    INSERT = """
        INSERT INTO jobs (kind, status, worker_id, created_at, run_after, last_heartbeat, attempts, payload)
        VALUES (%(kind)s, 'running', %(worker)s, now() - %(age)s * interval '1 minute',
                now() - %(age)s * interval '1 minute', now() - %(silent)s * interval '1 minute', 1,
                jsonb_build_object('clip_id', md5(%(clip)s)::uuid, 'project_id', md5(%(project)s)::uuid))
        RETURNING id
    """
    STILL = "SELECT FROM jobs WHERE id = ANY(%s) AND worker_id = %s AND status = 'running' LIMIT 1"
    RELEASE = """
        UPDATE jobs SET status = 'queued', worker_id = NULL, last_heartbeat = NULL
        WHERE id = ANY(%s) AND worker_id = %s AND status = 'running'
    """

    def __init__(self) -> None:
        self._worker = ""
        self._jobs: list[object] = []

    async def apply(self, parts: Parts, rng: random.Random) -> None:
        self._worker, self._jobs = f"worker-fra1-{rng.randint(4, 9)}", []
        kinds = rng.sample(list(OPERATIONS), rng.randint(1, 2))
        silent = rng.uniform(6, 30)
        async with parts.database.session() as connection:
            for _ in range(rng.randint(4, 12)):
                job = {
                    "kind": rng.choice(kinds),
                    "worker": self._worker,
                    "silent": silent,
                    "age": silent + rng.uniform(0.2, 1.5),
                    "clip": f"clip-{rng.randint(1, 960)}",
                    "project": f"project-{rng.randint(1, 200)}",
                }
                made = await (await connection.execute(self.INSERT, job)).fetchone()
                self._jobs.append(made and made[0])

    async def heal(self, parts: Parts) -> None:
        async with parts.database.session() as connection:
            await connection.execute(self.RELEASE, [self._jobs, self._worker])

    async def active(self, parts: Parts) -> bool:
        if not self._jobs:
            return False
        async with parts.database.session() as connection:
            return (await connection.execute(self.STILL, [self._jobs, self._worker])).rowcount > 0


class Signature(NamedTuple):
    """How a kind fails: the status and the words, in which a number or an id differs each time."""

    kind: str
    status: int
    message: str


class FailingKind(Fault):
    """One kind's partner refuses all calls, and has done so for a while."""

    SIGNATURES = (
        Signature("PUBLISH_YOUTUBE", 401, "Invalid Credentials: the token of channel {number} has expired"),
        Signature("PUBLISH_TIKTOK", 429, "rate_limit_exceeded: retry after {number} ms, log id {request}"),
        Signature("TRANSCRIBE", 402, "insufficient credits for project {request}"),
        Signature("HIGHLIGHT_DETECT", 400, "context_length_exceeded: {number} tokens, request req_{request}"),
    )
    OF_THE_DAY = "SELECT count(*) FROM jobs WHERE kind = %s AND created_at > now() - interval '24 hours'"
    INSERT = """
        INSERT INTO jobs
            (kind, status, worker_id, created_at, run_after, last_heartbeat, finished_at, attempts, payload, error)
        SELECT %(kind)s, 'failed', 'worker-fra1-' || %(worker)s,
               at - interval '9 seconds', at - interval '9 seconds', at, at, 3,
               jsonb_build_object('clip_id', md5(%(clip)s)::uuid), %(error)s
        FROM (SELECT now() - %(age)s * interval '1 second' AS at) a
    """
    MORE = """
        INSERT INTO jobs (kind, run_after, payload)
        SELECT %s, now() + n * interval '4 seconds', jsonb_build_object('clip_id', md5('clip-' || n)::uuid)
        FROM generate_series(1, 12) n
    """

    def __init__(self) -> None:
        self._operation = ""

    async def apply(self, parts: Parts, rng: random.Random) -> None:
        chosen = rng.choice(self.SIGNATURES)
        share, minutes = rng.uniform(0.14, 0.24), rng.uniform(25, 45)
        self._operation, company = OPERATIONS[chosen.kind]
        temper = Temper(0.5, 1.5, 1.0, chosen.status, chosen.message)
        parts.partners.tempers[self._operation] = temper
        async with parts.database.session() as connection:
            row = await (await connection.execute(self.OF_THE_DAY, [chosen.kind])).fetchone()
            count = round((row[0] if row else 0) * share / (1 - share)) + 20
            past = [
                {
                    "kind": chosen.kind,
                    "worker": str(rng.randint(1, 3)),
                    "age": rng.uniform(1, minutes * 60),
                    "clip": f"clip-{rng.randint(1, 960)}",
                    "error": f"{company} {temper.status}: {parts.partners.words(temper.message)}",
                }
                for _ in range(count)
            ]
            async with connection.cursor() as cursor:
                await cursor.executemany(self.INSERT, past)
            await connection.execute(self.MORE, [chosen.kind])

    async def heal(self, parts: Parts) -> None:
        parts.partners.calm(self._operation)
        self._operation = ""

    async def active(self, parts: Parts) -> bool:
        return bool(self._operation)
