"""`watchfloor record`, and several processes on one journal: the real program, a real service that counts what it is asked."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sqlite3
import struct
import subprocess
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from threading import Thread

import pytest

from tests import story
from tests.pty.terminal import Terminal
from tests.running import Program, stopped
from tests.servers.children import port_of_its_own
from tests.servers.things import Things
from tests.waiting import GRACE, LONG, Stopwatch, eventually
from tui.commands.metrics import page

INTERVAL = 1.0


def config(things: Things, more: str = "", interval: str = "1s") -> str:
    return f"""
[watchfloor]
name = "shop"
environment = "demo"
interval = "{interval}"
[[panel]]
kind = "health"
name = "web"
[[panel.endpoint]]
name = "readyz"
url = "{things.url}/readyz"
deadline = "10s"                  # that a busy machine stood still for a second says nothing of the service
{more}
"""


class Running:
    """A started `record`, and what it has said so far."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: list[str] = []
        assert process.stderr is not None
        self._reader = Thread(target=self.lines.extend, args=(process.stderr,), daemon=True)
        self._reader.start()

    def says(self, what: str, within: float = LONG) -> str:
        found: list[str] = eventually(
            lambda: [line for line in [*self.lines] if what in line], within, lambda: f"{what!r} is not in {self.lines}"
        )
        return found[-1]

    def signal(self, number: int) -> None:
        os.kill(self.process.pid, number)

    def ended(self, within: float = LONG) -> int:
        code = self.process.wait(within)
        self._reader.join(LONG)
        return code


@pytest.fixture
def records(program: Program) -> Iterator[list[Running]]:
    """Those that were started; none outlives the test."""
    started: list[Running] = []
    yield started
    for each in started:
        with contextlib.suppress(ProcessLookupError):
            each.signal(signal.SIGCONT)
            each.process.kill()
        each.process.wait(LONG)
        for stream in (each.process.stdout, each.process.stderr):
            if stream:
                with contextlib.suppress(ValueError):
                    stream.close()


@pytest.fixture
def patient(program: Program) -> None:
    program.be_patient()


def start(program: Program, records: list[Running], path: Path) -> Running:
    records.append(Running(program.start("record", "--config", path)))
    return records[-1]


def gaps(things: Things, since: float) -> float:
    """The longest time without a request since a moment, until now."""
    times = [since, *(at for at in things.polled if at > since), time.monotonic()]
    return max(later - before for before, later in pairwise(times))


def holds(program: Program, pid: int) -> bool:
    """Whether a process has the lease, as it stands in the journal's file."""
    with contextlib.closing(sqlite3.connect(program.journal)) as journal:
        return journal.execute("SELECT 1 FROM lease WHERE holder <> '' AND pid = ?", [pid]).fetchone() is not None


def polls(things: Things, more: int, within: float = LONG) -> None:
    had = len(things.polled)
    eventually(lambda: len(things.polled) >= had + more, within)


def test_it_polls_logs_and_ends_cleanly(program: Program, things: Things, records: list[Running]) -> None:
    running = start(program, records, program.config(config(things)))
    running.says("leads")
    running.says("→ ok")
    things.ready = (503, {"ok": False})
    running.says("web: ok → failing")
    things.ready = (200, {"ok": True})
    running.says("web: failing → ok")
    running.signal(signal.SIGTERM)
    assert running.ended() == 0
    assert not [line for line in running.lines if "Traceback" in line]


def test_an_interrupt_ends_it_too(program: Program, things: Things, records: list[Running]) -> None:
    running = start(program, records, program.config(config(things)))
    running.says("→ ok")
    running.signal(signal.SIGINT)
    assert running.ended() == 0


def test_without_a_journal_there_is_nothing_to_run(program: Program, things: Things) -> None:
    (program.folder / "state" / "watchfloor").write_text("in the way")
    done = program.run("record", "--config", program.config(config(things)))
    assert done.returncode == 5
    assert "cannot be written" in done.stderr


