"""`watchfloor status-line`: what it says, that it says so when nobody polls, and that it costs next to nothing."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from pathlib import Path
from threading import Event

import pytest
from msgspec.structs import replace

from tests.clocks import START, DrivenClock
from tests.commands.configs import watching
from tests.commands.test_record import Running
from tests.running import ROOT, Program
from tests.servers.things import Things
from tests.waiting import LONG, eventually, soon
from tui.commands import status_line
from tui.engine import status_file
from tui.engine.alert import Alert
from tui.engine.feed import Level, PanelState, Snapshot
from tui.engine.panel import load_card
from tui.engine.reading import Status
from tui.engine.status_file import StatusFile, StatusPlace, in_a_line
from tui.engine.text import Shown

ALERT = Alert(
    "f1",
    "error rate",
    "api",
    "error_rate",
    (("route", "/up"),),
    "P0",
    "firing",
    0.062,
    0.05,
    "ratio",
    "above",
    START - 600,
    START - 552,
)


def snapshot(*alerts: Alert, **statuses: Status) -> Snapshot:
    panels = tuple(PanelState(name, "health", status, None, None) for name, status in statuses.items())
    return Snapshot(1, START, 1000.0, Shown("shop"), Shown("demo"), False, Level.WATCH, panels, alerts)


@pytest.fixture
def place(tmp_path: Path) -> StatusPlace:
    return StatusPlace(tmp_path / "state" / "status-1", "/etc/shop.toml")


def read(place: StatusPlace, now: float, config: str = "/etc/shop.toml") -> str | None:
    found = status_line.read(str(place.path), config, now)
    return found[1] if found else None


async def told(place: StatusPlace, what: Snapshot, clock: DrivenClock | None = None) -> StatusFile:
    file = StatusFile(place, clock or DrivenClock(), 5.0)
    await file.tell(what)
    return file


# --- what it says ---------------------------------------------------------------------------------------------------------


async def test_the_worst_the_counts_and_the_oldest_alert_with_its_age_now(place: StatusPlace) -> None:
    newer = replace(ALERT, fingerprint="f2", rule="slow", fired_at=START - 5)
    await told(place, snapshot(newer, ALERT, web=Status.OK, api=Status.FAILING, jobs=Status.OK, db=Status.DEGRADED))
    assert read(place, START + 3) == "✖ failing  1✖ 1▲ 2●  P0 api error rate /up 9m15s +1"


async def test_all_well_is_short(place: StatusPlace) -> None:
    await told(place, snapshot(web=Status.OK, api=Status.OK))
    assert read(place, START) == "● ok  2●"


def test_what_is_silenced_pending_or_over_is_not_the_oldest() -> None:
    others = (
        replace(ALERT, silenced=Shown("by anna")),
        replace(ALERT, state="pending", fired_at=None),
        replace(ALERT, state="resolved"),
    )
    assert in_a_line(snapshot(*others, api=Status.FAILING)) == ("", "✖ failing  1✖", "")


@pytest.mark.parametrize("evil", ["#[fg=red]#(reboot)\x1b[2J\ta\nb", "##[fg=red]", "###(id)", "#{pane_tty}", "#S", "#[\u202e"])
async def test_outside_text_steers_neither_terminal_nor_tmux(place: StatusPlace, evil: str) -> None:
    await told(place, snapshot(replace(ALERT, labels=(("route", evil),)), api=Status.FAILING))
    line = read(place, START)
    assert line is not None and line.isprintable() and "#" not in line


async def test_a_number_keeps_its_sign_and_a_long_label_leaves_room_for_the_rest(place: StatusPlace) -> None:
    labels = (("issue", "#12"), ("route", "/x" * 5000))
    await told(place, snapshot(replace(ALERT, labels=labels), ALERT, api=Status.FAILING))
    line = read(place, START)
    assert line is not None and len(line) < 120
    assert line.startswith("✖ failing  1✖  P0 api error rate #12 /x") and line.endswith("… 9m12s +1")


def test_a_list_of_everybodys_alerts_is_counted_where_it_is_on_line_one() -> None:
    alerts = PanelState("alerts", "alerts", Status.OK, load_card("alerts"), None)
    panels = replace(snapshot(api=Status.FAILING), panels=(PanelState("api", "health", Status.FAILING, None, None), alerts))
    assert in_a_line(panels)[1] == "✖ failing  1✖"
    unread = replace(panels, panels=(panels.panels[0], replace(alerts, status=Status.UNKNOWN)))
    assert in_a_line(unread)[1] == "✖ failing  1✖ 1?"


def test_without_unicode_its_signs_are_those_of_the_dashboard(
    place: StatusPlace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(status_line, "newest", lambda config, now: "✖ failing  1✖ 1▲ 2●  P0 api…")
    monkeypatch.setattr(status_line, "find", lambda given, environment: "/etc/shop.toml")
    monkeypatch.setenv("LC_ALL", "C")
    assert status_line.show("", "") == 0
    assert capsys.readouterr().out == "X failing  1X 1^ 2o  P0 api~\n"


# --- how long it holds ----------------------------------------------------------------------------------------------------


async def test_it_holds_for_the_interval_and_two_seconds(place: StatusPlace) -> None:
    await told(place, snapshot(web=Status.OK))
    assert read(place, START + 6.9) == "● ok  1●"
    assert read(place, START + 7.1) is None
    assert read(place, START - 60) is None, "a clock that was set back proves nothing"
    assert read(place, START, "/etc/other.toml") is None, "two paths may have one name"


async def test_it_is_written_anew_when_something_is_new_or_it_grows_old(place: StatusPlace) -> None:
    clock = DrivenClock()
    file = await told(place, snapshot(web=Status.OK), clock)
    first = place.path.stat().st_ino
    clock.move(1)
    await file.tell(snapshot(web=Status.OK))
    assert place.path.stat().st_ino == first, "nothing to say"
    await file.tell(snapshot(web=Status.FAILING))
    second = place.path.stat().st_ino
    assert second != first and read(place, START + 1) == "✖ failing  1✖"
    clock.move(5)
    await file.tell(snapshot(web=Status.FAILING))
    assert read(place, START + 12) == "✖ failing  1✖"
    file.forget()
    assert read(place, START + 6) is None
    assert list(place.path.parent.iterdir()) == []


async def test_what_was_being_written_at_the_end_does_not_stand_there_again(
    place: StatusPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    written, may_go_on, write = Event(), Event(), status_file._replace

    def slow(place: StatusPlace, line: str) -> None:
        written.set()
        may_go_on.wait(LONG)
        write(place, line)

    monkeypatch.setattr(status_file, "_replace", slow)
    monkeypatch.setattr(status_file, "HANGS", LONG)
    file = StatusFile(place, DrivenClock(), 5.0)
    telling = asyncio.ensure_future(file.tell(snapshot(web=Status.OK)))
    await soon(written.is_set)
    forgetting = asyncio.ensure_future(asyncio.to_thread(file.forget))
    may_go_on.set()
    await asyncio.gather(telling, forgetting)
    await file.tell(snapshot(web=Status.FAILING))
    assert list(place.path.parent.iterdir()) == [], "nor what is said after it: judging goes on until the very end"


@pytest.mark.parametrize(
    "content", ["", "1\n", "2\t/etc/shop.toml\t1\t1\t\ta\t\n", "1\t/etc/shop.toml\tx\t1\t\ta\t\n", "\xff" * 9]
)
def test_what_is_no_line_of_ours_is_none(place: StatusPlace, content: str) -> None:
    place.path.parent.mkdir()
    place.path.write_text(content, encoding="latin-1")
    assert read(place, START) is None


@pytest.mark.parametrize(("seconds", "words"), [(-3, "0s"), (58, "58s"), (552, "9m12s"), (7500, "2h05m"), (93600, "1d2h")])
def test_ages_read_as_on_the_screen(seconds: float, words: str) -> None:
    assert status_line.span(seconds) == words


# --- the command ----------------------------------------------------------------------------------------------------------


def test_with_a_poller_and_without(program: Program, things: Things) -> None:
    path = program.config(watching(things))
    nobody = program.run("status-line", "--config", path)
    assert (nobody.returncode, nobody.stdout) == (3, "watchfloor: no poller\n")
    program.be_patient()
    running = Running(program.start("record", "--config", path))
    try:
        said = eventually(
            lambda: (done := program.run("status-line", "--config", path)).returncode == 0 and done.stdout, within=30
        )
        assert said and said.startswith(("●", "▲", "✖", "?"))
        assert program.run("--config", path, "status-line").stdout.strip(), "also with the option before the command"
        running.signal(signal.SIGTERM)
        assert running.ended() == 0
        assert program.run("status-line", "--config", path).returncode == 3, "it says so at once"
    finally:
        running.process.kill()
        running.process.communicate()


def test_a_groups_folder_is_found_without_reading_toml(program: Program, things: Things, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o2770)
    program.config(watching(things, f'[journal]   # ours\nfolder = "{shared}"  # here\nsize = "1 GB"\n'), "base.toml")
    path = program.config('extends = "base.toml"\n')
    running = Running(program.start("record", "--config", path))
    try:
        eventually(lambda: program.run("status-line", "--config", path).returncode == 0)
        assert list(shared.glob("status-*"))
        assert not list((program.folder / "state").rglob("status-*"))
    finally:
        running.process.kill()
        running.process.communicate()


def test_wrong_usage_is_64(program: Program) -> None:
    assert program.run("status-line", "--colour").returncode == 64
    assert program.run("status-line", "--config").returncode == 64
    assert "status bar" in program.run("status-line", "--help").stdout


def test_it_loads_nothing_of_what_the_other_commands_need() -> None:
    code = "import sys; sys.argv[1:] = ['status-line', '--config', 'none.toml']\nimport tui.start\n"
    code += "try:\n    tui.start.run()\nexcept SystemExit:\n    print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-S", "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(done.stderr.split())
    assert "tui.commands.status_line" in loaded
    assert not loaded & {
        "argparse",
        "typing",
        "re",
        "pathlib",
        "json",
        "tomllib",
        "hashlib",
        "platformdirs",
        "tui.cli",
        "tui.config",
    }
