"""Cuts lose and double nothing: sessions that end, servers that stop or freeze, processes that are killed."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.engine.team.hosts import NUMBERS, Host, insert, rows, sharing_of
from tests.servers.postgres import Server, start_postgres
from tests.servers.proxy import Proxy, start_proxy
from tests.waiting import GRACE, eventually, soon
from tui.engine.entries import Unacknowledged
from tui.engine.journal import Journal
from tui.engine.team import sharing

ROOT = Path(__file__).parents[3]


def _says(host: Host, words: str) -> bool:
    return words in host.team.alone


def poke(*hosts: Host) -> None:
    for host in hosts:
        host.team.poke()


async def test_sessions_that_somebody_ends_lose_and_double_nothing(dsn: str) -> None:
    a, b = Host("bastion-1", dsn), Host("bastion-2", dsn)
    database = urlsplit(dsn).path[1:]
    wanted: list[str] = []
    async with sharing_of(a, b):
        await soon(lambda: not (a.team.alone or b.team.alone))
        with psycopg.connect(dsn.replace(f"/{database}", "/postgres"), autocommit=True) as admin:
            for number in range(40):
                a.say(str(number))
                wanted.append(str(number))
                a.team.poke()
                await asyncio.sleep(0.005 * (number % 4))  # ended at whatever it is doing then
                admin.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()",
                    [database],
                )
                b.team.poke()
        await soon(lambda: b.said == wanted and not a.team.alone)
    assert rows(dsn, "count(*), count(DISTINCT uid)", "") == [(40, 40)]


@pytest.mark.parametrize("after", [1, 300, 900, 1500, 2200])
async def test_a_connection_cut_at_any_byte_loses_and_doubles_nothing(dsn: str, through: tuple[Proxy, str], after: int) -> None:
    """Cut after the last bytes reached the server, its answer lost: also after the COMMIT, done and unknown."""
    proxy, way = through
    a, b = Host("bastion-1", way), Host("bastion-2", dsn)
    wanted = [str(number) for number in range(20)]
    async with sharing_of(a, b):
        await soon(lambda: not a.team.alone)
        for number in wanted:
            proxy.cut_after(after + int(number))
            a.say(number)
            a.team.poke()
            await asyncio.sleep(0.01)  # as far as it comes
        proxy.open()
        a.team.poke()
        await soon(lambda: b.said == wanted)
        a.team.poke()
        await soon(lambda: not a.team.alone)
    assert rows(dsn, "count(*), count(DISTINCT uid)", "") == [(20, 20)]
    assert a.said == wanted


async def test_a_server_that_stops_and_starts_gets_everything_in_order() -> None:
    with start_postgres(max_connections=20, preload=False) as server:
        dsn = server.dsn("postgres")
        a, b = Host("bastion-1", dsn), Host("bastion-2", dsn)
        async with sharing_of(a, b):
            a.say("1")
            await soon(lambda: b.said == ["1"])
            server.stop()
            a.say("2", "3")
            b.say("4")
            poke(a, b)
            for each in (a, b):
                await soon(partial(_says, each, "refuses connections"))
                assert "others cannot see this" in each.team.alone
            server.start()
            poke(a, b)
            await soon(lambda: len(a.said) == len(b.said) == 4)
            assert (a.said_by("bastion-2"), b.said_by("bastion-1")) == (["4"], ["1", "2", "3"])
            server.crash()
            a.say("5")
            a.team.poke()
            await soon(lambda: a.team.alone)
            server.start()
            await soon(lambda: b.said[-1] == "5" and not a.team.alone, 40)


async def test_a_server_that_freezes_is_out_of_reach_in_time_and_holds_nothing_up() -> None:
    with start_postgres(max_connections=20, preload=False) as server:
        a, b = Host("bastion-1", server.dsn("postgres")), Host("bastion-2", server.dsn("postgres"))
        async with sharing_of(a, b):
            await soon(lambda: not (a.team.alone or b.team.alone))
            server.pause()
            a.say("1")
            turns: list[str] = []

            def out_of_reach() -> bool:
                turns.append(a.team.alone)
                return bool(a.team.alone)

            await soon(out_of_reach, within=sharing.WITHIN + GRACE)
            assert len(turns) > 20, "whoever waits for it waits alone"
            server.resume()
            poke(a, b)
            await soon(lambda: b.said == ["1"], 40)


async def test_a_journal_that_was_set_back_gets_everything_again(dsn: str) -> None:
    a, b = Host("bastion-1", dsn), Host("bastion-2", dsn)
    a.say("1", "2")
    async with sharing_of(a, b):
        await soon(lambda: b.said == ["1", "2"])
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("DROP TABLE watchfloor_entry, watchfloor_claim")
    c = Host("bastion-3", dsn)
    c.say("x", "y", "z", "ä")
    async with sharing_of(c):
        await soon(lambda: len(rows(dsn)) == 4 if not c.team.alone else False)
    async with sharing_of(a, b, c):
        await soon(lambda: all(len(host.said) == 6 for host in (a, b, c)))
    assert c.said_by("bastion-1") + c.said_by("bastion-2") == ["1", "2"]


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("say"), st.integers(0, 2)),
        st.tuples(st.just("share"), st.integers(0, 2)),
        st.tuples(st.just("cut"), st.integers(0, 2500)),
        st.tuples(st.just("late"), st.booleans()),
        st.tuples(st.just("restart"), st.integers(0, 2)),
    ),
    min_size=5,
    max_size=30,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(steps=STEPS)
def test_whatever_happens_in_whatever_order_all_agree_in_the_end(
    postgres: Server, patient: None, tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]]
) -> None:
    dsn = postgres.new_database(f"team_{next(NUMBERS)}")
    folder = tmp_path_factory.mktemp("hosts")
    with start_proxy(postgres.port) as proxy:
        way = dsn.replace(f":{postgres.port}/", f":{proxy.port}/")
        asyncio.run(_live_through(steps, dsn, way, proxy, folder))


async def _live_through(steps: list[tuple[str, int]], dsn: str, way: str, proxy: Proxy, folder: Path) -> None:
    hosts = [Host(f"host-{n}", way, folder / f"{n}.sqlite") for n in range(3)]
    await hosts[0].team.look()
    slow: psycopg.Connection[Any] | None = None
    said: dict[str, list[str]] = {name: [] for name in ("host-0", "host-1", "host-2", "slow")}
    for number, (what, how) in enumerate(steps):
        match what:
            case "say":
                hosts[how].say(str(number))
                said[f"host-{how}"].append(str(number))
            case "share":
                await hosts[how].team.look()
            case "cut":
                proxy.cut_after(how)
            case "late" if slow is None:
                slow = psycopg.connect(dsn)
                insert(slow, str(number))
                said["slow"].append(str(number))
            case "late" if slow is not None:
                slow.commit() if how else slow.rollback()
                if not how:
                    said["slow"].pop()
                slow.close()
                slow = None
            case "restart":
                hosts[how].journal.close()
                hosts[how] = Host(f"host-{how}", way, folder / f"{how}.sqlite")
    if slow:
        slow.commit()
        slow.close()
    proxy.open()
    for _ in range(2):
        for host in hosts:
            assert await host.team.look() == ""
    everything = sorted(each for each_host in said.values() for each in each_host)
    for n, host in enumerate(hosts):
        assert sorted(host.said) == everything, "nothing lost, nothing doubled"
        for origin, theirs_in_order in said.items():
            if origin != "slow":
                assert host.said_by(None if origin == f"host-{n}" else origin) == theirs_in_order, "in the order said"
        host.journal.close()


def holds(journal: Journal, wanted: list[str]) -> None:
    eventually(lambda: sorted(each.data["fingerprints"][0] for each in journal.after(0)) == wanted)


def test_two_processes_that_are_killed_and_started_again(dsn: str, tmp_path: Path) -> None:
    """As the program is: each shares from a process of its own, and dies at any moment."""
    script = (
        "import asyncio, sys; from pathlib import Path; from tests.engine.team.hosts import Host\n"
        "host = Host(sys.argv[1], sys.argv[2], Path(sys.argv[3])); asyncio.run(host.team.run())"
    )

    def start(name: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-c", script, name, dsn, tmp_path / f"{name}.sqlite"], cwd=ROOT)

    journals = {name: Journal(tmp_path / f"{name}.sqlite") for name in ("a", "b")}
    running = {name: start(name) for name in journals}
    try:
        for number in range(6):
            for name, journal in journals.items():
                journal.say(1.0, name, Unacknowledged((f"{name}{number}",)))
            victim = "ab"[number % 2]
            running[victim].kill()
            running[victim].wait()
            running[victim] = start(victim)
        wanted = sorted(f"{name}{number}" for name in "ab" for number in range(6))
        for journal in journals.values():
            holds(journal, wanted)
    finally:
        for process in running.values():
            process.kill()
            process.wait()
