"""An alert: a rule that is breached, ours or another system's, with what people have said of it.

    pending ──held `for`──▶ firing ──measured well──▶ resolved          (rules/life.py moves ours; theirs come with readings)

What a person says (acknowledged, silenced) never changes the state: it decides who is told and what stands on line 2.
`Fold` is how alerts are shown: those with one cause are one line, with a count.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from .reading import Labels, Status, series_key
from .text import EMPTY, Shown
from .units import Unit, show, show_limit, show_ratio

Severity = Literal["P0", "P1", "P2", "P3"]
State = Literal["pending", "firing", "resolved"]


UP = "up"
"""The signal that is 1 while a thing answers and 0 while it does not, as in Prometheus: no figure, but a word."""


def status_of(severity: Severity) -> Status:
    """What a breached rule makes of its panel: P0, P1 failing; P2, P3 degraded (DESIGN.md, who judges)."""
    return Status.FAILING if severity in ("P0", "P1") else Status.DEGRADED


class Suspect(Struct, frozen=True):
    """Something that happened shortly before an alert began and may be its cause; a coincidence in time, no proof."""

    key: str
    """The change's key, or the other alert's fingerprint."""
    kind: str
    """A change's kind (`deployment`, `release`, `config`, `mark`, `lock`), or `alert`."""
    at: float
    """UTC seconds at which it happened."""
    what: Shown
    lead: float
    """Seconds by which it came before the alert."""
    touches: bool
    """Whether it touches what the alert is about."""
    evidence: Shown = EMPTY
    """What speaks for it, in words."""


class Alert(Struct, frozen=True):
    """One rule breached by one series. Times are UTC seconds; `value` and `threshold` are in the signal's base unit.

    Everything up to `playbook` is the rule's; `suspect` is `suspects.py`'s; the rest is what people said (`desk.py`).
    """

    fingerprint: str
    """Its lasting identity: a hash of environment, rule, panel and labels; for theirs, their own behind the panel's name."""
    rule: str
    panel: str
    signal: str
    labels: Labels
    severity: Severity
    state: State
    value: float | None
    threshold: float
    unit: Unit
    way: Literal["above", "below"]
    since: float
    """When the breach began."""
    fired_at: float | None = None
    ended: float | None = None
    """When it was resolved; None while it is not."""
    says: Shown = EMPTY
    """What is wrong in words, where value and threshold do not say it (`nothing measured for 5m`, `3 in a row`, theirs)."""
    why: Shown = EMPTY
    link: str = ""
    playbook: str = ""
    source: str = ""
    """Whose alert it is: empty for ours, `alertmanager` or `prometheus` for theirs."""
    target: str = ""
    """What it is about, where several alerts may be about one thing: an endpoint, a host, a job kind. Alerts of one target
    fold into one line."""
    root: str = ""
    """The target whose failure explains this one's (`depends_on`, all the way up); folds too."""
    raised_by: Shown = EMPTY
    """The label that raised its severity (`tier enterprise`)."""
    unknown_since: float | None = None
    """Since when nothing can be measured any more: it neither fires nor resolves meanwhile, and says so."""
    suspect: Shown = EMPTY
    """The likeliest cause among the changes before it (`deploy 9f3c2a1, 80s before`)."""
    acked_by: str = ""
    acked_at: float | None = None
    silenced: Shown = EMPTY
    """By whom, for how long still and why, where a silence or a maintenance window covers it: it tells nobody."""
    in_maintenance: bool = False
    silenced_there: Shown = EMPTY
    """Of another system's alert: what keeps it quiet there (`silenced by anna until 04:12:00Z: deploy`, `inhibited`)."""
    came_back: Shown = EMPTY
    """Why it wants an answer again, though it or its fold was acknowledged (`rose from P1 to P0`, `given back by kim`)."""
    asked_at: float | None = None
    """Since when it wants an answer: when it fired, came back, was given back, or its silence ended."""
    suspects: tuple[Suspect, ...] = ()
    """What may have caused it, the likeliest first."""
    loud_since: float | None = None
    """Of another system's alert: since when nothing keeps it quiet there any more; None where nothing has."""
    stretch: float | None = None
    """The moment near which it began with others (`folds.py`): kept for its life, so that lines do not change when one ends."""

    @property
    def key(self) -> str:
        """`panel.signal{labels}`, as in rules and JSON."""
        return f"{self.panel}.{series_key(self.signal, self.labels)}"

    @property
    def status(self) -> Status:
        """What it makes of its panel."""
        return status_of(self.severity)

    @property
    def name(self) -> str:
        """The rule, with the labels that tell this alert apart where it does not name them itself."""
        return self.named(" ".join(value for _, value in self.labels))

    def named(self, which: str) -> str:
        """The rule, with what it is about where it does not name that itself."""
        return f"{self.rule} {which}" if which.casefold() not in self.rule.casefold() else self.rule

    @property
    def wrong(self) -> Shown:
        """What is wrong, in the rule's own words, else value and limit: `6.2 % > 5 %`, `down`; once it is over, what was."""
        if self.says:
            return self.says
        if self.signal == UP and self.way == "below" and not (self.open and self.value):
            return Shown("down" if self.open else "was down")
        limit = f"{'>' if self.way == 'above' else '<'} {show_limit(self.threshold, self.unit)}"
        return Shown(f"{_beside(self.value, self.threshold, self.unit)} {limit}" if self.open else f"was {limit}")

    @property
    def open(self) -> bool:
        """Whether it is pending or firing."""
        return self.state != "resolved"

    @property
    def wants_answer(self) -> bool:
        """Whether it fires and nobody has said anything of it yet: what line 2, the escalation clock and the pager are for."""
        return self.state == "firing" and not self.acked_by and not self.silenced


