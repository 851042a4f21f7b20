"""Slack takes it, and nothing foreign in it calls anybody."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.clocks import START
from tests.engine.notify.alerts import ERRORS, alert, over
from tests.engine.notify.sending import hung, said, undelivered
from tests.servers.children import port_of_its_own
from tests.servers.receivers import Receivers
from tests.waiting import soon
from tui.engine.connections import Tools
from tui.engine.notify.message import Message
from tui.engine.notify.slack import Slack, escaped
from tui.engine.text import Shown


def slack(**more: Any) -> Slack:
    return Slack.model_validate({"kind": "slack", "url": "env:SLACK_WEBHOOK", **more})


async def test_slack_takes_it(there: Receivers, tools: Tools) -> None:
    await slack().send(said(), tools)
    (posted,) = there.posted
    assert posted["text"] == "<!channel> P0 firing: HighErrorRate 6.2 % &gt; 5 % (shop production)"
    texts = [block["text"]["text"] for block in posted["blocks"]]
    assert texts[0] == "<!channel> *P0 firing: HighErrorRate 6.2 % &gt; 5 % (shop production)*"
    assert "suspect: deploy 9f3c2a1, 80s before" in texts[1]
    assert texts[-1] == "<https://shop.example/runbooks/errors?a=1&amp;b=2|dashboard or runbook>"


@pytest.mark.parametrize(
    ("message", "mention"),
    [
        (said(), "<!channel> "),
        (said(alert("hot", "P1")), "<!here> "),
        (said(alert("hot", "P2")), ""),
        (said(transition="escalated", whom="ben"), "<!channel> "),
        (said(over(ERRORS, START), transition="resolved"), ""),
        (said(replace(ERRORS, acked_by="anna"), transition="acknowledged"), ""),
        (said(replace(ERRORS, acked_by="anna")), ""),
        (said(test=True), ""),
    ],
    ids=["P0", "P1", "P2", "escalated", "resolved", "acknowledged", "taken on before it was told", "test"],
)
async def test_slack_calls_by_severity_and_only_for_what_wants_an_answer(
    there: Receivers, tools: Tools, message: Message, mention: str
) -> None:
    await slack().send(message, tools)
    text = there.posted[0]["text"]
    assert text.startswith(mention) and text.count("<!") == (1 if mention else 0)


async def test_slack_mentions_are_the_configs(there: Receivers, tools: Tools) -> None:
    await slack(mention={"P0": "here"}).send(said(), tools)
    assert there.posted[0]["text"].startswith("<!here> P0")


async def test_nothing_foreign_calls_the_channel(there: Receivers, tools: Tools) -> None:
    bad = replace(ERRORS, severity="P3", says=Shown("<!channel> & <@U123> <https://evil|here>"), suspect=Shown("<!here>"))
    await slack().send(said(bad, replace(bad, fingerprint="b", rule="<!everyone>")), tools)
    (posted,) = there.posted
    assert "<!" not in json.dumps(posted) and "&lt;!channel&gt; &amp; &lt;@U123&gt;" in posted["text"]


@given(text=st.text(max_size=300))
def test_escaped_text_holds_nothing_that_steers(text: str) -> None:
    made = escaped(text)
    assert "<" not in made and ">" not in made
    assert made.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&") == text


async def test_a_long_fold_keeps_slacks_limits(there: Receivers, tools: Tools) -> None:
    many = [alert("<" * 80, labels={"oven": "&" * 300, "n": str(n)}, why=Shown("<" * 400)) for n in range(30)]
    await slack().send(said(*many), tools)
    assert len(there.posted) == 1


@pytest.mark.parametrize(
    ("how", "says", "final", "maybe", "after"),
    [
        (429, "HTTP 429: rate_limited", False, False, 7.0),
        (500, "HTTP 500: no", False, False, None),
        (403, "HTTP 403: no", True, False, None),
        (302, "HTTP 302: no", True, False, None),
        ("reset", "first byte", False, True, None),
    ],
)
async def test_slack_refuses(
    there: Receivers, tools: Tools, how: int | str, says: str, final: bool, maybe: bool, after: float | None
) -> None:
    there.behaves, there.retry_after = [how], "7"
    error = await undelivered(slack(), said(), tools)
    assert says in error.says
    assert (error.final, error.maybe, error.retry_after) == (final, maybe, after)
    await slack().send(said(), tools)
    assert len(there.posted) == 1, "and then it is well again"


async def test_slack_hangs(there: Receivers, tools: Tools) -> None:
    there.behaves = ["hang"]
    error = await hung(lambda deadline: slack(deadline=deadline), tools)
    assert "first byte: nothing more within" in error.says and not error.final
    await slack().send(said(), tools)
    assert len(there.posted) == 1, "and then it is well again"


async def test_slack_is_not_there(tools: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_WEBHOOK", f"http://127.0.0.1:{port_of_its_own()}/services/secret-path")
    error = await undelivered(slack(), said(), tools)
    assert "connect: connection refused" in error.says and not error.final and not error.maybe
    assert "secret-path" not in error.says


async def test_a_webhook_that_was_replaced_is_read_anew(
    there: Receivers, tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLACK_WEBHOOK", f"{there.url}/services/T1/B1/old")
    channel = slack()
    error = await undelivered(channel, said(), tools)
    assert error.says == "HTTP 404: no_service" and error.final
    monkeypatch.setenv("SLACK_WEBHOOK", there.slack)
    await channel.send(said(), tools)
    assert there.posted


async def test_slack_is_checked_without_posting(there: Receivers, tools: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (await slack().check(tools)).reached and not there.posted
    monkeypatch.setenv("SLACK_WEBHOOK", f"{there.url}/services/T1/B1/gone")
    gone = await slack().check(tools)
    assert not gone.reached and "no_service" in gone.says


async def test_a_channel_that_hangs_is_left_at_its_deadline_and_cancelled_at_once(there: Receivers, tools: Tools) -> None:
    there.behaves = ["hang"]
    sending = asyncio.ensure_future(slack(deadline="20s").send(said(), tools))
    await soon(lambda: there.got)
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(sending, 10)
