-- Takes targets for a deed: those that nobody has, whose holder's time is over, or that are this deed's already.
-- Cost: 0.1 ms a target. Waits, a moment, for somebody who takes the same at the same time.
-- Privilege: SELECT, INSERT and UPDATE on watchfloor_claim.
INSERT INTO watchfloor_claim AS held (dashboard, environment, action, item, deed, who, origin, until)
SELECT
    %(dashboard)s::text, %(environment)s::text, %(action)s::text, given.item, %(deed)s::text, %(who)s::text, %(origin)s::text,
    clock_timestamp() + make_interval(secs => %(lasts)s::float8)
FROM unnest(%(items)s::text[]) AS given (item)
ORDER BY given.item
ON CONFLICT (dashboard, environment, action, item) DO UPDATE
SET
    since = CASE WHEN held.deed = excluded.deed THEN held.since ELSE excluded.since END,
    deed = excluded.deed, who = excluded.who, origin = excluded.origin, until = excluded.until
WHERE held.deed = excluded.deed OR held.until < clock_timestamp()
RETURNING item
