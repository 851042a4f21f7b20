"""The faults of one running stack: applies, heals, and says which are at work."""

import asyncio
import random
from typing import Any

import psycopg

from tui.demo.errors import DemoError
from tui.demo.faults.calls import MODELS, REFUSALS, FailingCalls, SlowCalls
from tui.demo.faults.catalogue import CATALOGUE, NAMES, Entry
from tui.demo.faults.components import BrokenComponent
from tui.demo.faults.crowd import Crowd
from tui.demo.faults.deploys import BrokenDeploy, FailedDeploy
from tui.demo.faults.exports import SlowExport
from tui.demo.faults.fault import Fault
from tui.demo.faults.imports import GrowingTable
from tui.demo.faults.jobs import FailingKind, StuckJobs
from tui.demo.faults.processes import DeadWorker, StalledTimer
from tui.demo.faults.sessions import LeakedConnections, LockChain
from tui.demo.faults.turns import KeptTurn
from tui.demo.stack import Parts


class Faults:
    """One of each kind, one at a time."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._turn = asyncio.Lock()
        kinds: tuple[Fault, ...] = (
            FailingCalls(REFUSALS, 0.4, 0.6),
            SlowCalls(),
            BrokenComponent(),
            LeakedConnections(),
            LockChain(),
            StuckJobs(),
            FailingKind(),
            StalledTimer(),
            DeadWorker(),
            BrokenDeploy(),
            Crowd(),
            FailingCalls(MODELS, 0.2, 0.4),
            KeptTurn(),
            SlowExport(),
            GrowingTable(),
            FailedDeploy(),
        )
        self._faults = dict(zip(NAMES, kinds, strict=True))

    async def apply(self, name: str, seed: int) -> dict[str, Any]:
        """Brings one about, anew if it is at work already; the same seed does the same."""
        fault = self._faults[name]
        async with self._turn:
            if await fault.active(self._parts):
                await fault.heal(self._parts)
            try:
                await fault.apply(self._parts, random.Random(f"{seed}:{name}"))
            except psycopg.OperationalError as error:
                await fault.heal(self._parts)
                raise DemoError(f"{name}: {str(error).strip()}", "Try `watchfloor demo heal all` first") from None
            return await self._state(next(entry for entry in CATALOGUE if entry.name == name))

    async def heal(self, name: str) -> list[str]:
        """Ends one or `all`; gives the names of those that were at work."""
        healed = []
        async with self._turn:
            for each in NAMES if name == "all" else (name,):
                fault = self._faults[each]
                if await fault.active(self._parts):
                    await fault.heal(self._parts)
                    healed.append(each)
        return healed

    async def state(self) -> list[dict[str, Any]]:
        return [await self._state(entry) for entry in CATALOGUE]

    async def _state(self, entry: Entry) -> dict[str, Any]:
        fault = self._faults[entry.name]
        active = await fault.active(self._parts)
        clears_by = fault.clears_by(self._parts) if active else None
        return {
            "name": entry.name,
            "about": entry.about,
            "clears_by": clears_by or entry.clears_by,
            "active": active,
        }
