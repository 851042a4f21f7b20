"""What judging costs the engine's loop where rules compare with days: `python -m tests.bench.judging`.

A hundred endpoints over three recorded days, each under a burn rate and a baseline of a day. Prints the milliseconds of CPU for
which the loop is held up: the longest after a restart (first judgement, and taking in what was read back), the 95th percentile
from then on; and how long the thread beside it reads.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.clocks import START, DrivenClock
from tests.watched import Service
from tui.engine.history import History
from tui.engine.panel import Threshold
from tui.engine.rules import Rule, RuleBook
from tui.engine.rules.baseline import Baseline
from tui.engine.rules.burn import LEVELS, Burn
from tui.engine.rules.means import read_back
from tui.engine.store import Store

ENDPOINTS = 100
DAY, HOUR = 86400, 3600
SPAN = 3 * DAY + HOUR
RULES = (
    Rule("budget", "health", "up", "count", "above", LEVELS, measure=Burn(0.999, of_successes=True)),
    Rule("surge", "health", "latency", "count", "above", (Threshold("P2", 2.0),), measure=Baseline(DAY)),
)
JUDGEMENTS = 300


def recorded(store: Store, clock: DrivenClock) -> None:
    """Three days and an hour, as dense as ageing leaves them."""
    service, moment = Service(ENDPOINTS, START), START
    while moment < START + SPAN:
        store.write(service.until(moment), service.judgement(moment), moment)
        clock.move(moment - clock.utc())
        left = START + SPAN - moment
        moment += 600 if left > DAY else 60 if left > HOUR else 5
    while store.age():
        pass


def took(what: Callable[[], object]) -> float:
    """Milliseconds of this thread's CPU."""
    began = time.thread_time()
    what()
    return 1000 * (time.thread_time() - began)


def main() -> None:
    """Prints the three figures."""
    with tempfile.TemporaryDirectory(prefix="judging-") as folder:
        clock, history = DrivenClock(), History()
        store = Store(Path(folder) / "journal.sqlite", clock)
        recorded(store, clock)
        now = START + SPAN
        store.restore(history, now)
        book, service = RuleBook(RULES, "demo", history), Service(ENDPOINTS, now)
        book.means.recorded = True

        def judge(at: float) -> float:
            states = service.until(at)["health"]
            for each in states:
                if each.reading:
                    history.record(each.reading)
            return took(lambda: book.judge("health", states, at, at))

        held = [judge(now + 0.1)]
        wanted = book.means.wanted()
        began = time.thread_time()
        found = read_back(wanted, store.signals, history)
        beside = 1000 * (time.thread_time() - began)
        held.append(took(lambda: book.means.taken_back(found, wanted)))
        later = [judge(now + 0.4 * turn) for turn in range(1, JUDGEMENTS)]
        store.close()
    print(f"{max(held):.1f} {statistics.quantiles(later, n=20)[18]:.1f} {beside:.0f}")


if __name__ == "__main__":
    main()
