-- Jobs that run since before the window of the other statements: a worker that hung days ago.
-- No index helps here, so THIS ONE MAY SCAN THE TABLE: it is asked every five minutes at the most, is ended by the server
-- after a second, and the panel says when it was last answered. Those it finds are watched by their ids from then on.
-- Cost: 125 ms at a million jobs. Needs: SELECT on the queue.
SELECT {job}
FROM {jobs} queue
WHERE {status} = {running} AND {created_at} < to_timestamp(%(before)s)
ORDER BY {created_at}
LIMIT %(limit)s
