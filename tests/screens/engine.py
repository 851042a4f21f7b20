"""An engine made of a script: publishes the snapshots it is told to and answers what it is asked from a table."""

from __future__ import annotations

import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from typing import Any

from msgspec.structs import replace

from tests import story
from tests.recorded import Recorded
from tui.engine.actions import Plan, PlanRefused
from tui.engine.ask import Ask, Execute, MakePlan, Rewind
from tui.engine.feed import Deed, Feed, PanelState, Snapshot
from tui.engine.history import History
from tui.engine.past import Past
from tui.engine.reading import Status
from tui.engine.rewind import rewound


class ScriptedEngine:
    """A feed, and what stands behind it. `asked` is everything that it was asked, in order."""

    def __init__(self, first: Snapshot | None = None, history: History | None = None, takes: float = 0.0) -> None:
        self.asked: list[Ask] = []
        self.plans: dict[str, Plan] = dict(story.PLANS)
        self.takes = takes
        self.recorded = Recorded()
        self.answers: dict[type[Any], Any] = {}
        """What a kind of question is answered with; an exception is raised."""
        self.feed = Feed(first or story.snapshot(), history or story.history(), self._submit)
        self.feed.answers_with(self._answer)

    def _drawn(self, past: Past) -> tuple[PanelState, ...]:
        """The panels of the story with the states of then."""
        by_name = {panel.name: panel for panel in story.snapshot(past.recorded or past.at).panels}
        return tuple(
            replace(panel, probes=tuple(past.states[panel.name]), status=panel.status if past.recorded else Status.UNKNOWN)
            for panel in by_name.values()
        )

    def publish(self, snapshot: Snapshot) -> None:
        """News."""
        self.feed.publish(snapshot)

    @property
    def executed(self) -> list[Execute]:
        """What was carried out."""
        return [each for each in self.asked if isinstance(each, Execute)]

    def _submit(self, work: Callable[[], Awaitable[Any]]) -> Future[Any]:
        future: Future[Any] = Future()

        def run() -> None:
            if self.takes:
                time.sleep(self.takes)
            try:
                work().__await__().send(None)  # our answers never wait
            except StopIteration as done:
                future.set_result(done.value)
            except Exception as error:
                future.set_exception(error)

        if self.takes:
            threading.Thread(target=run, daemon=True).start()
        else:
            run()
        return future

    async def _answer(self, question: Ask) -> Any:
        self.asked.append(question)
        match question:
            case MakePlan(action, _):
                if action not in self.plans:
                    raise PlanRefused("there is nothing to do")
                return self.plans[action]
            case Execute(plan, _, _):
                keys = [item.key for item in plan.items]
                deed = Deed("d1", plan, story.NOW, tuple((key, story.DONE) for key in keys), ended=story.NOW + 2)
                deed = replace(deed, proofs=tuple((key, story.PROVED) for key in keys))
                self.publish(replace(self.feed.peek(), deeds=(deed,)))
                return deed
            case Rewind():
                return rewound(self.recorded, question, story.NOW, self._drawn)
            case _:
                answer = self.answers.get(type(question))
                if isinstance(answer, Exception):
                    raise answer
                return answer
