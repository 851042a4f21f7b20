"""The commands as scripts and people run them: names, flags, exit codes, and what `--json` promises."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import theirs
from tests.running import Program
from tests.servers.things import Things, start_things
from tests.waiting import eventually

ALL = ("act", "check", "config", "demo", "journal")
UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path)


@pytest.fixture
def things() -> Iterator[Things]:
    with start_things(a="broken", b="broken", c="broken") as service:
        yield service


def watching(things: Things, more: str = "", environment: str = "demo") -> str:
    """A config of one health panel and somebody else's, armed."""
    return f"""
[watchfloor]
name = "shop"
environment = "{environment}"
[actions]
allow = ["theirs.*"]
[[panel]]
kind = "health"
name = "web"
endpoints = ["{things.url}/readyz"]
[[panel]]
kind = "theirs"
url = "{things.url}"
{more}
"""


def health_only(things: Things, more: str = "") -> str:
    return f"""
[watchfloor]
name = "shop"
environment = "demo"
[[panel]]
kind = "health"
endpoints = ["{things.url}/readyz"]
{more}
"""


# --- usage ---------------------------------------------------------------------------------------------------------------


def test_help_names_every_command(program: Program) -> None:
    done = program.run("--help")
    assert done.returncode == 0
    for name in ALL:
        assert re.search(rf"^ +{name} +\S", done.stdout, re.M), name
    for option in ("--config", "--env", "--read-only", "--ascii"):
        assert option in done.stdout


@pytest.mark.parametrize(
    "command",
    [["check"], ["act"], ["config"], ["config", "check"], ["config", "show"], ["journal"], ["demo"], ["demo", "fault"]],
)
def test_every_command_explains_itself(program: Program, command: list[str]) -> None:
    done = program.run(*command, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) > 4


def test_the_version(program: Program) -> None:
    done = program.run("--version")
    assert done.returncode == 0
    assert re.fullmatch(r"watchfloor, version \d+\.\d+\.\d+\n", done.stdout)


@pytest.mark.parametrize(
    "wrong",
    [
        ["explode"],
        ["--no-such-flag"],
        ["check", "--for"],
        ["check", "--for", "soon"],
        ["check", "--for", "-1"],
        ["check", "extra"],
        ["act"],
        ["config", "explode"],
        ["journal", "--since", "yesterday"],
        ["demo", "--seed", "x"],
        ["demo", "fault"],
    ],
)
def test_wrong_usage_is_64_with_words_on_stderr(program: Program, things: Things, wrong: list[str]) -> None:
    program.more["WATCHFLOOR_CONFIG"] = str(program.config(health_only(things)))
    done = program.run(*wrong)
    assert done.returncode == 64, done
    assert done.stdout == ""
    assert done.stderr
    assert "Traceback" not in done.stderr


def test_a_bad_config_is_78_for_every_command_that_needs_one(program: Program) -> None:
    path = program.config("[watchfloor]\nnme = 1\n")
    for command in (["check"], ["act", "web.poll"], ["config", "check"], ["config", "show"], ["journal"], []):
        done = program.run("--config", path, *command)
        assert (done.returncode, done.stdout) == (78, ""), command
        assert f"{path}:2: watchfloor.nme: unknown key 'nme', did you mean 'name'?" in done.stderr


def test_config_may_stand_before_or_behind_the_command(program: Program, things: Things) -> None:
    path = program.config(health_only(things))
    assert program.run("--config", path, "check").returncode == 0
    assert program.run("check", "--config", path).returncode == 0


def test_the_config_of_the_environment_variable_the_folder_or_the_user(program: Program, things: Things) -> None:
    assert program.run("check").returncode == 78
    usual = program.folder / "config" / "watchfloor"
    usual.mkdir()
    (usual / "config.toml").write_text(health_only(things).replace("shop", "usual"))
    assert program.run("check").stdout.startswith("usual ")
    program.config(health_only(things).replace("shop", "here"), "config.toml")
    assert program.run("check").stdout.startswith("here ")
    program.more["WATCHFLOOR_CONFIG"] = str(program.config(health_only(things).replace("shop", "named")))
    assert program.run("check").stdout.startswith("named ")
    program.config(health_only(things).replace("shop", "staging"), "mine.staging.toml")
    assert program.run("check", "--env", "staging").stdout.startswith("staging ")


