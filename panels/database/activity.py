"""Sessions as they are at one moment: read in one look, with who blocks whom.

The same reading serves the probe, the actions' plans and their proofs, so that a plan says of a session what the row said.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from tui.engine.folding import fold_sql
from tui.engine.text import EMPTY, Shown, clean

from .sql import statement

if TYPE_CHECKING:
    from tui.engine.postgres import Session

OURS = "watchfloor"
MOST_WAITERS = 50
"""Waiting sessions for which their blockers are asked: each such question holds the lock tables for a moment."""

_STATES = {
    "active": "active",
    "idle": "idle",
    "idle in transaction": "idle tx",
    "idle in transaction (aborted)": "idle tx ✖",
    "fastpath function call": "active",
    "starting": "starting",
    "disabled": "untracked",
}


class Seen(Struct, frozen=True):
    """One session. Ages in seconds by the server's clock; moments as exact UTC text, raw, for guards; texts raw.

    `hidden` means that the server does not tell us more than its pid, user and application.
    """

    pid: int
    kind: str | None
    user: str
    application: str
    database: str
    client: str
    state: str
    wait_type: str
    wait_event: str
    began: str | None
    xact_start: str | None
    query_start: str | None
    xact_age: float | None
    query_age: float | None
    state_age: float | None
    query: str
    cut: bool
    superuser: bool
    replication: bool
    hidden: bool
    me: bool
    blockers: tuple[int, ...] = ()
    """The pids that it waits for; 0 is a prepared transaction."""
    waited: float | None = None
    """Seconds that it has waited for a lock; None where it does not wait."""

    @property
    def key(self) -> str:
        """The row's lasting key: `pid@backend_start`."""
        return f"{self.pid}@{self.began or 'hidden'}"

    @property
    def is_client(self) -> bool:
        """Whether it counts against max_connections."""
        return self.kind == "client backend" or self.hidden

    @property
    def is_ours(self) -> bool:
        """Whether it is one of Watchfloor's own."""
        return self.me or self.application == OURS

    @property
    def is_active(self) -> bool:
        """Whether it runs a statement."""
        return self.state in ("active", "fastpath function call")

    @property
    def in_idle_transaction(self) -> bool:
        """Whether it holds a transaction open and does nothing."""
        return self.state.startswith("idle in transaction")

    @property
    def age(self) -> float | None:
        """Seconds for which it has been as it is: the statement's when it runs one, else the state's."""
        return self.query_age if self.is_active else self.state_age

    @property
    def state_word(self) -> Shown:
        """`active`, `idle`, `idle tx`; how much is known, where it is hidden."""
        return Shown("hidden") if self.hidden else clean(_STATES.get(self.state, self.state or self.kind or "?"), 12)

    @property
    def folded(self) -> Shown:
        """The statement in a line, its literals folded."""
        if self.hidden:
            return EMPTY
        return clean(fold_sql(self.query + ("'" if self.cut else "")) if self.query else "")


async def read_sessions(session: Session) -> tuple[Seen, ...]:
    """Every session, those that wait with whom they wait for. Raises ProbeError."""
    found = [_seen(row) for row in await session.rows(statement("sessions"))]
    waiting = sorted((each for each in found if each.wait_type == "Lock"), key=lambda each: -(each.state_age or 0))
    if not waiting:
        return tuple(found)
    asked = await session.rows(statement("blocking"), {"pids": [each.pid for each in waiting[:MOST_WAITERS]]})
    by_pid = {row["pid"]: row for row in asked}
    return tuple(_blocked(each, by_pid[each.pid]) if each.pid in by_pid else each for each in found)


def _seen(row: Mapping[str, Any]) -> Seen:
    """A row of sessions.sql; what the server leaves out is empty text. What began while it was asked has no age yet."""
    texts = ("user", "application", "database", "client", "state", "wait_type", "wait_event")
    fields = {**row, **{name: str(row[name] or "") for name in texts}}
    fields |= {name: max(0.0, row[name]) for name in ("xact_age", "query_age", "state_age") if row[name] is not None}
    hidden = bool(row["hidden"])
    return Seen(**{**fields, "query": "" if hidden else str(row["query"] or ""), "cut": bool(row["cut"]) and not hidden})


def _blocked(seen: Seen, row: Mapping[str, Any]) -> Seen:
    """The session with whom it waits for. No wait is older than its statement, whose age was read a moment earlier, with the
    holder's: so a holder never looks younger than who waits for it. Before PostgreSQL 14 there is only that age."""
    blockers = tuple(dict.fromkeys(int(pid) for pid in row["blockers"]))
    ages = [age for age in (row["waited"], seen.query_age) if age is not None]
    return replace(seen, blockers=blockers, waited=max(0.0, min(ages)) if ages else None)


def parents(sessions: Sequence[Seen]) -> dict[int, int]:
    """Under whom each waiting session hangs: a session that itself waits for nobody where there is one, so that a queue
    for one lock stands side by side under its holder. Circles (a deadlock in its first second) are cut open."""
    by_pid = {each.pid: each for each in sessions}
    found: dict[int, int] = {}
    for each in sessions:
        there = [pid for pid in each.blockers if pid in by_pid and pid != each.pid]
        roots = [pid for pid in there if not by_pid[pid].blockers]
        if there and not _leads_to(each.pid, (roots or there)[0], found):
            found[each.pid] = (roots or there)[0]
    return found


def _leads_to(pid: int, start: int, found: Mapping[int, int]) -> bool:
    """Whether going up from `start` comes to `pid`."""
    place: int | None = start
    while place is not None and place != pid:
        place = found.get(place)
    return place == pid


def waiting_for(pid: int, sessions: Iterable[Seen]) -> list[Seen]:
    """The sessions that wait for one, directly or behind others, the longest wait first."""
    sessions = list(sessions)
    behind: set[int] = {pid}
    while more := {each.pid for each in sessions if behind.intersection(each.blockers)} - behind:
        behind |= more
    return sorted((each for each in sessions if each.pid in behind - {pid}), key=lambda each: -(each.waited or 0))
