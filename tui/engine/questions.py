"""What the feed's questions come to: polls, plans, deeds, the past, and what people say of alerts (`answers.py`)."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .answers import Answers
from .ask import Ask, Execute, MakePlan, PollNow, Rewind, Settle, Unrecorded
from .clock import Clock
from .deeds import Deeds
from .gate import Gate
from .judge import drawn_up
from .part import Part
from .watching import Watching

if TYPE_CHECKING:
    from .feed import PanelState
    from .past import Past
    from .rewind import Recorded


class Questions:
    """What answers, in one engine's loop. `settled` is called when a person dealt with an open intent."""

    def __init__(
        self,
        watching: Watching,
        part: Part,
        gate: Gate,
        deeds: Deeds,
        answers: Answers,
        clock: Clock,
        settled: Callable[[], object],
    ) -> None:
        self.recorded: Recorded | None = None
        """What one can go back to; the journal's readings where it is None."""
        self._watching = watching
        self._part = part
        self._gate = gate
        self._deeds = deeds
        self._answers = answers
        self._clock = clock
        self._settled = settled

    async def answer(self, question: Ask) -> Any:
        """Answers one question; what it may raise stands with it in `ask.py`."""
        match question:
            case PollNow(panel):
                return await self._part.poke(panel)
            case MakePlan(action, keys):
                return await self._gate.plan(action, keys)
            case Execute(plan, typed, yes):
                deed = await self._deeds.keep(self._gate.execute(plan, yes=yes, typed=typed))
                with contextlib.suppress(Unrecorded):  # the deed is done; its panel is polled in its own time
                    await self._part.poke(plan.panel)
                return deed
            case Rewind():
                return await self._rewind(question)
            case Settle(intent):
                await self._gate.settle(intent)
                await self._deeds.read_intents()
                self._settled()
                return None
            case _:
                return await self._answers.answer(question)

    async def _rewind(self, question: Rewind) -> Any:
        """Everything as it was, read beside the polls. Raises Unrecorded."""
        from .rewind import look_back  # late: only where somebody does

        recorded = self.recorded or (self._part.recording.store if self._part.recording else None)
        return await look_back(recorded, question, self._clock.utc(), self._drawn)

    def _drawn(self, past: Past) -> tuple[PanelState, ...]:
        """Every panel as it was. One that asks nobody (our own alerts) is as the judgement of then says, where there is one."""
        setup = self._watching.setup
        asked = {job.target.panel for job in self._watching.poller.jobs}
        silent = {panel.name for panel in setup.panels if past.recorded} - asked
        states = {panel.name: [] if panel.name in silent else past.states[panel.name] for panel in setup.panels}
        return drawn_up(setup, states, past.judgement, self._gate, past.monotonic)
