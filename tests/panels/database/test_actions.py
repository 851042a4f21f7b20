"""Cancel and terminate on a real server: done, no longer as planned, refused, no privilege, full; and proved afresh."""

from __future__ import annotations

from contextlib import AsyncExitStack, suppress

import psycopg
import pytest
from msgspec.structs import replace

from panels.database.actions import ACTIONS
from panels.database.probe import ask
from tests.servers.postgres import start_postgres
from tests.waiting import looked
from tui.engine.actions import Action, Context, Effect, Outcome, Plan, PlanRefused, Proof, Result
from tui.engine.connections import Tools
from tui.engine.reading import ProbeError

from .conftest import Client, Shop

CANCEL, TERMINATE = ACTIONS


def pid(client: Client) -> str:
    return str(client.info.backend_pid)


async def carry_out(action: Action, plan: Plan, context: Context) -> list[Outcome]:
    assert action.execute
    return [await action.execute(item, plan, context, "deed") for item in plan.items]


async def proved(action: Action, plan: Plan, context: Context) -> Proof:
    """The proof, once it can be told."""
    verify = action.verify
    assert verify
    found = Proof(None)

    async def told() -> bool:
        nonlocal found
        with suppress(ProbeError):  # it is looked again, as the engine does
            found = await verify(plan.items[0], plan, context)
        return found.verified is not None

    await looked(told)
    return found


async def sleeper(shop: Shop, user: str = "app", statement: bytes = b"SELECT pg_sleep(60)") -> Client:
    """A client that runs something long."""
    client = await shop.client(user)
    shop.start(client, statement)
    await shop.runs(client.info.backend_pid)
    return client


def facts(plan: Plan) -> dict[str, str]:
    return dict((*plan.items[0].facts, *plan.facts))


async def test_cancel_stops_the_statement_and_leaves_the_session(shop: Shop) -> None:
    client = await sleeper(shop)
    plan = await CANCEL.plan([pid(client)], shop.context())
    assert (plan.effect, plan.confirm) == (Effect.CHANGES, pid(client))
    assert plan.what == f"cancels what session {pid(client)} runs"
    assert facts(plan)["runs"] == "SELECT pg_sleep(?)"
    assert any("pg_cancel_backend" in line for line in plan.request)
    [outcome] = await carry_out(CANCEL, plan, shop.context())
    assert outcome.result is Result.DONE
    assert (await proved(CANCEL, plan, shop.context())).verified
    with pytest.raises(psycopg.errors.QueryCanceled):
        await shop.running[0]
    assert await (await client.execute("SELECT 1")).fetchone() == (1,)


async def test_terminate_frees_those_who_wait(shop: Shop) -> None:
    holder, first, _ = await shop.chain()
    key = (await shop.sessions())[holder.info.backend_pid].key
    plan = await TERMINATE.plan([key], shop.context())
    assert (plan.effect, plan.confirm, plan.what) == (Effect.DESTROYS, pid(holder), f"ends session {pid(holder)}")
    said = facts(plan)
    assert said["who"].startswith("app, app backfill, idle in transaction for ")
    assert said["last ran"] == "UPDATE orders SET state = ? WHERE id = ?"
    assert said["blocks"].startswith("2 sessions; the oldest has waited ")
    assert said["undone"].endswith("is rolled back")
    assert said["acts if"].endswith("still idle in the same transaction")
    [outcome] = await carry_out(TERMINATE, plan, shop.context())
    assert outcome.result is Result.DONE
    assert (await proved(TERMINATE, plan, shop.context())).verified
    await shop.running[0]
    row = await (await first.execute("SELECT state, note FROM orders WHERE id = 1")).fetchone()
    assert row == ("new", "secret word")


async def test_another_statement_by_one_microsecond_is_not_cancelled(shop: Shop) -> None:
    client = await sleeper(shop)
    plan = await CANCEL.plan([pid(client)], shop.context())
    item = plan.items[0]
    moment = str(item.guard["query_start"])
    other = f"{moment[:-7]}{(int(moment[-7:-1]) + 1) % 1_000_000:06d}Z"
    stale = replace(plan, items=(replace(item, guard={**item.guard, "query_start": other}),))
    [outcome] = await carry_out(CANCEL, stale, shop.context())
    assert outcome == Outcome(Result.CHANGED, outcome.says)
    assert outcome.says == "it no longer runs that statement; nothing was sent"
    assert not shop.running[0].done()