# --- one poller a host -----------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("patient")
def test_five_dashboards_ask_what_one_asks(program: Program, things: Things) -> None:
    path = program.config(config(things))
    with contextlib.ExitStack() as stack:
        screens = []
        for _ in range(5):
            argv = [*program.argv, "--config", str(path)]
            environment = {**program.environment, "TERM": "xterm-256color"}
            screens.append(stack.enter_context(Terminal(argv, environment, program.work, 100, 30)))
            screens[-1].until("readyz")
        for screen in screens:
            screen.until(" ms")
        began, had = time.monotonic(), len(things.polled)
        polls(things, 6)
        asked, seconds = len(things.polled) - had, time.monotonic() - began
        # Of one poller's, the first may have come late and the last be just in time.
        assert asked <= seconds / INTERVAL + 2, f"{asked} requests in {seconds:.1f}s: more than one poller's"
        things.ready = (503, {"ok": False})
        changed = Stopwatch(*[screen.pid for screen in screens])
        for screen in screens:
            screen.until("failing")
        assert changed.took < INTERVAL + 3.0
    assert len(set(things.askers)) == 1, "nobody asked beside the one who polls, not at a start either"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_when_the_poller_is_gone_another_takes_over(
    program: Program, things: Things, records: list[Running], number: signal.Signals
) -> None:
    interval = GRACE + 1.0  # so that three polls are longer than two and the machine's moment
    path = program.config(config(things, interval=f"{interval:g}s"))
    first = start(program, records, path)
    first.says("leads")
    second = start(program, records, path)
    second.says("follows anna, pid")
    polls(things, 1)
    began, watch = time.monotonic(), Stopwatch(second.process.pid)
    first.signal(number)
    while number is signal.SIGSTOP:
        eventually(lambda: stopped(first.process.pid), each=0.005)
        if not locked(program):  # in the middle of writing another may poll, but not lead
            break
        first.signal(signal.SIGCONT)
        first.signal(number)
    second.says("leads")
    polls(things, 2)
    assert gaps(things, began) - watch.withheld < 2 * interval + GRACE, "two polls at most"
    if number is signal.SIGSTOP:
        woken, had = time.monotonic(), len(things.polled)
        first.signal(signal.SIGCONT)
        first.says("follows anna, pid")
        polls(things, 3)
        assert len(things.polled) - had <= (time.monotonic() - woken) / interval + 2
        assert len(set(things.askers[had:])) == 1, "the woken one asked nothing"
        journal = program.run("journal", "--config", path, "--json")
        assert journal.returncode == 0, "and the file is whole"


@pytest.mark.usefixtures("patient")
def test_one_that_is_stopped_from_the_keyboard_gives_the_lease_up_first(
    program: Program, things: Things, records: list[Running]
) -> None:
    path = program.config(config(things))
    first = start(program, records, path)
    first.says("→ ok")
    second = start(program, records, path)
    second.says("follows")
    assert holds(program, first.process.pid)
    first.signal(signal.SIGTSTP)
    eventually(lambda: stopped(first.process.pid), each=0.005)
    assert not holds(program, first.process.pid), "nobody has to wait as long as for one that is gone"
    second.says("leads")
    first.signal(signal.SIGCONT)
    first.says("follows")


WRITES_UNTIL = """
import time
from pathlib import Path
import tui.engine.file_use as file_use
from tui.engine.store import Store
insert = Store._insert
def insert_and_wait(*what):
    insert(*what)
    while Path({marker!r}).exists():
        time.sleep(0.01)
Store._insert = insert_and_wait
file_use.ENDS = 30.0
"""
"""While a file is there, whoever records is in the middle of writing to the journal's file, as on a slow disk."""


def writes_until(program: Program, marker: Path) -> None:
    program.begins_with(WRITES_UNTIL.format(marker=str(marker)))


def locked(program: Program) -> bool:
    """Whether a process is in the middle of writing to the journal's file."""
    with contextlib.closing(sqlite3.connect(program.journal, isolation_level=None, timeout=0)) as journal:
        try:
            journal.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return True
    return False


def test_one_that_is_stopped_in_the_middle_of_writing_stops_behind_it(
    program: Program, things: Things, records: list[Running], tmp_path: Path
) -> None:
    marker = tmp_path / "writes"
    writes_until(program, marker)
    first = start(program, records, program.config(config(things)))
    first.says("→ ok")
    for _ in range(3):
        marker.touch()
        eventually(lambda: all(locked(program) for _ in range(20)))
        first.signal(signal.SIGTSTP)
        time.sleep(1.0)  # long enough for one that does not wait
        marker.unlink()
        eventually(lambda: stopped(first.process.pid), each=0.005)
        assert not locked(program), "nobody else of this host could write, until it goes on"
        first.signal(signal.SIGCONT)
        polls(things, 2)


