-- What is there, and what we may do with it. Asked when we connect.
-- Cost: 0.2 ms; the catalogs alone.
-- Privilege: none.
SELECT
    pg_backend_pid() AS pid,
    current_user::text AS login,
    current_setting('server_encoding') AS encoding,
    current_schema()::text AS schema,
    coalesce(has_schema_privilege(current_schema(), 'CREATE'), false) AS may_create,
    to_regclass('watchfloor_entry') IS NOT NULL AND to_regclass('watchfloor_claim') IS NOT NULL AS there,
    coalesce(
        has_table_privilege(to_regclass('watchfloor_entry')::oid, 'SELECT')
        AND has_table_privilege(to_regclass('watchfloor_entry')::oid, 'INSERT')
        AND has_table_privilege(to_regclass('watchfloor_claim')::oid, 'SELECT')
        AND has_table_privilege(to_regclass('watchfloor_claim')::oid, 'INSERT')
        AND has_table_privilege(to_regclass('watchfloor_claim')::oid, 'UPDATE')
        AND has_table_privilege(to_regclass('watchfloor_claim')::oid, 'DELETE'),
        false
    ) AS may_use
