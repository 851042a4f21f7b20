"""What the one who polls shares with those who follow: the probes' newest states and the judgement, through the journal's file.

States go one by one, those that changed; the judgement and the rules' timers whole, where they differ. All of one moment is one
transaction, which the leader's term fences. Followers read what has a higher number than what they have seen. Monotonic clocks
are the same for all processes of a host, so a state's age needs no translation.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TypeVar

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from .decoding import decodable, decoder
from .feed import ProbeState
from .judge import Judgement
from .lease import Lease
from .term import Term

Key = tuple[str, str, str]
"""Panel, target and probe."""
T = TypeVar("T")


class Line(Struct, frozen=True, array_like=True):
    """A state on its way. The last good reading is left out where it is the newest one."""

    state: ProbeState
    good_is_newest: bool


class Shared(Struct, frozen=True):
    """What was new to a follower: changed states, and the judgement. `number` is to be asked from next time."""

    number: int
    states: Mapping[Key, ProbeState]
    judgement: Judgement | None
    timers: bytes | None = None


def share(
    lease: Lease, term: Term, states: Iterable[tuple[Key, ProbeState]], judgement: Judgement, timers: bytes | None = None
) -> None:
    """Writes what changed, as it may stand on disk. Blocks for the file. Raises Deposed, LeaseError."""
    from .kept import kept_state  # late: nothing is shared before the first picture

    kept = ((key, kept_state(each)) for key, each in states)
    rows = [(*key, packed(Line(replace(each, good=None) if _same(each) else each, _same(each)))) for key, each in kept]
    with lease.transaction(term) as connection:
        connection.execute("UPDATE lease SET number = number + 1 WHERE watched = ?", (term.watched,))
        (number,) = connection.execute("SELECT number FROM lease WHERE watched = ?", (term.watched,)).fetchone()
        connection.executemany(
            "INSERT OR REPLACE INTO share (watched, panel, target, probe, number, data) VALUES (?, ?, ?, ?, ?, ?)",
            ((term.watched, panel, target, probe, number, data) for panel, target, probe, data in rows),
        )
        connection.execute(
            "INSERT OR REPLACE INTO judgement (watched, number, data, timers) VALUES (?, ?, ?, ?)",
            (term.watched, number, packed(judgement), timers),
        )


def shared_since(lease: Lease, number: int) -> Shared:
    """What was shared after a number: everything after -1. Blocks for the file. Raises LeaseError.

    What a newer or older Watchfloor wrote and this one cannot read is left out.
    """
    with lease.reading() as connection:
        rows = connection.execute(
            "SELECT panel, target, probe, number, data FROM share WHERE watched = ? AND number > ?", (lease.watched, number)
        ).fetchall()
        found = connection.execute(
            "SELECT number, data, timers FROM judgement WHERE watched = ? AND number > ?", (lease.watched, number)
        ).fetchone()
    states = {}
    for panel, target, probe, _, data in rows:
        line = unpacked(data, Line)
        if line is not None:
            states[panel, target, probe] = _whole(line)
    judgement = unpacked(found[1], Judgement) if found else None
    newest = max([number, *(row[3] for row in rows), *([found[0]] if found else [])])
    return Shared(newest, states, judgement, found[2] if found else None)


def inherited(lease: Lease) -> Shared:
    """What the one before has shared last. Where nobody has ever polled this config, the newest judgement of one that nobody
    polls any more, without its states: the config was changed between two starts. Blocks for the file. Raises LeaseError."""
    mine = shared_since(lease, -1)
    if mine.judgement is not None:
        return mine
    left = [each for watched in lease.left() if (each := shared_since(lease.of(watched), -1)).judgement is not None]
    newest = max(left, key=lambda each: each.judgement.at if each.judgement else 0.0, default=mine)
    return Shared(mine.number, mine.states, newest.judgement, newest.timers)


def _same(state: ProbeState) -> bool:
    return state.good is not None and state.good is state.reading


def _whole(line: Line) -> ProbeState:
    return replace(line.state, good=line.state.reading) if line.good_is_newest else line.state


def packed(value: object) -> bytes:
    """As MessagePack; as JSON where a raw key holds a lone surrogate, which only JSON can carry."""
    try:
        return b"m" + msgspec.msgpack.encode(value)
    except UnicodeEncodeError:
        return b"j" + json.dumps(msgspec.to_builtins(value)).encode()


def unpacked(data: bytes, kind: type[T]) -> T | None:
    """What `packed` made; None where it is not of this version's shape."""
    try:
        if data[:1] == b"j":
            return msgspec.convert(json.loads(data[1:]), decodable(kind))
        made = decoder(kind).decode(data[1:])
    except (msgspec.MsgspecError, ValueError):
        return None
    return made
