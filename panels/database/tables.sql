-- The twenty largest tables with their indexes and TOAST, by the pages that the last VACUUM or ANALYZE counted: asking for
-- the exact size would wait for every table that is locked. Asked each minute.
-- Cost: 1 ms at 1,000 relations; reads the catalog.
-- Privilege: none.
SELECT
    n.nspname || '.' || c.relname AS name,
    (c.relpages + coalesce(t.relpages, 0) + coalesce(i.pages, 0))::bigint * current_setting('block_size')::int AS size,
    coalesce(i.pages, 0)::bigint * current_setting('block_size')::int AS indexes,
    greatest(c.reltuples, 0)::float8 AS rows,
    s.n_dead_tup AS dead,
    extract(epoch FROM clock_timestamp() - greatest(s.last_vacuum, s.last_autovacuum))::float8 AS vacuumed
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_class AS t ON t.oid = c.reltoastrelid
LEFT JOIN pg_catalog.pg_stat_user_tables AS s ON s.relid = c.oid
LEFT JOIN LATERAL (
    SELECT sum(x.relpages) AS pages
    FROM pg_catalog.pg_index AS p
    JOIN pg_catalog.pg_class AS x ON x.oid = p.indexrelid
    WHERE p.indrelid = c.oid
) AS i ON true
WHERE c.relkind IN ('r', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND c.relpersistence <> 't'
ORDER BY 2 DESC
LIMIT 20
