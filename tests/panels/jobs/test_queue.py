"""The queue's probe against a real PostgreSQL: what it measures, poll by poll."""

from __future__ import annotations

import pytest

from panels.jobs import look, probe
from tests.panels.jobs.conftest import Watch, aged
from tests.panels.jobs.queue import Queue, make_queue
from tests.servers.postgres import Server, start_postgres
from tui.engine.reading import Status


async def test_the_queue_by_kind(queue: Queue, watch: Watch) -> None:
    queue.add("CLIP_RENDER", "queued", 3, run_after=40)
    queue.add("CLIP_RENDER", "queued", 2, run_after=-600)
    queue.add("CLIP_RENDER", "running", 2, worker_id="w1", last_heartbeat=3)
    queue.add("TRANSCRIBE", "succeeded", 8, finished_at=30)
    queue.add("TRANSCRIBE", "failed", 2, finished_at=30, error="Deepgram 402: no credits")
    async with watch(queue.watch) as panel:
        state = await panel.poll()
        assert panel.value("queued", kind="CLIP_RENDER") == 5
        assert panel.value("due", kind="CLIP_RENDER") == 3
        assert panel.value("oldest_due", kind="CLIP_RENDER") == aged(40)
        assert panel.value("running", kind="CLIP_RENDER") == 2
        assert panel.value("failure_rate", kind="TRANSCRIBE") == pytest.approx(0.2)
        assert panel.value("failed_10m", kind="TRANSCRIBE") == 2
        assert panel.value("oldest_due", kind="TRANSCRIBE") == 0
        assert panel.value("throughput") == pytest.approx(10 / 60)
        assert (panel.value("stuck"), panel.value("workers")) == (0, 1)
        assert state.status is Status.DEGRADED and panel.alerts() == {("JobFailureRate", "P2")}


async def test_an_empty_queue_is_well_and_measures_no_rates(queue: Queue, watch: Watch) -> None:
    async with watch(queue.watch, kinds=["CLIP_RENDER"]) as panel:
        state = await panel.poll()
        assert state.status is Status.OK
        assert panel.value("queued", kind="CLIP_RENDER") == 0
        assert panel.value("failure_rate", kind="CLIP_RENDER") is None
        assert panel.value("worker_heartbeat") is None and panel.value("worker_silence") is None


async def test_a_running_job_without_a_heartbeat_for_five_minutes_or_ever_is_stuck(queue: Queue, watch: Watch) -> None:
    queue.add("A", "running", created_at=900, last_heartbeat=290, worker_id="w1")
    silent = queue.add("A", "running", created_at=900, last_heartbeat=310, worker_id="w2")
    never = queue.add("B", "running", created_at=20)
    async with watch(queue.watch) as panel:
        state = await panel.poll()
        assert panel.value("stuck") == 2
        assert {row.key for row in panel.rows("job") if row.cells["why"] == "stuck"} == {*silent, *never}
        assert state.status is Status.FAILING and ("StuckJobs", "P1") in panel.alerts()


async def test_stuck_jobs_appear_within_one_poll_and_go_when_they_are_unlocked(queue: Queue, watch: Watch) -> None:
    queue.add("A", "running", worker_id="w1", last_heartbeat=1)
    async with watch(queue.watch) as panel:
        assert (await panel.poll()).status is Status.OK
        stuck = queue.add("A", "running", 3, created_at=1500, run_after=1500, last_heartbeat=1200, worker_id="w7")
        assert (await panel.poll()).status is Status.FAILING
        queue.run("UPDATE jobs SET status = 'queued', worker_id = NULL WHERE id = ANY(%s::uuid[])", stuck)
        assert (await panel.poll()).status is Status.OK
        assert panel.value("queued", kind="A") == 3


