-- Who is at what, so that no action runs twice on one target: a row for as long as somebody acts, and until `until` after a crash.
-- Cost: made once.
-- Privilege: CREATE on the schema; or somebody else makes it and gives  GRANT SELECT, INSERT, UPDATE, DELETE.
CREATE TABLE IF NOT EXISTS watchfloor_claim (
    dashboard text NOT NULL,
    environment text NOT NULL,
    action text NOT NULL,
    item text NOT NULL,
    deed text NOT NULL,
    who text NOT NULL,
    origin text NOT NULL,
    since timestamptz NOT NULL DEFAULT clock_timestamp(),
    until timestamptz NOT NULL,
    PRIMARY KEY (dashboard, environment, action, item)
);
