"""Each fault shows at its source, in SQL or over HTTP, and is gone once it is healed. Nothing that is sent names it."""

import re
import time
from collections.abc import Iterator

import psycopg
import pytest

from tests.demo.conftest import View, eventually
from tests.waiting import LONG
from tui.demo import NAMES, Stack
from tui.demo.database.server import QUOTA

ENDPOINTS = ("readyz", "web", "agents", "edge", "media")
STUCK = "SELECT count(*) FROM jobs WHERE status = 'running' AND last_heartbeat < now() - interval '5 minutes'"
DUE = "SELECT count(*) FROM jobs WHERE status = 'queued' AND run_after <= now()"
OVERDUE = "SELECT count(*) FROM schedules WHERE status = 'scheduled' AND publish_at <= now()"
SESSIONS = "FROM pg_stat_activity WHERE backend_type = 'client backend'"
ROOTS = f"""
    SELECT pid, state, application_name {SESSIONS} AND cardinality(pg_blocking_pids(pid)) = 0
    AND pid IN (SELECT unnest(pg_blocking_pids(pid)) FROM pg_stat_activity)
"""


@pytest.fixture(autouse=True)
def healed(demo_stack: Stack) -> Iterator[None]:
    """Each test begins and ends with nothing at work."""
    assert active(demo_stack) == []
    yield
    demo_stack.heal("all")
    assert active(demo_stack) == []


def active(stack: Stack) -> list[str]:
    return [each.name for each in stack.faults() if each.active]


def rates(view: View, over: int = 150) -> dict[str, float]:
    """The share of errors by route, and of all under `all`, over the next requests."""
    before = view.errors()

    def since() -> dict[str, tuple[float, float]]:
        zero = (0.0, 0.0)
        return {
            route: (now[0] - before.get(route, zero)[0], now[1] - before.get(route, zero)[1])
            for route, now in view.errors().items()
        }

    eventually(lambda: sum(requests for requests, _ in since().values()) >= over, within=LONG)
    counts = since()
    counts["all"] = (sum(each[0] for each in counts.values()), sum(each[1] for each in counts.values()))
    return {route: errors / requests for route, (requests, errors) in counts.items() if requests}


def failing(view: View, share: float) -> list[str]:
    """The routes of which more than such a share fails, while more than one in a hundred of all requests does."""
    found = rates(view)
    return [route for route, failed in found.items() if failed > share] if found.pop("all") > 0.01 else []


def well_again(view: View, over: int = 60) -> bool:
    """Whether next to no request fails; what was refused just before a fault was healed is answered a moment later."""
    return rates(view, over)["all"] < 0.02


def statuses(view: View) -> dict[str, int]:
    found = {name: view.ask(view.endpoint(name), "HEAD" if name == "edge" else "GET")[0] for name in ENDPOINTS}
    return found | {"admin": view.admin("/api/admin/readyz", "GET")[0]}


def test_every_fault_says_what_it_does_and_what_clears_it(demo_stack: Stack) -> None:
    assert tuple(each.name for each in demo_stack.faults()) == NAMES
    assert all(each.about and each.clears_by for each in demo_stack.faults())


def test_one_route_fails(demo_stack: Stack, view: View) -> None:
    demo_stack.fault("api-5xx", seed=1)
    eventually(lambda: len(failing(view, 0.2)) == 1)
    demo_stack.heal("api-5xx")
    eventually(lambda: well_again(view))


def test_some_routes_are_slow(demo_stack: Stack, view: View) -> None:
    def slow() -> float:
        _, page = view.ask(f"{view.web}/metrics")
        buckets = re.findall(r'_seconds_bucket\{le="(2\.0|\+Inf)",.*?\} (\S+)', page)
        return sum(float(value) * (1 if le == "+Inf" else -1) for le, value in buckets)

    before, _ = slow(), demo_stack.fault("api-slow", seed=2)
    eventually(lambda: slow() > before + 15, within=LONG)


@pytest.mark.parametrize(("seed", "model"), [(1, "openai"), (4, "anthropic")])
def test_a_model_refuses_and_no_request_fails(demo_stack: Stack, view: View, seed: int, model: str) -> None:
    demo_stack.fault("models-down", seed)

    def refused_by() -> set[str]:
        """Who refuses while the broken model refuses three calls and answers three."""
        before = view.calls()

        def since(outcome: str) -> float:
            return view.calls()[model, outcome] - before[model, outcome]

        eventually(lambda: since("failure") >= 3 and since("success") >= 3, within=2 * LONG)
        failures = [(key, count) for key, count in view.calls().items() if key[1] == "failure"]
        return {key[0] for key, count in failures if count > before.get(key, 0.0)}

    def failed() -> float:
        """Requests that failed on the routes that ask a model."""
        return sum(errors for route, (_, errors) in view.errors().items() if route.startswith("/api/suggest/"))

    assert model in refused_by()  # and perhaps a call under way since another fault, which was healed just before
    before = failed()
    assert refused_by() == {model}
    assert failed() == before


