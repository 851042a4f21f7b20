-- The newest jobs, whatever became of them.
-- Cost: 0.2 ms, backwards through the index on the creation time. Needs: SELECT on the queue.
SELECT {job}
FROM {jobs} queue
ORDER BY {created_at} DESC
LIMIT %(limit)s
