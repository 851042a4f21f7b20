"""The dashboard's terminal as a channel: rings for what is new and bad, once; names tmux's window and gives its name back."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests import story
from tests.clocks import DrivenClock
from tests.engine.notify.alerts import ERRORS, alert, over
from tests.pty.terminal import Terminal as Pty
from tests.running import Program
from tests.servers.things import start_things
from tests.waiting import eventually, soon
from tui.app import calling
from tui.calling import PAUSE, Caller, Window, notification
from tui.engine.alert import Alert
from tui.engine.notify.channel import Channel, When
from tui.engine.notify.terminal import Terminal
from tui.engine.text import Shown

BELL = Terminal(kind="terminal")


class Seat:
    """A caller, what it wrote, and time."""

    def __init__(self, *channels: Channel, environment: dict[str, str] | None = None) -> None:
        self.wrote: list[str] = []
        self.clock = DrivenClock()
        self.caller = Caller(lambda: channels, self.wrote.append, self.clock, environment or {})

    def sees(self, *alerts: Alert, seconds: float = PAUSE) -> list[str]:
        """What is written for these alerts, after some time."""
        self.clock.move(seconds)
        before = len(self.wrote)
        self.caller.take(replace(story.snapshot(), at=self.clock.utc(), alerts=alerts))
        return self.wrote[before:]


def test_it_rings_once_for_what_begins_to_fire() -> None:
    seat = Seat(BELL)
    assert seat.sees() == []
    assert seat.sees(ERRORS) == ["\a"]
    assert seat.sees(ERRORS) == []
    assert seat.sees(over(ERRORS, seat.clock.utc())) == []
    assert seat.sees(ERRORS) == ["\a"], "it fires again"


def test_what_fires_when_it_opens_rings_only_when_it_gets_worse() -> None:
    seat = Seat(BELL)
    mild = replace(ERRORS, severity="P1")
    assert seat.sees(mild) == [] and seat.sees(mild) == []
    assert seat.sees(ERRORS) == ["\a"]


@pytest.mark.parametrize(
    "one",
    [
        replace(ERRORS, severity="P2"),
        replace(ERRORS, state="pending"),
        replace(ERRORS, silenced=Shown("by anna")),
        replace(ERRORS, in_maintenance=True),
        replace(ERRORS, acked_by="anna"),
    ],
    ids=["mild", "pending", "silenced", "in maintenance", "taken on"],
)
def test_it_rings_for_nothing_else(one: Alert) -> None:
    seat = Seat(BELL)
    seat.sees()
    assert seat.sees(one) == []


def test_nothing_is_known_before_something_was_measured() -> None:
    seat = Seat(BELL)
    seat.caller.take(replace(story.snapshot(), panels=(), alerts=()))
    assert seat.sees(ERRORS) == [], "it fired already when the dashboard opened"
    assert seat.sees() == []
    assert seat.sees(ERRORS) == ["\a"]


async def test_the_first_picture_is_the_first_look(monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.screens.engine import ScriptedEngine
    from tui.screens.dashboard import WatchfloorApp

    engine = ScriptedEngine(replace(story.snapshot(night=story.Night(broken=False)), alerts=()))
    app, wrote = WatchfloorApp(engine.feed, clock=DrivenClock()), list[str]()
    monkeypatch.setattr(app, "write", wrote.append)  # a terminal that one can read
    with calling(app, lambda: (BELL,)):
        async with app.run_test(size=(80, 24)):
            engine.publish(replace(engine.feed.peek(), alerts=(ERRORS,)))
            await soon(lambda: wrote == ["\a"], says="the picture before it was well")


def test_many_ring_once_and_the_later_ones_a_little_later() -> None:
    seat = Seat(BELL)
    seat.sees()
    many = [alert("hot", labels={"oven": str(n)}) for n in range(5)]
    assert [seat.sees(*many[: n + 1], seconds=1) for n in range(5)] == [["\a"], [], [], [], []]
    assert seat.sees(*many) == ["\a"]
    assert seat.sees(*many) == []


def test_off_until_it_is_configured_and_only_for_what_it_is_for() -> None:
    nothing, pages = Seat(), Seat(Terminal(kind="terminal", when=When(rules=("cold",))))
    for seat in (nothing, pages):
        seat.sees()
        assert seat.sees(ERRORS) == []
    assert pages.sees(alert("cold", "P3")) == ["\a"]


def test_a_notification_on_the_desktop_holds_nothing_that_steers() -> None:
    seat = Seat(Terminal(kind="terminal", bell=False, desktop=True))
    seat.sees()
    bad = replace(ERRORS, says=Shown("\x1b]52;c;ZXZpbA==\x07 \x9c \n"))
    (wrote,) = seat.sees(bad)
    assert wrote.startswith("\x1b]9;P0 firing: HighErrorRate") and wrote.endswith("\a")
    assert not any(ord(each) < 32 or 0x7F <= ord(each) <= 0x9F for each in wrote[4:-1])


def test_inside_tmux_it_is_wrapped_and_inside_screen_left_out() -> None:
    assert notification(Shown("P0"), True) == "\x1bPtmux;\x1b\x1b]9;P0\a\x1b\\"
    seat = Seat(Terminal(kind="terminal", desktop=True), environment={"STY": "1.host"})
    seat.sees()
    assert seat.sees(ERRORS) == ["\a"]


# --- real terminals ------------------------------------------------------------------------------------------------------


class Tmux:
    """A tmux server of the test's own."""

    def __init__(self, socket: Path) -> None:
        self.argv = ["tmux", "-S", str(socket)]
        self("-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "24", "sleep", "600")
        self.pane = self("display-message", "-p", "#{pane_id}")

    def __call__(self, *arguments: str) -> str:
        return subprocess.run([*self.argv, *arguments], capture_output=True, text=True, check=True).stdout.strip()

    @property
    def name(self) -> str:
        return self("display-message", "-p", "-t", self.pane, "#{window_name}")


@pytest.fixture
def tmux(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tmux]:
    if not shutil.which("tmux"):
        pytest.skip("there is no tmux here")
    made = Tmux(tmp_path / "socket")
    monkeypatch.setenv("TMUX", f"{tmp_path / 'socket'},1,0")
    yield made
    made("kill-server")


def test_the_window_is_named_by_the_worst_and_gets_its_name_back(tmux: Tmux) -> None:
    tmux("rename-window", "on call")
    terminal = Terminal(kind="terminal", bell=False, tmux_window=True, when=When())
    seat = Seat(terminal, environment={"TMUX": "x", "TMUX_PANE": tmux.pane})
    seat.sees(replace(ERRORS, severity="P1"))
    eventually(lambda: tmux.name == "P1! on call", says="also for what fires when it opens")
    seat.sees(ERRORS)
    eventually(lambda: tmux.name == "P0! on call")
    seat.sees()
    eventually(lambda: tmux.name == "on call")
    seat.sees(ERRORS)
    eventually(lambda: tmux.name == "P0! on call")
    seat.caller.restore()
    assert tmux.name == "on call"
    assert tmux("show-options", "-wv", "automatic-rename") == "off", "it was named by hand, and stays so"


def test_a_window_that_names_itself_does_so_again(tmux: Tmux) -> None:
    window = Window(tmux.pane)
    window.mark("P0")
    eventually(lambda: tmux.name.startswith("P0! "))
    window.restore()
    assert tmux("show-options", "-wv", "automatic-rename") == ""
    eventually(lambda: tmux.name == "sleep")


def test_without_tmux_nothing_happens(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TMUX", f"{tmp_path}/nowhere,1,0")
    window = Window("%0")
    window.mark("P0")
    window.restore()


CONFIG = """
[watchfloor]
name = "shop"
environment = "demo"
interval = "300ms"
[[panel]]
kind = "health"
[[panel.endpoint]]
name = "readyz"
url = "{url}/readyz"
deadline = "10s"
[[rule]]
name = "ServiceDown"
signal = "health.up"
below = 1
severity = "P0"
[[notify]]
kind = "terminal"
desktop = true
"""


def test_the_real_program_rings_in_a_real_terminal(tmp_path: Path) -> None:
    with start_things(a="well") as things:
        program = Program(tmp_path)
        path = program.config(CONFIG.format(url=things.url))
        with Pty([*program.argv, "--config", str(path)], program.environment, program.work) as terminal:
            terminal.until("● 1 ok")
            assert b"\x1b]9;" not in terminal.sent
            things.ready = (503, {"ok": False, "checks": {"db": False}})
            terminal.until(lambda: b"\x1b]9;P0 firing: ServiceDown readyz" in terminal.sent)
            terminal.until(lambda: bytes(terminal.sent).partition(b"\x1b]9;")[2].count(b"\a") >= 2)
            terminal.until("✖")
            assert "P0 firing" not in terminal.lines()[0]
            terminal.press("q")
            assert terminal.exit_code() == 0
