"""What every `[[notify]]` takes, and what a kind of channel is: it sends one message, or says why not.

Undelivered ─┬─ final         nothing will change by trying again (the channel is gone, the message is refused)
             ├─ maybe         it may have arrived: the answer is missing, not the request
             └─ (neither)     it did not arrive; tried again, no sooner than after `retry_after` seconds
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field, field_validator

from ..alert import Severity
from ..panel import Checked, Settings
from ..redact import redact
from ..text import EMPTY, Shown, clean
from ..units import Interval
from .hours import ALWAYS, HoursText

if TYPE_CHECKING:
    from ..connections import Tools
    from .message import Message

Transition = Literal["firing", "acknowledged", "resolved", "escalated"]

KINDS = {
    "slack": "slack:Slack",
    "pagerduty": "pagerduty:PagerDuty",
    "mail": "mail:Mail",
    "command": "command:Command",
    "http": "request:Request",
    "terminal": "terminal:Terminal",
}
"""By `kind`: module and class, imported where the config names it."""


class Undelivered(Exception):
    """A message was not told; `says` why, for a person, redacted and cleaned."""

    def __init__(self, says: str, *, retry_after: float | None = None, final: bool = False, maybe: bool = False) -> None:
        super().__init__(says)
        self.says: Shown = clean(says, 200)
        self.retry_after = retry_after
        self.final = final
        self.maybe = maybe


class When(Settings):
    """`when`: which alerts a channel is told of. What is not said does not matter; all that is said must hold."""

    severity: tuple[Severity, ...] = ()
    """Of these severities: `["P0", "P1"]`."""
    rules: tuple[str, ...] = ()
    """Of the rules that are called so, or fit a pattern: `["HighErrorRate", "payment*"]`."""
    panels: tuple[str, ...] = ()
    """From these panels, by name or pattern."""
    labels: dict[str, str | tuple[str, ...]] = Field(default_factory=dict)
    """With these labels, each a value, a pattern (`{ kind = "PUBLISH_*" }`) or a list of them."""
    hours: HoursText = ALWAYS
    """At these hours: `"always"`, `"business"` (mon-fri 09:00-18:00 UTC), `"mon-fri 09:00-18:00 Europe/Berlin"`, several with
    commas, or `"outside …"`. What still fires when they begin is told then."""
    whom: tuple[str, ...] = ()
    """For an escalation: when one of these is called, by the name that the rotation has (`["kim"]`), or by pattern; it is
    `backup` who is called where there is no rotation."""
    theirs: bool = False
    """Also of alerts that Alertmanager or Prometheus found, which usually tell people themselves."""


class Channel(Settings):
    """`[[notify]]`: a way to tell people, and of what."""

    kind: str
    """Which way: `slack`, `pagerduty`, `mail`, `command`, `http` (an SMS gateway), `terminal` (this dashboard's own)."""
    name: str = Field(default="", pattern=r"^[A-Za-z0-9_.#-]*$", max_length=40)
    """What it is called in the journal and in `notify test`; the kind where it is not given."""
    when: When = Field(default_factory=When)
    """Which alerts it is told of; all where it is not given."""
    on: tuple[Transition, ...] = ("firing", "acknowledged", "resolved")
    """What about them: `firing`, `acknowledged`, `resolved` (told to whom it was told that it fires, at any hour), `escalated`
    (nobody has answered, or a person calls for help)."""
    deadline: Interval = 10.0
    """How long one try may take."""

    by_key: ClassVar[bool] = False
    """Whether the receiver knows a message by its key, so that telling twice does no harm and many alerts are one incident."""
    on_screen: ClassVar[bool] = False
    """Whether the dashboard itself is the channel: then nothing is sent."""

    @field_validator("on")
    @classmethod
    def _something(cls, value: tuple[Transition, ...]) -> tuple[Transition, ...]:
        if not value:
            raise ValueError('what is it told of? write on = ["firing", "resolved"]')
        return value

    @property
    def title(self) -> str:
        """The channel's name, which is its kind where the config gives none."""
        return self.name or self.kind

    async def send(self, message: Message, tools: Tools) -> Shown:
        """Tells it, within the deadline. Returns what a person should know of it all the same (one address of several was
        refused), usually nothing. Raises Undelivered."""
        return EMPTY

    async def check(self, tools: Tools) -> Checked:
        """Whether it can be reached, found out without telling anybody anything."""
        return Checked(clean(self.title), True, EMPTY)


async def delivered(channel: Channel, message: Message, tools: Tools) -> Shown:
    """`Channel.send`, where a defect in a channel costs its own messages alone. Raises Undelivered, and nothing else."""
    try:
        return await channel.send(message, tools)
    except Undelivered:
        raise
    except Exception as error:
        raise Undelivered(redact(f"{type(error).__name__}: {error}"), maybe=True) from error


def load_kind(kind: str) -> type[Channel]:
    """The model of a kind; imports it. Raises KeyError for one that there is not."""
    module, _, name = KINDS[kind].partition(":")
    found: type[Channel] = getattr(import_module(f"{__package__}.{module}"), name)
    return found