def test_a_reader_that_leaves_early_is_no_error(program: Program) -> None:
    process = program.start("config", "schema")
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    assert process.wait(20) == 0
    assert process.stderr.read() == ""


def test_a_reader_that_leaves_early_changes_no_exit_code(program: Program, things: Things) -> None:
    things.behaves["a"] = "hang"
    process = program.start("act", "theirs.mend", "a", "--yes", "--config", program.config(watching(things)))
    assert process.stdout is not None
    process.stdout.close()
    assert process.wait(20) == 6


# --- check ---------------------------------------------------------------------------------------------------------------


def checked(program: Program, path: Path, *more: str) -> tuple[int, Any]:
    done = program.run("check", "--json", "--config", path, *more)
    assert done.stderr == ""
    return done.returncode, json.loads(done.stdout)


def test_check_says_in_json_exactly_what_is_promised(program: Program, things: Things) -> None:
    path = program.config(watching(things))
    code, found = checked(program, path)
    assert (code, found["status"]) == (2, "failing")
    assert set(found) == {"schema", "status", "environment", "at", "panels", "alerts"}
    assert (found["schema"], found["environment"]) == (1, "demo")
    assert UTC.fullmatch(found["at"])
    web, theirs = found["panels"]
    for panel in (web, theirs):
        assert set(panel) == {"name", "kind", "status", "at", "took_ms", "error", "signals", "rows"}
        assert UTC.fullmatch(panel["at"])
        assert 0 < panel["took_ms"] < 10_000
        assert panel["error"] is None
        assert all(set(each) == {"value", "unit"} for each in panel["signals"].values())
    assert (web["name"], web["kind"], web["status"], web["rows"]) == ("web", "health", "ok", 1)
    assert web["signals"]['up{endpoint="readyz"}'] == {"value": 1.0, "unit": "count"}
    assert web["signals"]['latency{endpoint="readyz"}']["unit"] == "s"
    assert web["signals"]['uptime{endpoint="readyz"}'] == {"value": None, "unit": "ratio"}, "no data is null, never 0"
    assert (theirs["status"], theirs["signals"], theirs["rows"]) == ("failing", {"broken": {"value": 3.0, "unit": "count"}}, 3)
    (alert,) = found["alerts"]
    assert {key: value for key, value in alert.items() if key not in ("fingerprint", "since", "fired_at")} == {
        "rule": "Broken",
        "panel": "theirs",
        "labels": {},
        "severity": "P1",
        "state": "firing",
        "value": 3.0,
        "threshold": 2.0,
        "acked_by": None,
    }
    assert re.fullmatch(r"[0-9a-f]{16}", alert["fingerprint"])
    assert UTC.fullmatch(alert["since"]) and UTC.fullmatch(alert["fired_at"])


@pytest.mark.parametrize(
    ("ready", "broken", "code", "word"),
    [
        ((200, {"ok": True}), 0, 0, "ok"),
        ((200, {"ok": True}), 1, 1, "degraded"),
        ((200, {"ok": True}), 3, 2, "failing"),
        ((503, {"ok": False, "checks": {"db": False}}), 0, 2, "failing"),
        ((401, {}), 0, 3, "unknown"),
        ((401, {}), 1, 3, "unknown"),
        ((401, {}), 3, 2, "failing"),
    ],
)
def test_checks_exit_code_is_the_worst(
    program: Program, things: Things, ready: tuple[int, object], broken: int, code: int, word: str
) -> None:
    things.ready = ready
    things.states = {str(each): "broken" if each < broken else "well" for each in range(3)}
    found = checked(program, program.config(watching(things)))
    assert (found[0], found[1]["status"]) == (code, word)


def test_check_for_people_names_what_fails_and_what_to_try(program: Program, things: Things) -> None:
    things.ready = (503, {"ok": False, "checks": {"db": False, "env": True}})
    done = program.run("check", "--config", program.config(watching(things)))
    assert done.returncode == 2
    assert re.match(r"shop · demo   ✖ failing   \d{4}-", done.stdout)
    assert re.search(r"^✖ failing   web ", done.stdout, re.M)
    assert "status: HTTP 503 · db" in done.stdout
    assert "look at db" in done.stdout
    assert re.search(r"P1 ✖ firing   theirs     Broken 3 > 2", done.stdout)