async def test_a_cancelled_statement_is_not_cancelled_twice(shop: Shop) -> None:
    client = await sleeper(shop)
    plan = await CANCEL.plan([pid(client)], shop.context())
    await carry_out(CANCEL, plan, shop.context())
    await proved(CANCEL, plan, shop.context())  # now it is idle, with the same query_start and text
    [outcome] = await carry_out(CANCEL, plan, shop.context())
    assert outcome.result is Result.CHANGED


async def test_a_session_that_went_on_is_not_terminated(shop: Shop) -> None:
    client = await shop.client(autocommit=False)
    await client.execute("SELECT 1")
    plan = await TERMINATE.plan([pid(client)], shop.context())
    await client.commit()
    await client.execute("SELECT 2")  # idle in transaction again, but in another one
    [outcome] = await carry_out(TERMINATE, plan, shop.context())
    assert outcome.result is Result.CHANGED
    assert not client.closed
    await client.commit()
    plan = await TERMINATE.plan([pid(client)], shop.context())
    assert facts(plan)["undone"] == "nothing: it has no open transaction"
    await client.execute("SELECT 3")
    await client.commit()
    [outcome] = await carry_out(TERMINATE, plan, shop.context())  # idle as planned, but not since the same statement
    assert outcome.result is Result.CHANGED
    plan = await TERMINATE.plan([pid(client)], shop.context())
    [outcome] = await carry_out(TERMINATE, plan, shop.context())
    assert outcome.result is Result.DONE


async def test_a_session_that_is_gone_is_said_to_be(shop: Shop) -> None:
    client = await shop.client()
    plan = await TERMINATE.plan([pid(client)], shop.context())
    key = plan.items[0].key
    await client.close()

    async def gone() -> bool:
        return key not in {row.key for row in (await shop.ask(ask)).rows}

    await looked(gone)
    [outcome] = await carry_out(TERMINATE, plan, shop.context())
    assert outcome.result is Result.CHANGED
    with pytest.raises(PlanRefused, match="is gone"):
        await TERMINATE.plan([key], shop.context())


async def test_a_key_of_another_session_with_the_same_pid_is_refused(shop: Shop) -> None:
    client = await shop.client()
    with pytest.raises(PlanRefused, match="another session by now"):
        await TERMINATE.plan([f"{pid(client)}@2020-01-01T00:00:00.000000Z"], shop.context())
    with pytest.raises(PlanRefused, match="is no session"):
        await TERMINATE.plan(["table:public.orders"], shop.context())


async def test_what_is_not_ours_to_end_is_refused_before_and_in_the_statement(shop: Shop) -> None:
    root = await sleeper(shop, "postgres")
    for action in ACTIONS:
        with pytest.raises(PlanRefused, match="postgres is a superuser"):
            await action.plan([pid(root)], shop.context())
    victim = await sleeper(shop)
    plan = await CANCEL.plan([pid(victim)], shop.context())
    row = (await shop.sessions())[root.info.backend_pid]
    moment = await _query_start(shop, root)
    guard = {**plan.items[0].guard, "pid": root.info.backend_pid, "began": row.key.partition("@")[2], "query_start": moment}
    forged = replace(plan, items=(replace(plan.items[0], guard=guard),))
    [outcome] = await carry_out(
        CANCEL, forged, shop.context(shop.config(dsn_for_actions=shop.server.dsn("postgres", shop.name)))
    )
    assert outcome.result is Result.REFUSED
    assert not shop.running[0].done()


async def _query_start(shop: Shop, client: Client) -> str:
    moment = "to_char(query_start AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
    sql = f"SELECT {moment} FROM pg_stat_activity WHERE pid = {client.info.backend_pid}"
    asking = await shop.client("postgres", "psql")
    row = await (await asking.execute(sql.encode())).fetchone()
    assert row
    return str(row[0])


