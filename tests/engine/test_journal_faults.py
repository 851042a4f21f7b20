"""What the kernel saw: intents are synced before requests leave, a disk that refuses sends nothing, a kill loses nothing."""

from __future__ import annotations

import contextlib
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.servers.things import start_things
from tui.engine.clock import SystemClock
from tui.engine.journal import Journal
from tui.engine.store import Store

ROOT = Path(__file__).parents[2]
traced = pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "journal.sqlite"


# --- the order in which things reach the disk and the wire -----------------------------------------------------------------

DEED = """
import asyncio, sys
from pathlib import Path
from tests import theirs
from tui.engine.actions import PlanRefused
from tui.engine.engine import Engine
from tui.engine.feed import Level
from tui.engine.journal import Journal

async def main():
    async with Engine(theirs.setup(sys.argv[2]), Level.ARMED, journal=Journal(Path(sys.argv[1]))).session() as engine:
        plan = await engine.gate.plan("theirs.mend", ("a",))
        try:
            await engine.gate.execute(plan, yes=True, typed="")
        except PlanRefused as error:
            print("refused:", error.says)

asyncio.run(main())
"""
SYNC = re.compile(r"(fdatasync|fsync)\(\d+<[^>]*journal\.sqlite-wal>\) += 0|<\.\.\. (fdatasync|fsync) resumed>\) += 0")
REQUEST = re.compile(r"\b(sendto|sendmsg|write|writev|send)\(.*POST /things/a/mend")


def strace(path: Path, url: str, *options: str) -> tuple[list[str], str]:
    """A deed under strace: what the kernel was asked for, in order, and what the deed printed."""
    trace = path.parent.parent / "trace"
    argv = ["strace", "-f", "-y", "-qq", "-s", "4096", "-o", str(trace), *options, sys.executable, "-c", DEED, str(path), url]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=90)
    assert done.returncode == 0, done.stderr
    return trace.read_text(errors="replace").splitlines(), done.stdout


@traced
def test_the_intent_is_synced_before_the_requests_first_byte_leaves(path: Path) -> None:
    with start_things(a="broken") as things:
        calls, _ = strace(path, things.url, "-e", "trace=pwrite64,fdatasync,fsync,sendto,sendmsg,write,writev")
        assert things.states == {"a": "well"}
    written = next(place for place, line in enumerate(calls) if "pwrite64" in line and "-wal>" in line and "mends a" in line)
    sent = next(place for place, line in enumerate(calls) if REQUEST.search(line))
    assert written < sent
    assert any(SYNC.search(line) for line in calls[written:sent]), "\n".join(calls[written : sent + 1])


@traced
@pytest.mark.parametrize("error", ["ENOSPC", "EROFS", "EIO"])
@pytest.mark.parametrize("call", ["pwrite64", "fdatasync"])
def test_a_disk_that_refuses_sends_nothing(path: Path, call: str, error: str) -> None:
    """The kernel answers each write (sync) of the journal with the error."""
    journal = Journal(path)  # made in better times, and open: until the deed nothing is written
    with start_things(a="broken") as things:
        calls, said = strace(path, things.url, "-e", f"trace={call}", "-e", f"inject={call}:error={error}")
        assert any(error in line and "journal.sqlite-wal" in line for line in calls), "the fault came about"
        assert "refused: nothing was sent, because it could not be recorded" in said
        assert things.received == []
        assert things.states == {"a": "broken"}
    journal.append(1.0, "note", "anna", {})
    assert [each.kind for each in journal.entries()] == ["note"], "what was refused does not stand there"
    journal.close()


# --- a kill at any moment --------------------------------------------------------------------------------------------------

WRITES = """
import itertools, os, sys, threading
from pathlib import Path
from tests.clocks import START, DrivenClock
from tests.watched import Service
from tui.engine.journal import Journal
from tui.engine.store import Store

at = START + 7200.0 * int(sys.argv[2])
clock = DrivenClock(at)
journal, store = Journal(Path(sys.argv[1])), Store(Path(sys.argv[1]), clock, 20_000_000)

def readings():
    global at
    service = Service(10, at)
    for _ in itertools.count():
        store.write(service.until(at), service.judgement(at), at)
        os.write(1, b"r%d\\n" % at)
        store.age()
        clock.move(2)
        at += 2

threading.Thread(target=readings, daemon=True).start()
for n in itertools.count(int(sys.argv[3])):
    journal.append(n, "item", "anna", {"n": n})
    os.write(1, b"e%d\\n" % n)
"""
WANTED = 10_000


