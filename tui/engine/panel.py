"""The panel's contract: what a panel's card lists, and what its probes and its view are given. What a view returns: layout.py.

A panel is one folder of one shape (DESIGN.md) and one entry-point line in the group `watchfloor.panels`:

    health/__init__.py   CARD = Card(kind="health", …)     names its config model, probes, signals, columns, rules
    health/probe.py      async def ask(target, tools, memory) -> Found
    health/view.py       def view(readings, history, room) -> Layout        a pure function
    health/actions.py    ACTIONS: tuple[Action, ...]                        where its rows offer remedies

The card is imported for every panel in the config, so it must be light: view and actions stand in it by name only.
Nothing here imports Textual, and a panel needs nothing beyond `tui.engine`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, Protocol

from msgspec import Struct, field
from pydantic import BaseModel, ConfigDict, Field

from .installed import installed_kinds
from .layout import Column, Layout, Room
from .reading import Change, Found, Reading, Row, Status
from .text import EMPTY, Shown, clean
from .units import Interval, Unit

if TYPE_CHECKING:
    from .actions import Action
    from .alert import Fold
    from .connections import Tools
    from .escalation import Escalation
    from .history import Trends
    from .silences import Silence, Silencer

DEFAULT_INTERVAL = 5.0
LONGEST_DEADLINE = 10.0


class Settings(BaseModel):
    """The base of everything in the config: unknown keys are mistakes, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True, defer_build=True)


class PanelConfig(Settings):
    """What every `[[panel]]` takes; a kind's own model adds to it."""

    kind: str
    """Which panel it is: `health`, `metrics`, `database`, `jobs`, `deploys`, `alerts`, or one that a package adds."""
    name: str = Field(default="", pattern=r"^[A-Za-z0-9_-]*$")
    """What it is called on screen and in rules; the kind where it is not given."""
    interval: Interval | None = None
    """How often its sources are asked; the whole dashboard's interval where it is not given."""
    deadline: Interval | None = None
    """How long one answer may take; its interval, 10 s at most, where it is not given."""

    @property
    def title(self) -> str:
        """The panel's name, which is its kind where the config gives none."""
        return self.name or self.kind

    @classmethod
    def place_of(cls, written: Mapping[str, Any], loc: tuple[str | int, ...]) -> tuple[str | int, ...]:
        """Where in the file a value of the model was written, for a model that gathers several keys into one."""
        return loc


class Target(Struct, frozen=True):
    """One thing to ask: where a panel watches several (endpoints), there is one each.

    `settings` is the panel's config, `part` what is the target's own (an endpoint's model), `interval` and `deadline`
    are seconds in force for this target and probe.
    """

    panel: str
    name: str
    settings: Any
    part: Any
    interval: float
    deadline: float
    environment: str = ""


Memory = dict[str, Any]
"""What one probe of one target keeps from poll to poll (last counters, closed buckets). Never drawn, never shared."""
BEFORE = "before"
"""Under this name a probe's memory holds the last good `Reading` of the process that polled before this one did, where there
was one: for what should outlive a restart, or another's turn to poll. It may be old; its `at` says how."""

Ask = Callable[[Target, "Tools", Memory], Awaitable[Found]]
"""A probe: asks one target once, within the target's deadline. Raises ProbeError where there is no answer; any other
exception is a defect, shown as *unknown* with its type."""


class Wanted(Struct, frozen=True):
    """One target of a probe as the config names it; None means the panel's own interval or deadline."""

    name: str
    part: Any = None
    interval: float | None = None
    deadline: float | None = None


def the_panel_itself(config: PanelConfig) -> Sequence[Wanted]:
    """The usual case: the panel watches one thing, called as the panel is."""
    return (Wanted(config.title),)


class Probe(Struct, frozen=True):
    """A question that a panel asks again and again.

    `every` is its interval where it differs from the panel's (sizes by the minute, sessions by the second): a function
    of the config, in seconds. `deadline` likewise.
    """

    name: str
    ask: Ask
    targets: Callable[[Any], Sequence[Wanted]] = the_panel_itself
    every: Callable[[Any], float | None] = lambda config: None
    deadline: Callable[[Any], float | None] = lambda config: None


class SignalSpec(Struct, frozen=True):
    """What a signal means. `worse` says which way is bad, None where neither is."""

    name: str
    unit: Unit
    help: str
    worse: Literal["higher", "lower"] | None = None
    labels: tuple[str, ...] = ()


class Judged(Struct, frozen=True):
    """How the rules see one signal now: its limit in words of the rule that bites first, and the status it gives."""

    status: Status
    limit: Shown = EMPTY
    since: float | None = None


