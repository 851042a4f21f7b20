"""Asks the database for its sessions, its limit and its counters: the look that is taken every few seconds."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Container, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from tui.engine.clock import ahead_of_ours, date_time
from tui.engine.connections import Tools
from tui.engine.panel import Memory, Target
from tui.engine.postgres_words import DatabaseError
from tui.engine.reading import Change, Found, Row, Signal, Status, Value, signal
from tui.engine.text import EMPTY, Shown, clean, clean_lines
from tui.engine.units import show_duration

from .activity import Seen, parents, read_sessions, waiting_for
from .config import DatabaseConfig
from .locks import lock_changes
from .rights import Rights, cannot_cancel, cannot_end, read_rights
from .sampling import Samples
from .sql import statement

if TYPE_CHECKING:
    from tui.engine.postgres import Session

RIGHTS_EVERY = 300.0
"""Seconds between two looks at the roles' rights."""
RATES_OVER = 30.0
"""Seconds over which rates are taken, so that a figure is not another one with each poll."""
SLOW = 2.0
"""Seconds from which a running statement counts as slow (cliply)."""
WAITS = 1.0
"""Seconds from which a wait for a lock counts: shorter ones are a busy database's business."""
MOST_ROWS = 300
MOST_APPLICATIONS = 12
CLOCK_OFF = 2.0
FULL = "53300"


class Kept(Struct):
    """What is kept between polls: counters, samples, the rights and when they were asked."""

    counters: deque[Mapping[str, Any]] = field(default_factory=deque)
    samples: Samples = field(default_factory=Samples)
    rights: Rights | None = None
    rights_at: float = 0.0
    started: float = 0.0
    locks: dict[str, Change] = field(default_factory=dict)
    """Who holds locks that others have waited for long, by session."""


async def ask(target: Target, tools: Tools, memory: Memory) -> Found:
    """One look at the sessions. A database that refuses or hangs is *failing*, and still measures: `up` is 0."""
    config: DatabaseConfig = target.settings
    kept: Kept = memory.setdefault("kept", Kept())
    asked = tools.clock.utc()
    try:
        async with tools.postgres(config.dsn).look(target.deadline) as session:
            sessions = await read_sessions(session)
            server = await session.one(statement("server"))
            await _learn_rights(session, config, tools, kept)
            spent = session.spent
    except DatabaseError as error:
        return _refused(error)
    now = tools.clock.monotonic()
    kept.samples.add(now, sessions)
    _count(kept, server)
    connections = _connections(sessions, server, config, tools.alerting(target.panel, "application"))
    signals = (signal("up", 1.0), *connections, *_work(sessions, config), *_rates(kept, server))
    rows = (*_session_rows(sessions, kept.rights), *_applications(sessions))
    if not server["has_statements"]:
        rows += kept.samples.rows()
    locks = lock_changes(target.panel, sessions, tools.clock.utc(), kept.locks)
    changes = (*_restart(target, server, kept), *locks)
    ahead = ahead_of_ours(server["clock"], asked, tools.clock.utc())
    return Found(Status.OK, signals, rows, changes, notes=_notes(sessions, server, kept, ahead), spent=spent)


def _refused(error: DatabaseError) -> Found:
    """It took no connection or gave no answer. One that is full says at least how full."""
    down = error.status is Status.FAILING
    signals = [signal("up", 0.0 if down else None)]
    if error.sqlstate == FULL:
        signals.append(signal("connections", 1.0, "ratio"))
    return Found(error.status, tuple(signals), error=error.failure)


async def _learn_rights(session: Session, config: DatabaseConfig, tools: Tools, kept: Kept) -> None:
    """The roles' rights, rarely: they change when somebody grants one."""
    now = tools.clock.monotonic()
    if kept.rights is None or now - kept.rights_at > RIGHTS_EVERY:
        login = await tools.postgres(config.acts_with, acts=True).login()
        kept.rights, kept.rights_at = await read_rights(session, login), now


# --- signals ---------------------------------------------------------------------------------------------------------


