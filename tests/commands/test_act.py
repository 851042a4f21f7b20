"""`watchfloor act` and `watchfloor journal`: the plan, the two words, the exit codes, and what is kept."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from tests.commands.configs import health_only, watching
from tests.running import Program, ended
from tests.servers.things import Things, start_things
from tests.waiting import GRACE, LONG, eventually


def act(program: Program, path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return program.call("act", *arguments, "--config", path)


def entries(program: Program, path: Path) -> list[Any]:
    done = program.call("journal", "--json", "--config", path)
    assert done.returncode == 0 and ("nothing recorded since" in done.stderr) == (not done.stdout), done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_act_shows_the_plan_and_stops(program: Program, things: Things) -> None:
    path = program.config(watching(things))
    done = act(program, path, "theirs.mend", "a")
    assert "mends a" in done.stdout and "POST /things/a/mend" in done.stdout
    assert done.stdout.endswith("Nothing was done: to do it, add  --yes\n")
    assert (things.received, entries(program, path)) == ([], [])


def test_act_does_what_changes_with_a_yes(program: Program, things: Things) -> None:
    path = program.config(watching(things))
    done = program.run("act", "theirs.mend", "a", "--yes", "--config", path)
    assert (done.returncode, done.stderr) == (0, "")
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
    path = program.config(watching(things, 'acts_within = "2s"' if behaves == "hang" else ""))
    done = act(program, path, "theirs.mend", "a", "--yes", "--json")
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
    done = program.call("--read-only", "--config", path, "act", "theirs.end", "a", "--yes", "--confirm", "a")
    assert (done.returncode, "read-only" in done.stderr) == (4, True)
    assert things.received == []


def test_a_hint_is_shown_and_that_is_all(program: Program, things: Things) -> None:
    path = program.config(watching(things))
    done = program.call("--read-only", "--config", path, "act", "theirs.hint")
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
    arrived, signalled = Event(), Event()

    def waits_for_the_signal(received: object) -> None:
        arrived.set()
        signalled.wait(LONG)

    things.on_arrival, things.takes = waits_for_the_signal, 0.8
    process = program.start("act", "theirs.mend", "a", "b", "c", "--yes", "--config", path)
    assert arrived.wait(LONG)
    process.send_signal(signal.SIGTERM)
    signalled.set()
    assert ended(process, 2 + GRACE) == 128 + signal.SIGTERM
    out, err = process.communicate()
    assert not err
    assert "a: done" in out
    assert "stopped: 2 of 3 were not tried" in out
    assert [each.key for each in things.received] == ["a"]
    outcome = next(each for each in entries(program, path) if each["kind"] == "outcome")
    assert outcome["data"] == {"items": [["a", "done", "HTTP 200"]], "of": 3}


def test_killed_in_mid_deed_the_next_act_says_that_it_may_have_happened(program: Program, things: Things) -> None:
    path = program.config(watching(things))
    things.behaves["a"] = "hang"
    process = program.start("act", "theirs.mend", "a", "--yes", "--config", path)
    eventually(lambda: things.received)
    process.kill()
    process.communicate()
    assert [each["kind"] for each in entries(program, path)] == ["intent"]
    done = act(program, path, "theirs.mend", "b", "--yes")
    assert done.returncode == 0
    assert "anna: theirs.mend: mends a: its outcome was never recorded, so it may have happened" in done.stderr


def test_the_journal_is_read_since_an_age(program: Program, things: Things) -> None:
    path = program.config(watching(things))
    act(program, path, "theirs.mend", "a", "--yes")
    assert program.call("journal", "--since", "0s", "--config", path).stdout == ""
    assert len(program.call("journal", "--since", "1h", "--config", path).stdout.splitlines()) == 3


def test_a_defect_of_ours_has_a_code_of_its_own_and_shows_no_secret(program: Program, things: Things) -> None:
    program.begins_with(
        "import tui.commands.check as c, tui.engine.secrets as s\n"
        "s.known_values.add('canary-4711')\n"
        "def as_data(snapshot): raise KeyError('canary-4711')\n"
        "c.as_data = as_data\n"
    )
    done = program.run("check", "--json", "--config", program.config(health_only(things)))
    assert (done.returncode, done.stdout) == (70, "")
    assert re.fullmatch(r"watchfloor: KeyError: '•••' \(at packages/sitecustomize.py:3\): .* report it\n", done.stderr)
