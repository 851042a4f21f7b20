"""What of very many kinds is told."""

from __future__ import annotations

from panels.jobs.config import JobsConfig
from panels.jobs.figures import MOST_KINDS, by_kind, listed, signals
from panels.jobs.look import Kept


def test_of_very_many_kinds_those_are_told_that_are_named_or_have_an_open_alert() -> None:
    config = JobsConfig.model_validate({"dsn": "host=localhost dbname=x", "kinds": ["ZULU"]})
    kept = Kept(queue=[{"kind": f"KIND_{number:03}", "queued": 2, "due": 0, "oldest_due": 0.0} for number in range(150)])
    assert "KIND_149" not in {each.kind for each in listed(by_kind(config, kept), config, kept)}
    kept.alerting = frozenset({"KIND_149"})
    kinds = [each.kind for each in listed(by_kind(config, kept), config, kept)]
    assert kinds == [f"KIND_{number:03}" for number in range(98)] + ["KIND_149", "ZULU"]
    assert len(kinds) == MOST_KINDS
    assert sum(each.name == "queued" for each in signals(config, kept)) == MOST_KINDS
