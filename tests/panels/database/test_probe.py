"""What the probes find on a real server: full, blocked, hidden, refused."""

from __future__ import annotations

import asyncio
import re
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, cast

import pytest
from msgspec import structs
from msgspec.structs import replace

from panels.database import CARD, probe
from panels.database.activity import Seen, parents, read_sessions, waiting_for
from panels.database.config import DatabaseConfig
from panels.database.locks import lock_changes
from panels.database.probe import _connections, ask
from panels.database.sizes import ask_sizes
from panels.database.statements import MISSING, Counted, ask_statements
from tests.servers.postgres import start_postgres
from tests.waiting import looked
from tui.engine.connections import Tools
from tui.engine.panel import Ask
from tui.engine.postgres import Session
from tui.engine.reading import Change, Found, Row, Status

from .conftest import Shop


def values(found: Found) -> dict[str, float | None]:
    return {each.key: each.value for each in found.signals}


def numbers(row: Row) -> tuple[Any, ...]:
    found = row.cells["numbers"]
    assert isinstance(found, tuple)
    return found


async def test_a_lock_chain_is_a_tree_with_its_holder_on_top(shop: Shop) -> None:
    holder, first, second = (each.info.backend_pid for each in await shop.chain())
    rows = await shop.sessions()
    assert rows[first].parent == rows[holder].key
    assert rows[second].parent == rows[first].key
    assert next(iter(rows)) == holder
    assert rows[holder].cells["state"] == "idle tx"
    assert (rows[holder].cells["blocks"], rows[first].cells["blocks"]) == (2, 1)
    assert rows[first].cells["waits"] == str(holder)
    assert re.fullmatch(rf"{holder}@\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{{6}}Z", rows[holder].key)


async def test_literals_are_folded_in_the_line_and_whole_in_the_opened_row(shop: Shop) -> None:
    _, first, _ = await shop.chain()
    row = (await shop.sessions())[first.info.backend_pid]
    assert row.cells["query"] == "UPDATE orders SET note = ? WHERE id = ?"
    assert row.long["statement"] == ("UPDATE orders SET note = 'secret word' WHERE id = 1",)


