-- Forgets claims whose time has long been over: of processes that died, and of notifications, which nobody releases.
-- Cost: reads the table, a few hundred rows; once an hour and process.
-- Privilege: SELECT and DELETE on watchfloor_claim.
DELETE FROM watchfloor_claim
WHERE
    dashboard = %(dashboard)s::text AND environment = %(environment)s::text
    AND until < clock_timestamp() - interval '1 day'
