"""Whether a config that was found by itself may name commands and files: only once somebody has named it.

`./config.toml` is read because one stands in its folder, and a folder may come from anywhere (a repository, an archive). So
what it would run (`cmd:`, `command`) or read (`file:`) is refused until the same file was given by --config once; what was
agreed to then is remembered, and a change of it is asked anew (config.md).
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import platformdirs

from tui.config_places import Path as Place
from tui.config_source import ConfigError, Mistake, Source
from tui.config_words import path_in_words
from tui.engine.secrets import SecretText

COMMANDS = ("command", "argv")
"""Keys whose values are run."""


def agree(source: Source, *, named: bool) -> None:
    """Remembers what a named config runs and reads; of one found by itself, raises ConfigError for all of it that is new."""
    reaches = list(_reaches(source.values, ()))
    if not reaches:
        return
    path = str(source.path.resolve())
    digest = hashlib.sha256("\n".join(sorted(what for _, what in reaches)).encode()).hexdigest()
    known = _remembered()
    if known.get(path) == digest:
        return
    if named:
        _remember({**known, path: digest})
        return
    raise ConfigError([_mistake(source, place, what) for place, what in reaches])


def _mistake(source: Source, place: Place, what: str) -> Mistake:
    file, line = source.where(place)
    says = f"names {what}, and was found by itself: look at it, then give it once with --config {source.path}"
    return Mistake(file, line, path_in_words(place, source.values), says)


def _reaches(value: object, place: Place) -> Iterator[tuple[Place, str]]:
    """Every command and file that a config names, with its place."""
    if isinstance(value, Mapping):
        for key, each in value.items():
            if key in COMMANDS:
                yield (*place, key), f"the command {each}"
            else:
                yield from _reaches(each, (*place, key))
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _reaches(each, (*place, index))
    elif isinstance(value, str) and ":" in value:
        yield from ((place, each) for each in SecretText(value).references if not each.startswith("env:"))


def _store() -> Path:
    return platformdirs.user_state_path("watchfloor") / "trusted.json"


def _remembered() -> dict[str, str]:
    """What was agreed to, by path; nothing where the file is missing, not ours, or broken."""
    store = _store()
    try:
        if store.stat().st_uid != os.getuid():
            return {}
        found = json.loads(store.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}


def _remember(agreed: Mapping[str, str]) -> None:
    """Keeps it for next time. Where that cannot be, it is asked again: never the other way round."""
    store = _store()
    try:
        store.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        beside = store.with_name(f"trusted.{os.getpid()}")
        beside.touch(mode=0o600)
        beside.write_text(json.dumps(agreed, indent=1, sort_keys=True), encoding="utf-8")
        beside.replace(store)
    except OSError:
        return
