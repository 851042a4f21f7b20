"""The real program as a person or a script runs it: `watchfloor …` in a process of its own, with a home of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import ExitStack, chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from io import BytesIO, TextIOWrapper
from pathlib import Path
from unittest.mock import patch

import psutil

from tests import theirs
from tests.waiting import LONG, Stopwatch, eventually
from tui.cli import main

ROOT = Path(__file__).parents[1]

PATIENT = """
import tui.commands.record as record, tui.engine.engine as engine, tui.engine.file_use as file_use
import tui.engine.lease as lease, tui.engine.roles as roles
lease.LOST = roles.LOST = 120.0
lease.PATIENCE = roles.AT_FIRST = roles.AT_LAST = roles.HANGS = engine.STOPS = file_use.ENDS = record.GRACE = 30.0
"""


@dataclass
class Program:
    """`watchfloor`, with its state, config and working folder below `folder`."""

    folder: Path
    more: dict[str, str] = field(default_factory=dict)
    """Environment variables besides."""

    def __post_init__(self) -> None:
        for name in ("state", "config", "work"):
            (self.folder / name).mkdir()
        theirs.install(self.folder / "packages")

    @property
    def argv(self) -> list[str]:
        return [sys.executable, "-m", "tui"]

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "LANG": "C.UTF-8",
            "XDG_STATE_HOME": str(self.folder / "state"),
            "XDG_CONFIG_HOME": str(self.folder / "config"),
            "PYTHONPATH": f"{ROOT}:{self.folder / 'packages'}",
            "PYTHONPYCACHEPREFIX": os.environ["PYTHONPYCACHEPREFIX"],
            "WATCHFLOOR_USER": "anna",
            **self.more,
        }

    @property
    def work(self) -> Path:
        return self.folder / "work"

    def config(self, text: str, name: str = "mine.toml") -> Path:
        """Writes a config into the working folder."""
        path = self.work / name
        path.write_text(text)
        return path

    def run(self, *arguments: str | Path, within: float = 2 * LONG) -> subprocess.CompletedProcess[str]:
        """Runs it to its end."""
        return subprocess.run(
            [*self.argv, *map(str, arguments)],
            cwd=self.work,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=within,
        )

    def be_patient(self) -> None:
        """From now on nobody is given up because the machine stood still, and whoever starts, stops or leaves waits for the
        file however long that takes."""
        self.begins_with(PATIENT)

    def begins_with(self, code: str) -> None:
        """What every process of it runs first, from now on."""
        (self.folder / "packages" / "sitecustomize.py").write_text(code)

    @property
    def journal(self) -> Path:
        """The journal's file, which must be there: one alone."""
        (file,) = (self.folder / "state").rglob("*.sqlite")
        return file

    def call(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """What `run` would come to, without a process of its own: for all that a process alone does not decide (signals,
        streams, what is loaded). A start costs half a second of a core, and this next to nothing."""
        argv = list(map(str, arguments))
        out, err = (TextIOWrapper(BytesIO(), "utf-8", write_through=True) for _ in range(2))
        with ExitStack() as here:
            here.enter_context(patch.dict(os.environ, self.environment, clear=True))
            here.enter_context(patch.object(sys, "path", [str(self.folder / "packages"), *sys.path]))
            here.enter_context(chdir(self.work))
            here.enter_context(redirect_stdout(out))
            here.enter_context(redirect_stderr(err))
            try:
                code = main(argv)
            except SystemExit as end:
                code = int(end.code or 0)
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(argv, code, out.read(), err.read())

    def start(self, *arguments: str | Path) -> subprocess.Popen[str]:
        """Starts it, and leaves it running. Interrupts reach it also where the tests run in a background that ignores them."""
        return subprocess.Popen(
            [*self.argv, *map(str, arguments)],
            cwd=self.work,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )


def stopped(pid: int) -> bool:
    """Whether a process is stopped, until it is told to go on."""
    return psutil.Process(pid).status() == psutil.STATUS_STOPPED


def ended(process: subprocess.Popen[str], within: float = LONG) -> int:
    """Waits for its end; the exit code. Fails where it does not end in so many seconds that the machine gave."""
    eventually(lambda: process.poll() is not None, within, f"it did not end within {within:g}s", watch=Stopwatch(process.pid))
    return process.returncode
