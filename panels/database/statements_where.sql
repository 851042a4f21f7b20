-- Where pg_stat_statements lives (Supabase: schema `extensions`) and which columns its installed version has, which may be
-- older than the server after an upgrade. Asked once, and again after an error.
-- Cost: 0.2 ms; reads the catalog.
-- Privilege: none.
SELECT
    quote_ident(n.nspname) AS schema,
    e.extversion AS version,
    ARRAY(
        SELECT a.attname::text
        FROM pg_catalog.pg_attribute AS a
        JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid
        WHERE c.relname = 'pg_stat_statements' AND c.relnamespace = e.extnamespace AND a.attnum > 0
    ) AS columns
FROM pg_catalog.pg_extension AS e
JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
WHERE e.extname = 'pg_stat_statements' AND current_setting('pg_stat_statements.max', true) IS NOT NULL