def test_where_one_that_is_stopped_keeps_the_file_another_polls_all_the_same(
    program: Program, things: Things, records: list[Running], tmp_path: Path
) -> None:
    """SIGSTOP cannot be heard, nor can a debugger."""
    marker = tmp_path / "writes"
    writes_until(program, marker)
    path = program.config(config(things))
    first = start(program, records, path)
    first.says("→ ok")
    second = start(program, records, path)
    second.says("follows")
    marker.touch()
    eventually(lambda: all(locked(program) for _ in range(20)))
    first.signal(signal.SIGSTOP)
    second.says("another process keeps the journal locked")
    polls(things, 3)
    marker.unlink()
    first.signal(signal.SIGCONT)
    eventually(lambda: second.lines[-1].split()[2] in ("leads", "follows"), says=lambda: str(second.lines))
    polls(things, 3)


@pytest.mark.usefixtures("patient")
def test_a_record_goes_before_a_dashboard(program: Program, things: Things, records: list[Running]) -> None:
    path = program.config(config(things))
    environment = {**program.environment, "TERM": "xterm-256color"}
    with Terminal([*program.argv, "--config", str(path)], environment, program.work, 100, 30) as screen:
        screen.until(" ms")
        running = start(program, records, path)
        reader = Thread(target=lambda: screen.pump(5.0), daemon=True)
        reader.start()
        running.says("leads")
        reader.join()
        began, watch = time.monotonic(), Stopwatch(screen.pid, running.process.pid)
        running.signal(signal.SIGTERM)
        assert running.ended() == 0
        assert not holds(program, running.process.pid), "the dashboard may go on at once"
        polls(things, 2)
        assert gaps(things, began) - watch.withheld < 2 * INTERVAL + GRACE, "and does"


def test_one_that_is_read_only_leaves_the_polling_to_another(program: Program, things: Things) -> None:
    path = program.config(config(things))
    environment = {**program.environment, "TERM": "xterm-256color"}
    argv = [*program.argv, "--config", str(path)]
    with Terminal([*argv, "--read-only"], environment, program.work, 100, 30) as looker:
        looker.until(" ms")
        began, watch = time.monotonic(), Stopwatch(looker.pid)
        with Terminal(argv, environment, program.work, 100, 30) as dashboard:
            dashboard.until(" ms")
            looker.until("polled by anna")
            assert "polled by" not in dashboard.text
        looker.until("readyz")
        assert gaps(things, began) - watch.withheld < 2 * INTERVAL + GRACE, "two polls at most"


@pytest.mark.usefixtures("patient")
def test_it_comes_back_with_what_was_seen(program: Program, things: Things, records: list[Running]) -> None:
    path = program.config(config(things, interval="60s"))
    first = start(program, records, path)
    first.says("→ ok")
    first.signal(signal.SIGTERM)
    assert first.ended() == 0
    asked = len(things.polled)
    second = start(program, records, path)
    second.says("web: new → ok")
    assert len(things.polled) == asked, "it was asked just now: figures and schedule go on"


# --- the config, read again --------------------------------------------------------------------------------------------------


def test_a_changed_config_takes_effect(program: Program, things: Things, records: list[Running]) -> None:
    path = program.config(config(things))
    running = start(program, records, path)
    running.says("→ ok")
    more = f'[[panel]]\nkind = "theirs"\nname = "shop"\nurl = "{things.url}"\n'
    path.write_text(config(things, more))
    running.says("shop: new → ")
    path.write_text(config(things))
    running.says("shop: no longer watched")

    def taken() -> list[bool]:
        lines = program.run("journal", "--config", path, "--json", "--kind", "config").stdout.splitlines()
        return [json.loads(line)["data"]["taken"] for line in lines]

    eventually(lambda: len(taken()) >= 2, each=0.2)  # it takes effect, and then it is written down
    assert taken() == [True, True]


def test_a_bad_config_is_said_and_the_old_one_goes_on(program: Program, things: Things, records: list[Running]) -> None:
    path = program.config(config(things))
    running = start(program, records, path)
    running.says("→ ok")
    path.write_text(config(things, '[[panel]]\nkind = "helth"\n'))
    line = running.says("the one before goes on")
    assert "helth" in line and "did you mean 'health'" in line
    polls(things, 2)
    path.write_text(config(things, interval="2s"))
    polls(things, 2)
    assert running.process.poll() is None


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGUSR1])
def test_a_signal_has_it_read_at_once(program: Program, things: Things, records: list[Running], number: signal.Signals) -> None:
    path = program.config(config(things))
    running = start(program, records, path)
    running.says("→ ok")
    path.write_text("[watchfloor]\nname =")
    running.signal(number)
    running.says("the one before goes on")


