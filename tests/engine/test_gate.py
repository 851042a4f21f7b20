"""The gate: what it refuses, in which order things happen, and what is known when they go wrong.

Acts on a real service (tests/servers/things.py) through somebody else's panel (tests/theirs.py).
"""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tests import theirs
from tests.servers.things import Received, Things, start_things
from tests.waiting import GRACE, LONG, Stopwatch, eventually, soon
from tui.commands.act import exit_code
from tui.engine.actions import Action, Context, Effect, Item, Outcome, Plan, PlanRefused, Proof, Result
from tui.engine.ask import Execute, MakePlan, Settle
from tui.engine.claims import left_open
from tui.engine.engine import Engine
from tui.engine.feed import Deed, Level
from tui.engine.journal import Journal, JournalError
from tui.engine.reading import ProbeError
from tui.engine.text import Shown, clean

NOWHERE = "http://127.0.0.1:1"
"""Where nothing ever listens."""


@pytest.fixture
def things() -> Iterator[Things]:
    with start_things(a="broken", b="broken", c="broken", d="broken") as service:
        yield service


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path / "journal.sqlite")
    yield journal
    journal.close()


@asynccontextmanager
async def armed(things: Things, journal: Journal | None, level: Level = Level.ARMED, **changes: Any) -> AsyncIterator[Engine]:
    async with Engine(theirs.setup(things.url, **changes), level, journal=journal).session() as engine:
        yield engine


async def act(engine: Engine, action: str, *keys: str, yes: bool = True, typed: str = "") -> Deed:
    """Plans and executes, as a person does who says yes."""
    return await engine.gate.execute(await engine.gate.plan(action, keys), yes=yes, typed=typed)


def kept(journal: Journal) -> list[tuple[str, Any]]:
    return [(entry.kind, entry.data) for entry in journal.entries()]


def kinds(journal: Journal) -> list[str]:
    return [kind for kind, _ in kept(journal)]


def result(deed: Deed, key: str) -> Result:
    return dict(deed.outcomes)[key].result


# --- what it refuses -----------------------------------------------------------------------------------------------------


async def test_an_allowed_and_confirmed_deed_is_done_proven_and_recorded(things: Things, journal: Journal) -> None:
    async with armed(things, journal) as engine:
        deed = await act(engine, "theirs.mend", "a")
    assert things.states["a"] == "well"
    assert (result(deed, "a"), dict(deed.proofs)["a"]) == (Result.DONE, Proof(True, Shown("it is well")))
    assert exit_code(deed) == 0
    assert kept(journal) == [
        (
            "intent",
            {
                "action": "theirs.mend",
                "environment": "demo",
                "what": "mends a",
                "effect": "changes",
                "items": [{"key": "a", "title": "a, broken"}],
                "request": ["POST /things/a/mend"],
                "lasts": 22.0,
                "process": os.getpid(),
            },
        ),
        ("outcome", {"items": [["a", "done", "HTTP 200"]], "of": 1}),
        ("proof", {"proofs": [["a", True, "it is well"]]}),
    ]
    assert {entry.deed for entry in journal.entries()} == {deed.id}
    assert {entry.who for entry in journal.entries()} == {"anna"}


@pytest.mark.parametrize(
    ("level", "allow", "says"),
    [
        (Level.WATCH, ("theirs.*",), "read-only"),
        (Level.RESPOND, ("theirs.*",), 'allow = ["theirs.mend"]'),
        (Level.ARMED, (), 'allow = ["theirs.mend"]'),
        (Level.ARMED, ("theirs.end", "jobs.*"), 'allow = ["theirs.mend"]'),
    ],
)
async def test_what_is_not_allowed_is_not_even_planned(
    things: Things, journal: Journal, level: Level, allow: tuple[str, ...], says: str
) -> None:
    async with armed(things, journal, level, allow=allow) as engine:
        with pytest.raises(PlanRefused) as refused:
            await engine.gate.plan("theirs.mend", ("a",))
        assert says in refused.value.says
        (mend,) = [each for each in engine.gate.offers("theirs") if each.action == "theirs.mend"]
        assert mend.refused == refused.value.says, "the key is greyed with the same words"
    assert things.received == []