class Readings(Struct, frozen=True):
    """What a view is given: the panel's newest good readings by probe, what the rules say, and its config.

    A probe whose last try failed still has its last good reading here; `stale` names those past their freshness.
    """

    panel: str
    settings: Any
    by_probe: Mapping[str, tuple[Reading, ...]]
    judged: Mapping[str, Judged] = field(default_factory=dict)
    stale: frozenset[tuple[str, str]] = frozenset()
    """(target, probe) pairs past their freshness."""
    suspected: Mapping[str, Shown] = field(default_factory=dict)
    """What followed a change, by the change's key (`errors rise 80s after`): how facts of other panels reach this one."""
    changes: tuple[Change, ...] = ()
    """What happened lately, over all panels, oldest first."""
    folds: tuple[Fold, ...] = ()
    """Every panel's alerts as lines, ours and other systems', the worst first."""
    escalations: tuple[Escalation, ...] = ()
    """The clocks of the alerts that want an answer."""
    silences: tuple[Silence, ...] = ()
    """Our silences and maintenance windows in force, and those that other systems hold."""
    maintenance: Shown = EMPTY
    """What is said of the panel while it is under maintenance."""

    def of(self, probe: str) -> tuple[Reading, ...]:
        """The newest reading of each target of one probe, in the config's order."""
        return self.by_probe.get(probe, ())

    def one(self, probe: str) -> Reading | None:
        """The newest reading of a probe with one target."""
        return next(iter(self.of(probe)), None)

    def rows(self, probe: str) -> list[tuple[Reading, Row]]:
        """Every row of one probe with the reading it stands in."""
        return [(reading, row) for reading in self.of(probe) for row in reading.rows]

    def row_status(self, reading: Reading, status: Status) -> Status:
        """The row's status, *unknown* where its reading is past its freshness."""
        return max(status, Status.UNKNOWN) if (reading.target, reading.probe) in self.stale else status

    def judgement(self, key: str) -> Judged:
        """What the rules say of a signal; `ok` without a limit where no rule looks at it."""
        return self.judged.get(key, _WELL)


_WELL = Judged(Status.OK)


class View(Protocol):
    """A panel's view: readings to data. Pure, so that rewind, snapshots and the README's pictures are the same code."""

    def __call__(self, readings: Readings, history: Trends, room: Room) -> Layout: ...


class Threshold(Struct, frozen=True):
    """One level of a default rule: the severity and where it begins, in the signal's base unit."""

    severity: Literal["P0", "P1", "P2", "P3"]
    limit: float
    hold: float = 0.0
    """Seconds that the breach must last."""


class DefaultRule(Struct, frozen=True):
    """A rule that a panel brings along, with its panel's own signal (`error_rate`, not `metrics.error_rate`)."""

    name: str
    signal: str
    way: Literal["above", "below"]
    levels: tuple[Threshold, ...]
    why: str = ""


class Card(Struct, frozen=True):
    """A panel's card. `view` and `actions` are `module:attribute`, imported only where they are used."""

    kind: str
    title: str
    config: type[PanelConfig]
    probes: tuple[Probe, ...]
    signals: tuple[SignalSpec, ...]
    view: str
    columns: tuple[Column, ...] = ()
    units: Mapping[str, Unit | Literal["utc", "duration"]] = field(default_factory=dict)
    """The units of numeric cells for the opened row, where no column says them; `utc` is seconds since 1970, `duration` seconds
    that are a span and no latency."""
    rules: tuple[DefaultRule, ...] = ()
    actions: str = ""
    lists_alerts: bool = False
    """Whether its rows are every panel's alerts: then the panel bar counts them, and line 1 does not count it as a panel, since
    what is wrong counts where it is."""
    silencer: str = ""
    """`module:attribute` of a `Silencer`, where the panel's source holds silences of its own (Alertmanager)."""
    silences_now: Callable[[Any], bool] = lambda settings: True
    """Whether it does with these settings."""
    check: str = ""
    """`module:attribute` of an async function `(config, tools) -> Sequence[Checked]` for `config check --connect`."""
    example: str = ""
    """A commented TOML piece for `config init`."""

    def load_view(self) -> View:
        """The view function; imports it."""
        view: View = load_named(self.view)
        return view

    def load_actions(self) -> tuple[Action, ...]:
        """The remedies its rows offer; imports them."""
        return load_named(self.actions) if self.actions else ()

    def load_silencer(self) -> Silencer | None:
        """What makes silences where the panel's source holds its own; imports it. None where it does not."""
        return load_named(self.silencer) if self.silencer else None


class Checked(Struct, frozen=True):
    """One line of `config check --connect`: a source, whether it was reached, as whom, and what is missing."""

    source: Shown
    reached: bool
    says: Shown
    missing: tuple[Shown, ...] = ()
    """What to do about it, ready to run where it can be (`GRANT pg_monitor TO watch;`)."""


def load_named(name: str) -> Any:
    """What `module:attribute` names. Raises ImportError or AttributeError as Python does."""
    module, _, attribute = name.partition(":")
    return getattr(import_module(module), attribute)


class PanelLoadError(Exception):
    """A panel's package is there but its card cannot be used; `says` is for the panel's place on screen."""

    def __init__(self, kind: str, says: str) -> None:
        super().__init__(says)
        self.kind = kind
        self.says: Shown = clean(says)


def load_card(kind: str) -> Card:
    """The card of one kind. Raises KeyError where nothing offers it, PanelLoadError where loading fails."""
    offered = installed_kinds()[kind]
    try:
        card = load_named(offered.card)
    except Exception as error:  # somebody else's package: whatever it raises must cost one panel, not the dashboard
        raise PanelLoadError(kind, f"{offered.package} could not be loaded: {type(error).__name__}: {error}") from error
    if not isinstance(card, Card):
        raise PanelLoadError(kind, f"{offered.card} is no Card")
    return card
