"""The words of the lease (`lease.py`): who may poll, a time of leadership, and the fence within which alone writes stand."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

from msgspec import Struct

from .text import Shown, clean

Kind = Literal["watch", "dashboard", "record"]
"""`watch` is a dashboard that is read-only (`Level.WATCH`)."""
RANK: Mapping[str, int] = {"watch": 0, "dashboard": 1, "record": 2}
"""Who goes before whom: a higher one asks a lower one to hand over."""
Fence = Callable[[sqlite3.Connection], None]
"""Asked within a transaction, before anything is written, whether it may be: raises Deposed where not."""


class Deposed(Exception):
    """Another process polls by now: nothing was written, and nothing more may be."""


class LeaseError(Exception):
    """The file cannot be read or written now; the message says why."""


class Holder(Struct, frozen=True):
    """A process that polls, or would. `id` is its own for as long as it lives; `who` is its person, as claimed."""

    id: str
    who: str
    pid: int
    kind: Kind

    @property
    def named(self) -> Shown:
        """`anna, pid 4711`: what a follower's screen says."""
        return clean(f"{self.who}, pid {self.pid}")


class Term(Struct, frozen=True):
    """A time of leadership: of what is watched, and its number."""

    watched: str
    epoch: int
    holder: str


class Leader(Struct, frozen=True):
    """Another process that polls, and how far it has come: `number` counts what it has shared."""

    epoch: int
    holder: Holder
    beat: float
    number: int


class Duties(Struct, frozen=True):
    """What a heartbeat brings back: whether one that goes before this one wants to lead, whether anybody follows, and which
    panels followers want polled at once (None for all)."""

    claimed: bool
    followed: bool
    wishes: tuple[str | None, ...]
    others: bool = False
    """Whether another config is polled on this journal just now: what it sees is not seen here."""


def fence(connection: sqlite3.Connection, term: Term) -> None:
    """Within a transaction that has begun to write: whether the term still stands. Raises Deposed where it does not."""
    row = connection.execute("SELECT epoch, holder FROM lease WHERE watched = ?", (term.watched,)).fetchone()
    if row != (term.epoch, term.holder):
        raise Deposed(f"epoch {term.epoch} is over")


def boot_id() -> str:
    """What tells one boot of this machine from another: after one, heartbeats of the last mean nothing."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""  # not Linux: then the clock alone must tell
