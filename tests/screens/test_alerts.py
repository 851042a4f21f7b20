"""What a person says of alerts: what is taken, what is shown before it is said, and what counts as saying it."""

from __future__ import annotations

from msgspec.structs import replace

from panels.alerts.config import AlertsConfig
from tests import story
from tests.screens.conftest import Open, Stage
from tui.engine.actions import PlanRefused
from tui.engine.alert import Alert, Fold, Suspect
from tui.engine.ask import (
    Acknowledge,
    CallItFalse,
    EndSilence,
    Maintain,
    MakeSilence,
    Mark,
    Matcher,
    Page,
    PollNow,
    Settle,
    Tuning,
    Unacknowledge,
    Unrecorded,
)
from tui.engine.feed import Level, OpenIntent, Seat, Snapshot
from tui.engine.silences import Silence
from tui.engine.text import Shown
from tui.screens.suspect_axis import suspect_lines
from tui.widgets.glyphs import UNICODE
from tui.widgets.top import line_one, line_two

ERRORS, CONNECTIONS = story.snapshot().alerts
SLOW = replace(ERRORS, fingerprint="c", rule="slow", severity="P2", labels=(("route", "GET /"),), target="GET /")


def with_alerts(*folds: Fold) -> Snapshot:
    """The story's snapshot with other alerts."""
    alerts = tuple(alert for fold in folds for alert in fold.alerts)
    return with_silences(replace(story.snapshot(), alerts=alerts, folds=folds, escalations=story.escalations(alerts)))


def with_silences(shot: Snapshot, *silences: Silence) -> Snapshot:
    """The snapshot with silences in force; its panels are told what it says of alerts."""
    panels = tuple(replace(panel, folds=shot.folds, escalations=shot.escalations, silences=silences) for panel in shot.panels)
    return replace(shot, silences=silences, panels=panels)


async def say_yes(stage: Stage) -> None:
    """The plan has stood; `y` is typed, and settles."""
    await stage.stand()
    await stage.press("y")
    await stage.settle()


# --- line 2 ---------------------------------------------------------------------------------------------------------


def two(snapshot: Snapshot, now: float = story.NOW, width: int = 80) -> str:
    """Line 2."""
    return line_two(snapshot, now, width, UNICODE).text.rstrip()


def test_line_two_keeps_the_clock_where_room_is_short() -> None:
    shot = story.snapshot()
    assert two(shot) == " P0 ✖ error rate 6.2 % > 5 %  metrics  9m12s       not acked · backup due in 3m"
    assert two(shot, width=120).endswith("◆ deploy 9f3c2a1, 1m20s before" + " " * 14 + "not acked · backup due in 3m")
    assert two(shot, width=60) == " P0 ✖ error rate 6.2 % > 5 %  metrics  9…  backup due in 3m"


def test_a_suspect_is_cut_before_it_goes_and_how_long_before_it_was_stays() -> None:
    says = Shown("session 1452 (usage-backfill) blocks others in database, 12s before")
    shot = replace(story.snapshot(), alerts=(replace(ERRORS, suspect=says),), folds=())
    assert says in two(shot, width=150)
    assert "◆ session 1452 (usage-backfi…, 12s before   not acked" in two(shot, width=120)
    assert "session" not in two(shot)


def test_a_countdown_ticks_in_its_last_minute_only() -> None:
    shot = story.snapshot()
    due = shot.escalations[0].due or 0.0
    assert two(shot, due - 179) == two(shot, due - 121)
    assert two(shot, due - 42).endswith("backup due in 42s") and two(shot, due - 41).endswith("in 41s")
    assert two(shot, due + 30).endswith("not acked · backup due now")
    paged = replace(shot, escalations=(replace(shot.escalations[0], paged_at=story.NOW - 130),))
    assert two(paged).endswith("backup paged 2m ago")


def test_what_is_acknowledged_or_silenced_is_never_on_line_two() -> None:
    acked, hushed = replace(ERRORS, acked_by="kim"), replace(ERRORS, silenced=Shown("by kim"))
    assert two(with_alerts(Fold("a", (acked,)))) == ""
    assert two(with_alerts(Fold("a", (hushed,)))) == ""
    assert two(with_alerts(Fold("a", (acked,)), Fold("c", (SLOW,)))).startswith(" P2 ▲ slow")


