"""Recent deployments of one Vercel project: what was built, what failed, which one serves, which was good before it.

Two questions a poll (a third where the last 24 h need another page), read only. A deployment that went live is a *change*,
marked on every chart; one that an alert follows says so. The rollback hint names the way back and never takes it.
"""

from __future__ import annotations

from tui.engine.layout import Column
from tui.engine.panel import Card, DefaultRule, Probe, SignalSpec, Threshold
from tui.engine.text import Shown

from .config import DeploysConfig, interval
from .probe import ask

CARD = Card(
    kind="deploys",
    title="deployments on Vercel",
    config=DeploysConfig,
    probes=(Probe("deployments", ask, every=interval),),
    signals=(
        SignalSpec("newest_failed", "count", "1 where the newest production deployment that ended has failed", "higher"),
        SignalSpec("deployments_failed_24h", "count", "deployments made in the last 24 h that failed", "higher"),
        SignalSpec("success_rate", "ratio", "of the deployments read that ended, the share that became ready", "lower"),
        SignalSpec("last_deploy_age", "s", "time since a deployment last went live by itself"),
        SignalSpec("building", "count", "deployments that are queued or being built"),
    ),
    columns=(
        Column("commit", Shown("commit"), 7),
        Column("branch", Shown(""), 10, rank=1),
        Column("state", Shown("state"), 8),
        Column("at", Shown("at"), 9),
        Column("says", Shown(""), 12, grows=True),
        Column("author", Shown("by"), 14, rank=2),
        Column("built_in", Shown("built in"), 8, "s", rank=3),
    ),
    units={"created": "utc", "age": "duration", "live_since": "utc", "served_for": "duration"},
    rules=(
        DefaultRule(
            "FailedDeployment",
            "newest_failed",
            "above",
            (Threshold("P2", 0.0),),
            "What was meant to go out did not; the one before it still serves.",
        ),
    ),
    view="panels.deploys.view:view",
    actions="panels.deploys.actions:ACTIONS",
    check="panels.deploys.check:check",
    example="""\
[[panel]]
kind = "deploys"
# A token that may read the project; a team's project needs its team.
vercel = { project = "prj_123", token = "env:VERCEL_TOKEN" }
# vercel = { project = "prj_123", token = "env:VERCEL_TOKEN", team = "team_123" }
# limit = 20                      # how many are listed
# target = "all"                  # previews too
# rollback_command = "vercel rollback {url}"    # what the rollback hint offers
""",
)
