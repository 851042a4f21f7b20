"""The desk's way out of the journal: what was said before is taken at the start, what is said after is heard once."""

from __future__ import annotations

from pathlib import Path

from tests.clocks import START, DrivenClock
from tui.engine.desk import Desk
from tui.engine.entries import Acknowledged, Silenced
from tui.engine.journal import Entry, Journal
from tui.engine.sayings import READ_BACK, Sayings


async def test_a_start_hears_nothing_that_was_written_before(tmp_path: Path) -> None:
    """Also where nothing of it is for the desk: a year of entries is not read again at each start."""
    journal = Journal(tmp_path / "journal.sqlite")
    journal.say(START - READ_BACK - 60, "anna", Silenced("s1", (), START, "long ago"))
    journal.append(START - 60, "intent", "anna", {"what": "x"}, "d1")
    clock, heard = DrivenClock(), list[Entry]()
    sayings = Sayings(journal, Desk(), clock, lambda: None)
    sayings.listeners.append(heard.append)
    await sayings.start()
    assert await sayings.catch_up() == [] and heard == []
    journal.say(START, "ben", Acknowledged((("f", "P1"),)))
    assert [each.who for each in await sayings.catch_up()] == ["ben"]
    assert [each.kind for each in heard] == ["acknowledged"]
    assert await sayings.catch_up() == [] and len(heard) == 1
