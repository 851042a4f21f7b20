"""The one gate: whatever changes production passes here, from the screen and from the command line alike.

level and allow-list → plan → the person's word → what `execution.py` does with it, one deed at a time
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Mapping

from msgspec.structs import replace

from .actions import Action, Context, Effect, Plan, PlanRefused
from .clock import Clock
from .connections import Tools
from .execution import Execution, Means
from .feed import Deed, Level, Offer
from .journal import Journal, JournalError
from .reading import ProbeError, no_answer
from .redact import redact
from .setup import PanelSetup, Setup
from .text import EMPTY, Shown, clean
from .threads import in_daemon_thread
from .together import Together
from .units import show_duration

PLAN_DEADLINE = 20.0
"""Seconds that a plan may take."""


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
        self._ending = asyncio.Event()
        self.together = Together(setup, level, journal, clock, lambda: None)
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
            async with asyncio.timeout(PLAN_DEADLINE):
                return await action.plan(keys, context)
        except (PlanRefused, ProbeError):
            raise
        except TimeoutError:
            raise no_answer("deadline", f"no plan within {show_duration(PLAN_DEADLINE)}", "nothing was done") from None
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
        if self._ending.is_set():
            raise PlanRefused("it is ending: nothing new is begun")
        if self._busy.locked():
            raise PlanRefused("another deed is under way: wait for its outcome")
        async with self._busy:
            deed = Deed(uuid.uuid4().hex, plan, self._clock.utc())
            execution = Execution(deed, action, self._context(panel), self._means())
            await execution.begin()
            await execution.carry_out()
        return await execution.prove()

    def _means(self) -> Means:
        assert self._journal is not None, "refused before"
        return Means(self._journal, self.together, self._clock, self._setup.user, self._news, self._ending)

    def stop_after_item(self) -> None:
        """The process is ending: a bulk deed stops after the item at hand, and no proof is waited for."""
        self._ending.set()

    @property
    def busy(self) -> bool:
        """Whether a deed is between intent and outcome."""
        return self._busy.locked()

    async def idle(self) -> None:
        """Waits until no deed is between intent and outcome."""
        async with self._busy:
            return

    async def settle(self, intent: str) -> None:
        """A person says that an open intent is dealt with. Raises PlanRefused where that cannot be recorded."""
        if self._journal is None:
            raise PlanRefused("the journal cannot be written")
        journal = self._journal
        try:
            await in_daemon_thread(lambda: journal.append(self._clock.utc(), "settled", self._setup.user, {}, intent))
        except JournalError as error:
            raise PlanRefused(f"it could not be recorded: {error}") from error

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


def _alone(plan: Plan, says: Shown) -> Plan:
    """A plan that others cannot see says so, and is confirmed by typing."""
    if not says:
        return plan
    return replace(plan, alone=says, facts=((Shown("alone"), says), *plan.facts), confirm=plan.confirm or plan.action)
