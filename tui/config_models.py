"""The config's own tables (panels bring theirs): what a person types, with a sentence to each."""

from __future__ import annotations

import getpass
import os
from typing import Any, Literal

from pydantic import Field, model_validator

from tui.engine.panel import Settings
from tui.engine.secrets import Dsn
from tui.engine.units import Duration, Interval

NOT_PRODUCTION = frozenset({"dev", "development", "test", "testing", "demo", "local", "preview", "staging"})
SEVERITIES = ("P0", "P1", "P2", "P3")


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


class LevelOfRule(Settings):
    """One level of a rule: where it begins and how long it must last."""

    above: Any = None
    """Breached above this value, in the signal's unit (`"5 %"`, `"2s"`, `10`)."""
    below: Any = None
    """Breached below this value, in the signal's unit."""
    hold: Duration = Field(default=0.0, alias="for")
    """How long the breach must last before the alert fires."""


class RuleSection(Settings):
    """`[[rule]]`: a threshold on a signal. One with the name of a panel's own rule replaces it."""

    name: str = Field(max_length=60)
    """What the alert is called."""
    signal: str = ""
    """PANEL.SIGNAL, with labels where it is to hold for some series only: `jobs.failure_rate{kind="PUBLISH_*"}`."""
    above: Any = None
    """Breached above this value, in the signal's unit (`"5 %"`, `"2s"`, `10`)."""
    below: Any = None
    """Breached below this value, in the signal's unit."""
    hold: Duration = Field(default=0.0, alias="for")
    """How long the breach must last before the alert fires."""
    window: Duration = 0.0
    """Compare the mean over this long instead of the newest value."""
    severity: Literal["P0", "P1", "P2", "P3"] | None = None
    """How bad it is; for several levels give each a table of its own instead (`P1 = { above = "0.5 %", for = "5m" }`)."""
    P0: LevelOfRule | None = None
    """The level of severity P0."""
    P1: LevelOfRule | None = None
    """The level of severity P1."""
    P2: LevelOfRule | None = None
    """The level of severity P2."""
    P3: LevelOfRule | None = None
    """The level of severity P3."""
    why: str = ""
    """Why it matters; shown with the alert."""
    link: str = ""
    """A dashboard or runbook; shown with the alert."""
    playbook: str = ""
    """The playbook for it; shown with the alert."""
    enabled: bool = True
    """`false` switches a panel's own rule of this name off."""

    @model_validator(mode="after")
    def _levels(self) -> RuleSection:
        if not self.enabled:
            return self
        tables = [each for each in (self.P0, self.P1, self.P2, self.P3) if each]
        own = self.above is not None or self.below is not None
        if not self.signal:
            raise ValueError('which signal? write signal = "PANEL.SIGNAL"')
        if own and self.severity is None:
            raise ValueError('how bad is it? write severity = "P0" … "P3"')
        if not own and not tables:
            raise ValueError('from where on? write above = … or below = …, or a level such as P1 = { above = "5 %" }')
        for each in ([self] if own else []) + tables:
            if (each.above is None) == (each.below is None):
                raise ValueError("a level has either above or below")
        ways = {each.above is None for each in ([self] if own else []) + tables}
        if len(ways) > 1:
            raise ValueError("all levels of a rule look the same way: above, or below")
        return self

    def levels(self) -> list[tuple[Literal["P0", "P1", "P2", "P3"], LevelOfRule]]:
        """The levels, each with its severity."""
        found: list[tuple[Literal["P0", "P1", "P2", "P3"], LevelOfRule]] = []
        if self.severity:
            found.append((self.severity, LevelOfRule.model_construct(above=self.above, below=self.below, hold=self.hold)))
        tables: tuple[tuple[Literal["P0", "P1", "P2", "P3"], LevelOfRule | None], ...] = (
            ("P0", self.P0),
            ("P1", self.P1),
            ("P2", self.P2),
            ("P3", self.P3),
        )
        return found + [(severity, level) for severity, level in tables if level]


class JournalSection(Settings):
    """`[journal]`: where the record is kept, and with whom it is shared."""

    url: Dsn | None = None
    """A PostgreSQL that shares the journal's entries with the whole team, on every host: `postgresql://user:{env:NAME}@host/db`.
    Not a database that a panel watches."""


class SentrySection(Settings):
    """`[sentry]`: where Watchfloor's own crashes are reported; nowhere unless a DSN is set."""

    dsn: Any = None
    """The DSN, as `env:NAME` or `file:PATH`."""
