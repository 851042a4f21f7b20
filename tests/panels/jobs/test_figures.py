"""What of very many kinds is told."""

from __future__ import annotations

from panels.jobs.config import JobsConfig
from panels.jobs.figures import MOST_KINDS, by_kind, listed, signals
from panels.jobs.look import Kept
from panels.jobs.window import Window


def test_of_very_many_kinds_those_are_told_that_are_named_or_have_an_open_alert() -> None:
    config = JobsConfig.model_validate({"dsn": "host=localhost dbname=x", "kinds": ["ZULU"]})
    kept = Kept(
        window=Window(complete=True),
        queue=[{"kind": f"KIND_{number:03}", "queued": 2, "due": 0, "oldest_due": 0.0} for number in range(150)],
    )
    assert "KIND_149" not in {each.kind for each in listed(by_kind(config, kept), config, kept)}
    kept.alerting = frozenset({"KIND_149"})
    kinds = [each.kind for each in listed(by_kind(config, kept), config, kept)]
    assert kinds == [f"KIND_{number:03}" for number in range(98)] + ["KIND_149", "ZULU"]
    assert len(kinds) == MOST_KINDS
    assert sum(each.name == "queued" for each in signals(config, kept)) == MOST_KINDS


def test_before_the_whole_day_was_read_nothing_that_it_may_hold_counts_as_well() -> None:
    """After a restart on a large queue: what fired before ends neither by half a count nor by its absence."""
    config = JobsConfig.model_validate({"dsn": "host=localhost dbname=x"})
    kept = Kept(alerting=frozenset({"CLIP_RENDER"}))
    found = {each.key: each.value for each in signals(config, kept)}
    kinds = [f'{name}{{kind="CLIP_RENDER"}}' for name in ("running", "failure_rate", "failed_10m")]
    told = ["stuck", "workers", "worker_heartbeat", "worker_silence", *kinds]
    assert [found[each] for each in told] == [None] * len(told)
    kept.window.complete = True
    assert "worker_silence" not in {each.name for each in signals(config, kept)}, "there is no work"
