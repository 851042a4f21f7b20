-- As whom we look, whether we see everybody's sessions, and what the role that acts may do. Asked each five minutes.
-- Cost: 0.3 ms; reads pg_roles.
-- Privilege: none. (A pooler's login `role.project` is looked for as `role`, too.)
WITH actor AS (
    SELECT rolname
    FROM pg_catalog.pg_roles
    WHERE rolname IN (%(login)s::text, split_part(%(login)s::text, '.', 1))
    ORDER BY rolname <> %(login)s::text
    LIMIT 1
)
SELECT
    current_user AS looks_as,
    pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') AS sees_all,
    actor.rolname AS acts_as,
    pg_has_role(actor.rolname, 'pg_signal_backend', 'USAGE') AS signals_all,
    pg_has_role(actor.rolname, 'pg_read_all_stats', 'USAGE') AS actor_sees_all,
    ARRAY(SELECT r.rolname::text FROM pg_catalog.pg_roles AS r WHERE pg_has_role(actor.rolname, r.oid, 'USAGE')) AS member_of
FROM (VALUES (1)) AS always (one)
LEFT JOIN actor ON true
