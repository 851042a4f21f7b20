"""The schedules' probe against a real PostgreSQL."""

from __future__ import annotations

import pytest

from panels.jobs import schedules
from tests.panels.jobs.conftest import Watch, aged
from tests.panels.jobs.queue import Queue
from tui.engine.reading import Status

OVERDUE = "INSERT INTO schedules (publish_at) SELECT now() - %s * interval '1 second' FROM generate_series(1, %s) RETURNING id"


def made_from(queue: Queue, schedule: str, age: float) -> None:
    """A job that the scan made from a schedule."""
    queue.run(
        "INSERT INTO jobs (kind, status, created_at, payload) "
        "VALUES ('PUBLISH', 'succeeded', now() - %s * interval '1 second', jsonb_build_object('schedule_id', %s::text))",
        age,
        schedule,
    )


async def test_what_is_overdue_and_what_no_job_was_made_from(queue: Queue, watch: Watch) -> None:
    missed = [str(row[0]) for row in queue.run(OVERDUE, 400, 3)]
    queue.run(OVERDUE, 10, 2)
    queue.run(OVERDUE, -600, 5)
    made_from(queue, missed[0], 30)
    async with watch(queue.watch) as panel:
        state = await panel.poll()
        assert panel.value("overdue_schedules") == 5
        assert panel.value("oldest_overdue") == aged(400)
        assert panel.value("orphan_schedules") == 2, "two were missed; those due for 10 s will be taken up"
        assert panel.value("cron_age") == aged(30)
        assert state.status is Status.DEGRADED and panel.alerts() == {("OverdueSchedules", "P2")}
        jobs = {row.key: row.cells["job"] for row in panel.rows("schedule", "schedules")}
        assert jobs[f"schedule:{missed[0]}"] == "has a job" and jobs[f"schedule:{missed[1]}"] == "no job"


async def test_a_schedule_that_waits_for_the_next_scan_is_no_alarm(queue: Queue, watch: Watch) -> None:
    queue.run(OVERDUE, 70, 4)
    async with watch(queue.watch) as panel:
        assert (await panel.poll()).status is Status.OK
        assert panel.value("orphan_schedules") == 0 and panel.value("cron_age") is None


async def test_a_job_made_since_the_last_poll_is_seen(queue: Queue, watch: Watch) -> None:
    (missed,) = [str(row[0]) for row in queue.run(OVERDUE, 400, 1)]
    async with watch(queue.watch) as panel:
        await panel.poll()
        assert panel.value("orphan_schedules") == 1
        made_from(queue, missed, 0)
        await panel.poll()
        assert panel.value("orphan_schedules") == 0


async def test_many_jobs_are_looked_at_a_step_at_a_time(queue: Queue, watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedules, "STEP", 100)
    (old,) = [str(row[0]) for row in queue.run(OVERDUE, 3000, 1)]
    made_from(queue, old, 2900)
    queue.run("INSERT INTO jobs (kind, created_at) SELECT 'A', now() - n * interval '10 s' FROM generate_series(1, 280) n")
    async with watch(queue.watch) as panel:
        await panel.poll()
        assert panel.value("orphan_schedules") is None, "not all jobs since it was due were looked at"
        for _ in range(4):
            await panel.poll()
        assert panel.value("orphan_schedules") == 0


async def test_there_may_be_no_schedules_at_all(queue: Queue, watch: Watch) -> None:
    queue.run("DROP TABLE schedules")
    async with watch(queue.watch) as panel:
        state = await panel.poll()
        assert state.status is Status.OK and panel.value("overdue_schedules") is None
        assert "sees no table schedules" in panel.reading("schedules").notes[0]
    async with watch(queue.watch, tables={"schedules": ""}) as panel:
        await panel.poll()
        assert panel.reading("schedules").notes == ()


async def test_a_table_that_may_not_be_read_names_the_grant(queue: Queue, watch: Watch) -> None:
    queue.run("REVOKE SELECT ON schedules FROM watch")
    async with watch(queue.watch) as panel:
        await panel.poll()
        assert panel.reading("schedules").notes[0].endswith('GRANT SELECT ON "schedules" TO "watch";')
