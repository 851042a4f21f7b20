"""The tests' own measure of time: what hangs counts, what waits for a core does not."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.waiting import Stopwatch, eventually

counted = pytest.mark.skipif(not Path("/proc/self/schedstat").exists(), reason="this system does not count waits for a core")


def test_what_hangs_counts_in_full() -> None:
    watch, began = Stopwatch(), time.monotonic()
    time.sleep(0.2)
    assert watch.took + watch.withheld >= 0.2
    assert watch.took <= time.monotonic() - began
    assert not watch.passed(60)


@counted
def test_waiting_for_a_core_does_not_count() -> None:
    """Two programs want the same core all the time."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})  # theirs too
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2)]
    try:
        watch, began, spent = Stopwatch(), time.monotonic(), time.thread_time()
        while time.thread_time() - spent < 0.2:
            pass
        took, wall = watch.took, time.monotonic() - began
    finally:
        os.sched_setaffinity(0, cores)
        for each in busy:
            each.kill()
            each.wait()
    assert wall > 0.3, "there was no press"
    assert took < 0.3


def test_what_never_comes_fails_in_words() -> None:
    with pytest.raises(AssertionError, match="the bus did not come"):
        eventually(lambda: False, within=0.1, says="the bus did not come")
