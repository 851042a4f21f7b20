"""`[[rule]]` as a person types it, with a sentence to each key. A start whose config has none does without."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from tui.engine.panel import Settings
from tui.engine.units import Duration, Ratio

SEVERITIES = ("P0", "P1", "P2", "P3")
KINDS = ("absent", "baseline", "change_over", "events_in", "slo")
"""The keys that make a rule more than a threshold; one at most."""
EVERY_VALUE_KEPT = 3600.0


class LevelOfRule(Settings):
    """One level of a rule: where it begins and how long it must last."""

    above: Any = None
    """Breached above this value, in the signal's unit (`"5 %"`, `"2s"`, `10`)."""
    below: Any = None
    """Breached below this value, in the signal's unit."""
    hold: Duration = Field(default=0.0, alias="for")
    """How long the breach must last before the alert fires."""


class RuleSection(Settings):
    """`[[rule]]`: a threshold on a signal, or on what becomes of it. One with the name of a panel's own rule replaces it."""

    name: str = Field(max_length=60)
    """What the alert is called."""
    signal: str = ""
    """PANEL.SIGNAL, with labels where it is to hold for some series only: `jobs.failure_rate{kind="PUBLISH_*"}`. Each series
    has an alert of its own."""
    above: Any = None
    """Breached above this value, in the signal's unit (`"5 %"`, `"2s"`, `10`); with `baseline` a factor, with `events_in` a
    number."""
    below: Any = None
    """Breached below this value, in the signal's unit."""
    hold: Duration = Field(default=0.0, alias="for")
    """How long the breach must be measured before the alert fires."""
    in_a_row: int = Field(default=1, ge=1, le=1000)
    """So many readings in a row must be breaching before the alert fires."""
    keep_firing_for: Duration = 0.0
    """How long it must be measured well before the alert is over, so that one that flaps is one alert."""
    window: Duration = 0.0
    """Compare the mean over this long instead of the newest value; with `baseline`, what is compared with the past."""
    absent: Duration | None = None
    """Breached where nothing was measured for this long, also where the series has vanished or was never there."""
    baseline: Literal["1h", "1d"] | None = None
    """Compare how many times it is what it was an hour (`"1h"`) or a day (`"1d"`) ago, each over `window` (5m)."""
    change_over: Duration | None = None
    """Compare by how much it rose within this long; a limit below zero (`below = "-2 GB"`) is a fall."""
    events_in: Duration | None = None
    """Compare how many events came within this long."""
    events: Literal["increase", "sum"] = "increase"
    """How a signal counts events: a counter that only grows (`increase`), or those since the last reading (`sum`), of which
    nobody knows how many came while nothing was measured: then what was seen may fire, and resolves nothing."""
    slo: Ratio | None = None
    """An objective such as `"99.9 %"`: breached where the error budget burns too fast (14.4 times over 1h and 5m: P0; 6 over 6h
    and 30m: P1; 3 over 1d and 2h: P2; 1 over 3d and 6h: P3; Google's SRE workbook). On a share of errors, or `up`."""
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
    raises: dict[str, dict[str, Literal["P0", "P1", "P2", "P3"]]] = Field(default_factory=dict, alias="raise")
    """Labels that make it worse: `raise = { tier = { enterprise = "P1" } }`; values may be patterns (`"acme-*"`)."""
    why: str = ""
    """Why it matters; shown with the alert."""
    link: str = ""
    """A dashboard or runbook; shown with the alert."""
    playbook: str = ""
    """The playbook for it; shown with the alert."""
    enabled: bool = True
    """`false` switches a panel's own rule of this name off."""

    @model_validator(mode="after")
    def _says_what_is_compared(self) -> RuleSection:
        if not self.enabled:
            return self
        if not self.signal:
            raise ValueError('which signal? write signal = "PANEL.SIGNAL"')
        kinds = [each for each in KINDS if getattr(self, each) is not None]
        if len(kinds) > 1:
            raise ValueError(f"{' and '.join(kinds)} are two kinds of rule: make two rules of them")
        kind = kinds[0] if kinds else ""
        if self.window and kind not in ("", "baseline"):
            raise ValueError(f"{kind} has its own window: leave window out")
        if self.events == "sum" and kind != "events_in":
            raise ValueError('events says how events_in counts: write events_in = "10m" as well')
        for name in ("window", "change_over", "events_in"):
            if (getattr(self, name) or 0) > EVERY_VALUE_KEPT:
                raise ValueError(f"{name} is an hour at most: for so long every value is kept")
        return self

    @model_validator(mode="after")
    def _levels(self) -> RuleSection:
        if not self.enabled:
            return self
        tables = [each for each in (self.P0, self.P1, self.P2, self.P3) if each]
        own = self.above is not None or self.below is not None
        if self.slo is not None or self.absent is not None:
            return self._levels_of_its_own(own or bool(tables))
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
        if own and self.severity and getattr(self, self.severity):
            raise ValueError(f"{self.severity} is given twice: by severity and by a table")
        return self

    def _levels_of_its_own(self, given: bool) -> RuleSection:
        """An objective and an absence leave nothing to say of where they begin."""
        kind = "slo" if self.slo is not None else "absent"
        if given:
            raise ValueError(f"{kind} says itself where it begins: leave above, below and levels out")
        if self.hold or self.in_a_row > 1:
            raise ValueError(f"{kind} says itself how long it takes: leave for and in_a_row out")
        if kind == "slo" and self.severity:
            raise ValueError("slo has four severities, by how fast the budget burns: leave severity out")
        if kind == "absent" and not self.severity:
            raise ValueError('how bad is it? write severity = "P0" … "P3"')
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
