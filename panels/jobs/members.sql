-- The jobs of one state that were created in some stretches of time, the newest first.
-- Cost: as minutes.sql; asked for the minutes alone that are known to hold such jobs. Needs: SELECT on the queue.
SELECT job.*
FROM unnest(%(starts)s::float8[], %(ends)s::float8[]) AS stretch (first, last)
CROSS JOIN LATERAL (
    SELECT {job}
    FROM {jobs} queue
    WHERE {created_at} >= to_timestamp(stretch.first) AND {created_at} < to_timestamp(stretch.last)
        AND {status}::text = %(status)s
) job
ORDER BY job.created DESC
LIMIT %(limit)s
