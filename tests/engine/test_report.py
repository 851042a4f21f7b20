"""The handover: what it counts, what it says of what is open, and that empty sections say so."""

from __future__ import annotations

from typing import Any, Literal, Unpack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.engine.some_alerts import Facts
from tui.engine.alert import Alert, Severity, State
from tui.engine.ask import Matcher
from tui.engine.entries import (
    KINDS,
    Acknowledged,
    AlertMoved,
    CalledFalse,
    CameBack,
    ChangeSeen,
    Claimed,
    ConfigRead,
    Maintained,
    Marked,
    Paged,
    Said,
    Silenced,
    SilenceEnded,
    Told,
    Unacknowledged,
    Untold,
)
from tui.engine.entry_words import Names, line_of
from tui.engine.journal import Entry, Journal
from tui.engine.reading import Change
from tui.engine.report import report
from tui.engine.report_words import markdown
from tui.engine.secrets import known_values
from tui.engine.team.ledger import Mark, take
from tui.engine.text import Shown

NOW = 1_795_230_732.0
"""2026-11-21 03:12:12 UTC."""
SHIFT = NOW - 8 * 3600


class Kept:
    """A journal to fill, with times in seconds before NOW."""

    def __init__(self) -> None:
        self.journal = Journal(":memory:")

    def say(self, ago: float, said: Said, who: str = "anna", origin: str | None = None) -> None:
        here = Journal(":memory:")
        here.say(NOW - ago, who, said)
        (entry,) = here.entries()
        theirs = Entry(0, entry.at, entry.kind, entry.version, entry.who, None, entry.data, entry.uid, origin)
        take(self.journal, [theirs], Mark(), Mark())

    def alert(
        self,
        ago: float,
        state: State,
        *,
        rule: str = "error rate",
        severity: Severity = "P1",
        pending: float | None = None,
        fired: float | None = None,
        origin: str | None = None,
        **more: Unpack[Facts],
    ) -> None:
        """One that came to this state: `pending` since then, and it `fired` then, if not now."""
        since = fired or ago
        alert = Alert(
            *(f"fp-{rule}", rule, "api", "error_rate", (("route", "/x"),), severity, state, 0.062, 0.05, "ratio", "above"),
            since=NOW - (pending or since),
            fired_at=NOW - since,
            ended=NOW - ago if state == "resolved" else None,
        )
        alert = replace(alert, **more)
        self.say(ago, AlertMoved(alert, "inactive" if state == "firing" else "firing"), origin=origin)

    def deed(self, ago: float, kind: str, data: dict[str, Any], deed: str = "d1", who: str = "anna") -> None:
        self.journal.append(NOW - ago, kind, who, data, deed)

    @property
    def report(self) -> Any:
        return report(self.journal.entries(), SHIFT, NOW)

    @property
    def text(self) -> str:
        return markdown(self.report, "shop", "production", "anna")


@pytest.fixture
def kept() -> Kept:
    return Kept()


def section(text: str, title: str) -> list[str]:
    """The lines under a heading that begins so."""
    _, _, rest = text.partition(f"## {title}")
    return [line for line in rest.split("\n## ")[0].splitlines()[1:] if line]


def test_a_quiet_shift_says_so_in_every_section(kept: Kept) -> None:
    assert kept.text == (
        "# shop · production: handover\n\n"
        "2026-11-20 19:12:12Z to 2026-11-21 03:12:12Z (8h00m), by anna. Times are UTC.\n\n"
        "## Still open (0)\n\nNothing fires.\n\n"
        "## Alerts that ended (0)\n\nNone.\n\n"
        "## Silences and maintenance that still run\n\nNone.\n\n"
        "## Deeds\n\nNothing was done.\n\n"
        "## Changes\n\nNone were seen or marked.\n\n"
        "## Notifications that failed\n\nNone.\n\n"
        "## Rules that fired\n\nNone.\n"
    )


def test_an_alert_says_since_when_how_long_and_by_whom(kept: Kept) -> None:
    kept.alert(720, "firing", suspect=Shown("deploy 9f3c2a1 main, 80s before"))
    kept.say(590, Acknowledged((("fp-error rate", "P1"),)), "ben", "bastion-2")
    kept.say(500, Acknowledged((("fp-error rate", "P1"),)), "carl")
    kept.say(400, Paged("fp-error rate", "dora"))
    kept.alert(7200, "firing", rule="slow", severity="P2")
    kept.alert(3600, "resolved", rule="slow", fired=7200, severity="P2")
    (line,) = section(kept.text, "Still open (1)")
    assert line == (
        "- **P1** api error rate /x 6.2 % \\> 5 %, 03:00:12Z, 12m00s so far; acknowledged by ben@bastion-2 after 2m10s; "
        "paged: dora; before it: deploy 9f3c2a1 main, 80s before"
    )
    (over,) = section(kept.text, "Alerts that ended (1)")
    assert "**P2** api slow" in over and "01:12:12Z, 1h00m; **nobody acknowledged it**" in over


