"""PagerDuty follows incidents by key."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from tests.clocks import START
from tests.engine.notify.alerts import ERRORS, alert, over
from tests.engine.notify.sending import hung, said, undelivered
from tests.servers.receivers import ROUTING_KEY, Receivers
from tui.engine.connections import Tools
from tui.engine.notify.pagerduty import PagerDuty


def pagerduty(there: Receivers, **more: Any) -> PagerDuty:
    given = {"kind": "pagerduty", "routing_key": "env:PAGERDUTY_KEY", "url": f"{there.url}/v2/enqueue"}
    return PagerDuty.model_validate({**given, **more})


async def test_pagerduty_follows_one_incident(there: Receivers, tools: Tools) -> None:
    channel = pagerduty(there)
    await channel.send(said(), tools)
    assert there.incidents == {"f-errors": "triggered"} and there.calls == 1
    event = there.events[0]
    assert event["payload"] | {"custom_details": {}} == {
        "summary": "P0 firing: HighErrorRate 6.2 % > 5 % (shop production)",
        "source": "shop production",
        "severity": "critical",
        "timestamp": "2026-11-21T03:11:12+00:00",
        "component": "api",
        "group": "production",
        "class": "HighErrorRate",
        "custom_details": {},
    }
    assert event["payload"]["custom_details"]["suspect"] == "deploy 9f3c2a1, 80s before"
    assert event["links"] == [{"href": "https://shop.example/runbooks/errors?a=1&b=2", "text": "dashboard or runbook"}]
    await channel.send(said(replace(ERRORS, acked_by="anna"), transition="acknowledged"), tools)
    assert there.incidents == {"f-errors": "acknowledged"}
    await channel.send(said(over(ERRORS, START), transition="resolved"), tools)
    assert there.incidents == {"f-errors": "resolved"}
    assert [each["event_action"] for each in there.events] == ["trigger", "acknowledge", "resolve"]


@pytest.mark.parametrize(("severity", "theirs"), [("P0", "critical"), ("P1", "error"), ("P2", "warning"), ("P3", "info")])
async def test_pagerduty_has_severities_of_its_own(there: Receivers, tools: Tools, severity: Any, theirs: str) -> None:
    await pagerduty(there).send(said(alert("hot", severity)), tools)
    assert there.events[0]["payload"]["severity"] == theirs


async def test_trying_again_opens_no_second_incident(there: Receivers, tools: Tools) -> None:
    there.behaves = [500, 429, "hang"]
    channel = pagerduty(there)
    for _ in range(2):
        assert not (await undelivered(channel, said(), tools)).final
    assert not (await hung(lambda deadline: pagerduty(there, deadline=deadline), tools)).final
    await channel.send(said(), tools)
    await channel.send(said(), tools)
    assert there.calls == 1
    assert {each.json["dedup_key"] for each in there.got} == {"f-errors"}


async def test_a_wrong_key_is_final_says_why_and_is_read_anew(
    there: Receivers, tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAGERDUTY_KEY", "wrong-routing-key")
    channel = pagerduty(there)
    error = await undelivered(channel, said(), tools)
    assert error.final and "routing_key" in error.says and "wrong-routing-key" not in error.says
    monkeypatch.setenv("PAGERDUTY_KEY", ROUTING_KEY)
    await channel.send(said(), tools)
    assert there.calls == 1


async def test_a_test_leaves_no_incident(there: Receivers, tools: Tools) -> None:
    await pagerduty(there).send(said(keys=["watchfloor/test"], test=True), tools)
    assert there.incidents == {"watchfloor/test": "resolved"}
    assert there.events[0]["payload"]["severity"] == "info"


async def test_pagerduty_is_checked_without_calling_anybody(
    there: Receivers, tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await pagerduty(there).check(tools)).reached
    assert there.calls == 0 and not there.incidents
    monkeypatch.setenv("PAGERDUTY_KEY", "wrong-routing-key")
    assert not (await pagerduty(there).check(tools)).reached
