"""Every command's name, flags and words: a contract (DESIGN.md). `cli` has what each of them runs.

Read by argparse, which costs a start 6 ms where click costs 50.
"""

from __future__ import annotations

import argparse
from typing import Any

from tui import __version__
from tui.usage import Parser

Subparsers = Any
"""argparse has no public name for what `add_subparsers` gives."""


def parser() -> Parser:
    """Every command with its flags."""
    top = Parser(
        prog="watchfloor",
        description="The dashboard an on-call engineer keeps open: what is broken, since when, and the remedy, shown before it "
        "runs.\n\nWithout a command it opens the dashboard. `watchfloor demo` shows it on a stack of its own.",
    )
    top.add_argument("--version", action="version", version=f"watchfloor, version {__version__}")
    _where(top, None)
    top.add_argument("--read-only", action="store_true", help="watch only: nothing leaves, no remedy runs")
    top.add_argument("--ascii", action="store_true", help="draw with ASCII characters alone")
    top.set_defaults(run="dashboard")
    commands = top.add_subparsers(metavar="COMMAND", title="commands")
    _add_check(commands)
    _add_act(commands)
    _add_config(commands)
    _add_journal(commands)
    _command(
        commands,
        "status-line",
        "status-line",
        "how everything stands, in one line for tmux's status bar",
        "\n\nFrom the file that the poller keeps; exit 3 where nobody polls.",
    )
    _command(
        commands,
        "record",
        "record",
        "the poller without a screen: what was seen is there before anyone is paged",
        "\n\nEnds on SIGTERM and SIGINT; reads the config again on SIGHUP and SIGUSR1. A line a transition goes to stderr.",
    )
    _add_notify(commands)
    _add_demo(commands)
    return top


def _where(of: argparse.ArgumentParser, default: str | None) -> None:
    """Which config: before the command or behind it."""
    of.add_argument(
        "--config", metavar="FILE", default=default, help="the config; else $WATCHFLOOR_CONFIG, ./config.toml, or the user's"
    )
    of.add_argument("--env", metavar="NAME", default=default, help="use config.NAME.toml beside the config")


def _command(commands: Subparsers, name: str, run: str, says: str, more: str = "") -> Parser:
    """A command that reads the config, and what of `cli` it runs. What stands before the command holds where nothing stands
    behind it."""
    made: Parser = commands.add_parser(name, help=says, description=says[:1].upper() + says[1:] + "." + more)
    _where(made, argparse.SUPPRESS)
    made.set_defaults(run=run)
    return made


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds < float("inf"):
        raise ValueError
    return seconds


_seconds.__name__ = "number of seconds"


def _add_check(commands: Subparsers) -> None:
    check = _command(
        commands, "check", "check", "poll, judge, print; no screen", "\n\nExit 0 ok, 1 degraded, 2 failing, 3 unknown."
    )
    check.add_argument("--json", action="store_true", help="print one JSON object (schema 1)")
    check.add_argument(
        "--for",
        dest="seconds",
        metavar="SECONDS",
        type=_seconds,
        help="poll so long and let rules hold; else once, and a breach counts as firing",
    )


def _add_act(commands: Subparsers) -> None:
    act = _command(
        commands,
        "act",
        "act",
        "one remedy without the screen: its plan, and with --yes the deed and its proof",
        "\n\nExit 0 done and verified, 4 refused or no longer as planned, 5 failed, 6 outcome unknown, 7 not verified.",
    )
    act.add_argument("action", metavar="ACTION", help="such as database.terminate")
    act.add_argument("args", metavar="ARG", nargs="*", help="what to act on: a job's id, a session's pid")
    act.add_argument("--yes", action="store_true", help="carry it out; without it the plan is shown and nothing is done")
    act.add_argument(
        "--confirm", metavar="TEXT", default="", help="the text that the plan asks for: for what destroys, and in production"
    )
    act.add_argument("--json", action="store_true", help="print one JSON object")


