"""Slack, by an incoming webhook (also Mattermost's and other look-alikes').

Source: docs.slack.dev/messaging/sending-messages-using-incoming-webhooks. Only `&`, `<` and `>` steer, so they are escaped in
everything foreign: a job's error that says `<!channel>` wakes nobody.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from ..alert import Severity
from ..http import HttpSettings
from ..panel import Checked
from ..secrets import Secret
from ..text import EMPTY, Shown, clean
from .channel import Channel, Undelivered
from .message import Message
from .posting import post, told, words

if TYPE_CHECKING:
    from ..connections import Tools

Mention = Literal["channel", "here", "nobody"]
USUAL: dict[Severity, Mention] = {"P0": "channel", "P1": "here"}
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_NO_TEXT = ("no_text", "missing_text_or_fallback_or_attachments", "invalid_payload")
"""What Slack says of a message without text: the webhook is there, and nothing was posted."""
SECTION = 3000
"""Characters that a section's text may have, by Slack's own limit."""


class Slack(Channel, HttpSettings):
    """`kind = "slack"`: a channel's incoming webhook."""

    url: Secret
    """The webhook, as `env:NAME`, or `"https://hooks.slack.com/services/{env:NAME}"`: whoever knows it may post."""
    mention: dict[Severity, Mention] = Field(default_factory=lambda: dict(USUAL))
    """Who is called by name when an alert of a severity fires: `channel`, `here` or `nobody`. P0 calls the channel, P1 who is
    here."""

    async def send(self, message: Message, tools: Tools) -> Shown:
        """Posts it; the answer is `ok`."""
        body = json.dumps(payload(message, self._mentioned(message))).encode()
        await told(tools, self.title, self.http(), self.url, body, {"content-type": "application/json"}, self.deadline)
        return EMPTY

    async def check(self, tools: Tools) -> Checked:
        """Posts a message without text, which Slack refuses in other words than a webhook that is gone."""
        source = clean(f"{self.title} (Slack)")
        try:
            fetched = await post(
                tools, self.title, self.http(), self.url, b"{}", {"content-type": "application/json"}, self.deadline
            )
        except Undelivered as error:
            return Checked(source, False, error.says)
        if fetched.status == 400 and any(each.encode() in fetched.body for each in _NO_TEXT):
            return Checked(source, True, Shown("the webhook is there; nothing was posted"))
        return Checked(source, False, words(fetched), (Shown("make a new incoming webhook for the channel"),))

    def _mentioned(self, message: Message) -> str:
        """`<!channel>`, `<!here>` or nothing: what is over, taken on or a test calls nobody."""
        whom = self.mention.get(message.severity, "nobody")
        if message.test or message.acked_by or message.transition not in ("firing", "escalated") or whom == "nobody":
            return ""
        return f"<!{whom}> "


def escaped(text: str) -> str:
    """Foreign text that steers nothing."""
    return text.translate(_ESCAPES)


def payload(message: Message, mention: str = "") -> dict[str, Any]:
    """What is posted: blocks, and the text that notifications and screen readers show."""
    head = f"{mention}*{escaped(message.headline)}*"
    facts = "\n".join(f"{escaped(name)}: {escaped(says)}" for name, says in message.facts)
    also = "\n".join(f"• {escaped(each)}" for each in message.others)
    link = f"<{escaped(message.link)}|dashboard or runbook>" if message.link else ""
    parts = [each for each in (head, facts, also, link) if each]
    return {
        "text": f"{mention}{escaped(message.headline)}",
        "blocks": [
            {"type": "section", "text": {"type": "mrkdwn", "verbatim": True, "text": _within(each, SECTION)}} for each in parts
        ],
    }


def _within(text: str, limit: int) -> str:
    """At most so many characters, cut at a line's end, so that no escape is cut in two."""
    if len(text) <= limit:
        return text
    return text[: limit - 1].rpartition("\n")[0] + "\n…"
