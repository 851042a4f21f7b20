"""Ctrl-Z in a real shell: the terminal is given back, the journal is left free, and `fg` brings all of it back."""

from __future__ import annotations

import contextlib
import shlex
import signal
import sqlite3
from pathlib import Path

import psutil
import pytest

from tests.pty.conftest import health_only
from tests.pty.terminal import ALTERNATE, CURSOR, Terminal
from tests.running import Program, stopped
from tests.servers.things import Things
from tests.waiting import LONG, eventually

SHELL = ["/bin/sh", "-i"]
PROMPT = "ready>"


@pytest.fixture
def path(program: Program, things: Things) -> Path:
    program.be_patient()
    return program.config(health_only(things))


def holders(program: Program) -> list[str]:
    """Who has the lease, as it stands in the journal's file, which nobody may keep locked."""
    with contextlib.closing(sqlite3.connect(program.journal, isolation_level=None, timeout=LONG)) as journal:
        journal.execute("BEGIN IMMEDIATE")
        return [holder for (holder,) in journal.execute("SELECT holder FROM lease WHERE holder <> ''")]


@pytest.mark.parametrize("by", ["", "sh -c 'true; \"$@\"; true' sh"], ids=["itself", "within a script"])
def test_ctrl_z_stops_it_and_fg_brings_it_back(program: Program, things: Things, path: Path, by: str) -> None:
    with Terminal(SHELL, program.environment | {"PS1": f"{PROMPT} "}, program.work) as terminal:
        terminal.until(PROMPT)
        terminal.press(f"{by} {shlex.join([*program.argv, '--config', str(path)])}\r")
        terminal.until("2 of 2 up")
        terminal.press("?")
        terminal.until("Lower case looks")
        for _ in range(3):  # at whichever moment
            terminal.screen.reset()
            terminal.press("ctrl+z")
            terminal.until("Stopped")
            terminal.until(PROMPT)
            assert terminal.restored
            assert holders(program) == [], "another may poll at once"
            polled = len(things.polled)
            terminal.press("fg\r")
            terminal.until(lambda: terminal.lines()[0].startswith(" shop · demo") and "Lower case looks" in terminal.text)
            assert terminal.modes[ALTERNATE] and not terminal.modes[CURSOR]
            eventually(lambda had=polled: len(things.polled) > had + 2)  # type: ignore[misc]  # bound in the loop
        terminal.press("esc")
        terminal.until("2 of 2 up")
        terminal.press("q")
        terminal.until(lambda: terminal.restored)


def test_in_the_background_it_stays_stopped(program: Program, path: Path) -> None:
    with Terminal(SHELL, program.environment | {"PS1": f"{PROMPT} "}, program.work) as terminal:
        terminal.until(PROMPT)
        terminal.press(f"{shlex.join([*program.argv, '--config', str(path)])}\r")
        terminal.until("2 of 2 up")
        (dashboard,) = psutil.Process(terminal.pid).children()
        for _ in range(3):
            terminal.screen.reset()
            terminal.press("ctrl+z")
            terminal.until("Stopped")
            terminal.screen.reset()
            terminal.press("bg\r")
            terminal.until(PROMPT)
            eventually(lambda: stopped(dashboard.pid))
            assert terminal.restored
            holders(program)  # which it does not keep locked
            terminal.press("fg\r")
            terminal.until(lambda: terminal.lines()[0].startswith(" shop · demo") and "2 of 2 up" in terminal.text)
        terminal.press("q")
        terminal.until(lambda: terminal.restored)


def test_one_that_was_stopped_from_outside_takes_the_terminal_once(program: Program, path: Path) -> None:
    """SIGSTOP is not heard; a shell may have used the terminal meanwhile."""
    with Terminal([*program.argv, "--config", str(path)], program.environment, program.work) as terminal:
        terminal.until("2 of 2 up")
        for _ in range(3):
            terminal.signal(signal.SIGSTOP)
            # Maybe in the middle of a picture, for whose end `until` would wait.
            eventually(lambda: stopped(terminal.pid))
            terminal.screen.reset()
            terminal.signal(signal.SIGCONT)
            terminal.until(lambda: terminal.lines()[0].startswith(" shop · demo") and "2 of 2 up" in terminal.text)
        for key, page in (("?", "Lower case looks"), ("esc", "2 of 2 up")) * 5:
            terminal.press(key)  # each reaches the one who reads
            terminal.until(page)
        terminal.press("q")
        assert terminal.exit_code() == 0
        assert terminal.restored


def test_where_no_shell_could_bring_it_back_it_says_so(program: Program, path: Path) -> None:
    """As the one program of a tmux window: stopped, it would be lost."""
    with Terminal([*program.argv, "--config", str(path)], program.environment, program.work) as terminal:
        terminal.until("2 of 2 up")
        terminal.press("ctrl+z")
        terminal.until("no shell here that could bring this back; q leaves")
        terminal.press("q")
        assert terminal.exit_code() == 0
