-- The size of this database on disk. Asked each minute.
-- Cost: 0.7 ms and more, as it asks the file system for each file of the database.
-- Privilege: CONNECT on the database, or pg_read_all_stats (in pg_monitor).
SELECT
    pg_database_size(current_database()) AS size,
    extract(epoch FROM clock_timestamp())::float8 AS clock
