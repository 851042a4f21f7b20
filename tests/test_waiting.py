"""The tests' own measure of time: what hangs counts, what waits for a core does not."""

from __future__ import annotations

import os
import subprocess
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
    """Another program wants the same core all the time."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})  # its too
    busy = subprocess.Popen(["sh", "-c", "while :; do :; done"])

    def counts_work_alone() -> bool:
        watch, began = Stopwatch(), time.thread_time()
        while watch.withheld < 0.2:
            assert time.thread_time() - began < 10, "there is no press"
        return watch.took < time.thread_time() - began + 0.1

    try:
        eventually(counts_work_alone, says="it counts more than was worked")  # but where the host itself stands still, unsaid
    finally:
        os.sched_setaffinity(0, cores)
        busy.kill()
        busy.wait()


def test_what_never_comes_fails_in_words() -> None:
    with pytest.raises(AssertionError, match="the bus did not come"):
        eventually(lambda: False, within=0.1, says="the bus did not come")
