"""What a PostgreSQL says when it takes no connection or ends a statement, in words for a person.

    DatabaseError
      ├─ takes no connection    refuses · starting up · shutting down · full · hangs       failing: the database's own answer
      ├─ denies us              password · role · pg_hba.conf · database · TLS             unknown: our rights, our config
      ├─ out of reach           DNS · no route                                             unknown: the network between
      ├─ ends a statement       its limit · a lock · no privilege · anything else          unknown: it could not be measured
      └─ goes away mid-way      restarted · connection lost                                failing

A server tells a login's refusal by text alone (libpq gives no SQLSTATE then), so texts are matched, in English; one in
another language is shown as it is.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

from .reading import Failure, ProbeError, Status
from .redact import redact
from .text import clean
from .units import show_duration

if TYPE_CHECKING:
    import psycopg  # only named here: a panel's card must not pay for it

MARK = "/* watchfloor */"
"""Stands in each statement of ours, behind its first word, where the server's logs and statistics keep it."""
UNREADABLE = "the DSN cannot be read as a connection string"


class DatabaseError(ProbeError):
    """A database gave no answer. `sqlstate` is the server's code where it gave one; `lost` whether the connection went
    while a statement was under way, so that nobody knows whether that was done."""

    def __init__(self, failure: Failure, status: Status, *, sqlstate: str = "", lost: bool = False) -> None:
        super().__init__(failure, status)
        self.sqlstate = sqlstate
        self.lost = lost


def failure(
    phase: str, says: str, hint: str, status: Status, *, refused: bool = False, sqlstate: str = "", lost: bool = False
) -> DatabaseError:
    """A DatabaseError of the server's text or ours: secrets masked, then cleaned."""
    return DatabaseError(
        Failure(phase, clean(redact(says)), clean(redact(hint)), refused), status, sqlstate=sqlstate, lost=lost
    )


class _Meaning(Struct, frozen=True):
    """What a refused connection's text means. `{login}` and `{where}` are filled in; empty `says` is the server's own text."""

    text: str
    phase: str
    says: str
    hint: str
    status: Status
    sqlstate: str = ""


_PLACE = (
    "restart what holds them; from PostgreSQL 16 on reserved_connections keep a place for us "
    "(GRANT pg_use_reserved_connections TO {login};)"
)
_OK_TO_WAIT = "after a crash it first replays its log: its own log tells how far it is"
_LOGIN_AGAIN = "is the password right, and was it changed? it is read anew at each try"
_NO_WAY = "is this host's network up? an address that is IPv6 alone (Supabase's direct one) needs IPv6, or the pooler"

_CONNECTING = (
    _Meaning(
        r"too many (clients|connections)|connection slots|no more connections|max.?client|connection limit exceeded",
        *("connect", "it is full: every connection is taken", _PLACE),
        Status.FAILING,
        "53300",
    ),
    _Meaning(
        r"is starting up|recovery mode|not yet accepting|consistent recovery",
        *("connect", "it is starting up and takes no connection yet", _OK_TO_WAIT),
        Status.FAILING,
        "57P03",
    ),
    _Meaning(
        r"is shutting down", "connect", "it is shutting down", "somebody stops or restarts it: look at its log", Status.FAILING
    ),
    _Meaning(
        r"is not accepting connections", "connect", "it takes no connections", "a standby without hot_standby?", Status.FAILING
    ),
    _Meaning(
        r'role ".*" does not exist',
        *("rights", "it knows no role {login}", "CREATE ROLE {login} LOGIN; or mend the user in `dsn`"),
        Status.UNKNOWN,
    ),
    _Meaning(
        r"authentication failed|no password supplied|tenant or user not found|not permitted to log in|SASL|scram",
        *("rights", "it refuses the login of {login}", _LOGIN_AGAIN),
        Status.UNKNOWN,
    ),
    _Meaning(
        r"pg_hba\.conf",
        *("rights", "its pg_hba.conf does not let {login} in from here", "add a line for this host, or set sslmode"),
        Status.UNKNOWN,
    ),
    _Meaning(
        r'database ".*" does not exist', "config", "it has no such database", "mend the database in `dsn`", Status.UNKNOWN
    ),
    _Meaning(
        r"permission denied for database",
        *("rights", "{login} may not connect to it", "GRANT CONNECT ON DATABASE … TO {login};"),
        Status.UNKNOWN,
    ),
    _Meaning(
        r"connection refused", "connect", "it refuses connections: nothing listens at {where}", "is it running?", Status.FAILING
    ),
    _Meaning(
        r"network is unreachable|no route to host|address family",
        *("connect", "there is no way from here to {where}", _NO_WAY),
        Status.UNKNOWN,
    ),
    _Meaning(
        r"timeout expired|timed out",
        *("connect", "it does not answer at {where}", "is it up, and does a firewall let us through?"),
        Status.FAILING,
    ),
    _Meaning(r"certificate|\bSSL\b|\bTLS\b", "TLS", "", "check sslmode and sslrootcert in `dsn`", Status.UNKNOWN),
)
"""The first that matches counts."""


