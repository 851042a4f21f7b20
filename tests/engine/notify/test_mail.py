"""Mail, by a real SMTP server with STARTTLS and a login."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from tests.clocks import START
from tests.engine.notify.alerts import ERRORS, over
from tests.engine.notify.sending import hung, said, undelivered
from tests.servers.children import port_of_its_own
from tests.servers.receivers import Mails, start_mail
from tui.engine.connections import Tools
from tui.engine.notify.mail import Mail
from tui.engine.text import Shown


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


async def test_a_rise_is_a_mail_of_its_own_of_the_same_thread_and_one_sent_again_is_not(mails: Mails, tools: Tools) -> None:
    """Mail servers keep one of two mails with one id: a rise to P0 must not look like the P1 that was told before."""
    channel, mild = mail(mails), replace(ERRORS, severity="P1")
    for one in (mild, ERRORS, ERRORS):
        await channel.send(said(one), tools)
    first, rise, again = mails.took
    assert first["Message-ID"] != rise["Message-ID"] == again["Message-ID"]
    assert first["Message-ID"] in rise["References"]
    await channel.send(said(over(ERRORS, START + 60), transition="resolved"), tools)
    assert first["Message-ID"] in mails.took[3]["References"] and mails.took[3]["In-Reply-To"] == rise["Message-ID"]


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


@pytest.mark.parametrize(("how", "final"), [("451 try later", False), ("554 spam", True)])
async def test_mail_is_refused_for_now_or_for_good(mails: Mails, tools: Tools, how: str, final: bool) -> None:
    mails.behaves = [how]
    error = await undelivered(mail(mails), said(), tools)
    assert (error.final, error.maybe) == (final, False)
    await mail(mails).send(said(), tools)
    assert len(mails.took) == 1


async def test_a_mail_that_nobody_answers_may_have_arrived(mails: Mails, tools: Tools) -> None:
    mails.behaves = ["hang"]
    error = await hung(lambda deadline: mail(mails, deadline=deadline), tools)
    assert "no answer within" in error.says and not error.final
    mails.behaves.clear()  # where it was cut off just before it had arrived
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
    error = await undelivered(mail(Mails(port=port_of_its_own())), said(), tools)
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