def test_what_fired_before_the_shift_and_is_open_is_handed_over_and_what_ended_before_is_not(kept: Kept) -> None:
    kept.alert(40_000, "firing")
    kept.say(39_000, Acknowledged((("fp-error rate", "P1"),)), "ben")
    kept.alert(50_000, "firing", rule="slow")
    kept.alert(45_000, "resolved", rule="slow", fired=50_000)
    found = kept.report
    assert [each.alert.rule for each in found.open] == ["error rate"]
    assert (found.over, found.rules) == ((), ()), "it fired in an earlier shift"


def test_each_life_counts_and_false_ones_are_counted_by_rule(kept: Kept) -> None:
    for start in (9000, 6000, 3000):
        kept.alert(start, "firing")
        if start == 6000:
            kept.say(start - 100, CalledFalse("fp-error rate", "error rate", "load test"))
        kept.alert(start - 600, "resolved", fired=start)
    kept.alert(1000, "firing", rule="slow")
    assert section(kept.text, "Rules that fired")[2:] == ["| api | error rate | 3 | 1 |", "| api | slow | 1 | 0 |"]
    assert [each.false for each in kept.report.over] == ["", "load test", ""]


def test_two_hosts_that_saw_the_same_count_once(kept: Kept) -> None:
    kept.alert(900, "firing")
    kept.alert(897, "firing", origin="bastion-2")
    kept.say(800, Acknowledged((("fp-error rate", "P1"),)), "ben", "bastion-2")
    kept.alert(300, "resolved", fired=900)
    kept.alert(295, "resolved", fired=897, origin="bastion-2")
    kept.alert(200, "firing")
    kept.alert(150, "firing", origin="bastion-2")
    found = kept.report
    assert [each.fired for each in found.rules] == [2]
    (over,) = found.over
    assert (NOW - over.began, NOW - over.ended, over.acked_by) == (900, 295, "ben@bastion-2")
    (still,) = found.open
    assert still.acked_by == "", "an acknowledgement ends with its alert"


def test_a_raised_severity_is_the_same_life_as_bad_as_it_became(kept: Kept) -> None:
    kept.alert(900, "firing", severity="P2")
    kept.alert(800, "firing", fired=900, severity="P0")
    kept.alert(700, "firing", fired=900, severity="P1")
    (found,) = kept.report.open
    assert (found.alert.severity, kept.report.rules[0].fired) == ("P0", 1)


def test_an_acknowledgement_that_was_given_back_is_none(kept: Kept) -> None:
    kept.alert(900, "firing")
    kept.say(800, Acknowledged((("fp-error rate", "P1"),)), "ben")
    kept.say(700, Unacknowledged(("fp-error rate",)), "ben")
    assert "nobody acknowledged it" in kept.text


def test_one_that_was_taken_on_while_it_was_pending_is_acknowledged(kept: Kept) -> None:
    kept.say(950, Acknowledged((("fp-error rate", "P1"),)), "ben")
    kept.alert(900, "firing", pending=960)
    assert "acknowledged by ben after 0s" in kept.text
    kept.alert(800, "resolved", fired=900)
    kept.alert(700, "firing")
    assert kept.report.open[0].acked_by == "", "of its next life nobody has said anything"


def test_silences_and_windows_that_still_run_are_handed_over(kept: Kept) -> None:
    matchers = (Matcher("panel", "api"), Matcher("severity", "P2|P3", True))
    kept.say(90_000, Silenced("s1", matchers, NOW + 1800, "known, SHOP-12"), "ben")
    kept.say(900, Silenced("s2", matchers, NOW - 10, "over"))
    kept.say(800, Silenced("s3", matchers, NOW + 900, "ended early"))
    kept.say(700, SilenceEnded("s3"))
    kept.say(600, Maintained("m1", (), NOW + 60, NOW + 120, "upgrade"))
    assert section(kept.text, "Silences") == [
        "- maintenance of all panels: from 2026-11-21 03:13:12Z until 2026-11-21 03:14:12Z (2m00s left), by anna: upgrade",
        "- silence of panel=api severity=\\~P2\\|P3: until 2026-11-21 03:42:12Z (30m00s left), by ben: known, SHOP-12",
    ]


