"""What the remedies would do, said before they do it: each session as it is now, from a fresh look.

A plan holds no secret and sends nothing; what the acting statement's guard compares goes along raw, as it was read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct

from tui.engine.actions import Context, Effect, Item, Plan, PlanRefused
from tui.engine.text import Shown, clean
from tui.engine.units import show_duration

from .activity import Seen, read_sessions, waiting_for
from .rights import Rights, cannot_cancel, cannot_end, read_rights
from .sql import statement

DEADLINE = 5.0
PROOF_WITHIN = 30.0


class Look(Struct, frozen=True):
    """The sessions as they are now, and the roles' rights."""

    sessions: tuple[Seen, ...]
    rights: Rights


async def look_now(context: Context) -> Look:
    """Asks afresh, in a transaction of its own. Raises ProbeError."""
    settings = context.settings
    login = await context.tools.postgres(settings.acts_with, acts=True).login()
    async with context.tools.postgres(settings.dsn).look(DEADLINE) as session:
        return Look(await read_sessions(session), await read_rights(session, login))


def _find(key: str, sessions: Sequence[Seen]) -> Seen:
    """The session that a row's key, or a bare pid, means. Raises PlanRefused where it is gone, or another by now."""
    pid, _, began = key.partition("@")
    if not pid.isdigit():
        raise PlanRefused(f'"{key}" is no session: give its pid, or pid@backend_start')
    found = next((each for each in sessions if each.pid == int(pid)), None)
    if found is None:
        raise PlanRefused(f"session {pid} is gone: there is nothing to do")
    if began and began != "hidden" and found.began is not None and found.began != began:
        raise PlanRefused(f"{pid} is another session by now: the one you chose is gone")
    return found


def _chosen(keys: Sequence[str], look: Look, why_not: Callable[[Seen, Rights | None], Shown | None]) -> list[Seen]:
    """The sessions that the keys mean, each once. Raises PlanRefused where one is gone or may not be acted on."""
    chosen = [_find(key, look.sessions) for key in dict.fromkeys(keys)]
    for each in chosen:
        if reason := why_not(each, look.rights):
            raise PlanRefused(f"{each.pid}: {reason}")
    return chosen


async def plan_cancel(keys: Sequence[str], context: Context) -> Plan:
    """Which statements would be cancelled, as they run now. Raises PlanRefused or ProbeError."""
    look = await look_now(context)
    chosen = _chosen(keys, look, cannot_cancel)
    one = chosen[0]
    what = f"cancels what session {one.pid} runs" if len(chosen) == 1 else f"cancels what {len(chosen)} sessions run"
    return Plan(
        action="cancel",
        panel=context.panel,
        title=_title("cancel", chosen, "statement"),
        effect=Effect.CHANGES,
        what=Shown(what),
        items=tuple(_item(each, look, _cancel_facts(each)) for each in chosen),
        facts=(
            (Shown("undone"), Shown("what the statement did so far; its session and connection stay")),
            (Shown("acts if"), clean(_acts_if(chosen, "still run the same statement", "still runs the same statement"))),
            (Shown("proof"), clean(f"within {show_duration(PROOF_WITHIN)} it no longer runs")),
        ),
        request=_request("cancel", chosen, ("pid", "began", "query_start")),
        confirm=_confirm(chosen),
        proof_within=PROOF_WITHIN,
    )


async def plan_terminate(keys: Sequence[str], context: Context) -> Plan:
    """Which sessions would be ended, as they are now. Raises PlanRefused or ProbeError."""
    look = await look_now(context)
    chosen = _chosen(keys, look, cannot_end)
    one = chosen[0]
    what = f"ends session {one.pid}" if len(chosen) == 1 else f"ends {len(chosen)} sessions"
    return Plan(
        action="terminate",
        panel=context.panel,
        title=_title("terminate", chosen, "session"),
        effect=Effect.DESTROYS,
        what=Shown(what),
        items=tuple(_item(each, look, _terminate_facts(each)) for each in chosen),
        facts=(
            (Shown("acts if"), clean(_acts_if(chosen, "are still in the same state and transaction", _still(one)))),
            (Shown("proof"), clean(f"within {show_duration(PROOF_WITHIN)} it is gone and nobody waits for it")),
        ),
        request=_request("terminate", chosen, ("pid", "began", "state", "xact_start", "query_start")),
        confirm=_confirm(chosen),
        proof_within=PROOF_WITHIN,
    )


