-- The jobs that have been due the longest.
-- Cost: 0.2 ms, through the index (status, run_after) WHERE status = 'queued'. Needs: SELECT on the queue.
SELECT {job}
FROM {jobs} queue
WHERE {status} = {queued} AND {run_after} <= now()
ORDER BY {run_after}
LIMIT %(limit)s