async def test_a_plan_made_elsewhere_passes_the_same_gate(things: Things, journal: Journal) -> None:
    async with armed(things, journal) as engine:
        plan = await engine.gate.plan("theirs.mend", ("a",))
    async with armed(things, journal, Level.WATCH) as engine:
        with pytest.raises(PlanRefused, match="read-only"):
            await engine.gate.execute(plan, yes=True, typed=plan.confirm)
    assert (things.received, kinds(journal)) == ([], [])


async def test_what_only_shows_needs_no_leave(things: Things) -> None:
    async with armed(things, None, Level.WATCH, allow=()) as engine:
        plan = await engine.gate.plan("theirs.hint", ())
        assert plan.copy == "things mend a"
        with pytest.raises(PlanRefused, match="never run"):
            await engine.gate.execute(plan, yes=True, typed="")


@pytest.mark.parametrize(
    ("action", "keys", "says"),
    [
        ("theirs.explode", ("a",), "there is no action theirs.explode; there are: theirs.end, theirs.hint, theirs.mend"),
        ("theirs.mend", (), "needs to be told what to act on"),
        ("theirs.end", ("a", "b"), "acts on one at a time"),
        ("theirs.mend", ("zz",), "there is no thing zz"),
    ],
)
async def test_what_cannot_be_planned_says_why(
    things: Things, journal: Journal, action: str, keys: tuple[str, ...], says: str
) -> None:
    async with armed(things, journal) as engine:
        with pytest.raises(PlanRefused) as refused:
            await engine.gate.plan(action, keys)
    assert says in refused.value.says


@pytest.mark.parametrize(("yes", "typed"), [(True, ""), (True, "A"), (True, "b"), (True, " a"), (False, "")])
async def test_what_destroys_is_confirmed_by_typing(things: Things, journal: Journal, yes: bool, typed: str) -> None:
    async with armed(things, journal) as engine:
        with pytest.raises(PlanRefused, match="this needs a typed"):
            await act(engine, "theirs.end", "a", yes=yes, typed=typed)
        assert (things.received, kinds(journal)) == ([], [])
        await act(engine, "theirs.end", "a", typed="a")
    assert things.states["a"] == "gone"


async def test_what_destroys_and_has_nothing_to_type_never_runs(things: Things, journal: Journal) -> None:
    async with armed(things, journal) as engine:
        plan = replace(await engine.gate.plan("theirs.end", ("a",)), confirm="")
        with pytest.raises(PlanRefused):
            await engine.gate.execute(plan, yes=True, typed="")
    assert things.received == []


async def test_what_changes_needs_a_yes(things: Things, journal: Journal) -> None:
    async with armed(things, journal) as engine:
        with pytest.raises(PlanRefused, match="not confirmed"):
            await act(engine, "theirs.mend", "a", yes=False, typed="a")
    assert (things.received, kinds(journal)) == ([], [])


async def test_named_twice_is_meant_once(things: Things, journal: Journal) -> None:
    async with armed(things, journal) as engine:
        await act(engine, "theirs.mend", "a", "b", "a")
    assert [each.key for each in things.received] == ["a", "b"]


# --- the record ----------------------------------------------------------------------------------------------------------


async def test_the_intent_is_on_the_disk_before_the_request_leaves(things: Things, tmp_path: Path) -> None:
    """The service itself reads the file when the request arrives, as another process would after a power cut."""
    path = tmp_path / "journal.sqlite"
    seen: list[Any] = []

    def look(received: Received) -> None:
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as reader:
            seen.append(reader.execute("SELECT kind, deed, data FROM entry").fetchall())

    things.on_arrival = look
    journal = Journal(path)
    async with armed(things, journal) as engine:
        deed = await act(engine, "theirs.mend", "a", "b")
    journal.close()
    first, second = seen
    assert [(kind, of) for kind, of, _ in first] == [("intent", deed.id)]
    assert json.loads(first[0][2])["items"] == [{"key": "a", "title": "a, broken"}, {"key": "b", "title": "b, broken"}]
    assert [kind for kind, _, _ in second] == ["intent", "item"], "and how far a bulk deed got, before it goes on"


async def test_without_a_journal_nothing_is_done(things: Things) -> None:
    async with armed(things, None) as engine:
        with pytest.raises(PlanRefused, match="no record, no deed"):
            await engine.gate.plan("theirs.mend", ("a",))
    assert things.received == []


async def test_a_journal_that_breaks_later_stops_the_deed_before_it_is_sent(things: Things, journal: Journal) -> None:
    async with armed(things, journal) as engine:
        plan = await engine.gate.plan("theirs.mend", ("a",))
        journal.close()
        with pytest.raises(PlanRefused, match="nothing was sent"):
            await engine.gate.execute(plan, yes=True, typed="")
    assert things.received == []


