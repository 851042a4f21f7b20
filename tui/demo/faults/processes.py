"""Something that should run and does not: the timer, or the worker. What has piled up since is there at once."""

import random
from datetime import timedelta

from tui.demo.faults.fault import Fault
from tui.demo.stack import Parts
from tui.demo.worker import NAMES, OPERATIONS

EARLIER = """
    UPDATE jobs SET created_at = created_at - %(since)s, run_after = run_after - %(since)s,
        finished_at = finished_at - %(since)s,
        last_heartbeat = CASE WHEN status = 'running' THEN last_heartbeat ELSE last_heartbeat - %(since)s END
"""
"""Jobs come and go earlier by so much than they did."""


class StalledTimer(Fault):
    """The schedule scan is not called."""

    AGO = f"{EARLIER} WHERE created_at > now() - %(since)s AND payload ? 'schedule_id'"
    """The last scan, with the jobs that it made, was some minutes earlier."""
    OVERDUE = """
        INSERT INTO schedules (workspace_id, clip_id, connected_account_id, publish_at, created_at)
        SELECT workspace_id, md5(%s)::uuid, id, now() - %s * interval '1 minute', now() - interval '3 hours'
        FROM connected_accounts WHERE id = md5(%s)::uuid
    """

    async def apply(self, parts: Parts, rng: random.Random) -> None:
        await parts.timer.stop()
        since = rng.uniform(6, 15)
        async with parts.database.session() as connection:
            await connection.execute(self.AGO, {"since": timedelta(minutes=since)})
            for _ in range(rng.randint(6, 20)):
                clip, account = f"clip-{rng.randint(1, 960)}", f"account-{rng.randint(1, 24)}"
                await connection.execute(self.OVERDUE, [clip, rng.uniform(0.2, since), account])

    async def heal(self, parts: Parts) -> None:
        parts.timer.start()

    async def active(self, parts: Parts) -> bool:
        return not parts.timer.running


class DeadWorker(Fault):
    """The worker process was killed some minutes ago, with jobs in hand."""

    IN_HAND = """
        INSERT INTO jobs (kind, status, worker_id, created_at, run_after, attempts, payload)
        SELECT %s, 'running', %s, now() - interval '20 minutes', now() - interval '20 minutes', 1,
               jsonb_build_object('clip_id', md5(%s)::uuid)
    """
    SILENT = (
        "UPDATE jobs SET last_heartbeat = now() - %s * interval '1 minute' WHERE status = 'running' AND worker_id = ANY(%s)"
    )
    AGO = f"{EARLIER} WHERE worker_id = ANY(%(workers)s) AND status <> 'running' AND last_heartbeat > now() - %(since)s"
    """What it ended in these minutes, it ended before them."""
    DUE = """
        INSERT INTO jobs (kind, created_at, run_after, payload)
        SELECT %s, at, at, jsonb_build_object('clip_id', md5(%s)::uuid)
        FROM (SELECT now() - %s * interval '1 minute' AS at) a
    """

    async def apply(self, parts: Parts, rng: random.Random) -> None:
        await parts.worker.kill()
        since = rng.uniform(6, 12)
        kinds = list(OPERATIONS)
        async with parts.database.session() as connection:
            for name in NAMES:
                await connection.execute(self.IN_HAND, [rng.choice(kinds), name, f"clip-{rng.randint(1, 960)}"])
            await connection.execute(self.SILENT, [since, list(NAMES)])
            await connection.execute(self.AGO, {"since": timedelta(minutes=since), "workers": list(NAMES)})
            for _ in range(rng.randint(20, 60)):
                clip = f"clip-{rng.randint(1, 960)}"
                await connection.execute(self.DUE, [rng.choice(kinds), clip, rng.uniform(0.0, since)])

    async def heal(self, parts: Parts) -> None:
        await parts.start_worker()

    async def active(self, parts: Parts) -> bool:
        return not parts.worker.alive