async def test_failures_with_one_signature_are_one_group_with_its_jobs_under_it(queue: Queue, watch: Watch) -> None:
    for number in range(3):
        queue.add("A", "failed", error=f"YouTube 403: quota of project {number} exceeded", finished_at=100 + number)
    queue.add("A", "failed", error="Encoder: 'clip.mp4' is broken", finished_at=50)
    queue.add("B", "failed", finished_at=50)
    async with watch(queue.watch) as panel:
        await panel.poll()
        groups = {str(row.cells["signature"]): row for row in panel.rows("failure")}
        assert {name: row.cells["jobs"] for name, row in groups.items()} == {
            "YouTube <n>: quota of project <n> exceeded": 3,
            "Encoder: <…> is broken": 1,
            "no error text": 1,
        }
        group = groups["YouTube <n>: quota of project <n> exceeded"]
        assert group.parent == "kind:A" and group.cells["newest"] == aged(100)
        assert len([row for row in panel.rows("job") if row.parent == group.key]) == 3


async def test_failures_of_critical_kinds_are_counted_together(queue: Queue, watch: Watch) -> None:
    queue.add("PUBLISH_YOUTUBE", "failed", 6, finished_at=100)
    queue.add("PUBLISH_TIKTOK", "failed", 5, finished_at=100, created_at=1200)
    queue.add("PUBLISH_TIKTOK", "failed", 5, finished_at=700, created_at=1200)
    queue.add("CLIP_RENDER", "failed", 9, finished_at=100)
    async with watch(queue.watch) as panel:
        await panel.poll()
        assert panel.value("critical_failed_10m") == 11
        assert ("PublishFailures", "P1") in panel.alerts()


async def test_without_optional_columns_failures_are_those_seen_to_fail(postgres: Server, watch: Watch) -> None:
    queue = make_queue(postgres, "jobs_bare", optional=False)
    queue.add("A", "failed", 4, created_at=100)
    running = queue.add("A", "running", 3, worker_id="w1", last_heartbeat=1)
    async with watch(queue.watch) as panel:
        await panel.poll()
        assert panel.value("failed_10m", kind="A") is None, "nobody knows when these failed"
        assert any("seen to fail since" in note for note in panel.reading().notes)
        queue.run("UPDATE jobs SET status = 'failed' WHERE id = ANY(%s::uuid[])", running[:2])
        await panel.poll()
        assert panel.value("failed_10m", kind="A") == 2
        assert panel.value("failure_rate", kind="A") == pytest.approx(6 / 7)
        assert panel.value("throughput") is not None
        assert panel.rows("failure")[0].cells["signature"] == "no error text"


