"""A server program as a child of the tests: ready before it is used, stopped and resumed by them, gone with them."""

import ctypes
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

import pytest

from tests.waiting import eventually

HOST = "127.0.0.1"
C = TypeVar("C", bound="Child")
_HELD: list[socket.socket] = []
_C = ctypes.CDLL(None)
"""Found before a process is forked: in the new one, locks of other threads may stand locked for ever."""


@dataclass(frozen=True)
class Child:
    """One server that says by HTTP when it is ready: where it is, and the faults a test can put it through."""

    folder: Path
    port: int
    process: "subprocess.Popen[bytes]" = field(repr=False)
    prefix: str = ""

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}{self.prefix}"

    def pause(self) -> None:
        """It still holds its port and connections, and answers nothing, until `resume`."""
        self.process.send_signal(signal.SIGSTOP)
        threads = Path(f"/proc/{self.process.pid}/task")  # each of its threads stops in its own time
        eventually(lambda: all(_state(each) == "T" for each in threads.iterdir()), says="it does not stop", each=0.005)

    def resume(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def ready(self) -> bool:
        with suppress(OSError), urllib.request.urlopen(f"{self.url}/-/ready", timeout=2):
            return True
        return False

    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")


@contextmanager
def own_folder(name: str) -> Iterator[Path]:
    """A folder that is gone with the block."""
    folder = Path(tempfile.mkdtemp(prefix=f"wf-{name}-", dir="/tmp"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def begin(argv: Sequence[str], folder: Path) -> "subprocess.Popen[bytes]":
    """Starts it, with what it says in `log`."""
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder, preexec_fn=end_with_parent(signal.SIGTERM)
        )


@contextmanager
def ready(server: C) -> Iterator[C]:
    """The server once it is ready, until the end of the block."""
    process = server.process
    try:
        eventually(lambda: server.ready() or process.poll() is not None, says=server.log, each=0.05)
        assert process.poll() is None, f"it did not start:\n{server.log()}"
        yield server
    finally:
        server.resume()
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(5)
        process.kill()
        process.wait()


def find_program(*names: str, package: str) -> str:
    """Debian's binary; without it the test is skipped, and says what to install."""
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        pytest.skip(f"NO {package.upper()}: no such program in PATH. Install it: apt-get install {package}")
    return found


def port_of_its_own() -> int:
    """A port that a server program can open, and open again after a stop, and that nobody else is given while the tests run: it
    stays bound, which keeps it from being handed out, and does not listen, which keeps it free for who names it."""
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind((HOST, 0))
    _HELD.append(held)
    return int(held.getsockname()[1])


def end_with_parent(by: signal.Signals) -> "partial[None]":
    """For the new process: a test run that is killed takes its servers with it (Linux alone knows how)."""
    return partial(_end_with_parent, by)


def _end_with_parent(by: signal.Signals) -> None:
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        _C.prctl(pr_set_pdeathsig, by)


def _state(thread: Path) -> str:
    """What the kernel says of a thread: `R`, `S`, `T` where it is stopped, also for ever."""
    try:
        return (thread / "stat").read_text().rpartition(")")[2].split()[0]
    except OSError:  # it has ended
        return "T"
