"""The team's journal on a real PostgreSQL: everything once, in order, whatever is cut; nothing secret; never in the way."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests import theirs
from tests.servers.pooler import start_pooler
from tests.servers.postgres import Server, start_postgres
from tests.servers.proxy import Proxy, start_proxy
from tests.waiting import eventually, soon
from tui.engine.clock import SystemClock
from tui.engine.entries import Acknowledged, ConfigRead, Marked, Unacknowledged
from tui.engine.journal import Journal
from tui.engine.reading import Change, ProbeError
from tui.engine.secrets import SecretText, known_values
from tui.engine.team import Team, sharing
from tui.engine.team.link import statement
from tui.engine.text import Shown

ROOT = Path(__file__).parents[2]
NUMBERS = count()
SETUP = theirs.setup("http://127.0.0.1:1")


class Host:
    """A host with a journal of its own, and its share in the team's."""

    def __init__(self, name: str, dsn: str, path: Path | str = ":memory:", user: str = "anna", setup: Any = SETUP) -> None:
        self.name = name
        self.journal = Journal(path)
        self.news = 0
        self.team = Team(SecretText(dsn, is_url=True), replace(setup, user=user), self.journal, SystemClock(), self._news, name)
        self.user = user

    def _news(self) -> None:
        self.news += 1

    def say(self, *fingerprints: str) -> None:
        """One entry each, told apart by its fingerprint."""
        for each in fingerprints:
            self.journal.say(100.0, self.user, Unacknowledged((each,)))

    @property
    def said(self) -> list[str]:
        """The fingerprints of every entry here, in order."""
        return [each.data["fingerprints"][0] for each in self.journal.after(0)]

    def said_by(self, origin: str | None) -> list[str]:
        return [each.data["fingerprints"][0] for each in self.journal.after(0) if each.origin == origin]


@asynccontextmanager
async def sharing_of(*hosts: Host) -> AsyncIterator[None]:
    """All share, each in a task of its own."""
    tasks = [asyncio.ensure_future(host.team.run()) for host in hosts]
    try:
        yield
        assert not [task for task in tasks if task.done()], "sharing goes on whatever happens"
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


@pytest.fixture
def dsn(postgres: Server) -> str:
    return postgres.new_database(f"team_{next(NUMBERS)}")


@pytest.fixture
def through(postgres: Server, dsn: str) -> Iterator[tuple[Proxy, str]]:
    """A way to the database that can be cut."""
    with start_proxy(postgres.port) as proxy:
        yield proxy, dsn.replace(f":{postgres.port}/", f":{proxy.port}/")


def rows(dsn: str, what: str = "*", rest: str = "ORDER BY seq") -> list[Any]:
    with psycopg.connect(dsn, autocommit=True) as connection:
        return connection.execute(f"SELECT {what} FROM watchfloor_entry {rest}").fetchall()  # type: ignore[arg-type]


# --- what is shared ------------------------------------------------------------------------------------------------------


async def test_what_one_host_says_every_other_reads_once_and_in_order(dsn: str) -> None:
    a, b = Host("bastion-1", dsn, user="anna"), Host("bastion-2", dsn, user="ben")
    a.say("1", "2", "3")
    async with sharing_of(a, b):
        await soon(lambda: b.said == ["1", "2", "3"])
        b.say("4", "5")
        a.say("6")
        await soon(lambda: len(a.said) == 6 and len(b.said) == 6)
        assert (a.team.alone, b.team.alone) == ("", "")
    assert a.said_by("bastion-2") == ["4", "5"]
    assert b.said_by("bastion-1") == ["1", "2", "3", "6"]
    assert {each.who for each in b.journal.after(0) if each.origin} == {"anna"}
    assert sorted(each.uid or "" for each in a.journal.after(0)) == sorted(each.uid or "" for each in b.journal.after(0))


