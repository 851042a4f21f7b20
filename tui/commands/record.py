"""`watchfloor record`: the poller without a screen, so that history is there before anyone is paged.

Goes on until SIGTERM or SIGINT; SIGHUP and SIGUSR1 have the config read again. A line a transition goes to stderr.
"""

from __future__ import annotations

import contextlib
import re
import signal
from collections.abc import Iterator
from queue import Empty, SimpleQueue
from types import FrameType

from tui.commands.metrics import serving
from tui.commands.printing import complain
from tui.commands.reporting import reporting
from tui.commands.rereading import Look
from tui.commands.state import lease_on, open_journal, status_place
from tui.commands.transitions import transitions
from tui.config import Loaded
from tui.engine.engine import Engine, level_for
from tui.engine.feed import Snapshot
from tui.engine.journal import JournalError
from tui.stopping import stops_without_the_file

NO_RECORD = 5
CHECK_IN_EACH = 60.0
"""Seconds between two check-ins with Sentry."""
GRACE = 1.5
"""Seconds that the exit takes at most."""


def record(loaded: Loaded) -> int:
    """Polls until told to end; returns the exit code: 0, or 5 where nothing can be recorded."""
    setup = loaded.setup
    try:
        journal = open_journal(setup)
    except JournalError as error:
        complain(str(error))
        return NO_RECORD
    lease, unshared = lease_on(journal, setup, "record")
    engine = Engine(setup, level_for(setup), journal=journal, lease=lease, look=Look(loaded), status=status_place(loaded))
    if unshared:
        engine.warn(unshared)
    if unreported := reporting(loaded):
        engine.warn(unreported)
    try:
        stops, serves = stops_without_the_file(engine.step_down), serving(loaded.record.metrics, engine, journal)
        with asked_for(engine) as ends, stops, serves:
            engine.start()
            _go_on(engine, ends, loaded)
    except OSError as error:
        complain(f"[record] metrics: {loaded.record.metrics} cannot be served: {error.strerror or error}")
        return NO_RECORD
    finally:
        engine.stop(GRACE)
    return 0


class Ends:
    """Whether it is to end, and what wakes whoever waits for news."""

    def __init__(self) -> None:
        self.asked = False
        self._news: SimpleQueue[None] = SimpleQueue()  # of all that wakes, this alone may be used in a signal's handler

    def ask(self) -> None:
        """It is to end now."""
        self.asked = True
        self.wake()

    def wake(self) -> None:
        """There is news."""
        self._news.put(None)

    def wait(self, seconds: float) -> None:
        """Until there is news, or so many seconds are over."""
        with contextlib.suppress(Empty):
            self._news.get(timeout=seconds)
            while True:
                self._news.get_nowait()


@contextlib.contextmanager
def asked_for(engine: Engine) -> Iterator[Ends]:
    """SIGTERM and SIGINT end it, SIGHUP and SIGUSR1 have the config read again."""
    ends = Ends()

    def end(number: int, frame: FrameType | None) -> None:
        ends.ask()

    def reread(number: int, frame: FrameType | None) -> None:
        engine.reread()

    handlers = {"SIGTERM": end, "SIGINT": end, "SIGHUP": reread, "SIGUSR1": reread}
    before = {getattr(signal, name): signal.signal(getattr(signal, name), handler) for name, handler in handlers.items()}
    try:
        yield ends
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _go_on(engine: Engine, ends: Ends, loaded: Loaded) -> None:
    """A line to stderr for each thing that changes, and a check-in each minute, until the end."""
    engine.feed.on_news(ends.wake)
    before: Snapshot | None = None
    checked_in = float("-inf")
    while not ends.asked:
        ends.wait(1.0)
        now = engine.feed.newest()
        if before is None and now.seat.role == "alone" and not now.warnings:
            continue  # who polls is not known yet
        for line in transitions(before, now):
            complain(line)
        before = now
        if loaded.sentry_dsn and now.monotonic - checked_in >= CHECK_IN_EACH:
            checked_in = now.monotonic
            _check_in(loaded, now)


def _check_in(loaded: Loaded, now: Snapshot) -> None:
    from tui import sentry  # late: only where a DSN is set

    setup = loaded.setup
    usual = re.sub(r"[^a-z0-9]+", "-", f"watchfloor-{setup.name}-{setup.environment}".lower()).strip("-")
    sentry.check_in(loaded.record.monitor or usual[:50], polls(now))


def polls(snapshot: Snapshot) -> bool:
    """Whether anything at all was measured lately: whatever the answers were, the watcher is at work."""
    states = [probe for panel in snapshot.panels for probe in panel.probes]
    return not states or any(
        state.reading and snapshot.at - state.reading.at < max(CHECK_IN_EACH, state.fresh_for) for state in states
    )
