"""`config check --connect`: who we are there, and the GRANT that is missing."""

from __future__ import annotations

from panels.database.check import check

from .conftest import Shop


async def test_both_roles_are_named_and_nothing_is_missing(shop: Shop) -> None:
    looks, acts = await check(shop.config(), shop.tools)
    assert looks.reached
    assert looks.says.startswith("PostgreSQL ")
    assert looks.says.endswith(", as watch")
    assert (acts.reached, acts.says) == (True, "as ops")
    assert (looks.missing, acts.missing) == ((), ())


async def test_the_grants_that_are_missing_are_ready_to_run(shop: Shop) -> None:
    config = shop.config(dsn=shop.server.dsn("nobody", shop.name), dsn_for_actions=shop.server.dsn("watch", shop.name))
    looks, acts = await check(config, shop.tools)
    assert looks.missing == ("GRANT pg_monitor TO nobody;",)
    assert acts.missing == ("GRANT pg_signal_backend TO watch;",)


async def test_what_cannot_be_reached_says_why(shop: Shop) -> None:
    [looks] = await check(shop.config(dsn="postgresql://watch@127.0.0.1:1/shop"), shop.tools)
    assert not looks.reached
    assert looks.says == "connect: it refuses connections: nothing listens at 127.0.0.1:1"
    assert looks.missing == ("is it running?",)