async def test_our_own_sessions_and_the_servers_are_refused(shop: Shop) -> None:
    ours = await shop.client("app", "watchfloor")
    with pytest.raises(PlanRefused, match="Watchfloor's own"):
        await TERMINATE.plan([pid(ours)], shop.context())
    asking = await shop.client("postgres", "psql")
    row = await (await asking.execute("SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'")).fetchone()
    assert row
    with pytest.raises(PlanRefused, match="no client but a checkpointer"):
        await TERMINATE.plan([str(row[0])], shop.context())


async def test_cancel_of_an_idle_transaction_says_what_to_do_instead(shop: Shop) -> None:
    client = await shop.client(autocommit=False)
    await client.execute("SELECT 1")
    with pytest.raises(PlanRefused, match="a cancel has no effect: it runs nothing, but holds its transaction open"):
        await CANCEL.plan([pid(client)], shop.context())
    row = (await shop.sessions())[client.info.backend_pid]
    assert CANCEL.offered(row, None) == row.cells["no cancel"]
    assert TERMINATE.offered(row, None) is None


@pytest.mark.parametrize(
    ("user", "grant"),
    [("watch", "GRANT pg_signal_backend TO watch;"), ("nobody", "GRANT pg_monitor, pg_signal_backend TO nobody;")],
)
async def test_a_missing_grant_is_named_before_anything_is_sent(shop: Shop, user: str, grant: str) -> None:
    client = await sleeper(shop)
    config = shop.config(dsn_for_actions=shop.server.dsn(user, shop.name))
    with pytest.raises(PlanRefused, match=grant):
        await CANCEL.plan([pid(client)], shop.context(config))


async def test_a_grant_that_went_away_since_is_a_refusal(shop: Shop) -> None:
    client = await sleeper(shop)
    plan = await CANCEL.plan([pid(client)], shop.context())
    for user in ("watch", "nobody"):
        config = shop.config(dsn_for_actions=shop.server.dsn(user, shop.name))
        [outcome] = await carry_out(CANCEL, plan, shop.context(config))
        assert outcome.result is Result.REFUSED
        assert "GRANT" in outcome.says
    assert not shop.running[0].done()


async def test_a_role_may_end_its_own_sessions_without_any_grant(shop: Shop) -> None:
    client = await sleeper(shop)
    config = shop.config(dsn_for_actions=shop.server.dsn("app", shop.name))
    plan = await CANCEL.plan([pid(client)], shop.context(config))
    [outcome] = await carry_out(CANCEL, plan, shop.context(config))
    assert outcome.result is Result.DONE


async def test_several_at_once_are_each_listed_and_confirmed_by_their_number(shop: Shop) -> None:
    clients = [await sleeper(shop) for _ in range(2)]
    plan = await TERMINATE.plan([pid(each) for each in clients], shop.context())
    assert (plan.title, plan.confirm, len(plan.items)) == ("terminate 2 sessions", "2 sessions", 2)
    assert [each.result for each in await carry_out(TERMINATE, plan, shop.context())] == [Result.DONE, Result.DONE]


async def test_an_unreachable_server_means_that_nothing_was_sent(shop: Shop) -> None:
    client = await sleeper(shop)
    plan = await CANCEL.plan([pid(client)], shop.context())
    config = shop.config(dsn_for_actions="postgresql://ops@127.0.0.1:1/shop")
    [outcome] = await carry_out(CANCEL, plan, shop.context(config))
    assert outcome.result is Result.FAILED
    assert outcome.says.startswith("nothing was sent: it refuses connections")


async def test_a_full_server_gets_the_place_of_the_connection_that_looks(unhurried: None) -> None:
    with start_postgres(max_connections=10, preload=False) as server:
        name = server.new_database("busy").rpartition("/")[2]
        async with AsyncExitStack() as stack:
            shop = Shop(server, name, Tools("test"), stack)
            stack.push_async_callback(shop.tools.close)
            await shop.ask(ask)
            clients: list[Client] = []
            with suppress(psycopg.OperationalError):
                while len(clients) < 12:
                    clients.append(await shop.client())
            plan = await TERMINATE.plan([pid(clients[0])], shop.context())
            [outcome] = await carry_out(TERMINATE, plan, shop.context())
            assert outcome.result is Result.DONE
            assert (await proved(TERMINATE, plan, shop.context())).verified
