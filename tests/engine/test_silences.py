"""What a silence would hide: Alertmanager's matching, on our alerts."""

from __future__ import annotations

import pytest

from tests import story
from tui.engine.ask import Matcher
from tui.engine.silences import hidden_by, wrong_with

ERRORS, CONNECTIONS = story.snapshot().alerts


@pytest.mark.parametrize(
    ("matchers", "hidden"),
    [
        ((), ()),
        ((Matcher("alertname", "error rate"),), (ERRORS,)),
        ((Matcher("alertname", "error"),), ()),
        ((Matcher("alertname", "error.*", is_regex=True),), (ERRORS,)),
        ((Matcher("alertname", "rate", is_regex=True),), ()),  # anchored at both ends
        ((Matcher("panel", "metrics", is_equal=False),), (CONNECTIONS,)),
        ((Matcher("severity", "P[01]", is_regex=True),), (ERRORS, CONNECTIONS)),
        ((Matcher("severity", "P[01]", is_regex=True), Matcher("panel", "database")), (CONNECTIONS,)),
        ((Matcher("tenant", ""),), (ERRORS, CONNECTIONS)),  # a label that is not there is empty
        ((Matcher("tenant", "acme"),), ()),
        ((Matcher("fingerprint", "a"),), (ERRORS,)),
    ],
)
def test_what_matches_all_is_hidden(matchers: tuple[Matcher, ...], hidden: tuple[object, ...]) -> None:
    assert hidden_by(matchers, (ERRORS, CONNECTIONS)) == hidden


def test_a_broken_pattern_is_named() -> None:
    broken = (Matcher("panel", "(", is_regex=True),)
    assert "is no regular expression" in wrong_with(broken)
    with pytest.raises(ValueError, match="is no regular expression"):
        hidden_by(broken, (ERRORS,))
