"""The record on disk: append-only, private, there after a crash, and honest where it cannot be written."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import theirs
from tests.servers.things import start_things
from tests.waiting import LONG, eventually
from tui.engine.claims import left_open
from tui.engine.engine import Engine
from tui.engine.entries import Acknowledged, Marked, Unacknowledged
from tui.engine.feed import Level
from tui.engine.journal import INSERT, Journal, JournalError
from tui.engine.journal_schema import MIGRATIONS, VERSION
from tui.engine.reading import Change
from tui.engine.text import Shown

ROOT = Path(__file__).parents[2]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "journal.sqlite"


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    journal = Journal(path)
    yield journal
    journal.close()


def test_what_was_written_is_read_back_in_order_by_age_and_kind(journal: Journal) -> None:
    journal.append(10.0, "intent", "anna", {"what": "ends 8121 …"}, "d1")
    journal.append(11.0, "outcome", "anna", {"items": [["8121", "done", ""]]}, "d1")
    journal.append(12.0, "settled", "ben", {}, "d0")
    assert [(each.at, each.kind, each.who, each.deed) for each in journal.entries()] == [
        (10.0, "intent", "anna", "d1"),
        (11.0, "outcome", "anna", "d1"),
        (12.0, "settled", "ben", "d0"),
    ]
    assert journal.entries()[0].data == {"what": "ends 8121 …"}
    assert [each.kind for each in journal.entries(since=11.0)] == ["outcome", "settled"]
    assert [each.kind for each in journal.entries(kinds=["intent", "settled"])] == ["intent", "settled"]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entry SET who = 'nobody'",
        "DELETE FROM entry",
        "DELETE FROM entry WHERE id = 1",
        "INSERT OR REPLACE INTO entry (id, at, kind, version, who, data) VALUES (1, 0, 'intent', 1, 'nobody', '{}')",
        "REPLACE INTO entry SELECT id, at, kind, version, 'nobody', deed, data, uid, origin FROM entry",
        "INSERT INTO entry (id, at, kind, version, who, data) VALUES (1, 0, 'x', 1, 'nobody', '{}') "
        "ON CONFLICT (id) DO UPDATE SET who = 'nobody'",
    ],
)
def test_what_stands_there_stays(journal: Journal, path: Path, statement: str) -> None:
    """Also for somebody who opens the file with tools of their own."""
    journal.append(10.0, "intent", "anna", {"what": "ends 8121"}, "d1")
    with sqlite3.connect(path) as other, pytest.raises(sqlite3.DatabaseError, match="append-only"):
        other.execute(statement)
    assert [(each.id, each.who, each.data) for each in journal.entries()] == [(1, "anna", {"what": "ends 8121"})]


def test_nobody_else_may_read_it(journal: Journal, path: Path) -> None:
    journal.append(10.0, "intent", "anna", {})
    for each in path.parent.iterdir():
        assert stat.S_IMODE(each.stat().st_mode) == 0o600, each.name
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_every_entry_is_synced_before_it_counts(journal: Journal) -> None:
    assert journal._connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert journal._connection.execute("PRAGMA synchronous").fetchone() == (2,), "FULL: the log is synced at each commit"


def test_an_intent_is_open_until_there_is_an_outcome_or_a_person_settles_it(journal: Journal) -> None:
    for deed in ("d1", "d2", "d3"):
        journal.append(10.0, "intent", "anna", {"what": deed}, deed)
    journal.append(11.0, "outcome", "anna", {}, "d1")
    journal.append(12.0, "settled", "ben", {}, "d2")
    journal.append(13.0, "item", "anna", {"key": "a"}, "d3")
    assert [each.deed for each in left_open(journal, 1000.0)] == ["d3"]


WRITER = """
import sys
from pathlib import Path
from tests.engine.test_journal import write
from tui.engine.journal import Journal
write(Journal(Path(sys.argv[1])), sys.argv[2])
"""


def write(journal: Journal, who: str) -> None:
    """Fifty entries, one behind the other. On a slow disk writers that never rest may keep each other out for longer than one
    waits: what was refused was not recorded, and is said again."""
    for n in range(50):
        while True:
            with contextlib.suppress(JournalError):
                journal.append(n, "item", who, {"n": n})
                break


def test_two_processes_may_write_at_once(journal: Journal, path: Path) -> None:
    others = [subprocess.Popen([sys.executable, "-c", WRITER, path, who], cwd=ROOT) for who in ("anna", "ben")]
    write(journal, "me")
    assert [each.wait(4 * LONG) for each in others] == [0, 0]
    found = [(each.who, each.data["n"]) for each in journal.entries()]
    assert len(found) == 150
    assert [n for who, n in found if who == "anna"] == list(range(50))


def test_threads_share_it(journal: Journal) -> None:
    threads = [threading.Thread(target=journal.append, args=(n, "item", "me", {})) for n in range(20)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(journal.entries()) == 20


@given(text=st.text(st.characters(), max_size=40))
def test_keys_from_outside_are_kept_as_they_are(text: str) -> None:
    journal = Journal(":memory:")
    journal.append(1.0, "intent", "anna", {"key": text, "lone": "\ud800"}, "d1")
    (entry,) = journal.entries()
    assert entry.data == {"key": text, "lone": "\ud800"}
    journal.close()


def test_it_is_opened_again_and_goes_on(path: Path) -> None:
    first = Journal(path)
    first.append(1.0, "intent", "anna", {}, "d1")
    first.close()
    second = Journal(path)
    assert second.append(2.0, "outcome", "anna", {}, "d1") == 2
    assert len(second.entries()) == 2
    second.close()


def test_a_newer_ones_record_is_not_touched(path: Path) -> None:
    Journal(path).close()
    with sqlite3.connect(path) as newer:
        newer.execute("PRAGMA user_version = 99")
    with pytest.raises(JournalError, match="newer Watchfloor"):
        Journal(path)


@pytest.mark.parametrize(
    "content", [b"not a database, but long enough to be taken for one" * 20, b"SQLite format 3\0" + b"x" * 4096]
)
def test_a_broken_file_says_so_and_is_left_alone(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(JournalError, match="cannot be written"):
        Journal(path)
    assert path.read_bytes() == content


def test_a_folder_in_its_place_says_so(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(JournalError, match="cannot be written"):
        Journal(path)


# --- a disk that is full -------------------------------------------------------------------------------------------------

FULL = """
import asyncio, sys
from pathlib import Path
from tests import theirs
from tui.engine.actions import PlanRefused
from tui.engine.claims import left_open
from tui.engine.engine import Engine
from tui.engine.feed import Level
from msgspec.structs import replace
from tui.engine.entries import Acknowledged, Marked, Unacknowledged
from tui.engine.journal import Journal, JournalError
from tui.engine.text import Shown

