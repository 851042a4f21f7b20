"""The one gate: whatever changes production passes here, from the screen and from the command line alike.

    level and allow-list → plan → the person's word → intent on disk → execute, item by item → outcome on disk → verify

Nothing is sent without a recorded intent; a time-out is *outcome unknown* and never repeated by itself; one deed at a time.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from msgspec.structs import replace

from .actions import Action, Context, Effect, Item, Outcome, Plan, PlanRefused, Proof, Result
from .claims import Holder, intend
from .clock import Clock
from .connections import Tools
from .feed import Deed, Level, Offer
from .journal import Journal, JournalError
from .reading import ProbeError, no_answer
from .redact import redact
from .setup import PanelSetup, Setup
from .text import EMPTY, Shown, clean
from .threads import in_daemon_thread
from .together import Together
from .units import show_duration

DEED_DEADLINE = 20.0
"""Seconds after which an execution counts as *outcome unknown*, whatever the action itself allows."""
PROOF_STEP = 1.0
"""Seconds between two looks for the proof."""


class Gate:
    """The gate of one engine. `news(deed)` is called in the loop whenever a deed moves on."""

    def __init__(
        self, setup: Setup, level: Level, tools: Tools, journal: Journal | None, clock: Clock, news: Callable[[Deed], None]
    ) -> None:
        self._setup = setup
        self._level = level
        self._tools = tools
        self._journal = journal
        self._clock = clock
        self._news = news
        self._busy = asyncio.Lock()
        self._stopping = False
        self.together = Together(setup, journal, clock, lambda: None)
        """The way to the team's journal; the engine puts its own here."""
        self.suspected: Callable[[], Mapping[str, Shown]] = dict
        """What followed a change, by its key: the engine's to tell."""
        self._actions: dict[str, tuple[PanelSetup, Action]] = {}
        self.problems: list[Shown] = []
        """Panels whose remedies could not be loaded: their figures are shown all the same."""
        self.use(setup, level)

    def use(self, setup: Setup, level: Level) -> None:
        """Another config from now on; a deed under way goes on as it was begun."""
        self._setup, self._level = setup, level
        self._actions, self.problems = {}, []
        for panel in setup.panels:
            self._load(panel)

    def _load(self, panel: PanelSetup) -> None:
        """Takes a panel's remedies on; what somebody else's package raises must cost its remedies alone."""
        try:
            found = panel.card.load_actions() if panel.card else ()
        except Exception as error:
            self.problems.append(clean(f"{panel.name}: its remedies could not be loaded: {type(error).__name__}: {error}"))
            return
        self._actions.update({f"{panel.name}.{action.verb}": (panel, action) for action in found})

    @property
    def actions(self) -> Mapping[str, tuple[PanelSetup, Action]]:
        """Every action of every panel, by its name in config, journal and `act`."""
        return self._actions

    def refusal(self, name: str) -> Shown:
        """Why the gate refuses an action now, and what to do about it; empty where it does not."""
        _, action = self._find(name)
        if action.effect is Effect.SHOWS:
            return EMPTY
        if self._level is Level.WATCH:
            return Shown("read-only: nothing leaves. Start without --read-only to act")
        if self._level is not Level.ARMED or not self._setup.allows(name):
            return clean(f'not allowed: the config needs  [actions] allow = ["{name}"]')
        if self._journal is None:
            return Shown("the journal cannot be written: no record, no deed")
        return EMPTY

    def offers(self, panel: str) -> tuple[Offer, ...]:
        """The remedies of one panel's rows, as the screen needs them."""
        return tuple(
            Offer(
                name,
                action.key,
                action.title,
                action.help,
                str(action.effect),
                action.bulk,
                action.needs_row,
                self.refusal(name),
            )
            for name, (owner, action) in self._actions.items()
            if owner.name == panel
        )

    async def plan(self, name: str, keys: tuple[str, ...]) -> Plan:
        """The plan for rows as they are now. Raises PlanRefused (also where the gate would refuse) or ProbeError."""
        panel, action = self._find(name)
        if refused := self.refusal(name):
            raise PlanRefused(refused)
        keys = tuple(dict.fromkeys(keys))  # named twice is meant once
        if action.needs_row and not keys:
            raise PlanRefused(f"{name} needs to be told what to act on")
        if len(keys) > 1 and not action.bulk:
            raise PlanRefused(f"{name} acts on one at a time")
        plan = await self._planned(name, action, keys, self._context(panel))
        if plan.effect is not Effect.SHOWS and not plan.items:
            raise PlanRefused("there is nothing to act on")
        plan = replace(plan, action=name, panel=panel.name)
        return plan if plan.effect is Effect.SHOWS else _alone(plan, await self.together.look())

    @staticmethod
    async def _planned(name: str, action: Action, keys: tuple[str, ...], context: Context) -> Plan:
        """The action's own plan. A plan that takes too long is no answer; one that breaks is a defect, said as such."""
        try:
            async with asyncio.timeout(DEED_DEADLINE):
                return await action.plan(keys, context)
        except (PlanRefused, ProbeError):
            raise
        except TimeoutError:
            raise no_answer("deadline", f"no plan within {show_duration(DEED_DEADLINE)}", "nothing was done") from None
        except Exception as error:
            raise PlanRefused(f"{name} cannot be planned: {redact(f'{type(error).__name__}: {error}')}") from error

    async def execute(self, plan: Plan, *, yes: bool, typed: str) -> Deed:
        """Carries a confirmed plan out and looks for the proof; returns the ended deed.

        Raises PlanRefused where it may not: not allowed, not confirmed as the plan demands, another deed under way, or no
        record of it to be had. Failures of the other side are outcomes, not exceptions.
        """
        panel, action = self._find(plan.action)
        if refused := self.refusal(plan.action):
            raise PlanRefused(refused)
        if action.execute is None:
            raise PlanRefused("this is shown, never run")
        self._check_word(plan, yes=yes, typed=typed)
        if self._stopping:
            raise PlanRefused("it is ending: nothing new is begun")
        if self._busy.locked():
            raise PlanRefused("another deed is under way: wait for its outcome")
        async with self._busy:
            deed = Deed(uuid.uuid4().hex, plan, self._clock.utc())
            await self._intend(deed)
            await self._claim(deed)
            self._news(deed)
            context = self._context(panel)
            deed = await self._carry_out(deed, action, context)
            await self._note_outcome(deed)
            await self._release(deed)
            self._news(deed)
        deed = await self._prove(deed, action, context)
        deed = replace(deed, ended=self._clock.utc())
        await self._note(deed, "proof", {"proofs": [[key, proof.verified, redact(proof.says)] for key, proof in deed.proofs]})
        self._news(deed)
        return deed

    def stop_after_item(self) -> None:
        """The process is ending: a bulk deed stops after the item at hand."""
        self._stopping = True

    @property
    def busy(self) -> bool:
        """Whether a deed is between intent and outcome."""
        return self._busy.locked()

    async def idle(self) -> None:
        """Waits until no deed is between intent and outcome."""
        async with self._busy:
            return

    async def settle(self, intent: str) -> None:
        """A person says that an open intent is dealt with."""
        if self._journal is None:
            raise PlanRefused("the journal cannot be written")
        journal = self._journal
        await in_daemon_thread(lambda: journal.append(self._clock.utc(), "settled", self._setup.user, {}, intent))

    def _find(self, name: str) -> tuple[PanelSetup, Action]:
        """The action of that name. Raises PlanRefused, naming those there are."""
        if name not in self._actions:
            known = ", ".join(sorted(self._actions)) or "none"
            raise PlanRefused(f"there is no action {name}; there are: {known}")
        return self._actions[name]

    def _context(self, panel: PanelSetup) -> Context:
        setup = self._setup
        return Context(panel.name, panel.settings, self._tools, setup.environment, setup.production, self.suspected())

    @staticmethod
    def _check_word(plan: Plan, *, yes: bool, typed: str) -> None:
        """Whether the person confirmed as the plan demands. Raises PlanRefused."""
        if plan.by_typing:
            if not plan.confirm or typed != plan.confirm:
                raise PlanRefused(f"not confirmed: this needs {plan.confirm} typed")
        elif not yes:
            raise PlanRefused("not confirmed")

    async def _carry_out(self, deed: Deed, action: Action, context: Context) -> Deed:
        """Item by item; stops at the first whose outcome is not *done* or *no longer as planned*."""
        assert action.execute is not None
        for item in deed.plan.items:
            if self._stopping:
                break
            outcome = await self._one(action, item, deed, context)
            deed = replace(deed, outcomes=(*deed.outcomes, (item.key, outcome)))
            self._news(deed)
            if len(deed.plan.items) > 1:
                await self._note(deed, "item", {"key": item.key, "result": outcome.result, "says": redact(outcome.says)})
                await self._go_on(deed)
            if outcome.result in (Result.FAILED, Result.UNKNOWN, Result.REFUSED):
                break
        return deed

    async def _one(self, action: Action, item: Item, deed: Deed, context: Context) -> Outcome:
        """One item's outcome: whatever goes wrong after the request may have left is *unknown*."""
        assert action.execute is not None
        try:
            async with asyncio.timeout(DEED_DEADLINE):
                return await action.execute(item, deed.plan, context, f"{deed.id}:{item.key}")
        except TimeoutError:
            return Outcome(Result.UNKNOWN, clean(f"no answer within {show_duration(DEED_DEADLINE)}: it may have happened"))
        except ProbeError as error:
            return Outcome(Result.FAILED, clean(redact(str(error))))
        except asyncio.CancelledError:
            raise
        except Exception as error:  # a defect in an action leaves the outcome open, which must be said, not guessed
            return Outcome(Result.UNKNOWN, clean(redact(f"{type(error).__name__}: {error}")))

    async def _prove(self, deed: Deed, action: Action, context: Context) -> Deed:
        """Looks until every item's effect can be told, or the plan's time for it is over."""
        if action.verify is None:
            return deed
        until = self._clock.monotonic() + deed.plan.proof_within
        acted = {key for key, outcome in deed.outcomes if outcome.result in (Result.DONE, Result.UNKNOWN)}
        proofs: dict[str, Proof] = {}
        while True:
            for item in deed.plan.items:
                if item.key in acted and (item.key not in proofs or proofs[item.key].verified is None):
                    proofs[item.key] = await self._look(action, item, deed.plan, context)
            deed = replace(deed, proofs=tuple(proofs.items()))
            told = all(proof.verified is not None for proof in proofs.values())
            if told or self._stopping or self._clock.monotonic() >= until:
                return deed
            self._news(deed)
            await self._clock.sleep(PROOF_STEP)

    @staticmethod
    async def _look(action: Action, item: Item, plan: Plan, context: Context) -> Proof:
        assert action.verify is not None
        try:
            async with asyncio.timeout(DEED_DEADLINE):
                return await action.verify(item, plan, context)
        except ProbeError as error:
            return Proof(None, clean(redact(f"could not look: {error}")))
        except Exception as error:  # also a time-out: the deed is done, whatever keeps us from seeing it
            return Proof(None, clean(redact(f"could not look: {type(error).__name__}: {error}")))

    async def _intend(self, deed: Deed) -> None:
        """The intent, which must stand on the disk before anything happens. Raises PlanRefused where it cannot be written, or
        where somebody is at one of the targets."""
        journal, at, who = self._journal, self._clock.utc(), self._setup.user
        assert journal is not None
        data = _intent(deed.plan, self._setup)
        try:
            holder = await in_daemon_thread(lambda: intend(journal, at, who, data, deed.id))
        except JournalError as error:
            raise PlanRefused(f"nothing was sent, because it could not be recorded: {error}") from error
        if holder is not None:
            raise PlanRefused(f"{holder.words}: wait for the outcome")

    async def _claim(self, deed: Deed) -> None:
        """The targets, over all hosts. Raises PlanRefused, with an outcome that says so, where somebody else is at one of them,
        or where the team went out of reach and nobody was told."""
        try:
            holder = await self._hold(deed)
        except ProbeError as error:
            if deed.plan.alone:
                return
            says = f"the team's journal went out of reach since it was planned ({error.failure.says}): plan it again"
        else:
            if holder is None:
                return
            says = f"{holder.words}: wait for the outcome"
        refused = tuple((item.key, Outcome(Result.REFUSED, clean(says))) for item in deed.plan.items)
        await self._note_outcome(replace(deed, outcomes=refused))
        raise PlanRefused(says)

    async def _hold(self, deed: Deed) -> Holder | None:
        keys = [item.key for item in deed.plan.items]
        return await self.together.claim(deed.plan.action, keys, deed.id, _lasts(deed.plan))

    async def _go_on(self, deed: Deed) -> None:
        """The next item has as much time as the first one had; where that cannot be told, the deed goes on all the same."""
        with contextlib.suppress(ProbeError):
            await self._hold(deed)

    async def _release(self, deed: Deed) -> None:
        await self.together.release(deed.plan.action, [item.key for item in deed.plan.items], deed.id)

    async def _note_outcome(self, deed: Deed) -> None:
        """What became of each item."""
        results = [[key, outcome.result, redact(outcome.says)] for key, outcome in deed.outcomes]
        await self._note(deed, "outcome", {"items": results, "of": len(deed.plan.items)})

    async def _note(self, deed: Deed, kind: str, data: Mapping[str, Any]) -> None:
        """An entry after the fact: the deed is done whether or not it can be written; an unwritten outcome leaves the intent
        open, which the next start shows."""
        journal = self._journal
        assert journal is not None
        at, who = self._clock.utc(), self._setup.user
        try:
            await in_daemon_thread(lambda: journal.append(at, kind, who, data, deed.id))
        except JournalError:
            return


def _intent(plan: Plan, setup: Setup) -> dict[str, Any]:
    """What the journal keeps of a plan: no secrets, no literals."""
    return {
        "action": plan.action,
        "environment": setup.environment,
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


def _alone(plan: Plan, says: Shown) -> Plan:
    """A plan that others cannot see says so, and is confirmed by typing."""
    if not says:
        return plan
    return replace(plan, alone=says, facts=((Shown("alone"), says), *plan.facts), confirm=plan.confirm or plan.action)


def exit_code(deed: Deed) -> int:
    """`act`'s exit code: 0 done and verified, 4 refused or not as planned any more, 5 failed, 6 unknown, 7 not verified."""
    results = [outcome.result for _, outcome in deed.outcomes]
    for result, code in ((Result.UNKNOWN, 6), (Result.FAILED, 5), (Result.REFUSED, 4), (Result.CHANGED, 4)):
        if result in results:
            return code
    proofs = dict(deed.proofs)
    if not results:
        return 4  # stopped before anything was sent
    verified = all(proofs.get(key, Proof(None)).verified for key, _ in deed.outcomes)
    return 0 if verified and len(results) == len(deed.plan.items) else 7
