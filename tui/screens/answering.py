"""`a`: a person takes alerts on. Here at once; the pager and the channel are told after 10 s, until then `a` takes it back.

What is taken is exactly what was shown, by fingerprint: the marked or selected lines of the alerts, the alerts of the selected
row or figure elsewhere, else what line 2 is about.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from tui.engine.actions import PlanRefused
from tui.engine.alert import Alert, by_badness
from tui.engine.ask import Acknowledge, Ask, Settle, Unacknowledge, Unrecorded
from tui.engine.clock import day_and_time
from tui.engine.feed import OpenIntent
from tui.engine.reading import ProbeError
from tui.engine.text import Shown, clean
from tui.widgets.ink import Piece
from tui.widgets.top import worst_fold

if TYPE_CHECKING:
    from .dashboard import WatchfloorApp

UNDO = 10.0
"""Seconds within which `a` takes an acknowledgement back, before anybody was told."""


class Taken(Struct, frozen=True):
    """What was just acknowledged here. `at` is monotonic seconds."""

    fingerprints: tuple[str, ...]
    what: Shown
    at: float

    def left(self, now: float) -> float:
        """Seconds in which it may still be taken back; 0 and less when it is too late."""
        return self.at + UNDO - now


def acknowledge(dash: WatchfloorApp, pointed: Sequence[Alert]) -> None:
    """The key was pressed, with these alerts under the cursor (none where it points at no alert)."""
    wanted = [each for each in pointed if each.open and not each.acked_by]
    if dash.taken is not None and may_take_back(dash, pointed):
        take_back(dash, dash.taken)
        return
    if not pointed:
        fold = worst_fold(dash.snapshot)
        wanted = [each for each in fold.alerts if each.open and not each.acked_by] if fold else []
    if wanted:
        take_on(dash, wanted)
    else:
        dash.tell(_why_not(pointed, dash.clock.utc()))


def may_take_back(dash: WatchfloorApp, pointed: Sequence[Alert]) -> bool:
    """Whether the key takes back what was just taken: nobody was told yet, and the cursor points at nothing else that wants an
    answer. What was taken now may be taken back while one looks at what was."""
    taken = dash.taken
    if taken is None or taken.left(dash.clock.monotonic()) <= 0:
        return False
    wanted = [each for each in pointed if each.open and not each.acked_by]
    return dash.rewound is not None or all(each.fingerprint in taken.fingerprints for each in wanted)


def _why_not(pointed: Sequence[Alert], now: float) -> str:
    acked = [each for each in pointed if each.acked_by]
    if acked:
        at = f" at {day_and_time(acked[0].acked_at, now)}" if acked[0].acked_at is not None else ""
        return f"{acked[0].rule} is acknowledged already, by {acked[0].acked_by}{at}"
    return "it is over: there is nothing to acknowledge" if pointed else "nothing wants an answer"


def take_on(dash: WatchfloorApp, alerts: Sequence[Alert]) -> None:
    """Acknowledges exactly these."""
    taken = Taken(tuple(each.fingerprint for each in alerts), in_short(alerts), dash.clock.monotonic())
    dash.taken = taken
    dash.ask(Acknowledge(taken.fingerprints), lambda answer: _answered(dash, taken, answer))
    dash.draw_standing()


def _answered(dash: WatchfloorApp, taken: Taken, answer: Future[Any]) -> None:
    """It is on record, or it did not happen."""
    if says := refusal(answer):
        if dash.taken is taken:
            dash.taken = None
        dash.tell("", Piece(Shown(f"NOT acknowledged: {says}"), "degraded"))


def take_back(dash: WatchfloorApp, taken: Taken) -> None:
    """Nobody has been told yet, and nobody will be."""
    dash.taken = None
    ask_and_say(dash, Unacknowledge(taken.fingerprints), f"taken back, nobody was told: {taken.what}", "still acknowledged")
    dash.draw_standing()


def settle(dash: WatchfloorApp, intent: OpenIntent) -> None:
    """A person dealt with a deed whose outcome was never recorded."""
    if not dash.is_past():
        what = f"{intent.action} {intent.what}"
        ask_and_say(dash, Settle(intent.id), f"dealt with: {what}", f"NOT noted, {what} is still open")


def ask_and_say(dash: WatchfloorApp, question: Ask, done: str, undone: str) -> None:
    """Asks, and says above the keys what came of it: that it is done (nothing where `done` is empty), or is not, and why."""

    def answered(answer: Future[Any]) -> None:
        if says := refusal(answer):
            dash.tell("", Piece(clean(f"{undone}: {says}"), "degraded"))
        elif done:
            dash.tell(done)

    dash.ask(question, answered)


def refusal(answer: Future[Any]) -> Shown:
    """Why a question was not answered; empty where it was."""
    error = answer.exception()
    if error is None:
        return Shown("")
    if isinstance(error, ProbeError):
        return clean(f"{error.failure.phase}: {error.failure.says} {error.failure.hint}".rstrip())
    return error.says if isinstance(error, Unrecorded | PlanRefused) else clean(f"{type(error).__name__}: {error}")


def standing(taken: Taken | None, now: float, *, tells: bool) -> Piece | None:
    """`acknowledged P0 error rate +2   others are told in 8s · a undoes`: stands until it is too late. `tells` is whether the
    config has anybody told."""
    if taken is None or (left := taken.left(now)) <= 0:
        return None
    until = f"others are told in {math.ceil(left)}s · a undoes" if tells else f"a undoes, for {math.ceil(left)}s"
    return Piece(Shown(f"acknowledged {taken.what}   {until}"), "strong")


def in_short(alerts: Sequence[Alert]) -> Shown:
    """`P0 error rate`, or with how many others: `P0 error rate +2`."""
    first = min(alerts, key=by_badness)
    return clean(f"{first.severity} {first.rule}{f' +{len(alerts) - 1}' if len(alerts) > 1 else ''}")
