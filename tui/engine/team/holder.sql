-- Who has one of these targets, and since how many seconds.
-- Cost: 0.1 ms.
-- Privilege: SELECT on watchfloor_claim.
SELECT who, origin, extract(epoch FROM clock_timestamp() - since)::float8 AS for_s
FROM watchfloor_claim
WHERE
    dashboard = %(dashboard)s::text AND environment = %(environment)s::text AND action = %(action)s::text AND item = ANY (%(items)s::text[])
    AND deed <> %(deed)s::text AND until >= clock_timestamp()
ORDER BY since
LIMIT 1