def took_no_connection(error: psycopg.Error, login: str, where: str) -> DatabaseError:
    """Why a connection attempt failed. Backs off: whatever the reason, it takes no connection or denies us."""
    text = str(error).removeprefix("connection failed: ")
    own = text.rpartition("FATAL:")[2].strip() or text
    for each in _CONNECTING:
        if re.search(each.text, text, re.I):
            says, hint = (part.replace("{login}", login).replace("{where}", where) for part in (each.says or own, each.hint))
            return failure(each.phase, says, hint, each.status, refused=True, sqlstate=each.sqlstate)
    return failure("connect", f"it takes no connection: {own}", "look at its log", Status.FAILING, refused=True)


def ended_statement(error: psycopg.Error, limit: float, *, broken: bool) -> DatabaseError:
    """Why a statement has no result. `limit` is its time limit in seconds, `broken` whether the connection is gone."""
    code = error.sqlstate or ""
    own = error.diag.message_primary or str(error)
    if code in ("57P01", "57P02", "57P03"):
        says = "it ended our session: it stops, restarts, or somebody ended it"
        return failure("query", says, "look at its log", Status.FAILING, sqlstate=code, lost=True)
    if broken or code.startswith("08"):
        says = "the connection was lost in the middle of a question"
        hint = "did the server, a pooler or the network end it?"
        return failure("query", says, hint, Status.FAILING, sqlstate=code, lost=True)
    status, phase, hint = Status.UNKNOWN, "query", error.diag.message_hint or ""
    match code:
        case "57014" if "timeout" in own:
            own, hint = f"a statement took longer than its limit of {_short(limit)} and was ended", "is it overloaded?"
        case "55P03":
            own, hint = "what our statement reads is locked", "something holds an exclusive lock: look at who blocks whom"
        case "42501":
            phase, hint = "rights", "the role lacks a privilege"
        case _ if code.startswith("53"):
            own, hint, status = f"it is short of resources: {own}", "look at its disk and memory", Status.FAILING
    return failure(phase, own, hint, status, sqlstate=code)


def hangs(seconds: float, *, connecting: bool = False) -> DatabaseError:
    """It took the connection, or the question, and says nothing."""
    what = "takes our connection but says nothing" if connecting else "hangs: a question is unanswered"
    hint = "its processes may be frozen, or its disk or the network stuck; it is asked again when it answers"
    return failure("deadline", f"it {what} since {_short(seconds)}", hint, Status.FAILING, lost=not connecting)


def _short(seconds: float) -> str:
    """Below ten seconds with a decimal: a deadline of 1.8s is not one of 1s."""
    return f"{seconds:.1f}s" if seconds < 10 else str(show_duration(seconds))
