-- Schedules that are due and that nobody has taken up: the oldest %(limit)s, and how many there are.
-- Cost: 0.1 ms with an index on (publish_at) WHERE status = 'scheduled'; without one it reads the table, and is asked less
-- often by itself when that takes long. Needs: SELECT on the schedules.
SELECT
    {schedule_id}::text AS id,
    date_part('epoch', now() - {publish_at}) AS overdue,
    date_part('epoch', {publish_at}) AS publish_at,
    count(*) OVER () AS altogether
FROM {schedules} schedule
WHERE {schedule_status} = {scheduled} AND {publish_at} <= now()
ORDER BY {publish_at}
LIMIT %(limit)s
