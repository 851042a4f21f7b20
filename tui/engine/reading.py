"""What one probe found: the frozen data that everything behind the probe is made of.

A reading is judged by its probe only as far as the watched thing's own contract goes (`ok`, `failing`, or `unknown`
where the messenger failed). Thresholds are rules and live elsewhere. Nothing here knows of screens.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Literal

from msgspec import Struct, field
from msgspec.structs import force_setattr

from .text import EMPTY, Shown, clean
from .units import Unit


class Status(enum.IntEnum):
    """How bad, in order of badness: *unknown* may hide *failing*, so it ranks above *degraded*."""

    OK = 0
    DEGRADED = 1
    UNKNOWN = 2
    FAILING = 3

    @property
    def word(self) -> Shown:
        """`ok`, `degraded`, `unknown`, `failing`: the word on screen, in JSON and in the journal."""
        return Shown(self.name.lower())

    @property
    def sign(self) -> Shown:
        """`●`, `▲`, `?`, `✖`: what stands for the word where there is little room."""
        return Shown("●▲?✖"[self])


def worst(statuses: Iterable[Status], default: Status = Status.OK) -> Status:
    """The worst of several; `default` where there is none."""
    return max(statuses, default=default)


Labels = tuple[tuple[str, str], ...]
"""Label pairs, sorted by name."""
NO_LABELS: Labels = ()


def labels_of(labels: Mapping[str, str]) -> Labels:
    """The pairs of a mapping in the one order in which identities are compared."""
    return tuple(sorted(labels.items()))


@lru_cache(maxsize=65536)
def series_key(name: str, labels: Labels = NO_LABELS) -> str:
    """`name`, or `name{label="value",…}` with sorted labels, escaped as Prometheus writes them."""
    if not labels:
        return name
    pairs = (f'{label}="{value.translate(_ESCAPES)}"' for label, value in sorted(labels))
    return f"{name}{{{','.join(pairs)}}}"


_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})


class Signal(Struct, frozen=True):
    """A named number in a base unit. `value` is None where it could not be measured: no data is not zero."""

    name: str
    value: float | None
    unit: Unit = "count"
    labels: Labels = NO_LABELS

    def __post_init__(self) -> None:
        # NaN and ±Inf compare false with every threshold, so an alert would silently never fire: they are "no data".
        if self.value is not None and not math.isfinite(self.value):
            force_setattr(self, "value", None)

    @property
    def key(self) -> str:
        """The signal's identity within its panel."""
        return series_key(self.name, self.labels)


def signal(name: str, value: float | None, unit: Unit = "count", **labels: str) -> Signal:
    """A signal with labels given by name: `signal("failure_rate", 0.12, "ratio", kind="CLIP_RENDER")`."""
    return Signal(name, value, unit, labels_of(labels))


Value = Shown | float | int | bool | tuple[float | None, ...] | None
"""What a row's cell may hold: cleaned text, a number in base units, or a short series for a sparkline."""


class Link(Struct, frozen=True):
    """Where more is to be seen: a title and a raw URL (encoded, never drawn unescaped)."""

    title: Shown
    url: str


class Row(Struct, frozen=True):
    """One thing of many: an endpoint, a session, a job, a deployment.

    `key` is raw, unique in its panel and lasting: a job id, `pid@backend_start`; never a place or cleaned text.
    `cells` are by column name; what no column shows is still shown when the row is opened. `long` are texts of several
    lines (a statement, an error), by title, for the opened row. `parent` is the key of the row it hangs under.
    """

    key: str
    cells: Mapping[str, Value]
    status: Status = Status.OK
    parent: str | None = None
    links: tuple[Link, ...] = ()
    long: Mapping[str, tuple[Shown, ...]] = field(default_factory=dict)
    group: str = ""
    """Which table of the panel the row belongs to, where it has several (`kind`, `job`)."""

    def number(self, name: str) -> float | None:
        """A cell's number, in base units; None where it holds none."""
        value = self.cells.get(name)
        if value.__class__ is float:  # nearly always
            return value
        return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


class Change(Struct, frozen=True):
    """Something that happened and may be a cause: a deployment, a release seen to change, a mark."""

    key: str
    """Raw identity, so that one seen in two polls stays one."""
    at: float
    """UTC seconds at which it happened, not at which it was seen."""
    kind: str
    """`deployment`, `release`, `config`, `mark`, `lock`."""
    title: Shown
    detail: Shown = EMPTY
    about: tuple[str, ...] = ()
    """The panels and targets that it touches; none where it may touch anything (a deployment)."""


class Theirs(Struct, frozen=True):
    """An alert of another system (Alertmanager, Prometheus) as a probe found it. `fingerprint` is theirs, raw; times are UTC
    seconds; `silenced` says by what, in their words, where it tells nobody there."""

    fingerprint: str
    name: str
    labels: Labels
    severity: Literal["P0", "P1", "P2", "P3"]
    state: Literal["pending", "firing"]
    since: float
    says: Shown = EMPTY
    why: Shown = EMPTY
    link: str = ""
    source: str = "alertmanager"
    value: float | None = None
    silenced: Shown = EMPTY


