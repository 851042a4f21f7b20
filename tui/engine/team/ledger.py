"""How far the journal on this host has come with the team's: one row of its file, changed in one transaction with the entries.

So a cut at any moment leaves both as they were before or as they are after; what is sent or taken twice is known by its uid.
Calls block for the file: the engine makes them in a thread.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from msgspec import Struct

from ..journal import Entry, Journal
from ..text import EMPTY, Shown, clean

TAKE = """
INSERT INTO entry (at, kind, version, who, deed, data, uid, origin) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (uid) WHERE uid IS NOT NULL DO NOTHING
"""


class Mark(Struct, frozen=True):
    """Up to where the two agree. `sent` is our newest entry (its id here) that is there with all before it.

    `seq` and `uid` are the newest entry of theirs that is here: where the team's database does not have that one any more, it
    is another one, or was set back, and everything is compared anew. Below `horizon`, a transaction id of theirs, every
    transaction had ended when we last looked: what became visible since is of a later one, or of one that was under way.
    """

    sent: int = 0
    seq: int = 0
    uid: str = ""
    horizon: int = 0


class Away(Struct, frozen=True):
    """Since when (UTC seconds) the team's journal is out of reach, and why."""

    since: float
    says: Shown = EMPTY


def mark_of(journal: Journal) -> Mark:
    """Where the two agree now. Raises JournalError."""
    (row,) = journal.query("SELECT sent, seq, uid, horizon FROM team")
    return Mark(*row)


def start_over(journal: Journal) -> Mark:
    """It is another database: nothing of ours is known to be there. Raises JournalError."""
    with journal.transaction() as file:
        file.execute("UPDATE team SET sent = 0, seq = 0, uid = '', horizon = 0")
    return Mark()


def note_sent(journal: Journal, basis: Mark, sent: int) -> None:
    """Ours are there up to `sent`, an id here; nothing where another process has noted something since `basis`. Raises
    JournalError."""
    with journal.transaction() as file:
        file.execute("UPDATE team SET sent = ? WHERE sent = ?", (sent, basis.sent))


def take(journal: Journal, theirs: Sequence[Entry], basis: Mark, now: Mark) -> int:
    """Adds entries of the team's, in their order, each once, and moves the mark from `basis` to `now` (but for what was sent).

    Where another process moved it meanwhile it stays as that one left it: what was seen from `basis` says nothing beyond it.
    Returns how many were new. Raises JournalError; then nothing was added.
    """
    with journal.transaction() as file:
        new = 0
        for each in theirs:
            data = json.dumps(each.data, sort_keys=True)
            values = (each.at, each.kind, each.version, each.who, each.deed, data, each.uid, each.origin)
            new += file.execute(TAKE, values).rowcount
        moved = (now.seq, now.uid, now.horizon, basis.seq, basis.uid, basis.horizon)
        file.execute("UPDATE team SET seq = ?, uid = ?, horizon = ? WHERE seq = ? AND uid = ? AND horizon = ?", moved)
        return new


def note_away(journal: Journal, away: Away | None) -> None:
    """It is out of reach since then; with None it is in reach. Raises JournalError."""
    with journal.transaction() as file:
        values = (away.since, away.says) if away else (None, "")
        file.execute("UPDATE team SET away = ?, says = ?", values)


def away_of(journal: Journal) -> Away | None:
    """What the one who shares with the team last noted. Raises JournalError."""
    ((since, says),) = journal.query("SELECT away, says FROM team")
    return None if since is None else Away(since, clean(says))