def test_line_two_counts_what_stands_behind_it() -> None:
    three = Fold("a", (ERRORS, SLOW, replace(SLOW, fingerprint="d")))
    assert "metrics +2  9m12s" in two(with_alerts(three))
    assert two(with_alerts(three, Fold("e", (replace(SLOW, fingerprint="e"),))), width=140).endswith("due in 3m · 1 more")


def test_line_one_says_who_polls_only_where_it_matters() -> None:
    def one(width: int, **more: object) -> str:
        return line_one(replace(story.snapshot(), alerts=(), **more), story.NOW, None, width, UNICODE).text

    assert "record" not in one(120)
    assert "no record: this screen is all there is" in one(120, seat=Seat("leads"))
    assert "no record" in one(80, seat=Seat("leads")) and "screen" not in one(80, seat=Seat("leads"))
    assert "record" not in one(120, seat=Seat("leads"), tells=False)
    assert "read-only: nobody is told" in one(120, seat=Seat("leads"), level=Level.WATCH)
    assert "nobody" not in one(120, seat=Seat("leads"), level=Level.WATCH, tells=False)
    assert "polled by anna, pid 4711" in one(120, seat=Seat("follows", Shown("anna, pid 4711"), True))
    window = Silence("w", "maintenance", story.NOW - 60, story.NOW + 600, panels=("jobs",))
    assert "maintenance of jobs until 03:22Z" in one(120, silences=(window,))
    assert "ok        maintenance  armed" in one(80, silences=(window,))
    assert "maintenance" not in one(120, silences=(replace(window, until=story.NOW - 1),))


def test_line_two_cuts_labels_before_what_is_wrong_and_since_when() -> None:
    long = replace(ERRORS, labels=(("route", "/api/" + "very-long-" * 9),), suspect=Shown(""))
    line = two(replace(story.snapshot(), alerts=(long,), folds=()))
    assert line == " P0 ✖ error rate /api/very-long-… 6.2 % > 5 %  metrics  9m12s  backup due in 3m"
    both = replace(long, rule="A rule with a name that nobody would ever want to read at night")
    assert " 6.2 % > 5 %  metrics  9m12s" in two(replace(story.snapshot(), alerts=(both,), folds=()))


def test_line_one_says_who_took_it_on_and_how_long_ago() -> None:
    def one(width: int, *alerts: Alert) -> str:
        return line_one(replace(story.snapshot(), alerts=alerts), story.NOW, None, width, UNICODE).text

    first = story.snapshot().alerts[0]
    taken = replace(first, acked_by="mira", acked_at=story.NOW - 98)
    assert "P0 acked by mira, 1m38s" in one(120, taken, replace(taken, severity="P2", acked_by="jon"))
    assert "acked by mira" in one(80, taken) and "acked" not in one(120, first)
    assert "acked" not in one(120, replace(taken, state="resolved"))
    hushed = replace(first, silenced=Shown("by kim"))
    assert "P0 silenced" in one(120, hushed) and "silenced" in one(80, hushed)
    assert "silenced" not in one(120, replace(hushed, severity="P2"))  # nobody is paged by it anyway


# --- acknowledging --------------------------------------------------------------------------------------------------


async def test_keys_that_would_only_say_why_not_come_last(opened: Open) -> None:
    async with opened(size=(120, 36)) as stage:
        assert stage.lines[-1].index("a ack") < stage.lines[-1].index("r poll now")
        await stage.publish(replace(story.snapshot(night=story.Night(broken=False)), number=2))
        assert "a ack" not in stage.lines[-1]


async def test_where_nobody_is_told_nobody_is_said_to_be(opened: Open) -> None:
    async with opened(first=replace(story.snapshot(), tells=False)) as stage:
        await stage.press("4", "a")
        assert "acknowledged P0 error rate   a undoes, for 10s" in stage.text
        assert "told" not in stage.of("says")


async def test_what_is_said_next_is_not_what_was_said_before(opened: Open) -> None:
    async with opened() as stage:
        await stage.press("1", "a")
        assert "a undoes" in stage.lines[-2]
        await stage.stand(9.5)
        await stage.publish(story.snapshot(story.NOW + 9.5, number=2))
        assert "told in 1s" in stage.lines[-2]
        await stage.stand(2)
        await stage.tick()
        assert stage.lines[-2].strip() == ""
        await stage.press("s")
        assert stage.lines[-2].strip() == stage.of("says").strip() == "sorted by endpoint"


