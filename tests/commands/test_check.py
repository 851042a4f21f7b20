"""`watchfloor check`: what it prints, what `--json` promises, and its exit codes."""

from __future__ import annotations

import json
import re
import signal
from pathlib import Path
from typing import Any

import pytest

from tests import theirs
from tests.commands.configs import health_only, watching
from tests.running import Program, ended
from tests.servers.things import Things
from tests.waiting import GRACE, eventually

UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def checked(program: Program, path: Path, *more: str) -> tuple[int, Any]:
    done = program.call("check", "--json", "--config", path, *more)
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
    code, found = checked(program, path, "--for", "4.5")
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
    done = program.call(
        "check", "--config", program.config(health_only(things, f'[[panel]]\nkind = "undrawn"\nurl = "{things.url}"\n'))
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(r"^● ok        undrawn      its view is broken: KeyError", done.stdout, re.M)


def test_interrupted_it_ends_at_once(program: Program, things: Things) -> None:
    process = program.start("check", "--for", "60", "--config", program.config(health_only(things)))
    eventually(lambda: things.polled)
    process.send_signal(signal.SIGINT)
    assert ended(process, 2 + GRACE) == 130
    assert process.stderr is not None and process.stderr.read().strip() == ""
