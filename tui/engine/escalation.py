"""The escalation clock: how long an alert may still go unanswered, and who is called then.

    waiting ──`acknowledge` over──▶ overdue ──`escalate` over──▶ due ──somebody is reached──▶ paged

Pure: alerts, the config's times and the moment give the clock. It pages nobody: `to_page` says for whom the one who leads is to
do it, where the config wants that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Literal

from msgspec import Struct, field

from .alert import Alert, Severity
from .rotation import Rotation, on_call
from .text import EMPTY, Shown, clean
from .units import show_duration

BACKUP = "backup"
"""Who is called where the config names nobody."""


class Escalation(Struct, frozen=True):
    """One alert's clock: there is one for each alert that wants an answer.

    `due` is UTC seconds, None where its severity has no clock: it is then paged by hand alone (`E`).
    """

    fingerprint: str
    whom: Shown
    """Who is next, in words: `backup`, or the name from the rotation (`kim (backup)`)."""
    channels: tuple[Shown, ...] = ()
    """By what they would be called, in words (`pagerduty`, `sms`); empty where nothing is configured that could call."""
    due: float | None = None
    pages: bool = False
    """Whether the poller that leads pages by itself when it is due; else the clock only counts."""
    paged_at: float | None = None
    """When they were reached for this alert, by a person's call or the clock's."""
    asked_at: float = 0.0
    """Since when the alert wants an answer, UTC seconds."""
    acknowledge_by: float = 0.0
    """Until when it should be acknowledged, UTC seconds."""
    person: str = ""
    """The same as `whom`, by name alone, as `[[notify]]` routes by it; empty where the config names nobody."""
    unreached: Shown = EMPTY
    """What came of the last call where not every channel is known to have reached them; empty where each did, or nobody
    called."""
    partly: Shown = EMPTY
    """Who was reached by which channels and by which not, where only some told them (`ben paged by slack, NOT by sms`)."""

    def state(self, now: float) -> Literal["waiting", "overdue", "due", "paged"]:
        """How far it is, at a moment (UTC seconds)."""
        if self.paged_at is not None:
            return "paged"
        if self.due is not None and now >= self.due:
            return "due"
        return "waiting" if now < self.acknowledge_by else "overdue"


class PagedAt(Struct, frozen=True):
    """That somebody was called for an alert at a moment (UTC seconds), and where not every channel reached them, why not.
    `told` and `missed` are the channels that did and did not."""

    at: float
    whom: str
    by_itself: bool
    unreached: Shown = EMPTY
    told: tuple[str, ...] = ()
    missed: tuple[str, ...] = ()

    @property
    def partly(self) -> Shown:
        """Who was reached by what and by what not; empty where all channels did, or none."""
        if not self.unreached or not self.told:
            return EMPTY
        return clean(f"{self.whom} paged by {', '.join(self.told)}, NOT by {', '.join(self.missed)}")


class Called(Struct, frozen=True):
    """What came of a call, in words: who was told by which channel. `reached` is whether every channel that is to call them
    told them, `elsewhere` whether another poller is calling them just now."""

    says: Shown
    reached: bool
    elsewhere: bool = False
    told: tuple[str, ...] = ()
    """The channels that told them."""
    missed: tuple[str, ...] = ()
    """Those that did not, or of which nobody knows."""


class Patience(Struct, frozen=True):
    """How long an alert of one severity may wait, in seconds: to be acknowledged, and until the backup is due (None: never)."""

    acknowledge: float
    escalate: float | None = None


PATIENCE: Mapping[Severity, Patience] = {
    "P0": Patience(120.0, 900.0),
    "P1": Patience(1800.0, 1800.0),
    "P2": Patience(7200.0),
    "P3": Patience(86400.0),
}
"""agent-factory's: P0 acknowledged in 2 min and called again after 15, P1 in 30 min, P2 in 2 h, P3 in a day (systems.md)."""


class Duty(Struct, frozen=True):
    """The config's clocks and people. `page` lets the clock page by itself."""

    patience: Mapping[Severity, Patience] = field(default_factory=lambda: PATIENCE)
    page: bool = False
    rotation: Rotation | None = None