async def test_an_entry_arrives_as_it_is(dsn: str) -> None:
    a, b = Host("bastion-1", dsn), Host("bastion-2", dsn)
    said = (Acknowledged((("f1", "P1"),)), Marked(Change("m1", 5.0, "mark", Shown("Zeichen ü … 日本"))))
    for each in said:
        a.journal.say(7.25, "anna", each)
    a.journal.append(8.0, "intent", "anna", {"action": "theirs.mend", "items": [{"key": "a\x00\ud800", "title": "a"}]}, "d1")
    a.journal.append(9.0, "a-kind-of-next-year", "anna", {"what": [1, 2.5, None, True]})
    async with sharing_of(a, b):
        await soon(lambda: len(b.journal.after(0)) == 4)
    ours, arrived = a.journal.after(0), b.journal.after(0)
    assert [each.said for each in arrived[:2]] == list(said)
    assert [replace(each, origin=None, data={}) for each in arrived] == [replace(each, data={}) for each in ours]
    assert arrived[3].data == ours[3].data
    assert arrived[2].data["items"][0]["key"] == "a␀�", "what steers a terminal or hides text is made visible on its way in"


async def test_another_environment_and_dashboard_are_apart(dsn: str) -> None:
    a, b = Host("bastion-1", dsn), Host("bastion-2", dsn, setup=replace(SETUP, environment="staging"))
    c = Host("bastion-3", dsn, setup=replace(SETUP, name="other"))
    a.say("1"), b.say("2"), c.say("3")
    async with sharing_of(a, b, c):
        await soon(lambda: len(rows(dsn)) == 3 if not a.team.alone else False)
        await soon(lambda: not (a.team.alone or b.team.alone or c.team.alone))
    assert (a.said, b.said, c.said) == (["1"], ["2"], ["3"])


async def test_nothing_secret_leaves_even_if_it_was_read_after_it_was_written(dsn: str) -> None:
    a, b = Host("bastion-1", dsn), Host("bastion-2", dsn)
    a.journal.append(1.0, "intent", "anna", {"what": "uses hunter2-the-secret", "items": [{"hunter2-the-secret": 1}]}, "d1")
    a.journal.append(1.0, "note", "anna", {"text": "postgresql://app:swordfish@db/app and password=opensesame"})
    a.journal.say(1.0, "anna", ConfigRead("abc", True, "taken"))
    known_values.add("hunter2-the-secret")
    async with sharing_of(a, b):
        await soon(lambda: len(b.journal.after(0)) == 2)
    for secret in ("hunter2", "swordfish", "opensesame"):
        assert secret not in repr(rows(dsn)) and secret not in repr(b.journal.after(0))
    assert {kind for (kind,) in rows(dsn, "kind")} == {"intent", "note"}, "what is about a process here stays here"


async def test_news_wake_a_direct_connection_at_once(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "EVERY", 60.0)
    a, b = Host("bastion-1", dsn), Host("bastion-2", dsn)
    async with sharing_of(a, b):
        await soon(lambda: not (a.team.alone or b.team.alone))
        for number in range(5):
            a.say(str(number))
            a.team.poke()
            await soon(lambda number=number: b.said == [str(each) for each in range(number + 1)])  # type: ignore[misc]


async def test_it_shares_its_own_backlog_of_any_length(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "SENT_AT_ONCE", 7)
    monkeypatch.setattr(sharing, "TAKEN_AT_ONCE", 5)
    a, b = Host("bastion-1", dsn), Host("bastion-2", dsn)
    wanted = [str(number) for number in range(100)]
    a.say(*wanted)
    async with sharing_of(a):
        await soon(lambda: len(rows(dsn)) == 100 if not a.team.alone else False)
    async with sharing_of(b):
        await soon(lambda: b.said == wanted)


