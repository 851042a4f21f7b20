-- The server's limit, this database's counters, and how far replicas (or we, on a standby) are behind.
-- Cost: 0.3 ms; reads shared memory.
-- Privilege: pg_read_all_stats (in pg_monitor) for the replicas' lag; without it the lag is not known.
SELECT
    current_setting('max_connections')::int AS max_connections,
    extract(epoch FROM clock_timestamp())::float8 AS clock,
    extract(epoch FROM pg_postmaster_start_time())::float8 AS started,
    current_setting('server_version') AS version,
    pg_is_in_recovery() AS standby,
    d.xact_commit + d.xact_rollback AS transactions,
    d.blks_hit AS hits,
    d.blks_read AS reads,
    d.deadlocks,
    CASE
        WHEN NOT pg_is_in_recovery() THEN (
            SELECT max(CASE WHEN r.state IS NOT NULL THEN coalesce(extract(epoch FROM r.replay_lag), 0) END)::float8
            FROM pg_catalog.pg_stat_replication AS r
        )
        WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0
        ELSE extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())::float8
    END AS lag,
    current_setting('pg_stat_statements.max', true) IS NOT NULL
    AND EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'pg_stat_statements') AS has_statements
FROM pg_catalog.pg_stat_database AS d
WHERE d.datname = current_database()
