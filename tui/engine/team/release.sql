-- The deed has its outcome: its targets are free.
-- Cost: 0.1 ms a target.
-- Privilege: SELECT and DELETE on watchfloor_claim.
DELETE FROM watchfloor_claim
WHERE
    dashboard = %(dashboard)s::text AND environment = %(environment)s::text AND action = %(action)s::text AND item = ANY (%(items)s::text[])
    AND deed = %(deed)s::text