def _still(seen: Seen) -> str:
    """What must be as it was for the session to be ended."""
    doing = "idle" if seen.in_idle_transaction else seen.state
    return f"still {doing} {'in the same transaction' if seen.xact_start else 'since the same moment'}"


def _title(verb: str, chosen: Sequence[Seen], noun: str) -> Shown:
    return Shown(f"{verb} {len(chosen)} {noun}{'s' if len(chosen) > 1 else ''}")


def _confirm(chosen: Sequence[Seen]) -> str:
    """What a person types: the pid, or of several how many they are."""
    return str(chosen[0].pid) if len(chosen) == 1 else f"{len(chosen)} sessions"


def _acts_if(chosen: Sequence[Seen], several: str, single: str) -> str:
    if len(chosen) > 1:
        return f"each is asked again as it is acted on: they {several}"
    one = chosen[0]
    began = f" began {one.began[11:23]}Z," if one.began else ""
    return f"{one.pid} still{began} {single}"


def _item(seen: Seen, look: Look, more: Sequence[tuple[str, str]]) -> Item:
    """One session of a plan: who it is, what it ran, whom it blocks; and, raw, what the guard compares."""
    who = f"{seen.user}, app {seen.application or '(no name)'}, {seen.state or 'hidden'} for {show_duration(seen.age)}"
    facts = [("who", who), ("runs" if seen.is_active else "last ran", seen.folded or "nothing yet")]
    facts.append(("blocks", _blocks(seen, look.sessions)))
    guard = {
        "pid": seen.pid,
        "began": seen.began,
        "state": seen.state,
        "xact_start": seen.xact_start,
        "query_start": seen.query_start,
        "waiters": tuple(each.pid for each in waiting_for(seen.pid, look.sessions)),
    }
    shown = tuple((clean(title), clean(fact)) for title, fact in (*facts, *more))
    return Item(seen.key, clean(f"session {seen.pid}, {seen.user}"), shown, guard)


def _blocks(seen: Seen, sessions: Sequence[Seen]) -> str:
    """Who waits for it, and how long already."""
    behind = waiting_for(seen.pid, sessions)
    if not behind:
        return "nobody"
    plural = "sessions; the oldest has" if len(behind) > 1 else "session, which has"
    return f"{len(behind)} {plural} waited {show_duration(behind[0].waited)}"


def _cancel_facts(seen: Seen) -> list[tuple[str, str]]:
    """What a person should think of before cancelling this one."""
    first = seen.query.lstrip().upper()
    if "CONCURRENTLY" in first[:200]:
        return [("careful", "a cancelled … CONCURRENTLY leaves an invalid index behind, to be dropped by hand")]
    if first.startswith("COPY") and seen.application == "pg_dump":
        return [("careful", "this is a backup: cancelled, it has to begin anew")]
    return []


def _terminate_facts(seen: Seen) -> list[tuple[str, str]]:
    """What is lost with the session."""
    if seen.xact_start is None:
        return [("undone", "nothing: it has no open transaction"), *_cancel_facts(seen)]
    since = f"since {seen.xact_start[11:19]}Z"
    how_long = f" (open for {show_duration(seen.xact_age)}: undoing may take as long)" if (seen.xact_age or 0) > 600 else ""
    return [("undone", f"its open transaction, {since}, is rolled back{how_long}"), *_cancel_facts(seen)]


def _request(name: str, chosen: Sequence[Seen], parameters: Sequence[str]) -> tuple[Shown, ...]:
    """The exact statement, and what it is bound to for each session."""
    lines = [clean(line) for line in statement(name).splitlines() if line.strip()]
    for each in chosen:
        bound = ", ".join(f"{parameter} = {getattr(each, parameter) or 'NULL'}" for parameter in parameters)
        lines.append(clean(f"with {bound}"))
    return tuple(lines)
