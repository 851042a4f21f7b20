-- A believable last day: a dozen workspaces, what they made, and some six thousand jobs of which 1-3 % failed.
-- Ids follow from a name ("clip-17"), so that a client can know them; random() was seeded by the caller.

INSERT INTO workspaces (id, name, created_at)
SELECT md5('workspace-' || n)::uuid, 'Studio ' || n, now() - n * interval '9 days'
FROM generate_series(1, 12) n;

INSERT INTO workspace_members (workspace_id, user_id, role)
SELECT md5('workspace-' || w)::uuid, md5('user-' || w || '-' || n)::uuid, CASE n WHEN 1 THEN 'owner' ELSE 'editor' END
FROM generate_series(1, 12) w, generate_series(1, 4) n;

INSERT INTO subscriptions (workspace_id, plan, status, current_period_end)
SELECT id, CASE WHEN random() < 0.3 THEN 'studio' ELSE 'creator' END, 'active', now() + random() * interval '30 days'
FROM workspaces;

INSERT INTO connected_accounts (id, workspace_id, platform, external_id, expires_at)
SELECT md5('account-' || n)::uuid, md5('workspace-' || 1 + n % 12)::uuid,
       CASE WHEN n <= 12 THEN 'youtube' ELSE 'tiktok' END, 'UC' || left(md5('channel' || n), 20), now() + interval '40 days'
FROM generate_series(1, 24) n;

INSERT INTO projects (id, workspace_id, title, status, created_at, updated_at)
SELECT md5('project-' || n)::uuid, md5('workspace-' || 1 + n % 12)::uuid, 'Episode ' || n,
       CASE WHEN n <= 36 THEN 'draft' WHEN n <= 200 THEN 'ready' ELSE 'archived' END,
       now() - n * interval '3 hours', now() - n * interval '2 hours'
FROM generate_series(1, 240) n;

INSERT INTO clips (id, project_id, title, duration_ms, views, created_at)
SELECT md5('clip-' || n)::uuid, md5('project-' || 1 + n % 240)::uuid, 'Highlight ' || n,
       15000 + (random() * 45000)::int, (random() * 9000)::int, now() - random() * interval '20 days'
FROM generate_series(1, 960) n;

INSERT INTO schedules (id, workspace_id, clip_id, connected_account_id, publish_at, status, created_at)
SELECT md5('schedule-' || n)::uuid, md5('workspace-' || 1 + n % 12)::uuid, md5('clip-' || 1 + n % 960)::uuid,
       md5('account-' || CASE WHEN random() < 0.58 THEN 1 + n % 12 ELSE 13 + n % 12 END)::uuid,
       at, 'published', at - random() * interval '5 hours'
FROM generate_series(1, 1500) n,
     LATERAL (SELECT now() - interval '50 seconds' - random() * sign(n - 1) * interval '23.9 hours') AS a (at);

INSERT INTO schedules (workspace_id, clip_id, connected_account_id, publish_at)
SELECT md5('workspace-' || 1 + n % 12)::uuid, md5('clip-' || n)::uuid, md5('account-' || 1 + n % 24)::uuid,
       now() + interval '10 seconds' + n * interval '25 seconds'
FROM generate_series(1, 60) n;

CREATE TEMPORARY TABLE kinds (kind text, shortest float, longest float, failing float) ON COMMIT PRESERVE ROWS;
INSERT INTO kinds VALUES
    ('PUBLISH_YOUTUBE', 4, 12, 0.018), ('PUBLISH_TIKTOK', 4, 12, 0.022), ('TRANSCRIBE', 6, 18, 0.012),
    ('HIGHLIGHT_DETECT', 4, 12, 0.016), ('CLIP_RENDER', 10, 28, 0.008);

CREATE TEMPORARY TABLE past AS
SELECT CASE a.platform WHEN 'youtube' THEN 'PUBLISH_YOUTUBE' ELSE 'PUBLISH_TIKTOK' END AS kind,
       s.publish_at + random() * interval '10 seconds' AS created_at,
       jsonb_build_object('schedule_id', s.id, 'clip_id', s.clip_id, 'account_id', a.id) AS payload
FROM schedules s JOIN connected_accounts a ON a.id = s.connected_account_id
WHERE s.status = 'published'
UNION ALL
SELECT CASE WHEN n % 10 < 6 THEN 'CLIP_RENDER' WHEN n % 10 < 8 THEN 'TRANSCRIBE' ELSE 'HIGHLIGHT_DETECT' END,
       now() - interval '2 minutes' - random() * interval '23.9 hours',
       jsonb_build_object('clip_id', md5('clip-' || 1 + n % 960)::uuid, 'project_id', md5('project-' || 1 + n % 240)::uuid)
FROM generate_series(1, 4500) n;

INSERT INTO jobs (kind, status, worker_id, last_heartbeat, run_after, created_at, payload, attempts, error, finished_at)
SELECT kind, CASE WHEN lost THEN 'failed' ELSE 'succeeded' END, 'worker-fra1-' || 1 + floor(random() * 3),
       done, created_at, created_at, payload, CASE WHEN lost THEN 3 ELSE 1 END,
       CASE WHEN lost THEN CASE kind
           WHEN 'PUBLISH_YOUTUBE' THEN 'YouTube 403: The request exceeds your quota, request ' || left(md5(random()::text), 12)
           WHEN 'PUBLISH_TIKTOK' THEN 'TikTok 429: rate_limit_exceeded, log id ' || (random() * 1e12)::bigint
           WHEN 'TRANSCRIBE' THEN 'Deepgram 504: no answer within 30000 ms, request ' || left(md5(random()::text), 12)
           WHEN 'HIGHLIGHT_DETECT' THEN 'OpenAI 503: the server is overloaded, request req_' || left(md5(random()::text), 12)
           ELSE 'Encoder 422: invalid data found at frame ' || (random() * 9000)::int END END,
       done
FROM (
    SELECT p.*, random() < k.failing AS lost,
           p.created_at + interval '1 second' * (1 + k.shortest + random() * (k.longest - k.shortest)) AS done
    FROM past p JOIN kinds k USING (kind)
) a;

-- What is waiting now, so that the first minute is not empty.
INSERT INTO jobs (kind, run_after, payload)
SELECT (ARRAY['CLIP_RENDER', 'TRANSCRIBE', 'CLIP_RENDER', 'HIGHLIGHT_DETECT'])[1 + n % 4], now() + n * interval '7 seconds',
       jsonb_build_object('clip_id', md5('clip-' || n)::uuid, 'project_id', md5('project-' || n)::uuid)
FROM generate_series(0, 11) n;

UPDATE schedules s SET status = 'failed'
FROM jobs j WHERE j.status = 'failed' AND j.payload ->> 'schedule_id' = s.id::text;

DROP TABLE kinds, past;
ANALYZE;
