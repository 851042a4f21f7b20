"""`make bench`: what the product costs, in ratios measured side by side in one run, as one table.

Figures are of this machine at this moment; the ratios are what the bounds hold. Nothing here is asserted.
"""

from __future__ import annotations

import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.bench.database import server_time
from tests.bench.deadlines import ENDPOINTS, hanging
from tests.bench.polling import config
from tests.bench.servers import endpoints
from tests.pty.terminal import Terminal

BARE = [sys.executable, "-m", "tests.bench.bare"]
SIZE = (120, 36)


@dataclass(frozen=True)
class Row:
    """One line of the table: what, ours, what it is compared with, and the bound."""

    what: str
    ours: str
    against: str
    ratio: str
    bound: str

    def __str__(self) -> str:
        return f"{self.what:<58} {self.ours:>12} {self.against:>12} {self.ratio:>8} {self.bound:>10}"


class Bench:
    """A folder, an environment with compiled modules, and the programs in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            **os.environ,
            "XDG_STATE_HOME": str(folder / "state"),
            "PYTHONDONTWRITEBYTECODE": "",  # an installed program has its modules compiled; a checkout may not
            "PYTHONPYCACHEPREFIX": str(folder / "compiled"),
        }

    def ours(self, urls: list[str], interval: str) -> list[str]:
        """The command that opens the dashboard on these endpoints."""
        path = self.folder / f"{len(urls)}-{interval}.toml"
        path.write_text(config(urls, interval))
        return [sys.executable, "-m", "tui", "--config", str(path)]

    @contextlib.contextmanager
    def terminal(self, argv: list[str]) -> Iterator[Terminal]:
        """The program in a pty."""
        with Terminal(argv, self.environment, Path.cwd(), *SIZE) as terminal:
            yield terminal

    def first_paint(self, argv: list[str], shows: Callable[[str], bool]) -> float:
        """Seconds from the start until the screen shows it: the best of five, after one that compiles."""
        return min(self._first_paint(argv, shows) for _ in range(6))

    def _first_paint(self, argv: list[str], shows: Callable[[str], bool]) -> float:
        began = time.perf_counter()
        with self.terminal(argv) as terminal:
            seen(terminal, shows)
            return time.perf_counter() - began


def seen(terminal: Terminal, shows: Callable[[str], bool], within: float = 30.0) -> None:
    """Reads until the screen shows it."""
    end = time.perf_counter() + within
    while not shows(terminal.text):
        assert time.perf_counter() < end, terminal.text
        terminal.pump(0.003)


def has_figures(text: str) -> bool:
    """Whether a latency stands on the screen."""
    return " ms" in text


def bytes_a_second(terminal: Terminal, seconds: float) -> float:
    """What the program writes while nobody touches it."""
    before = len(terminal.sent)
    terminal.pump(seconds)
    return (len(terminal.sent) - before) / seconds


def key_times(terminal: Terminal, presses: int = 40) -> list[float]:
    """Milliseconds from a key to the first byte after it, down and up again."""
    times = []
    for press in range(presses):
        terminal.pump(0.13)
        before, sent = len(terminal.sent), time.perf_counter()
        terminal.press("j" if press % 2 == 0 else "k")
        while len(terminal.sent) == before and time.perf_counter() - sent < 1:
            terminal.pump(0.001)
        times.append(1000 * (time.perf_counter() - sent))
    return times


def p95(values: list[float]) -> float:
    """The 95th percentile."""
    return statistics.quantiles(values, n=20)[18]


def paint(bench: Bench) -> Row:
    with endpoints(1) as urls:
        ours = bench.first_paint(bench.ours(urls, "1s"), has_figures)
    bare = bench.first_paint(BARE, lambda text: "endpoint 3" in text)
    return Row("first paint with polled figures, best of 5 (s)", f"{ours:.3f}", f"{bare:.3f}", f"{ours / bare:.2f}", "≤ 1.5")


def status_line(bench: Bench) -> Row:
    """The script as it is installed, asked where nobody polls: it looks everywhere."""
    script = str(Path(sys.executable).with_name("watchfloor"))

    def best(argv: list[str]) -> float:
        times = []
        for _ in range(15):
            began = time.perf_counter()
            subprocess.run(argv, env=bench.environment, stdout=subprocess.DEVNULL, check=False)
            times.append(time.perf_counter() - began)
        return 1000 * min(times)

    ours, bare = best([script, "status-line"]), best([sys.executable, "-c", "import sqlite3"])
    return Row(
        "status-line against `python -c 'import sqlite3'` (ms)", f"{ours:.0f}", f"{bare:.0f}", f"{ours / bare:.2f}", "≤ 2"
    )


def polling(bench: Bench) -> Row:
    """Three rounds of both, taking turns, the best of each: what else runs here only ever adds."""
    best = {"bare": float("inf"), "ours": float("inf")}
    with endpoints(200) as urls:
        for _ in range(3):
            for which in best:
                argv = [sys.executable, "-m", "tests.bench.polling", which, "6", *urls]
                done = subprocess.run(argv, env=bench.environment, capture_output=True, text=True, check=True)
                best[which] = min(best[which], float(done.stdout))
    ratio = best["ours"] / best["bare"]
    return Row("CPU per health poll, 200 endpoints (ms)", f"{best['ours']:.2f}", f"{best['bare']:.2f}", f"{ratio:.2f}", "≤ 1.5")


def quiet_bytes(bench: Bench) -> Row:
    """Identical in what they say and in how long they take: 100 ms each, beside which a busy machine's few more are little."""
    with endpoints(20, 0.1) as urls, bench.terminal(bench.ours(urls, "5s")) as terminal:
        seen(terminal, has_figures)
        terminal.pump(12)
        written = bytes_a_second(terminal, 20)
    return Row("bytes/s at the pty, identical answers", f"{written:.0f}", "", "", "≤ 150")


