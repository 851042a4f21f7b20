-- cliply's tables, as its documents name them, with the two indexes that its queue has.

CREATE TABLE workspaces (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE workspace_members (
    workspace_id uuid NOT NULL REFERENCES workspaces,
    user_id uuid NOT NULL,
    role text NOT NULL,
    PRIMARY KEY (workspace_id, user_id)
);

CREATE TABLE subscriptions (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    workspace_id uuid NOT NULL REFERENCES workspaces,
    plan text NOT NULL,
    status text NOT NULL,
    current_period_end timestamptz NOT NULL
);

CREATE TABLE connected_accounts (
    id uuid PRIMARY KEY,
    workspace_id uuid NOT NULL REFERENCES workspaces,
    platform text NOT NULL CHECK (platform IN ('youtube', 'tiktok')),
    external_id text NOT NULL,
    expires_at timestamptz NOT NULL
);

CREATE TABLE projects (
    id uuid PRIMARY KEY,
    workspace_id uuid NOT NULL REFERENCES workspaces,
    title text NOT NULL,
    status text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idx_projects_workspace ON projects (workspace_id, created_at DESC);

CREATE TABLE clips (
    id uuid PRIMARY KEY,
    project_id uuid NOT NULL REFERENCES projects,
    title text NOT NULL,
    duration_ms int NOT NULL,
    views int NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idx_clips_project ON clips (project_id);

CREATE TABLE schedules (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    workspace_id uuid NOT NULL REFERENCES workspaces,
    clip_id uuid NOT NULL REFERENCES clips,
    connected_account_id uuid NOT NULL REFERENCES connected_accounts,
    publish_at timestamptz NOT NULL,
    status text NOT NULL DEFAULT 'scheduled',
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idx_schedules_due ON schedules (publish_at) WHERE status = 'scheduled';

CREATE TABLE jobs (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    kind text NOT NULL,
    status text NOT NULL DEFAULT 'queued'
        CHECK (status IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
    worker_id text,
    last_heartbeat timestamptz,
    run_after timestamptz NOT NULL DEFAULT now(),
    created_at timestamptz NOT NULL DEFAULT now(),
    payload jsonb NOT NULL DEFAULT '{}',
    attempts int NOT NULL DEFAULT 0,
    error text,
    finished_at timestamptz
);
CREATE INDEX idx_jobs_status_run_after ON jobs (status, run_after) WHERE status = 'queued';
CREATE INDEX idx_jobs_created_at ON jobs (created_at);

-- Where an import puts what it fetched, until the worker has sorted it into projects and clips.
CREATE TABLE import_staging (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source text NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    payload text NOT NULL
);

CREATE FUNCTION worker_enqueue_job(job_kind text, job_payload jsonb) RETURNS uuid
LANGUAGE sql AS $$
    INSERT INTO jobs (kind, payload) VALUES (job_kind, job_payload) RETURNING id
$$;

-- A nightly roll-up, a workspace at a time, with a pause between two so that it leaves the server room to breathe.
CREATE FUNCTION refresh_usage(rounds int) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE total bigint := 0; part bigint;
BEGIN
    FOR round IN 1..rounds LOOP
        SELECT coalesce(sum(views), 0) INTO part
        FROM clips WHERE project_id IN (SELECT id FROM projects ORDER BY updated_at DESC LIMIT 20);
        total := total + part;
        PERFORM pg_sleep(0.5);
    END LOOP;
    RETURN total;
END
$$;

-- A page of a customer's export: what became of a workspace's clips, a part at a time with a pause between two.
CREATE FUNCTION export_page(workspace uuid, pause float) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE total bigint := 0; part bigint;
BEGIN
    FOR step IN 0..3 LOOP
        SELECT coalesce(sum(views), 0) INTO part
        FROM clips WHERE project_id IN (
            SELECT id FROM projects WHERE workspace_id = workspace ORDER BY created_at DESC LIMIT 5 OFFSET 5 * step
        );
        total := total + part;
        PERFORM pg_sleep(pause);
    END LOOP;
    RETURN total;
END
$$;

GRANT pg_monitor TO watch;
GRANT pg_monitor, pg_signal_backend TO ops;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO watch, ops;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO shop_api, shop_worker;