def test_the_file_that_it_extends_counts_too(program: Program, things: Things, records: list[Running]) -> None:
    base = program.config(config(things), "base.toml")
    path = program.config('extends = "base.toml"\n')
    running = start(program, records, path)
    running.says("→ ok")
    base.write_text(config(things, f'[[panel]]\nkind = "theirs"\nname = "shop"\nurl = "{things.url}"\n'))
    running.says("shop: new → ")


def test_a_check_in_each_minute_says_that_the_watcher_is_there(
    program: Program, things: Things, records: list[Running]
) -> None:
    from tests.test_sentry import receiver

    with receiver() as (dsn, received):
        program.more["SENTRY_DSN"] = dsn
        path = program.config(config(things, '[sentry]\ndsn = "env:SENTRY_DSN"\n'))
        running = start(program, records, path)
        running.says("→ ok")
        envelope = eventually(lambda: next((each for each in received if '"check_in"' in each), None))
    assert envelope is not None
    assert '"monitor_slug":"watchfloor-shop-demo"' in envelope.replace('": "', '":"')


# --- its own figures ---------------------------------------------------------------------------------------------------------


def fetched(port: int, path: str = "/metrics", host: str = "") -> tuple[int, str]:
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={"Host": host} if host else {})
    try:
        with urllib.request.urlopen(request, timeout=90) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, ""


def test_figures_of_an_engine_that_hangs_grow_old() -> None:
    """It publishes nothing any more, and whoever scrapes must see that."""
    snapshot = story.snapshot(night=story.Night(broken=False))
    said = page(snapshot, Counter(), None, story.MONOTONIC + 100)
    assert 'watchfloor_panel_status{panel="health"} 2\n' in said
    assert 'watchfloor_poll_age_seconds{panel="health"} 102.0\n' in said


def test_it_serves_its_own_metrics_on_loopback(program: Program, things: Things, records: list[Running]) -> None:
    from prometheus_client.parser import text_string_to_metric_families

    port = port_of_its_own()
    path = program.config(config(things, f'[record]\nmetrics = "127.0.0.1:{port}"\n'))
    running = start(program, records, path)
    running.says("→ ok")
    polls(things, 1)
    status, body = fetched(port)
    assert status == 200
    samples = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(body)
        for sample in family.samples
    }
    assert samples["watchfloor_panel_status", "web"] == 0
    assert samples["watchfloor_leads",] == 1
    assert samples["watchfloor_alerts", "P0", "firing"] == 0
    assert 0 <= samples["watchfloor_poll_age_seconds", "web"] < 5
    assert samples["watchfloor_polls_total", "web"] >= 1
    assert samples["watchfloor_journal_bytes",] > 4096
    assert fetched(port, "/")[0] == 404
    assert fetched(port, host="evil.example")[0] == 403
    for _ in range(5):
        hang_up(port)
    assert fetched(port)[0] == 200
    running.signal(signal.SIGTERM)
    assert running.ended() == 0
    assert not [line for line in running.lines if "Traceback" in line or "Error" in line]


def hang_up(port: int) -> None:
    """Asks, and is gone before the answer."""
    with socket.socket() as asks:
        asks.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        asks.connect(("127.0.0.1", port))
        asks.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nX-Half: ")


def test_an_address_that_is_taken_is_said(program: Program, things: Things) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        path = program.config(config(things, f'[record]\nmetrics = "127.0.0.1:{port}"\n'))
        done = program.run("record", "--config", path)
    assert done.returncode == 5
    assert "in use" in done.stderr


@pytest.mark.parametrize("address", ["0.0.0.0:9464", "9464", "[::]:9464", "localhost:0", "watch.example:9464"])
def test_its_figures_are_for_this_host_alone(program: Program, things: Things, address: str) -> None:
    done = program.run("config", "check", "--config", program.config(config(things, f'[record]\nmetrics = "{address}"\n')))
    assert done.returncode == 78
    assert "record.metrics" in done.stderr and "127.0.0.1:9464" in done.stderr