def deadlines(_: Bench) -> Row:
    with endpoints(ENDPOINTS, 60.0) as urls:
        late = hanging(urls)
    return Row(f"{ENDPOINTS} endpoints hang: reported past their deadline, p95 (ms)", f"{late:.0f}", "", "", "≤ 250")


def lively_bytes(bench: Bench) -> Row:
    with endpoints(100, 0.1, 0.2) as urls, bench.terminal(bench.ours(urls, "5s")) as terminal:
        seen(terminal, has_figures)
        terminal.pump(12)
        written = bytes_a_second(terminal, 20)
    return Row("bytes/s, 100 endpoints each 5 s, answers ±20 %", f"{written:.0f}", "", "", "≤ 2000")


def keys(bench: Bench) -> Iterator[Row]:
    with bench.terminal(BARE) as terminal:
        seen(terminal, lambda text: "endpoint 3" in text)
        terminal.pump(1)
        bare = p95(key_times(terminal))
    for what, count, interval in (("idle", 6, "30s"), ("200 endpoints each second", 200, "1s")):
        with endpoints(count) as urls, bench.terminal(bench.ours(urls, interval)) as terminal:
            seen(terminal, has_figures)
            terminal.pump(3)
            ours = p95(key_times(terminal))
        yield Row(f"key to first byte, p95, {what} (ms)", f"{ours:.1f}", f"{bare:.1f}", f"{ours / bare:.1f}", "≤ 3")


def rewind(bench: Bench) -> Iterator[Row]:
    """In a process of its own: what it records is as much as a day's."""
    argv = [sys.executable, "-m", "tests.bench.rewind"]
    done = subprocess.run(argv, env=bench.environment, capture_output=True, text=True, check=True)
    step, recording, size = done.stdout.split()
    yield Row("rewind, a step over a day with 100 endpoints, p95 (ms)", step, "", "", "≤ 100")
    yield Row("recording a poll (ms of CPU)", recording, "", "", "")
    yield Row("a day with 100 endpoints on disk (MB)", size, "", "", "≤ 256")


def judging(bench: Bench) -> Iterator[Row]:
    """In a process of its own, as `rewind`."""
    argv = [sys.executable, "-m", "tests.bench.judging"]
    done = subprocess.run(argv, env=bench.environment, capture_output=True, text=True, check=True)
    first, later, beside = done.stdout.split()
    yield Row("judging 100 endpoints by three days, after a restart (ms)", first, "", "", "≤ 20")
    yield Row("… from then on, p95 (ms); read back in a thread (ms)", later, beside, "", "≤ 20")


def memory(bench: Bench) -> Row:
    sizes = []
    with endpoints(200) as urls:
        for argv, shows in ((bench.ours(urls, "1s"), has_figures), (BARE, lambda text: "endpoint 3" in text)):
            with bench.terminal(argv) as terminal:
                seen(terminal, shows)
                terminal.pump(5)
                sizes.append(psutil.Process(terminal.pid).memory_info().rss / 1e6)
    return Row("resident memory, 200 endpoints (MB)", f"{sizes[0]:.0f}", f"{sizes[1]:.0f}", f"{sizes[0] / sizes[1]:.1f}", "")


def main() -> None:
    """Prints the table."""
    print(Row("what", "ours", "bare", "ratio", "bound"), flush=True)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        bench = Bench(Path(folder))
        for measure in (paint, status_line, polling, deadlines, quiet_bytes, lively_bytes, memory):
            print(measure(bench), flush=True)
        for row in (*keys(bench), *rewind(bench), *judging(bench)):
            print(row, flush=True)
    print(Row("server time per database poll, sessions (ms)", f"{server_time():.2f}", "", "", ""), flush=True)


if __name__ == "__main__":
    main()
