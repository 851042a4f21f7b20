"""The connection to a PostgreSQL: what it costs, what it leaves behind, and what it says when there is no answer."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator
from contextlib import suppress

import psycopg
import pytest

from tests.servers.children import port_of_its_own
from tests.servers.postgres import Server, start_postgres
from tests.waiting import GRACE, LONG, Stopwatch, looked, soon
from tui.engine import postgres as module
from tui.engine.clock import SystemClock
from tui.engine.postgres import Database, DatabaseError
from tui.engine.reading import Status
from tui.engine.secrets import SecretText


def database(dsn: str, *, acts: bool = False) -> Database:
    return Database(SecretText(dsn, is_url="://" in dsn), acts=acts, clock=SystemClock())


async def refusal(there: Database, deadline: float = LONG) -> DatabaseError:
    """How a look fails."""
    with pytest.raises(DatabaseError) as caught:
        async with there.look(deadline) as session:
            await session.rows("SELECT 1")
    return caught.value


async def until_it_answers(there: Database) -> None:
    """Looks until one succeeds."""

    async def answers() -> bool:
        with suppress(DatabaseError):
            async with there.look(5.0) as session:
                return await session.rows("SELECT 1 AS one") == [{"one": 1}]
        return False

    await looked(answers, says="it never answered again")


def ours(server: Server) -> int:
    """How many sessions of ours the server has."""
    with psycopg.connect(server.superuser) as connection:
        row = connection.execute("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'watchfloor'").fetchone()
        assert row
        return int(row[0])


def asks(server: Server, what: str) -> bool:
    """Whether the server is at a question of ours."""
    with psycopg.connect(server.superuser) as connection:
        at = "SELECT query FROM pg_stat_activity WHERE application_name = 'watchfloor' AND state = 'active'"
        return any(what in query for (query,) in connection.execute(at))


@pytest.fixture(scope="module")
def own() -> Iterator[Server]:
    """A server that these tests may freeze, fill and restart."""
    with start_postgres(max_connections=10, preload=False) as server:
        yield server


async def test_a_look_reads_within_limits_and_leaves_nothing_open(postgres: Server) -> None:
    there = database(postgres.dsn("watch"))
    began = time.perf_counter()
    async with there.look(LONG, statement_timeout=25.5) as session:
        limits = await session.one(
            "SELECT current_setting('statement_timeout') AS statement, current_setting('lock_timeout') AS lock,"
            " current_setting('transaction_read_only') AS read_only, current_setting('application_name') AS name,"
            " pg_backend_pid() AS pid"
        )
        assert session.server_version >= 130000
        assert 0 < session.spent <= time.perf_counter() - began
    pid = limits.pop("pid")
    assert limits == {"statement": "25500ms", "lock": "500ms", "read_only": "on", "name": "watchfloor"}
    with psycopg.connect(postgres.superuser) as connection:
        states = connection.execute("SELECT state FROM pg_stat_activity WHERE pid = %s", [pid]).fetchall()
    assert states == [("idle",)]
    await there.close()


async def test_every_look_uses_the_same_connection_also_side_by_side(postgres: Server) -> None:
    there = database(postgres.dsn("watch"))

    async def pid() -> int:
        async with there.look(LONG) as session:
            return int((await session.one("SELECT pg_backend_pid() AS pid"))["pid"])

    assert len(set(await asyncio.gather(*(pid() for _ in range(8))))) == 1
    await there.close()


async def test_a_look_cannot_write(postgres: Server) -> None:
    there = database(postgres.dsn("postgres"))
    with pytest.raises(DatabaseError) as caught:
        async with there.look(LONG) as session:
            await session.rows("CREATE TABLE never (x int)")
    assert caught.value.sqlstate == "25006"
    async with there.look(LONG) as session:  # and the connection is well again
        assert await session.rows("SELECT %(x)s::int AS x", {"x": 7}) == [{"x": 7}]
    await there.close()


async def test_statement_and_lock_limits_are_said_in_words(postgres: Server) -> None:
    there = database(postgres.new_database("limits"))
    with pytest.raises(DatabaseError) as slow:
        async with there.look(LONG, statement_timeout=0.2) as session:
            await session.rows("SELECT pg_sleep(3)")
    assert str(slow.value) == "query: a statement took longer than its limit of 0.2s and was ended"
    async with await psycopg.AsyncConnection.connect(postgres.dsn("postgres", "limits")) as blocker:
        await blocker.execute("CREATE TABLE held (x int)")
        await blocker.commit()
        await blocker.execute("LOCK TABLE held")
        with pytest.raises(DatabaseError) as locked:
            async with there.look(LONG) as session:
                await session.rows("SELECT * FROM held")
    assert str(locked.value) == "query: what our statement reads is locked"
    assert locked.value.status is Status.UNKNOWN
    await there.close()


async def test_a_missing_privilege_is_told_apart(postgres: Server) -> None:
    with psycopg.connect(postgres.new_database("private"), autocommit=True) as connection:
        connection.execute("CREATE TABLE secret (x int)")
    there = database(postgres.dsn("nobody", "private"))
    with pytest.raises(DatabaseError) as caught:
        async with there.look(LONG) as session:
            await session.rows("SELECT * FROM secret")
    assert (caught.value.failure.phase, caught.value.sqlstate) == ("rights", "42501")
    assert not caught.value.failure.refused
    await there.close()


@pytest.mark.parametrize(
    ("dsn", "phase", "says", "status"),
    [
        ("postgresql://watch@127.0.0.1:{free}/x", "connect", "it refuses connections: nothing listens at 127.0.0.1:{free}", 3),
        ("postgresql://stranger@127.0.0.1:{port}/postgres", "rights", "it knows no role stranger", 2),
        ("postgresql://watch@127.0.0.1:{port}/nowhere", "config", "it has no such database", 2),
    ],
)
async def test_refusals_have_words_of_their_own(postgres: Server, dsn: str, phase: str, says: str, status: int) -> None:
    free = port_of_its_own()
    error = await refusal(database(dsn.format(free=free, port=postgres.port)))
    assert (error.failure.phase, error.failure.says, error.status) == (phase, says.format(free=free), status)
    assert error.failure.refused


async def test_a_name_without_address_is_the_networks_fault_and_a_dsn_is_never_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    def knows_none(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", knows_none)  # whatever this machine's resolver makes of it, and in how long
    error = await refusal(database("postgresql://watch@no-such-host.invalid/x"))
    assert (error.failure.phase, error.status, error.failure.refused) == ("DNS", Status.UNKNOWN, False)
    error = await refusal(database("postgresql://watch:hun ter2@host/x"))
    assert error.failure.says == "the DSN cannot be read as a connection string"
    assert "hun" not in error.failure.says + error.failure.hint


async def test_a_wrong_password_is_read_anew_at_the_next_try(own: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    with psycopg.connect(own.superuser, autocommit=True) as connection:
        connection.execute("CREATE ROLE locked LOGIN PASSWORD 'right'")
    hba = own.folder / "data" / "pg_hba.conf"
    hba.write_text("host all locked 127.0.0.1/32 scram-sha-256\n" + hba.read_text())
    with psycopg.connect(own.superuser, autocommit=True) as connection:
        connection.execute("SELECT pg_reload_conf()")
    there = database(f"postgresql://locked:{{env:WF_TEST_PASSWORD}}@127.0.0.1:{own.port}/postgres")
    monkeypatch.setenv("WF_TEST_PASSWORD", "wrong")
    await _until_hba_is_read(there)
    error = await refusal(there)
    assert (error.failure.says, error.status) == ("it refuses the login of locked", Status.UNKNOWN)
    assert "wrong" not in str(error)
    monkeypatch.setenv("WF_TEST_PASSWORD", "right")
    async with there.look(LONG) as session:
        assert (await session.one("SELECT current_user AS who"))["who"] == "locked"
    await there.close()


async def _until_hba_is_read(there: Database) -> None:
    """The postmaster reads its files a moment after it is told to; until then it trusts everybody."""

    async def refuses() -> bool:
        try:
            async with there.look(LONG):
                return False
        except DatabaseError:
            return True
        finally:
            await there.close()

    await looked(refuses, says="the server never read its pg_hba.conf")


async def test_a_full_server_says_so(own: Server) -> None:
    there = database(own.dsn("watch"))
    taken: list[psycopg.AsyncConnection[tuple[object, ...]]] = []

    async def takes_all() -> bool:
        with suppress(psycopg.OperationalError):  # of a test before this one a session may still be ending
            taken.append(await psycopg.AsyncConnection.connect(own.dsn("app")))
        return len(taken) == 10 - 3  # three are kept for superusers

    await looked(takes_all)
    error = await refusal(there)
    for connection in taken:
        await connection.close()
    assert (error.failure.says, error.status) == ("it is full: every connection is taken", Status.FAILING)
    assert error.failure.refused
    await until_it_answers(there)
    await there.close()


async def test_a_restart_between_two_looks_is_no_failure(own: Server) -> None:
    there = database(own.dsn("watch"))
    await until_it_answers(there)
    own.restart()
    async with there.look(LONG) as session:
        assert await session.rows("SELECT 1 AS one") == [{"one": 1}]
    await there.close()


async def test_a_stop_in_the_middle_of_a_question_is_said(own: Server) -> None:
    there = database(own.dsn("watch"))
    with pytest.raises(DatabaseError) as caught:
        async with there.look(LONG, statement_timeout=LONG) as session:
            question = asyncio.ensure_future(session.rows("SELECT pg_sleep(25)"))
            await soon(lambda: asks(own, "pg_sleep(25)"))
            await asyncio.to_thread(own.stop)
            await question
    assert "it ended our session" in caught.value.failure.says
    assert (caught.value.status, caught.value.lost) == (Status.FAILING, True)
    assert "nothing listens" in (await refusal(there)).failure.says
    own.start()
    await until_it_answers(there)
    await there.close()


async def test_a_frozen_server_holds_up_nothing_and_collects_nothing(own: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GIVEN_UP_AFTER", 0.5)
    there = database(own.dsn("watch"))
    await until_it_answers(there)
    own.pause()
    try:
        for _ in range(8):
            watch = Stopwatch()
            error = await refusal(there, deadline=0.3)
            assert watch.took < 0.3 + GRACE
            assert error.failure.phase == "deadline"
            assert error.status is Status.FAILING
        assert "takes our connection but says nothing" in error.failure.says
    finally:
        own.resume()
    await until_it_answers(there)
    assert ours(own) <= 2
    await there.close()
    await soon(lambda: not ours(own))


async def test_looks_that_wait_behind_a_hanging_one_end_in_time(own: Server) -> None:
    there = database(own.dsn("watch"))
    await until_it_answers(there)
    own.pause()
    try:
        watch = Stopwatch()
        errors = await asyncio.gather(refusal(there, 2.0), refusal(there, 1.8), refusal(there, 1.9))
        assert watch.took < 2.0 + GRACE, "one after the other they would take longer"
    finally:
        own.resume()
    assert {error.failure.phase for error in errors} == {"deadline"}
    await there.close()


async def test_a_look_that_is_cancelled_leaves_the_connection_to_the_next(postgres: Server) -> None:
    there = database(postgres.dsn("watch"))
    started = asyncio.Event()

    async def look() -> None:
        async with there.look(LONG) as session:
            started.set()
            await session.rows("SELECT pg_sleep(8)")

    looking = asyncio.ensure_future(look())
    await started.wait()
    watch = Stopwatch()
    looking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await looking
    assert watch.took < GRACE
    await until_it_answers(there)
    await there.close()


async def test_an_act_has_a_connection_of_its_own_and_keeps_none(own: Server) -> None:
    await soon(lambda: not ours(own))  # those of the tests before have ended
    there = database(own.dsn("ops"), acts=True)
    async with there.act(LONG) as session:
        assert ours(own) == 1
        assert (await session.one("SELECT pg_terminate_backend(1) AS done"))["done"] is False
        assert session.notices == ["PID 1 is not a PostgreSQL backend process"]
    await soon(lambda: not ours(own))


async def test_an_act_on_a_frozen_server_ends_in_time_and_says_that_it_may_have_happened(own: Server) -> None:
    there = database(own.dsn("ops"), acts=True)
    deadline = 4.0  # time enough to connect first, also where all stand still meanwhile
    try:
        with pytest.raises(DatabaseError) as caught:
            async with there.act(deadline) as session:
                own.pause()
                watch = Stopwatch()
                await session.rows("SELECT 1")
    finally:
        own.resume()
    assert watch.took < deadline + GRACE
    assert caught.value.lost
    await there.close()


async def test_a_service_and_several_hosts_are_understood(
    postgres: Server, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path_factory.mktemp("service") / "services"
    file.write_text(f"[main]\nhost=localhost,127.0.0.1\nport=1,{postgres.port}\nuser=watch\ndbname=postgres\n")
    monkeypatch.setenv("PGSERVICEFILE", str(file))
    there = database("service=main")
    assert await there.login() == "watch"
    await until_it_answers(there)
    await there.close()
    error = await refusal(database("service=other"))
    assert error.failure.says.startswith('there is no service "other"')