def _connections(
    sessions: Sequence[Seen], server: Mapping[str, Any], config: DatabaseConfig, wanted: Container[str]
) -> list[Signal]:
    """How many of the connections are taken, and by whom: by the applications that take most, and those that are `wanted`."""
    clients = [each for each in sessions if each.is_client]
    used = len(clients)
    found = [
        signal("connections_used", used),
        signal("connections_max", server["max_connections"]),
        signal("connections", used / server["max_connections"], "ratio"),
    ]
    if config.pool_size:
        found.append(signal("pool", sum(not each.is_ours for each in clients) / config.pool_size, "ratio"))
    by_application = Counter(each.application or "(no name)" for each in clients if not each.is_ours)
    for place, (name, count) in enumerate(by_application.most_common()):
        if place < MOST_APPLICATIONS or name in wanted:
            found.append(signal("application_connections", count, application=name))
    return found


def _work(sessions: Sequence[Seen], config: DatabaseConfig) -> list[Signal]:
    """What the sessions do. Counts that need a state are not known where every state is hidden from us."""
    clients = [each for each in sessions if each.is_client and not each.is_ours]
    seen = [each for each in clients if not each.hidden]
    blind = bool(clients) and not seen

    def count(number: int) -> float | None:
        return None if blind else number

    def longest(ages: list[float]) -> float | None:
        return None if blind else max(ages, default=0.0)

    running = [each.query_age or 0.0 for each in seen if each.is_active]
    idle_in_transaction = [each.state_age or 0.0 for each in seen if each.in_idle_transaction]
    waits = [each.waited for each in seen if each.waited is not None]
    return [
        signal("active", count(len(running))),
        signal("idle", count(sum(each.state == "idle" for each in seen))),
        signal("idle_in_transaction", count(len(idle_in_transaction))),
        signal("blocked", count(sum(wait > WAITS for wait in waits))),
        signal("longest_wait", longest(waits), "s"),
        signal("longest", longest(running), "s"),
        signal("longest_idle_in_transaction", longest(idle_in_transaction), "s"),
        signal("slow_queries", count(sum(age > SLOW for age in running))),
        signal("long_queries", count(sum(age > config.long_query for age in running))),
    ]


def _count(kept: Kept, server: Mapping[str, Any]) -> None:
    """Keeps the counters of the last half minute; those from before a restart or reset are worth nothing."""
    last = kept.counters[-1] if kept.counters else None
    if last and (last["started"] != server["started"] or last["transactions"] > server["transactions"]):
        kept.counters.clear()
    kept.counters.append(server)
    while len(kept.counters) > 2 and server["clock"] - kept.counters[1]["clock"] >= RATES_OVER:
        kept.counters.popleft()


def _rates(kept: Kept, server: Mapping[str, Any]) -> list[Signal]:
    """Transactions a second, the cache's hits, new deadlocks and the replicas' lag; no rate before the second poll."""
    first = kept.counters[0]
    seconds = server["clock"] - first["clock"]
    hits, reads = server["hits"] - first["hits"], server["reads"] - first["reads"]
    return [
        signal("transactions", (server["transactions"] - first["transactions"]) / seconds if seconds > 0 else None, "1/s"),
        signal("cache_hit", hits / (hits + reads) if hits + reads > 0 else None, "ratio"),
        signal("deadlocks", server["deadlocks"] - first["deadlocks"] if seconds > 0 else None),
        signal("replication_lag", server["lag"], "s"),
    ]


# --- rows and words --------------------------------------------------------------------------------------------------


def _session_rows(sessions: Sequence[Seen], rights: Rights | None) -> tuple[Row, ...]:
    """A row a client session, and one for whatever else somebody waits for: who blocks and who waits first, then by age."""
    above = parents(sessions)
    by_pid = {each.pid: each for each in sessions}
    holding = {pid for each in sessions for pid in each.blockers}
    listed = [each for each in sessions if (each.is_client and not each.is_ours) or each.pid in holding]
    ordered = sorted(listed, key=lambda each: _order(each, holding))[:MOST_ROWS]
    there = {each.pid for each in ordered}
    return tuple(
        _session_row(each, by_pid[above[each.pid]].key if above.get(each.pid) in there else None, sessions, rights)
        for each in ordered
    )


def _order(seen: Seen, holding: set[int]) -> tuple[int, float]:
    """What stands in a lock's way, what runs, what idles in a transaction, the rest; the oldest first."""
    if seen.pid in holding or seen.blockers:
        rank = 0
    elif seen.is_active or seen.in_idle_transaction:
        rank = 1
    else:
        rank = 2
    return rank, -(seen.waited or seen.age or 0.0)