async def test_a_journal_that_breaks_in_mid_deed_leaves_the_intent_open_and_the_deed_goes_on(
    things: Things, tmp_path: Path
) -> None:
    path = tmp_path / "journal.sqlite"
    journal = Journal(path)
    things.on_arrival = lambda received: journal.close()
    async with armed(things, journal) as engine:
        deed = await act(engine, "theirs.mend", "a")
    assert exit_code(deed) == 0
    again = Journal(path)
    async with armed(things, again) as engine:
        assert [(each.id, each.what) for each in engine.judge_now().open_intents] == [(deed.id, "mends a")]
    again.close()


async def test_what_is_recorded_holds_no_secret(things: Things, journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.engine.redact.known_values", {"canary-4711"})

    async def plan(keys: Any, context: Context) -> Plan:
        words = clean("token canary-4711")
        return Plan("", "", words, Effect.CHANGES, words, (Item("a", words),), request=(words,))

    async def execute(item: Item, plan: Plan, context: Context, key: str) -> Outcome:
        return Outcome(Result.FAILED, Shown("it said canary-4711"))

    action = Action("leak", "L", Shown("leak"), Shown(""), Effect.CHANGES, plan, execute=execute)
    async with armed(things, journal) as engine:
        monkeypatch.setitem(engine.gate._actions, "theirs.leak", (engine.setup.panels[0], action))
        await act(engine, "theirs.leak", "a")
    assert len(kinds(journal)) == 3
    assert "canary" not in json.dumps(kept(journal))


# --- what comes of it ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("behaves", "expected", "code"),
    [
        ("ok", Result.DONE, 0),
        ("refuse", Result.REFUSED, 4),
        ("gone", Result.CHANGED, 4),
        ("break", Result.FAILED, 5),
        ("hang", Result.UNKNOWN, 6),
        ("pretend", Result.DONE, 7),
    ],
)
async def test_each_answer_has_its_own_word_and_exit_code(
    things: Things, journal: Journal, behaves: str, expected: Result, code: int
) -> None:
    things.behaves["a"] = behaves
    async with armed(things, journal, acts_within=2.0 if behaves == "hang" else theirs.ANSWERS_WITHIN) as engine:
        deed = await act(engine, "theirs.mend", "a")
    assert (result(deed, "a"), exit_code(deed)) == (expected, code)
    assert len(things.received) == 1, "whatever came of it, it is not repeated by itself"
    assert kept(journal)[1][1]["items"][0][1] == expected


async def test_a_service_that_is_not_there_fails_and_nothing_hangs(things: Things, journal: Journal) -> None:
    async with armed(things, journal) as engine:
        plan = await engine.gate.plan("theirs.mend", ("a",))
    async with armed(Things({}, url=NOWHERE), journal) as engine:
        deed = await engine.gate.execute(plan, yes=True, typed="")
        with pytest.raises(ProbeError):
            await engine.gate.plan("theirs.mend", ("a",))
    assert result(deed, "a") is Result.FAILED


async def test_a_time_out_is_unknown_and_yet_looked_into(things: Things, journal: Journal) -> None:
    things.behaves["a"] = "hang"
    async with armed(things, journal, acts_within=2.0) as engine:
        deed = await act(engine, "theirs.mend", "a")
    assert result(deed, "a") is Result.UNKNOWN
    assert dict(deed.proofs)["a"].verified is True, "it had happened, and the person is told"
    assert exit_code(deed) == 6


async def test_bulk_stops_at_the_first_failure_and_records_how_far_it_got(things: Things, journal: Journal) -> None:
    things.behaves["b"] = "break"
    async with armed(things, journal) as engine:
        deed = await act(engine, "theirs.mend", "a", "b", "c", "d")
    assert [each.key for each in things.received] == ["a", "b"]
    assert (things.states["a"], things.states["c"]) == ("well", "broken")
    assert exit_code(deed) == 5
    outcome = next(data for kind, data in kept(journal) if kind == "outcome")
    assert outcome == {"items": [["a", "done", "HTTP 200"], ["b", "failed", "HTTP 500"]], "of": 4}