def test_check_in_a_terminal_that_knows_ascii_alone(program: Program, things: Things) -> None:
    program.more |= {"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"}
    done = program.run("check", "--config", program.config(health_only(things)))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.isascii()
    assert "o ok" in done.stdout


def test_check_for_some_seconds_polls_on_and_lets_rules_hold(program: Program, things: Things) -> None:
    things.states = {"a": "broken"}
    held = '[[rule]]\nname = "Broken"\nsignal = "theirs.broken"\nabove = 0\nfor = "10m"\nseverity = "P0"\n'
    path = program.config(watching(things, held).replace('name = "shop"', 'name = "shop"\ninterval = "1s"'))
    code, found = checked(program, path)
    assert (code, found["alerts"][0]["state"]) == (2, "firing"), "without --for a breach counts as firing"
    things.polled.clear()
    code, found = checked(program, path, "--for", "2.5")
    assert (code, found["alerts"][0]["state"], found["alerts"][0]["fired_at"]) == (2, "pending", None)
    assert len(things.polled) >= 2 * 2


def test_check_never_acts_and_leaves_no_trace(program: Program, things: Things) -> None:
    program.run("check", "--config", program.config(watching(things)))
    assert things.received == []
    assert list((program.folder / "state").iterdir()) == []


def test_a_source_that_is_not_there_costs_its_own_panel(program: Program, things: Things) -> None:
    more = '[[panel]]\nkind = "theirs"\nname = "gone"\nurl = "http://127.0.0.1:9"\n'
    things.states = {"a": "well"}
    code, found = checked(program, program.config(watching(things, more)))
    assert [panel["status"] for panel in found["panels"]] == ["ok", "ok", "unknown"]
    assert code == 3
    assert found["panels"][2]["error"] == "gone: connect: connection refused"
    assert (found["panels"][2]["signals"], found["panels"][2]["rows"]) == ({}, 0)


def test_a_panel_that_cannot_be_loaded_says_so_and_the_others_go_on(program: Program, things: Things) -> None:
    theirs.install(program.folder / "packages", "tests.no_such_module:CARD", kind="broken")
    code, found = checked(program, program.config(health_only(things, '[[panel]]\nkind = "broken"\nwhatever = 1\n')))
    assert code == 3
    assert [panel["status"] for panel in found["panels"]] == ["ok", "unknown"]
    assert found["panels"][1]["error"].startswith("broken-panel could not be loaded: ModuleNotFoundError")


