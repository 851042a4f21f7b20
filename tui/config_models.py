"""The config's own tables (panels bring theirs): what a person types, with a sentence to each."""

from __future__ import annotations

import getpass
import os
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from tui.engine.panel import Settings
from tui.engine.secrets import Dsn
from tui.engine.units import Interval, Size

NOT_PRODUCTION = frozenset({"dev", "development", "test", "testing", "demo", "local", "preview", "staging"})
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def parse_loopback(text: str) -> str:
    """An address that only this host reaches, with its port. Raises ValueError for any other."""
    host, _, port = text.rpartition(":")
    if text and (host.strip("[]") not in LOOPBACK or not port.isdecimal() or not 0 < int(port) < 65536):
        raise ValueError('expected an address of this host alone, with a port, such as "127.0.0.1:9464"')
    return text


class General(Settings):
    """`[watchfloor]`: what is watched, and how often."""

    version: Literal[1] = 1
    """The config's format."""
    name: str = Field(default="watchfloor", max_length=40)
    """What the dashboard is called on line 1."""
    environment: str = Field(default="production", max_length=40)
    """Which environment this is; shown on line 1, in every plan and in the journal."""
    production: bool | None = None
    """Whether it counts as production; where it is not given, all but dev, test, demo, local, preview and staging do."""
    interval: Interval = 5.0
    """How often sources are asked; panels and endpoints may say their own."""
    deadline: Interval | None = None
    """How long one answer may take; the interval, 10 s at most, where it is not given."""
    theme: str = "night"
    """One of the themes: night, day, contrast."""
    user: str = ""
    """Who acts, for the journal; $WATCHFLOOR_USER goes before it, the login name after it. Recorded as claimed."""

    @property
    def counts_as_production(self) -> bool:
        """Whether confirmations are production's."""
        return self.environment.lower() not in NOT_PRODUCTION if self.production is None else self.production

    def who(self) -> str:
        """Who acts here, as claimed."""
        return os.environ.get("WATCHFLOOR_USER") or self.user or getpass.getuser()


class ActionsSection(Settings):
    """`[actions]`: what may be done from here."""

    allow: tuple[str, ...] = ()
    """The actions that this dashboard is armed for, by name or pattern (`jobs.*`, `database.cancel`); nothing without it."""


class JournalSection(Settings):
    """`[journal]`: where the record is kept, and with whom it is shared. Read at a start alone: where it is changed while a
    dashboard or a `record` runs, that says so and goes on as before until it is started anew."""

    folder: str = Field(default="", pattern=r"^(/.*)?$")
    """A local directory that a group owns, so that all its people on this host share one journal and one poller; each person's
    own state folder without it. Make it with `install -d -m 2770 -g GROUP FOLDER`."""
    size: Size = Field(default=256_000_000, ge=1_000_000)
    """How large the journal's file may grow; the oldest readings go first, what was decided and done is kept."""
    url: Dsn | None = None
    """A PostgreSQL that shares the journal's entries with the whole team, on every host: `postgresql://user:{env:NAME}@host/db`.
    Not a database that a panel watches. Read at a start alone."""


class RecordSection(Settings):
    """`[record]`: the poller without a screen, `watchfloor record`. Read at a start alone."""

    metrics: Annotated[str, AfterValidator(parse_loopback)] = ""
    """Where Watchfloor's own `/metrics` is served, on loopback only: `127.0.0.1:9464`; nowhere without it."""
    monitor: str = Field(default="", pattern=r"^[a-z0-9_-]{0,50}$")
    """What the check-in each minute is called in Sentry, where `[sentry] dsn` is set; `watchfloor-NAME-ENVIRONMENT` where it is
    not given."""


class SentrySection(Settings):
    """`[sentry]`: where Watchfloor's own crashes are reported; nowhere unless a DSN is set. Read at a start alone."""

    dsn: Any = None
    """The DSN, as `env:NAME` or `file:PATH`."""
