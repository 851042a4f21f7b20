"""The commands, nothing else: each imports what it needs when it runs, so that `check` never pays for the screen.

Names, flags and exit codes are a contract (DESIGN.md): 64 wrong usage, 78 bad config; errors go to stderr, a line each.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, NoReturn

import click

from tui import __version__

if TYPE_CHECKING:
    from tui.config import Loaded

USAGE, DEFECT, BAD_CONFIG, INTERRUPTED = 64, 70, 78, 130
"""A defect of our own has a code of its own: Python's 1 would read as *degraded*."""


class Choice:
    """What the top-level options chose: which config, and how to show it."""

    def __init__(self, config: str | None, env: str | None, read_only: bool, ascii_only: bool) -> None:
        self.config, self.env, self.read_only, self.ascii_only = config, env, read_only, ascii_only

    def loaded(self) -> Loaded:
        """The checked config; ends with exit code 78 and every mistake on stderr where it is bad."""
        from tui.config import load
        from tui.config_source import ConfigError, find

        try:
            return load(find(self.config, self.env))
        except ConfigError as error:
            for mistake in error.mistakes:
                click.echo(str(mistake), err=True)
            sys.exit(BAD_CONFIG)


def config_options(command: Callable[..., None]) -> Callable[..., None]:
    """`--config` and `--env` behind a subcommand as well as before it."""
    command = click.option("--config", "config", metavar="FILE", help="The config to use.")(command)
    return click.option("--env", "env", metavar="NAME", help="Use config.NAME.toml beside the config.")(command)


def chosen(context: click.Context, config: str | None, env: str | None) -> Choice:
    """The choice of the group, overridden by what stands behind the subcommand."""
    choice: Choice = context.obj
    return Choice(config or choice.config, env or choice.env, choice.read_only, choice.ascii_only)


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--config", metavar="FILE", help="The config; else $WATCHFLOOR_CONFIG, ./config.toml, or the user's.")
@click.option("--env", metavar="NAME", help="Use config.NAME.toml beside the config.")
@click.option("--read-only", is_flag=True, help="Watch only: nothing leaves, no remedy runs.")
@click.option("--ascii", "ascii_only", is_flag=True, help="Draw with ASCII characters alone.")
@click.version_option(__version__, prog_name="watchfloor")
@click.pass_context
def main(context: click.Context, config: str | None, env: str | None, read_only: bool, ascii_only: bool) -> None:
    """The dashboard an on-call engineer keeps open: what is broken, since when, and the remedy, shown before it runs.

    Without a command it opens the dashboard. `watchfloor demo` shows it on a stack of its own.
    """
    context.obj = Choice(config, env, read_only, ascii_only)
    if context.invoked_subcommand is None:
        from tui.commands.dashboard import dashboard

        sys.exit(dashboard(context.obj.loaded(), read_only=read_only, ascii_only=ascii_only))


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object (schema 1).")
@click.option(
    "--for", "seconds", type=click.FloatRange(0), help="Poll for so many seconds, and let rules hold; else poll once."
)
@config_options
@click.pass_context
def check(context: click.Context, as_json: bool, seconds: float | None, config: str | None, env: str | None) -> None:
    """Poll, judge, print. Exit 0 ok, 1 degraded, 2 failing, 3 unknown."""
    from tui.commands.check import check

    sys.exit(check(chosen(context, config, env).loaded(), as_json=as_json, seconds=seconds))


