"""The escalation clock: how long an alert may still go unanswered, and who is called then."""

from __future__ import annotations

from msgspec import Struct

from .text import Shown


class Escalation(Struct, frozen=True):
    """One alert's clock: there is one for each alert that wants an answer, where the config says who is on call.

    `due` is UTC seconds, None where its severity has no clock: it is then paged by hand alone (`E`).
    """

    fingerprint: str
    whom: Shown
    """Who is next, in words: `backup`, or the name from the rotation (`kim (backup)`)."""
    channels: tuple[Shown, ...] = ()
    """By what they would be called, in words (`pagerduty`, `sms`); empty where nothing is configured that could call."""
    due: float | None = None
    pages: bool = False
    """Whether the poller that leads pages by itself when it is due; else the clock only counts."""
    paged_at: float | None = None
    """When they were paged for this alert, by a person or by the clock."""
