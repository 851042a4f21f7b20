"""The config's file, looked at again: whether it has changed, and what it says now."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from pathlib import Path

from tui.config import Loaded, load
from tui.config_source import ConfigError
from tui.config_trust import agree
from tui.engine.reread import Reread
from tui.engine.text import EMPTY, Shown, clean

SETTLES = 0.2
"""Seconds for which a file that has changed must stay as it is: an editor may still be writing it."""
MOST_TRIES = 10
AT_A_START = ("journal", "record", "sentry")
"""Tables that are read at a start alone."""

Mark = tuple[tuple[str, int, int, int], ...]
"""Of each file that a config is read from: its path, inode, size and time of change; zeros where it is not there."""


class Look:
    """Reads the config again if one of its files has changed, or in any case where `asked` to. Blocks for the disk."""

    def __init__(self, loaded: Loaded) -> None:
        self._path = loaded.source.path
        self._named = loaded.named
        self._started = loaded
        self._files = files_of(loaded)
        self._mark = _mark(self._files)

    def __call__(self, asked: bool) -> Reread | None:
        """What the files say now; None where there is nothing new."""
        mark = _mark(self._files)
        if mark == self._mark and not asked:
            return None
        for _ in range(MOST_TRIES):
            time.sleep(SETTLES)
            before, mark = mark, _mark(self._files)
            if mark == before:
                break
        self._mark = mark
        return self._read()

    def _read(self) -> Reread:
        digest = _digest(self._files)
        try:
            loaded = load(self._path)
            agree(loaded.source, named=self._named)
        except ConfigError as error:
            first, more = error.mistakes[0], len(error.mistakes) - 1
            others = f" (and {more} more: watchfloor config check)" if more else ""
            return Reread(
                digest, None, clean(f"the config that stands there now is bad, the one before goes on: {first}{others}")
            )
        if loaded.setup.identity != self._started.setup.identity:
            says = "the config names another environment, name or journal now: start anew to use it; the one before goes on"
            return Reread(digest, None, Shown(says))
        self._files = files_of(loaded)
        self._mark = _mark(self._files)
        return Reread(digest, loaded.setup, _needs_start(self._started, loaded))


def files_of(loaded: Loaded) -> Sequence[str]:
    """The files that a config was read from: its own, and the one it extends."""
    return sorted({str(loaded.source.path), *(file for file, _ in loaded.source.origins.values())})


def _needs_start(started: Loaded, now: Loaded) -> Shown:
    """What differs from what this process was started with and is only read at a start; empty where nothing of that does."""
    before, after = started.setup, now.setup
    changed = ["theme"] * (before.theme != after.theme) + ["[keys]"] * (before.keys != after.keys)
    for table in AT_A_START:
        was, is_now = started.sections[table], now.sections[table]
        changed += [f"[{table}] {key}" for key in type(was).model_fields if getattr(was, key) != getattr(is_now, key)]
    if not changed:
        return EMPTY
    return clean(
        f"the config was read again, but for {', '.join(changed)}: start anew to use that; what stood there before goes on"
    )


def _mark(files: Sequence[str]) -> Mark:
    return tuple((file, *_stat(Path(file))) for file in files)


def _stat(file: Path) -> tuple[int, int, int]:
    try:
        found = file.stat()
    except OSError:
        return 0, 0, 0
    return found.st_ino, found.st_size, found.st_mtime_ns


def _digest(files: Sequence[str]) -> str:
    """Of the files' content as it stands; also of one that cannot be read."""
    made = hashlib.sha256()
    for file in files:
        try:
            made.update(Path(file).read_bytes())
        except OSError:
            made.update(b"?")
    return made.hexdigest()[:16]