async def test_two_processes_of_one_host_may_share_at_once(dsn: str, tmp_path: Path) -> None:
    """A leader and an `act`, say: they read the same file and send the same entries."""
    path = tmp_path / "journal.sqlite"
    leader, act = Host("bastion-1", dsn, path), Host("bastion-1", dsn, path)
    other = Host("bastion-2", dsn)
    async with sharing_of(leader, act, other):
        for number in range(30):
            (leader, act, other)[number % 3].say(str(number))
            await asyncio.sleep(0)
        await soon(lambda: len(leader.said) == 30 and len(other.said) == 30)
    assert sorted(leader.said, key=int) == sorted(other.said, key=int) == [str(number) for number in range(30)]
    assert other.said_by("bastion-1") == [str(number) for number in range(30) if number % 3 != 2]


# --- cuts ----------------------------------------------------------------------------------------------------------------


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
                await asyncio.sleep(0.005 * (number % 4))
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
            await asyncio.sleep(0.01)
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
            a.say("2", "3"), b.say("4")
            a.team.poke(), b.team.poke()
            await soon(lambda: a.team.alone and b.team.alone)
            assert "others cannot see this" in a.team.alone and "refuses connections" in a.team.alone
            server.start()
            a.team.poke(), b.team.poke()
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
            loop = asyncio.get_running_loop()
            began = loop.time()
            longest = 0.0
            while not a.team.alone:
                before = loop.time()
                await asyncio.sleep(0.01)
                longest = max(longest, loop.time() - before)
            assert loop.time() - began < sharing.WITHIN + 2
            assert longest < 0.5, "whoever waits for it waits alone"
            server.resume()
            a.team.poke(), b.team.poke()
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


# --- what becomes visible late -------------------------------------------------------------------------------------------


def insert(connection: psycopg.Connection[Any], fingerprint: str) -> None:
    connection.execute(
        "INSERT INTO watchfloor_entry (uid, origin, dashboard, environment, at, kind, version, who, data)"
        " VALUES (%s, 'slow', 'shop', 'demo', 1, 'unacknowledged', 1, 'carl', %s)",
        [f"uid-{fingerprint}", json.dumps({"fingerprints": [fingerprint]})],
    )


async def test_an_entry_whose_transaction_ends_late_is_not_passed_over(dsn: str) -> None:
    a, b = Host("bastion-1", dsn), Host("bastion-2", dsn)
    async with sharing_of(a, b):
        await soon(lambda: not (a.team.alone or b.team.alone))
        with psycopg.connect(dsn) as slow, psycopg.connect(dsn) as slower:
            insert(slow, "late")
            insert(slower, "later")
            for number in range(3):
                a.say(str(number))
                a.team.poke()
                await soon(lambda number=number: str(number) in b.said)  # type: ignore[misc]
            assert "late" not in b.said
            slow.commit()
            b.team.poke()
            await soon(lambda: "late" in b.said)
            a.say("3")
            a.team.poke()
            await soon(lambda: "3" in b.said)
            slower.commit()
            await soon(lambda: "later" in b.said)
    assert sorted(b.said) == ["0", "1", "2", "3", "late", "later"]


async def test_late_ones_are_found_also_by_one_that_starts_anew_and_reads_by_the_page(
    dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sharing, "TAKEN_AT_ONCE", 3)
    a = Host("bastion-1", dsn)
    async with sharing_of(a):
        await soon(lambda: not a.team.alone)
        with psycopg.connect(dsn) as slow:
            for number in range(10):
                insert(slow, f"late-{number}")
            a.say(*map(str, range(10)))
            a.team.poke()
            async with sharing_of(b := Host("bastion-2", dsn, tmp_path / "b.sqlite")):
                await soon(lambda: len(b.said) == 10)
            slow.commit()
    again = Host("bastion-2", dsn, tmp_path / "b.sqlite")
    async with sharing_of(again):
        await soon(lambda: len(again.said) == 20)
    assert len(set(again.said)) == 20


