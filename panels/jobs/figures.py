"""What was learnt of the queue as signals, and in the words that must stand beside them. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from tui.engine.clock import clock_time
from tui.engine.reading import Signal, signal
from tui.engine.text import Shown, clean

from .config import JobsConfig
from .look import QUEUE_LIMIT, Kept
from .window import Counts

FAILED_WITHIN = 600.0
"""Seconds over which lately failed jobs are counted: cliply's ten minutes."""
MOST_KINDS = 100


class KindFigures(Struct, frozen=True):
    """One kind of job. `oldest_due` is in seconds, 0 where nothing is due; `failed` and `created` are over 24 h, None while
    these are not known; so is `failed_lately` until it was watched for as long as it counts."""

    kind: str
    queued: int
    due: int
    oldest_due: float
    running: int
    stuck: int
    created: int | None
    failed: int | None
    failed_lately: int | None

    @property
    def failure_rate(self) -> float | None:
        """Failed / created in 24 h."""
        return self.failed / self.created if self.created and self.failed is not None else None


def by_kind(config: JobsConfig, kept: Kept) -> list[KindFigures]:
    """Every kind that is known, by name."""
    waiting = {row["kind"] or "": row for row in kept.queue}
    counts = kept.window.by_kind if kept.window.complete else {}
    lately = kept.failures.since_minutes(FAILED_WITHIN, kept.now)
    running = [(row["kind"] or "", is_stuck(row["heartbeat_age"], config)) for row in kept.running.values()]
    watched = watched_whole(kept)
    # One that fired before a restart is no less bad for not having been read yet.
    unread = () if kept.window.complete and watched else kept.alerting
    kinds = sorted({*config.kinds, *waiting, *counts, *lately, *(kind for kind, _ in running), *unread})
    found = []
    for kind in kinds:
        row, day = waiting.get(kind), counts.get(kind, Counts())
        found.append(
            KindFigures(
                kind,
                queued=row["queued"] if row else 0,
                due=row["due"] if row else 0,
                oldest_due=max(0.0, row["oldest_due"] or 0.0) if row else 0.0,
                running=sum(1 for each, _ in running if each == kind),
                stuck=sum(1 for each, stuck in running if each == kind and stuck),
                created=day.total if kept.window.complete else None,
                failed=day.failed if kept.window.complete else None,
                failed_lately=lately.get(kind, 0) if watched or kind in lately else None,
            )
        )
    return found


def listed(kinds: Sequence[KindFigures], config: JobsConfig, kept: Kept) -> list[KindFigures]:
    """At most so many kinds: those that the config names or that have an open alert, however many, and the first of the
    others."""
    first = {*config.kinds, *kept.alerting}
    others = [each.kind for each in kinds if each.kind not in first]
    shown = first.union(others[: max(0, MOST_KINDS - len(first))])
    return [each for each in kinds if each.kind in shown]


def is_stuck(heartbeat_age: float | None, config: JobsConfig) -> bool:
    """Whether a running job's worker has been silent for too long, or was never heard."""
    return heartbeat_age is None or heartbeat_age > config.stuck_after


def has_times(kept: Kept) -> bool:
    """Whether jobs say themselves when they ended."""
    return kept.shape is not None and "finished_at" in kept.shape.optional


def watched_whole(kept: Kept) -> bool:
    """Whether all that failed lately is known: jobs say when, or it was watched for as long."""
    if has_times(kept):
        return kept.window.complete and not kept.unread
    return kept.failures.since is not None and kept.now - kept.failures.since >= FAILED_WITHIN


def newest_heartbeat(kept: Kept) -> float | None:
    """Seconds since any worker was heard; None where none was in 24 h."""
    return max(0.0, kept.now - max(kept.heartbeats.values())) if kept.heartbeats else None


def worker_silence(kinds: list[KindFigures], kept: Kept) -> float | None:
    """Seconds for which no worker was heard although there was work: None while there is none, as idle workers say nothing."""
    heard = newest_heartbeat(kept)
    if any(each.running for each in kinds):
        return heard if heard is not None else max(row["due_age"] or row["age"] for row in kept.running.values())
    waited = max((each.oldest_due for each in kinds if each.due), default=None)
    if waited is None:
        return None
    return waited if heard is None else min(heard, waited)


def signals(config: JobsConfig, kept: Kept) -> tuple[Signal, ...]:
    """Every signal of the queue. Who runs, and whose heart beats, is not known before the whole day was read once."""
    kinds, whole = by_kind(config, kept), kept.window.complete
    found = [made for each in listed(kinds, config, kept) for made in _of_kind(each, whole=whole)]
    critical = [each.failed_lately for each in kinds if config.is_critical(each.kind)]
    known = [each for each in critical if each is not None]
    heard = [at for at in kept.heartbeats.values() if kept.now - at <= config.stuck_after]
    silence = worker_silence(kinds, kept)
    found += [
        signal("stuck", sum(each.stuck for each in kinds) if whole else None),
        signal("workers", len(heard) if whole else None),
        signal("worker_heartbeat", newest_heartbeat(kept) if whole else None, "s"),
        signal("throughput", kept.throughput(), "1/s"),
        signal("critical_failed_10m", sum(known) if any(known) or len(known) == len(critical) else None),
    ]
    if silence is not None or not whole:  # no work, no series: an alert on it is over then, not merely undecided
        found.append(signal("worker_silence", silence if whole else None, "s"))
    return tuple(found)


def _of_kind(each: KindFigures, *, whole: bool) -> list[Signal]:
    """The signals of one kind; `whole` is whether all that runs is known."""
    return [
        signal("queued", each.queued, kind=each.kind),
        signal("due", each.due, kind=each.kind),
        signal("oldest_due", each.oldest_due, "s", kind=each.kind),
        signal("running", each.running if whole else None, kind=each.kind),
        signal("failure_rate", each.failure_rate, "ratio", kind=each.kind),
        signal("failed_10m", each.failed_lately, kind=each.kind),
    ]


def notes(kept: Kept) -> tuple[Shown, ...]:
    """What a person must know to read the figures rightly."""
    assert kept.shape is not None
    found = []
    if not kept.window.complete:
        found.append(Shown("the last 24 h are still being read: no failure rates yet, nor all that runs"))
    if sum(row["queued"] for row in kept.queue) >= QUEUE_LIMIT:
        found.append(Shown(f"queue: at least; counted among the {QUEUE_LIMIT:,} that are due first"))
    if not has_times(kept) and not watched_whole(kept) and kept.failures.since is not None:
        since = clock_time(kept.failures.since)
        found.append(Shown(f"failed in 10m: those seen to fail since {since}, as jobs have no finished-at"))
    if kept.shape.guarded:
        found.append(clean(f"row-level security is active for {kept.shape.role}: jobs may be hidden from it"))
    if kept.beyond_at is None:
        found.append(Shown("running since before 24 h: not known, the look for them had no answer"))
    return tuple(found)
