"""What the screen (or a command) may ask of the engine, through the feed: each a frozen question, answered by a future.

Whoever asks only says what is meant; the engine checks again whether it may be (level, journal, what is there now).
"""

from __future__ import annotations

from msgspec import Struct

from .actions import Plan
from .text import Shown, clean


class PollNow(Struct, frozen=True):
    """Ask: poll at once, everything or one panel. Answers None when the polls are on their way."""

    panel: str | None = None


class MakePlan(Struct, frozen=True):
    """Ask: the plan of an action (`database.terminate`) for row keys. Answers a Plan; raises PlanRefused or ProbeError."""

    action: str
    keys: tuple[str, ...]


class Execute(Struct, frozen=True):
    """Ask: carry out a plan. `typed` is what the person typed, `yes` that they said so. Answers the ended Deed; raises
    PlanRefused where the gate refuses."""

    plan: Plan
    typed: str = ""
    yes: bool = False


class Settle(Struct, frozen=True):
    """Ask: a person looked at an open intent and says that it is dealt with. Answers None."""

    intent: str


class Matcher(Struct, frozen=True):
    """One condition of a silence, as Alertmanager has them: a label, or `alertname`, `panel`, `severity`, `fingerprint`,
    compared with a value or a regular expression (anchored at both ends)."""

    name: str
    value: str
    is_regex: bool = False
    is_equal: bool = True


class Acknowledge(Struct, frozen=True):
    """Ask: a person takes these alerts on, by fingerprint. Answers None; raises Unrecorded."""

    fingerprints: tuple[str, ...]


class Unacknowledge(Struct, frozen=True):
    """Ask: takes an acknowledgement back. Answers None; raises Unrecorded."""

    fingerprints: tuple[str, ...]


class MakeSilence(Struct, frozen=True):
    """Ask: nobody is told of what matches, for `seconds`. `at` names a panel whose Alertmanager is to hold it, empty for ours.
    `sure` is said where the silence is so broad (`silences.too_broad`) that a person must say so. Answers the silence's id;
    raises Unrecorded, or ProbeError where Alertmanager has no answer."""

    matchers: tuple[Matcher, ...]
    seconds: float
    reason: str
    at: str = ""
    sure: bool = False


class EndSilence(Struct, frozen=True):
    """Ask: ends a silence or maintenance window by its id. Answers None; raises as MakeSilence does."""

    id: str


class Maintain(Struct, frozen=True):
    """Ask: a maintenance window from now on over whole panels (all where none is named): it pages nobody and counts against no
    uptime. Answers its id; raises Unrecorded."""

    panels: tuple[str, ...]
    seconds: float
    reason: str


class CallItFalse(Struct, frozen=True):
    """Ask: a person says that this alert was a false positive, and why. Answers a `Tuning`: what would have kept it quiet.
    Raises Unrecorded."""

    fingerprint: str
    why: str


class Tuning(Struct, frozen=True):
    """What would have kept a false alert quiet: lines of config, ready to copy, and what they would mean, in words."""

    toml: str
    says: Shown


class Page(Struct, frozen=True):
    """Ask: the backup is paged now for this alert. Answers, in words, who was told by which channel; raises Unrecorded where
    nothing could call. They are called also where it cannot be recorded."""

    fingerprint: str


class Mark(Struct, frozen=True):
    """Ask: something happened that may be a cause: a change, marked on every chart. Answers None; raises Unrecorded."""

    text: str


class Rewind(Struct, frozen=True):
    """Ask: everything as it was: `steps` polls of a panel back (negative) or forth from `at`, or at the alert or change before
    (`jump` -1) or after (1). `at` is UTC seconds, None for now; `every` is the panel's interval in seconds.

    Answers a `rewind.Rewound`, None where it leads to now. Raises Unrecorded where nothing is recorded that way.
    """

    at: float | None = None
    steps: int = 0
    jump: int = 0
    panel: str = ""
    every: float = 5.0


Ask = (
    PollNow
    | MakePlan
    | Execute
    | Settle
    | Acknowledge
    | Unacknowledge
    | MakeSilence
    | EndSilence
    | Maintain
    | CallItFalse
    | Page
    | Mark
    | Rewind
)


class Unrecorded(Exception):
    """It could not be written down, or may not be said at this level: then it did not happen. The message says why."""

    def __init__(self, says: str) -> None:
        super().__init__(says)
        self.says: Shown = clean(says)
