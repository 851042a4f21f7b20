-- Whether it is the journal that we shared with before: the newest entry that we took is still in its place.
-- Cost: 0.1 ms.
-- Privilege: SELECT on watchfloor_entry.
SELECT EXISTS (SELECT 1 FROM watchfloor_entry WHERE seq = %(seq)s::bigint AND uid = %(uid)s::text) AS same
