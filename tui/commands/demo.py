"""`watchfloor demo …`: the embedded stack, alone or under the dashboard, and its troubles."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Sequence
from types import FrameType
from typing import NoReturn

from tui.commands.printing import complain, say
from tui.config import load
from tui.demo import CATALOGUE, DemoError, Handle, Stack, running, start

FAILED = 5
USAGE = 64


def run_demo(*, headless: bool, faults: Sequence[str], seed: int, ascii_only: bool) -> int:
    """Starts the stack, then the dashboard on it, or stays with it until interrupted; returns the exit code."""
    if unknown := [name for name in faults if name not in {each.name for each in CATALOGUE}]:
        complain(f"there is no fault {', '.join(unknown)}; there are: {', '.join(each.name for each in CATALOGUE)}")
        return USAGE
    if not headless:
        complain("starting a PostgreSQL, a web service, a worker and a deployments API on this machine …")
    try:
        with start(seed=seed, faults=faults) as stack:
            return _stay(stack) if headless else _show(stack, ascii_only)
    except DemoError as error:
        return _sorry(error)


def _show(stack: Stack, ascii_only: bool) -> int:
    from tui.commands.dashboard import dashboard

    return dashboard(load(stack.config_path), read_only=False, ascii_only=ascii_only)


def _stay(stack: Stack) -> int:
    """Prints the config's path and waits for a signal; SIGINT is the ordinary end."""

    def leave(number: int, frame: FrameType | None) -> NoReturn:
        sys.exit(0 if number == signal.SIGINT else 128 + number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, leave)
    print(stack.config_path, flush=True)  # the first line is the contract
    stack.wait()
    complain("the stack ended by itself")
    return FAILED


def list_faults() -> int:
    """Every fault, what it does, how it is cleared, and which are on in the running stack."""
    stack = running()
    active = {each.name for each in stack.faults() if each.active} if stack else set()
    for each in CATALOGUE:
        say(f"{'ON ' if each.name in active else '   '} {each.name:<14} {each.about}")
        say(f"{'':<18} cleared by: {each.clears_by}")
    return 0


def break_it(name: str, seed: int) -> int:
    """Brings a fault about in the running stack."""
    return _ask(lambda stack: f"{stack.fault(name, seed).name} is on")


def heal(name: str) -> int:
    """Mends a fault, or all of them."""
    return _ask(lambda stack: f"healed: {', '.join(stack.heal(name)) or 'nothing was on'}")


def roll_back(deployment: str) -> int:
    """Points the running stack's production at an earlier deployment."""
    return _ask(lambda stack: stack.rollback(deployment))


def _ask(question: Callable[[Handle], str]) -> int:
    """Asks the running stack, prints what it says."""
    try:
        stack = running()
        if stack is None:
            raise DemoError("No demo is running", "Start one with: watchfloor demo")
        say(question(stack))
    except DemoError as error:
        return _sorry(error)
    return 0


def _sorry(error: DemoError) -> int:
    complain(f"{error.what}. {error.try_}")
    return FAILED
