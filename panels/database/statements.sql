-- The counters of this database's statements, without their texts. The difference to the last poll is what is shown.
-- Cost: 0.4 ms at 300 statements, 5 ms at 5,000 (the extension's usual limit); reads shared memory, no file. Each 15 s.
-- Privilege: pg_read_all_stats (in pg_monitor); without it others' statements have no id and are left out.
-- {schema}, {time} and {toplevel} are what statements_where.sql found.
SELECT
    s.userid::bigint AS userid,
    s.queryid,
    {toplevel} AS toplevel,
    s.calls,
    s.{time} / 1000 AS seconds,
    s.rows,
    extract(epoch FROM clock_timestamp())::float8 AS clock
FROM {schema}.pg_stat_statements(false) AS s
JOIN pg_catalog.pg_database AS d ON d.oid = s.dbid
WHERE d.datname = current_database()