async def test_a_transaction_that_stays_open_costs_no_reading_again(dsn: str) -> None:
    """Somebody's long migration keeps the horizon back: what is known already is not sent each second anew."""
    a, b = Host("bastion-1", dsn), Host("bastion-2", dsn)
    async with sharing_of(a, b):
        await soon(lambda: not (a.team.alone or b.team.alone))
        with psycopg.connect(dsn) as migration:
            migration.execute("SELECT txid_current()")
            a.say(*map(str, range(20)))
            a.team.poke()
            await soon(lambda: len(b.said) == 20)
            mark = sharing.ledger.mark_of(b.journal)
            async with b.team._link.session(2.0, writes=False) as session:
                page = await b.team._pull(session, mark)
            assert [row["seq"] for row in page] == [None]
        b.team.poke()
        await soon(lambda: not b.team._seen)


# --- any order of things -------------------------------------------------------------------------------------------------

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


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_whatever_happens_in_whatever_order_all_agree_in_the_end(
    postgres: Server, tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]]
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
    said: dict[str, list[str]] = {f"host-{n}": [] for n in range(3)} | {"slow": []}
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


def test_two_processes_that_are_killed_and_started_again(dsn: str, tmp_path: Path) -> None:
    """As the program is: each shares from a process of its own, and dies at any moment."""
    script = (
        "import asyncio, sys; from pathlib import Path; from tests.engine.test_team import Host\n"
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
            eventually(
                lambda journal=journal: sorted(each.data["fingerprints"][0] for each in journal.after(0)) == wanted,  # type: ignore[misc]
                30,
            )
    finally:
        for process in running.values():
            process.kill()
            process.wait()


# --- rights, poolers, claims ---------------------------------------------------------------------------------------------


async def test_without_the_right_to_make_its_tables_it_says_which_grant_gives_it(dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as admin:
        admin.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    a = Host("bastion-1", dsn.replace("postgres@", "app@"))
    says = await a.team.look()
    assert "app may not make it" in says
    grant = 'GRANT CREATE ON SCHEMA "public" TO "app";'
    assert grant in says
    with psycopg.connect(dsn, autocommit=True) as admin:
        admin.execute(grant)  # type: ignore[arg-type]
    assert await a.team.look() == ""


async def test_tables_that_somebody_else_made_need_the_grants_that_it_names(dsn: str) -> None:
    owner, a = Host("bastion-1", dsn), Host("bastion-2", dsn.replace("postgres@", "app@"))
    owner.say("1")
    assert await owner.team.look() == ""
    says = await a.team.look()
    grants = says[says.index("GRANT") : says.rindex(";") + 1]
    with psycopg.connect(dsn, autocommit=True) as admin:
        admin.execute(grants.encode())
    a.say("2")
    assert await a.team.look() == ""
    assert await a.team.claim("theirs.mend", ["a"], "d1", 10.0) is None
    assert a.said_by("bastion-1") == ["1"]


async def test_a_target_is_held_by_one_deed_until_its_outcome_or_its_time(dsn: str) -> None:
    a, b = Host("bastion-1", dsn, user="anna"), Host("bastion-2", dsn, user="ben")
    assert await a.team.claim("theirs.mend", ["x", "y"], "d1", 30.0) is None
    assert await a.team.claim("theirs.mend", ["x", "y"], "d1", 30.0) is None, "the same deed again: a cut answer costs nothing"
    found = await b.team.claim("theirs.mend", ["w", "y"], "d2", 30.0)
    assert found is not None
    assert (found.who, found.origin, 0 <= found.seconds < 5) == ("anna", "bastion-1", True)
    assert await a.team.claim("theirs.mend", ["w"], "d3", 30.0) is None, "who was refused holds nothing"
    assert await b.team.claim("theirs.end", ["y"], "d4", 30.0) is None, "another action is another matter"
    await a.team.release("theirs.mend", ["x", "y"], "d1")
    assert await b.team.claim("theirs.mend", ["y"], "d2", 0.2) is None
    await asyncio.sleep(0)
    taken = [await a.team.claim("theirs.mend", ["y"], "d5", 30.0)]
    while taken[-1] is not None:
        taken.append(await a.team.claim("theirs.mend", ["y"], "d5", 30.0))
    assert taken[0] is not None and taken[0].who == "ben", "one whose process is gone holds it until its time is over"


async def test_claims_that_are_long_over_are_forgotten(dsn: str) -> None:
    a = Host("bastion-1", dsn)
    assert await a.team.claim("notify/slack", ["x"], "d1", 30.0) is None
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("UPDATE watchfloor_claim SET until = clock_timestamp() - interval '2 days'")
        assert await Host("bastion-2", dsn).team.claim("notify/slack", ["y"], "d2", 30.0) is None
        assert connection.execute("SELECT deed FROM watchfloor_claim").fetchall() == [("d2",)]


async def test_while_it_is_out_of_reach_a_claim_is_told_so_at_once(dsn: str, through: tuple[Proxy, str]) -> None:
    """People are told of an alert, team or not: nobody waits for one try more."""
    proxy, way = through
    a = Host("bastion-1", way)
    async with sharing_of(a):
        await soon(lambda: not a.team.alone)
        proxy.shut()
        await soon(lambda: a.team.alone)
        taken = proxy.taken
        with pytest.raises(ProbeError):
            await a.team.claim("notify/slack", ["x"], "d1", 30.0)
        assert proxy.taken == taken


async def test_of_many_who_take_one_target_at_once_one_gets_it(dsn: str) -> None:
    hosts = [Host(f"bastion-{n}", dsn) for n in range(8)]
    for host in hosts:
        assert await host.team.look() == ""
    keys = ["a", "b", "c"]
    asked = [(host.team, keys[n % 3 :] + keys[: n % 3], f"d{n}") for n, host in enumerate(hosts)]
    found = await asyncio.gather(*(team.claim("theirs.mend", order, deed, 30.0) for team, order, deed in asked))
    assert sum(each is None for each in found) == 1


async def test_behind_a_pooler_it_shares_and_leaves_no_ear_on_anothers_connection(postgres: Server, dsn: str) -> None:
    with start_pooler(postgres) as pooler:
        way = f"postgresql://postgres@{pooler}{urlsplit(dsn).path}"
        a, b = Host("bastion-1", way), Host("bastion-2", way)
        async with sharing_of(a, b):
            a.say("1")
            await soon(lambda: b.said == ["1"])
            with psycopg.connect(way, autocommit=True) as through:
                assert through.execute("SELECT count(*) FROM pg_listening_channels()").fetchone() == (0,)
            assert await b.team.claim("theirs.mend", ["x"], "d1", 30.0) is None


async def test_what_is_asked_of_it_costs_next_to_nothing(dsn: str) -> None:
    """At fifty thousand entries a round reads by its indexes alone."""
    a = Host("bastion-1", dsn)
    assert await a.team.look() == ""
    with psycopg.connect(dsn, autocommit=True) as admin:
        admin.execute(
            "INSERT INTO watchfloor_entry (uid, origin, dashboard, environment, at, kind, version, who, data)"
            " SELECT 'u' || n, 'x', 'shop', 'demo', n, 'note', 1, 'carl', '{}' FROM generate_series(1, 50000) AS n"
        )
        admin.execute("ANALYZE watchfloor_entry")
        (newest,) = admin.execute("SELECT max(seq) FROM watchfloor_entry").fetchone() or (0,)
        (horizon,) = admin.execute("SELECT txid_snapshot_xmin(txid_current_snapshot())").fetchone() or (0,)
        asked = {"dashboard": "shop", "environment": "demo", "seq": newest, "horizon": horizon, "seen": [], "most": 500}
        plan = "\n".join(line for (line,) in admin.execute("EXPLAIN (ANALYZE) " + statement("pull"), asked).fetchall())  # type: ignore[operator]
    assert "Seq Scan" not in plan
    assert float(plan.rpartition("Execution Time: ")[2].split()[0]) < 20.0, plan