async def test_short_waits_do_not_count_and_longer_ones_do(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    await shop.alone()
    await shop.chain()
    found = values(await shop.ask(ask))
    assert found["longest_wait"] is not None
    assert found["idle_in_transaction"] == 1
    monkeypatch.setattr(probe, "WAITS", 0.0)
    monkeypatch.setattr(probe, "SLOW", 0.0)
    found = values(await shop.ask(ask))
    assert (found["blocked"], found["slow_queries"], found["active"]) == (2, 2, 2)


async def test_connections_count_ours_too_but_not_against_the_pool(shop: Shop) -> None:
    await shop.alone()
    await shop.client(application="api")
    await shop.client(application="api")
    found = values(await shop.ask(ask, shop.config(pool_size=10)))
    used, pool = found["connections_used"], found["pool"]
    assert used is not None
    assert pool is not None
    assert found["connections"] == used / 60
    assert pool == pytest.approx((used - 1) / 10), "one session is ours"
    assert found['application_connections{application="api"}'] == 2


async def test_rates_need_two_polls(shop: Shop) -> None:
    first = values(await shop.ask(ask))
    assert (first["transactions"], first["cache_hit"]) == (None, None)
    client = await shop.client()
    for _ in range(5):
        await client.execute("SELECT count(*) FROM orders")
    rate = values(await shop.ask(ask))["transactions"]
    assert rate is not None
    assert rate > 0


async def test_a_role_without_rights_says_so_and_counts_only_what_it_knows(shop: Shop) -> None:
    await shop.client()
    config = shop.config(dsn=shop.server.dsn("nobody", shop.name))
    found = await shop.ask(ask, config)
    assert "nobody sees only its own sessions: GRANT pg_monitor TO nobody;" in found.notes
    assert values(found)["connections_used"] is not None
    assert values(found)["active"] is None
    row = next(row for row in found.rows if row.group == "session")
    assert row.cells["state"] == "hidden"
    assert row.cells["no terminate"] == "we do not see what it does: GRANT pg_monitor TO nobody;"


async def test_keys_are_greyed_with_the_grant_that_is_missing(shop: Shop) -> None:
    client = await shop.client()
    rows = await shop.sessions(shop.config(dsn_for_actions=shop.server.dsn("watch", shop.name)))
    cells = rows[client.info.backend_pid].cells
    assert cells["no terminate"] == "watch may not: GRANT pg_signal_backend TO watch;"
    shop.memories.clear()
    rows = await shop.sessions()
    cells = rows[client.info.backend_pid].cells
    assert "no terminate" not in cells
    assert cells["no cancel"] == "a cancel has no effect: it is idle"


async def test_a_database_that_refuses_is_down_and_one_that_knows_us_not_is_unknown(shop: Shop) -> None:
    refused = await shop.ask(ask, shop.config(dsn="postgresql://watch@127.0.0.1:1/shop"))
    assert (refused.status, values(refused)["up"]) == (Status.FAILING, 0.0)
    assert refused.error
    assert refused.error.refused
    unknown = await shop.ask(ask, shop.config(dsn=shop.server.dsn("stranger", shop.name)))
    assert (unknown.status, values(unknown)["up"]) == (Status.UNKNOWN, None)


async def test_statements_are_the_difference_between_two_polls(shop: Shop) -> None:
    client = await shop.client()
    await client.execute("SELECT count(*) FROM orders WHERE state = 'before'")
    first = await shop.ask(ask_statements)
    assert values(first)["statement_rate"] is None
    assert all(row.cells["over"] == "since the last reset" for row in first.rows)
    for _ in range(30):
        await client.execute("SELECT count(*) FROM orders WHERE note = 'after'")
    second = await shop.ask(ask_statements)
    rows = {str(row.cells["query"]): row for row in second.rows}
    assert "SELECT count(*) FROM orders WHERE state = $1" not in rows
    after = rows["SELECT count(*) FROM orders WHERE note = $1"]
    assert after.key.startswith("statement:")
    share, mean, rate, per_call, over = numbers(after)
    assert over > 0
    assert 0 < share <= 1
    assert (rate > 0, mean > 0, per_call) == (True, True, 1.0)
    assert values(second)["query_p95"] is not None
    assert not any("pg_stat_statements" in text for text in rows), "our own statements are left out"


async def test_statements_in_total_when_the_config_wants_it(shop: Shop) -> None:
    client = await shop.client()
    config = shop.config(statements="total")
    for _ in range(2):
        await client.execute("SELECT count(*) FROM orders WHERE state = 'x'")
        found = await shop.ask(ask_statements, config)
    rows = {str(row.cells["query"]): numbers(row) for row in found.rows}
    assert rows["SELECT count(*) FROM orders WHERE state = $1"][2::2] == (2, None)


def test_counters_that_began_anew_count_from_zero() -> None:
    assert Counted(5, 1.0, 5).since(Counted(9, 3.0, 9)) == Counted(5, 1.0, 5)
    assert Counted(9, 3.0, 9).since(Counted(5, 1.0, 5)) == Counted(4, 2.0, 4)


async def test_without_the_extension_statements_are_sampled(unhurried: None) -> None:
    with start_postgres(max_connections=12, preload=False) as server:
        name = server.new_database("plain").rpartition("/")[2]
        async with AsyncExitStack() as stack:
            shop = Shop(server, name, Tools("test"), stack)
            stack.push_async_callback(shop.tools.close)
            assert (await shop.ask(ask_statements)).notes == (MISSING,)
            client = await shop.client()
            running = shop.start(client, b"SELECT pg_sleep(20), 'private'")
            await shop.runs(client.info.backend_pid)
            found = await shop.ask(ask)
            found = await shop.ask(ask)
            sampled = [row for row in found.rows if row.group == "sampled"]
            assert [(row.cells["query"], row.cells["seen"], row.cells["share"]) for row in sampled] == [
                ("SELECT pg_sleep(?), ?", "2 ×", "100 %")
            ]
            server.stop()  # and a restart is a change that may be a cause
            await asyncio.gather(running, return_exceptions=True)
            server.start()

            async def again() -> bool:
                nonlocal found
                found = await shop.ask(ask)
                return found.error is None

            await looked(again)
            assert [(change.kind, change.title) for change in found.changes] == [("restart", "database: PostgreSQL restarted")]


async def test_sizes_and_the_share_of_a_quota(shop: Shop) -> None:
    found = await shop.ask(ask_sizes, shop.config(quota="100 MB"))
    size = values(found)["size"]
    assert size is not None
    assert size > 1_000_000
    assert values(found)["size_used"] == size / 100_000_000
    assert values(found)["growth"] is None
    assert [(row.key, row.cells["rows ≈"]) for row in found.rows] == [("table:public.orders", "5,000")]


async def test_sizes_do_not_wait_for_a_locked_table(shop: Shop) -> None:
    holder = await shop.client(autocommit=False)
    await holder.execute("LOCK TABLE orders IN ACCESS EXCLUSIVE MODE")
    assert (await shop.ask(ask_sizes)).error is None


async def test_a_look_costs_the_server_little(shop: Shop) -> None:
    """The least of as many as it takes: what a busy machine adds is not the look's."""
    for each in (ask, ask_statements, ask_sizes):

        async def little(each: Ask = each) -> bool:
            return 0 < (await shop.ask(each)).spent < 0.1

        await looked(little, says=each.__name__)


# --- who blocks whom, without a server ------------------------------------------------------------------------------


CONFIG = DatabaseConfig.model_validate({"dsn": "host=localhost dbname=x"})


def seen(pid: int, *blockers: int) -> Seen:
    ages = {"xact_age": 1.0, "query_age": 1.0, "state_age": 1.0}
    texts = dict.fromkeys(("user", "application", "database", "client", "state", "wait_type", "wait_event", "query"), "")
    flags = dict.fromkeys(("cut", "superuser", "replication", "hidden", "me"), False)
    given: dict[str, Any] = {**ages, **texts, **flags, "kind": "client backend", "began": "x", "blockers": blockers}
    return Seen(pid=pid, xact_start=None, query_start=None, **given)


def test_an_application_with_an_open_alert_is_told_among_very_many() -> None:
    sessions = [replace(seen(number), application=f"app-{number // 2:02}") for number in range(60)]
    sessions.append(replace(seen(61), application="one"))
    told = {dict(each.labels).get("application") for each in _connections(sessions, {"max_connections": 100}, CONFIG, ())}
    assert len(told) == 13 and "one" not in told
    told = {dict(each.labels).get("application") for each in _connections(sessions, {"max_connections": 100}, CONFIG, {"one"})}
    assert len(told) == 14 and "one" in told


def test_a_queue_stands_side_by_side_under_its_holder() -> None:
    sessions = [seen(1), seen(2, 1), seen(3, 2, 1)]
    assert parents(sessions) == {2: 1, 3: 1}
    assert [each.pid for each in waiting_for(1, sessions)] == [2, 3]


async def test_who_waits_never_looks_older_than_its_holder_however_late_the_second_question() -> None:
    class Slow:
        """A server whose second answer took three seconds."""

        async def rows(self, sql: str, values: object = None) -> list[dict[str, object]]:
            if values is not None:
                return [{"pid": 2, "blockers": [1], "waited": 4.0}]
            blocked = replace(seen(2), wait_type="Lock", query_age=0.9)
            return [structs.asdict(each) for each in (seen(1), blocked)]

    _, blocked = await read_sessions(cast(Session, Slow()))
    assert (blocked.blockers, blocked.waited) == ((1,), 0.9)


async def test_a_long_wait_for_a_lock_is_a_change_told_once(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("panels.database.locks.LONG", 0.2)
    assert (await shop.ask(ask)).changes == ()
    began = shop.tools.clock.utc()
    holder, *_ = await shop.chain()

    async def waited() -> bool:
        return bool((await shop.ask(ask)).changes)

    await looked(waited)
    (change,) = (await shop.ask(ask)).changes
    assert (change.kind, change.about) == ("lock", ("database",))
    assert change.title == f"session {holder.info.backend_pid} (backfill) blocks others in database"
    assert began - 1 <= change.at <= shop.tools.clock.utc()
    assert (await shop.ask(ask)).changes == (change,), "the same one for as long as it lasts"
    await holder.rollback()

    async def over() -> bool:
        return not (await shop.ask(ask)).changes

    await looked(over)


def test_the_longest_waits_are_told_of() -> None:
    sessions = [each for pid in range(1, 9) for each in (seen(pid), replace(seen(100 + pid, pid), waited=10.0 * pid))]
    told: dict[str, Change] = {}
    found = lock_changes("db", [replace(each, began=str(each.pid)) for each in sessions], 1000.0, told)
    assert [each.at for each in found] == [920.0, 930.0, 940.0, 950.0, 960.0]
    assert lock_changes("db", [], 1001.0, told) == ()


def test_a_deadlock_in_its_first_second_is_cut_open() -> None:
    found = parents([seen(1, 2), seen(2, 1)])
    assert found in ({1: 2}, {2: 1})


def test_a_prepared_transaction_blocks_without_being_there() -> None:
    assert parents([seen(1, 0)]) == {}


# --- the card --------------------------------------------------------------------------------------------------------


def test_every_rule_looks_at_a_signal_of_the_card() -> None:
    assert {rule.signal for rule in CARD.rules} <= {each.name for each in CARD.signals}


async def test_every_signal_is_on_the_card(shop: Shop) -> None:
    known = {each.name: each.unit for each in CARD.signals}
    for each in (ask, ask_statements, ask_sizes):
        for found in (await shop.ask(each, shop.config(pool_size=9, quota="1 GB"))).signals:
            assert known[found.name] == found.unit


@pytest.mark.parametrize("file", sorted(Path(probe.__file__).parent.glob("*.sql")), ids=lambda file: file.name)
def test_every_statement_says_what_it_costs_and_needs(file: Path) -> None:
    text = file.read_text()
    assert re.search(r"^-- Cost: ", text, re.M)
    assert re.search(r"^-- Privilege: ", text, re.M)
