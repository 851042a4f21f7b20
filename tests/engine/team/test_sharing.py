"""What is shared: every entry once, in order, as it is, and nothing secret."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.engine.team.hosts import SETUP, Host, rows, sharing_of
from tests.waiting import soon
from tui.engine.entries import Acknowledged, ConfigRead, Marked
from tui.engine.reading import Change
from tui.engine.secrets import known_values
from tui.engine.team import sharing
from tui.engine.text import Shown


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


async def test_nothing_leaves_from_one_that_only_watches_until_one_that_may_shares(dsn: str, tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    watcher, b = Host("bastion-1", dsn, path, sends=False), Host("bastion-2", dsn)
    watcher.say("1", "2")
    b.say("3")
    async with sharing_of(watcher, b):
        await soon(lambda: watcher.said == ["1", "2", "3"])
    assert b.said == ["3"]
    able = Host("bastion-1", dsn, path)
    async with sharing_of(able, b):
        await soon(lambda: b.said == ["3", "1", "2"])


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
    for number, each in enumerate((a, b, c), 1):
        each.say(str(number))
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
            await soon(lambda: b.said == a.said)


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
