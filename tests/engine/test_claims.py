"""No action runs twice on one target: two dashboards of a host, two hosts of a team, and one that is cut off from the rest."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest
from msgspec.structs import replace

from tests import theirs
from tests.engine.team.conftest import patient as patient
from tests.engine.team.conftest import through as through
from tests.servers.postgres import Server
from tests.servers.proxy import Proxy
from tests.servers.things import Things, start_things
from tests.waiting import LONG, soon
from tui.commands.act import exit_code
from tui.engine.actions import Effect, PlanRefused, Result
from tui.engine.claims import intend, left_open
from tui.engine.clock import SystemClock
from tui.engine.engine import Engine
from tui.engine.feed import Level
from tui.engine.journal import Journal
from tui.engine.secrets import SecretText
from tui.engine.team import Team
from tui.engine.team.ledger import Mark, take

NUMBERS = count()


@pytest.fixture
def things() -> Iterator[Things]:
    with start_things(a="broken", b="broken", c="broken", d="broken") as service:
        yield service


@pytest.fixture
def dsn(postgres: Server, patient: None) -> str:
    return postgres.new_database(f"claims_{next(NUMBERS)}")


@asynccontextmanager
async def armed(things: Things, journal: Path, user: str, url: str = "") -> AsyncIterator[Engine]:
    """Somebody's engine with a journal of its own."""
    setup = replace(theirs.setup(things.url), user=user, journal_url=SecretText(url, is_url=True) if url else None)
    kept = Journal(journal)
    async with Engine(setup, Level.ARMED, journal=kept).session() as engine:
        yield engine
    kept.close()


async def act(engine: Engine, action: str, *keys: str, typed: str = "") -> Any:
    plan = await engine.gate.plan(action, keys)
    return await engine.gate.execute(plan, yes=True, typed=typed or plan.confirm)


def claims(dsn: str) -> list[Any]:
    with psycopg.connect(dsn, autocommit=True) as connection:
        return connection.execute("SELECT who FROM watchfloor_claim").fetchall()


def kinds(engine: Engine) -> list[str]:
    assert engine._journal is not None
    return [each.kind for each in engine._journal.entries()]


@pytest.mark.parametrize("how", ["one host", "two hosts"])
async def test_what_one_is_at_no_other_begins_until_its_outcome(things: Things, dsn: str, tmp_path: Path, how: str) -> None:
    """On one host by the journal that they share, on two by the team's."""
    together = how == "one host"
    paths = [tmp_path / ("one.sqlite" if together else f"{n}.sqlite") for n in range(2)]
    url = "" if together else dsn
    async with armed(things, paths[0], "anna", url) as anna, armed(things, paths[1], "ben", url) as ben:
        plan = await ben.gate.plan("theirs.mend", ("a",))
        go = threading.Event()
        things.on_arrival = lambda received: received.key != "a" or go.wait(LONG)
        doing = asyncio.ensure_future(act(anna, "theirs.mend", "a"))
        await soon(lambda: things.received)
        with pytest.raises(PlanRefused) as refused:
            await ben.gate.execute(plan, yes=True, typed="")
        assert str(refused.value).startswith("anna") and "is at it since" in str(refused.value)
        assert ("@" in str(refused.value)) is not together, "the host is named where it is another one"
        assert (await act(ben, "theirs.mend", "b")).outcomes[0][1].result is Result.DONE, "another target is free"
        assert not doing.done()
        go.set()
        assert exit_code(await doing) == 0
        assert [each.key for each in things.received] == ["a", "b"]
        assert (await act(ben, "theirs.mend", "a")).outcomes[0][1].result is Result.DONE, "after its outcome it is free again"
    assert url == "" or claims(url) == []


async def test_of_many_dashboards_that_act_at_once_one_does(things: Things, dsn: str, tmp_path: Path) -> None:
    async with engines_on_three_hosts(things, tmp_path, dsn, 6) as engines:
        plans = [await engine.gate.plan("theirs.mend", ("a",)) for engine in engines]
        with things.held():
            doing = [
                asyncio.ensure_future(engine.gate.execute(plan, yes=True, typed=""))
                for engine, plan in zip(engines, plans, strict=True)
            ]
            await soon(lambda: sum(each.done() for each in doing) >= len(engines) - 1)
        done = await asyncio.gather(*doing, return_exceptions=True)
    assert [type(each).__name__ for each in done].count("Deed") == 1
    assert all(isinstance(each, PlanRefused) for each in done if type(each).__name__ != "Deed"), done
    assert len(things.received) == 1


