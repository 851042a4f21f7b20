"""What commands and tests call: start a stack, find a running one, and ask things of it. Light, and blocking.

The stack lives in processes of its own. The one that started it holds a pipe to it: when that closes (`stop`, the end of
the process, SIGKILL), all of the stack ends and its folder is removed.
"""

import json
import os
import selectors
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tui.demo import control, folder
from tui.demo.errors import DemoError
from tui.demo.faults.catalogue import NAMES
from tui.demo.folder import Folder

STARTS_WITHIN = 60.0
STOPS_WITHIN = 6.0


@dataclass(frozen=True)
class FaultState:
    """One fault, what it does, how it is cleared, and whether it is at work now."""

    name: str
    about: str
    clears_by: str
    active: bool


class Handle:
    """A running stack, seen from any process of its owner."""

    def __init__(self, place: Folder, controls: dict[str, Any]) -> None:
        self._folder = place
        self._controls = controls

    @property
    def config_path(self) -> Path:
        """The ready config."""
        return self._folder.config

    @property
    def pid(self) -> int:
        """The process that owns the stack."""
        return int(self._controls["pid"])

    def faults(self) -> list[FaultState]:
        return [FaultState(**each) for each in control.ask(self._controls, "faults")]

    def fault(self, name: str, seed: int = 0) -> FaultState:
        """Brings it about now; one at work already is healed first."""
        _known([name])
        return FaultState(**control.ask(self._controls, "fault", name=name, seed=seed))

    def heal(self, name: str) -> list[str]:
        """Ends a fault, or `all`; gives the names of what was at work."""
        _known([] if name == "all" else [name])
        healed: list[str] = control.ask(self._controls, "heal", name=name)
        return healed

    def rollback(self, identity: str) -> str:
        """Points production at an earlier deployment; says what serves now."""
        said: str = control.ask(self._controls, "rollback", id=identity)
        return said


class Stack(Handle):
    """A stack that this process started, and that ends with it."""

    def __init__(self, place: Folder, controls: dict[str, Any], process: subprocess.Popen[bytes]) -> None:
        super().__init__(place, controls)
        self._process = process

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def wait(self) -> None:
        """Returns when the stack has ended by itself, which it does only when something ended it."""
        self._process.wait()

    def stop(self) -> None:
        """Ends all of it; may be called twice."""
        _end(self._process)
        shutil.rmtree(self._folder.path, ignore_errors=True)


def start(seed: int = 0, faults: Sequence[str] = (), *, bundled: bool = False) -> Stack:
    """Starts a stack and returns when every part answers. `bundled` takes the wheel's PostgreSQL in any case."""
    if sys.platform == "win32":
        raise DemoError("The demo needs Linux or macOS", "Use it in WSL")
    _known(faults)
    place = folder.create()
    process: subprocess.Popen[bytes] | None = None
    try:
        process = _spawn(place)
        assert process.stdin is not None
        told = {"folder": str(place.path), "seed": seed, "faults": list(faults), "bundled": bundled}
        with suppress(BrokenPipeError):
            process.stdin.write(json.dumps(told).encode() + b"\n")
            process.stdin.flush()
        answer = json.loads(_first_line(process, STARTS_WITHIN) or "{}")
        if "ready" not in answer:
            raise DemoError(*answer.get("error") or _unexplained(place))
    except BaseException:
        if process is not None:
            _end(process)
        shutil.rmtree(place.path, ignore_errors=True)
        raise
    return Stack(place, answer["ready"], process)


def running() -> Handle | None:
    """The stack that was started last and still runs."""
    return next(_running(), None)


def _running() -> Iterator[Handle]:
    for place in folder.every():
        controls = place.controls()
        if controls is not None and folder.is_alive(controls["pid"]):
            yield Handle(place, controls)


def _spawn(place: Folder) -> subprocess.Popen[bytes]:
    """The process that will own the stack; its session is its own, so that Ctrl-C reaches us alone."""
    with place.log("stack").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "tui.demo"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            cwd=place.path,
            start_new_session=True,
        )


def _known(names: Sequence[str]) -> None:
    for name in names:
        if name not in NAMES:
            raise DemoError(f"There is no fault {name}", f"Choose from: {', '.join(NAMES)}")


def _first_line(process: subprocess.Popen[bytes], within: float) -> bytes:
    """What it says first; nothing if it ends, or says nothing in time."""
    assert process.stdout is not None
    said, deadline = b"", time.monotonic() + within
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while not said.endswith(b"\n") and selector.select(max(0.0, deadline - time.monotonic())):
            part = os.read(process.stdout.fileno(), 65536)
            if not part:
                break
            said += part
    return said


def _unexplained(place: Folder) -> tuple[str, str]:
    with suppress(OSError):
        last = place.log("stack").read_text(errors="replace").strip().rpartition("\n")[2]
        return f"The stack did not start: {last or 'it said nothing'}", "Try again; if it stays so, please report it"
    return "The stack did not start", "Try again"


def _end(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout):
        with suppress(OSError):
            if pipe is not None:
                pipe.close()
    try:
        process.wait(STOPS_WITHIN)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