def _add_config(commands: Subparsers) -> None:
    group = commands.add_parser("config", help="check, show, describe or start a config", description="Work on a config.")
    whats = group.add_subparsers(metavar="WHAT", dest="what", required=True)
    check = _command(
        whats, "check", "config", "say everything that is wrong with the config", "\n\nExit 78 where something is."
    )
    check.add_argument("--connect", action="store_true", help="also try each source once: reached, as whom, what is missing")
    _command(whats, "show", "config", "print what came of the config, each value with where it came from; secrets masked")
    _command(whats, "schema", "config", "print the JSON Schema, for editors")
    _command(whats, "init", "config", "print a commented config to start from")


def _add_journal(commands: Subparsers) -> None:
    journal = _command(commands, "journal", "journal", "print what was said and done, and what came of it")
    journal.add_argument("--json", action="store_true", help="print one JSON object a line")
    journal.add_argument("--since", metavar="T", default="24h", help="an age or a moment: 8h, 7d, 2026-11-21T03:00 (24h)")
    journal.add_argument(
        "--kind",
        dest="kinds",
        action="append",
        default=[],
        metavar="K",
        help="only this kind, such as acknowledged; repeatable",
    )
    journal.add_argument("--who", metavar="W", default="", help="only what this person said or did; NAME, or NAME@HOST")
    journal.add_argument("--panel", metavar="P", default="", help="only what is about this panel")
    report = _command(
        commands,
        "report",
        "report",
        "a shift for the handover, as Markdown",
        "\n\nAlerts, silences, deeds, changes, what nobody was told of, and how often each rule fired and was false.",
    )
    report.add_argument("--since", metavar="T", default="8h", help="an age or a moment: 8h, 7d, 2026-11-21T03:00 (8h)")
    mark = _command(
        commands,
        "mark",
        "mark",
        "say that something happened that may be a cause; for CI and shells",
        "\n\nIt stands on every chart and beside every alert that follows. Exit 0 recorded, and the team has it or will; 5 not"
        " recorded; 7 recorded on this host alone: the team's journal is out of reach, and nothing polls here that would send"
        " it.",
    )
    mark.add_argument("text", metavar="TEXT", nargs="+", help="what happened, such as 'flag new-checkout on'")


def _add_notify(commands: Subparsers) -> None:
    group = commands.add_parser("notify", help="try the ways to tell people", description="Work on the ways to tell people.")
    whats = group.add_subparsers(metavar="WHAT", dest="what", required=True)
    says = "send a marked test to each channel of the config, or to one"
    test = _command(whats, "test", "notify", says, "\n\nExit 0 all were told, 5 one was not.")
    test.add_argument("name", metavar="NAME", nargs="?", default="", help="one channel, by its name")
    test.add_argument("--escalation", action="store_true", help="as an escalation, to the channels that are for one")


def _add_demo(commands: Subparsers) -> None:
    says = "the dashboard on a small stack of its own that really runs: PostgreSQL, a web service, a queue, deployments"
    demo = commands.add_parser("demo", help=says, description=says[:1].upper() + says[1:] + ".")
    demo.set_defaults(run="demo", what="")
    demo.add_argument("--headless", action="store_true", help="start the stack alone, print its config's path, stay")
    demo.add_argument(
        "--fault", dest="faults", action="append", default=[], metavar="NAME", help="break something; see `demo faults`"
    )
    demo.add_argument("--seed", type=int, default=1, metavar="N", help="varies size, route and kind of the faults (1)")
    whats = demo.add_subparsers(metavar="WHAT", title="on the running stack")
    for name, help_text, argument, which in (
        ("faults", "list the faults, and which are on", "", ""),
        ("fault", "break something", "name", "a fault, by its name in `demo faults`"),
        ("heal", "mend a fault, or all", "name", "a fault, by its name, or all"),
        ("rollback", "roll back to a deployment, as the vendor's own command would", "deployment", "its id: enter on its row"),
    ):
        made = whats.add_parser(name, help=help_text, description=help_text[:1].upper() + help_text[1:] + ".")
        made.set_defaults(what=name)
        if argument:
            made.add_argument(argument, metavar=argument.upper(), help=which)
        if name == "fault":
            made.add_argument("--seed", type=int, default=1, metavar="N", help="varies its size, route and kind (1)")
