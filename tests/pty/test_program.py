"""The real program in a real terminal: start, keys, resize, leaving, signals, and a terminal that stalls."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from functools import partial
from itertools import pairwise

import pytest

from tests import theirs
from tests.pty.conftest import INTERVAL, health_only
from tests.pty.terminal import ALTERNATE, CURSOR, Terminal
from tests.running import Program
from tests.servers.things import Things
from tests.waiting import GRACE, eventually


@pytest.fixture
def terminal(program: Program, things: Things) -> Iterator[Terminal]:
    """The dashboard on a small service, with its first figures on screen."""
    path = program.config(health_only(things))
    with Terminal([*program.argv, "--config", str(path)], program.environment, program.work) as terminal:
        terminal.until("2 of 2 up")
        yield terminal


# --- start, keys, resize -------------------------------------------------------------------------------------------------


def test_it_starts_with_figures_in_place(terminal: Terminal, things: Things) -> None:
    assert terminal.modes[ALTERNATE] and not terminal.modes[CURSOR]
    terminal.until(lambda: "● 1 ok" in terminal.lines()[0])
    first, *_, last = terminal.lines()
    assert first.startswith(" shop · demo") and "respond" in first and first.endswith("Z")
    assert "readyz" in terminal.text and "second" in terminal.text
    assert " ms" in terminal.text
    assert "? all keys" in last
    assert len(things.polled) >= 2


def test_it_shows_what_breaks_and_what_is_mended(terminal: Terminal, things: Things) -> None:
    things.ready = (503, {"ok": False, "checks": {"db": False}})
    terminal.until("HTTP 503 · db")
    terminal.until(lambda: "✖ 1 failing" in terminal.lines()[0])
    things.ready = (200, {"ok": True})
    terminal.until("● 1 ok")


def cursor_row(terminal: Terminal) -> str:
    """The row that the cursor is on; empty in between two pictures."""
    return "".join(line.split()[0].lstrip("▸") for line in terminal.lines() if line.startswith("▸"))


def test_keys_move_open_and_go_back(terminal: Terminal) -> None:
    terminal.until(lambda: cursor_row(terminal) == "readyz")
    terminal.press("j")
    terminal.until(lambda: cursor_row(terminal) == "second")
    terminal.press("k")
    terminal.until(lambda: cursor_row(terminal) == "readyz")
    terminal.press("down")
    terminal.until(lambda: cursor_row(terminal) == "second")
    terminal.press("enter")
    terminal.until("http status")
    assert "esc back" in terminal.lines()[-1]
    terminal.press("esc")
    terminal.until(lambda: "http status" not in terminal.text and cursor_row(terminal) == "second")
    terminal.press("?")
    terminal.until("Lower case looks")
    terminal.press("esc")
    terminal.until(lambda: "2 of 2 up" in terminal.text)


def test_hostile_answers_reach_the_terminal_as_text_alone(terminal: Terminal, things: Things) -> None:
    """A title change, a clipboard write, a cursor move, markup and a bell, from a service's own reply."""
    evil = "[/x]\x1b]0;owned\x07\x1b]52;c;ZXZpbA==\x07\x1b[2J\x9b31m[@click=app.quit]\u202edb\x07"
    things.ready = (503, {"ok": False, "checks": {evil: False}})
    before = len(terminal.sent)
    terminal.until("HTTP 503 · [/x]␛")
    terminal.press("enter")
    terminal.until("http status")
    sent = bytes(terminal.sent[before:]).replace(b"\x1b]22;default\x07", b"")  # the screen's own: the pointer's shape
    for sequence in (b"\x1b]0;", b"\x1b]52;", b"\x1b[2J", b"\xc2\x9b", "\u202e".encode(), b"\x07"):
        assert sequence not in sent


def test_it_follows_the_window(terminal: Terminal) -> None:

    def fills(columns: int) -> bool:
        return len(terminal.lines()[0]) > columns - 3 and "all keys" in terminal.lines()[-1]

    for columns, rows in ((120, 36), (200, 50), (80, 24)):
        terminal.resize(columns, rows)
        terminal.until(partial(fills, columns))
        terminal.until("2 of 2 up")  # a machine that stood still for a moment has to ask anew first
    terminal.resize(40, 10)
    terminal.until("40x10 is too small")
    terminal.resize(80, 24)
    terminal.until("2 of 2 up")


def test_a_storm_of_window_sizes_does_it_no_harm(terminal: Terminal) -> None:
    for columns, rows in [(1, 1), (2, 500), (200, 1), (3, 3), (500, 2)] * 4:
        terminal.resize(columns, rows)
        terminal.pump(0.01)
    terminal.resize(80, 24)
    terminal.until(lambda: "2 of 2 up" in terminal.text and "? all keys" in terminal.lines()[-1])


def test_a_view_that_breaks_costs_its_own_panel(program: Program, things: Things) -> None:
    theirs.install(program.folder / "packages", "tests.theirs:UNDRAWN", kind="undrawn")
    path = program.config(health_only(things) + f'[[panel]]\nkind = "undrawn"\nurl = "{things.url}"\n')
    with Terminal([*program.argv, "--config", str(path)], program.environment, program.work, 200, 50) as terminal:
        terminal.until("2 of 2 up")
        terminal.until("KeyError")
        terminal.press("2", "j", "enter", "esc", "1", "?")
        terminal.until("Lower case looks")
        terminal.press("esc")
        terminal.until(lambda: "Lower case looks" not in terminal.text)  # else both keys may be read as one: alt+q
        terminal.press("q")
        assert terminal.exit_code() == 0


