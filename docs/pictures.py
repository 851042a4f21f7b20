"""Makes the README's pictures from the running program: `make pictures`.

Starts the demo's stack, troubles it, runs the dashboard on it without a terminal, waits until it has noticed, and saves what it
draws as SVG.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.waiting import soon
from tui.app import prepare_environment
from tui.commands.state import lease_on
from tui.config import load
from tui.demo import start
from tui.engine.engine import Engine
from tui.engine.feed import Level
from tui.engine.journal import Journal

FOLDER = Path(__file__).parent
NOTICED_WITHIN = 60.0


@dataclass(frozen=True)
class Picture:
    """One picture: its file, what troubles the stack, the terminal's size, and the keys pressed before it is taken."""

    name: str
    faults: Sequence[str]
    size: tuple[int, int]
    keys: Sequence[str] = ()
    failing: int = 1
    """How many panels must have changed their status before it is taken."""


PICTURES = (
    Picture("board", ("slow-query", "bad-deploy"), (120, 36), failing=2),
    Picture("plan", ("slow-query",), (80, 24), ("3", "T")),
    Picture("narrow", ("bad-deploy",), (80, 24), ("2",)),
    Picture("alert", ("bad-deploy",), (80, 24), ("colon", *"alert p0", "enter")),
    Picture("rewound", ("bad-deploy",), (80, 24), ("2", *["left_curly_bracket"] * 2, *["left_square_bracket"] * 2)),
)


async def take(picture: Picture) -> None:
    """Takes one picture."""
    from tui.screens.dashboard import WatchfloorApp  # after the environment is set

    with start(seed=4) as stack, tempfile.TemporaryDirectory() as folder:
        setup, journal = load(stack.config_path).setup, Journal(Path(folder) / "journal.db")
        lease, _ = lease_on(journal, setup, "dashboard")  # who polls records, so that there is a past to look back to
        engine = Engine(setup, Level.ARMED, journal=journal, lease=lease)
        engine.start()
        app = WatchfloorApp(engine.feed)
        async with app.run_test(size=picture.size, notifications=True, tooltips=True) as pilot:
            await _until(lambda: all(panel.status == 0 for panel in engine.feed.peek().panels))
            await asyncio.sleep(20)  # a while of calm, so that the sparklines have something to rise from
            for fault in picture.faults:
                stack.fault(fault, 4)
            await _until(lambda: sum(panel.status > 0 for panel in engine.feed.peek().panels) >= picture.failing)
            await asyncio.sleep(20)  # and a while of trouble
            for key in picture.keys:
                await pilot.press(key)
                await asyncio.sleep(1)
            path = FOLDER / f"{picture.name}.svg"
            path.write_text(app.export_screenshot(title="watchfloor"), encoding="utf-8")
        engine.stop()


async def _until(holds: Callable[[], bool]) -> None:
    """Waits for it, a minute at the most."""
    await soon(holds, NOTICED_WITHIN)


async def main() -> None:
    """Takes all pictures, or those named, one after the other."""
    for picture in PICTURES:
        if picture.name in (sys.argv[1:] or picture.name):
            await take(picture)


if __name__ == "__main__":
    prepare_environment()
    asyncio.run(main())
