-- The team's journal: what was said and done on every host, append-only. `seq` is the order of arrival, `xact` the transaction
-- that brought it, by which an entry that became visible late is found.
-- Cost: made once.
-- Privilege: CREATE on the schema; or somebody else makes it and gives  GRANT SELECT, INSERT.
CREATE TABLE IF NOT EXISTS watchfloor_entry (
    uid text PRIMARY KEY,
    seq bigint NOT NULL GENERATED ALWAYS AS IDENTITY UNIQUE,
    xact bigint NOT NULL DEFAULT txid_current(),
    origin text NOT NULL,
    dashboard text NOT NULL,
    environment text NOT NULL,
    at double precision NOT NULL,
    kind text NOT NULL,
    version integer NOT NULL,
    who text NOT NULL,
    deed text,
    data text NOT NULL
);
CREATE INDEX IF NOT EXISTS watchfloor_entry_seq ON watchfloor_entry (dashboard, environment, seq);
CREATE INDEX IF NOT EXISTS watchfloor_entry_xact ON watchfloor_entry (dashboard, environment, xact);
