"""Rewind over a recorded day with 100 endpoints, and what recording costs: `python -m tests.bench.rewind`.

The day is recorded as it would have been: each endpoint every 5 s, aged as the clock goes, so that the last hour stands
in full and the rest by minute. A step is what a key costs: the moment is read, and the panel's picture drawn from it by its own
view. Prints milliseconds of a step (95th percentile over single steps and jumps anywhere) and of recording a poll, and the
megabytes of the file.
"""

from __future__ import annotations

import gc
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path

from tests.clocks import START, DrivenClock
from tests.watched import Service
from tui.engine.layout import Room
from tui.engine.panel import Readings, load_card
from tui.engine.past import Past
from tui.engine.store import Store

ENDPOINTS = 100
DAY, HOUR = 86400, 3600
IN_FULL = 2 * HOUR
"""So much of the day's end is recorded each second; before it a row each 20 s is made, of which ageing leaves one a minute."""
STEPS = 100


def recorded(store: Store, clock: DrivenClock) -> float:
    """Records the day; returns the milliseconds that recording took per poll over its last hours."""
    service = Service(ENDPOINTS, START)
    took, rows = 0.0, 0
    moment = START
    while moment < START + DAY:
        states, judgement = service.until(moment), service.judgement(moment)
        began = time.thread_time()
        store.write(states, judgement, moment)
        full = moment >= START + DAY - IN_FULL
        if full:
            took += time.thread_time() - began
            rows += 1
        clock.move(moment - clock.utc())
        if int(moment) % HOUR == 0:
            while store.age():
                pass
        moment += 1 if full else 20
    while store.age():
        pass
    return 1000 * took / (rows * ENDPOINTS / 5)


def stepped(store: Store) -> list[float]:
    """Milliseconds of each step: back one by one from now, then anywhere, each time the whole picture."""
    moments = store.moments(0, float("inf"))
    chance = random.Random(1)
    places = [len(moments) - 1 - step for step in range(STEPS // 2)]
    places += [chance.randrange(len(moments)) for _ in range(STEPS // 2)]
    times = []
    for place in places:
        began = time.perf_counter()
        drawn(store.past(moments[place]))
        times.append(1000 * (time.perf_counter() - began))
    return times


def drawn(past: Past) -> None:
    """The panel's picture at that moment, by its own view."""
    card = load_card("health")
    states = past.states["health"]
    by_probe = {"endpoint": tuple(each.good for each in states if each.good)}
    readings = Readings("health", None, by_probe, past.judgement.judged["health"])
    layout = card.load_view()(readings, past.history, Room(118, 110, past.at))
    assert len(layout.rows) == ENDPOINTS


def main() -> None:
    """Prints the three figures."""
    with tempfile.TemporaryDirectory(prefix="rewind-") as folder:
        path, clock = Path(folder) / "journal.sqlite", DrivenClock()
        store = Store(path, clock)
        recording = recorded(store, clock)
        gc.freeze()  # as the dashboard has it
        gc.set_threshold(10_000, 20, 50)
        times = stepped(store)
        size = path.stat().st_size / 1e6
        store.close()
    print(f"{statistics.quantiles(times, n=20)[18]:.1f} {recording:.3f} {size:.0f}")
    print(f"median {statistics.median(times):.1f} worst {max(times):.1f}", file=sys.stderr)


if __name__ == "__main__":
    main()
