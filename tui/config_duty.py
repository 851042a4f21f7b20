"""`[severities]`, `[escalation]`, `[[maintenance]]` of the config: how long alerts wait, who is called, and when nobody is."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Protocol, TypeVar, cast
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, Field, model_validator

from tui.config_places import Path as Place
from tui.engine.alert import Severity
from tui.engine.escalation import PATIENCE, Duty, Patience
from tui.engine.maintenance import Weekly, Window
from tui.engine.notify.hours import HoursText, parse_hours
from tui.engine.panel import Settings
from tui.engine.rotation import Rotation, Turn
from tui.engine.text import clean
from tui.engine.units import Duration
from tui.nearest import nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

_TIME = re.compile(r"(\d\d?):(\d\d)")


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f'there is no time zone "{name}" here: expected one such as "Europe/Berlin"') from None
    return name


def _of_day(text: str) -> str:
    found = _TIME.fullmatch(text)
    if not found or int(found.group(1)) > 23 or int(found.group(2)) > 59:
        raise ValueError(f'expected a time of day such as "09:00", found "{text}"')
    return text


def _day(text: str) -> str:
    try:
        datetime.date.fromisoformat(text)
    except ValueError:
        raise ValueError(f'expected a day such as "2026-11-16", found "{text}"') from None
    return text


Zone = Annotated[str, AfterValidator(_zone)]
"""A time zone by its name."""


class SeverityClock(Settings):
    """`[severities.P0]` and so on: how long an alert of this severity may wait for an answer."""

    acknowledge: Duration | None = None
    """Until when it should be acknowledged, from when it fires: 2m for P0, 30m for P1, 2h for P2, 24h for P3 where it is not
    given."""
    escalate: Duration | None = None
    """From when on the backup is due if nobody has: 15m for P0, 30m for P1, never for the others where it is not given. `"0s"`
    is never."""


class SeveritiesSection(Settings):
    """`[severities]`: the clocks, severity by severity."""

    P0: SeverityClock = Field(default_factory=SeverityClock)
    """The clock of severity P0."""
    P1: SeverityClock = Field(default_factory=SeverityClock)
    """The clock of severity P1."""
    P2: SeverityClock = Field(default_factory=SeverityClock)
    """The clock of severity P2."""
    P3: SeverityClock = Field(default_factory=SeverityClock)
    """The clock of severity P3."""

    def patience(self) -> Mapping[Severity, Patience]:
        """What is in force: what is given, and the defaults for the rest."""
        return {severity: _patience(getattr(self, severity), usual) for severity, usual in PATIENCE.items()}


def _patience(clock: SeverityClock, usual: Patience) -> Patience:
    acknowledge = usual.acknowledge if clock.acknowledge is None else clock.acknowledge
    escalate = usual.escalate if clock.escalate is None else clock.escalate or None
    return Patience(acknowledge, escalate)


class Week(Settings):
    """One week of the rotation."""

    primary: str = Field(min_length=1, max_length=40)
    """Who is called first."""
    backup: str = Field(default="", max_length=40)
    """Who is called where the primary does not answer."""


class EscalationSection(Settings):
    """`[escalation]`: whether the clock calls people, and who is on call."""

    page: bool = False
    """Whether the clock calls the backup by itself when it is due; else it only counts, and `E` calls."""
    week: tuple[Week, ...] = ()
    """The weeks of the rotation, in order, over and over: `[[escalation.week]]` with `primary` and `backup`."""
    anchor: Annotated[str, AfterValidator(_day)] = "2024-01-01"
    """The day on which the first of the weeks begins."""
    handover: Annotated[str, AfterValidator(_of_day)] = "09:00"
    """The time of day at which a week begins."""
    zone: Zone = "UTC"
    """The time zone of the hand-over."""

    def rotation(self) -> Rotation | None:
        """The rotation; None where nobody is named."""
        if not self.week:
            return None
        hour, minute = self.handover.split(":")
        turns = tuple(Turn(each.primary, each.backup) for each in self.week)
        return Rotation(turns, self.anchor, int(hour) * 60 + int(minute), self.zone)


class MaintenanceSection(Settings):
    """`[[maintenance]]`: a time in which panels may be unwell. It pages nobody, counts against no uptime, and is shown so."""

    panels: tuple[str, ...] = ()
    """The panels that it covers; all where none is named."""
    since: datetime.datetime | None = None
    """When it begins, for one that is once: `2026-11-22T02:00:00Z`. Without a time zone it is UTC."""
    until: datetime.datetime | None = None
    """When it ends, for one that is once."""
    hours: HoursText | None = None
    """When it is, for one that comes each week: `"sun 02:00-04:00 Europe/Berlin"`, several with commas. Where the clocks skip
    its beginning it begins at once after that; where they show it twice, once."""
    reason: str = Field(default="", max_length=120)
    """Why; shown with it."""

    @model_validator(mode="after")
    def _once_or_weekly(self) -> MaintenanceSection:
        once = self.since is not None and self.until is not None
        if once is (self.hours is not None) or (self.since is None) is not (self.until is None):
            raise ValueError('when? write since = … and until = …, or hours = "sun 02:00-04:00"')
        if self.since and self.until and _utc(self.since) >= _utc(self.until):
            raise ValueError("it ends before it begins")
        if self.hours and (not parse_hours(self.hours).spans or parse_hours(self.hours).outside):
            raise ValueError('maintenance has hours of its own: expected some such as "sun 02:00-04:00"')
        return self

    def windows(self) -> tuple[Window, ...]:
        """The windows: one, or one for each span of hours."""
        reason = clean(self.reason)
        if self.since and self.until:
            return (Window(self.panels, _utc(self.since), _utc(self.until), reason=reason),)
        hours = parse_hours(self.hours or "")
        weekly = (Weekly(tuple(sorted(each.days)), each.start, each.end, hours.zone) for each in hours.spans)
        return tuple(Window(self.panels, weekly=each, reason=reason) for each in weekly)


def _utc(at: datetime.datetime) -> float:
    return (at if at.tzinfo else at.replace(tzinfo=datetime.UTC)).timestamp()


M = TypeVar("M", bound=BaseModel)


class Pass(Protocol):
    """What of the pass over a config is needed here."""

    def mistake(self, place: Place, says: str) -> None:
        """Notes what is wrong with the value at a place."""
        ...

    def section(self, model: type[M], values: object, place: Place) -> M | None:
        """A table as its model; None, with every mistake noted, where it does not fit."""
        ...


def duty(check: Pass, severities: object, escalation: object) -> Duty:
    """The clocks and people of the config; mistakes are noted."""
    clocks = check.section(SeveritiesSection, severities, ("severities",)) or SeveritiesSection()
    calls = check.section(EscalationSection, escalation, ("escalation",)) or EscalationSection()
    return Duty(clocks.patience(), calls.page, calls.rotation())


def maintenance(check: Pass, tables: object, panels: Sequence[str]) -> tuple[Window, ...]:
    """The maintenance windows of the config; one over a panel that there is not is a mistake."""
    if not isinstance(tables, list):
        check.mistake(("maintenance",), "expected [[maintenance]] tables")
        return ()
    found: list[Window] = []
    for index, table in enumerate(cast("list[object]", tables)):
        section = check.section(MaintenanceSection, table, ("maintenance", index))
        if section is None:
            continue
        for place, name in enumerate(section.panels):
            if name not in panels:
                check.mistake(("maintenance", index, "panels", place), f"there is no panel {name}{nearest(name, panels)}")
        found += section.windows()
    return tuple(found)
