"""An HTTP request of one's own: an SMS gateway."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from tests.clocks import START
from tests.engine.notify.alerts import ERRORS
from tests.engine.notify.sending import said, undelivered
from tests.servers.receivers import Receivers
from tui.engine.connections import Tools
from tui.engine.notify.channel import Undelivered
from tui.engine.notify.request import Request
from tui.engine.text import Shown


def sms(there: Receivers, **more: Any) -> Request:
    given = {
        "kind": "http",
        "url": f"{there.url}/sms",
        "headers": {"Authorization": "Basic {env:SMS_TOKEN}"},
        "form": {"To": "+49 170 1", "Body": "{brief}"},
    }
    return Request.model_validate({**given, **more})


async def test_an_sms_gateway_takes_it(there: Receivers, tools: Tools) -> None:
    await sms(there).send(said(replace(ERRORS, rule="a&Body=evil&To=+1 " + "x" * 300)), tools)
    (took,) = there.sms
    assert took["To"] == "+49 170 1" and took["Body"].startswith("P0 firing: a&Body=evil&To=+1 ")


async def test_fields_are_put_in_as_data_at_any_depth(there: Receivers, tools: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAT", "room {headline}")
    data = {"room": "{env:CHAT}", "messages": [{"text": "{severity}: {what}", "urgent": True}], "n": 3}
    bad = replace(ERRORS, says=Shown('"}, {env:SMS_TOKEN} {link}'))
    channel = sms(there, form=None, data=data, method="PUT")
    with pytest.raises(Undelivered, match="400"):
        await channel.send(said(bad), tools)
    (got,) = there.got
    assert got.method == "PUT" and got.headers["content-type"] == "application/json"
    assert got.json["room"] == "room {headline}" and got.json["n"] == 3
    assert got.json["messages"] == [{"text": f"P0: {said(bad).what}", "urgent": True}]
    assert "{env:SMS_TOKEN} {link}" in got.json["messages"][0]["text"], "what came from outside is never looked through"


async def test_a_try_again_has_the_same_key(there: Receivers, tools: Tools) -> None:
    there.behaves = [500]
    await undelivered(sms(there), said(), tools)
    await sms(there).send(said(), tools)
    assert len({each.headers["idempotency-key"] for each in there.got}) == 1


async def test_what_is_news_of_its_own_has_a_key_of_its_own(there: Receivers, tools: Tools) -> None:
    """A gateway that knows such keys drops what it has seen: a rise, another person's word and a second call must reach it."""
    theirs = replace(ERRORS, fingerprint="zahlung-ü:ab\n12")
    told = [
        said(theirs, keys=[theirs.fingerprint]),
        said(replace(theirs, severity="P1")),
        said(replace(theirs, acked_by="anna"), transition="acknowledged"),
        said(replace(theirs, acked_by="ben"), transition="acknowledged"),
        said(theirs, transition="escalated", whom="cto"),
        replace(said(theirs, transition="escalated", whom="cto"), at=START + 600),
    ]
    for message in told:
        await sms(there).send(message, tools)
    assert len({each.headers["idempotency-key"] for each in there.got}) == len(told) == len(there.sms)


async def test_a_token_that_was_replaced_is_read_anew(there: Receivers, tools: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMS_TOKEN", "wrong-token")
    channel = sms(there)
    error = await undelivered(channel, said(), tools)
    assert error.final and "401" in error.says
    monkeypatch.setenv("SMS_TOKEN", "gateway")
    await channel.send(said(), tools)
    assert there.sms


async def test_a_gateway_is_checked_without_an_sms(there: Receivers, tools: Tools) -> None:
    assert (await sms(there).check(tools)).reached and not there.sms and not there.got


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"form": {"Body": "{hedline}"}}, "there is no field {hedline}"),
        ({"form": None}, "what is sent"),
        ({"data": {"text": "{brief}"}}, "what is sent"),
    ],
)
def test_request_settings_that_cannot_be_meant(there: Receivers, more: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        sms(there, **more)
