"""The remedies that jobs offer: retry a failed one, unlock one whose worker is gone, cancel one that is stuck or unwanted.

Each reads the job's row as it is now, sends one request to the admin endpoint, and reads the row again for the proof. Between
plan and request the row is read once more: what is no longer as planned is not asked for at all; the endpoint's own guard
(409) covers the rest. A failure group's or a kind's row stands for its jobs, newest first, up to the config's `bulk`.

Retry and unlock *change*: the job runs (again), as it was meant to. Cancel *destroys*: no endpoint brings a cancelled job
back, and what it was to do is not done.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from tui.engine.actions import Action, Context, Item, Outcome, Plan, PlanRefused, Proof, Result
from tui.engine.reading import Row
from tui.engine.text import Shown, clean
from tui.engine.units import show_duration

from . import admin
from .config import JobsConfig
from .failures import FAILURE
from .jobs_now import of_group, these_jobs
from .remedies import CANCEL, RETRY, UNLOCK, Job, Remedy
from .rows import KIND, short

PROOF_WITHIN = 30.0
NO_ADMIN = 'no admin URL: write  admin = "https://…/api/admin/jobs"  in the config'


# --- the four steps -------------------------------------------------------------------------------------------------------


async def plan(remedy: Remedy, keys: Sequence[str], context: Context) -> Plan:
    """The jobs behind the keys as they are now, and exactly what would be sent. Raises PlanRefused or ProbeError."""
    config: JobsConfig = context.settings
    if config.admin is None:
        raise PlanRefused(NO_ADMIN)
    jobs, left_out = await _jobs(remedy, keys, context)
    several = len(jobs) > 1
    named = f"{len(jobs)} jobs" if several else f"{jobs[0]['kind']} {short(jobs[0]['id'])}"
    request = admin.shown_request(config, jobs[0]["id"], remedy.verb)
    return Plan(
        action=f"{context.panel}.{remedy.verb}",
        panel=context.panel,
        title=clean(f"{remedy.verb} {named}"),
        effect=remedy.effect,
        what=clean(remedy.what.format(named) + (", one after the other" if several else "")),
        items=tuple(_item(job) for job in jobs),
        facts=_facts(remedy, left_out),
        request=(*request, clean(f"…and the same for {len(jobs) - 1} more")) if several else request,
        confirm=f"{len(jobs)} jobs" if several else short(jobs[0]["id"]),
        proof_within=PROOF_WITHIN,
    )


async def _jobs(remedy: Remedy, keys: Sequence[str], context: Context) -> tuple[list[Job], str]:
    """The jobs that the remedy is for, and in words which of the wanted ones are left out. Raises PlanRefused where none is."""
    config: JobsConfig = context.settings
    groups = [key for key in keys if key.startswith((FAILURE, KIND))]
    if groups and remedy is CANCEL:
        raise PlanRefused("cancel takes single jobs, as it cannot be undone: mark those you mean")
    if groups and remedy is UNLOCK and groups[0].startswith(FAILURE):
        raise PlanRefused("failed jobs are not locked: retry them")
    found: dict[str, Job] = {}
    unfit: list[str] = []
    for job in await these_jobs([key for key in keys if key not in groups], context):
        problem = "there is no such job" if job["status"] is None else remedy.fits(job, config) or _unspeakable(job)
        if problem:
            unfit.append(f"{short(job['id'])}: {problem}")
        else:
            found[job["id"]] = job
    wanted = config.states.failed if remedy is RETRY else config.states.running
    for group in groups:
        members = await of_group(group, wanted, config.bulk + 1, lambda job: not remedy.fits(job, config), context)
        found.update((job["id"], job) for job in members if not _unspeakable(job))
    if not found:
        raise PlanRefused("; ".join(unfit) or f"there is no {remedy.state} job in it any more, of the last 24 h")
    if len(found) > config.bulk:
        unfit.append(f"all beyond the newest {config.bulk} (`bulk`): run it again for the rest")
    return list(found.values())[: config.bulk], "; ".join(unfit)


def _unspeakable(job: Job) -> str:
    """Why a job cannot be named in a URL: a path of dots leads elsewhere."""
    return "its id cannot stand in a URL" if job["id"] in ("", ".", "..") else ""


def _item(job: Job) -> Item:
    """One job as it is now. The guard is that whole row: what must not have changed is looked up in it."""
    heard = f", last heard {show_duration(job['heartbeat_age'])} ago" if job["heartbeat_age"] is not None else ", never heard"
    facts = [("job", job["id"]), ("status", f"{job['status']}, created {show_duration(job['age'])} ago")]
    if job["worker"]:
        facts.append(("worker", f"{job['worker']}{heard}"))
    if job["attempts"] is not None:
        facts.append(("attempts", str(job["attempts"])))
    if job["error"]:
        facts.append(("error", job["error"]))
    title = clean(f"{job['kind']} {short(job['id'])}")
    return Item(job["id"], title, tuple((Shown(name), clean(value)) for name, value in facts), job)


def _facts(remedy: Remedy, left_out: str) -> tuple[tuple[Shown, Shown], ...]:
    """The lines between what would be done and the confirmation."""
    same = "".join(f", {words}" for words in remedy.steady.values())
    facts = [
        ("undone" if remedy is CANCEL else "then", remedy.undone),
        ("left out", left_out),
        ("acts if", f"it is still {remedy.state}{same}; looked at again just before"),
        ("proof", f"the job's row, read again, for {show_duration(PROOF_WITHIN)}"),
    ]
    return tuple((Shown(name), clean(says)) for name, says in facts if says)


async def execute(remedy: Remedy, item: Item, plan: Plan, context: Context, key: str) -> Outcome:
    """Looks once more, then asks the admin endpoint, once. Raises ProbeError where it could not look: nothing was sent."""
    config: JobsConfig = context.settings
    (job,) = await these_jobs([item.key], context)
    if job["status"] is None:
        return Outcome(Result.CHANGED, Shown("the job is gone; nothing was sent"))
    if problem := remedy.fits(job, config):
        return Outcome(Result.CHANGED, clean(f"{problem}; nothing was sent"))
    for column in remedy.steady:
        if job[column] != item.guard[column]:
            says = f"{column} is now {job[column]}, not {item.guard[column]}; nothing was sent"
            return Outcome(Result.CHANGED, clean(says))
    if job["status"] != item.guard["status"]:
        return Outcome(Result.CHANGED, clean(f"it is {job['status']} now, not {item.guard['status']}; nothing was sent"))
    return await admin.send(config, context.tools, context.panel, item.key, remedy.verb, key)


async def verify(remedy: Remedy, item: Item, plan: Plan, context: Context) -> Proof:
    """The job's row, read again. Raises ProbeError where it cannot be."""
    (job,) = await these_jobs([item.key], context)
    if job["status"] is None:
        return Proof(True if remedy is CANCEL else None, Shown("its row is gone"))
    return remedy.seen(dict(item.guard), job, context.settings)


