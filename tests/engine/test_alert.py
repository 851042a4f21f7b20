"""How an alert says what it is about and what is wrong."""

from __future__ import annotations

from msgspec.structs import replace

from tests.engine.some_alerts import alert
from tui.engine.text import Shown

DOWN = replace(
    alert("down", rule="ServiceDown", labels={"endpoint": "readyz"}, value=0.0, threshold=1.0, unit="count"),
    signal="up",
    way="below",
)


def test_what_is_wrong_stands_beside_its_limit() -> None:
    assert alert("a").wrong == "6.2 % > 5 %"
    assert replace(alert("a", value=0.91, threshold=0.95), way="below").wrong == "91.0 % < 95 %"
    assert replace(alert("a", value=0.94976, threshold=0.95), way="below").wrong == "94.98 % < 95 %"  # and not 95.0 % < 95 %
    assert alert("a", says=Shown("nothing measured for 5m")).wrong == "nothing measured for 5m"


def test_what_is_over_is_never_said_to_be_beyond_its_limit_still() -> None:
    assert alert("a", state="resolved", value=0.003).wrong == "was > 5 %"
    assert replace(DOWN, state="resolved", value=1.0).wrong == "was down"


def test_what_does_not_answer_is_down_and_no_figure() -> None:
    assert DOWN.wrong == "down"
    assert replace(DOWN, value=0.5).wrong == "0.5 < 1"  # a mean over replicas, as somebody's Prometheus may have it


def test_a_name_does_not_repeat_what_the_rule_says_already() -> None:
    assert DOWN.name == "ServiceDown readyz"
    assert alert("a", rule="OpenAI", labels={"name": "openai"}).name == "OpenAI"
    assert alert("a", rule="errors").name == "errors"
