"""What tells retry, cancel and unlock apart: for which jobs each is, and what in a job's row proves it. Pure.

Retry and unlock *change*: the job runs (again), as it was meant to. Cancel *destroys*: no endpoint brings a cancelled job
back, and what it was to do is not done.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct

from tui.engine.actions import Effect, Proof
from tui.engine.text import Shown, clean
from tui.engine.units import show_duration

from .config import JobsConfig
from .figures import is_stuck

Job = dict[str, Any]
"""A job's row as `job.sql` reads it."""


class Remedy(Struct, frozen=True):
    """What tells the three apart.

    `what` is the effect in a line, with `{}` for the jobs; `undone` what comes after it, or is lost. `fits(job, config)`
    answers why a job as it is now is none for it, empty where it is one. `steady` are the columns that must still be as
    planned when the request is sent, with that in words. `seen(before, job, config)` is the proof in the job's row.
    """

    verb: str
    effect: Effect
    state: str
    what: str
    undone: str
    fits: Callable[[Job, JobsConfig], str]
    steady: Mapping[str, str]
    seen: Callable[[Job, Job, JobsConfig], Proof]


# --- which job is one for which remedy ------------------------------------------------------------------------------------


def _is_failed(job: Job, config: JobsConfig) -> str:
    return "" if job["status"] == config.states.failed else f"it is {job['status']}: only a failed job is retried"


def _is_unfinished(job: Job, config: JobsConfig) -> str:
    if job["status"] in (config.states.queued, config.states.running):
        return ""
    return f"it is {job['status']}: only a job that waits or runs can be cancelled"


def _is_left(job: Job, config: JobsConfig) -> str:
    if job["status"] != config.states.running:
        return f"it is {job['status']}: only a running job is locked"
    if is_stuck(job["heartbeat_age"], config):
        return ""
    heard = show_duration(job["heartbeat_age"])
    return f"its worker was heard {heard} ago: it might run twice (let it be silent for {show_duration(config.stuck_after)})"


# --- what proves it -------------------------------------------------------------------------------------------------------


def _retried(before: Job, job: Job, config: JobsConfig) -> Proof:
    if job["status"] != config.states.failed:
        return Proof(True, clean(f"it is {job['status']}{_by(job)}"))
    if job["attempts"] != before["attempts"] or _ended_later(before, job):
        return Proof(True, clean(f"it ran again and failed again: {job['error'] or 'no error text'}"))
    return Proof(None, Shown("it is still failed"))


def _cancelled(before: Job, job: Job, config: JobsConfig) -> Proof:
    if job["status"] == config.states.cancelled:
        return Proof(True, clean(f"it is {job['status']}"))
    if job["status"] in (config.states.queued, config.states.running):
        return Proof(None, clean(f"it is still {job['status']}{_by(job)}"))
    return Proof(False, clean(f"it ended by itself: it is {job['status']}"))


def _unlocked(before: Job, job: Job, config: JobsConfig) -> Proof:
    if job["status"] != config.states.running:
        return Proof(True, clean(f"it is {job['status']}"))
    if job["worker"] != before["worker"] or not is_stuck(job["heartbeat_age"], config):
        return Proof(True, clean(f"it runs again{_by(job)}"))
    return Proof(None, clean(f"it is still locked{_by(job)}"))


def _by(job: Job) -> str:
    return f" by {job['worker']}" if job["worker"] else ""


def _ended_later(before: Job, job: Job) -> bool:
    """Whether it ended anew since the plan was made: its end is younger than the look before."""
    if job["finished_age"] is None or before["finished_age"] is None:
        return False
    return bool(job["finished_age"] < before["finished_age"])


RETRY = Remedy(
    "retry",
    Effect.CHANGES,
    "failed",
    "runs {} again",
    "it waits for a worker; until then it can be cancelled",
    _is_failed,
    {"attempts": "tried no more often"},
    _retried,
)
CANCEL = Remedy(
    "cancel",
    Effect.DESTROYS,
    "waiting or running",
    "cancels {} for good",
    "nothing: a cancelled job is not brought back, what it was to do is not done",
    _is_unfinished,
    {"worker": "with the same worker"},
    _cancelled,
)
UNLOCK = Remedy(
    "unlock",
    Effect.CHANGES,
    "stuck",
    "gives {} back to the queue",
    "it is taken up anew",
    _is_left,
    {"worker": "with the same worker"},
    _unlocked,
)