async def test_a_takes_line_two_from_anywhere_and_gives_it_back_within_ten_seconds(opened: Open) -> None:
    async with opened() as stage:
        await stage.press("4", "a")
        assert stage.engine.asked == [Acknowledge(("a",))]
        assert "acknowledged P0 error rate   others are told in 10s · a undoes" in stage.text
        stage.clock.move(2)
        await stage.tick()
        assert "told in 8s · a undoes" in stage.text
        await stage.press("j")
        assert "told in 8s · a undoes" in stage.text
        await stage.press("a")
        assert stage.engine.asked[1:] == [Unacknowledge(("a",))]
        assert "taken back, nobody was told: P0 error rate" in stage.text


async def test_after_ten_seconds_nothing_is_taken_back(opened: Open) -> None:
    async with opened() as stage:
        await stage.press("4", "a")
        acked = replace(ERRORS, acked_by="anna", acked_at=story.NOW)
        await stage.publish(with_alerts(Fold("a", (acked,))))
        stage.clock.move(10)
        await stage.press("a")
        assert stage.engine.asked == [Acknowledge(("a",))]
        assert "undoes" not in stage.text and "nothing wants an answer" in stage.text


async def test_on_the_alerts_a_takes_the_selected_line_and_all_of_it(opened: Open) -> None:
    shot = with_alerts(Fold("a", (ERRORS,)), Fold("b", (replace(CONNECTIONS, acked_by=""), SLOW)))
    async with opened(first=shot) as stage:
        await stage.press("6", "j", "a")
        assert stage.engine.asked == [Acknowledge(("b", "c"))]
        await stage.press("k", "a")  # another line is another acknowledgement, not an undo
        assert stage.engine.asked[1:] == [Acknowledge(("a",))]


async def test_marked_lines_are_taken_together(opened: Open) -> None:
    shot = with_alerts(Fold("a", (ERRORS,)), Fold("b", (replace(CONNECTIONS, acked_by=""),)))
    async with opened(first=shot) as stage:
        await stage.press("6", "m", "j", "m", "a")
        assert stage.engine.asked == [Acknowledge(("a", "b"))]


async def test_a_takes_what_was_shown_and_not_what_joined_meanwhile(opened: Open) -> None:
    first = with_alerts(Fold("a", (ERRORS,)))
    async with opened(first=first) as stage:
        await stage.press("6", "space")  # frozen: what joins is not seen
        await stage.publish(with_alerts(Fold("a", (ERRORS, SLOW))))
        await stage.press("a")
        assert stage.engine.asked == [Acknowledge(("a",))]


async def test_on_a_figure_a_takes_its_own_alert(opened: Open) -> None:
    open_ = replace(CONNECTIONS, acked_by="")
    async with opened(first=with_alerts(Fold("a", (ERRORS,)), Fold("b", (open_,)))) as stage:
        await stage.press("3", "k", "k", "k", "k", "k", "k", "k", "k", "a")
        assert stage.engine.asked == [Acknowledge(("b",))]


async def test_who_has_it_already_is_said(opened: Open) -> None:
    async with opened() as stage:
        await stage.press("6", "j", "a")
        assert not stage.engine.asked and "connections is acknowledged already, by kim at 03:11:50Z" in stage.text


async def test_what_was_not_recorded_did_not_happen(opened: Open) -> None:
    async with opened() as stage:
        stage.engine.answers[Acknowledge] = Unrecorded("the disk is full")
        await stage.press("4", "a")
        assert "NOT acknowledged: the disk is full" in stage.text and "undoes" not in stage.text


# --- silences -------------------------------------------------------------------------------------------------------


async def test_a_silence_shows_what_it_hides_before_it_is_made(opened: Open) -> None:
    other = replace(ERRORS, fingerprint="z", labels=(("route", "GET /"),))
    async with opened(first=with_alerts(Fold("a", (ERRORS,)), Fold("z", (other,)))) as stage:
        await stage.press("4", "S")
        assert 'alertname="error rate"' in stage.text and "hides     2 alerts now" in stage.text
        assert "besides   1 other alert that you did not select" in stage.text
        await stage.press("enter")
        assert "say why" in stage.text and not stage.engine.asked
        assert "tab next field" in stage.text
        await stage.press(*"fix", "space", *"y", "enter")
        assert not stage.engine.asked and "y  silence 2 alerts for 1h" in stage.text
        assert "esc goes back to change it" in stage.text and "leaves all as it is" not in stage.text
        assert "next field" not in stage.text
        await say_yes(stage)
        matchers = (Matcher("alertname", "error rate"), Matcher("panel", "metrics"))
        assert stage.engine.asked == [MakeSilence(matchers, 3600.0, "fix y")]
        assert "silenced for 1h" in stage.text and "1 health" in stage.text


