"""Where the program begins: `status-line`, which tmux asks again and again, never pays for the other commands."""

from __future__ import annotations

import sys

TYPE_CHECKING = False  # typing itself would cost as much as all the rest
if TYPE_CHECKING:
    from typing import NoReturn


def run() -> NoReturn:
    """The script's entry."""
    if sys.argv[1:2] == ["status-line"] and not {"-h", "--help"} & set(sys.argv):
        from tui.commands.status_line import main

        sys.exit(main(sys.argv[2:]))
    from tui.cli import run as run_a_command

    run_a_command()
