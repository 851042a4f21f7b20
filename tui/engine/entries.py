"""The kinds of entry in the journal, each a versioned model: what was decided, said, done and told.

    alert       a rule's alert moved                     acknowledged, unacknowledged   a person took it on, or gave it back
    came-back   it wants an answer again
    silenced, maintained, silence-ended                  false-positive                 a person called it false
    paged       somebody was called, and whether reached marked, change                 something that may be a cause
    claimed, told, untold   a notification, before and after it is sent
    config      the config was read again                intent, item, outcome, proof, settled   deeds (gate.py's, plain)

State is never stored beside the entries: acknowledgements, silences and the rest are what follows from reading them in order,
so two dashboards that read the same entries agree. A kind that this version does not know is kept and printed, never an error.
Adding a field with a default needs no new version; anything else does, and an entry in `UPGRADES`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Literal, TypeVar

import msgspec
from msgspec import Struct

from .alert import Alert, Severity, State
from .ask import Matcher
from .decoding import decodable
from .reading import Change
from .text import Shown

Data = Mapping[str, Any]


class Said(Struct, frozen=True):
    """The base of every kind: `kind` is its name in the journal, `version` its shape."""

    kind: ClassVar[str] = ""
    version: ClassVar[int] = 1


class AlertMoved(Said, frozen=True):
    """An alert changed its state or severity: what it is now, and what it was (`inactive` where it was none)."""

    kind: ClassVar[str] = "alert"
    alert: Alert
    was: State | Literal["inactive"]
    was_severity: Severity | None = None


class Acknowledged(Said, frozen=True):
    """A person took alerts on: exactly these, as bad as they were (a rise comes back)."""

    kind: ClassVar[str] = "acknowledged"
    alerts: tuple[tuple[str, Severity], ...]
    """(fingerprint, severity) pairs."""


class Unacknowledged(Said, frozen=True):
    """A person gave alerts back."""

    kind: ClassVar[str] = "unacknowledged"
    fingerprints: tuple[str, ...]


class CameBack(Said, frozen=True):
    """What was acknowledged wants an answer again: these rose above what was acknowledged, or joined its fold since. Said by
    the one who polls, at most once in ten minutes a fold, but for what is worse."""

    kind: ClassVar[str] = "came-back"
    alerts: tuple[tuple[str, Shown], ...]
    """(fingerprint, why) pairs."""
    fold: tuple[str, ...] = ()
    """All fingerprints of the fold then; none where it wanted an answer anyway."""
    worst: Severity = "P0"
    """How bad the worst of them is: what is no worse does not come back again within ten minutes."""


class Silenced(Said, frozen=True):
    """Nobody is told of what matches until `until` (UTC seconds). `at` names the panel whose Alertmanager holds it, if any."""

    kind: ClassVar[str] = "silenced"
    id: str
    matchers: tuple[Matcher, ...]
    until: float
    reason: str
    at: str = ""


class Maintained(Said, frozen=True):
    """A maintenance window from `since` to `until` over panels (all where none is named)."""

    kind: ClassVar[str] = "maintained"
    id: str
    panels: tuple[str, ...]
    since: float
    until: float
    reason: str


class SilenceEnded(Said, frozen=True):
    """A silence or maintenance window was ended before its time."""

    kind: ClassVar[str] = "silence-ended"
    id: str


class CalledFalse(Said, frozen=True):
    """A person called an alert a false positive."""

    kind: ClassVar[str] = "false-positive"
    fingerprint: str
    rule: str
    why: str
    value: float | None = None


class Paged(Said, frozen=True):
    """A person had the backup called (`E`), or the escalation clock did (`by_itself`). Said after the call, so that it says
    what came of it: `reached` is false where a channel did not tell them, or nobody knows; `says` has the words. `told` are the
    channels that told them, `missed` those that did not."""

    kind: ClassVar[str] = "paged"
    fingerprint: str
    whom: str
    by_itself: bool = False
    reached: bool = True
    says: str = ""
    told: tuple[str, ...] = ()
    missed: tuple[str, ...] = ()

    @property
    def misses(self) -> str:
        """`NOT reached`, or `NOT by sms` where another channel told them; empty where all did."""
        if self.reached:
            return ""
        return f"NOT by {', '.join(self.missed)}" if self.told else "NOT reached"


class Marked(Said, frozen=True):
    """Somebody, a CI job or the config said that something happened."""

    kind: ClassVar[str] = "marked"
    change: Change


class ChangeSeen(Said, frozen=True):
    """A change that a probe saw (a deployment, a new release), so that it outlives the process."""

    kind: ClassVar[str] = "change"
    panel: str
    change: Change


class Claimed(Said, frozen=True):
    """A notification is about to be sent: written before its first byte leaves, so that nobody is told twice."""

    kind: ClassVar[str] = "claimed"
    fingerprint: str
    channel: str
    transition: str
    """`firing`, `acknowledged`, `resolved`, `escalated`, with what tells two of a kind apart behind a colon."""


class Told(Said, frozen=True):
    """A claimed notification arrived."""

    kind: ClassVar[str] = "told"
    fingerprint: str
    channel: str
    transition: str
    tries: int = 1


class Untold(Said, frozen=True):
    """A claimed notification was given up; `says` why, redacted."""

    kind: ClassVar[str] = "untold"
    fingerprint: str
    channel: str
    transition: str
    says: str
    tries: int = 1


class ConfigRead(Said, frozen=True):
    """The config was read again while running: in force, or refused and the old one kept."""

    kind: ClassVar[str] = "config"
    digest: str
    taken: bool
    says: str


KINDS: dict[str, type[Said]] = {
    each.kind: each
    for each in (
        AlertMoved,
        Acknowledged,
        Unacknowledged,
        CameBack,
        Silenced,
        Maintained,
        SilenceEnded,
        CalledFalse,
        Paged,
        Marked,
        ChangeSeen,
        Claimed,
        Told,
        Untold,
        ConfigRead,
    )
}
UPGRADES: dict[tuple[str, int], Callable[[Data], Data]] = {}
"""By kind and version: what makes an entry of that version one of the next."""

S = TypeVar("S", bound=Said)


def written(said: Said) -> str:
    """The entry's data as JSON; a lone surrogate in a label stays what it is (escaped)."""
    return json.dumps(msgspec.to_builtins(said), sort_keys=True)


def read(kind: str, version: int, data: Data) -> Said | None:
    """What an entry says, brought up to this version's shape; None for a kind that has no model here (deeds, newer kinds) or
    that does not fit its model: whoever prints it still has its data."""
    model = KINDS.get(kind)
    if model is None:
        return None
    while version < model.version:
        upgrade = UPGRADES.get((kind, version))
        if upgrade is None:
            return None
        data, version = upgrade(data), version + 1
    try:
        return msgspec.convert(data, decodable(model))
    except msgspec.ValidationError:
        return None
