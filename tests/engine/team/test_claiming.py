"""Rights, poolers, and claims: who may share, and that nobody begins what another one is at."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

import psycopg
import pytest

from tests.engine.team.hosts import Host, sharing_of
from tests.servers.pooler import start_pooler
from tests.servers.postgres import Server
from tests.servers.proxy import Proxy
from tests.waiting import soon
from tui.engine.reading import ProbeError
from tui.engine.team.link import statement


async def test_without_the_right_to_make_its_tables_it_says_which_grant_gives_it(dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as admin:
        admin.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    a = Host("bastion-1", dsn.replace("postgres@", "app@"))
    says = await a.team.look()
    assert "app may not make it" in says
    grant = 'GRANT CREATE ON SCHEMA "public" TO "app";'
    assert grant in says
    with psycopg.connect(dsn, autocommit=True) as admin:
        admin.execute(grant)
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
    assert await b.team.claim("theirs.mend", ["y"], "d2", 30.0) is None
    taken = await a.team.claim("theirs.mend", ["y"], "d5", 30.0)
    assert taken is not None and taken.who == "ben"
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("UPDATE watchfloor_claim SET until = clock_timestamp()")
    assert await a.team.claim("theirs.mend", ["y"], "d5", 30.0) is None, "one whose process is gone holds it for its time"


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
        plan = "\n".join(line for (line,) in admin.execute("EXPLAIN (ANALYZE) " + statement("pull"), asked).fetchall())
    assert "Seq Scan" not in plan
    assert float(plan.rpartition("Execution Time: ")[2].split()[0]) < 20.0, plan