class TheirSilence(Struct, frozen=True):
    """A silence that another system holds, in force now. `matchers` are (label, value, is a regular expression, is equal);
    times are UTC seconds."""

    id: str
    matchers: tuple[tuple[str, str, bool, bool], ...]
    since: float
    until: float
    who: Shown = EMPTY
    reason: Shown = EMPTY


class Failure(Struct, frozen=True):
    """Why a probe has no answer, in words for a person.

    `phase` is where it broke (`DNS`, `connect`, `TLS`, `first byte`, `body`, `status`, `contract`, `deadline`,
    `rights`, `config`, `query`); `says` what happened; `hint` what to look at or do.
    `refused` is true where the source refuses or limits *us*: then, and only then, the poller backs off
    (429, 401/403, a database that takes no connection); `retry_after` is the source's own wish, in seconds.
    """

    phase: str
    says: Shown
    hint: Shown = EMPTY
    refused: bool = False
    retry_after: float | None = None


class Reading(Struct, frozen=True):
    """The frozen result of one probe of one target.

    `at` is UTC seconds when the answer stood, `took` seconds. With an `error`, signals and rows hold only what was still
    learnt. `notes` say what a person must know to read the figures rightly (`sees only its own queries`, `sampled`).
    """

    panel: str
    target: str
    probe: str
    at: float
    took: float
    status: Status
    signals: tuple[Signal, ...] = ()
    rows: tuple[Row, ...] = ()
    changes: tuple[Change, ...] = ()
    error: Failure | None = None
    notes: tuple[Shown, ...] = ()
    alerts: tuple[Theirs, ...] = ()
    silences: tuple[TheirSilence, ...] = ()

    @property
    def series(self) -> dict[str, float | None]:
        """The values by signal key."""
        return {each.key: each.value for each in self.signals}

    def value(self, name: str, **labels: str) -> float | None:
        """One signal's value; None where it is absent or was not measured."""
        wanted = labels_of(labels)
        return next((each.value for each in self.signals if each.name == name and each.labels == wanted), None)


class Found(Struct, frozen=True):
    """What a probe hands to the poller, which adds who asked, when and how long it took.

    `spent` is the server time in seconds that the question cost a database: a panel that spends more than its share is
    polled less often (costs.md's budget).
    """

    status: Status
    signals: tuple[Signal, ...] = ()
    rows: tuple[Row, ...] = ()
    changes: tuple[Change, ...] = ()
    error: Failure | None = None
    notes: tuple[Shown, ...] = ()
    spent: float = 0.0
    alerts: tuple[Theirs, ...] = ()
    silences: tuple[TheirSilence, ...] = ()


_CELL = (str, float, int, tuple, type(None))
_PARTS: tuple[tuple[str, type], ...] = (
    ("signals", Signal),
    ("rows", Row),
    ("changes", Change),
    ("notes", str),
    ("alerts", Theirs),
    ("silences", TheirSilence),
)


def finding(answer: object) -> Found:
    """A probe's answer, where it is one through and through: somebody else's panel may return anything, and must cost nobody
    but itself. Raises TypeError, saying what it is instead."""
    if not isinstance(answer, Found):
        raise TypeError(f"the probe returned {type(answer).__name__}, not a Found")
    if not isinstance(answer.status, Status) or not isinstance(answer.error, Failure | None):
        raise TypeError(f"the probe's status is {answer.status!r}, its error {answer.error!r}")
    for name, kind in _PARTS:
        part = getattr(answer, name)
        if not isinstance(part, tuple | list) or not all(isinstance(each, kind) for each in part):
            raise TypeError(f"the probe's {name} are not {kind.__name__}s: {part!r:.80}")
    for row in answer.rows:  # what cannot be written cannot be shared with those who follow
        odd = next((key for key, value in row.cells.items() if not isinstance(value, _CELL)), None)
        if odd is not None:
            raise TypeError(f"the probe's cell {odd} holds {type(row.cells[odd]).__name__}")
    return answer


class ProbeError(Exception):
    """Raised by a probe that has no answer. `status` says whether the watched thing refused (`failing`) or the messenger
    failed (`unknown`)."""

    def __init__(self, failure: Failure, status: Status = Status.UNKNOWN) -> None:
        super().__init__(f"{failure.phase}: {failure.says}")
        self.failure = failure
        self.status = status


def no_answer(
    phase: str,
    says: str,
    hint: str = "",
    *,
    status: Status = Status.UNKNOWN,
    refused: bool = False,
    retry_after: float | None = None,
) -> ProbeError:
    """A `ProbeError` from outside text, cleaned here."""
    return ProbeError(Failure(phase, clean(says), clean(hint), refused, retry_after), status)