@asynccontextmanager
async def engines_on_three_hosts(things: Things, folder: Path, dsn: str, many: int) -> AsyncIterator[list[Engine]]:
    """Engines, two or more a host."""
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(armed(things, folder / f"{n % 3}.sqlite", f"user-{n}", dsn)) for n in range(many)
        ]


async def test_one_who_was_refused_leaves_nothing_open_and_says_why(things: Things, dsn: str, tmp_path: Path) -> None:
    async with armed(things, tmp_path / "a.sqlite", "anna", dsn) as anna:
        plan = await anna.gate.plan("theirs.mend", ("a",))
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute("DELETE FROM watchfloor_claim")
        ben = (await _team(tmp_path / "b.sqlite", dsn, "ben")).claim
        assert await ben("theirs.mend", ["a"], "bens", 30.0) is None
        with pytest.raises(PlanRefused, match=r"ben@bastion-2 is at it since \d"):
            await anna.gate.execute(plan, yes=True, typed="")
        assert things.received == []
        assert anna._journal is not None
        assert left_open(anna._journal, 2e9) == []
        (outcome,) = anna._journal.entries(kinds=["outcome"])
        assert outcome.data["items"][0][:2] == ["a", "refused"]


async def _team(path: Path, dsn: str, user: str) -> Team:
    """Somebody's share of the team's journal, on another host."""
    setup = replace(theirs.setup("http://127.0.0.1:1"), user=user)
    team = Team(SecretText(dsn, is_url=True), setup, Journal(path), SystemClock(), host="bastion-2")
    assert await team.look() == ""
    return team


async def test_a_claim_outlives_a_crash_until_its_time(things: Things, dsn: str, tmp_path: Path) -> None:
    ben = await _team(tmp_path / "b.sqlite", dsn, "ben")
    assert await ben.claim("theirs.mend", ["a"], "bens", 30.0) is None
    async with armed(things, tmp_path / "a.sqlite", "anna", dsn) as anna:
        with pytest.raises(PlanRefused, match="ben@bastion-2"):
            await act(anna, "theirs.mend", "a")
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute("UPDATE watchfloor_claim SET until = clock_timestamp()")
        assert exit_code(await act(anna, "theirs.mend", "a")) == 0


async def test_a_bulk_deed_holds_all_its_targets_and_renews_them(things: Things, dsn: str, tmp_path: Path) -> None:

    def until() -> Any:
        with psycopg.connect(dsn, autocommit=True) as connection:
            return connection.execute("SELECT min(until) FROM watchfloor_claim").fetchone()

    held = {"a": threading.Event(), "c": threading.Event()}
    things.on_arrival = lambda received: received.key in held and held[received.key].wait(LONG)
    async with armed(things, tmp_path / "a.sqlite", "anna", dsn) as anna:
        doing = asyncio.ensure_future(act(anna, "theirs.mend", "a", "b", "c"))
        await soon(lambda: things.received)
        assert len(claims(dsn)) == 3, "before the first of them is sent"
        first = until()
        held["a"].set()
        await soon(lambda: len(things.received) == 3)
        assert until() > first
        held["c"].set()
        await doing
    assert claims(dsn) == []


# --- while the team is out of reach --------------------------------------------------------------------------------------


async def test_alone_a_deed_says_so_is_typed_and_is_known_to_all_later(
    things: Things, dsn: str, tmp_path: Path, through: tuple[Proxy, str]
) -> None:
    proxy, way = through
    async with armed(things, tmp_path / "a.sqlite", "anna", way) as anna:
        assert (await anna.gate.plan("theirs.mend", ("a",))).by_typing is False
        proxy.shut()
        plan = await anna.gate.plan("theirs.mend", ("a",))
        assert plan.effect is Effect.CHANGES and plan.by_typing
        assert "others cannot see this" in plan.alone
        assert plan.facts[0] == ("alone", plan.alone)
        for word in ("", "y", "b"):
            with pytest.raises(PlanRefused, match="not confirmed: this needs a typed"):
                await anna.gate.execute(plan, yes=True, typed=word)
        assert things.received == []
        assert exit_code(await anna.gate.execute(plan, yes=True, typed="a")) == 0
        assert (await anna.gate.plan("theirs.hint", ())).alone == "", "what only shows is nobody's business"
        proxy.open()
        assert not (await anna.gate.plan("theirs.mend", ("b",))).by_typing
    ben = await _team(tmp_path / "b.sqlite", dsn, "ben")
    assert [each.kind for each in ben._journal.entries()] == ["intent", "outcome", "proof"]


