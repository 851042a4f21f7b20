"""What the one who polls writes down of what it sees: readings and what was judged of them, and changes.

Each process opens the readings, to look back and to start with an hour of history; only the leader writes, each write fenced by
its term. Calls block for the disk and are made in a thread; where it refuses, that is shown, and what was not written is tried
again.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .clock import Clock
from .entries import ChangeSeen, Said
from .history import History
from .journal import Journal, JournalError
from .judge import Judgement, States
from .kept import kept_word
from .reading import Change
from .rules import RuleBook
from .sayings import ITSELF
from .setup import Setup
from .term import Deposed, Term, fence
from .text import EMPTY, Shown, clean
from .threads import in_daemon_thread

if TYPE_CHECKING:
    from .store import Store

AGES_EACH = 1.0
"""Seconds between two slices of thinning out what is old."""
MORE_SLICES = 20
"""Slices in a row at the most, where there is more to thin out."""
KNOWN_FOR = 7 * 86400.0
"""Seconds for which a change that was written down is known."""
PINNED_BEFORE, PINNED_AFTER = 900.0, 1800.0
"""Seconds around an alert of the worst two severities for which readings are kept in full."""
MOST_UNSAID = 10_000
"""Entries that wait for a disk that does not take them; the oldest go."""
PINS_EACH = 60.0
"""Seconds between two looks for such alerts: what is recorded is kept in full for an hour anyway."""


class Recording:
    """One engine's way to the readings on disk. `term` tells whether this process leads; `news` is called in the loop when
    there is something else to warn of."""

    def __init__(
        self,
        setup: Setup,
        journal: Journal,
        clock: Clock,
        history: History,
        rules: RuleBook,
        term: Callable[[], Term | None],
        news: Callable[[], object],
    ) -> None:
        self.store: Store | None = None
        """The readings, for whoever looks back; None until they are open. Never closed by hand: a thread may be in the file."""
        self.problem: Shown = EMPTY
        """Why something is not recorded at present; empty while all is."""
        self._setup = setup
        self._journal = journal
        self._clock = clock
        self._history = history
        self._rules = rules
        self._term = term
        self._news = news
        self._known: set[tuple[str, str]] = set()
        """Changes that stand in the journal, by kind and key."""
        self._known_in = -1
        """The epoch in which that was read: another may have led since, and written others."""
        self._newest: tuple[States, Judgement] | None = None
        self._unsaid: list[tuple[float, Said]] = []
        self._due = asyncio.Event()
        self._pinned = float("-inf")

    async def run(self) -> None:
        """Opens, and writes what comes, until cancelled."""
        while not await self._opened():
            await self._clock.sleep(PINS_EACH)
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(AGES_EACH):
                    await self._due.wait()
            self._due.clear()
            await self._read_back()
            await self._write()

    def take(self, states: States, judgement: Judgement) -> None:
        """What stands now; written soon, if this process leads."""
        if self.store is not None and self._term() is not None:
            self._newest = states, judgement
            self._due.set()

    async def _opened(self) -> bool:
        """Opens the readings and takes the last hour back; whether that could be done."""
        from .store import Store, StoreError

        path = self._journal.path
        assert isinstance(path, Path)

        def opened() -> Store:
            store = Store(path, self._clock, self._setup.journal_size, watched=self._setup.watched)
            store.restore(self._history, self._clock.utc())
            return store

        try:
            self.store = await in_daemon_thread(opened)
        except StoreError as error:
            self._say_problem(clean(str(error)))
            return False
        self._rules.means.recorded = True
        await self._read_back()
        self._say_problem(EMPTY)
        return True

    async def _read_back(self) -> None:
        """What rules compare with that was before this process judged: read beside the judging, which never waits for the
        disk. Where it cannot be read, such windows are unknown until they have been watched."""
        means, store = self._rules.means, self.store
        wanted = means.wanted()
        if not wanted or store is None:
            return
        from .rules.means import read_back
        from .store import StoreError

        try:
            found = await in_daemon_thread(lambda: read_back(wanted, store.signals, self._history))
        except StoreError:
            found = {}
        means.taken_back(found, wanted)

    async def _write(self) -> None:
        """One round: what was said, what was measured, and a slice of what grows old."""
        term, store = self._term(), self.store
        if term is None or store is None:
            self._newest = None
            return
        now = self._clock.utc()
        newest, self._newest = self._newest, None
        try:
            await self._read_known(term, now)
        except JournalError as error:
            self._say_problem(clean(f"nothing is recorded now: {error}"))
            return
        self._unsaid += [(now, seen) for seen in self._changes(newest[0] if newest else {}, now)]
        said, pins = tuple(self._unsaid), self._pins(newest[1] if newest else None, now)
        try:
            await in_daemon_thread(functools.partial(self._written, term, store, said, newest, pins))
        except Deposed:
            self._unsaid.clear()  # another process polls by now, and says what it sees
            return
        except JournalError as error:
            del self._unsaid[:-MOST_UNSAID]
            self._say_problem(clean(f"nothing is recorded now: {error}"))
            return
        self._say_problem(store.problem)

    def _written(
        self,
        term: Term,
        store: Store,
        said: Sequence[tuple[float, Said]],
        newest: tuple[States, Judgement] | None,
        pins: Sequence[tuple[float, float, str]],
    ) -> None:
        """In a thread of its own. Raises Deposed, JournalError."""
        from .store import StoreError

        fenced = functools.partial(fence, term=term)
        for at, each in said:
            self._journal.say(at, ITSELF, kept_word(each), fenced)
            self._unsaid.pop(0)
        with contextlib.suppress(StoreError):  # it says so itself, in `problem`
            for pin in pins:
                store.pin(*pin)
            if newest:
                store.write(*newest, newest[1].at, fenced)
            for _ in range(MORE_SLICES):
                if not store.age():
                    break

    async def _read_known(self, term: Term, now: float) -> None:
        """The changes that stand in the journal, with each term anew. Raises JournalError."""
        if term.epoch == self._known_in:
            return
        said = await in_daemon_thread(lambda: self._journal.entries(now - KNOWN_FOR, (ChangeSeen.kind,)))
        self._known = {(each.change.kind, each.change.key) for entry in said if isinstance(each := entry.said, ChangeSeen)}
        self._known_in = term.epoch

    def _changes(self, states: States, now: float) -> list[ChangeSeen]:
        """Changes among the newest readings that are not in the journal yet; what is older than is known of it is not told
        apart, and no news."""
        found: list[ChangeSeen] = []
        for panel, probes in states.items():
            for state in probes:
                for change in state.reading.changes if state.reading else ():
                    if now - change.at < KNOWN_FOR and self._is_new(change):
                        found.append(ChangeSeen(panel, change))
        return found

    def _is_new(self, change: Change) -> bool:
        key = (change.kind, change.key)
        new = key not in self._known
        self._known.add(key)
        return new

    def _pins(self, judgement: Judgement | None, now: float) -> list[tuple[float, float, str]]:
        """What is to be kept in full: around alerts of the worst severities that fire, and on while they do."""
        if judgement is None or now - self._pinned < PINS_EACH:
            return []
        self._pinned = now
        return [
            (alert.fired_at - PINNED_BEFORE, (alert.ended or now) + PINNED_AFTER, alert.rule)
            for alert in judgement.alerts
            if alert.fired_at is not None and alert.severity in ("P0", "P1")
        ]

    def _say_problem(self, problem: Shown) -> None:
        if problem != self.problem:
            self.problem = problem
            self._news()
