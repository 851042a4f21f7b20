-- Who blocks whom, for the sessions that wait for a lock and no others, and since when they wait (from PostgreSQL 14 on).
-- Cost: 0.1 ms a waiting session; looks through the lock tables, for which it holds them for microseconds. Run only where
-- somebody waits, for the fifty that have waited longest.
-- Privilege: none.
SELECT
    waiting.pid,
    pg_catalog.pg_blocking_pids(waiting.pid) AS blockers,
    extract(epoch FROM clock_timestamp() - min((to_jsonb(l) ->> 'waitstart')::timestamptz))::float8 AS waited
FROM unnest(%(pids)s::int[]) AS waiting (pid)
LEFT JOIN pg_catalog.pg_locks AS l ON l.pid = waiting.pid AND NOT l.granted
GROUP BY waiting.pid
