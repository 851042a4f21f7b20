"""Each channel against a receiver that checks what it gets: the form, what steers, and every way in which telling fails."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.clocks import START
from tests.engine.notify.alerts import ERRORS, alert, over
from tests.servers.receivers import ROUTING_KEY, Mails, Receivers, start_mail
from tests.waiting import soon
from tui.engine.alert import Alert
from tui.engine.connections import Tools
from tui.engine.notify.channel import Channel, Transition, Undelivered
from tui.engine.notify.command import Command
from tui.engine.notify.mail import Mail
from tui.engine.notify.message import FIELDS, Message, message_of
from tui.engine.notify.pagerduty import PagerDuty
from tui.engine.notify.request import Request
from tui.engine.notify.slack import Slack, escaped, payload
from tui.engine.secrets import known_values
from tui.engine.text import Shown


def said(*alerts: Alert, transition: Transition = "firing", **more: Any) -> Message:
    return message_of(alerts or (ERRORS,), transition, START + 60, product="shop", environment="production", **more)


async def undelivered(channel: Channel, message: Message, tools: Tools) -> Undelivered:
    with pytest.raises(Undelivered) as found:
        await channel.send(message, tools)
    return found.value


def refused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# --- the message ---------------------------------------------------------------------------------------------------------


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


# --- Slack ---------------------------------------------------------------------------------------------------------------


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
        ("hang", "nothing more within", False, True, None),
        ("reset", "first byte", False, True, None),
    ],
)
async def test_slack_refuses(
    there: Receivers, tools: Tools, how: int | str, says: str, final: bool, maybe: bool, after: float | None
) -> None:
    there.behaves, there.retry_after = [how], "7"
    error = await undelivered(slack(deadline="300ms"), said(), tools)
    assert says in error.says
    assert (error.final, error.maybe, error.retry_after) == (final, maybe, after)
    await slack().send(said(), tools)
    assert len(there.posted) == 1, "and then it is well again"


async def test_slack_is_not_there(tools: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_WEBHOOK", f"http://127.0.0.1:{refused_port()}/services/secret-path")
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


# --- PagerDuty -----------------------------------------------------------------------------------------------------------


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
    channel = pagerduty(there, deadline="300ms")
    for _ in range(3):
        assert not (await undelivered(channel, said(), tools)).final
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


# --- mail ----------------------------------------------------------------------------------------------------------------


def mail(mails: Mails, **more: Any) -> Mail:
    given = {
        "kind": "mail",
        "host": mails.host,
        "port": mails.port,
        "from": "watchfloor@shop.example",
        "to": ["oncall@shop.example"],
    }
    login = {"user": mails.user, "password": "env:SMTP_PASSWORD", "ca": mails.ca} if mails.ca else {"security": "none"}
    return Mail.model_validate({**given, **login, **more})


async def test_mail_is_detailed(mails: Mails, tools: Tools) -> None:
    await mail(mails, to=["oncall@shop.example", "lead@shop.example"]).send(said(), tools)
    (took,) = mails.took
    assert took["Subject"] == "P0 firing: HighErrorRate 6.2 % > 5 % (shop production)"
    assert took["X-Envelope-To"] == "oncall@shop.example, lead@shop.example"
    assert took["Auto-Submitted"] == "auto-generated" and took["X-Priority"] == "1"
    assert took.get_content().splitlines() == list(said().lines)
    assert mails.logins == ["watchfloor"]


async def test_mail_is_brief_for_a_gateway(mails: Mails, tools: Tools) -> None:
    await mail(mails, form="brief").send(said(replace(ERRORS, why=Shown("x" * 300))), tools)
    (took,) = mails.took
    assert took.get_content().strip() == "P0 firing: HighErrorRate 6.2 % > 5 % (shop production)"
    assert len(took["Subject"]) <= 60


async def test_what_is_told_of_one_thing_is_one_thread(mails: Mails, tools: Tools) -> None:
    channel = mail(mails)
    await channel.send(said(), tools)
    await channel.send(said(replace(ERRORS, acked_by="anna"), transition="acknowledged"), tools)
    await channel.send(said(over(ERRORS, START + 60), transition="resolved"), tools)
    first, *later = mails.took
    assert [each["In-Reply-To"] for each in later] == [first["Message-ID"]] * 2
    assert len({each["Message-ID"] for each in mails.took}) == 3
    assert later[1]["X-Priority"] is None


async def test_a_header_takes_no_line_of_its_own(mails: Mails, tools: Tools) -> None:
    bad = replace(ERRORS, says=Shown("x\r\nBcc: evil@x.example\r\n\r\nbody"), rule="a\r\nBcc: evil@x.example")
    await mail(mails).send(said(bad), tools)
    (took,) = mails.took
    assert took["Bcc"] is None and took["X-Envelope-To"] == "oncall@shop.example"


async def test_an_address_that_is_refused_is_said_and_the_others_are_told(mails: Mails, tools: Tools) -> None:
    mails.refuses = {"gone@shop.example": "550 no such user"}
    note = await mail(mails, to=["oncall@shop.example", "gone@shop.example"]).send(said(), tools)
    assert note == "refused: gone@shop.example" and len(mails.took) == 1
    error = await undelivered(mail(mails, to=["gone@shop.example"]), said(), tools)
    assert error.final and "no such user" in error.says


@pytest.mark.parametrize(
    ("how", "final", "maybe"), [("451 try later", False, False), ("554 spam", True, False), ("hang", False, True)]
)
async def test_mail_is_refused_for_now_or_for_good(mails: Mails, tools: Tools, how: str, final: bool, maybe: bool) -> None:
    mails.behaves = [how]
    error = await undelivered(mail(mails, deadline="500ms"), said(), tools)
    assert (error.final, error.maybe) == (final, maybe)
    await mail(mails).send(said(), tools)
    assert len(mails.took) >= 1


async def test_a_wrong_password_is_said_masked_and_read_anew(
    mails: Mails, tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMTP_PASSWORD", "wrong-password")
    channel = mail(mails)
    error = await undelivered(channel, said(), tools)
    assert error.final and "535" in error.says and "wrong-password" not in error.says
    monkeypatch.setenv("SMTP_PASSWORD", mails.password)
    await channel.send(said(), tools)
    assert len(mails.took) == 1


async def test_a_certificate_that_nobody_vouches_for_is_refused(mails: Mails, tools: Tools) -> None:
    error = await undelivered(mail(mails, ca=None), said(), tools)
    assert "certificate" in error.says.lower() and not mails.logins


async def test_a_server_without_starttls_gets_no_password(tools: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMTP_PASSWORD", "hunter2-mail")
    with start_mail() as plain:
        error = await undelivered(mail(plain, security="starttls"), said(), tools)
        assert error.final and "STARTTLS" in error.says and not plain.took
        await mail(plain).send(said(), tools)
        assert len(plain.took) == 1, "a relay on this host needs neither"


async def test_a_mail_server_that_is_not_there(tools: Tools) -> None:
    error = await undelivered(mail(Mails(port=refused_port())), said(), tools)
    assert "refused" in error.says.lower() and not error.final and not error.maybe


async def test_mail_is_checked_without_sending_one(mails: Mails, tools: Tools) -> None:
    assert (await mail(mails).check(tools)).reached
    mails.refuses = {"oncall@shop.example": "550 no such user"}
    assert not (await mail(mails).check(tools)).reached
    assert not mails.took and len(mails.sessions) == 2


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"user": "anna"}, "user and password come together"),
        ({"user": "anna", "password": "env:SMTP_PASSWORD"}, "not sent in clear"),
        ({"to": ["a@b.example\nBcc: c@d.example"]}, "pattern"),
        ({"to": []}, "at least 1"),
    ],
)
def test_mail_settings_that_cannot_be_meant(more: dict[str, Any], says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMTP_PASSWORD", "hunter2-mail")
    with pytest.raises(ValueError, match=says):
        mail(Mails(port=25), **more)


# --- a command -----------------------------------------------------------------------------------------------------------

KEEPS = """
import json, os, sys
told = {"stdin": json.load(sys.stdin), "headline": os.environ["WATCHFLOOR_HEADLINE"], "argv": sys.argv[1:]}
open(sys.argv[1], "w").write(json.dumps(told))
"""


def command(*argv: str, **more: Any) -> Command:
    return Command.model_validate({"kind": "command", "argv": [sys.executable, "-c", *argv], **more})


async def test_a_command_gets_it_on_stdin_and_in_variables(tools: Tools, tmp_path: Path) -> None:
    bad = replace(ERRORS, rule="$(touch pwned); `id` '")
    await command(KEEPS, str(tmp_path / "told"), "$HOME").send(said(bad), tools)
    told = json.loads((tmp_path / "told").read_text())
    assert told["stdin"] == said(bad).fields
    assert told["headline"] == said(bad).headline
    assert told["argv"] == [str(tmp_path / "told"), "$HOME"], "no shell looks at it"


async def test_a_command_that_fails_says_its_last_line(tools: Tools) -> None:
    error = await undelivered(command("import sys; sys.exit('first\\nno credit left')"), said(), tools)
    assert error.says.endswith("ended with exit code 1: no credit left") and not error.final and not error.maybe


async def test_a_command_that_does_not_end_is_killed_with_all_it_started(tools: Tools, tmp_path: Path) -> None:
    script = "import subprocess, sys, time; p = subprocess.Popen(['sleep', '60']); "
    script += "open(sys.argv[1], 'w').write(str(p.pid)); time.sleep(60)"
    error = await undelivered(command(script, str(tmp_path / "pid"), deadline="1s"), said(), tools)
    assert "did not end within 1s" in error.says and error.maybe
    pid = int((tmp_path / "pid").read_text())
    assert await soon(lambda: not running(pid)), "nothing of it goes on"


def running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] not in ("Z", "X")
    except OSError:
        return False


async def test_a_command_that_floods_or_reads_nothing_is_no_trouble(tools: Tools) -> None:
    await command("import sys; sys.stderr.write('x' * 20_000_000)").send(said(), tools)
    await command("import os; os.close(0)").send(said(), tools)


async def test_a_command_that_is_not_there(tools: Tools) -> None:
    missing = Command(kind="command", argv=("/nowhere/at-all",))
    error = await undelivered(missing, said(), tools)
    assert error.final and "could not be started" in error.says
    assert not (await missing.check(tools)).reached
    assert (await command("1/0").check(tools)).reached, "looked for, not run"


# --- an HTTP request -----------------------------------------------------------------------------------------------------


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


async def test_a_channel_that_hangs_is_left_at_its_deadline_and_cancelled_at_once(there: Receivers, tools: Tools) -> None:
    there.behaves = ["hang"]
    sending = asyncio.ensure_future(slack(deadline="20s").send(said(), tools))
    await soon(lambda: there.got)
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(sending, 2)
