-- Ends a session, if it is still the same in the same state and transaction (or, outside one, since the same statement):
-- the guard stands in the statement that acts.
-- Cost: 0.3 ms; the session's open transaction is rolled back.
-- Privilege: pg_signal_backend, or membership in the session's role; and pg_read_all_stats (in pg_monitor), as the guard is
-- read from what others cannot see. No sessions of superusers and of replication, nor our own.
WITH target AS MATERIALIZED (
    SELECT
        a.pid,
        to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') = %(began)s::text AS same_session,
        a.state = %(state)s::text
        AND CASE
            WHEN %(xact_start)s::text IS NULL
            THEN a.xact_start IS NULL
            AND to_char(a.query_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
            IS NOT DISTINCT FROM %(query_start)s::text
            ELSE to_char(a.xact_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') = %(xact_start)s::text
        END AS same_work,
        a.backend_type = 'client backend' AS client,
        r.rolsuper OR r.rolreplication AS protected,
        a.pid = pg_backend_pid() OR a.application_name = 'watchfloor' AS own
    FROM pg_catalog.pg_stat_activity AS a
    JOIN pg_catalog.pg_roles AS r ON r.oid = a.usesysid
    WHERE a.pid = %(pid)s::int
)
SELECT
    *,
    CASE
        WHEN same_session AND same_work AND client AND NOT protected AND NOT own
        THEN pg_catalog.pg_terminate_backend(pid)
    END AS sent
FROM target