async def test_bulk_goes_on_past_what_somebody_else_did_meanwhile(things: Things, journal: Journal) -> None:
    things.behaves["a"] = "gone"
    async with armed(things, journal) as engine:
        deed = await act(engine, "theirs.mend", "a", "b")
    assert things.states["b"] == "well"
    assert exit_code(deed) == 4


async def test_every_item_of_every_deed_has_an_idempotency_key_of_its_own(things: Things, journal: Journal) -> None:
    async with armed(things, journal) as engine:
        await act(engine, "theirs.mend", "a", "b")
        await act(engine, "theirs.mend", "a")
    assert len({each.idempotency_key for each in things.received}) == 3


@pytest.mark.parametrize("error", [KeyError("state"), TimeoutError(), RuntimeError("canary")])
async def test_a_defect_in_a_remedy_is_an_unknown_outcome_never_a_guess(
    things: Things, journal: Journal, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr("tui.engine.redact.known_values", {"canary"})

    async def breaks(*_: object) -> Any:
        raise error

    async with armed(things, journal) as engine:
        panel, mend = engine.gate.actions["theirs.mend"]
        plan = replace(await engine.gate.plan("theirs.mend", ("a",)), proof_within=0.0)
        monkeypatch.setitem(engine.gate._actions, "theirs.mend", (panel, replace(mend, execute=breaks)))
        deed = await engine.gate.execute(plan, yes=True, typed="")
        assert exit_code(deed) == 6
        assert "canary" not in str(deed)
        assert "intent" in kinds(journal) and "outcome" in kinds(journal)
        monkeypatch.setitem(engine.gate._actions, "theirs.mend", (panel, replace(mend, verify=breaks)))
        deed = await engine.gate.execute(plan, yes=True, typed="")
        assert exit_code(deed) == 7, "done, and nobody could see it"
        assert "canary" not in str(deed)
        monkeypatch.setitem(engine.gate._actions, "theirs.mend", (panel, replace(mend, plan=breaks)))
        with pytest.raises((PlanRefused, ProbeError)) as refused:
            await engine.gate.plan("theirs.mend", ("a",))
        assert "canary" not in str(refused.value)


async def test_remedies_that_cannot_be_loaded_cost_the_panel_its_keys_alone(things: Things, journal: Journal) -> None:
    card = replace(theirs.CARD, actions="tests.no_such_module:ACTIONS")
    async with armed(things, journal, card=card) as engine:
        await engine.poller.once()
        snapshot = engine.judge_now()
    assert snapshot.panels[0].probes[0].reading is not None
    assert snapshot.panels[0].offers == ()
    assert "its remedies could not be loaded" in snapshot.warnings[0]


# --- one at a time, and to the end ----------------------------------------------------------------------------------------


async def test_one_deed_at_a_time(things: Things, journal: Journal) -> None:
    async with armed(things, journal) as engine:
        first, second = await engine.gate.plan("theirs.mend", ("a",)), await engine.gate.plan("theirs.mend", ("b",))
        with things.held():
            running = asyncio.ensure_future(engine.gate.execute(first, yes=True, typed=""))
            await soon(lambda: things.received)
            with pytest.raises(PlanRefused, match="another deed is under way"):
                await engine.gate.execute(second, yes=True, typed="")
        await running
        await engine.gate.execute(second, yes=True, typed="")
    assert [each.key for each in things.received] == ["a", "b"]


def test_a_deed_belongs_to_the_engine_whoever_asked_may_leave(things: Things, journal: Journal) -> None:
    things.takes = 0.3
    engine = Engine(theirs.setup(things.url), Level.ARMED, journal=journal)
    engine.start()
    try:
        plan = engine.feed.ask(MakePlan("theirs.mend", ("a",))).result(LONG)
        engine.feed.ask(Execute(plan, yes=True)).cancel()
        eventually(lambda: things.states["a"] == "well")
        eventually(lambda: kinds(journal)[:2] == ["intent", "outcome"])
    finally:
        engine.stop()


def test_ending_stops_a_bulk_deed_after_the_item_at_hand_and_records_how_far_it_got(things: Things, journal: Journal) -> None:
    engine = Engine(theirs.setup(things.url), Level.ARMED, journal=journal)
    engine.start()
    plan = engine.feed.ask(MakePlan("theirs.mend", ("a", "b", "c", "d"))).result(LONG)
    things.on_arrival = lambda received: eventually(engine.gate._ending.is_set)
    engine.feed.ask(Execute(plan, yes=True))
    eventually(lambda: things.received)
    engine.stop(LONG)
    assert [each.key for each in things.received] == ["a"]
    outcome = next(data for kind, data in kept(journal) if kind == "outcome")
    assert outcome == {"items": [["a", "done", "HTTP 200"]], "of": 4}
    assert left_open(journal, time.time()) == []


def test_ending_waits_two_seconds_for_a_deed_and_leaves_its_intent_open(things: Things, journal: Journal) -> None:
    async def never(item: Item, plan: Plan, context: Context, key: str) -> Outcome:
        await asyncio.sleep(60)
        raise AssertionError("it is cut off before")

    engine = Engine(theirs.setup(things.url), Level.ARMED, journal=journal)
    panel, mend = engine.gate.actions["theirs.mend"]
    engine.gate._actions["theirs.mend"] = (panel, replace(mend, execute=never))
    engine.start()
    plan = engine.feed.ask(MakePlan("theirs.mend", ("a",))).result(LONG)
    engine.feed.ask(Execute(plan, yes=True))
    eventually(lambda: kinds(journal) == ["intent"])
    began, watch = time.monotonic(), Stopwatch()
    engine.stop()
    assert watch.took < 2.0 + GRACE
    assert time.monotonic() - began > 1.5
    (left,) = left_open(journal, time.time())
    assert left.data["what"] == "mends a"


async def test_nothing_new_is_begun_while_ending(things: Things, journal: Journal) -> None:
    async with armed(things, journal) as engine:
        plan = await engine.gate.plan("theirs.mend", ("a",))
        engine.gate.stop_after_item()
        with pytest.raises(PlanRefused, match="it is ending"):
            await engine.gate.execute(plan, yes=True, typed="")
    assert (things.received, kinds(journal)) == ([], [])


async def test_ending_while_a_proof_is_looked_for_keeps_what_is_known(
    things: Things, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The outcome is known by then: nothing is cut off, and the record says that nobody looked."""
    looking = asyncio.Event()

    async def never(item: Item, plan: Plan, context: Context) -> Proof:
        looking.set()
        await asyncio.Event().wait()
        raise AssertionError("unreachable")

    async with armed(things, journal) as engine:
        panel, mend = engine.gate.actions["theirs.mend"]
        monkeypatch.setitem(engine.gate._actions, "theirs.mend", (panel, replace(mend, verify=never)))
        plan = await engine.gate.plan("theirs.mend", ("a",))
        doing = asyncio.ensure_future(engine.gate.execute(plan, yes=True, typed=""))
        await asyncio.wait_for(looking.wait(), LONG)
        engine.gate.stop_after_item()
        deed = await asyncio.wait_for(doing, LONG)
    assert (result(deed, "a"), exit_code(deed)) == (Result.DONE, 7)
    assert kinds(journal) == ["intent", "outcome", "proof"]
    assert journal.entries()[-1].data == {"proofs": [["a", None, "not looked at: it was ending"]]}


def test_an_open_intent_is_shown_until_a_person_settles_it(things: Things, journal: Journal) -> None:
    journal.append(1.0, "intent", "ben", {"action": "theirs.end", "what": "ends a"}, "deed-1")
    engine = Engine(theirs.setup(things.url), Level.ARMED, journal=journal)
    engine.start()
    try:
        (left,) = engine.feed.newest().open_intents or eventually(lambda: engine.feed.newest().open_intents)
        assert (left.id, left.who, left.action, left.what) == ("deed-1", "ben", "theirs.end", "ends a")
        engine.feed.ask(Settle("deed-1")).result(LONG)
        assert engine.feed.newest().open_intents == ()
    finally:
        engine.stop()
    assert [(entry.kind, entry.who) for entry in journal.entries()] == [("intent", "ben"), ("settled", "anna")]


async def test_settling_what_cannot_be_recorded_says_so(things: Things, journal: Journal) -> None:
    async with armed(things, None) as engine:
        with pytest.raises(PlanRefused, match="cannot be written"):
            await engine.gate.settle("deed-1")
    async with armed(things, journal) as engine:
        journal._connection.execute("PRAGMA query_only = on")
        with pytest.raises(PlanRefused, match=r"could not be recorded: .* the file is read-only"):
            await engine.gate.settle("deed-1")


def test_a_journal_in_an_impossible_place_says_so() -> None:
    with pytest.raises(JournalError, match="cannot be written"):
        Journal(Path("/proc/watchfloor/journal.sqlite"))