def test_three_times_as_many_requests_fail_no_more(demo_stack: Stack, view: View) -> None:
    def rate(over: int) -> float:
        began, before = time.monotonic(), sum(requests for requests, _ in view.errors().values())
        eventually(lambda: sum(requests for requests, _ in view.errors().values()) >= before + over, within=LONG)
        return over / (time.monotonic() - began)

    usual, _ = rate(60), demo_stack.fault("surge", seed=1)
    eventually(lambda: rate(100) > 2 * usual, within=2 * LONG)
    eventually(lambda: rates(view)["all"] < 0.005, within=LONG)


@pytest.mark.parametrize("seed", range(8))
def test_one_component_breaks(demo_stack: Stack, view: View, seed: int) -> None:
    demo_stack.fault("health-down", seed)
    broken = {name: status for name, status in statuses(view).items() if status != 200}
    assert broken and set(broken.values()) <= {0, 503}
    for name in broken:
        status, body = view.ask(view.endpoint(name)) if name != "admin" else view.admin("/api/admin/readyz", "GET")
        words = str(body)
        assert status == 0 or re.search(r"False|fail|disconnected|database", words), words
    demo_stack.heal("health-down")
    eventually(lambda: set(statuses(view).values()) == {200})


def test_connections_leak(demo_stack: Stack, view: View) -> None:
    with psycopg.connect(view.dsn(), autocommit=True) as watching:
        demo_stack.fault("db-pool", seed=3)
        used = "SELECT count(*) / current_setting('max_connections')::float " + SESSIONS
        eventually(lambda: (watching.execute(used.encode()).fetchone() or [0])[0] > 0.95)
        eventually(lambda: _refused(view))
    demo_stack.heal("db-pool")
    eventually(lambda: not _refused(view) and view.value("SELECT count(*) " + SESSIONS) < 25)


def test_a_leak_ends_with_one_of_its_sessions(demo_stack: Stack, view: View) -> None:
    """As a pool that loses a connection discards all of them."""
    with psycopg.connect(view.dsn("dsn_for_actions"), autocommit=True) as acting:
        demo_stack.fault("db-pool", seed=4)
        newest = "(array_agg(pid ORDER BY backend_start DESC))[1]"  # the highest number may be an old one's: numbers come again
        most = f"SELECT application_name, usename, {newest} {SESSIONS} GROUP BY 1, 2 ORDER BY count(*) DESC LIMIT 1"
        name, _, pid = acting.execute(most.encode()).fetchall()[0]
        acting.execute("SELECT pg_terminate_backend(%s)", [pid])
        left = f"SELECT count(*) {SESSIONS} AND application_name = %s"
        eventually(lambda: (acting.execute(left.encode(), [name]).fetchone() or [99])[0] < 20)
        eventually(lambda: active(demo_stack) == [])


def _refused(view: View) -> bool:
    try:
        view.rows("SELECT 1")
    except psycopg.OperationalError as error:
        return "slots" in str(error) or "too many" in str(error)
    return False


@pytest.mark.parametrize("seed", [1, 5])
def test_a_lock_chain_ends_with_its_root(demo_stack: Stack, view: View, seed: int) -> None:
    demo_stack.fault("slow-query", seed)
    waiting = f"SELECT count(*) {SESSIONS} AND wait_event_type = 'Lock'"
    eventually(lambda: 2 <= view.value(waiting) <= 5)
    [(pid, state, _)] = view.rows(ROOTS)
    assert state == "idle in transaction"
    long = f"SELECT count(*) {SESSIONS} AND state = 'active' AND query LIKE '%%refresh_usage%%' AND pid <> pg_backend_pid()"
    eventually(lambda: view.value(long) == 1)
    assert view.rows("SELECT pg_terminate_backend(%s)", pid, key="dsn_for_actions") == [(True,)]
    eventually(lambda: view.value(waiting) == 0 and view.value(long) == 0 and not view.rows(ROOTS))
    eventually(lambda: active(demo_stack) == [])


def test_the_scan_waits_until_somebody_ends_who_keeps_its_turn(demo_stack: Stack, view: View) -> None:
    demo_stack.fault("scan-slow", seed=1)
    waiting = f"SELECT count(*) {SESSIONS} AND wait_event_type = 'Lock' AND application_name = 'shop_api'"
    eventually(lambda: view.value(waiting) == 1, within=LONG)
    [(pid, state, _)] = view.rows(ROOTS)
    assert state == "idle in transaction"
    view.value(OVERDUE)  # whoever only looks does not wait
    assert view.rows("SELECT pg_terminate_backend(%s)", pid, key="dsn_for_actions") == [(True,)]
    eventually(lambda: view.value(waiting) == 0 and active(demo_stack) == [])


