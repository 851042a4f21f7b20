"""The message that every channel tells: bounded, redacted, cleaned."""

from __future__ import annotations

import json

import pytest
from msgspec.structs import replace

from tests.clocks import START
from tests.engine.notify.alerts import ERRORS, alert, over
from tests.engine.notify.sending import said
from tui.engine.notify.message import FIELDS
from tui.engine.notify.slack import payload
from tui.engine.secrets import known_values
from tui.engine.text import Shown


def test_a_message_says_what_where_since_when_and_why() -> None:
    assert said().lines == (
        "P0 firing: HighErrorRate 6.2 % > 5 % (shop production)",
        "since: 2026-11-21 03:11:12Z (2m00s)",
        "suspect: deploy 9f3c2a1, 80s before",
        "why it matters: Uploads fail.",
        "link: https://shop.example/runbooks/errors?a=1&b=2",
    )
    acked = replace(ERRORS, acked_by="anna")
    assert said(acked, transition="acknowledged").headline.startswith("P0 acknowledged by anna: HighErrorRate")
    assert said(over(ERRORS, START + 60), transition="resolved").headline.startswith("P0 resolved after 2m00s: HighErrorRate")
    assert said(transition="escalated", whom="ben").headline.startswith("P0 escalated to ben: HighErrorRate")
    assert said(test=True).headline.startswith("TEST from watchfloor, no action needed: ")


def test_many_are_counted_the_worst_leads_and_some_are_named() -> None:
    message = said(*(alert("hot", "P2", labels={"oven": str(n)}, since=START - n) for n in range(20)), alert("cold", "P1"))
    assert message.headline == "P1 firing: cold 6.2 % > 5 % and 20 more (shop production)"
    assert len(message.others) == 9 and message.others[-1] == "… and 12 more"


def test_every_field_is_listed() -> None:
    assert set(said().fields) == set(FIELDS)


def test_secrets_and_controls_never_get_out() -> None:
    known_values.add("hunter2-very")
    bad = replace(
        ERRORS,
        says=Shown("password=hunter2-very \x1b]52;c;eA\x07 \u202e"),
        suspect=Shown("token hunter2-very"),
        link="https://x.example/?key=hunter2-very",
    )
    message = said(bad, replace(bad, fingerprint="two"))
    text = json.dumps(message.fields, ensure_ascii=False) + json.dumps(payload(message), ensure_ascii=False)
    assert "hunter2" not in text
    assert not any(ord(character) < 32 and character != "\n" for character in message.fields["text"])
    assert "\u202e" not in text


@pytest.mark.parametrize("link", ["javascript:alert(1)", "file:///etc/passwd", "https://" + "x" * 2000])
def test_only_pages_are_linked(link: str) -> None:
    assert said(replace(ERRORS, link=link)).link == ""


def test_a_link_ends_where_it_ends() -> None:
    assert said(replace(ERRORS, link='https://x.example/a|b>c"d e')).link == "https://x.example/a%7Cb%3Ec%22d%20e"
