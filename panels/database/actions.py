"""The panel's two remedies: cancel the statement that a session runs, or end the session.

Each is one SQL statement with its guard in it (cancel.sql, terminate.sql): it acts only if the session is still what the plan
showed. Between guard and signal lie microseconds in which the session may move on: no SQL can close that gap.

    acts        done · no longer as planned (nothing was sent) · refused (whose it is, no privilege) · failed · unknown
    is proved   in a fresh transaction: that statement no longer runs; that session is gone, and nobody waits for it
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from msgspec import Struct, field

from tui.engine.actions import Action, Context, Effect, Item, Outcome, Plan, Proof, Result
from tui.engine.postgres import DatabaseError
from tui.engine.reading import Row
from tui.engine.text import Shown, clean
from tui.engine.units import show_duration

from .activity import Seen
from .plans import DEADLINE, look_now, plan_cancel, plan_terminate
from .sql import statement

NO_PRIVILEGE = "42501"
FULL = "53300"
PLACE_TRIES = 100
PLACE_STEP = 0.05
"""Seconds between two tries to take the place that our own connection left: a busy server takes its time to end one."""


# --- acts ------------------------------------------------------------------------------------------------------------


async def execute_cancel(item: Item, plan: Plan, context: Context, key: str) -> Outcome:
    """Cancels, if it still runs what the plan showed."""
    return await _act("cancel", item, context, "the statement was told to stop", "it no longer runs that statement")


async def execute_terminate(item: Item, plan: Plan, context: Context, key: str) -> Outcome:
    """Ends the session, if it is still as the plan showed."""
    return await _act("terminate", item, context, "the session was told to end", "it went on to something else")


async def _act(name: str, item: Item, context: Context, done: str, moved_on: str) -> Outcome:
    """Sends the guarded statement once and reads what became of it."""
    try:
        sent = await _send(name, item, context)
        if sent.found_no_place:
            sent = await _send_in_our_place(name, item, context)
    except DatabaseError as error:
        return _failed(error, entered=False)
    if sent.error is not None:
        return _failed(sent.error, entered=sent.entered)
    return _outcome(sent.rows, sent.notices, item, done, moved_on)


class _Sent(Struct):
    """What became of the guarded statement. `entered` is whether its transaction stood, so that it may have run."""

    entered: bool = False
    rows: list[dict[str, Any]] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    error: DatabaseError | None = None

    @property
    def found_no_place(self) -> bool:
        """Whether the server had no connection left to send it through."""
        return not self.entered and self.error is not None and self.error.sqlstate == FULL


async def _send(name: str, item: Item, context: Context) -> _Sent:
    """Sends the statement, once."""
    bound = {part: item.guard[part] for part in ("pid", "began", "state", "xact_start", "query_start")}
    sent = _Sent()
    try:
        async with context.tools.postgres(context.settings.acts_with, acts=True).act(DEADLINE) as session:
            sent.entered = True
            sent.rows = await session.rows(statement(name), bound)
            sent.notices = list(session.notices)
    except DatabaseError as error:
        sent.error = error
    return sent


async def _send_in_our_place(name: str, item: Item, context: Context) -> _Sent:
    """The same where the server is full: the connection that looks gives its place to the one that acts. The server needs a
    moment to notice that it is free; what was refused a connection was not sent, so trying again repeats nothing."""
    async with context.tools.postgres(context.settings.dsn).aside(DEADLINE):
        for _ in range(PLACE_TRIES):
            sent = await _send(name, item, context)
            if not sent.found_no_place:
                break
            await asyncio.sleep(PLACE_STEP)
    return sent


def _failed(error: DatabaseError, *, entered: bool) -> Outcome:
    """Before the transaction stood nothing was sent; a connection lost after it leaves the outcome open."""
    says = clean(f"{error.failure.says}. {error.failure.hint}".rstrip(". "))
    if error.sqlstate == NO_PRIVILEGE:
        return Outcome(
            Result.REFUSED, clean(f"no privilege: {error.failure.says}. GRANT pg_signal_backend to the role that acts")
        )
    if error.failure.phase in ("rights", "config"):
        return Outcome(Result.REFUSED, says)
    if entered and error.lost:
        return Outcome(Result.UNKNOWN, clean(f"{error.failure.says}: it may have happened"))
    return Outcome(Result.FAILED, clean(f"nothing was sent: {says}") if not entered else says)


def _outcome(found: Sequence[dict[str, Any]], notices: Sequence[str], item: Item, done: str, moved_on: str) -> Outcome:
    """What the guarded statement's row says."""
    pid = item.guard["pid"]
    if not found:
        return Outcome(Result.CHANGED, clean(f"session {pid} is gone; nothing was sent"))
    row = found[0]
    if row["sent"]:
        return Outcome(Result.DONE, clean(done))
    if row["sent"] is False:
        return Outcome(Result.FAILED, clean("; ".join(notices) or f"the server could not signal session {pid}"))
    if row["own"] or row["protected"] or row["client"] is False:
        return Outcome(Result.REFUSED, clean(f"session {pid} is Watchfloor's own, a superuser's, a replica's or no client"))
    if row["same_session"] is None:
        says = f"the role that acts cannot see session {pid}; nothing was sent. GRANT pg_monitor to it"
        return Outcome(Result.REFUSED, clean(says))
    why = moved_on if row["same_session"] else f"{pid} is another session by now"
    return Outcome(Result.CHANGED, clean(f"{why}; nothing was sent"))


