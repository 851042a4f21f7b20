"""The journal file's shape, version by version: one migration function a version, each run once, in a transaction of its own.

`PRAGMA user_version` says how many have run. A migration never changes what an older one made but by adding to it: entries are
append-only, also for us.
"""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

ENTRY = """
CREATE TABLE IF NOT EXISTS entry (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at REAL NOT NULL,
    kind TEXT NOT NULL,
    version INTEGER NOT NULL,
    who TEXT NOT NULL,
    deed TEXT,
    data TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS entry_deed ON entry (deed) WHERE deed IS NOT NULL;
CREATE INDEX IF NOT EXISTS entry_at ON entry (at);
CREATE TRIGGER IF NOT EXISTS entry_is_new BEFORE INSERT ON entry WHEN EXISTS (SELECT 1 FROM entry WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER IF NOT EXISTS entry_stays BEFORE UPDATE ON entry BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
"""
ENTRY_REMAINS = (
    "CREATE TRIGGER IF NOT EXISTS entry_remains BEFORE DELETE ON entry "
    "BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;"
)
ENTRY += ENTRY_REMAINS + "\n"
WHENCE = """
ALTER TABLE entry ADD COLUMN uid TEXT;
ALTER TABLE entry ADD COLUMN origin TEXT;
CREATE UNIQUE INDEX entry_uid ON entry (uid) WHERE uid IS NOT NULL;
"""
LEASE = """
CREATE TABLE lease (
    watched TEXT PRIMARY KEY,
    epoch INTEGER NOT NULL,
    holder TEXT NOT NULL,
    who TEXT NOT NULL,
    pid INTEGER NOT NULL,
    kind TEXT NOT NULL,
    boot TEXT NOT NULL,
    beat REAL NOT NULL,
    claim REAL NOT NULL DEFAULT 0,
    followed REAL NOT NULL DEFAULT 0,
    number INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE share (
    watched TEXT NOT NULL,
    panel TEXT NOT NULL,
    target TEXT NOT NULL,
    probe TEXT NOT NULL,
    number INTEGER NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (watched, panel, target, probe)
) STRICT;
CREATE INDEX share_number ON share (watched, number);
CREATE TABLE judgement (watched TEXT PRIMARY KEY, number INTEGER NOT NULL, data BLOB NOT NULL, timers BLOB) STRICT;
CREATE TABLE wish (id INTEGER PRIMARY KEY, watched TEXT NOT NULL, panel TEXT NOT NULL) STRICT;
"""
READINGS = """
CREATE TABLE reading (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    watched TEXT NOT NULL,
    at REAL NOT NULL,
    step INTEGER NOT NULL,
    whole INTEGER NOT NULL,
    version INTEGER NOT NULL,
    panels TEXT NOT NULL,
    data BLOB NOT NULL
) STRICT;
CREATE INDEX reading_at ON reading (at, step);
CREATE INDEX reading_whole ON reading (at) WHERE whole = 1;
CREATE TABLE series (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    start INTEGER NOT NULL,
    step INTEGER NOT NULL,
    panel TEXT NOT NULL,
    watched TEXT NOT NULL,
    version INTEGER NOT NULL,
    data BLOB NOT NULL,
    UNIQUE (start, step, panel, watched)
) STRICT;
CREATE TABLE pin (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    since REAL NOT NULL,
    until REAL NOT NULL,
    why TEXT NOT NULL
) STRICT;
"""

TEAM = """
CREATE TABLE team (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    sent INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    uid TEXT NOT NULL,
    horizon INTEGER NOT NULL,
    away REAL,
    says TEXT NOT NULL
) STRICT;
INSERT INTO team VALUES (1, 0, 0, '', 0, NULL, '');
"""


def _entries(connection: sqlite3.Connection) -> None:
    """1: the append-only entries. Files of the first version carry the number from the start, so this may find them there."""
    _run(connection, ENTRY)


def _whence(connection: sqlite3.Connection) -> None:
    """2: each entry has an identity over all hosts (`uid`) and says which host it came from, where that is another one."""
    _run(connection, WHENCE)