def clocks(alerts: Iterable[Alert], duty: Duty, paged: Callable[[Alert], PagedAt | None], now: float) -> tuple[Escalation, ...]:
    """The clock of each alert that wants an answer, in their order. `paged` says whether somebody was called for one."""
    wanting = [each for each in alerts if each.wants_answer]
    if not wanting:
        return ()
    shift = on_call(duty.rotation, now) if duty.rotation else None
    person = (shift.backup or shift.primary) if shift else ""
    whom = clean(f"{person} ({'backup' if shift and shift.backup else 'primary'})", 60) if person else Shown("backup")
    return tuple(_clock(each, duty, person, whom, paged(each)) for each in wanting)


def _clock(alert: Alert, duty: Duty, person: str, whom: Shown, called: PagedAt | None) -> Escalation:
    asked, patience = alert.asked_at or alert.fired_at or alert.since, duty.patience[alert.severity]
    paged = called if called and not called.unreached else None
    return Escalation(
        alert.fingerprint,
        clean(paged.whom, 60) if paged else whom,
        (),
        None if patience.escalate is None else asked + patience.escalate,
        duty.page,
        paged.at if paged else None,
        asked,
        asked + patience.acknowledge,
        paged.whom if paged else person,
        called.unreached if called else EMPTY,
        called.partly if called else EMPTY,
    )


def to_page(escalations: Iterable[Escalation], now: float) -> tuple[Escalation, ...]:
    """Those whose backup the clock is to call by itself now; none where the config does not let it."""
    return tuple(each for each in escalations if each.pages and each.state(now) == "due")


def in_words(escalation: Escalation, now: float) -> Shown:
    """`not acked · backup due in 3m`, as line 2 has it: whole minutes until the last one, so that only that one ticks."""
    match escalation.state(now):
        case "paged":
            ago = _steadied(now - (escalation.paged_at or now))
            return clean(f"not acked · {escalation.whom} paged {ago} ago")
        case state if escalation.unreached:
            left = "" if state == "due" or escalation.due is None else f" · due in {_left(escalation.due - now)}"
            return clean(f"not acked · {escalation.partly or f'{escalation.whom} NOT reached'}{left}")
        case "overdue" if escalation.due is None:
            return clean(f"not acked · overdue {_steadied(now - escalation.acknowledge_by)}")
        case _:
            whom = f"{escalation.whom} " if escalation.due is not None else ""
            return clean(f"not acked · {whom}{in_few_words(escalation, now)}")


def in_few_words(escalation: Escalation, now: float) -> Shown:
    """`due in 3m`, `NOT reached`: the same in 13 cells. Who it is that is due, or was called, is said elsewhere."""
    match escalation.state(now):
        case "paged":
            return clean(f"paged {_coarse(now - (escalation.paged_at or now))} ago")
        case _ if escalation.unreached:
            return Shown("paged in part" if escalation.partly else "NOT reached")
        case "due":
            return Shown("due now")
        case _ if escalation.due is not None:
            return clean(f"due in {_left(escalation.due - now)}")
        case "waiting":
            return clean(f"{_left(escalation.acknowledge_by - now)} left")
        case _:
            return clean(f"overdue {_coarse(now - escalation.acknowledge_by)}")


def _left(seconds: float) -> str:
    """`3m`, `2h05m`: rounded up to whole minutes; `41s` in the last one."""
    return show_duration(seconds) if seconds < 60 else _minutes(-(-seconds // 60) * 60)


def _steadied(seconds: float) -> str:
    return show_duration(seconds) if seconds < 60 else _minutes(seconds // 60 * 60)


def _coarse(seconds: float) -> str:
    """One unit alone: `41s`, `3m`, `26h`, `12d`."""
    if seconds < 3600:
        return _steadied(seconds)
    return f"{seconds // 3600:.0f}h" if seconds < 2 * 86400 else f"{seconds // 86400:.0f}d"


def _minutes(seconds: float) -> str:
    """Whole minutes without the seconds that `show_duration` has (`3m00s`)."""
    return str(show_duration(seconds)).removesuffix("00s")
