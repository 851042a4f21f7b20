"""`watchfloor`: the engine in its thread, the screen in this one."""

from __future__ import annotations

from tui.commands.printing import complain
from tui.commands.reporting import reporting
from tui.commands.rereading import Look
from tui.commands.state import lease_on, open_journal, status_place
from tui.config import Loaded
from tui.engine.engine import Engine, level_for
from tui.engine.feed import Level
from tui.engine.journal import Journal, JournalError
from tui.engine.text import clean
from tui.stopping import stops_without_the_file


def dashboard(loaded: Loaded, *, read_only: bool, ascii_only: bool) -> int:
    """Opens the dashboard and returns its exit code when it is left."""
    from tui.app import USAGE, refusal, run

    if why := refusal():  # before anything is asked
        complain(why)
        return USAGE
    setup = loaded.setup
    journal: Journal | None = None
    problem = ""
    try:
        journal = open_journal(setup)
    except JournalError as error:
        problem = str(error)
    level = Level.WATCH if read_only else level_for(setup)
    lease, unshared = lease_on(journal, setup, "watch" if read_only else "dashboard")
    engine = Engine(setup, level, journal=journal, lease=lease, look=Look(loaded), status=status_place(loaded))
    for says in filter(None, (clean(problem), unshared)):
        engine.warn(says)
    if unreported := reporting(loaded):
        engine.warn(unreported)
    with stops_without_the_file(engine.step_down):
        engine.start()
        try:
            return run(
                engine.feed,
                stop=engine.stop,
                reread=engine.reread,
                step_down=engine.step_down,
                theme=setup.theme,
                ascii_only=ascii_only,
                keys=dict(setup.keys),
                channels=lambda: engine.setup.channels,
            )
        finally:
            engine.stop()