async def main():
    journal = Journal(Path(sys.argv[1]))
    async with Engine(theirs.setup(sys.argv[2]), Level.ARMED, journal=journal).session() as engine:
        plan = await engine.gate.plan("theirs.mend", ("a",))
        written = 0
        try:
            while True:
                journal.append(0.0, "note", "anna", {"filler": "x" * 3000})
                written += 1
        except JournalError:
            print("written", written)
        try:
            await engine.gate.execute(plan, yes=True, typed="")
        except PlanRefused as error:
            print("refused:", error.says)
    print("intents", len(journal.entries(kinds=["intent"])))

asyncio.run(main())
"""


def test_on_a_full_disk_nothing_is_sent(path: Path) -> None:
    """The kernel refuses the process to write further (RLIMIT_FSIZE), as a full disk does."""
    with start_things(a="broken") as things:
        limit = 256 * 1024
        done = subprocess.run(
            [sys.executable, "-c", FULL, path, things.url],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=90,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        )
        assert things.received == []
        assert things.states["a"] == "broken"
    assert done.returncode == 0, done.stderr
    assert "refused: nothing was sent, because it could not be recorded" in done.stdout
    assert done.stdout.endswith("intents 0\n")
    again = Journal(path)
    written = int(done.stdout.split()[1])
    assert len(again.entries()) == written > 0, "what was acknowledged before is all there"
    again.append(1.0, "note", "anna", {})
    again.close()


# --- a process that is killed --------------------------------------------------------------------------------------------

KILLED = """
import asyncio, sys
from pathlib import Path
from tests import theirs
from tui.engine.claims import left_open
from tui.engine.engine import Engine
from tui.engine.feed import Level
from tui.engine.journal import Journal

async def main():
    async with Engine(theirs.setup(sys.argv[2]), Level.ARMED, journal=Journal(Path(sys.argv[1]))).session() as engine:
        await engine.gate.execute(await engine.gate.plan("theirs.mend", ("a", "b")), yes=True, typed="")

