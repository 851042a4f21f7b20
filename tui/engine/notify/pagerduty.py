"""PagerDuty, by Events API v2: the way to SMS and phone.

Source: developer.pagerduty.com/docs/events-api-v2. 202 means accepted, not that somebody was called. The same key is the same
incident, so trying again does no harm.
"""

from __future__ import annotations

import datetime
import json
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from ..alert import Severity
from ..http import HttpSettings
from ..panel import Checked
from ..secrets import Secret, SecretText, SecretUrl
from ..text import EMPTY, Shown, clean
from .channel import Channel, Transition, Undelivered
from .message import Message
from .posting import told

if TYPE_CHECKING:
    from ..connections import Tools

ENQUEUE = "https://events.pagerduty.com/v2/enqueue"
SEVERITIES: dict[Severity, Literal["critical", "error", "warning", "info"]] = {
    "P0": "critical",
    "P1": "error",
    "P2": "warning",
    "P3": "info",
}
ACTIONS: dict[Transition, Literal["trigger", "acknowledge", "resolve"]] = {
    "firing": "trigger",
    "escalated": "trigger",
    "acknowledged": "acknowledge",
    "resolved": "resolve",
}
SUMMARY, KEY = 1024, 255
"""Characters of a summary and of a key, by the API's own limits."""


class PagerDuty(Channel, HttpSettings):
    """`kind = "pagerduty"`: a service's integration of type Events API v2."""

    routing_key: Secret
    """The integration's key, as `env:NAME`."""
    url: SecretUrl = SecretText(ENQUEUE, is_url=True)
    """Where events go; `https://events.eu.pagerduty.com/v2/enqueue` for an account in the EU."""

    by_key: ClassVar[bool] = True

    async def send(self, message: Message, tools: Tools) -> Shown:
        """Enqueues the event; for what is over, for each key that was triggered. A test is resolved right after."""
        for key in message.keys:
            await self._enqueue(event(message, ACTIONS[message.transition], key), tools)
            if message.test:
                await self._enqueue(event(message, "resolve", key), tools)
        return EMPTY

    async def check(self, tools: Tools) -> Checked:
        """Resolves an incident that there never was: accepted where the key has the right shape, and calls nobody."""
        source = clean(f"{self.title} (PagerDuty)")
        try:
            await self._enqueue({"event_action": "resolve", "dedup_key": "watchfloor/config-check"}, tools)
        except Undelivered as error:
            return Checked(source, False, error.says, (Shown("is it the integration key of an Events API v2 integration?"),))
        return Checked(source, True, Shown("takes events; that the key is a live one only `notify test` shows"))

    async def _enqueue(self, content: dict[str, Any], tools: Tools) -> None:
        try:
            key = await self.routing_key.reveal()
        except Exception as error:  # SecretError says which and what to do
            raise Undelivered(str(error)) from None
        body = json.dumps({"routing_key": key, **content}).encode()
        try:
            await told(tools, self.title, self.http(), self.url, body, {"content-type": "application/json"}, self.deadline)
        except Undelivered as error:
            if error.final:
                self.routing_key.forget()
            raise


def event(message: Message, action: Literal["trigger", "acknowledge", "resolve"], key: str) -> dict[str, Any]:
    """One event, without the routing key."""
    told: dict[str, Any] = {"event_action": action, "dedup_key": key[:KEY]}
    if action != "trigger":
        return told
    told["payload"] = {
        "summary": message.headline[:SUMMARY],
        "source": message.target or message.where or "watchfloor",
        "severity": "info" if message.test else SEVERITIES[message.severity],
        "timestamp": datetime.datetime.fromtimestamp(message.since, datetime.UTC).isoformat(),
        "component": message.panel,
        "group": message.environment,
        "class": message.name,
        "custom_details": _details(message),
    }
    told["client"] = "Watchfloor"
    if message.link:
        told["links"] = [{"href": message.link, "text": "dashboard or runbook"}]
    return told


def _details(message: Message) -> dict[str, Any]:
    """What else is known, for whoever is called."""
    details: dict[str, Any] = {"what": message.what, "value": message.value, "threshold": message.threshold}
    details |= dict(message.facts)
    details |= {f"label {name}": value for name, value in message.labels}
    if message.others:
        details["alerts"] = message.count
        details["also"] = list(message.others)
    return details