def _lease(connection: sqlite3.Connection) -> None:
    """3: who polls (`lease.py`), and what that one shares with those who follow (`follow.py`); all of it may be lost."""
    _run(connection, LEASE)


def _team(connection: sqlite3.Connection) -> None:
    """4: how far this journal has come with the team's, and since when that is out of reach (team/ledger.py)."""
    _run(connection, TEAM)


def _readings(connection: sqlite3.Connection) -> None:
    """5: the readings. `watched` says of which config they are (`lease.py`), `step` how many seconds a row stands for (0: all
    was kept in full), `whole` whether it is a full set or what changed since the row before, `panels` whose readings it brought
    (`,health,jobs,`). `series` holds signals by stretches of time, `pin` the spans that stay in full."""
    _run(connection, READINGS)


MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (_entries, _whence, _lease, _team, _readings)
VERSION = len(MIGRATIONS)


def prepare(connection: sqlite3.Connection) -> None:
    """How the file is kept, before anything is in it: it can shrink, and readers wait for no writer. Raises sqlite3.Error."""
    if not connection.execute("PRAGMA page_count").fetchone()[0]:  # later it counts for nothing, but writes and waits
        connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
    connection.execute("PRAGMA journal_mode=WAL")


def make_shrinkable(connection: sqlite3.Connection) -> None:
    """Has a file that was made before readings were kept give freed room back: once, by writing it anew. It held entries alone,
    so that is quick. Raises sqlite3.Error, where another process has it open: then the next start tries again."""
    if connection.execute("PRAGMA auto_vacuum").fetchone()[0] != _INCREMENTAL:
        connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
        connection.execute("VACUUM")


_INCREMENTAL = 2


def migrate(connection: sqlite3.Connection) -> int:
    """Brings the file to this version; returns the version that it had. Two processes may try at once: one waits for the other.

    Raises sqlite3.Error. A file of a newer version is left as it is; the caller refuses it.
    """
    found = _version(connection)
    while _version(connection) < VERSION:
        connection.execute("BEGIN IMMEDIATE")
        try:
            now = _version(connection)  # another process may have been first
            if now < VERSION:
                MIGRATIONS[now](connection)
                connection.execute(f"PRAGMA user_version={now + 1}")
            connection.execute("COMMIT")
        except sqlite3.Error:
            connection.execute("ROLLBACK")
            raise
    return found


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _run(connection: sqlite3.Connection, script: str) -> None:
    """A script within the transaction that is open: `executescript` would commit it."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            connection.execute(statement)
            statement = ""


def make_file(path: Path, mode: int) -> None:
    """The file with exactly this mode, where there is none yet; its companions (`-wal`, `-shm`) get the same from SQLite.
    Raises OSError, also where it is there and may not be written.

    One that is there is never opened: closing it would drop the locks that this process's connections hold on it (POSIX drops
    all of a process's locks on a file with any of its descriptors), and the next process to leave would take itself for the
    last one and remove the log that others still write to.
    """
    try:
        made = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, mode)
    except FileExistsError:
        if not os.access(path, os.R_OK | os.W_OK):
            raise PermissionError(errno.EACCES, "it may not be written", str(path)) from None
        return
    os.fchmod(made, mode)  # whatever the umask took
    os.close(made)


_WORDS = {
    "SQLITE_FULL": "the disk is full",
    "SQLITE_READONLY": "the file is read-only",
    "SQLITE_BUSY": "another process keeps the journal locked",
    "SQLITE_CORRUPT": "the journal's file is damaged: move it away, a new one is made",
    "SQLITE_NOTADB": "the journal's file is no database: move it away, a new one is made",
    "SQLITE_IOERR": "the disk does not take it",
    "SQLITE_CANTOPEN": "the journal's file cannot be opened",
}


def in_words(error: Exception) -> str:
    """A fault of the disk for a person, with SQLite's own words behind it."""
    name = getattr(error, "sqlite_errorname", None) or ""
    known = next((words for code, words in _WORDS.items() if name.startswith(code)), "")
    return f"{known} ({error})" if known else str(error)
