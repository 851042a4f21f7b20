-- What is read of a single job; other statements put this list in place of {job}. Ages are seconds by the server's clock.
{id}::text AS id,
{kind}::text AS kind,
{status}::text AS status,
{worker}::text AS worker,
date_part('epoch', now() - {heartbeat}) AS heartbeat_age,
date_part('epoch', now() - {run_after}) AS due_age,
date_part('epoch', now() - {created_at}) AS age,
{attempts}::int AS attempts,
left({error}::text, 1000) AS error,
date_part('epoch', now() - {finished_at}) AS finished_age,
date_part('epoch', {created_at}) AS created