def test_a_view_that_breaks_costs_its_own_line(program: Program, things: Things) -> None:
    theirs.install(program.folder / "packages", "tests.theirs:UNDRAWN", kind="undrawn")
    things.states = {}
    done = program.run(
        "check", "--config", program.config(health_only(things, f'[[panel]]\nkind = "undrawn"\nurl = "{things.url}"\n'))
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(r"^● ok        undrawn      its view is broken: KeyError", done.stdout, re.M)


def test_interrupted_it_ends_at_once(program: Program, things: Things) -> None:
    process = program.start("check", "--for", "60", "--config", program.config(health_only(things)))
    eventually(lambda: things.polled, within=20)
    process.send_signal(signal.SIGINT)
    assert process.wait(3) == 130
    assert process.stderr is not None and process.stderr.read().strip() == ""


# --- act -----------------------------------------------------------------------------------------------------------------


def act(program: Program, path: Path, *arguments: str, within: float = 30.0) -> subprocess.CompletedProcess[str]:
    done = program.run("act", *arguments, "--config", path, within=within)
    assert "Traceback" not in done.stderr
    return done


def entries(program: Program, path: Path) -> list[Any]:
    done = program.run("journal", "--json", "--config", path)
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_act_shows_the_plan_and_stops(program: Program, things: Things) -> None:
    path = program.config(watching(things))
    done = act(program, path, "theirs.mend", "a")
    assert "mends a" in done.stdout and "POST /things/a/mend" in done.stdout
    assert done.stdout.endswith("Nothing was done: to do it, add  --yes\n")
    assert (things.received, entries(program, path)) == ([], [])


def test_act_does_what_changes_with_a_yes(program: Program, things: Things) -> None:
    path = program.config(watching(things))
    done = act(program, path, "theirs.mend", "a", "--yes")
    assert done.returncode == 0
    assert "a: done  ·  HTTP 200  ·  verified: it is well" in done.stdout
    assert things.states["a"] == "well"
    kept = entries(program, path)
    assert [each["kind"] for each in kept] == ["intent", "outcome", "proof"]
    assert {each["who"] for each in kept} == {"anna"}
    assert len({each["deed"] for each in kept}) == 1
    told = program.run("journal", "--config", path).stdout
    assert re.search(r"^\d{4}-\S+ \S+Z  anna  intent   [0-9a-f]{8}  theirs.mend  mends a$", told, re.M)


@pytest.mark.parametrize("said", [[], ["--yes"], ["--confirm", "a"], ["--yes", "--confirm", "b"], ["--yes", "--confirm", ""]])
def test_act_needs_both_words_for_what_destroys(program: Program, things: Things, said: list[str]) -> None:
    path = program.config(watching(things))
    done = act(program, path, "theirs.end", "a", *said)
    assert done.returncode == (4 if said else 0)
    assert re.search(r"Nothing was done: to do it, add  (--yes )?(--confirm a)?", done.stdout)
    assert things.received == []
    assert act(program, path, "theirs.end", "a", "--yes", "--confirm", "a").returncode == 0
    assert things.states["a"] == "gone"


def test_in_production_what_changes_needs_its_text_too(program: Program, things: Things) -> None:
    path = program.config(watching(things, environment="production"))
    for said in (["--yes"], ["--confirm", "2 things"], ["--yes", "--confirm", "3 things"]):
        done = act(program, path, "theirs.mend", "a", "b", *said)
        assert done.returncode == 4
        assert "Nothing was done" in done.stdout
    assert things.received == []
    assert act(program, path, "theirs.mend", "a", "b", "--yes", "--confirm", "2 things").returncode == 0
    assert things.states == {"a": "well", "b": "well", "c": "broken"}


@pytest.mark.parametrize(
    ("behaves", "code", "word"),
    [
        ("ok", 0, "done"),
        ("refuse", 4, "refused"),
        ("gone", 4, "no longer as planned"),
        ("break", 5, "failed"),
        ("hang", 6, "outcome unknown"),
        ("pretend", 7, "done"),
    ],
)
def test_acts_exit_codes(program: Program, things: Things, behaves: str, code: int, word: str) -> None:
    things.behaves["a"] = behaves
    done = act(program, program.config(watching(things)), "theirs.mend", "a", "--yes", "--json")
    assert done.returncode == code
    found = json.loads(done.stdout)
    assert set(found) == {"schema", "action", "deed", "plan", "items"}
    (item,) = found["items"]
    assert set(item) == {"key", "result", "says", "verified", "proof"}
    assert (item["key"], item["result"]) == ("a", word)
    assert len(things.received) == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["theirs.explode", "a"], "there is no action theirs.explode; there are: theirs.end, theirs.hint, theirs.mend"),
        (["theirs.mend"], "needs to be told what to act on"),
        (["theirs.mend", "zz"], "there is no thing zz"),
        (["theirs.end", "a", "b"], "acts on one at a time"),
    ],
)
def test_act_says_why_it_will_not(program: Program, things: Things, arguments: list[str], says: str) -> None:
    path = program.config(watching(things))
    done = act(program, path, *arguments, "--yes")
    assert (done.returncode, done.stdout) == (4, "")
    assert says in done.stderr
    as_json = act(program, path, *arguments, "--yes", "--json")
    assert (as_json.returncode, json.loads(as_json.stdout)["result"]) == (4, "refused")


def test_act_is_refused_where_it_is_not_allowed_or_read_only(program: Program, things: Things) -> None:
    path = program.config(watching(things).replace('allow = ["theirs.*"]', 'allow = ["theirs.end"]'))
    done = act(program, path, "theirs.mend", "a", "--yes")
    assert (done.returncode, 'allow = ["theirs.mend"]' in done.stderr) == (4, True)
    done = program.run("--read-only", "--config", path, "act", "theirs.end", "a", "--yes", "--confirm", "a")
    assert (done.returncode, "read-only" in done.stderr) == (4, True)
    assert things.received == []


