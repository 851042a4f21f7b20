-- One step back through the newest jobs, to find those of one kind and state for a bulk action: of the newest %(limit)s that
-- were created before %(before)s, the ones that match; and how far back it looked.
-- Asked while a bulk action is planned, a step at a time. Cost: 8 ms a step, through the index on the creation time.
-- Needs: SELECT on the queue.
WITH step AS MATERIALIZED (
    SELECT {job}
    FROM {jobs} queue
    WHERE {created_at} >= to_timestamp(%(since)s) AND {created_at} < to_timestamp(%(before)s)
    ORDER BY {created_at} DESC
    LIMIT %(limit)s
)
SELECT reach.*, found.*
FROM (SELECT count(*) AS looked, min(created) AS reached FROM step) reach
LEFT JOIN (SELECT * FROM step WHERE kind = %(kind)s AND status = %(status)s) found ON true
ORDER BY found.created DESC
