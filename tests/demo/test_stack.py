"""The stack when all is well: it starts with either PostgreSQL, keeps its contracts, works, costs little and ends whole."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import tomllib
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.demo.conftest import View, eventually
from tests.waiting import GRACE
from tui.demo import DemoError, Stack, config, running, start
from tui.demo.database import binaries

READY = {"ok": True, "service": "api", "checks": {"env": True, "db": True}}


def test_health_contracts(view: View) -> None:
    assert view.ask(view.endpoint("readyz")) == (200, READY)
    assert view.ask(view.endpoint("admin"))[0] == 401
    status, admin = view.admin("/api/admin/readyz", "GET")
    assert status == 200 and admin["ok"] and set(admin["checks"]) > {"env", "db"}
    status, health = view.ask(view.endpoint("web"))
    assert status == 200 and health["status"] == "pass" and health["environment"] == "demo"
    assert {check["component"] for check in health["checks"]} == {"environment", "database", "storage"}
    status, agents = view.ask(view.endpoint("agents"))
    assert status == 200 and (agents["status"], agents["database"]) == ("healthy", "connected")
    assert view.ask(view.endpoint("edge"), "HEAD")[0] == 200
    assert view.ask(view.endpoint("media")) == (200, {"healthy": True})


def test_figures_are_interesting_at_once(view: View) -> None:
    kinds = view.rows("SELECT kind, count(*), avg((status = 'failed')::int) FROM jobs GROUP BY kind")
    assert len(kinds) == 5 and sum(count for _, count, _ in kinds) > 4000
    assert all(0 < failed < 0.05 for _, _, failed in kinds)
    assert view.value("SELECT count(*) FROM schedules WHERE status = 'scheduled' AND publish_at > now()") > 10
    plan = "\n".join(row[0] for row in view.rows("EXPLAIN SELECT FROM jobs WHERE status = 'queued' AND run_after <= now()"))
    assert "idx_jobs_status_run_after" in plan


def test_roles(view: View) -> None:
    look, act = "pg_has_role('pg_read_all_stats', 'USAGE')", "pg_has_role('pg_signal_backend', 'USAGE')"
    assert view.rows(f"SELECT {look}, {act}") == [(True, False)]
    assert view.rows(f"SELECT {look}, {act}", key="dsn_for_actions") == [(True, True)]


def test_users_come_and_nothing_fails(view: View) -> None:
    eventually(lambda: sum(requests for requests, _ in view.errors().values()) > 60)
    eventually(lambda: {"/api/projects", "/api/clips", "/api/upload/init", "/api/publish/youtube"} <= set(view.errors()))
    _, page = view.ask(f"{view.web}/metrics")
    assert "http_request_duration_seconds_bucket" in page
    assert 'route="/api/readyz"' not in page


def test_worker_finishes_jobs_and_scan_makes_them(view: View) -> None:
    before = view.value("SELECT clock_timestamp()")
    secret = {"X_CRON_SECRET": view.secret("cron.secret")}
    assert view.ask(f"{view.web}/api/cron/scan-schedules", "POST")[0] == 401
    assert view.ask(f"{view.web}/api/cron/scan-schedules", "POST", **secret)[1]["ok"]
    eventually(lambda: view.value("SELECT count(*) FROM jobs WHERE last_heartbeat > %s", before) > 0)
    done = "SELECT count(*) FROM jobs WHERE status = 'succeeded' AND finished_at > %s"
    eventually(lambda: view.value(done, before) > 0, within=40)


def test_job_administration(view: View) -> None:
    failed = str(view.value("SELECT id FROM jobs WHERE status = 'failed' LIMIT 1"))
    assert view.ask(f"{view.web}/api/admin/jobs/{failed}/retry", "POST")[0] == 401
    assert view.admin(f"/api/admin/jobs/{failed}/retry", token="reader.token")[0] == 403
    assert view.admin(f"/api/admin/jobs/{uuid.uuid4()}/retry")[0] == 404
    assert view.admin("/api/admin/jobs/nonsense/retry")[0] == 404
    assert view.admin(f"/api/admin/jobs/{failed}/unlock")[0] == 409
    first = view.admin(f"/api/admin/jobs/{failed}/retry", Idempotency_Key="k1")
    assert first == (200, {"ok": True, "job": {"id": failed, "status": "queued"}})
    assert view.admin(f"/api/admin/jobs/{failed}/cancel")[1]["job"]["status"] == "cancelled"
    assert view.admin(f"/api/admin/jobs/{failed}/retry", Idempotency_Key="k1") == first
    assert view.value("SELECT status FROM jobs WHERE id = %s", failed) == "cancelled"
    done = str(view.value("SELECT id FROM jobs WHERE status = 'succeeded' LIMIT 1"))
    assert view.admin(f"/api/admin/jobs/{done}/cancel")[0] == 409


def test_deployments_api(view: View) -> None:
    listing = "/v7/deployments?projectId=prj_cliply"
    assert view.vercel(listing, token="admin.token") == (403, {"error": {"code": "forbidden", "message": "Not authorized"}})
    _, first = view.vercel(f"{listing}&limit=3")
    assert len(first["deployments"]) == 3
    _, rest = view.vercel(f"{listing}&until={first['pagination']['next']}")
    every: list[dict[str, Any]] = first["deployments"] + rest["deployments"]
    assert len({each["uid"] for each in every}) == 8 and rest["pagination"]["next"] is None
    assert all(re.fullmatch("[0-9a-f]{40}", each["meta"]["githubCommitSha"]) for each in every)
    _, failed = view.vercel("/v6/deployments?state=ERROR")
    assert [each["readyState"] for each in failed["deployments"]] == ["ERROR"]
    _, project = view.vercel("/v9/projects/prj_cliply")
    live = next(each for each in every if each["target"] == "production")
    assert project["targets"]["production"]["id"] == live["uid"] and project["lastAliasRequest"] is None
    assert view.vercel("/v9/projects/prj_other")[1]["error"]["code"] == "not_found"
    assert view.vercel(f"/v1/projects/prj_cliply/rollback/{live['uid']}", "POST")[0] == 409


def test_files_are_private_and_the_stack_is_found(demo_stack: Stack) -> None:
    folder = demo_stack.config_path.parent
    assert folder.stat().st_mode & 0o777 == 0o700
    assert all(path.stat().st_mode & 0o077 == 0 for path in folder.iterdir() if path.suffix != ".log")
    found = running()
    assert found is not None and found.config_path == demo_stack.config_path
    assert (folder.parent / "demo").resolve() == folder


def test_the_usual_config_differs_in_addresses_alone(view: View) -> None:
    usual = tomllib.loads(config.usual())
    ready = tomllib.loads(view.stack.config_path.read_text())
    assert [panel["name"] for panel in usual["panel"]] == ["health", "metrics", "database", "jobs", "deploys", "alerts"]
    assert [sorted(panel) for panel in usual["panel"]] == [sorted(panel) for panel in ready["panel"]]


def test_it_costs_little(demo_stack: Stack, view: View) -> None:
    def spent() -> float:
        house = psutil.Process(demo_stack.pid)
        seconds = 0.0
        for each in (house, *house.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):  # PostgreSQL's own come and go
                seconds += sum(each.cpu_times()[:2])
        return seconds

    before = (spent(), sum(requests for requests, _ in view.errors().values()))
    eventually(lambda: sum(requests for requests, _ in view.errors().values()) > before[1] + 150, within=30)
    used, wall = spent() - before[0], 150 / 26
    assert used / wall < 0.3, "more than twice what it may cost on an idle machine"


def test_wrong_names_say_what_to_do(demo_stack: Stack) -> None:
    with pytest.raises(DemoError, match="Choose from: api-5xx"):
        demo_stack.fault("api-6xx")
    with pytest.raises(DemoError, match="Try `watchfloor demo rollback dpl_"):
        demo_stack.rollback("dpl_unknown")


def test_bundled_postgres_beside_the_other(view: View) -> None:
    with start(seed=1, bundled=True) as stack:
        other = View(stack)
        assert other.web != view.web
        assert other.ask(other.endpoint("readyz")) == (200, READY)
        assert other.rows("SELECT extname FROM pg_extension") == [("plpgsql",)]
        assert "18." in other.value("SELECT version()")
        folder = stack.config_path.parent
    assert not folder.exists()
    assert view.ask(view.endpoint("readyz")) == (200, READY)


OWNER = """
import sys, time
from tui.demo import start
stack = start(seed=2)
print(stack.config_path, stack.pid, flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize(("victim", "how"), [("owner", signal.SIGKILL), ("stack", signal.SIGKILL), ("stack", signal.SIGTERM)])
def test_nothing_outlives_its_owner(state_home: Path, victim: str, how: signal.Signals) -> None:
    owner = subprocess.Popen([sys.executable, "-c", OWNER], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    config, pid = owner.stdout.readline().split()
    house = psutil.Process(int(pid))
    family = [house, *house.children(recursive=True)]
    assert len(family) > 10
    os.kill(owner.pid if victim == "owner" else house.pid, how)
    try:
        eventually(lambda: not any(map(_runs, family)), within=4 + GRACE)
        eventually(lambda: not Path(config).parent.exists(), within=3 + GRACE)
    finally:
        owner.kill()
        owner.communicate()


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_faults_from_the_start(state_home: Path) -> None:
    with start(seed=1, faults=["db-pool", "stuck-jobs"]) as stack:
        assert [each.name for each in stack.faults() if each.active] == ["db-pool", "stuck-jobs"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root lends a user, which may be kept out of root's folders")
def test_binaries_out_of_the_lent_users_reach_are_copied(tmp_path: Path) -> None:
    bundled = binaries.find(bundled=True)
    assert bundled.folder.stat().st_mode & 0o001
    assert binaries.within_reach(bundled, tmp_path / "unused") == bundled
    closed = tmp_path / "closed"
    shutil.copytree(bundled.folder.parent, closed)
    closed.chmod(0o700)
    with tempfile.TemporaryDirectory(dir="/tmp") as spare:
        Path(spare).chmod(0o755)
        copied = binaries.within_reach(binaries.Binaries(closed / "bin", bundled=True), Path(spare) / "programs")
        user = binaries.lent_user()
        assert user is not None
        asked = (str(copied.folder / "postgres"), "--version")
        said = subprocess.run(asked, user=user, group=binaries.group_of(user), capture_output=True, text=True, check=True)
        assert "(PostgreSQL) 18" in said.stdout


def test_no_postgres_at_all_says_what_to_install(state_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries, "_installed", lambda: iter(()))
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(DemoError, match="apt-get install postgresql"):
        binaries.find()