async def test_conditions_and_duration_are_chosen(opened: Open) -> None:
    async with opened() as stage:
        await stage.press("4", "S", *"x", "up", "left", "up", "space", "enter")
        await say_yes(stage)
        assert stage.engine.asked == [MakeSilence((Matcher("alertname", "error rate"),), 1800.0, "x")]


async def test_a_silence_of_nothing_but_everything_cannot_be_made(opened: Open) -> None:
    async with opened() as stage:
        await stage.press("4", "S", *"x", "up", "up", "space", "up", "space", "enter")
        assert "hide everything" in stage.text
        await say_yes(stage)
        assert not stage.engine.asked


async def test_escape_goes_back_a_step_and_leaves_all_as_it_is(opened: Open) -> None:
    async with opened() as stage:
        await stage.press("4", "S", *"why", "enter", "escape")
        assert "why▏" in stage.text
        await stage.press("escape", "y")
        assert not stage.engine.asked and "4 jobs" in stage.text


async def test_a_paste_and_a_held_key_are_no_yes(opened: Open) -> None:
    from textual.events import Paste

    async with opened() as stage:
        await stage.press("4", "S", *"why", "enter", "y")  # before it has stood
        await stage.settle()
        await stage.stand()
        stage.app.screen.post_message(Paste("y"))
        await stage.settle()
        assert not stage.engine.asked and "a paste does not count" in stage.text


async def test_where_alertmanager_is_it_may_hold_the_silence(opened: Open) -> None:
    theirs = replace(ERRORS, fingerprint="alerts.1", panel="alerts", source="alertmanager", rule="Down", says=Shown("down"))
    shot = with_alerts(Fold("alerts.1", (theirs,)))
    settings = AlertsConfig(kind="alerts", alertmanager="http://alertmanager:9093")
    shot = replace(shot, panels=(*shot.panels[:5], replace(shot.panels[5], settings=settings)))
    async with opened(first=shot) as stage:
        await stage.press("4", "S", *"x", "enter")
        await say_yes(stage)
        assert stage.engine.asked == [MakeSilence((Matcher("alertname", "Down"),), 3600.0, "x", at="alerts")]


async def test_on_what_is_silenced_s_ends_it(opened: Open) -> None:
    hushed = replace(ERRORS, silenced=Shown("by kim"))
    silence = Silence("s1", "silence", story.NOW - 60, story.NOW + 600, Shown("kim"), Shown("deploying"), hides=("a",))
    shot = with_silences(with_alerts(Fold("a", (hushed,))), silence)
    async with opened(first=shot) as stage:
        await stage.press("6", "S")
        assert "deploying" in stage.text and "1 alert tells again" in stage.text
        await say_yes(stage)
        assert stage.engine.asked == [EndSilence("s1")]


async def test_a_silence_has_a_row_which_opens_and_ends_it(opened: Open) -> None:
    silence = Silence("s1", "silence", story.NOW - 60, story.NOW + 600, Shown("kim"), Shown("deploying"), hides=("a",))
    shot = with_silences(with_alerts(Fold("a", (replace(ERRORS, silenced=Shown("by kim")),))), silence)
    async with opened(first=shot) as stage:
        await stage.press("6", "G", "enter")
        assert "by        kim, 1m00s ago" in stage.text and "hides     1 alert now" in stage.text
        await stage.press("escape", "S")
        assert "1 alert tells again" in stage.text
        await say_yes(stage)
        assert stage.engine.asked == [EndSilence("s1")]


# --- the rest -------------------------------------------------------------------------------------------------------


async def test_escalating_shows_who_is_called_by_what(opened: Open) -> None:
    async with opened() as stage:
        stage.engine.answers[Page] = "backup was paged by pagerduty"
        await stage.press("4", "E")
        assert "pages     backup" in stage.text and "by        pagerduty, sms" in stage.text and not stage.engine.asked
        await say_yes(stage)
        assert stage.engine.asked == [Page("a")] and "backup was paged by pagerduty" in stage.text