def _session_row(seen: Seen, parent: str | None, sessions: Sequence[Seen], rights: Rights | None) -> Row:
    """One session; why it cannot be cancelled or terminated stands in it, so that keys grey before they are pressed."""
    behind = waiting_for(seen.pid, sessions)
    cells: dict[str, Value] = {
        "pid": Shown(str(seen.pid)),
        "for": seen.age,
        "state": seen.state_word,
        "waits": _waits_for(seen),
        "query": seen.folded,
        "application": clean(seen.application, 60),
        "user": clean(seen.user, 60),
        "database": clean(seen.database, 60),
        "client": clean(seen.client),
        "wait": clean(f"{seen.wait_type} {seen.wait_event}".strip()) if seen.is_active else EMPTY,
        "waited": show_duration(seen.waited) if seen.waited is not None else EMPTY,
        "transaction": Shown(f"open for {show_duration(seen.xact_age)}") if seen.xact_age is not None else Shown("none"),
        "blocks": len(behind),
    }
    refusals = {"no cancel": cannot_cancel(seen, rights), "no terminate": cannot_end(seen, rights)}
    cells |= {name: reason for name, reason in refusals.items() if reason is not None}
    more = (clean("… cut here by the server (track_activity_query_size)"),) if seen.cut else ()
    long = {"statement" if seen.is_active else "last statement": clean_lines(seen.query) + more} if seen.query else {}
    return Row(seen.key, cells, parent=parent, long=long, group="session")


def _waits_for(seen: Seen) -> Shown:
    """Whose lock it waits for: `8121`, `8121 +1`."""
    if seen.waited is None and not seen.blockers:
        return EMPTY
    names = ["prepared tx" if pid == 0 else str(pid) for pid in seen.blockers]
    if not names:
        return Shown("a lock")
    return Shown(names[0] if len(names) == 1 else f"{names[0]} +{len(names) - 1}")


def _applications(sessions: Sequence[Seen]) -> tuple[Row, ...]:
    """A row an application: who holds the connections."""
    groups: dict[str, list[Seen]] = {}
    for each in sessions:
        if each.is_client and not each.is_ours:
            groups.setdefault(each.application or "(no name)", []).append(each)
    ordered = sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))[:MOST_APPLICATIONS]
    return tuple(_application(name, members) for name, members in ordered)


def _application(name: str, members: Sequence[Seen]) -> Row:
    """One application's connections by state; what they do is not known where they are hidden from us."""
    cells: dict[str, Value] = {"application": clean(name, 60), "connections": len(members)}
    if not any(each.hidden for each in members):
        cells["active"] = sum(each.is_active for each in members)
        cells["idle"] = sum(each.state == "idle" for each in members)
        cells["idle_in_transaction"] = sum(each.in_idle_transaction for each in members)
        longest = max((each.state_age or 0.0 for each in members if not each.is_active), default=0.0)
        cells["longest_idle"] = show_duration(longest)
    cells["users"] = clean(", ".join(sorted({each.user for each in members})))
    return Row(f"application:{name}", cells, group="application")


def _restart(target: Target, server: Mapping[str, Any], kept: Kept) -> tuple[Change, ...]:
    """A server that began anew since the last poll is a change, and may be a cause."""
    before, kept.started = kept.started, server["started"]
    if not before or before == kept.started:
        return ()
    title = clean(f"{target.panel}: PostgreSQL restarted")
    return (Change(f"{target.panel}/restart/{kept.started:.0f}", kept.started, "restart", title, about=(target.panel,)),)


def _notes(sessions: Sequence[Seen], server: Mapping[str, Any], kept: Kept, ahead: float) -> tuple[Shown, ...]:
    """What a person must know with the figures; `ahead` is by how many seconds the server's clock is ahead of ours."""
    found = []
    rights = kept.rights
    if rights and rights.missing_to_look and any(each.hidden for each in sessions):
        found.append(clean(f"{rights.looks_as} sees only its own sessions: {rights.missing_to_look}"))
    if server["standby"]:
        found.append(Shown("a standby: it only reads"))
    if abs(ahead) > CLOCK_OFF:
        way = "ahead of" if ahead > 0 else "behind"
        found.append(clean(f"its clock is {show_duration(abs(ahead))} {way} ours, now {date_time(server['clock'])} there"))
    return tuple(found)
