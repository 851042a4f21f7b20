"""What an engine is made from: the checked config, as the engine needs it. `tui.config` makes it from the file."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from .escalation import Duty
from .maintenance import Window
from .panel import Card
from .rules import Rule
from .secrets import SecretText
from .text import EMPTY, Shown

if TYPE_CHECKING:
    from .notify.channel import Channel


class PanelSetup(Struct, frozen=True):
    """One panel of the config: its card and checked settings, or why its package could not be loaded."""

    name: str
    kind: str
    card: Card | None
    settings: Any
    broken: Shown = EMPTY


class Setup(Struct, frozen=True):
    """A whole dashboard. `identity` tells one environment's journal from another's; `user` is who acts, as claimed; `watched`
    is a digest of what is polled and how it is judged: those who share a journal and this have one poller."""

    name: str
    environment: str
    production: bool
    identity: str
    user: str
    interval: float
    deadline: float | None
    panels: tuple[PanelSetup, ...]
    rules: tuple[Rule, ...] = ()
    channels: tuple[Channel, ...] = ()
    allow: tuple[str, ...] = ()
    theme: str = "night"
    keys: tuple[tuple[str, str], ...] = ()
    journal_url: SecretText | None = None
    """The team's journal in a PostgreSQL; None where each host keeps to itself."""
    journal_folder: str = ""
    """Where the journal stands, for all people of a group; the person's own state folder where it is empty."""
    journal_size: int = 256_000_000
    """Bytes that the journal's file may have."""
    warnings: tuple[Shown, ...] = ()
    watched: str = ""
    maintenance: tuple[Window, ...] = ()
    duty: Duty = Duty()
    """How long alerts may wait, and who is called then."""

    def panel(self, name: str) -> PanelSetup | None:
        """A panel by its name."""
        return next((each for each in self.panels if each.name == name), None)

    def allows(self, action: str) -> bool:
        """Whether `[actions] allow` names the action, by itself or by pattern (`jobs.*`)."""
        return any(fnmatchcase(action, pattern) for pattern in self.allow)
