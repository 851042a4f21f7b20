"""Retry, cancel and unlock through the gate, against a real database and a real admin API that misbehaves."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from panels.jobs import admin as admin_endpoints
from panels.jobs.actions import ACTIONS
from tests.clocks import passes
from tests.panels.jobs.admin_server import Admin, admin_server
from tests.panels.jobs.conftest import Watch, Watched
from tests.panels.jobs.queue import Queue
from tests.waiting import soon
from tui.engine.actions import Effect, Plan, PlanRefused, Proof, Result
from tui.engine.feed import Deed
from tui.engine.text import Shown

RETRY, CANCEL, UNLOCK = ACTIONS


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("JOBS_ADMIN_TOKEN", "s3cret-token")
    monkeypatch.setattr("tui.engine.execution.PROOF_STEP", 0.02)
    yield


class Stand:
    """The panel and its admin API, with the steps of a deed."""

    def __init__(self, panel: Watched, admin: Admin, queue: Queue) -> None:
        self.panel, self.admin, self.queue = panel, admin, queue

    async def plan(self, verb: str, *keys: str) -> Plan:
        return await self.panel.engine.gate.plan(f"jobs.{verb}", keys)

    async def do(self, plan: Plan) -> Deed:
        return await self.panel.engine.gate.execute(plan, yes=True, typed=plan.confirm)

    async def deed(self, verb: str, *keys: str) -> Deed:
        return await self.do(await self.plan(verb, *keys))

    async def deed_without_an_answer(self, verb: str, *keys: str) -> Deed:
        """The deed, given up once the endpoint has the request and hangs."""
        doing = asyncio.ensure_future(self.deed(verb, *keys))
        await soon(lambda: self.admin.hanging)
        passes(admin_endpoints.DEADLINE)
        return await doing

    def status(self, job: str) -> str:
        return str(self.queue.run("SELECT status FROM jobs WHERE id = %s", job)[0][0])


@pytest.fixture
async def stand(queue: Queue, watch: Watch) -> AsyncIterator[Stand]:
    async with stand_with(queue, watch) as made:
        yield made


@asynccontextmanager
async def stand_with(queue: Queue, watch: Watch, **settings: object) -> AsyncIterator[Stand]:
    async with admin_server(queue) as admin:
        settings = {"admin": admin.url, "token": "env:JOBS_ADMIN_TOKEN"} | settings
        async with watch(queue.watch, **settings) as panel:
            yield Stand(panel, admin, queue)


def facts(plan: Plan) -> dict[str, str]:
    """What the plan says besides, by its name."""
    return dict(plan.facts)


def ageless(says: str) -> str:
    """The words without how many seconds ago it was: on a busy machine a second more."""
    return re.sub(r"(?:1m)?\d+s ago", "… ago", says)


def outcome(deed: Deed) -> tuple[Result, str]:
    ((_, found),) = deed.outcomes
    return found.result, found.says


def proof(deed: Deed) -> Proof:
    ((_, found),) = deed.proofs
    return found


# --- each remedy, from plan to proof --------------------------------------------------------------------------------------


async def test_retry_runs_a_failed_job_again(stand: Stand) -> None:
    (job,) = stand.queue.add(
        "PUBLISH_YOUTUBE", "failed", attempts=3, error="YouTube 403: quota", worker_id="w1", last_heartbeat=60
    )
    plan = await stand.plan("retry", job)
    assert plan.effect is Effect.CHANGES and plan.title == f"retry PUBLISH_YOUTUBE {job[:8]}" and plan.confirm == job[:8]
    assert {name: ageless(says) for name, says in plan.items[0].facts} == {
        "job": job,
        "status": "failed, created … ago",
        "worker": "w1, last heard … ago",
        "attempts": "3",
        "error": "YouTube 403: quota",
    }
    assert plan.request == (
        f"POST {stand.admin.url}/{job}/retry",
        "Idempotency-Key: <this deed's own>",
        "Authorization: Bearer •••",
    )
    deed = await stand.do(plan)
    assert outcome(deed) == (Result.DONE, "") and proof(deed) == Proof(True, Shown("it is queued"))
    (request,) = stand.admin.requests
    assert request.headers["Idempotency-Key"] == f"{deed.id}:{job}"


async def test_cancel_destroys_so_it_is_typed(stand: Stand) -> None:
    (job,) = stand.queue.add("CLIP_RENDER", "queued")
    plan = await stand.plan("cancel", job)
    assert plan.effect is Effect.DESTROYS
    assert facts(plan)["undone"].startswith("nothing: a cancelled job is not brought back")
    with pytest.raises(PlanRefused, match="typed"):
        await stand.panel.engine.gate.execute(plan, yes=True, typed="")
    assert stand.admin.requests == []
    deed = await stand.do(plan)
    assert outcome(deed)[0] is Result.DONE and proof(deed).verified and stand.status(job) == "cancelled"


async def test_unlock_gives_a_stuck_job_back(stand: Stand) -> None:
    (job,) = stand.queue.add("CLIP_RENDER", "running", last_heartbeat=400, worker_id="w9")
    deed = await stand.deed("unlock", job)
    assert outcome(deed)[0] is Result.DONE and proof(deed).verified and stand.status(job) == "queued"


# --- what a plan refuses --------------------------------------------------------------------------------------------------


async def test_a_plan_refuses_what_makes_no_sense(stand: Stand) -> None:
    (well,) = stand.queue.add("A", "running", last_heartbeat=3, worker_id="w1")
    (done,) = stand.queue.add("A", "succeeded")
    for verb, job, says in (
        ("retry", well, "it is running: only a failed job is retried"),
        ("unlock", well, r"its worker was heard \d+s ago: it might run twice"),
        ("cancel", done, "it is succeeded: only a job that waits or runs"),
        ("unlock", done, "only a running job is locked"),
        ("retry", "0b9ff9c4-50cc-4d31-b4b2-c9d2b32dd6e1", "there is no such job"),
        ("retry", "'; DROP TABLE jobs", "there is no such job"),
        ("retry", "kind:A", "no failed job in it"),
        ("cancel", "kind:A", "cancel takes single jobs"),
    ):
        with pytest.raises(PlanRefused, match=says):
            await stand.plan(verb, job)
    assert stand.admin.requests == []


async def test_without_admin_endpoints_the_plan_says_what_to_write(queue: Queue, watch: Watch) -> None:
    (job,) = queue.add("A", "failed")
    async with watch(queue.watch) as panel:
        await panel.poll()
        with pytest.raises(PlanRefused, match="no admin URL: write"):
            await panel.engine.gate.plan("jobs.retry", (job,))
        (row,) = panel.rows("job")
        assert "no admin URL" in str(RETRY.offered(row, panel.panel.settings))


# --- between plan and request ---------------------------------------------------------------------------------------------


async def test_what_changed_since_the_plan_is_not_asked_for(stand: Stand) -> None:
    failed, retried = stand.queue.add("A", "failed", 2, attempts=1)
    (stuck,) = stand.queue.add("A", "running", last_heartbeat=400, worker_id="w1")
    (taken,) = stand.queue.add("A", "running", last_heartbeat=400, worker_id="w1")
    (waiting,) = stand.queue.add("A", "queued")
    plans = [await stand.plan(verb, job) for verb, job in (("retry", failed), ("retry", retried), ("unlock", stuck))]
    plans += [await stand.plan("unlock", taken), await stand.plan("cancel", waiting)]
    stand.queue.run("DELETE FROM jobs WHERE id = %s", failed)
    stand.queue.run("UPDATE jobs SET attempts = 2 WHERE id = %s", retried)
    stand.queue.run("UPDATE jobs SET last_heartbeat = now() WHERE id = %s", stuck)
    stand.queue.run("UPDATE jobs SET worker_id = 'w2' WHERE id = %s", taken)
    stand.queue.run("UPDATE jobs SET status = 'running', last_heartbeat = now() WHERE id = %s", waiting)
    said = [outcome(await stand.do(plan)) for plan in plans]
    assert [result for result, _ in said] == [Result.CHANGED] * 5
    assert [ageless(says) for _, says in said] == [
        "the job is gone; nothing was sent",
        "attempts is now 2, not 1; nothing was sent",
        "its worker was heard … ago: it might run twice (let it be silent for 5m00s); nothing was sent",
        "worker is now w2, not w1; nothing was sent",
        "it is running now, not queued; nothing was sent",
    ]
    assert stand.admin.requests == []


# --- what the endpoint may answer -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mood", "result", "says"),
    [
        (401, Result.REFUSED, "HTTP 401: it does not know us · “no: 401” · is `token` the right one"),
        (403, Result.REFUSED, "HTTP 403: our token may not do this"),
        (404, Result.CHANGED, "HTTP 404: it knows no such job"),
        (409, Result.CHANGED, "HTTP 409: the job is in another state · “no: 409”"),
        (422, Result.REFUSED, "HTTP 422: it refuses"),
        (429, Result.REFUSED, "HTTP 429: it limits us"),
        (500, Result.FAILED, "HTTP 500: it failed · “no: 500” · look at its logs"),
        (503, Result.FAILED, "HTTP 503: it failed"),
        (504, Result.UNKNOWN, "HTTP 504: a gateway lost sight of it: it may have happened"),
        ("redirect", Result.REFUSED, "HTTP 307: it redirects · name the final URL in `admin`"),
        ("not done", Result.FAILED, "HTTP 200: it says that it was not done · “the queue is paused”"),
        ("page", Result.UNKNOWN, "HTTP 200: a web page answered, not the admin API"),
        ("drop after", Result.UNKNOWN, "sent, then no answer"),
    ],
)
async def test_every_answer_has_its_own_words_and_is_sent_once(
    stand: Stand, mood: str | int, result: Result, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("panels.jobs.actions.PROOF_WITHIN", 0.05)
    (job,) = stand.queue.add("A", "failed")
    stand.admin.mood = mood
    found = outcome(await stand.deed("retry", job))
    assert found[0] is result and found[1].startswith(says)
    assert len(stand.admin.requests) == 1


async def test_no_answer_in_time_is_an_unknown_outcome_that_the_proof_settles(stand: Stand) -> None:
    (job,) = stand.queue.add("A", "failed")
    stand.admin.mood = "hang after"
    deed = await stand.deed_without_an_answer("retry", job)
    assert outcome(deed)[0] is Result.UNKNOWN and "It may have happened" in outcome(deed)[1]
    assert proof(deed) == Proof(True, Shown("it is queued"))
    assert list(stand.admin.deeds.values()) == [1] and len(stand.admin.requests) == 1


async def test_an_endpoint_that_hangs_before_it_acts_stays_unproven(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("panels.jobs.actions.PROOF_WITHIN", 0.1)
    (job,) = stand.queue.add("A", "failed")
    stand.admin.mood = "hang before"
    deed = await stand.deed_without_an_answer("retry", job)
    assert outcome(deed)[0] is Result.UNKNOWN
    assert proof(deed) == Proof(None, Shown("it is still failed"))
    assert len(stand.admin.requests) == 1 and not stand.admin.deeds


async def test_what_never_left_is_failed_not_unknown(queue: Queue, watch: Watch) -> None:
    (job,) = queue.add("A", "failed")
    async with stand_with(queue, watch, admin="http://127.0.0.1:9/jobs") as stand:
        result, says = outcome(await stand.deed("retry", job))
        assert result is Result.FAILED and says.startswith("nothing was sent: connect: connection refused")
    async with stand_with(queue, watch, admin="http://nowhere.invalid/jobs") as stand:
        result, says = outcome(await stand.deed("retry", job))
        assert result is Result.FAILED and says.startswith("nothing was sent: DNS")


async def test_a_rotated_token_is_read_again_after_a_refusal(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = stand.queue.add("A", "failed", 2)
    monkeypatch.setenv("JOBS_ADMIN_TOKEN", "outdated")
    assert outcome(await stand.deed("retry", first))[0] is Result.REFUSED
    monkeypatch.setenv("JOBS_ADMIN_TOKEN", "s3cret-token")
    assert outcome(await stand.deed("retry", second))[0] is Result.DONE


async def test_the_form_of_the_credential_is_configurable(queue: Queue, watch: Watch) -> None:
    (job,) = queue.add("A", "failed")
    async with stand_with(queue, watch, token_header="X-Admin-Key", token_scheme="") as stand:
        plan = await stand.plan("retry", job)
        assert plan.request[-1] == "X-Admin-Key: •••"
        await stand.do(plan)
        assert stand.admin.requests[0].headers["X-Admin-Key"] == "s3cret-token"


def test_an_identity_cannot_lead_to_another_endpoint() -> None:
    assert admin_endpoints.path("../users/1?x=#", "retry") == "/..%2Fusers%2F1%3Fx%3D%23/retry"


# --- in bulk --------------------------------------------------------------------------------------------------------------


async def test_a_failure_groups_row_stands_for_its_jobs(stand: Stand) -> None:
    ours = [stand.queue.add("A", "failed", error=f"quota of {n} is used up", created_at=60 * n)[0] for n in range(1, 5)]
    (other,) = stand.queue.add("A", "failed", error="broken pipe")
    await stand.panel.poll()
    group = next(row for row in stand.panel.rows("failure") if row.cells["jobs"] == 4)
    plan = await stand.plan("retry", group.key)
    assert [item.key for item in plan.items] == ours and plan.title == "retry 4 jobs" and plan.confirm == "4 jobs"
    deed = await stand.do(plan)
    assert {outcome.result for _, outcome in deed.outcomes} == {Result.DONE} and len(stand.admin.requests) == 4
    assert all(found.verified for _, found in deed.proofs) and stand.status(other) == "failed"


async def test_a_kinds_row_stands_for_what_failed_or_is_stuck_of_it(stand: Stand) -> None:
    failed = stand.queue.add("a:b", "failed", 2, created_at=7200)
    stuck = stand.queue.add("a:b", "running", 2, created_at=7200, worker_id="w1")
    stand.queue.add("a:b", "running", worker_id="w2", last_heartbeat=1)
    stand.queue.add("a:b", "failed", created_at=2 * 86400)
    assert {item.key for item in (await stand.plan("retry", "kind:a:b")).items} == set(failed)
    assert {item.key for item in (await stand.plan("unlock", "kind:a:b")).items} == set(stuck)


async def test_a_bulk_is_capped_and_says_so(queue: Queue, watch: Watch) -> None:
    queue.add("A", "failed", 7)
    async with stand_with(queue, watch, bulk=5) as stand:
        plan = await stand.plan("retry", "kind:A")
        assert len(plan.items) == 5
        assert facts(plan)["left out"] == "all beyond the newest 5 (`bulk`): run it again for the rest"


async def test_marked_jobs_that_are_none_for_it_are_left_out_by_name(stand: Stand) -> None:
    (failed,) = stand.queue.add("A", "failed")
    (done,) = stand.queue.add("A", "succeeded")
    plan = await stand.plan("retry", failed, done)
    assert [item.key for item in plan.items] == [failed]
    assert facts(plan)["left out"] == f"{done[:8]}: it is succeeded: only a failed job is retried"


async def test_a_bulk_ends_at_the_first_refusal(stand: Stand) -> None:
    jobs = stand.queue.add("A", "failed", 3)
    plan = await stand.plan("retry", *jobs)
    stand.admin.mood = 403
    deed = await stand.do(plan)
    assert len(deed.outcomes) == 1 and len(stand.admin.requests) == 1


# --- which rows offer which ------------------------------------------------------------------------------------------------


async def test_keys_are_greyed_with_a_reason(stand: Stand) -> None:
    stand.queue.add("A", "failed", error="lost", finished_at=5)
    stand.queue.add("A", "running", worker_id="w1", last_heartbeat=400)
    stand.queue.add("B", "running", worker_id="w2", last_heartbeat=1)
    await stand.panel.poll()
    settings = stand.panel.panel.settings
    rows = {row.key: row for row in stand.panel.reading().rows}
    said = {
        (str(row.cells.get("why", row.key))): tuple(action.offered(row, settings) for action in ACTIONS)
        for row in rows.values()
    }
    assert said["failed"] == (
        None,
        "it is failed: only a job that waits or runs can be cancelled",
        "it is failed: only a running job is locked",
    )
    assert said["stuck"] == ("it is running: only a failed job is retried", None, None)
    assert said["kind:A"][0] is None and said["kind:A"][2] is None
    assert said["kind:B"] == (
        "none of this kind failed in 24 h",
        "cancel takes single jobs, as it cannot be undone: mark those you mean",
        "none of this kind is stuck",
    )
    assert said["worker:w1"] == ("retry is for jobs", "cancel is for jobs", "unlock is for jobs")
