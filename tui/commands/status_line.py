"""`watchfloor status-line`: how everything stands, in one short line for tmux's status bar.

Reads the one-line file that the poller keeps (`tui/engine/status_file.py` writes it), and nothing else: it is run every few
seconds for as long as a person works, so it imports next to nothing, and takes the config's path for its name, not its meaning.
"""

from __future__ import annotations

import binascii
import os
import sys
import time

from tui.locales import for_stdout

USAGE, NO_POLLER = 64, 3
VERSION = "1"
FIELDS = 7
"""Version, config, when it was written (UTC seconds), for how many seconds it holds, since when the oldest alert fires (UTC
seconds, or nothing), the words before its age, and those behind."""
TOLERATED = 5.0
"""Seconds that the wall clock may have been set back since."""


def main(arguments: list[str]) -> int:
    """Prints the line; returns the exit code: 0, or 3 where nobody polls."""
    options = {"--config": "", "--env": ""}
    rest = [part for each in arguments for part in (each.split("=", 1) if each.startswith("--") else [each])]
    while rest:
        name = rest.pop(0)
        if name not in options or not rest:
            sys.stderr.write("watchfloor status-line: takes --config FILE and --env NAME alone; try: watchfloor --help\n")
            return USAGE
        options[name] = rest.pop(0)
    return show(options["--config"], options["--env"])


def show(given: str, environment: str) -> int:
    """The line of the config that is given, or found as the other commands find it."""
    config = find(given, environment)
    line = newest(config, time.time()) if config else None
    said = for_stdout(line if line is not None else "watchfloor: no poller")
    encoding = sys.stdout.encoding or "utf-8"
    try:
        sys.stdout.write(said.encode(encoding, "replace").decode(encoding) + "\n")
        sys.stdout.flush()
    except OSError:  # nobody reads it any more
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return 0 if line is not None else NO_POLLER


# --- which config ------------------------------------------------------------------------------------------------------------


def find(given: str, environment: str) -> str:
    """The config's whole path, as `config_source.find` finds it; empty where there is none."""
    named = given or os.environ.get("WATCHFLOOR_CONFIG", "")
    if named:
        return os.path.realpath(_for_environment(os.path.expanduser(named), environment))
    usual = os.path.join(home("XDG_CONFIG_HOME", ".config"), "watchfloor", "config.toml")
    here, usual = _for_environment("config.toml", environment), _for_environment(usual, environment)
    found = here if _is_own(here) else usual if os.path.isfile(usual) else ""
    return os.path.realpath(found) if found else ""


def _is_own(path: str) -> bool:
    """Whether a file is there that nobody else could have put there: another is not read by itself."""
    try:
        there = os.stat(path)
    except OSError:
        return False
    return there.st_uid == os.getuid() and not there.st_mode & 0o022


def _for_environment(path: str, environment: str) -> str:
    stem, suffix = os.path.splitext(path)
    return f"{stem}.{environment}{suffix}" if environment else path


def home(variable: str, usual: str) -> str:
    """One of the user's folders, as platformdirs has them."""
    if sys.platform == "darwin" and not os.environ.get(variable):
        return os.path.expanduser("~/Library/Application Support")
    return os.environ.get(variable) or os.path.join(os.path.expanduser("~"), usual)


# --- which file --------------------------------------------------------------------------------------------------------------


def name_of(config: str) -> str:
    """What the file of a config is called; the whole path stands in it."""
    return f"status-{binascii.crc32(os.fsencode(config)):08x}"


def folders(config: str) -> list[str]:
    """Where the poller may have put it: the run-time folder, the user's state folder, a group's journal."""
    run_time = [os.environ.get("XDG_RUNTIME_DIR", ""), f"/run/user/{os.getuid()}"]
    found = [os.path.join(each, "watchfloor") for each in run_time if each]
    return [*found, os.path.join(home("XDG_STATE_HOME", ".local/state"), "watchfloor"), *group_folder(config)]


def group_folder(config: str, *, may_extend: bool = True) -> list[str]:
    """`[journal] folder`, looked for line by line in the config, else in the one it extends: to read TOML costs too much."""
    found, table, base = [], "", ""
    for line in _lines(config):
        key, _, value = line.partition("=")
        if line.startswith("["):
            table = line.partition("#")[0].strip()
        elif table == "[journal]" and key.strip() == "folder":
            found.append(_quoted(value))
        elif not table and key.strip() == "extends":
            base = os.path.join(os.path.dirname(config), _quoted(value))
    return group_folder(base, may_extend=False) if base and may_extend and not found else found


def _lines(path: str) -> list[str]:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return [line.strip() for line in file]
    except OSError:
        return []


def _quoted(value: str) -> str:
    text = value.strip()
    return text[1:].partition(text[0])[0] if text[:1] in ("'", '"') else ""


# --- what it says -------------------------------------------------------------------------------------------------------------


def newest(config: str, now: float) -> str | None:
    """The newest line that still holds; None where there is none."""
    found = [line for folder in folders(config) if (line := read(os.path.join(folder, name_of(config)), config, now))]
    return max(found)[1] if found else None


def read(path: str, config: str, now: float) -> tuple[float, str] | None:
    """When a file was written and what it says; None where it is not there, too old, or another config's."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            fields = file.read(4096).rstrip("\n").split("\t")
        if len(fields) != FIELDS or fields[0] != VERSION or fields[1] != config:
            return None
        at, lasts = float(fields[2]), float(fields[3])
        if not -TOLERATED <= now - at <= lasts:
            return None
        age = span(now - float(fields[4])) if fields[4] else ""
    except (OSError, ValueError):
        return None
    return at, shown(f"{fields[5]}{age}{fields[6]}")


def shown(text: str) -> str:
    """Without what steers a terminal, and without what tmux takes for a style, a format or a command: it reads on from any `#`
    but one before a digit or a blank."""
    safe = "".join(each if each.isprintable() else "?" for each in text)
    return "".join(each for each, after in zip(safe, safe[1:] + " ", strict=True) if each != "#" or after in " 0123456789")


def span(seconds: float) -> str:
    """`58s`, `9m12s`, `2h05m`, `1d2h`."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}s"
    if whole < 86400:
        return f"{whole // 3600}h{whole % 3600 // 60:02d}m"
    return f"{whole // 86400}d{whole % 86400 // 3600}h"