async def test_a_team_that_goes_between_plan_and_deed_stops_it(
    things: Things, tmp_path: Path, through: tuple[Proxy, str]
) -> None:
    proxy, way = through
    async with armed(things, tmp_path / "a.sqlite", "anna", way) as anna:
        plan = await anna.gate.plan("theirs.mend", ("a",))
        proxy.shut()
        with pytest.raises(PlanRefused, match="went out of reach since it was planned"):
            await anna.gate.execute(plan, yes=True, typed="a")
        assert things.received == []
        assert kinds(anna) == ["intent", "outcome"]


# --- on one host ---------------------------------------------------------------------------------------------------------


def intent(process: int | None, lasts: float = 50.0) -> dict[str, Any]:
    return {"action": "theirs.mend", "items": [{"key": "a", "title": "a"}], "process": process, "lasts": lasts}


def test_an_intent_of_a_live_process_holds_its_target_for_its_time(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.sqlite")
    other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        assert intend(journal, 100.0, "ben", intent(other.pid), "d1") is None
        held = intend(journal, 112.0, "anna", intent(os.getpid()), "d2")
        assert held is not None and held.words == "ben is at it since 12s"
        assert left_open(journal, 112.0) == [], "it runs: nobody need worry yet"
        assert intend(journal, 112.0, "anna", {**intent(1), "action": "theirs.end"}, "d3") is None
        assert intend(journal, 112.0, "anna", {**intent(1), "items": [{"key": "b"}]}, "d4") is None
        journal.append(140.0, "item", "ben", {"key": "a"}, "d1")
        assert intend(journal, 160.0, "anna", intent(os.getpid()), "d2") is not None, "it was heard of since"
        assert intend(journal, 191.0, "anna", intent(os.getpid()), "d2") is None, "its time is over"
        assert "d1" in {each.deed for each in left_open(journal, 191.0)}
    finally:
        other.kill()
        other.wait()


def test_an_intent_of_a_process_that_is_gone_holds_nothing_and_is_shown(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.sqlite")
    other = subprocess.Popen([sys.executable, "-c", ""])
    other.wait()
    assert intend(journal, 100.0, "ben", intent(other.pid), "d1") is None
    assert [each.deed for each in left_open(journal, 101.0)] == ["d1"]
    assert intend(journal, 101.0, "anna", intent(os.getpid()), "d2") is None


def test_an_intent_that_came_from_another_host_holds_its_target_too(tmp_path: Path) -> None:
    """What was learnt before the team went out of reach still counts."""
    here, there = Journal(tmp_path / "here.sqlite"), Journal(tmp_path / "there.sqlite")
    there.append(100.0, "intent", "ben", intent(os.getpid()), "d1")
    take(here, [replace(there.entries()[0], origin="bastion-2")], Mark(), Mark())
    held = intend(here, 112.0, "anna", intent(os.getpid()), "d2")
    assert held is not None and held.words == "ben@bastion-2 is at it since 12s"
    assert left_open(here, 112.0) == []
    assert [each.deed for each in left_open(here, 151.0)] == ["d1"]


def test_a_host_whose_clock_is_ahead_holds_a_target_no_longer_than_any_other(tmp_path: Path) -> None:
    """Where it died, its intent would else hold until our clock has come as far; while it lives, the team's claim holds."""
    here, there = Journal(tmp_path / "here.sqlite"), Journal(tmp_path / "there.sqlite")
    there.append(7300.0, "intent", "ben", intent(os.getpid()), "d1")
    take(here, [replace(there.entries()[0], origin="bastion-2")], Mark(), Mark())
    assert intend(here, 100.0, "anna", intent(os.getpid()), "d2") is None
