"""Entries whose transaction ends after a later one's are not passed over."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from tests.engine.team.hosts import Host, insert, sharing_of
from tests.waiting import LONG, soon
from tui.engine.team import sharing
from tui.engine.team.ledger import mark_of


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
                await soon(lambda: set(a.said) <= set(b.said))
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
            await soon(lambda: len(b.team._seen) == 20)
            mark = mark_of(b.journal)
            async with b.team._link.session(LONG, writes=False) as session:
                page = await b.team._pull(session, mark)
            assert [row["seq"] for row in page] == [None]
        b.team.poke()
        await soon(lambda: not b.team._seen)
