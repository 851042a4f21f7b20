-- The texts of statements that are shown for the first time; kept from then on.
-- Cost: 1 ms, more where the extension's text file is large, as it reads all of it. Run only where a new one is shown.
-- Privilege: pg_read_all_stats (in pg_monitor).
SELECT DISTINCT ON (s.queryid)
    s.queryid,
    left(s.query, 4000) AS query
FROM {schema}.pg_stat_statements AS s
WHERE s.queryid = ANY(%(ids)s::bigint[])