def test_deeds_with_what_came_of_them_and_those_nobody_knows_the_end_of(kept: Kept) -> None:
    meant = {"action": "database.terminate", "what": "ends session 8121"}
    kept.deed(3000, "intent", meant)
    kept.deed(2990, "outcome", {"items": [["8121", "done", ""]], "of": 1})
    kept.deed(2980, "proof", {"proofs": [["8121", True, "it is gone"]]})
    kept.deed(2000, "intent", meant, "d2", "ben")
    kept.deed(1990, "outcome", {"items": [["8121", "refused", "no rights"]], "of": 1}, "d2", "ben")
    kept.deed(90_000, "intent", meant, "d3", "carl")
    kept.deed(5000, "intent", meant, "d4", "carl")
    kept.deed(1000, "settled", {}, "d4", "dora")
    kept.deed(500, "intent", meant, "d5")
    kept.deed(490, "outcome", {"items": [["8121", "outcome unknown", "no answer within 20s"]], "of": 1}, "d5")
    lines = section(kept.text, "Deeds")
    assert len(lines) == 5
    assert lines[0].startswith("- 2026-11-20 02:12:12Z carl") and "it may have happened" in lines[0]
    assert lines[1].endswith("it may have happened** (settled by dora)")
    assert lines[2] == "- 02:22:12Z anna: database.terminate, ends session 8121: 8121 done, verified"
    assert lines[3].endswith("ben: database.terminate, ends session 8121: 8121 refused (no rights)")
    assert lines[4].endswith("8121 outcome unknown (no answer within 20s), nobody could see whether it worked")


def test_changes_and_marks_once_each_and_what_nobody_was_told(kept: Kept) -> None:
    deployed = Change("d1", NOW - 1000, "deployment", Shown("deploy 9f3c2a1 | main"))
    kept.say(990, ChangeSeen("deploys", deployed))
    kept.say(980, ChangeSeen("deploys", deployed), origin="bastion-2")
    kept.say(900, Marked(Change("m1", NOW - 900, "mark", Shown("flag new-checkout on"))), "ci")
    kept.alert(800, "firing")
    mark = "firing:P1@1795230732#fp-error_rate"
    for ago in (710, 700):
        kept.say(ago, Untold("fp-error rate", "slack", mark, "HTTP 404 no_service", 5))
        kept.say(ago, Untold("fp-error rate", "pagerduty", mark, "HTTP 500; is tried again"))
    kept.say(690, Told("fp-error rate", "pagerduty", mark, 3))
    kept.say(600, Untold("fp-error rate", "sms", "escalated:cto/1795230132@1795230732", "no credit left", 3))
    assert section(kept.text, "Changes") == [
        "- 02:55:32Z deployment deploy 9f3c2a1 \\| main",
        "- 02:57:12Z mark flag new-checkout on (ci)",
    ]
    assert section(kept.text, "Notifications") == [
        '- 03:00:32Z slack: api error rate {route="/x"} firing P1: HTTP 404 no\\_service',
        '- 03:02:12Z sms: api error rate {route="/x"} escalated cto: no credit left',
    ]


def test_nothing_of_outside_text_is_markup_or_secret(kept: Kept) -> None:
    known_values.add("hunter2-secret")
    kept.say(900, Marked(Change("m1", NOW - 900, "mark", Shown("<b>*x* [a](http://x) hunter2-secret"))))
    assert section(kept.text, "Changes") == ["- 02:57:12Z mark \\<b\\>\\*x\\* \\[a\\](http://x) ••• (anna)"]


Move = Literal["firing", "resolved", "ack", "unack"]
MOVES = st.lists(
    st.tuples(st.integers(1, 9), st.sampled_from(["firing", "resolved", "ack", "unack"]), st.sampled_from([None, "b"])),
    max_size=25,
)


@settings(deadline=None)
@given(moves=MOVES)
def test_whatever_was_recorded_in_whatever_order_the_report_holds_together(moves: list[tuple[int, Move, str | None]]) -> None:
    kept, ago = Kept(), 20_000.0
    fires = False
    for gap, what, origin in moves:
        ago -= gap * 60
        if what == "ack":
            kept.say(ago, Acknowledged((("fp-error rate", "P1"),)), origin=origin)
        elif what == "unack":
            kept.say(ago, Unacknowledged(("fp-error rate",)), origin=origin)
        else:
            kept.alert(ago, what, origin=origin)
            fires = what == "firing"
    found = kept.report
    if not any(origin for _, _, origin in moves):
        assert bool(found.open) is fires, "open exactly if its newest word is firing"
    for each in (*found.open, *found.over):
        assert each.ended is None or each.ended >= each.began
        assert each.acked_at is None or each.acked_at >= each.began
    assert len(found.open) <= 1
    assert sum(each.fired for each in found.rules) == len(found.open) + len(found.over)
    assert markdown(found, "shop", "production", "anna")