@main.command()
@click.argument("action")
@click.argument("args", nargs=-1)
@click.option("--yes", is_flag=True, help="Run what changes; without it the plan is shown and nothing is done.")
@click.option(
    "--confirm", metavar="TEXT", default="", help="The text that the plan asks for: for what destroys, and in production."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@config_options
@click.pass_context
def act(
    context: click.Context,
    action: str,
    args: tuple[str, ...],
    yes: bool,
    confirm: str,
    as_json: bool,
    config: str | None,
    env: str | None,
) -> None:
    """One remedy without the screen: its plan, and with --yes or --confirm the deed and its proof.

    Exit 0 done and verified, 4 refused or no longer as planned, 5 failed, 6 outcome unknown, 7 done but not verified.
    """
    from tui.commands.act import act

    choice = chosen(context, config, env)
    sys.exit(act(choice.loaded(), action, args, yes=yes, confirm=confirm, as_json=as_json, read_only=choice.read_only))


@main.group("config")
def config_group() -> None:
    """Check, show, describe or start a config."""


@config_group.command("check")
@click.option("--connect", is_flag=True, help="Also try each source once: reached, as whom, what is missing.")
@config_options
@click.pass_context
def config_check(context: click.Context, connect: bool, config: str | None, env: str | None) -> None:
    """Say everything that is wrong with the config. Exit 78 where something is."""
    from tui.commands.config import check_config

    sys.exit(check_config(chosen(context, config, env).loaded(), connect=connect))


@config_group.command("show")
@config_options
@click.pass_context
def config_show(context: click.Context, config: str | None, env: str | None) -> None:
    """Print what came of the config, each value with where it came from; secrets stay references."""
    from tui.commands.config import show_config

    sys.exit(show_config(chosen(context, config, env).loaded()))


@config_group.command("schema")
def config_schema() -> None:
    """Print the JSON Schema, for editors."""
    from tui.commands.config import print_schema

    sys.exit(print_schema())


@config_group.command("init")
def config_init() -> None:
    """Print a commented config to start from."""
    from tui.commands.config import print_starter

    sys.exit(print_starter())


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@click.option("--since", default="24h", metavar="AGE", help="How far back, such as 8h or 7d.")
@config_options
@click.pass_context
def journal(context: click.Context, as_json: bool, since: str, config: str | None, env: str | None) -> None:
    """Print what was done, and what came of it."""
    from tui.commands.journal import print_journal

    sys.exit(print_journal(chosen(context, config, env).loaded(), as_json=as_json, since=since))


@main.group(invoke_without_command=True)
@click.option("--headless", is_flag=True, help="Start the stack alone, print its config's path, stay until interrupted.")
@click.option("--fault", "faults", multiple=True, metavar="NAME", help="Break something; `demo faults` lists what. May repeat.")
@click.option("--seed", type=int, default=1, show_default=True, help="Varies size, route and kind of the faults.")
@click.pass_context
def demo(context: click.Context, headless: bool, faults: tuple[str, ...], seed: int) -> None:
    """The dashboard on a small stack of its own that really runs: PostgreSQL, a web service, a queue, deployments."""
    if context.invoked_subcommand is None:
        from tui.commands.demo import run_demo

        sys.exit(run_demo(headless=headless, faults=faults, seed=seed, ascii_only=context.obj.ascii_only))


@demo.command("faults")
def demo_faults() -> None:
    """List the faults, and which are on."""
    from tui.commands.demo import list_faults

    sys.exit(list_faults())


@demo.command("fault")
@click.argument("name")
@click.option("--seed", type=int, default=1, show_default=True)
def demo_fault(name: str, seed: int) -> None:
    """Break something in the running stack."""
    from tui.commands.demo import break_it

    sys.exit(break_it(name, seed))


@demo.command("heal")
@click.argument("name")
def demo_heal(name: str) -> None:
    """Mend a fault, or `all`, in the running stack."""
    from tui.commands.demo import heal

    sys.exit(heal(name))


@demo.command("rollback")
@click.argument("deployment")
def demo_rollback(deployment: str) -> None:
    """Roll the running stack back to a deployment, as the vendor's own command would."""
    from tui.commands.demo import roll_back

    sys.exit(roll_back(deployment))


def run() -> NoReturn:
    """The script's entry: click's usage errors end with 64, an interrupt with 130."""
    try:
        result = main(standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(INTERRUPTED)
    except click.ClickException as error:
        error.show()
        sys.exit(USAGE)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except Exception as error:
        _own_up(error)
        sys.exit(DEFECT)
    sys.exit(result if isinstance(result, int) else 0)


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
    click.echo(f"watchfloor: {says} (at {where}): this is a defect, please report it", err=True)