async def test_columns_that_come_with_a_migration_are_seen(
    postgres: Server, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = make_queue(postgres, "jobs_migrated", optional=False)
    queue.add("A", "failed", created_at=100)
    async with watch(queue.watch) as panel:
        await panel.poll()
        queue.run("ALTER TABLE jobs ADD COLUMN finished_at timestamptz")
        queue.run("UPDATE jobs SET finished_at = now()")
        monkeypatch.setattr(look, "SHAPE_EACH", 0.0)
        await panel.poll()
        queue.add("A", "failed", finished_at=1)
        await panel.poll()
        assert panel.value("failed_10m", kind="A") == 2


async def test_a_column_that_goes_away_costs_one_poll(queue: Queue, watch: Watch) -> None:
    queue.add("A", "failed", finished_at=100, error="gone")
    async with watch(queue.watch) as panel:
        await panel.poll()
        queue.run("ALTER TABLE jobs DROP COLUMN error")
        assert (await panel.poll()).status is Status.UNKNOWN
        assert (await panel.poll()).status is not Status.UNKNOWN


async def test_jobs_that_run_since_before_the_window_are_found_and_then_watched_by_id(
    queue: Queue, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = queue.add("A", "running", created_at=3 * 86400, run_after=3 * 86400, last_heartbeat=2 * 86400, worker_id="w1")
    async with watch(queue.watch) as panel:
        await panel.poll()
        assert panel.value("stuck") == 1
        monkeypatch.setattr(probe, "BEYOND_EACH", 1e9)
        queue.run("UPDATE jobs SET status = 'queued' WHERE id = %s", old[0])
        await panel.poll()
        assert panel.value("stuck") == 0


async def test_the_statement_that_may_scan_is_ended_and_said_to_have_no_answer(
    queue: Queue, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue.add("A", "running", worker_id="w1", last_heartbeat=1)
    async with watch(queue.watch) as panel:
        monkeypatch.setattr(probe, "BEYOND_LIMIT", 0.0005)
        queue.add("A", "done", 60_000, created_at=9 * 86400)
        state = await panel.poll()
        assert state.status is Status.OK
        assert any("since before 24 h: not known" in note for note in panel.reading().notes)


async def test_no_worker_is_heard_although_there_is_work(queue: Queue, watch: Watch) -> None:
    queue.add("A", "succeeded", worker_id="w1", last_heartbeat=4000, created_at=4100, finished_at=4000)
    async with watch(queue.watch) as panel:
        await panel.poll()
        assert panel.value("worker_silence") is None, "idle workers say nothing"
        assert panel.value("worker_heartbeat") == aged(4000)
        queue.add("A", "queued", run_after=10)
        await panel.poll()
        assert panel.value("worker_silence") == aged(10)
        assert panel.panel.status is Status.OK
        queue.add("A", "queued", run_after=130, created_at=130)
        assert (await panel.poll()).status is Status.FAILING
        assert panel.alerts() == {("NoWorker", "P1")}
        queue.run("DELETE FROM jobs WHERE status = 'queued'")
        assert (await panel.poll()).status is Status.OK, "without work the alert is over"


async def test_throughput_is_what_ended_between_polls(queue: Queue, watch: Watch) -> None:
    running = queue.add("A", "running", 4, worker_id="w1", last_heartbeat=1)
    async with watch(queue.watch) as panel:
        await panel.poll()
        assert panel.value("throughput") == 0
        queue.run("UPDATE jobs SET status = 'succeeded', finished_at = now() WHERE id = ANY(%s::uuid[])", running)
        await panel.poll()
        assert 4 / 90 < (panel.value("throughput") or 0) <= 4 / 60, "over a minute, and what there is between two polls"


async def test_a_retry_of_an_old_failure_shows_at_once(queue: Queue, watch: Watch) -> None:
    failed = queue.add("A", "failed", 2, created_at=1800, finished_at=1790, error="lost")
    queue.add("A", "succeeded", 8, created_at=1800, finished_at=1790)
    async with watch(queue.watch) as panel:
        await panel.poll()
        assert panel.value("failure_rate", kind="A") == pytest.approx(0.2)
        queue.run("UPDATE jobs SET status = 'running', last_heartbeat = now() WHERE id = %s", failed[0])
        await panel.poll()
        assert panel.value("failure_rate", kind="A") == pytest.approx(0.1)
        assert [row.cells["jobs"] for row in panel.rows("failure")] == [1]


async def test_kinds_and_errors_from_outside_are_cleaned_and_their_keys_stay_raw(queue: Queue, watch: Watch) -> None:
    kind = "A\x1b[2J\u202e:é%{}[/b]"
    queue.add(
        kind, "failed", 1, error="\x1b]52;c;evil\x07 boom\nsecond line", worker_id="w\x07", last_heartbeat=1, finished_at=5
    )
    async with watch(queue.watch) as panel:
        await panel.poll()
        shown = [str(value) for row in panel.reading().rows for value in row.cells.values()]
        assert not any(character in text for text in shown for character in "\x1b\x07\u202e\n")
        assert panel.rows("kind")[0].key == f"kind:{kind}"
        assert panel.value("failed_10m", kind=kind) == 1
        assert panel.rows("job")[0].long["error"][1] == "second line"


async def test_it_needs_no_more_than_to_read_the_tables(postgres: Server, queue: Queue, watch: Watch) -> None:
    async with watch(postgres.dsn("nobody", queue.database)) as panel:
        assert (await panel.poll()).status is Status.UNKNOWN
        error = panel.reading().error
        assert error is not None and error.phase == "rights"
        assert error.hint == 'GRANT SELECT ON "jobs" TO "nobody";'
        queue.run(error.hint)
        await panel.poll()
        assert panel.reading().error is None


async def test_a_wrong_name_says_what_to_write(queue: Queue, watch: Watch) -> None:
    async with watch(queue.watch, columns={"heartbeat": "beat"}) as panel:
        await panel.poll()
        error = panel.reading().error
        assert error is not None and (error.phase, error.says) == ("config", "jobs has no column beat")
        assert error.hint == 'name it in [panel.columns]: heartbeat = "…"'
    async with watch(queue.watch, tables={"jobs": "work"}) as panel:
        await panel.poll()
        error = panel.reading().error
        assert error is not None and error.says == "watch sees no table work"


async def test_rows_hidden_by_row_level_security_are_not_taken_for_an_empty_queue(queue: Queue, watch: Watch) -> None:
    queue.add("A", "queued", 3)
    queue.run("ALTER TABLE jobs ENABLE ROW LEVEL SECURITY")
    async with watch(queue.watch) as panel:
        assert (await panel.poll()).status is Status.UNKNOWN
        error = panel.reading().error
        assert error is not None and error.phase == "rights" and "row-level security" in error.says
        queue.run(error.hint)
        await panel.poll()
        assert panel.value("queued", kind="A") == 3
        assert any("row-level security is active" in note for note in panel.reading().notes)


async def test_other_names_types_and_words_are_understood(postgres: Server, watch: Watch) -> None:
    superuser = postgres.new_database("jobs_other")
    queue = Queue("jobs_other", postgres.dsn("watch", "jobs_other"), superuser)
    queue.run("CREATE SCHEMA work; GRANT USAGE ON SCHEMA work TO watch")
    queue.run("CREATE TYPE work.state AS ENUM ('waiting', 'active', 'broken', 'done')")
    queue.run(
        "CREATE TABLE work.tasks (no bigserial PRIMARY KEY, type varchar(40), state work.state, host text, "
        "seen timestamptz, due timestamptz, born timestamptz, fault text)"
    )
    queue.run("CREATE INDEX ON work.tasks (born); GRANT SELECT ON work.tasks TO watch")
    queue.run("INSERT INTO work.tasks (type, state, host, seen, due, born) VALUES ('mail', 'active', 'h', now(), now(), now())")
    queue.run("INSERT INTO work.tasks (type, state, due, born, fault) VALUES ('mail', 'broken', now(), now(), 'no route')")
    columns = {"id": "no", "kind": "type", "status": "state", "worker": "host", "heartbeat": "seen"}
    settings = {
        "tables": {"jobs": "work.tasks", "schedules": ""},
        "columns": columns | {"run_after": "due", "created_at": "born", "error": "fault"},
        "states": {"queued": "waiting", "running": "active", "failed": "broken"},
    }
    async with watch(queue.watch, **settings) as panel:
        await panel.poll()
        assert panel.reading().error is None
        assert panel.value("failure_rate", kind="mail") == 0.5
        assert {row.key for row in panel.rows("job")} == {"1", "2"}


async def test_a_database_that_is_away_is_failing_and_comes_back(watch: Watch) -> None:
    with start_postgres(max_connections=10, preload=False) as server:
        queue = make_queue(server, "away")
        queue.add("A", "queued", 2)
        async with watch(queue.watch) as panel:
            await panel.poll()
            server.stop()
            assert (await panel.poll()).status is Status.FAILING
            server.start()
            await panel.poll()
            assert panel.reading().error is None and panel.value("queued", kind="A") == 2