# --- leaving -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["q", "ctrl+c"])
def test_leaving_gives_the_terminal_back_as_it_was(terminal: Terminal, key: str) -> None:
    assert not terminal.restored
    terminal.press(key)
    assert terminal.exit_code() == 0
    assert terminal.restored
    assert "Traceback" not in terminal.text


def test_leaving_while_sources_hang_takes_no_longer(program: Program, things: Things) -> None:
    things.takes = 30
    path = program.config(health_only(things).replace("/readyz?again", "/things/a/mend"))
    hanging = "http://10.255.255.1:81/"
    path.write_text(path.read_text() + f'[[panel.endpoint]]\nname = "hangs"\nurl = "{hanging}"\ndeadline = "10s"\n')
    with Terminal([*program.argv, "--config", str(path)], program.environment, program.work) as terminal:
        terminal.until("shop")
        terminal.press("q")
        assert terminal.exit_code(2 + GRACE) == 0, "they would hang for longer"
        assert terminal.restored


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_in_time_with_its_code_and_the_terminal_restored(terminal: Terminal, number: signal.Signals) -> None:
    terminal.signal(number)
    assert terminal.exit_code(2 + GRACE) == 128 + number
    assert terminal.restored


def test_a_second_signal_does_no_harm(terminal: Terminal) -> None:
    terminal.signal(signal.SIGTERM)
    terminal.signal(signal.SIGHUP)
    assert terminal.exit_code(2 + GRACE) in (128 + signal.SIGTERM, 128 + signal.SIGHUP), "of two at once either may come first"
    assert terminal.restored


def test_a_closed_window_ends_it(terminal: Terminal) -> None:
    """The connection is gone: the kernel sends SIGHUP, and there is nothing left to write to."""
    terminal.hang_up()
    assert terminal.exit_code(2.0 + GRACE, reading=False) == 128 + signal.SIGHUP


def test_a_window_closed_under_nohup_ends_it_too(program: Program, things: Things) -> None:
    """SIGHUP is ignored, the terminal is gone: it must not spin on for ever (reliability.md E2)."""
    path = program.config(health_only(things))
    argv = ["/usr/bin/env", "nohup", *program.argv, "--config", str(path)]
    shell = ["/bin/sh", "-c", 'trap "" HUP; exec "$@"', "sh", *argv[2:]]
    with Terminal(shell, program.environment, program.work) as terminal:
        terminal.until("2 of 2 up")
        terminal.hang_up()
        assert terminal.exit_code(8, reading=False) != 0


# --- a terminal that stalls ----------------------------------------------------------------------------------------------


def fill(terminal: Terminal, things: Things, polls: int) -> list[float]:
    """Nobody reads, while the program has much to write: the window's size changes again and again, until it has polled so many
    times. When it did, in monotonic seconds."""
    sizes, had = [(200, 50), (120, 36)], len(things.polled)

    def resized() -> bool:
        sizes.reverse()
        terminal.resize(*sizes[0])
        return len(things.polled) >= had + polls

    eventually(resized, each=0.1)
    return things.polled[had:]


def test_a_stalled_terminal_delays_no_poll_and_a_signal_still_ends_it(terminal: Terminal, things: Things) -> None:
    polled = fill(terminal, things, 30)
    gaps = [after - before for before, after in pairwise(polled)]
    assert max(gaps) < 3 * INTERVAL + GRACE, f"nobody was asked for {max(gaps):.1f}s"
    terminal.signal_a_thread(signal.SIGTERM)
    assert terminal.exit_code(2.0 + GRACE, reading=False) == 128 + signal.SIGTERM


def test_a_terminal_that_comes_back_is_soon_up_to_date(terminal: Terminal, things: Things) -> None:
    fill(terminal, things, 20)
    things.ready = (503, {"ok": False})
    polls = len(things.polled)
    eventually(lambda: len(things.polled) > polls + 4)
    terminal.resize(80, 24)
    terminal.until("✖ 1 failing", within=3 + GRACE)
    terminal.press("q")
    assert terminal.exit_code() == 0


# --- no terminal ---------------------------------------------------------------------------------------------------------


def test_without_a_terminal_it_says_what_to_use_and_ends(program: Program, things: Things) -> None:
    done = program.run("--config", program.config(health_only(things)))
    assert (done.returncode, done.stdout) == (64, "")
    assert "watchfloor check" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert things.polled == [], "and it asked nobody"


def test_a_terminal_that_cannot_move_its_cursor_is_none(program: Program, things: Things) -> None:
    path = program.config(health_only(things))
    shell = ["/bin/sh", "-c", 'TERM=dumb exec "$@"', "sh", *program.argv, "--config", str(path)]
    with Terminal(shell, program.environment, program.work) as terminal:
        assert terminal.exit_code(10) == 64
        assert "watchfloor check" in terminal.text
        assert terminal.restored
        assert ALTERNATE not in terminal.modes


def test_its_error_output_in_a_file_is_no_screen(program: Program, things: Things) -> None:
    path = program.config(health_only(things))
    shell = ["/bin/sh", "-c", 'exec "$@" 2> errors', "sh", *program.argv, "--config", str(path)]
    with Terminal(shell, program.environment, program.work) as terminal:
        assert terminal.exit_code(10) == 64
    assert "watchfloor check" in (program.work / "errors").read_text()


def test_in_a_pipe_it_ends(program: Program, things: Things) -> None:
    path = program.config(health_only(things))
    done = subprocess.run(
        [*program.argv, "--config", str(path)],
        cwd=program.work,
        env=program.environment | {"TERM": "xterm"},
        input="q",
        capture_output=True,
        text=True,
        timeout=90,
    )
    assert done.returncode == 64
    assert os.environ.get("TEXTUAL") is None
