"""One PostgreSQL database: its connections, who blocks whom, what it spends its time on, how large it grows.

Looks with one role and, where the config has it, acts with another. Costs the server a few short statements a poll, each in
a `.sql` file of its own; never writes.
"""

from __future__ import annotations

from typing import Any

from tui.engine.layout import Column
from tui.engine.panel import Card, DefaultRule, Probe, SignalSpec, Threshold
from tui.engine.text import Shown

from .config import DatabaseConfig
from .probe import ask
from .sizes import ask_sizes
from .statements import ask_statements


def _seldom(seconds: float) -> Any:
    """An interval for what costs more or changes slowly; the panel's own where that is longer."""

    def every(config: DatabaseConfig) -> float:
        return max(seconds, config.interval or 0.0)

    return every


CARD = Card(
    kind="database",
    title="PostgreSQL",
    config=DatabaseConfig,
    probes=(
        Probe("sessions", ask),
        Probe("statements", ask_statements, every=_seldom(15.0)),
        Probe("sizes", ask_sizes, every=_seldom(60.0)),
    ),
    signals=(
        SignalSpec("up", "count", "1 while it answers, 0 while it refuses, starts up, is full or hangs", "lower"),
        SignalSpec(
            "connections",
            "ratio",
            "share of max_connections that clients hold, ours among them; 1 while it is full and refuses us",
            "higher",
        ),
        SignalSpec("connections_used", "count", "connections that clients hold", "higher"),
        SignalSpec("connections_max", "count", "the server's max_connections"),
        SignalSpec("pool", "ratio", "connections that are not ours as a share of `pool_size`", "higher"),
        SignalSpec("application_connections", "count", "connections by application", "higher", ("application",)),
        SignalSpec("active", "count", "sessions that run a statement", "higher"),
        SignalSpec("idle", "count", "sessions that wait for their client"),
        SignalSpec("idle_in_transaction", "count", "sessions that hold a transaction open and do nothing", "higher"),
        SignalSpec(
            "longest_idle_in_transaction", "s", "how long the oldest of them has done nothing; 0 where there is none", "higher"
        ),
        SignalSpec("blocked", "count", "sessions that have waited for a lock for more than 1 s", "higher"),
        SignalSpec("longest_wait", "s", "the longest wait for a lock; 0 where nobody waits", "higher"),
        SignalSpec("longest", "s", "how long the oldest running statement has run; 0 where none runs", "higher"),
        SignalSpec("slow_queries", "count", "statements that have run for more than 2 s", "higher"),
        SignalSpec("long_queries", "count", "statements that have run for longer than `long_query`", "higher"),
        SignalSpec("transactions", "1/s", "transactions ended, over the last half minute"),
        SignalSpec("cache_hit", "ratio", "share of blocks found in shared buffers, over the last half minute", "lower"),
        SignalSpec("deadlocks", "count", "deadlocks in the last half minute", "higher"),
        SignalSpec("replication_lag", "s", "how far the slowest replica (on a standby: this one) is behind", "higher"),
        SignalSpec("statement_rate", "1/s", "statements ended, since the last poll (pg_stat_statements)"),
        SignalSpec("query_mean", "s", "their mean execution time", "higher"),
        SignalSpec("query_p95", "s", "estimate by the statements' means: 95 of 100 calls are of faster ones", "higher"),
        SignalSpec("size", "bytes", "the database on disk", "higher"),
        SignalSpec("growth", "bytes", "what it grows by in an hour, as seen in the last hour", "higher"),
        SignalSpec("size_used", "ratio", "its size as a share of `quota`", "higher"),
    ),
    columns=(
        Column("pid", Shown("pid"), 9),
        Column("for", Shown("for"), 8, "s"),
        Column("state", Shown("state"), 9),
        Column("waits", Shown("waits for"), 10, rank=1),
        Column("who", Shown("application"), 16, rank=2),
        Column("query", Shown("query"), 18, grows=True),
    ),
    rules=(
        DefaultRule(
            "DatabaseDown",
            "up",
            "below",
            (Threshold("P0", 1.0, 30.0),),
            "ours: the hold. It takes no connection, or no question.",
        ),
        DefaultRule(
            "DatabaseConnectionPoolHigh",
            "connections",
            "above",
            (Threshold("P1", 0.85, 300.0), Threshold("P0", 0.95)),
            "Past the limit every new connection is refused, ours too.",
        ),
        DefaultRule(
            "PoolHigh",
            "pool",
            "above",
            (Threshold("P1", 0.85, 300.0), Threshold("P0", 0.95)),
            "As for max_connections, against `pool_size`.",
        ),
        DefaultRule(
            "DatabaseSize", "size_used", "above", (Threshold("P2", 0.8),), "Past its quota the provider makes it read-only."
        ),
        DefaultRule(
            "QueryTime",
            "query_p95",
            "above",
            (Threshold("P1", 0.5, 300.0), Threshold("P0", 1.0, 300.0)),
            "The target is 100 ms. An estimate by the statements' means; the hold before P0 is ours.",
        ),
        DefaultRule(
            "SlowQueries", "slow_queries", "above", (Threshold("P3", 0.0),), "Statements that have run for more than 2 s."
        ),
        DefaultRule(
            "LongQueries",
            "long_queries",
            "above",
            (Threshold("P2", 0.0, 30.0),),
            "ours. Statements that run past `long_query`.",
        ),
        DefaultRule(
            "BlockedSessions",
            "blocked",
            "above",
            (Threshold("P2", 0.0),),
            "ours. Who waits for a lock holds a connection meanwhile.",
        ),
        DefaultRule(
            "LockWait",
            "longest_wait",
            "above",
            (Threshold("P1", 10.0, 10.0),),
            "ours. A lock that is not given back stops requests.",
        ),
        DefaultRule(
            "IdleInTransaction",
            "longest_idle_in_transaction",
            "above",
            (Threshold("P2", 60.0),),
            "ours. It keeps its locks, and keeps VACUUM from cleaning up.",
        ),
        DefaultRule(
            "ReplicationLag",
            "replication_lag",
            "above",
            (Threshold("P2", 30.0, 60.0),),
            "ours. Reads from the replica are old.",
        ),
    ),
    view="panels.database.view:view",
    actions="panels.database.actions:ACTIONS",
    check="panels.database.check:check",
    example="""\
[[panel]]
kind = "database"
# Looks: a role in pg_monitor (GRANT pg_monitor TO watch;). Nothing is ever written with it.
dsn = "env:DATABASE_URL"
# Acts (X cancels a statement, T ends a session): a role in pg_monitor and pg_signal_backend.
# dsn_for_actions = "env:DATABASE_OPS_URL"
# pool_size = 40                  # where the application's pool is smaller than max_connections
# quota = "8 GB"                  # what the provider gives
# long_query = "5s"
""",
)
