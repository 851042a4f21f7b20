"""A config that was found by itself runs and reads nothing that nobody has agreed to."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.running import Program

REACHES = """\
[watchfloor]
environment = "test"
[[panel]]
kind = "health"
[[panel.endpoint]]
name = "readyz"
url = "http://127.0.0.1:9/readyz"
headers = {{ Authorization = "Bearer {{cmd:{program}}}" }}
"""


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path)


@pytest.fixture
def spy(tmp_path: Path) -> Path:
    """A program that leaves a trace when it is run."""
    path = tmp_path / "spy"
    path.write_text(f"#!/bin/sh\ntouch {tmp_path / 'ran'}\necho token\n")
    path.chmod(0o755)
    return path


def test_it_runs_no_command_that_nobody_has_seen(program: Program, spy: Path, tmp_path: Path) -> None:
    program.config(REACHES.format(program=spy), "config.toml")
    done = program.run("check")
    assert done.returncode == 78
    assert (
        f"config.toml:8: panel health.endpoint readyz.headers.Authorization: names cmd:{spy}, and was found by itself"
        in done.stderr
    )
    assert "give it once with --config config.toml" in done.stderr
    assert not (tmp_path / "ran").exists()


def test_once_named_it_is_taken_until_what_it_names_changes(program: Program, spy: Path, tmp_path: Path) -> None:
    path = program.config(REACHES.format(program=spy), "config.toml")
    assert program.call("check", "--config", "config.toml").returncode == 2, "asked, and refused by a closed port"
    path.write_text(path.read_text() + "\n# a remark changes nothing\n")
    assert program.call("check").returncode == 2
    other = spy.with_name("other")
    other.write_text(spy.read_text())
    other.chmod(0o755)
    path.write_text(REACHES.format(program=other))
    assert program.call("check").returncode == 78


def test_one_that_names_nothing_needs_no_word(program: Program) -> None:
    program.config('[[panel]]\nkind = "health"\nendpoints = ["http://127.0.0.1:9/readyz"]\n', "config.toml")
    assert program.call("check").returncode == 2


def test_a_broken_memory_is_no_agreement(program: Program, spy: Path, tmp_path: Path) -> None:
    program.config(REACHES.format(program=spy), "config.toml")
    store = tmp_path / "state" / "watchfloor" / "trusted.json"
    store.parent.mkdir()
    store.write_text("{")
    assert program.call("check").returncode == 78
