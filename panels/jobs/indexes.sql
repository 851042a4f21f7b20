-- Whether the queue has the two indexes that keep us from scanning it: one that begins with its creation time, and one over
-- the queued jobs (or over all, beginning with the status) that is ordered by when they are due.
-- Asked by `config check --connect` alone. Cost: 0.3 ms. Needs: nothing.
SELECT
    coalesce(bool_or(keys[1] = %(created_at)s AND NOT partial), false) AS created,
    coalesce(bool_or(keys[1] = %(status)s OR (partial AND keys[1] = %(run_after)s)), false) AS queued
FROM (
    SELECT
        index.indpred IS NOT NULL AS partial,
        ARRAY(
            SELECT attribute.attname::text
            FROM unnest(index.indkey::int2[]) WITH ORDINALITY AS key (number, place)
            JOIN pg_catalog.pg_attribute attribute ON attribute.attrelid = index.indrelid AND attribute.attnum = key.number
            ORDER BY key.place
        ) AS keys
    FROM pg_catalog.pg_index index
    WHERE index.indrelid = to_regclass(%(table)s) AND index.indisvalid
) found