def _beside(value: float | None, limit: float, unit: Unit) -> Shown:
    """A value beside its limit: `94.98 %`, where a digit less would make it the limit itself."""
    if value is None or unit != "ratio" or show_ratio(value) != show_ratio(limit):
        return show(value, unit)
    return next(
        (each for digits in (2, 3) if (each := show_ratio(value, digits)) != show_ratio(limit, digits)), show(value, unit)
    )


class Fold(Struct, frozen=True):
    """Alerts shown as one line: one cause, or one moment. `key` lasts as long as its oldest alert does; `alerts` are ordered,
    the one that stands for all first (the worst, then the longest)."""

    key: str
    alerts: tuple[Alert, ...]
    why: Shown = EMPTY
    """What holds them together (`depends on readyz`, `within 60s`, `3 tenants: a, b, c`); empty where it is one."""
    joined: Shown = EMPTY
    """What joined or rose since it was acknowledged, where that brought it back."""

    @property
    def lead(self) -> Alert:
        """The alert that stands for all."""
        return self.alerts[0]

    @property
    def fingerprints(self) -> tuple[str, ...]:
        """What acknowledging the line takes: exactly what was shown."""
        return tuple(each.fingerprint for each in self.alerts)

    @property
    def count(self) -> int:
        """How many of its alerts are not over."""
        return sum(each.open for each in self.alerts)

    @property
    def wants_answer(self) -> bool:
        """Whether any of its alerts fires unanswered."""
        return any(each.wants_answer for each in self.alerts)


def by_badness(alert: Alert) -> tuple[int, str, float, str]:
    """The order in which alerts are listed: firing before pending before resolved, the worst severity, then the longest."""
    return ({"firing": 0, "pending": 1, "resolved": 2}[alert.state], alert.severity, alert.since, alert.key)


def single(alerts: Sequence[Alert]) -> tuple[Fold, ...]:
    """Each alert as a line of its own, in the order given."""
    return tuple(Fold(each.fingerprint, (each,)) for each in alerts)
