"""`journal`, `mark` and `report`, as a person or CI runs them."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest

from tests.commands.configs import health_only, watching
from tests.running import Program
from tests.servers.postgres import Server
from tests.servers.things import Things
from tui.commands.state import open_journal
from tui.config import load
from tui.engine.clock import SystemClock
from tui.engine.lease import Lease
from tui.engine.term import Holder, Kind, Term

NUMBERS = count()


@pytest.fixture
def dsn(postgres: Server) -> Iterator[str]:
    yield postgres.new_database(f"commands_{next(NUMBERS)}")


def shared(things: Things, dsn: str) -> str:
    return watching(things, f'[journal]\nurl = "{dsn}"\n')


def test_a_mark_is_recorded_and_printed(program: Program, things: Things) -> None:
    path = program.config(health_only(things))
    done = program.call("mark", "--config", path, "flag", "new-checkout on\x1b[31m")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"\d\d:\d\d:\d\dZ  anna  flag new-checkout on␛\[31m\n", done.stdout)
    printed = program.call("journal", "--config", path).stdout
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ  anna  marked +flag new-checkout on␛\[31m\n", printed)
    (entry,) = (json.loads(line) for line in program.call("journal", "--json", "--config", path).stdout.splitlines())
    assert (entry["kind"], entry["who"], entry["origin"], entry["version"]) == ("marked", "anna", None, 1)
    assert entry["data"]["change"]["kind"] == "mark"
    assert program.call("mark", "--config", path, "  ").returncode == 64
    assert program.call("mark", "--config", path).returncode == 64


def test_a_mark_needs_no_source_and_little_time(program: Program, things: Things) -> None:
    """CI says it after each deployment: nothing is polled, and neither screen nor database driver is loaded."""
    path = program.config(watching(things))
    assert program.run("mark", "--config", path, "deployed 9f3c2a1").returncode == 0
    assert things.polled == []
    program.more["PYTHONPROFILEIMPORTTIME"] = "1"
    imported = program.run("mark", "--config", path, "deployed 9f3c2a1").stderr
    assert "tui.commands.mark" in imported
    for heavy in ("textual", "psycopg", "prometheus_api_client", "sentry_sdk", "rich"):
        assert not re.search(rf"\| +{heavy}$", imported, re.M), heavy


def test_the_journal_is_filtered_by_kind_person_panel_and_time(program: Program, things: Things) -> None:
    path = program.config(watching(things))
    program.call("mark", "--config", path, "first")
    assert program.call("act", "theirs.mend", "a", "--yes", "--config", path).returncode == 0
    program.more["WATCHFLOOR_USER"] = "ben"
    program.call("mark", "--config", path, "second")

    def kinds(*filters: str) -> list[str]:
        done = program.call("journal", "--json", "--config", path, *filters)
        assert done.returncode == 0 and ("nothing recorded since" in done.stderr) == (not done.stdout), done.stderr
        return [json.loads(line)["kind"] for line in done.stdout.splitlines()]

    assert kinds() == ["marked", "intent", "outcome", "proof", "marked"]
    assert kinds("--kind", "outcome", "--kind", "intent") == ["intent", "outcome"]
    assert kinds("--who", "ben") == ["marked"]
    assert kinds("--panel", "theirs") == ["intent", "outcome", "proof"]
    assert kinds("--panel", "web") == []
    tomorrow = time.strftime("%Y-%m-%dT%H:%M", time.gmtime(time.time() + 86400))
    assert kinds("--since", tomorrow) == []
    assert kinds("--since", "2020-01-01") == kinds()
    wrong = program.call("journal", "--kind", "acknowleged", "--config", path)
    assert (wrong.returncode, wrong.stdout) == (64, "")
    assert "did you mean 'acknowledged'?" in wrong.stderr


def test_the_report_of_a_shift(program: Program, things: Things) -> None:
    path = program.config(watching(things))
    program.call("mark", "--config", path, "flag on")
    program.call("act", "theirs.mend", "a", "--yes", "--config", path)
    done = program.run("report", "--config", path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("# shop · demo: handover\n")
    assert re.search(r"^- \S+ anna: theirs\.mend, mends a: a done \(HTTP 200\), verified$", done.stdout, re.M)
    assert re.search(r"^- \S+ mark flag on \(anna\)$", done.stdout, re.M)
    assert "Nothing fires." in done.stdout
    assert program.call("report", "--since", "soon", "--config", path).returncode == 64
    assert program.call("report", "--since", "2999-01-01", "--config", path).returncode == 64


# --- with a team ---------------------------------------------------------------------------------------------------------


def test_a_mark_from_a_host_without_a_dashboard_reaches_the_team(program: Program, things: Things, dsn: str) -> None:
    path = program.config(shared(things, dsn))
    done = program.call("mark", "--config", path, "deployed 9f3c2a1")
    assert (done.returncode, done.stderr) == (0, "")
    with psycopg.connect(dsn) as connection:
        assert connection.execute("SELECT kind, who, environment FROM watchfloor_entry").fetchall() == [
            ("marked", "anna", "demo")
        ]


def test_a_mark_that_the_team_cannot_have_yet_is_kept_and_says_so(program: Program, things: Things, dsn: str) -> None:
    gone = re.sub(r":\d+/", ":1/", dsn)
    path = program.config(shared(things, gone))
    done = program.call("mark", "--config", path, "deployed 9f3c2a1")
    assert done.returncode == 7, "a CI job's container goes, and the mark with it"
    assert "others cannot see this" in done.stderr and "kept on this host, where nothing polls" in done.stderr
    program.config(shared(things, dsn))
    assert program.call("mark", "--config", path, "and another").returncode == 0
    with psycopg.connect(dsn) as connection:
        assert connection.execute("SELECT count(*) FROM watchfloor_entry").fetchone() == (2,)


class Ahead(SystemClock):
    """Heartbeats by this one stand for the next hour."""

    def boottime(self) -> float:
        return super().boottime() + 3600


@pytest.mark.parametrize(("kind", "code"), [("record", 0), ("watch", 7)])
def test_a_mark_that_somebody_here_will_send_is_no_failure(
    program: Program, things: Things, dsn: str, monkeypatch: pytest.MonkeyPatch, kind: Kind, code: int
) -> None:
    """By the lease that whoever polls here has; one that is read-only sends nothing."""
    gone = re.sub(r":\d+/", ":1/", dsn)
    path = program.config(f'{health_only(things)}\n[journal]\nurl = "{gone}"\n')
    for name, value in program.environment.items():
        monkeypatch.setenv(name, value)
    setup = load(path).setup
    kept = open_journal(setup).path
    assert isinstance(kept, Path)
    assert isinstance(Lease(kept, setup.watched, Holder("one", "ben", 4711, kind), Ahead()).seek(), Term)
    done = program.call("mark", "--config", path, "deployed 9f3c2a1")
    assert done.returncode == code, done.stderr
    assert ("and record (ben, pid 4711) sends it when the team is in reach" in done.stderr) is (kind == "record")


def test_act_alone_asks_for_the_word_and_sends_what_it_did_later(program: Program, things: Things, dsn: str) -> None:
    gone = re.sub(r":\d+/", ":1/", dsn)
    path = program.config(shared(things, gone))
    done = program.call("act", "theirs.mend", "a", "--yes", "--config", path)
    assert (done.returncode, things.received) == (4, [])
    assert re.search(r"^  alone +alone: others cannot see this", done.stdout, re.M)
    assert "to do it, add  --confirm a" in done.stdout
    assert program.call("act", "theirs.mend", "a", "--yes", "--confirm", "a", "--config", path).returncode == 0
    program.config(shared(things, dsn))
    assert program.call("act", "theirs.mend", "b", "--yes", "--config", path).returncode == 0
    with psycopg.connect(dsn) as connection:
        found = connection.execute("SELECT kind FROM watchfloor_entry ORDER BY seq").fetchall()
        assert connection.execute("SELECT count(*) FROM watchfloor_claim").fetchone() == (0,)
    assert [kind for (kind,) in found][:6] == ["intent", "outcome", "proof", "intent", "outcome", "proof"]


def test_config_check_connects_to_the_teams_journal_and_names_what_is_missing(
    program: Program, things: Things, dsn: str
) -> None:
    def checked(url: str) -> str:
        return program.call("config", "check", "--connect", "--config", program.config(shared(things, url))).stdout

    assert re.search(r"^reached   journal  \S+: as postgres: its tables are made when it is first used$", checked(dsn), re.M)
    with psycopg.connect(dsn, autocommit=True) as connection:
        assert connection.execute("SELECT to_regclass('watchfloor_entry')").fetchone() == (None,), "a check makes nothing"
        connection.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    said = checked(dsn.replace("postgres@", "app@"))
    assert re.search(r"^reached   journal  \S+: as app: it has no table watchfloor_entry, and app may not make it$", said, re.M)
    assert re.search(r'^ +→ GRANT CREATE ON SCHEMA "public" TO "app";', said, re.M)
    assert re.search(r"^NOT reached  journal  .*refuses connections", checked(re.sub(r":\d+/", ":1/", dsn)), re.M)
