-- Jobs that were made from a schedule, among the newest %(limit)s created in a stretch of time; and how far back it looked.
-- Cost: 2 ms per thousand jobs, through the index on the creation time; each job is looked at about once.
-- Needs: SELECT on the queue.
WITH step AS MATERIALIZED (
    SELECT date_part('epoch', {created_at}) AS created, {payload} ->> %(key)s AS schedule
    FROM {jobs} queue
    WHERE {created_at} >= to_timestamp(%(since)s) AND {created_at} < to_timestamp(%(before)s)
    ORDER BY {created_at} DESC
    LIMIT %(limit)s
)
SELECT reach.*, found.*
FROM (SELECT count(*) AS looked, min(created) AS reached FROM step) reach
LEFT JOIN (SELECT * FROM step WHERE schedule IS NOT NULL) found ON true
