"""Looking back: one question to the engine at a time, whatever keys are held; what was pressed meanwhile is asked for together.

The longer a key is held the further it goes: twice as far after each dozen of repeats.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from tui.engine.ask import Rewind
from tui.engine.rewind import Rewound
from tui.widgets.ink import Piece

from .answering import refusal

if TYPE_CHECKING:
    from .dashboard import WatchfloorApp

HELD = 0.15
"""Seconds within which the same key again is a key held down."""
DOUBLES = 12
"""Repeats after which a held key goes twice as far."""
FASTEST = 16


class Rewinding:
    """Where one looks, and what was asked for. `changed` is called when another moment is shown."""

    def __init__(self, dash: WatchfloorApp, changed: Callable[[], None]) -> None:
        self._dash = dash
        self._changed = changed
        self.past: Rewound | None = None
        self._asked = 0
        """The number of the question under way; 0 while there is none."""
        self._number = 0
        self._steps = 0
        self._last = (0, 0.0)
        self._repeats = 0

    def step(self, direction: int, panel: str, every: float) -> None:
        """A step, or several while a key is held."""
        if self.past is None and direction > 0 and not self._asked:
            self._dash.tell("this is now")
            return
        self._steps += direction * self._pace(direction)
        if not self._asked:
            self._ask(Rewind(self._from(), self._steps, 0, panel, every), panel, every)

    def _pace(self, direction: int) -> int:
        now = self._dash.clock.monotonic()
        held = self._last[0] == direction and now - self._last[1] < HELD
        self._last, self._repeats = (direction, now), self._repeats + 1 if held else 0
        return min(FASTEST, 1 << self._repeats // DOUBLES)

    def jump(self, direction: int) -> None:
        """To the alert or change before or after."""
        if self.past is None and direction > 0:
            self._dash.tell("this is now")
        elif not self._asked:
            self._ask(Rewind(self.past.anchor if self.past else None, 0, direction), "", 5.0)

    def go_live(self) -> None:
        """Now again."""
        self.past, self._steps, self._asked = None, 0, 0
        self._changed()

    def _from(self) -> float | None:
        return self.past.at if self.past else self._dash.frozen_at

    def _ask(self, question: Rewind, panel: str, every: float) -> None:
        self._number += 1
        self._asked, self._steps = self._number, 0
        number = self._number
        self._dash.ask(question, lambda answer: self._answered(number, answer, panel, every))

    def _answered(self, number: int, answer: Future[Any], panel: str, every: float) -> None:
        """Another moment, or why there is none; then what was pressed meanwhile."""
        if number != self._asked:  # live again by now
            return
        self._asked = 0
        if says := refusal(answer):
            self._steps = 0
            self._dash.tell("", Piece(says, "unknown"))
            return
        self.past = answer.result()
        self._changed()
        steps = self._steps
        if steps and (self.past is not None or steps < 0):
            self._ask(Rewind(self._from(), steps, 0, panel, every), panel, every)
        else:
            self._steps = 0