def test_one_statement_in_twenty_is_slow(demo_stack: Stack, view: View) -> None:
    demo_stack.fault("slow-statements", seed=1)
    running = f"SELECT count(*) {SESSIONS} AND state = 'active' AND query LIKE '%%export_page%%' AND pid <> pg_backend_pid()"
    eventually(lambda: 6 <= view.value(running) <= 10)
    ended = "SELECT calls, mean_exec_time FROM pg_stat_statements WHERE query LIKE '%%export_page%%' AND calls > 5"
    [(_, mean)] = eventually(lambda: view.rows(ended))
    assert mean > 1000
    demo_stack.heal("slow-statements")
    eventually(lambda: view.value(running) == 0)


def test_a_table_grows_until_it_is_emptied(demo_stack: Stack, view: View) -> None:
    size = "SELECT pg_database_size('shop')"
    assert view.value(size) < 0.6 * QUOTA
    demo_stack.fault("db-grows", seed=1)
    assert 0.82 * QUOTA < view.value(size) < QUOTA
    largest = "SELECT relname FROM pg_class WHERE relkind = 'r' ORDER BY relpages DESC LIMIT 1"
    assert view.value(largest) == "import_staging"
    demo_stack.heal("db-grows")
    assert view.value(size) < 0.6 * QUOTA


def test_stuck_jobs_are_unlocked(demo_stack: Stack, view: View) -> None:
    demo_stack.fault("stuck-jobs", seed=2)
    stuck = view.rows(STUCK.replace("count(*)", "id::text"))
    assert 4 <= len(stuck) <= 12
    for (job,) in stuck:
        assert view.admin(f"/api/admin/jobs/{job}/unlock")[1] == {"ok": True, "job": {"id": job, "status": "queued"}}
    assert view.value(STUCK) == 0
    assert active(demo_stack) == []
    taken = "SELECT count(*) FROM jobs WHERE id = ANY(%s::uuid[]) AND worker_id IS NOT NULL"
    eventually(lambda: view.value(taken, [job for (job,) in stuck]) > 0)


def test_a_kind_fails_with_one_signature(demo_stack: Stack, view: View) -> None:
    before = view.value("SELECT clock_timestamp()")
    demo_stack.fault("job-failures", seed=1)
    recent = """
        SELECT kind, count(*), count(DISTINCT error), count(DISTINCT regexp_replace(error, '[0-9a-f]{6,}|[0-9]+', '#', 'g'))
        FROM jobs WHERE status = 'failed' AND finished_at > now() - interval '10 minutes'
        GROUP BY kind ORDER BY count(*) DESC LIMIT 1
    """
    [(kind, count, errors, signatures)] = view.rows(recent)
    assert count > 10 and errors > 10 and signatures <= 3
    share = "SELECT avg((status = 'failed')::int) FROM jobs WHERE kind = %s AND created_at > now() - interval '24 hours'"
    assert view.value(share, kind) > 0.1
    new = "SELECT max(id::text) FROM jobs WHERE kind = %s AND status = 'failed' AND finished_at > %s"
    failed = eventually(lambda: view.value(new, kind, before), within=LONG)
    demo_stack.heal("job-failures")
    assert view.admin(f"/api/admin/jobs/{failed}/retry")[0] == 200
    eventually(lambda: view.value("SELECT status FROM jobs WHERE id = %s", failed) in ("running", "succeeded"), within=40)


def test_the_scan_is_not_called(demo_stack: Stack, view: View) -> None:
    demo_stack.fault("cron-stalled", seed=5)
    overdue = "SELECT count(*) FROM schedules WHERE status = 'scheduled' AND publish_at < now() - interval '10 seconds'"
    assert view.value(overdue) >= 6
    made = "SELECT now() - max(created_at) > interval '5 minutes' FROM jobs WHERE payload ? 'schedule_id'"
    assert view.value(made)
    demo_stack.heal("cron-stalled")
    eventually(lambda: view.value(OVERDUE) <= 1 and not view.value(made))


def test_the_worker_is_dead(demo_stack: Stack, view: View) -> None:
    demo_stack.fault("worker-dead", seed=6)
    assert view.value(DUE) >= 20 and view.value(STUCK) >= 3
    latest = "SELECT max(last_heartbeat) < now() - interval '5 minutes' FROM jobs WHERE status = 'running'"
    assert view.value(latest)
    demo_stack.heal("worker-dead")
    eventually(lambda: view.value(STUCK) == 0 and view.value("SELECT count(*) FROM jobs WHERE status = 'running'") > 0)


