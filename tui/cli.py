"""The commands, nothing else: each imports what it needs when it runs, so that `check` never pays for the screen.

Exit codes are a contract (DESIGN.md): 64 wrong usage, 78 bad config; errors go to stderr, a line each. Names and flags stand in
`cli_flags`.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NoReturn

from tui.cli_flags import parser

if TYPE_CHECKING:
    from tui.config import Loaded

DEFECT, BAD_CONFIG, INTERRUPTED = 70, 78, 130
"""A defect of our own has a code of its own: Python's 1 would read as *degraded*."""


def loaded(options: argparse.Namespace) -> Loaded:
    """The checked config; ends with exit code 78 and every mistake on stderr where it is bad."""
    from tui.config import load
    from tui.config_source import ConfigError, by_itself, find, is_named
    from tui.config_trust import agree

    try:
        path = find(options.config, options.env)
        found = load(path)
        found.named = is_named(options.config) or path != by_itself(options.env)
        agree(found.source, named=found.named)
        return found
    except ConfigError as error:
        for mistake in error.mistakes:
            print(mistake, file=sys.stderr)  # commands print
        sys.exit(BAD_CONFIG)


# --- what each command calls ----------------------------------------------------------------------------------------------


def _dashboard(options: argparse.Namespace) -> int:
    # What is loaded at a start stays: looking through it for garbage costs a seventh of the time to the first picture.
    # The screen turns the collector on again when that picture stands.
    gc.disable()
    from tui.commands.dashboard import dashboard

    return dashboard(loaded(options), read_only=options.read_only, ascii_only=options.ascii)


def _check(options: argparse.Namespace) -> int:
    from tui.commands.check import check

    return check(loaded(options), as_json=options.json, seconds=options.seconds)


def _act(options: argparse.Namespace) -> int:
    from tui.commands.act import act

    return act(
        loaded(options),
        options.action,
        tuple(options.args),
        yes=options.yes,
        confirm=options.confirm,
        as_json=options.json,
        read_only=options.read_only,
    )


def _config(options: argparse.Namespace) -> int:
    from tui.commands import config

    match options.what:
        case "check":
            return config.check_config(loaded(options), connect=options.connect)
        case "show":
            return config.show_config(loaded(options))
        case "schema":
            return config.print_schema()
        case _:
            return config.print_starter()


def _journal(options: argparse.Namespace) -> int:
    from tui.commands.journal import print_journal

    return print_journal(
        loaded(options),
        as_json=options.json,
        since=options.since,
        kinds=options.kinds,
        who=options.who,
        panel=options.panel,
    )


def _report(options: argparse.Namespace) -> int:
    from tui.commands.report import print_report

    return print_report(loaded(options), since=options.since)


def _mark(options: argparse.Namespace) -> int:
    from tui.commands.mark import mark

    return mark(loaded(options), " ".join(options.text))


def _status_line(options: argparse.Namespace) -> int:
    from tui.commands.status_line import show

    return show(options.config or "", options.env or "")


def _record(options: argparse.Namespace) -> int:
    from tui.commands.record import record

    return record(loaded(options))


def _notify(options: argparse.Namespace) -> int:
    from tui.commands.notify import send_tests

    return send_tests(loaded(options), options.name, escalation=options.escalation)


def _demo(options: argparse.Namespace) -> int:
    from tui.commands import demo

    match options.what:
        case "faults":
            return demo.list_faults()
        case "fault":
            return demo.break_it(options.name, options.seed)
        case "heal":
            return demo.heal(options.name)
        case "rollback":
            return demo.roll_back(options.deployment)
        case _:
            return demo.run_demo(headless=options.headless, faults=options.faults, seed=options.seed, ascii_only=options.ascii)


RUNS: dict[str, Callable[[argparse.Namespace], int]] = {
    "dashboard": _dashboard,
    "check": _check,
    "act": _act,
    "config": _config,
    "journal": _journal,
    "report": _report,
    "mark": _mark,
    "status-line": _status_line,
    "record": _record,
    "notify": _notify,
    "demo": _demo,
}
"""By the names that `cli_flags` has."""


def main(arguments: Sequence[str]) -> int:
    """Runs a command and returns its exit code."""
    options = parser().parse_args(arguments)
    return RUNS[options.run](options)


def run() -> NoReturn:
    """The script's entry. An interrupt ends with 130, a defect of our own with 70."""
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except Exception as error:
        _own_up(error)
        sys.exit(DEFECT)
    finally:
        _let_go_of_dead_streams()


def _own_up(error: Exception) -> None:
    """A defect of ours in a line: what, and where; secrets masked. $WATCHFLOOR_DEBUG asks for the whole of it."""
    import traceback

    from tui.engine.redact import redact

    if os.environ.get("WATCHFLOOR_DEBUG"):
        traceback.print_exception(error)
        return
    last = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{'/'.join(last.filename.split('/')[-2:])}:{last.lineno}"
    says = redact(f"{type(error).__name__}: {error}").splitlines()[0]
    print(f"watchfloor: {says} (at {where}): this is a defect, please report it", file=sys.stderr)  # commands print


def _let_go_of_dead_streams() -> None:
    """A reader (`| head`) or terminal that is gone must not cost the exit code: Python ends with 120 where it cannot flush."""
    for stream in filter(None, (sys.stdout, sys.stderr)):  # one that was closed before is None
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
