"""Opens the story in this terminal: `python -m tests.screens.play [--well] [--live] [--failed] [--ascii] [--theme NAME]`.

With `--live` the night goes on from 03:12:12, a poll each second; without, each snapshot is the same and only the clock ticks.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import threading
import time
from collections.abc import Callable

from msgspec.structs import replace

from tests import story
from tui.app import prepare_environment, refusal, signals
from tui.engine.feed import Snapshot


class StoryClock:
    """Time goes on from the moment of the pictures."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def _passed(self) -> float:
        return time.monotonic() - self._began

    def utc(self) -> float:
        return story.NOW + self._passed()

    def monotonic(self) -> float:
        return story.MONOTONIC + self._passed()

    boottime = monotonic

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def main() -> int:
    """Plays the story until it is left."""
    args = argparse.ArgumentParser()
    for flag in ("--well", "--live", "--failed", "--ascii"):
        args.add_argument(flag, action="store_true")
    args.add_argument("--theme", default="night")
    chosen = args.parse_args()
    if why := refusal():
        sys.exit(why)
    prepare_environment()
    from tests.screens.engine import ScriptedEngine
    from tui.screens.dashboard import WatchfloorApp

    night, clock = story.Night(broken=not chosen.well), StoryClock()

    def picture() -> Snapshot:
        at = clock.utc() if chosen.live else story.NOW
        shot = story.snapshot(at, night)
        if not chosen.failed:
            return shot
        bad = story.failed(shot.panels[2], "connect", "connection refused by 127.0.0.1:5432", "is it running?")
        return replace(shot, panels=(*shot.panels[:2], bad, *shot.panels[3:]))

    engine = ScriptedEngine(picture(), story.history(story.NOW, night), takes=0.05)
    app = WatchfloorApp(engine.feed, theme=chosen.theme, ascii_only=chosen.ascii, clock=clock)
    if chosen.live:
        threading.Thread(target=go_on, args=(lambda: engine.publish(picture()),), daemon=True).start()
    caught: list[int] = []
    with signals(app, lambda grace: None, lambda: None, caught):
        app.run(mouse=False)
    return 128 + caught[0] if caught else app.return_code or 0


def go_on(poll: Callable[[], None]) -> None:
    """A poll each second."""
    while True:
        time.sleep(1)
        poll()


if __name__ == "__main__":
    sys.exit(main())