async def test_nobody_is_called_where_nobody_is_on_call_or_somebody_is_at_it(opened: Open) -> None:
    async with opened(first=replace(story.snapshot(), escalations=())) as stage:
        await stage.press("4", "E")
        assert "it needs [escalation]" in stage.text
        await stage.press("6", "j", "E")
        assert "kim is at it: A in its detail gives it back first" in stage.text and not stage.engine.asked


async def test_the_detail_says_all_and_offers_the_rest(opened: Open) -> None:
    async with opened() as stage:
        await stage.press("6", "j", "enter")
        for words in ("by kim at 03:11:50Z, 22s ago", "fired 03:11:32Z", "error rate", "3m32s before", "deploy 9f3c2a1"):
            assert words in stage.text, words
        await stage.press("A")
        await say_yes(stage)
        assert stage.engine.asked == [Unacknowledge(("b",))]
        assert "acknowledged" in stage.text  # back in the detail


async def test_a_false_positive_asks_why_and_offers_what_would_have_kept_it_quiet(opened: Open) -> None:
    async with opened() as stage:
        stage.engine.answers[CallItFalse] = Tuning('[[rule]]\nfor = "10m"', Shown("held for 10m it had not fired"))
        await stage.press("6", "enter", "F", *"noise", "enter")
        await say_yes(stage)
        assert stage.engine.asked == [CallItFalse("a", "noise")]
        assert "held for 10m it had not fired" in stage.text and 'for = "10m"' in stage.text
        await stage.press("y")
        assert stage.app.clipboard == '[[rule]]\nfor = "10m"'


async def test_maintenance_covers_the_panel_it_is_begun_on(opened: Open) -> None:
    async with opened() as stage:
        await stage.press("6", "enter", "M", *"upgrade", "enter")
        await say_yes(stage)
        assert stage.engine.asked == [Maintain(("metrics",), 3600.0, "upgrade")]


async def test_a_line_that_is_over_stays_in_its_detail_as_it_was(opened: Open) -> None:
    async with opened() as stage:
        await stage.press("6", "enter")
        await stage.publish(story.snapshot(story.NOW + 60, story.Night(broken=False)))
        assert "resolved" in stage.text and "error rate" in stage.text
        await stage.press("a")
        assert not stage.engine.asked and "it is over" in stage.text


async def test_marks_silences_and_maintenance_are_found_by_name(opened: Open) -> None:
    async with opened() as stage:
        await stage.press("colon", *"mark deploy of the fix", "enter")
        await stage.pilot.pause()
        assert stage.engine.asked == [Mark("deploy of the fix")] and "marked: deploy of the fix" in stage.text
        await stage.press("colon", *"maintenance", "enter")
        await stage.pilot.pause()
        assert "maintenance" in stage.text and "reason" in stage.text


async def test_what_could_not_be_done_by_name_says_so(opened: Open) -> None:
    """Of a deed whose outcome nobody knows a person says that it is dealt with; the disk does not take it."""
    left = OpenIntent("d7", story.NOW - 300, Shown("ben"), Shown("jobs.retry"), Shown("job 41"))
    async with opened(first=replace(story.snapshot(), open_intents=(left,))) as stage:
        stage.engine.answers[Settle] = PlanRefused("it could not be recorded: disk full")
        await stage.press("colon", *"dealt with", "enter")
        await stage.pilot.pause()
        assert stage.engine.asked == [Settle("d7")]
        assert "NOT noted, jobs.retry job 41 is still open: it could not be recorded: disk full" in stage.text
        stage.engine.answers[Settle] = None
        await stage.press("colon", *"dealt with", "enter")
        await stage.pilot.pause()
        assert "dealt with: jobs.retry job 41" in stage.text
        stage.engine.answers[PollNow] = Unrecorded("the one who polls cannot be asked: locked")
        await stage.press("r")
        assert "metrics is NOT asked: the one who polls cannot be asked: locked" in stage.text


def test_what_a_suspect_did_is_never_cut() -> None:
    what = Shown("session 17917 (shop_api) blocks others in database")
    suspect = Suspect("k", "lock", story.NOW - 600, what, 48.0, touches=False, evidence=Shown("elsewhere"))
    lines = [line.text.rstrip() for line in suspect_lines(replace(ERRORS, suspects=(suspect,)), story.NOW, 80, UNICODE)]
    assert "…" not in "".join(lines[2:]) and " ".join("".join(f"{line[:30]} " for line in lines[2:]).split()[1:]).startswith(
        what
    )