@pytest.mark.timeout(300)
def test_killed_at_any_moment_of_ten_thousand_writes_nothing_that_was_acknowledged_is_lost(path: Path) -> None:
    """Entries and readings are written side by side, and killed at a random moment, until 10,000 were acknowledged."""
    chance = random.Random(4)
    acknowledged: set[int] = set()
    first, writes, turn = 0, 0, 0
    while writes < WANTED:
        entries, moments = _killed(path, turn, first, chance)
        acknowledged |= set(entries)
        writes += len(entries) + len(moments)
        with contextlib.closing(sqlite3.connect(path)) as other:
            assert other.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        journal, store = Journal(path), Store(path, SystemClock())
        kept = [each.data["n"] for each in journal.entries()]
        assert acknowledged <= set(kept)
        assert len(kept) <= len(acknowledged) + turn + 1, "at most the one under way each time"
        assert len(kept) == len(set(kept))
        if moments:
            past = store.past(moments[-1])
            assert past.problem == ""
            assert past.recorded is not None
            assert past.recorded >= moments[-1], "a row that was acknowledged is there: only a power cut may cost it"
        journal.close()
        store.close()
        first, turn = max(kept, default=-1) + 1, turn + 1
    assert turn > 5


def _killed(path: Path, turn: int, first: int, chance: random.Random) -> tuple[list[int], list[int]]:
    """Writes for a random time; returns the entries and the moments of readings that were acknowledged before the kill."""
    argv = [sys.executable, "-c", WRITES, str(path), str(turn), str(first)]
    # What is written while this process stands still must not be all that there is to write: a short pipe holds it up.
    process = subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0, pipesize=4096)
    assert process.stdout is not None
    assert process.stderr is not None
    enough = chance.randrange(1, 2000)
    lines: list[bytes] = []
    for line in process.stdout:
        lines.append(line)
        if len(lines) == enough:
            time.sleep(chance.random() / 500)  # somewhere within a write, and not right after one
            os.kill(process.pid, signal.SIGKILL)
            break
    lines += process.stdout.readlines()
    assert process.wait() == -signal.SIGKILL, process.stderr.read().decode()
    said = [line.strip() for line in lines if line.endswith(b"\n")]
    return [int(each[1:]) for each in said if each[:1] == b"e"], [int(each[1:]) for each in said if each[:1] == b"r"]


# --- readings on a full disk -----------------------------------------------------------------------------------------------

FILLED = """
import resource, sys
from pathlib import Path
from tests.clocks import START
from tests.watched import Service
from tui.engine.clock import SystemClock
from tui.engine.store import Store, StoreError

store = Store(Path(sys.argv[1]), SystemClock())
service, at, refused = Service(20, START), START, 0
resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, resource.RLIM_INFINITY))
while refused < 3:
    try:
        store.write(service.until(at), service.judgement(at), at)
        last = at
    except StoreError as error:
        refused += 1
        assert store.problem
        print("refused:", error)
    at += 1
assert store.past(at).recorded == last, "what was written can be read meanwhile"
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
states = service.until(at)
store.write(states, service.judgement(at), at)
assert store.problem == ""
assert [each.reading for each in store.past(at).states["health"]] == [each.reading for each in states["health"]]
print("goes on")
"""


def test_a_full_disk_costs_the_readings_of_that_time_alone(path: Path) -> None:
    """The kernel writes up to the limit and refuses the rest (a short write), as a full disk does."""
    done = subprocess.run([sys.executable, "-c", FILLED, path], cwd=ROOT, capture_output=True, text=True, timeout=90)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("refused: readings cannot be written") == 3
    assert done.stdout.endswith("goes on\n")
    with contextlib.closing(sqlite3.connect(path)) as other:
        assert other.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
