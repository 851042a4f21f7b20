-- What others added since we last looked, in order: what is newer than the newest that we have, and what transactions added that
-- were still under way then (a lower `seq` may become visible later). `seen` are those of the latter that we have already.
-- Transaction ids beyond the next one are of another cluster, from which the table was restored: all of those are older.
-- Cost: 0.2 ms where nothing is new, by two indexes; five hundred entries at the most.
-- Privilege: SELECT on watchfloor_entry.
SELECT now.horizon, new.*
FROM (
    SELECT txid_snapshot_xmin(txid_current_snapshot()) AS horizon, txid_snapshot_xmax(txid_current_snapshot()) AS beyond
) AS now
LEFT JOIN LATERAL (
    SELECT e.seq, e.xact, e.uid, e.origin, e.at, e.kind, e.version, e.who, e.deed, e.data
    FROM watchfloor_entry AS e
    WHERE
        e.dashboard = %(dashboard)s::text
        AND e.environment = %(environment)s::text
        AND (e.seq > %(seq)s::bigint OR (e.xact >= %(horizon)s::bigint AND e.xact < now.beyond))
        AND e.seq <> ALL (%(seen)s::bigint[])
    ORDER BY e.seq
    LIMIT %(most)s
) AS new ON true
ORDER BY new.seq
