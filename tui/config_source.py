"""The config's file: found, read, laid over the one it extends. What its values mean is `config.py`'s."""

from __future__ import annotations

import os
import re
import stat
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import platformdirs
from msgspec import Struct

from tui.config_places import Path as Place
from tui.config_places import line_of, places

QUOTED = ': text, durations and shares stand in quotes: "https://…", "5s", "5 %"'


class Mistake(Struct, frozen=True):
    """One thing that is wrong, in a line: where, what was found, what was expected, what was probably meant."""

    file: str
    line: int | None
    path: str
    says: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: {self.path + ': ' if self.path else ''}{self.says}"


class ConfigError(Exception):
    """The config cannot be used; `mistakes` holds everything that is wrong with it."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        super().__init__("\n".join(map(str, mistakes)))
        self.mistakes = tuple(mistakes)


class Source(Struct, frozen=True):
    """The file or files that a config came from: its merged values, and where each stands."""

    path: Path
    values: dict[str, Any]
    origins: dict[Place, tuple[str, int]]

    def where(self, place: Place) -> tuple[str, int | None]:
        """File and line of a value, or of what holds it."""
        for end in range(len(place), -1, -1):
            if place[:end] in self.origins:
                return self.origins[place[:end]]
        return str(self.path), None


def find(given: str | None, environment: str | None) -> Path:
    """The config's path: the one given, $WATCHFLOOR_CONFIG, ./config.toml (the user's own, not writable by others), the XDG
    folder's. With an environment, `config.NAME.toml` beside it. Raises ConfigError."""
    if is_named(given):
        named = given or os.environ["WATCHFLOOR_CONFIG"]
        return _for_environment(Path(named).expanduser(), environment)
    here = by_itself(environment)
    if here.is_file():
        _check_own(here)
        return here
    usual = _for_environment(platformdirs.user_config_path("watchfloor") / "config.toml", environment)
    if usual.is_file():
        return usual
    says = (
        "no config found: write one with `watchfloor config init > config.toml`, or give one with --config;"
        " `watchfloor demo` needs none"
    )
    raise ConfigError([Mistake(str(usual), None, "", says)])


def is_named(given: str | None) -> bool:
    """Whether a person said which config to take."""
    return bool(given or os.environ.get("WATCHFLOOR_CONFIG"))


def by_itself(environment: str | None) -> Path:
    """The one that is found because it stands in the folder one is in: nobody has said that it is to be trusted."""
    return _for_environment(Path("config.toml"), environment)


def _for_environment(path: Path, environment: str | None) -> Path:
    """`config.staging.toml` beside `config.toml`."""
    return path.with_name(f"{path.stem}.{environment}{path.suffix}") if environment else path


def _check_own(path: Path) -> None:
    """Raises ConfigError for a file that was found, not named, and that somebody else could have put there."""
    found = path.stat()
    if found.st_uid != os.getuid():
        says = f"belongs to somebody else, so it is not read by itself: name it with --config {path}"
    elif found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        says = f"others may write it, so it is not read by itself: chmod go-w {path}, or name it with --config {path}"
    else:
        return
    raise ConfigError([Mistake(str(path), None, "", says)])


def read(path: Path) -> Source:
    """The file's values over those of the file it extends. Raises ConfigError."""
    values, origins = _read_one(path)
    extends = values.pop("extends", None)
    if extends is None:
        return Source(path, values, origins)
    if not isinstance(extends, str):
        raise ConfigError(
            [Mistake(str(path), line_of(_lines(origins), ("extends",)), "extends", 'expected a file: "base.toml"')]
        )
    base, base_origins = _read_one(path.parent / extends)
    if "extends" in base:
        says = "extends a file that itself extends another: one level is all there is"
        raise ConfigError([Mistake(str(path), line_of(_lines(origins), ("extends",)), "extends", says)])
    merged_origins: dict[Place, tuple[str, int]] = {}
    merged = _merge(base, values, (), (), (), base_origins, origins, merged_origins)
    return Source(path, merged, merged_origins)


def _lines(origins: Mapping[Place, tuple[str, int]]) -> dict[Place, int]:
    return {place: line for place, (_, line) in origins.items()}


def _read_one(path: Path) -> tuple[dict[str, Any], dict[Place, tuple[str, int]]]:
    """One file's values and their places. Raises ConfigError."""
    try:
        text = path.read_text(encoding="utf-8-sig")  # Windows' editors begin a file with a mark
        values = tomllib.loads(text)
    except OSError as error:
        raise ConfigError([Mistake(str(path), None, "", f"cannot be read: {(error.strerror or str(error)).lower()}")]) from None
    except UnicodeDecodeError:
        raise ConfigError([Mistake(str(path), None, "", "is not UTF-8 text")]) from None
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"line (\d+)", str(error))
        what = re.sub(r" [(]at .*[)]$", "", str(error)).lower()
        says = f"not TOML: {what}{QUOTED if what == 'invalid value' else ''}"
        raise ConfigError([Mistake(str(path), int(found.group(1)) if found else None, "", says)]) from None
    return values, {place: (str(path), line) for place, line in places(text).items()}


def _merge(
    base: Any,
    over: Any,
    place: Place,
    base_place: Place,
    over_place: Place,
    base_origins: Mapping[Place, tuple[str, int]],
    over_origins: Mapping[Place, tuple[str, int]],
    origins: dict[Place, tuple[str, int]],
) -> Any:
    """Tables override key by key, arrays of tables by their entries' names, all else is replaced; `origins` learns whence."""

    def keep(source: Mapping[Place, tuple[str, int]], old: Place, new: Place) -> None:
        for each, origin in source.items():
            if each[: len(old)] == old:
                origins.setdefault((*new, *each[len(old) :]), origin)

    def inner(a: Any, b: Any, at: Place, in_base: Place, in_over: Place) -> Any:
        return _merge(a, b, at, in_base, in_over, base_origins, over_origins, origins)

    if isinstance(base, dict) and isinstance(over, dict):
        merged = {}
        for key in (*base, *(key for key in over if key not in base)):
            at, in_base, in_over = (*place, key), (*base_place, key), (*over_place, key)
            if key in base and key in over:
                merged[key] = inner(base[key], over[key], at, in_base, in_over)
            else:
                merged[key] = base.get(key, over.get(key))
                keep(*((base_origins, in_base) if key in base else (over_origins, in_over)), at)
        return merged
    if _tables(base) and _tables(over):
        mine = {_name(entry): index for index, entry in enumerate(over)}
        listed: list[Any] = []
        for index, entry in enumerate(base):
            at = (*place, len(listed))
            if (other := mine.pop(_name(entry), None)) is not None:
                listed.append(inner(entry, over[other], at, (*base_place, index), (*over_place, other)))
            else:
                keep(base_origins, (*base_place, index), at)
                listed.append(entry)
        for index in mine.values():
            keep(over_origins, (*over_place, index), (*place, len(listed)))
            listed.append(over[index])
        return listed
    keep(over_origins, over_place, place)
    return over


def _tables(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(each, dict) for each in value)


def _name(entry: Mapping[str, Any]) -> str:
    return str(entry.get("name") or entry.get("kind") or entry.get("url") or "")