asyncio.run(main())
"""


async def test_killed_in_mid_deed_the_next_start_shows_that_it_may_have_happened(path: Path) -> None:
    with start_things(a="broken", b="broken") as things:
        things.behaves["a"] = "hang"
        process = subprocess.Popen([sys.executable, "-c", KILLED, path, things.url], cwd=ROOT)
        eventually(lambda: things.states["a"] == "well")
        process.send_signal(signal.SIGKILL)
        process.wait()
        journal = Journal(path)
        async with Engine(theirs.setup(things.url), Level.ARMED, journal=journal).session() as engine:
            (left,) = engine.judge_now().open_intents
        assert (left.action, left.what, left.who) == ("theirs.mend", "mends 2 things", "anna")
        assert things.states == {"a": "well", "b": "broken"}, "and it had"
        assert [entry.kind for entry in journal.entries()] == ["intent"]
        journal.close()


def test_every_acknowledged_entry_survives_a_kill(path: Path) -> None:
    script = "import sys; from pathlib import Path; from tui.engine.journal import Journal; import itertools\n"
    script += "journal = Journal(Path(sys.argv[1]))\n"
    script += "for n in itertools.count(): journal.append(n, 'item', 'anna', {'n': n}); print(n, flush=True)"
    process = subprocess.Popen([sys.executable, "-c", script, path], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if int(line) == 200:
            os.kill(process.pid, signal.SIGKILL)
            break
    acknowledged = [200, *map(int, process.stdout)][-1]
    process.wait()
    journal = Journal(path)
    found = [each.data["n"] for each in journal.entries()]
    journal.close()
    assert found[: acknowledged + 1] == list(range(acknowledged + 1))
    assert len(found) <= acknowledged + 2


# --- what is said, and older files -------------------------------------------------------------------------------------------


def test_what_is_said_comes_back_as_it_was(journal: Journal) -> None:
    change = Change("d1", 9.0, "mark", Shown("flag on"))
    journal.say(10.0, "anna", Acknowledged((("f1", "P0"), ("f2", "P2"))))
    journal.say(11.0, "ben", Marked(change))
    journal.append(12.0, "intent", "ben", {"what": "x"}, "d")
    first, second, deed = journal.entries()
    assert first.said == Acknowledged((("f1", "P0"), ("f2", "P2")))
    assert second.said == Marked(change)
    assert deed.said is None
    assert [each.id for each in journal.after(first.id)] == [second.id, deed.id]


def test_a_kind_of_a_newer_version_is_kept_and_says_nothing(journal: Journal) -> None:
    journal.append(10.0, "prophecy", "anna", {"x": 1})
    (entry,) = journal.entries()
    assert (entry.said, entry.data) == (None, {"x": 1})


@pytest.mark.parametrize("version", range(1, VERSION))
def test_a_file_of_each_older_version_is_brought_up_with_all_it_holds(path: Path, tmp_path: Path, version: int) -> None:
    path.parent.mkdir()
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as old:
        for migration in MIGRATIONS[:version]:
            migration(old)
        old.execute(f"PRAGMA user_version={version}")
        old.execute("INSERT INTO entry (at, kind, version, who, deed, data) VALUES (1.0, 'intent', 1, 'anna', 'd1', '{}')")
    journal = Journal(path)
    journal.say(2.0, "ben", Unacknowledged(("f",)))
    assert [(each.kind, each.who, each.uid is None) for each in journal.entries()] == [
        ("intent", "anna", True),
        ("unacknowledged", "ben", False),
    ]
    assert [each.deed for each in left_open(journal, 1000.0)] == ["d1"]
    fresh = Journal(tmp_path / "fresh.sqlite")
    assert shape(path) == shape(tmp_path / "fresh.sqlite")
    for each in (journal, fresh):
        each.close()


def shape(path: Path) -> list[tuple[Any, ...]]:
    """What a file is made of, and its version."""
    with contextlib.closing(sqlite3.connect(path)) as file:
        made = file.execute("SELECT type, name, sql FROM sqlite_master ORDER BY name").fetchall()
        return [*made, *file.execute("PRAGMA user_version")]


def test_an_entry_that_cannot_be_read_hides_no_other(journal: Journal) -> None:
    with journal.transaction() as file:
        file.execute(INSERT, (1.0, "marked", 1, "anna", None, "{torn", "u1", None))
        file.execute(INSERT, (2.0, "marked", 1, "anna", None, "[" * 100_000, "u2", None))
    journal.say(3.0, "ben", Unacknowledged(("f",)))
    torn, deep, whole = journal.entries()
    assert (torn.said, torn.data) == (None, {"unreadable": "{torn"})
    assert deep.said is None and whole.said == Unacknowledged(("f",))


LEAVES = """
import sys
from pathlib import Path
from tui.engine.journal import Journal
journal = Journal(Path(sys.argv[1]))
print(len(journal.entries()))
journal.close()
"""


def test_who_opens_it_again_in_one_process_loses_no_lock(journal: Journal, path: Path) -> None:
    """A process that leaves takes the log away only if it is the last one: what is written after it is seen by the next."""
    from tui.engine.clock import SystemClock
    from tui.engine.store import Store

    store, second = Store(path, SystemClock()), Journal(path)
    for number in range(1, 4):
        journal.append(10.0, "item", "anna", {"n": number})
        done = subprocess.run([sys.executable, "-c", LEAVES, path], cwd=ROOT, capture_output=True, text=True, check=True)
        assert int(done.stdout) == number
    second.close()
    store.close()