# --- the journal's lines -------------------------------------------------------------------------------------------------

NAMED = 'api error rate {route="/x"}'
SAID: tuple[tuple[Said, str], ...] = (
    (
        Acknowledged((("fp-error rate", "P1"), ("0123456789abcdef", "P3"))),
        'P1 api error rate {route="/x"}, P3 alert 0123456789ab',
    ),
    (CameBack((("fp-error rate", Shown("rose to P0")),)), f"{NAMED}: rose to P0"),
    (Unacknowledged(("fp-error rate",)), 'api error rate {route="/x"}'),
    (
        Silenced("s1", (Matcher("panel", "api", is_equal=False),), NOW, "known"),
        "panel!=api until 2026-11-21 03:12:12Z: known  [s1]",
    ),
    (Maintained("m1", ("jobs", "api"), NOW, NOW, "upgrade"), "jobs, api until 2026-11-21 03:12:12Z: upgrade  [m1]"),
    (SilenceEnded("s1"), "[s1]"),
    (CalledFalse("fp-error rate", "error rate", "load test"), 'api error rate {route="/x"} (rule error rate): load test'),
    (Paged("fp-error rate", "dora", True), 'dora for api error rate {route="/x"} (by the escalation clock)'),
    (
        Paged("fp-error rate", "dora", True, False, "dora: NOT told by sms", ("slack",), ("sms",)),
        'dora for api error rate {route="/x"} (by the escalation clock): NOT by sms: dora: NOT told by sms',
    ),
    (Marked(Change("m", NOW - 60, "mark", Shown("flag on"))), "flag on (at 03:11:12Z)"),
    (ChangeSeen("deploys", Change("d", NOW, "deployment", Shown("9f3c2a1"))), "deploys  deployment 9f3c2a1 (at 03:12:12Z)"),
    (
        ChangeSeen("deploys", Change("d", NOW - 86400, "deployment", Shown("9f3c2a1"))),
        "deploys  deployment 9f3c2a1 (at 20 Nov 03:12Z)",
    ),
    (Claimed("fp-error rate", "slack", "firing"), 'slack: api error rate {route="/x"} firing'),
    (Told("fp-error rate", "slack", "firing", 3), 'slack: api error rate {route="/x"} firing after 3 tries'),
    (
        Untold("fp-error rate", "slack", "firing", "HTTP 404", 5),
        'slack: api error rate {route="/x"} firing after 5 tries: HTTP 404',
    ),
    (ConfigRead("abc", False, "line 3: …"), "refused, the old one stays: line 3: …"),
)


@pytest.mark.parametrize(("said", "words"), SAID, ids=lambda each: each.kind if isinstance(each, Said) else "")
def test_every_kind_has_a_line_that_a_person_can_read(kept: Kept, said: Said, words: str) -> None:
    kept.alert(100, "firing")
    kept.say(0, said, "ben", "bastion-2")
    names = Names(kept.journal.entries())
    line = line_of(kept.journal.entries()[-1], names)
    assert line == f"2026-11-21 03:12:12Z  ben@bastion-2  {said.kind:<8} {words}"


def test_every_kind_there_is_has_such_a_line() -> None:
    assert {said.kind for said, _ in SAID} | {"alert"} == set(KINDS)


def test_an_alerts_line_and_a_kind_of_next_year(kept: Kept) -> None:
    kept.alert(700, "firing")
    kept.alert(100, "resolved", fired=700, says=Shown("3 in a row"))
    kept.journal.append(NOW, "of-next-year", "anna", {"new": [1]})
    names = Names(kept.journal.entries())
    lines = [line_of(each, names) for each in kept.journal.entries()]
    assert lines[0].endswith('inactive → firing  P1 api error rate {route="/x"}')
    assert lines[1].endswith('firing → resolved  P1 api error rate {route="/x"}, after 10m00s: 3 in a row')
    assert lines[2].endswith('of-next-year {"new": [1]}')


def test_entries_that_are_not_of_the_shape_they_should_be_break_nothing(kept: Kept) -> None:
    """What another version or host wrote is outside text."""
    for kind in ("intent", "item", "outcome", "proof", "settled", "alert", "acknowledged"):
        for data in ({}, {"items": "x", "proofs": 3}, {"items": [1, ["a"]], "proofs": [None, ["a", 1, 2]]}):
            kept.journal.append(NOW - 10, kind, "anna", data, "d1" if kind in ("intent", "outcome", "proof") else None)
    names = Names(kept.journal.entries())
    assert all(line_of(each, names) and names.panels(each) is not None for each in kept.journal.entries())
    assert kept.text
