"""Carrying a confirmed plan out: intent on disk → targets claimed → execute, item by item → outcome on disk → verify.

Nothing is sent without a recorded intent; a time-out is *outcome unknown* and never repeated by itself. Once the process is
ending, no further item is begun and no proof is waited for.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from .actions import Action, Context, Item, Outcome, Plan, PlanRefused, Proof, Result
from .claims import Holder, intend
from .clock import Clock
from .feed import Deed
from .journal import Journal, JournalError
from .reading import ProbeError
from .redact import redact
from .text import clean
from .threads import in_daemon_thread
from .together import Together
from .units import show_duration

DEED_DEADLINE = 20.0
"""Seconds after which an execution counts as *outcome unknown*, whatever the action itself allows."""
PROOF_STEP = 1.0
"""Seconds between two looks for the proof."""
NOT_LOOKED = Proof(None, clean("not looked at: it was ending"))
T = TypeVar("T")


class Means(Struct, frozen=True):
    """What a deed is carried out with. `who` acts; `news(deed)` is called in the loop whenever it moves on; `ending` is set
    once the process is ending."""

    journal: Journal
    together: Together
    clock: Clock
    who: str
    news: Callable[[Deed], None]
    ending: asyncio.Event


class Execution:
    """One deed, from its intent to its proof."""

    def __init__(self, deed: Deed, action: Action, context: Context, means: Means) -> None:
        self.deed = deed
        """As far as it has come."""
        self._action = action
        self._context = context
        self._means = means

    async def begin(self) -> None:
        """Its intent, which must stand on the disk before anything happens, and its targets over all hosts. Raises PlanRefused
        where one of them is not to be had: then nothing was sent."""
        await self._intend()
        await self._claim()
        self._means.news(self.deed)

    async def carry_out(self) -> None:
        """Executes it and writes down what came of it."""
        await self._each_item()
        await self._note_outcome()
        await self._means.together.release(self.deed.plan.action, self._keys, self.deed.id)
        self._means.news(self.deed)

    async def prove(self) -> Deed:
        """Looks for its effect, writes down what was seen, and returns the ended deed."""
        await self._look_for_proofs()
        self.deed = replace(self.deed, ended=self._means.clock.utc())
        proofs = [[key, proof.verified, redact(proof.says)] for key, proof in self.deed.proofs]
        await self._note("proof", {"proofs": proofs})
        self._means.news(self.deed)
        return self.deed

    @property
    def _keys(self) -> list[str]:
        return [item.key for item in self.deed.plan.items]

    # --- before it ----------------------------------------------------------------------------------------------------

    async def _intend(self) -> None:
        """Raises PlanRefused where the intent cannot be written, or where somebody is at one of the targets."""
        journal, at, who, id_ = self._means.journal, self._means.clock.utc(), self._means.who, self.deed.id
        data = _intent(self.deed.plan, self._context.environment)
        try:
            holder = await in_daemon_thread(lambda: intend(journal, at, who, data, id_))
        except JournalError as error:
            raise PlanRefused(f"nothing was sent, because it could not be recorded: {error}") from error
        if holder is not None:
            raise PlanRefused(f"{holder.words}: wait for the outcome")

    async def _claim(self) -> None:
        """The targets, over all hosts. Raises PlanRefused, with an outcome that says so, where somebody else is at one of them,
        or where the team went out of reach and nobody was told."""
        try:
            holder = await self._hold()
        except ProbeError as error:
            if self.deed.plan.alone:
                return
            says = f"the team's journal went out of reach since it was planned ({error.failure.says}): plan it again"
        else:
            if holder is None:
                return
            says = f"{holder.words}: wait for the outcome"
        refused = tuple((item.key, Outcome(Result.REFUSED, clean(says))) for item in self.deed.plan.items)
        self.deed = replace(self.deed, outcomes=refused)
        await self._note_outcome()
        raise PlanRefused(says)

    async def _hold(self) -> Holder | None:
        plan = self.deed.plan
        return await self._means.together.claim(plan.action, self._keys, self.deed.id, _lasts(plan))

    # --- the deed -----------------------------------------------------------------------------------------------------

    async def _each_item(self) -> None:
        """Item by item; stops at the first whose outcome is not *done* or *no longer as planned*."""
        for item in self.deed.plan.items:
            if self._means.ending.is_set():
                break
            outcome = await self._one(item)
            self.deed = replace(self.deed, outcomes=(*self.deed.outcomes, (item.key, outcome)))
            self._means.news(self.deed)
            if len(self.deed.plan.items) > 1:
                await self._note("item", {"key": item.key, "result": outcome.result, "says": redact(outcome.says)})
                with contextlib.suppress(ProbeError):  # where that cannot be told, the deed goes on all the same
                    await self._hold()  # the next item has as much time as the first one had
            if outcome.result in (Result.FAILED, Result.UNKNOWN, Result.REFUSED):
                break

    async def _one(self, item: Item) -> Outcome:
        """One item's outcome: whatever goes wrong after the request may have left is *unknown*."""
        assert self._action.execute is not None
        try:
            async with asyncio.timeout(DEED_DEADLINE):
                return await self._action.execute(item, self.deed.plan, self._context, f"{self.deed.id}:{item.key}")
        except TimeoutError:
            return Outcome(Result.UNKNOWN, clean(f"no answer within {show_duration(DEED_DEADLINE)}: it may have happened"))
        except ProbeError as error:
            return Outcome(Result.FAILED, clean(redact(str(error))))
        except Exception as error:  # a defect in an action leaves the outcome open, which must be said, not guessed
            return Outcome(Result.UNKNOWN, clean(redact(f"{type(error).__name__}: {error}")))

    # --- after it -----------------------------------------------------------------------------------------------------

    async def _look_for_proofs(self) -> None:
        """Looks until every item's effect can be told, the plan's time for it is over, or the process ends."""
        if self._action.verify is None:
            return
        clock, ending = self._means.clock, self._means.ending
        until = clock.monotonic() + self.deed.plan.proof_within
        acted = {key for key, outcome in self.deed.outcomes if outcome.result in (Result.DONE, Result.UNKNOWN)}
        proofs: dict[str, Proof] = {}
        while True:
            for item in self.deed.plan.items:
                if item.key in acted and (item.key not in proofs or proofs[item.key].verified is None):
                    proofs[item.key] = await _unless(ending, self._look(item)) or proofs.get(item.key, NOT_LOOKED)
            self.deed = replace(self.deed, proofs=tuple(proofs.items()))
            told = all(proof.verified is not None for proof in proofs.values())
            if told or ending.is_set() or clock.monotonic() >= until:
                return
            self._means.news(self.deed)
            await _unless(ending, clock.sleep(PROOF_STEP))

    async def _look(self, item: Item) -> Proof:
        assert self._action.verify is not None
        try:
            async with asyncio.timeout(DEED_DEADLINE):
                return await self._action.verify(item, self.deed.plan, self._context)
        except ProbeError as error:
            return Proof(None, clean(redact(f"could not look: {error}")))
        except Exception as error:  # also a time-out: the deed is done, whatever keeps us from seeing it
            return Proof(None, clean(redact(f"could not look: {type(error).__name__}: {error}")))

    async def _note_outcome(self) -> None:
        """What became of each item."""
        results = [[key, outcome.result, redact(outcome.says)] for key, outcome in self.deed.outcomes]
        await self._note("outcome", {"items": results, "of": len(self.deed.plan.items)})

    async def _note(self, kind: str, data: Mapping[str, Any]) -> None:
        """An entry after the fact: the deed is done whether or not it can be written; an unwritten outcome leaves the intent
        open, which the next start shows."""
        journal, at, who, id_ = self._means.journal, self._means.clock.utc(), self._means.who, self.deed.id
        with contextlib.suppress(JournalError):
            await in_daemon_thread(lambda: journal.append(at, kind, who, data, id_))


async def _unless(ending: asyncio.Event, doing: Coroutine[Any, Any, T]) -> T | None:
    """Its result; None where the process ends before."""
    task, ends = asyncio.ensure_future(doing), asyncio.ensure_future(ending.wait())
    try:
        await asyncio.wait({task, ends}, return_when=asyncio.FIRST_COMPLETED)
        return task.result() if task.done() else None
    finally:
        task.cancel()
        ends.cancel()


def _intent(plan: Plan, environment: str) -> dict[str, Any]:
    """What the journal keeps of a plan: no secrets, no literals."""
    return {
        "action": plan.action,
        "environment": environment,
        "what": redact(plan.what),
        "effect": plan.effect,
        "items": [{"key": item.key, "title": redact(item.title)} for item in plan.items],
        "request": [redact(line) for line in plan.request],
        "lasts": _lasts(plan),
        "process": os.getpid(),
    }


def _lasts(plan: Plan) -> float:
    """Seconds after which an item that nothing is heard of is over: its own time, and its proof's."""
    return DEED_DEADLINE + plan.proof_within
