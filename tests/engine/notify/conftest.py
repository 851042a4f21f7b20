"""Receivers, and the means to reach them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.servers.http import Authority, authority
from tests.servers.receivers import ROUTING_KEY, Mails, Receivers, start_mail, start_receivers
from tui.engine.connections import Tools

__all__ = ["Authority", "authority"]


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receivers]:
    with start_receivers() as receivers:
        monkeypatch.setenv("SLACK_WEBHOOK", receivers.slack)
        monkeypatch.setenv("PAGERDUTY_KEY", ROUTING_KEY)
        monkeypatch.setenv("SMS_TOKEN", "gateway")
        yield receivers


@pytest.fixture
def mails(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mails]:
    """A mail server with STARTTLS and a login."""
    with start_mail(authority.context("localhost"), login=True) as mails:
        mails.host, mails.ca = "localhost", authority.file
        monkeypatch.setenv("SMTP_PASSWORD", mails.password)
        yield mails


@pytest.fixture
async def tools() -> AsyncIterator[Tools]:
    made = Tools("production")
    yield made
    await made.close()