# --- which rows offer it --------------------------------------------------------------------------------------------------


def offered(remedy: Remedy, row: Row, config: JobsConfig) -> Shown | None:
    """Why a row does not offer the remedy now; None where it does."""
    says = NO_ADMIN if config.admin is None else _not_for(remedy, row, config)
    return clean(says) if says else None


def _not_for(remedy: Remedy, row: Row, config: JobsConfig) -> str:
    """Why the remedy is not for this row, empty where it is."""
    match row.group:
        case "job":
            return remedy.fits({"status": row.cells["status"], "heartbeat_age": row.cells["heartbeat"]}, config)
        case "kind" | "failure" if remedy is CANCEL:
            return "cancel takes single jobs, as it cannot be undone: mark those you mean"
        case "kind" if remedy is RETRY:
            return "" if row.cells["failed_24h"] or row.cells["failed_10m"] else "none of this kind failed in 24 h"
        case "kind":
            return "" if row.cells["stuck"] else "none of this kind is stuck"
        case "failure":
            return "" if remedy is RETRY else "failed jobs are not locked: retry them"
        case _:
            return f"{remedy.verb} is for jobs"


def _action(remedy: Remedy, key: str, says: str) -> Action:
    """The remedy as the gate takes it."""
    return Action(
        verb=remedy.verb,
        key=key,
        title=Shown(f"{remedy.verb} the job"),
        help=Shown(says),
        effect=remedy.effect,
        plan=partial(plan, remedy),
        offered=partial(offered, remedy),
        execute=partial(execute, remedy),
        verify=partial(verify, remedy),
        bulk=True,
    )


ACTIONS = (
    _action(RETRY, "R", "run a failed job again; from a kind's or a failure's row, all of its failed jobs"),
    _action(CANCEL, "X", "end a job that waits or runs, for good"),
    _action(UNLOCK, "U", "give a stuck job back to the queue; from a kind's row, all that are stuck"),
)