def test_a_release_breaks_a_route_until_it_is_rolled_back(demo_stack: Stack, view: View) -> None:
    listing = "/v7/deployments?projectId=prj_cliply&target=production"
    before = view.vercel(listing)[1]["deployments"]
    release = view.ask(view.endpoint("web"))[1]["release"]
    told = demo_stack.fault("bad-deploy", seed=3)
    newest = view.vercel(listing)[1]["deployments"][0]
    assert newest["uid"] not in {each["uid"] for each in before} and newest["readyState"] == "READY"
    assert view.ask(view.endpoint("web"))[1]["release"] == newest["meta"]["githubCommitSha"][:7] != release
    eventually(lambda: len(failing(view, 0.15)) == 1)
    good = next(each["uid"] for each in before if each["readyState"] == "READY")
    assert told.clears_by == f"watchfloor demo rollback {good}"
    demo_stack.rollback(good)
    assert view.ask(view.endpoint("web"))[1]["release"] == release
    project = view.vercel("/v9/projects/prj_cliply")[1]
    assert project["targets"]["production"]["id"] == good
    assert project["lastAliasRequest"]["jobStatus"] == "succeeded"
    assert active(demo_stack) == []
    eventually(lambda: well_again(view))


def test_a_build_fails_and_the_one_before_serves_on(demo_stack: Stack, view: View) -> None:
    listing, release = "/v7/deployments?target=production", view.ask(view.endpoint("web"))[1]["release"]
    demo_stack.fault("deploy-failed", seed=2)
    newest = view.vercel(listing)[1]["deployments"][0]
    assert newest["readyState"] == "ERROR" and newest["errorCode"] == "BUILD_FAILED"
    assert view.ask(view.endpoint("web"))[1]["release"] == release
    demo_stack.heal("deploy-failed")
    mended = view.vercel(listing)[1]["deployments"][0]
    assert mended["readyState"] == "READY" and mended["uid"] != newest["uid"]
    assert view.ask(view.endpoint("web"))[1]["release"] == mended["meta"]["githubCommitSha"][:7]


def test_a_rollback_by_the_api_is_done_a_moment_later(demo_stack: Stack, view: View) -> None:
    demo_stack.fault("bad-deploy", seed=4)
    good = demo_stack.faults()[NAMES.index("bad-deploy")].clears_by.rpartition(" ")[2]
    assert view.vercel(f"/v1/projects/prj_cliply/rollback/{good}", "POST")[0] == 201
    project = "/v9/projects/prj_cliply"
    eventually(lambda: view.vercel(project)[1]["targets"]["production"]["id"] == good)
    assert active(demo_stack) == []


def test_the_same_seed_does_the_same(demo_stack: Stack, view: View) -> None:
    def workers() -> list[tuple[object, ...]]:
        found = view.rows(STUCK.replace("count(*)", "kind, worker_id") + " ORDER BY 1, 2")
        demo_stack.heal("stuck-jobs")
        return found

    seen: list[list[tuple[object, ...]]] = []
    for seed in (11, 11, 12):
        demo_stack.fault("stuck-jobs", seed)
        seen.append(workers())
    assert seen[0] == seen[1] != seen[2]


def test_all_at_once_and_none_is_named(demo_stack: Stack, view: View) -> None:
    """Last, as it looks at all that was heard so far: nothing that the stack sends, stores or logs names a fault."""
    for name in sorted(NAMES, key=lambda name: name == "db-pool"):
        demo_stack.fault(name, seed=9)
    assert active(demo_stack) == list(NAMES)
    demo_stack.heal("db-pool")
    demo_stack.heal("surge")
    statuses(view)
    rates(view, over=40)
    view.vercel("/v7/deployments?projectId=prj_cliply&limit=100")
    heard = [*view.heard, *map(str, _everything_stored(view)), *_logs(demo_stack)]
    telling = re.compile("|".join([*NAMES, r"\bfault", r"\bdemo\b", "inject", "simulat", "chaos"]), re.I)
    for text in heard:
        assert not (found := telling.search(text.replace('"environment": "demo"', ""))), text[max(0, found.start() - 80) :][
            :200
        ]


def _everything_stored(view: View) -> Iterator[object]:
    yield from view.rows("SELECT kind, worker_id, payload, error FROM jobs")
    yield from view.rows("SELECT name, setting FROM pg_settings WHERE source = 'command line' AND name <> 'data_directory'")
    yield from view.rows("SELECT application_name, usename, query FROM pg_stat_activity")
    yield from view.rows("SELECT query FROM pg_stat_statements")
    yield from view.rows("SELECT relname FROM pg_class")
    yield from view.rows("SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace")
    for table in ("projects", "clips", "workspaces", "connected_accounts"):
        yield from view.rows(f"SELECT * FROM {table}")


def _logs(stack: Stack) -> Iterator[str]:
    for name in ("web", "worker", "postgres"):
        yield (stack.config_path.parent / f"{name}.log").read_text()