# --- proofs ----------------------------------------------------------------------------------------------------------


async def verify_cancel(item: Item, plan: Plan, context: Context) -> Proof:
    """Whether that statement has stopped running. Raises ProbeError."""
    now = _same(item, (await look_now(context)).sessions)
    if now is None:
        return Proof(True, Shown("its session is gone"))
    if now.is_active and now.query_start == item.guard["query_start"]:
        return Proof(None, clean(f"it still runs, for {show_duration(now.query_age)}"))
    return Proof(True, clean(f"it no longer runs: its session is {now.state}"))


async def verify_terminate(item: Item, plan: Plan, context: Context) -> Proof:
    """Whether the session is gone and nobody waits for it. Raises ProbeError."""
    sessions = (await look_now(context)).sessions
    if _same(item, sessions) is not None:
        return Proof(None, Shown("it is still there, rolling back"))
    waited = [each for each in sessions if each.pid in item.guard["waiters"]]
    still = [each for each in waited if each.waited is not None]
    if still:
        now_for = ", ".join(str(pid) for pid in still[0].blockers) or "a lock"
        return Proof(True, clean(f"it is gone; {len(still)} of {len(item.guard['waiters'])} wait on, for {now_for}"))
    return Proof(True, Shown("it is gone and nobody waits for it"))


def _same(item: Item, sessions: Sequence[Seen]) -> Seen | None:
    """The planned session, where it is still there."""
    return next((each for each in sessions if each.pid == item.guard["pid"] and each.began == item.guard["began"]), None)


# --- what rows offer -------------------------------------------------------------------------------------------------


def _offered(cell: str, row: Row) -> Shown | None:
    """Why a row does not offer the remedy: the probe's own reason, or that it is no session."""
    if row.group != "session":
        return Shown("choose a session")
    reason = row.cells.get(cell)
    return Shown(reason) if isinstance(reason, str) else None


ACTIONS = (
    Action(
        verb="cancel",
        key="X",
        title=Shown("cancel statement"),
        help=Shown("stops what the session runs; the session stays"),
        effect=Effect.CHANGES,
        plan=plan_cancel,
        offered=lambda row, settings: _offered("no cancel", row),
        execute=execute_cancel,
        verify=verify_cancel,
        bulk=True,
    ),
    Action(
        verb="terminate",
        key="T",
        title=Shown("terminate session"),
        help=Shown("ends the session; its open transaction is rolled back"),
        effect=Effect.DESTROYS,
        plan=plan_terminate,
        offered=lambda row, settings: _offered("no terminate", row),
        execute=execute_terminate,
        verify=verify_terminate,
        bulk=True,
    ),
)
