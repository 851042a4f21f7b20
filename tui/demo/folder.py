"""The folder of one running stack: its config, secrets, logs and where it is controlled.

Every stack has its own, `…/watchfloor/demo-XXXXXXXX`, mode 0700, files 0600. It is gone when the stack is; what a killed
machine left behind is swept at the next start. The link `…/watchfloor/demo` leads to the stack that started last, so
that a config written in advance can name its secrets.
"""

import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import platformdirs

PREFIX = "demo-"
LINK = "demo"
STARTS_WITHIN = 120.0
"""A folder without a control file is a stack that is starting, but not for longer than this many seconds."""


@dataclass(frozen=True)
class Folder:
    """Paths of one stack. Nothing here says how the stack is doing."""

    path: Path

    @property
    def config(self) -> Path:
        return self.path / "config.toml"

    @property
    def control(self) -> Path:
        return self.path / "control.json"

    @property
    def link(self) -> Path:
        return self.path.parent / LINK

    def log(self, name: str) -> Path:
        return self.path / f"{name}.log"

    def write(self, name: str, text: str) -> Path:
        """Writes a file whole or not at all, readable by its owner alone."""
        whole, part = self.path / name, self.path / f".{name}.part"
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(text)
        return part.replace(whole)

    def controls(self) -> dict[str, Any] | None:
        """Where the stack is controlled, or nothing while it starts and after it ended."""
        try:
            controls: dict[str, Any] = json.loads(self.control.read_text())
        except (OSError, ValueError):
            return None
        return controls

    def point_here(self) -> None:
        """Makes the link lead to this stack."""
        part = self.path / ".link"
        part.symlink_to(self.path)
        part.replace(self.link)


def home() -> Path:
    """Where the folders of all stacks stand: the platform's place for state, e.g. `~/.local/state/watchfloor`."""
    return platformdirs.user_state_path("watchfloor")


def create() -> Folder:
    """A new folder for a new stack, once what dead stacks left is swept away."""
    home().mkdir(parents=True, exist_ok=True, mode=0o700)
    sweep()
    return Folder(Path(tempfile.mkdtemp(prefix=PREFIX, dir=home())))


def every() -> Iterator[Folder]:
    """All folders, the newest first."""
    with suppress(OSError):
        found = [path for path in home().glob(f"{PREFIX}*") if path.is_dir()]
        yield from map(Folder, sorted(found, key=_age))


def sweep() -> None:
    """Removes the folders of stacks that are no more."""
    for folder in every():
        controls = folder.controls()
        over = _age(folder.path) > STARTS_WITHIN if controls is None else not is_alive(controls["pid"])
        if over:
            shutil.rmtree(folder.path, ignore_errors=True)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _age(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except OSError:
        return float("inf")
