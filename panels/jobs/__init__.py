"""The job queue: what waits, what runs, what is stuck, what fails and why; and the schedules that jobs are made from.

Reads the queue's tables with a handful of short statements a poll (the `.sql` files say what each costs), and offers the
admin endpoints' remedies: retry, cancel, unlock. Writes nothing to the database itself.
"""

from __future__ import annotations

from tui.engine.layout import Column
from tui.engine.panel import Card, DefaultRule, Probe, SignalSpec, Threshold
from tui.engine.text import Shown

from .config import JobsConfig
from .probe import ask
from .schedules import ask as ask_schedules

KIND = ("kind",)

CARD = Card(
    kind="jobs",
    title="Job queue",
    config=JobsConfig,
    probes=(Probe("queue", ask), Probe("schedules", ask_schedules)),
    signals=(
        SignalSpec("queued", "count", "jobs that wait, due or not", "higher", KIND),
        SignalSpec("due", "count", "jobs that wait and are due", "higher", KIND),
        SignalSpec("oldest_due", "s", "how long the oldest job has been due; 0 where none is", "higher", KIND),
        SignalSpec("running", "count", "jobs that a worker has", None, KIND),
        SignalSpec("failure_rate", "ratio", "failed / created, of the jobs created in the last 24 h", "higher", KIND),
        SignalSpec("failed_10m", "count", "jobs that failed in the last 10 min", "higher", KIND),
        SignalSpec(
            "critical_failed_10m", "count", "jobs of `critical` kinds that failed in the last 10 min, together", "higher"
        ),
        SignalSpec("stuck", "count", "running jobs whose worker was silent for `stuck_after`, or never heard", "higher"),
        SignalSpec("workers", "count", "workers heard within `stuck_after`", "lower"),
        SignalSpec("worker_heartbeat", "s", "time since any worker was heard; idle workers say nothing", "higher"),
        SignalSpec("worker_silence", "s", "time for which no worker was heard though jobs were due or running", "higher"),
        SignalSpec("throughput", "1/s", "jobs that ended, over the last minute", None),
        SignalSpec(
            "overdue_schedules", "count", "schedules that are due and not taken up; the scan runs each minute", "higher"
        ),
        SignalSpec("oldest_overdue", "s", "how long the oldest of these has been due; 0 where none is", "higher"),
        SignalSpec("orphan_schedules", "count", "schedules due for more than 2 min from which no job was made", "higher"),
        SignalSpec(
            "cron_age",
            "s",
            "time since a job was last made from a schedule: the nearest one comes to cron's last run",
            "higher",
        ),
    ),
    columns=(
        Column("what", Shown("kind"), 18, grows=True),
        Column("queued", Shown("queued"), 6, "count"),
        Column("running", Shown("run"), 4, "count", rank=1),
        Column("rate", Shown("fail 24h"), 8, "ratio"),
        Column("age", Shown("for"), 6, "s"),
        Column("says", Shown("says"), 14, rank=2, grows=True),
        Column("spark", Shown("due"), 10, "spark", rank=3),
    ),
    units={
        "oldest_due": "duration",
        "failure_rate": "ratio",
        "newest": "duration",
        "newest_created": "duration",
        "heartbeat": "duration",
        "due_since": "duration",
        "created": "duration",
        "ended": "duration",
    },
    rules=(
        DefaultRule(
            "StuckJobs",
            "stuck",
            "above",
            (Threshold("P1", 0),),
            "cliply: a job that runs without a heartbeat for 5 min is stuck.",
        ),
        DefaultRule(
            "NoWorker", "worker_silence", "above", (Threshold("P1", 120),), "There is work, and no worker was heard for 2 min."
        ),
        DefaultRule(
            "PublishFailures",
            "critical_failed_10m",
            "above",
            (Threshold("P1", 10),),
            "cliply: more than 10 PUBLISH_YOUTUBE or PUBLISH_TIKTOK jobs failed in 10 min.",
        ),
        DefaultRule(
            "JobFailureRate",
            "failure_rate",
            "above",
            (Threshold("P2", 0.10),),
            "cliply: less than 5 % of a day's jobs fail when well.",
        ),
        DefaultRule(
            "OverdueSchedules",
            "oldest_overdue",
            "above",
            (Threshold("P2", 120),),
            "cliply: the scan runs each minute, so a schedule is taken up within two.",
        ),
    ),
    view="panels.jobs.view:view",
    actions="panels.jobs.actions:ACTIONS",
    check="panels.jobs.check:check",
    example="""\
[[panel]]
kind = "jobs"
dsn = "env:DATABASE_URL"                            # a role that may SELECT from jobs and schedules
# What the keys R, X and U need; they also stand in [actions] allow = ["jobs.*"].
# admin = "https://shop.example/api/admin/jobs"     # POST …/{id}/retry, …/cancel, …/unlock
# token = "env:ADMIN_TOKEN"                         # sent as  Authorization: Bearer …
# critical = ["PUBLISH_*"]                          # more than 10 of these failed in 10 min is a P1
# [panel.tables]                                    # only where they differ
# jobs = "public.jobs"
# schedules = ""                                    # there are none
# [panel.columns]
# heartbeat = "last_heartbeat"
""",
)
