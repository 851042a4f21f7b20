"""The faults by name: what each does, and what clears it. Data alone, so that a command can list it at no cost."""

from typing import Final, NamedTuple


class Entry(NamedTuple):
    """One fault as a person reads of it. `panel` is the one whose status changes."""

    name: str
    panel: str
    about: str
    clears_by: str


CATALOGUE: Final = (
    Entry(
        "api-5xx",
        "metrics",
        "a company that one route depends on refuses 40-60 % of its calls: the route answers 502",
        "none: clears when the source recovers (watchfloor demo heal api-5xx)",
    ),
    Entry(
        "api-slow",
        "metrics",
        "what one or two routes depend on takes 5.5-8 s: their p95 and the overall one pass 5 s",
        "none: clears when the source recovers (watchfloor demo heal api-slow)",
    ),
    Entry(
        "health-down",
        "health",
        "one component breaks: a setting, the database login, the object store, the cache, or the media port refuses",
        "none: clears when the source recovers (watchfloor demo heal health-down)",
    ),
    Entry(
        "db-pool",
        "database",
        "an application leaks connections until none is left but the superuser's (one of them ended, it lets go of all)",
        "watchfloor demo heal db-pool",
    ),
    Entry(
        "slow-query",
        "database",
        "a session idles in its transaction and holds a row that 2-5 others wait for; beside it its long statement",
        "database.terminate (key T) on the root of the tree",
    ),
    Entry(
        "stuck-jobs",
        "jobs",
        "4-12 jobs are running by a worker that is gone: their heartbeat stopped 6-30 min ago",
        "jobs.unlock (key U) on each of them",
    ),
    Entry(
        "job-failures",
        "jobs",
        "one kind of job fails with one signature, since half an hour: more than 10 % of the day's, > 10 in 10 min",
        "watchfloor demo heal job-failures, then jobs.retry (key R) on the failed ones",
    ),
    Entry(
        "cron-stalled",
        "jobs",
        "the schedule scan has not been called for 6-15 min: 6-20 schedules are overdue at once, and more become so",
        "watchfloor demo heal cron-stalled",
    ),
    Entry(
        "worker-dead",
        "jobs",
        "the worker process is killed: heartbeats stop, 20-60 jobs are due, and the queue grows",
        "watchfloor demo heal worker-dead",
    ),
    Entry(
        "bad-deploy",
        "metrics",
        "a new production deployment breaks one route for 35-60 % of its requests",
        "watchfloor demo rollback ID, with the id of the last good deployment",
    ),
    Entry(
        "surge",
        "metrics",
        "three to four times as many requests as usual, over all routes or for one or two pages; none of them fails for it",
        "none: clears when the source recovers (watchfloor demo heal surge)",
    ),
    Entry(
        "models-down",
        "metrics",
        "OpenAI or Anthropic refuses 20-40 % of the calls: the other stands in, so that no request fails",
        "none: clears when the source recovers (watchfloor demo heal models-down)",
    ),
    Entry(
        "scan-slow",
        "metrics",
        "another application keeps the turn that the schedule scan waits for: each scan takes 11-14 s, the first up to 24 s",
        "watchfloor demo heal scan-slow, or database.terminate (key T) on the session that it waits for",
    ),
    Entry(
        "slow-statements",
        "database",
        "an export asks for 7-10 pages at a time, 1.2-1.8 s each: fewer than 95 of 100 statements are fast",
        "watchfloor demo heal slow-statements",
    ),
    Entry(
        "db-grows",
        "database",
        "an import fills a table that nobody empties: 84-90 % of the quota at once, and more each ten seconds",
        "watchfloor demo heal db-grows",
    ),
    Entry(
        "deploy-failed",
        "deploys",
        "the newest production deployment ends in an error; the one before it still serves",
        "none: clears with the next deployment (watchfloor demo heal deploy-failed)",
    ),
)
NAMES: Final = tuple(entry.name for entry in CATALOGUE)