def test_a_hint_is_shown_and_that_is_all(program: Program, things: Things) -> None:
    path = program.config(watching(things))
    done = program.run("--read-only", "--config", path, "act", "theirs.hint")
    assert done.returncode == 0
    assert "things mend a" in done.stdout


def test_act_without_a_service_fails(program: Program) -> None:
    with start_things(a="broken") as things:
        path = program.config(watching(things))
    done = act(program, path, "theirs.mend", "a", "--yes", "--json")
    assert done.returncode == 5
    assert json.loads(done.stdout)["result"] == "failed"
    assert "connection refused" in done.stderr


def test_without_a_record_there_is_no_deed(program: Program, things: Things) -> None:
    path = program.config(watching(things))
    (program.folder / "state" / "watchfloor").write_text("a file where the folder should be")
    done = act(program, path, "theirs.mend", "a", "--yes")
    assert done.returncode == 4
    assert "no record, no deed" in done.stderr
    assert things.received == []


def test_a_signal_stops_a_bulk_deed_after_the_item_at_hand(program: Program, things: Things) -> None:
    path = program.config(watching(things))
    things.takes = 0.4
    process = program.start("act", "theirs.mend", "a", "b", "c", "--yes", "--config", path)
    eventually(lambda: things.received, within=20)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=5)
    assert process.returncode == 128 + signal.SIGTERM, err
    assert "a: done" in out
    assert "stopped: 2 of 3 were not tried" in out
    assert [each.key for each in things.received] == ["a"]
    outcome = next(each for each in entries(program, path) if each["kind"] == "outcome")
    assert outcome["data"] == {"items": [["a", "done", "HTTP 200"]], "of": 3}


def test_killed_in_mid_deed_the_next_act_says_that_it_may_have_happened(program: Program, things: Things) -> None:
    path = program.config(watching(things))
    things.behaves["a"] = "hang"
    process = program.start("act", "theirs.mend", "a", "--yes", "--config", path)
    eventually(lambda: things.received, within=20)
    process.kill()
    process.communicate()
    assert [each["kind"] for each in entries(program, path)] == ["intent"]
    done = act(program, path, "theirs.mend", "b", "--yes")
    assert done.returncode == 0
    assert "anna: theirs.mend: mends a: its outcome was never recorded, so it may have happened" in done.stderr


def test_the_journal_is_read_since_an_age(program: Program, things: Things) -> None:
    path = program.config(watching(things))
    act(program, path, "theirs.mend", "a", "--yes")
    assert program.run("journal", "--since", "0s", "--config", path).stdout == ""
    assert len(program.run("journal", "--since", "1h", "--config", path).stdout.splitlines()) == 3


def test_a_defect_of_ours_has_a_code_of_its_own_and_shows_no_secret(program: Program, things: Things) -> None:
    broken = program.folder / "packages" / "sitecustomize.py"
    broken.write_text(
        "import tui.commands.check as c, tui.engine.secrets as s\n"
        "s.known_values.add('canary-4711')\n"
        "def as_data(snapshot): raise KeyError('canary-4711')\n"
        "c.as_data = as_data\n"
    )
    done = program.run("check", "--json", "--config", program.config(health_only(things)))
    assert (done.returncode, done.stdout) == (70, "")
    assert re.fullmatch(r"watchfloor: KeyError: '•••' \(at packages/sitecustomize.py:3\): .* report it\n", done.stderr)


# --- config --------------------------------------------------------------------------------------------------------------


def test_config_check_connects_to_each_source(program: Program, things: Things) -> None:
    more = '[[panel]]\nkind = "health"\nname = "gone"\nendpoints = ["http://127.0.0.1:9/readyz"]\n'
    path = program.config(health_only(things, more))
    assert program.run("config", "check", "--config", path).returncode == 0
    assert things.polled == [], "without --connect nobody is asked"
    done = program.run("config", "check", "--connect", "--config", path)
    assert done.returncode == 1
    assert re.search(r"^reached   health  readyz  http\S+: ok$", done.stdout, re.M)
    assert re.search(r"^NOT reached  gone  readyz  http\S+: connect: connection refused$", done.stdout, re.M)
