"""Remedies: plan → confirm → execute → verify. The contract that a panel's actions fulfil; `gate.py` runs them.

    plan      reads the rows as they are *now* and says exactly what would be done; sends nothing
    confirm   a person's (or `act --confirm`'s) word; `y` for what changes, typing for what destroys
    execute   does it, guarded in the statement or request itself
    verify    looks again, apart from the act, whether it had its effect

An outcome is one of a few words, and a time-out is never one of the good ones: what may have happened is *unknown* and is
never repeated by itself.
"""

from __future__ import annotations

import enum
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from .reading import Row
from .text import EMPTY, Shown, clean

if TYPE_CHECKING:
    from .connections import Tools


class Effect(enum.StrEnum):
    """What an action does to production, which decides how it is confirmed."""

    SHOWS = "shows"
    """Nothing is sent: a hint, a text to copy. Needs no confirmation."""
    CHANGES = "changes"
    """Can be done again or undone: confirmed by `y` (in production, on the command line, by its text)."""
    DESTROYS = "destroys"
    """Ends something that is lost then: confirmed by typing, in every environment."""


class Result(enum.StrEnum):
    """How an execution ended."""

    DONE = "done"
    REFUSED = "refused"
    """The other side said no (rights, state), or the gate did."""
    CHANGED = "no longer as planned"
    """The guard did not match: nothing was sent or done."""
    FAILED = "failed"
    UNKNOWN = "outcome unknown"
    """It may have happened: a time-out after the request left."""


class Outcome(Struct, frozen=True):
    """How one item's execution ended, in a word and in words."""

    result: Result
    says: Shown = EMPTY


class Proof(Struct, frozen=True):
    """Whether the effect was seen afterwards. `verified` is None while it cannot be told yet: ask again."""

    verified: bool | None
    says: Shown = EMPTY


class Item(Struct, frozen=True):
    """One thing a plan acts on, as it is now.

    `key` is the row's raw key; `guard` the raw values that the acting statement or request is bound to (never drawn);
    `title` and `facts` are for the person (`who`, `last ran`, `blocks`, …), in the order in which they are shown.
    """

    key: str
    title: Shown
    facts: tuple[tuple[Shown, Shown], ...] = ()
    guard: Mapping[str, Any] = field(default_factory=dict)


class Plan(Struct, frozen=True):
    """Exactly what would be done. `gate.py` adds nothing to it and takes nothing from it.

    `what` is the effect in a line. `facts` are the lines between `what` and the confirmation (`undone`, `acts if`, `proof`).
    `request` is the exact statement or request, in lines, secrets masked. `confirm` is the text to type where the action
    destroys, and on the command line in production. `copy` and `url` are what a hint offers.
    """

    action: str
    panel: str
    title: Shown
    effect: Effect
    what: Shown
    items: tuple[Item, ...]
    facts: tuple[tuple[Shown, Shown], ...] = ()
    request: tuple[Shown, ...] = ()
    confirm: str = ""
    proof_within: float = 30.0
    """Seconds for which `verify` is asked until it can tell."""
    copy: str = ""
    url: str = ""
    alone: Shown = EMPTY
    """Why others cannot see what is done, where a team's journal is out of reach; the gate's."""

    @property
    def by_typing(self) -> bool:
        """Whether it is confirmed by typing `confirm`: it destroys, or nobody else can see that somebody is at it."""
        return self.effect is Effect.DESTROYS or bool(self.alone)


class PlanRefused(Exception):
    """There is nothing to do, or it must not be done; the message says why and what to do instead."""

    def __init__(self, says: str) -> None:
        super().__init__(says)
        self.says: Shown = clean(says)


class Context(Struct, frozen=True):
    """What an action is given: its panel's name and config, the tools, and how the environment counts. `suspected` says, by a
    change's key, which alert followed it."""

    panel: str
    settings: Any
    tools: Tools
    environment: str
    production: bool
    suspected: Mapping[str, Shown] = field(default_factory=dict)


class Action(Struct, frozen=True):
    """A remedy that a panel's rows offer. `verb` is its name behind the panel's (`database.terminate`).

    `offered(row, settings)` answers, without asking anybody, why a row does not offer it now (`ends nothing: it is idle`);
    None where it does. It is for greying keys; `plan` decides. `plan` takes row keys, or from the command line what a
    person would type (a pid); it raises PlanRefused or ProbeError. `execute` gets one item and a key that is the same for
    a repeated send of the same deed; it never raises for what the other side answers. `verify` looks afresh.
    """

    verb: str
    key: str
    title: Shown
    help: Shown
    effect: Effect
    plan: Callable[[Sequence[str], Context], Awaitable[Plan]]
    offered: Callable[[Row, Any], Shown | None] = lambda row, settings: None
    execute: Callable[[Item, Plan, Context, str], Awaitable[Outcome]] | None = None
    verify: Callable[[Item, Plan, Context], Awaitable[Proof]] | None = None
    bulk: bool = False
    """Whether one plan may hold several rows."""
    needs_row: bool = True
