"""Going back through what was recorded: which moment a step or a jump leads to, and everything as it was then.

    how far back      a step is
    within an hour    one poll of the panel, where it was recorded
    within a day      a minute
    beyond            ten minutes

Steps cross stretches of which nothing is recorded in one. Calls block for the file: in a thread of their own, beside the polls.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from .alert import Alert, Fold, single
from .ask import Rewind, Unrecorded
from .escalation import Escalation
from .feed import PanelState
from .history import Trends
from .past import Past
from .silences import Silence
from .store import StoreError
from .store_marks import Mark
from .text import EMPTY, Shown
from .threads import in_daemon_thread

HOUR, DAY, MONTH = 3600.0, 86400.0, 31 * 86400.0
AXES = (HOUR, DAY, MONTH)
"""What the bar of time may show: the smallest that the moment is within."""
MINUTE, TEN_MINUTES = 60.0, 600.0
SAME = 0.5
"""Seconds within which two moments are one."""
SEEN_WITHIN = 90.0
"""Seconds after an alert or a change within which it stands in what is recorded."""
OFF = Shown("rewound: actions are off (esc is live again)")


class Recorded(Protocol):
    """What was recorded (`store.Store`). Calls block, and raise `StoreError`."""

    def past(self, at: float) -> Past:
        """Everything as it was at a moment."""
        ...

    def moments(self, since: float, until: float, panel: str | None = None) -> Sequence[float]:
        """When something was recorded, ascending."""
        ...

    def marks(self, since: float, until: float) -> Sequence[Mark]:
        """Alerts that fired or were resolved, and changes, oldest first."""
        ...

    def span(self) -> tuple[float, float] | None:
        """The oldest and the newest moment."""
        ...


class Rewound(Struct, frozen=True):
    """Everything as it was at `at` (UTC seconds), and the way there: `marks` from `start` until now.

    `anchor` is where the next jump starts from: the mark that was jumped to, else `at`. `step` is 0 where every poll was kept,
    else how many seconds one picture stands for; `recorded` is when the newest of it was written, None where nothing was.
    """

    at: float
    panels: tuple[PanelState, ...]
    alerts: tuple[Alert, ...]
    folds: tuple[Fold, ...]
    history: Trends
    marks: tuple[Mark, ...]
    start: float
    anchor: float
    escalations: tuple[Escalation, ...] = ()
    silences: tuple[Silence, ...] = ()
    step: int = 0
    recorded: float | None = None
    problem: Shown = EMPTY


async def look_back(
    recorded: Recorded | None, question: Rewind, now: float, draw: Callable[[Past], tuple[PanelState, ...]]
) -> Rewound | None:
    """Everything as it was, read beside the polls; `None` where the question leads to now. Raises Unrecorded."""
    if recorded is None:
        raise Unrecorded("nothing is recorded that one could go back to")
    there = recorded
    try:
        return await in_daemon_thread(lambda: rewound(there, question, now, draw), "watchfloor-rewind")
    except StoreError as error:
        raise Unrecorded(str(error)) from error


def rewound(recorded: Recorded, question: Rewind, now: float, draw: Callable[[Past], tuple[PanelState, ...]]) -> Rewound | None:
    """The answer to a question; None where it leads to now. Raises Unrecorded where nothing is recorded that way."""
    at = anchor = now if question.at is None else question.at
    if question.jump:
        anchor = _mark(recorded, at, now, question.jump)
        at = _seen(recorded, anchor, now)
    elif question.steps:
        at = anchor = moment(recorded, question, at, now)
    if at >= now - SAME:
        return None
    past = recorded.past(at)
    start = now - next((axis for axis in AXES if now - at < axis), MONTH)
    marks = tuple(recorded.marks(start, now))
    judgement = past.judgement
    panels = tuple(_without_actions(panel) for panel in draw(past))
    return Rewound(
        at, panels, judgement.alerts, judgement.folds or single(judgement.alerts), past.history, marks, start, anchor,
        judgement.escalations, judgement.silences, past.step, past.recorded, past.problem,
    )  # fmt: skip


def _without_actions(panel: PanelState) -> PanelState:
    """The past cannot be acted on."""
    return replace(panel, offers=tuple(replace(offer, refused=OFF) for offer in panel.offers))


# --- steps ----------------------------------------------------------------------------------------------------------


def moment(recorded: Recorded, question: Rewind, at: float, now: float) -> float:
    """The moment so many steps from `at`; `now` and later where they lead to now. Raises Unrecorded at the beginning."""
    back = question.steps < 0
    every = max(question.every, 1.0)
    if now - at + (every if back else 0) <= HOUR:
        return _by_polls(recorded, question, at, now, every)
    size = MINUTE if now - at + (MINUTE if back else 0) <= DAY else TEN_MINUTES
    grid = -(-at // size) * size if back else at // size * size  # a step ends on a whole minute, also the first one
    target = grid + question.steps * size
    nearest = target - 2 * size if back else max(target - 2 * size, at + SAME)
    if recorded.moments(nearest, target):
        return target
    return _across(recorded, at, target, now, back)


def _by_polls(recorded: Recorded, question: Rewind, at: float, now: float, every: float) -> float:
    """So many polls of the panel: the recorded moment nearest to where they lead."""
    back = question.steps < 0
    target = at + question.steps * every
    if target >= now - every / 2:
        return now
    low, high = (target - every, min(target + every, at - SAME)) if back else (max(target - every, at + SAME), target + every)
    found = recorded.moments(low, high, question.panel or None) or recorded.moments(low, high)
    if found:
        return min(found, key=lambda each: abs(each - target))
    return _across(recorded, at, low if back else high, now, back)


def _across(recorded: Recorded, at: float, target: float, now: float, back: bool) -> float:
    """The nearest moment on the far side of a stretch of which nothing is recorded, or the first of all."""
    reaches = (0.0, 10 * MINUTE, HOUR, 6 * HOUR, DAY, 7 * DAY, MONTH, 400 * DAY)
    for near, far in pairwise(reaches):
        if back:
            found = recorded.moments(target - far, target - near)
        else:
            found = recorded.moments(target + near, min(target + far, now))
        if found:
            return found[-1] if back else found[0]
    if not back:
        return now
    span = recorded.span()
    if span is None or span[0] >= at - SAME:
        raise Unrecorded("nothing is recorded before this")
    return span[0]


# --- jumps ----------------------------------------------------------------------------------------------------------


def _mark(recorded: Recorded, at: float, now: float, jump: int) -> float:
    """The moment of the alert or change before (-1) or after (1); `now` where there is none after. Raises Unrecorded."""
    span = recorded.span()
    first = span[0] - SEEN_WITHIN if span else now  # a change may be older than all that is recorded
    for reach in (HOUR, DAY, MONTH, 400 * DAY):
        if jump < 0:
            found = [each.at for each in recorded.marks(at - reach, now) if first <= each.at < at - SAME]
        else:
            found = [each.at for each in recorded.marks(at, min(at + reach, now)) if at + SAME < each.at]
        if found:
            return max(found) if jump < 0 else min(found)
    if jump < 0:
        raise Unrecorded("no alert and no change is recorded before this")
    return now


def _seen(recorded: Recorded, mark: float, now: float) -> float:
    """The first moment at which it stands in what is recorded."""
    found = recorded.moments(mark, min(mark + SEEN_WITHIN, now))
    return found[0] if found else mark
