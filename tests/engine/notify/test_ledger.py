"""What was told, read from entries in order; and what follows that is still to be told. Pure."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.clocks import START
from tests.engine.notify.alerts import alert, fold, over
from tui.engine.alert import Alert
from tui.engine.entries import Claimed, Said, Told, Untold
from tui.engine.notify.channel import Channel, Transition, When
from tui.engine.notify.due import UNDO, due
from tui.engine.notify.ledger import IN_FLIGHT, KEPT, SAME, Ledger, Mark, parse_mark, plain
from tui.engine.text import Shown

FIRED = int(START)
CHAT = Channel(kind="command", name="chat")
HOT = alert("hot", "P1", fingerprint="hot")
ACKED = replace(HOT, acked_by="anna", acked_at=START + 20)


class Pager(Channel):
    """A channel that knows messages by their key."""

    by_key = True


def ledger(*said: Said, at: float = START) -> Ledger:
    made = Ledger()
    for number, each in enumerate(said, 1):
        made.apply(number, at, each)
    return made


def claimed(transition: str, channel: str = "chat", fingerprint: str = "hot") -> Claimed:
    return Claimed(fingerprint, channel, transition)


def told(transition: str, channel: str = "chat", fingerprint: str = "hot") -> tuple[Said, Said]:
    return claimed(transition, channel, fingerprint), Told(fingerprint, channel, transition)


def wants(one: Alert, of: Ledger, at: float = START + 1, channel: Channel = CHAT) -> list[str]:
    return [str(each.mark) for each in due([fold(one)], [channel], of, at)]


FIRING = f"firing:P1@{FIRED}"
RESOLVED = f"resolved:@{FIRED}"


# --- marks ---------------------------------------------------------------------------------------------------------------


@given(
    kind=st.sampled_from(["firing", "acknowledged", "resolved", "escalated"]),
    detail=st.text(max_size=100),
    stamp=st.integers(-10, 2**40),
    group=st.text(max_size=100),
)
def test_a_mark_is_read_back_as_it_was_written(kind: Transition, detail: str, stamp: int, group: str) -> None:
    mark = Mark(kind, plain(detail), stamp, plain(group))
    assert parse_mark(str(mark)) == mark


@pytest.mark.parametrize("text", ["", "firing", "firing:P0", "firing:P0@soon", "danced:P0@1", "P0@1"])
def test_what_another_version_wrote_is_passed_by(text: str) -> None:
    assert parse_mark(text) is None
    assert ledger(Claimed("hot", "chat", text)).open() == []


# --- what is due ---------------------------------------------------------------------------------------------------------


def test_what_fires_is_told_once() -> None:
    assert wants(HOT, ledger()) == [FIRING]
    assert wants(HOT, ledger(claimed(FIRING))) == [], "a claim that exists is not sent again"
    assert wants(HOT, ledger(*told(FIRING))) == []


def test_what_did_not_arrive_is_told_again_by_whoever_polls() -> None:
    assert wants(HOT, ledger(claimed(FIRING), Untold("hot", "chat", FIRING, "429"))) == [FIRING]


def test_a_rise_is_told_a_fall_and_the_same_again_are_not() -> None:
    worse, milder = replace(HOT, severity="P0"), replace(HOT, severity="P2")
    assert wants(worse, ledger(*told(FIRING))) == [f"firing:P0@{FIRED}"]
    assert wants(milder, ledger(*told(FIRING))) == []
    assert wants(HOT, ledger(*told(FIRING), *told(f"firing:P0@{FIRED}"))) == []


def test_pending_silenced_and_in_maintenance_tell_nobody_until_that_is_over() -> None:
    assert wants(replace(HOT, state="pending", fired_at=None), ledger()) == []
    assert wants(replace(HOT, silenced=Shown("by anna")), ledger()) == []
    assert wants(replace(HOT, in_maintenance=True), ledger()) == []
    assert wants(HOT, ledger(), START + 9999) == [FIRING], "and then it is told, if it still fires"


def test_hours_that_begin_later_tell_what_still_fires() -> None:
    channel = Channel(kind="command", name="chat", when=When(hours="04:00-05:00"))
    assert wants(HOT, ledger(), START, channel) == [], "at 03:12"
    assert wants(HOT, ledger(), START + 3600, channel) == [FIRING], "at 04:12"


def test_an_acknowledgement_is_told_after_ten_seconds_to_whom_it_was_told() -> None:
    mark = f"acknowledged:anna@{FIRED + 20}"
    assert wants(ACKED, ledger(*told(FIRING)), START + 20 + UNDO - 0.1) == []
    assert wants(ACKED, ledger(*told(FIRING)), START + 20 + UNDO) == [mark]
    assert wants(ACKED, ledger(*told(FIRING)), START - 5) == [], "another host's clock is ahead of ours"
    assert wants(ACKED, ledger(*told(FIRING)), START - 3600) == [mark], "our clock was set back"
    assert wants(ACKED, ledger(*told(FIRING), *told(mark)), START + 99) == []
    assert wants(replace(ACKED, acked_by="", acked_at=None), ledger(*told(FIRING)), START + 99) == [], "taken back"
    assert wants(ACKED, ledger(), START + 99) == [FIRING], "who was not told that it fires is told that first"


def test_who_takes_it_on_after_another_is_told_too() -> None:
    first = told(f"acknowledged:anna@{FIRED + 20}")
    ben = replace(ACKED, acked_by="ben", acked_at=START + 200)
    assert wants(ben, ledger(*told(FIRING), *first), START + 300) == [f"acknowledged:ben@{FIRED + 200}"]


def test_its_end_goes_to_exactly_those_who_were_told_at_any_hour() -> None:
    ended = over(HOT, START + 60)
    night = Channel(kind="command", name="chat", when=When(hours="22:00-23:00", severity=("P0",)))
    assert wants(ended, ledger(*told(FIRING)), START + 61, night) == [RESOLVED]
    assert wants(ended, ledger(claimed(FIRING)), START + 61) == [RESOLVED], "it may have been told"
    assert wants(ended, ledger(), START + 61) == []
    assert wants(ended, ledger(claimed(FIRING), Untold("hot", "chat", FIRING, "404")), START + 61) == []
    assert wants(ended, ledger(*told(FIRING), *told(RESOLVED)), START + 61) == []
    assert wants(replace(ended, silenced=Shown("by anna")), ledger(*told(FIRING)), START + 61) == [RESOLVED]


def test_who_was_called_for_help_is_told_its_end() -> None:
    channel = Channel(kind="command", name="chat", on=("escalated", "resolved"))
    called = told(f"escalated:cto@{FIRED}")
    assert wants(HOT, ledger(*called), START + 61, channel) == []
    assert wants(over(HOT, START + 60), ledger(*called), START + 61, channel) == [RESOLVED]


def test_the_next_time_it_fires_is_told_again() -> None:
    later = replace(HOT, fired_at=START + 100)
    assert wants(later, ledger(*told(FIRING), *told(RESOLVED))) == [f"firing:P1@{FIRED + 100}"]
    much_later = replace(HOT, fired_at=START + SAME + 1)
    assert wants(much_later, ledger(*told(FIRING))) == [f"firing:P1@{FIRED + SAME + 1}"], "though its end was never told"


def test_what_another_host_saw_a_little_earlier_is_the_same() -> None:
    theirs = ledger(*told(FIRING))
    mine = replace(HOT, fired_at=START + 7)
    assert wants(mine, theirs) == []
    theirs.apply(9, START + 60, Claimed("hot", "chat", RESOLVED))
    theirs.apply(10, START + 60, Told("hot", "chat", RESOLVED))
    assert wants(mine, theirs) == [], "they saw its end first: it is no new beginning here"
    assert wants(over(mine, START + 61), theirs) == []


def test_a_claim_whose_sender_is_gone_is_sent_again_only_where_that_does_no_harm() -> None:
    lost = ledger(claimed(FIRING), claimed(FIRING, "pager"))
    pager = Pager(kind="pagerduty", name="pager")
    assert wants(HOT, lost, START + IN_FLIGHT + 1) == []
    assert wants(HOT, lost, START + IN_FLIGHT, pager) == [], "its sender may still be at it"
    assert wants(HOT, lost, START + IN_FLIGHT + 1, pager) == [FIRING]
    assert [(print_, channel) for print_, channel, _ in lost.unanswered(START + IN_FLIGHT + 1)] == [
        ("hot", "chat"),
        ("hot", "pager"),
    ]
    lost.apply(9, START, Told("hot", "chat", FIRING))
    assert len(lost.unanswered(START + IN_FLIGHT + 1)) == 1


def test_the_first_claim_counts() -> None:
    made = ledger(claimed(FIRING), claimed(FIRING))
    standing = made.standing("hot", "chat", Mark("firing", "P1", FIRED))
    assert standing is not None and standing.id == 1


def test_what_was_told_together_is_one_incident_until_the_last_is_over() -> None:
    made = ledger(*told(f"{FIRING}#hot"), *told(f"{FIRING}#hot", fingerprint="warm"), *told(FIRING, fingerprint="alone"))
    assert [made.group(each, "chat", FIRED) for each in ("hot", "warm", "alone")] == ["hot", "hot", "alone"]
    assert made.open_members("chat", "hot") == {"hot", "warm"}
    made.apply(90, START, Claimed("hot", "chat", RESOLVED))
    assert made.open_members("chat", "hot") == {"warm"}


def test_what_is_long_past_is_let_go_of() -> None:
    made = ledger(*told(FIRING), claimed(FIRING, "other"))
    made.forget_before(START - 1)
    assert len(made.open()) == 2
    made.forget_before(START + KEPT)
    assert made.open() == [] and made.unanswered(START + KEPT) == []


@given(st.lists(st.sampled_from(["claimed", "told", "untold"]), max_size=12))
def test_entries_in_any_order_agree_with_the_drawing(steps: list[str]) -> None:
    entries: dict[str, Said] = {
        "claimed": claimed(FIRING),
        "told": Told("hot", "chat", FIRING),
        "untold": Untold("hot", "chat", FIRING, "429"),
    }
    stands = "nothing"
    for step in steps:
        if step == "claimed":
            stands = "claimed" if stands in ("nothing", "untold") else stands
        elif stands != "nothing":
            stands = step
    made = ledger(*(entries[step] for step in steps))
    assert (wants(HOT, made) == [FIRING]) is (stands in ("nothing", "untold"))
    assert bool(made.unanswered(START + IN_FLIGHT + 1)) is (stands == "claimed")
