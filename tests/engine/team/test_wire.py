"""Entries as they come from a team's database: whatever stands there, what arrives can be kept, printed and passed by."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from tui.engine.entry_words import Names, line_of
from tui.engine.journal import Journal
from tui.engine.team.ledger import Mark, take
from tui.engine.team.wire import LONGEST, arriving


def row(**more: Any) -> dict[str, Any]:
    given = {"at": 7.25, "kind": "marked", "version": 1, "who": "ben", "deed": None, "uid": "u1", "origin": "bastion-2"}
    return {**given, "data": '{"what": "x"}', **more}


@pytest.mark.parametrize("at", [math.nan, math.inf, -math.inf, -1e300, 1e300])
@pytest.mark.parametrize(
    "data",
    ["{torn", "[1, 2]", "[" * 100_000, '{"a": ' + "[" * 900 + "]" * 900 + "}", json.dumps({"what": "\x1b[2J" + "x" * 100_000})],
    ids=["torn", "no table", "too deep to read", "too deep to look at", "long, and steers a terminal"],
)
def test_what_another_program_wrote_there_stops_nothing(at: float, data: str) -> None:
    journal = Journal(":memory:")
    entry = arriving(row(at=at, data=data, who="ben\x1b[2J"))
    assert take(journal, [entry, arriving(row(uid="u2"))], Mark(), Mark()) == 2
    for each in journal.entries(-math.inf):
        assert "\x1b" not in line_of(each, Names()) and "\x1b" not in str(each.data)
        assert len(json.dumps(each.data)) < 6 * LONGEST
