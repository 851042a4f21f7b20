"""The desk: what people say of alerts, told as stories."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tests.clocks import START
from tests.engine.some_alerts import alert, entry
from tui.engine.alert import Alert, Fold, Severity
from tui.engine.ask import Matcher
from tui.engine.desk import AGAIN, Desk
from tui.engine.entries import (
    Acknowledged,
    AlertMoved,
    Maintained,
    Marked,
    Paged,
    Said,
    Silenced,
    SilenceEnded,
    Unacknowledged,
)
from tui.engine.maintenance import Window
from tui.engine.reading import Change
from tui.engine.text import Shown


class Watch:
    """A desk, the alerts that there are, and the one who polls saying what is to be said by itself."""

    def __init__(self, *alerts: Alert, windows: tuple[Window, ...] = ()) -> None:
        self.desk = Desk(windows)
        self.alerts = list(alerts)
        self.now = 0.0
        self.said: list[str] = []

    def at(self, seconds: float) -> Watch:
        """So many seconds after START."""
        self.now = seconds
        return self

    def says(self, said: Said, who: str = "anna", origin: str | None = None) -> Watch:
        self.desk.apply(entry(said, self.now, who, origin))
        return self

    def look(self) -> tuple[tuple[Alert, ...], tuple[Fold, ...]]:
        """What is shown, after what the one who polls says by itself has been heard."""
        _, folds = self.desk.dress(self.alerts, (), START + self.now)
        for said in self.desk.coming_back(folds, START + self.now):
            self.said.append(" ".join(why for _, why in said.alerts))
            self.desk.apply(entry(said, self.now, "watchfloor"))
        return self.desk.dress(self.alerts, (), START + self.now)

    @property
    def open(self) -> list[str]:
        """What wants an answer."""
        return [each.fingerprint for each in self.look()[0] if each.wants_answer]


def acked(*alerts: tuple[str, Severity]) -> Acknowledged:
    return Acknowledged(alerts)


def silence(*matchers: Matcher, until: float, id_: str = "s1", at: str = "") -> Silenced:
    return Silenced(id_, matchers, START + until, "deploy noise", at)


# --- acknowledgements ----------------------------------------------------------------------------------------------------


def test_an_acknowledged_alert_says_by_whom_and_since_when() -> None:
    watch = Watch(alert("errors"))
    assert watch.open == ["errors"]
    watch.at(30).says(acked(("errors", "P1")))
    (shown,), (fold,) = watch.look()
    assert (shown.acked_by, shown.acked_at, shown.wants_answer, fold.wants_answer) == ("anna", START + 30, False, False)
    assert watch.at(30 + 10 * AGAIN).open == [], "it holds as long as the alert does"


def test_it_ends_with_the_alert_and_the_next_one_needs_its_own() -> None:
    watch = Watch(alert("errors")).at(30).says(acked(("errors", "P1")))
    watch.alerts = [alert("errors", state="resolved")]
    assert watch.look()[0][0].acked_by == ""
    watch.alerts = [alert("errors", since=60)]
    assert watch.at(61).open == ["errors"]


def test_it_ends_when_the_journal_says_that_the_alert_did_also_within_the_same_second() -> None:
    watch = Watch(alert("errors")).at(0).says(acked(("errors", "P1")))
    watch.says(AlertMoved(alert("errors", state="resolved"), "firing"))
    assert watch.open == ["errors"]


def test_one_that_polls_by_another_config_ends_its_own_alert_and_not_ours() -> None:
    """Two checkouts of one config, a limit apart, share a journal: one fingerprint, two lives."""
    watch = Watch(alert("errors")).at(10).says(acked(("errors", "P1")))
    watch.at(60).says(AlertMoved(alert("errors", since=5, state="resolved", ended=START + 60), "firing"))
    assert watch.open == []
    watch.alerts = [alert("errors", since=61)]
    assert watch.at(61).open == ["errors"], "one that begins after that is another life"


def test_a_pending_one_may_be_acknowledged_before_it_fires() -> None:
    watch = Watch(alert("errors", state="pending")).at(5).says(acked(("errors", "P1")))
    watch.alerts = [alert("errors", fired_at=START + 60)]
    assert watch.at(60).open == []


def test_a_rise_comes_back_a_fall_does_not() -> None:
    watch = Watch(alert("errors", severity="P1")).at(10).says(acked(("errors", "P1")))
    watch.alerts = [alert("errors", severity="P2")]
    assert watch.at(20).open == []
    watch.alerts = [alert("errors", severity="P0")]
    assert watch.at(30).open == ["errors"]
    (shown,), (fold,) = watch.look()
    assert (shown.came_back, fold.joined, shown.asked_at) == ("errors rose from P1 to P0",) * 2 + (START + 30,)
    watch.at(40).says(acked(("errors", "P0")), who="kim")
    assert watch.open == []
    assert watch.look()[0][0].acked_by == "kim"


def test_what_joins_brings_the_line_back_and_is_named() -> None:
    watch = Watch(alert("errors", target="web")).at(10).says(acked(("errors", "P1")))
    watch.alerts.append(alert("slow", since=100, target="web"))
    assert watch.at(100).open == ["slow"], "the one that was acknowledged is still"
    ((first, second), (fold,)) = watch.look()
    assert (fold.joined, first.acked_by, second.acked_by) == ("slow joined", "anna", "")


def test_it_comes_back_once_in_ten_minutes() -> None:
    watch = Watch(alert("errors", target="web")).at(10).says(acked(("errors", "P1")))
    watch.alerts.append(alert("slow", since=100, target="web"))
    assert watch.at(100).open == ["slow"]
    watch.at(110).says(acked(("errors", "P1"), ("slow", "P1")))
    watch.alerts.append(alert("full", since=200, target="web"))
    assert watch.at(200).open == []
    rider = next(each for each in watch.look()[0] if each.fingerprint == "full")
    assert rider.acked_by == "anna", "it rides on what was said of its line"
    assert watch.at(100 + AGAIN - 1).open == []
    assert watch.at(100 + AGAIN).open == ["full"]
    assert watch.said == ["slow joined", "full joined"]


def test_what_is_worse_than_what_it_came_back_by_waits_for_nothing() -> None:
    watch = Watch(alert("errors", target="web", severity="P2")).at(10).says(acked(("errors", "P2")))
    watch.alerts.append(alert("slow", since=100, target="web", severity="P2"))
    assert watch.at(100).open == ["slow"]
    watch.at(110).says(acked(("errors", "P2"), ("slow", "P2")))
    watch.alerts.append(alert("down", since=200, target="web", severity="P0"))
    assert watch.at(200).open == ["down"], "nobody who took on a P2 has taken on this"
    watch.at(210).says(acked(("errors", "P2"), ("slow", "P2"), ("down", "P0")))
    for turn in range(300, 800, 100):  # one that flaps
        watch.says(AlertMoved(alert("down", 200, "P0", "resolved", target="web", ended=START + turn - 1), "firing"))
        watch.alerts[-1] = alert("down", since=turn, target="web", severity="P0")
        assert watch.at(turn).open == []
    assert watch.at(200 + AGAIN).open == ["down"]
    assert watch.said == ["slow joined", "down joined", "down joined"]


def test_while_a_line_wants_an_answer_whatever_joins_is_just_one_more() -> None:
    watch = Watch(alert("errors", target="web")).at(10).says(acked(("errors", "P1")))
    watch.alerts.append(alert("slow", since=100, target="web"))
    watch.at(100).look()
    watch.alerts.append(alert("full", since=150, target="web"))
    assert watch.at(150).open == ["slow", "full"]


def test_what_was_not_shown_when_it_was_acknowledged_is_not_taken() -> None:
    """By fingerprint: what stood there before and was left out is simply unanswered, and has not joined."""
    watch = Watch(alert("errors", target="web"), alert("slow", since=5, target="web"))
    watch.at(10).says(acked(("errors", "P1")))
    assert watch.open == ["slow"]
    assert watch.said == []


def test_given_back_it_wants_an_answer_from_that_moment_on() -> None:
    watch = Watch(alert("errors")).at(10).says(acked(("errors", "P1")))
    watch.at(15).says(Unacknowledged(("errors",)), who="kim")
    assert watch.open == ["errors"]
    (shown,) = watch.look()[0]
    assert (shown.came_back, shown.asked_at) == ("given back by kim", START + 15)


def test_given_back_it_does_not_ride_on_its_line() -> None:
    watch = Watch(alert("errors", target="web")).at(10).says(acked(("errors", "P1")))
    watch.alerts.append(alert("slow", since=100, target="web"))
    watch.at(100).look()
    watch.at(110).says(acked(("slow", "P1")))
    watch.at(120).says(acked(("errors", "P1")))
    watch.at(130).says(Unacknowledged(("slow",)))
    assert watch.open == ["slow"]


def test_another_host_that_saw_it_begin_earlier_acknowledges_it_here_too() -> None:
    watch = Watch(alert("errors", since=4)).at(2).says(acked(("errors", "P1")), origin="bastion-2")
    assert watch.open == []
    assert Watch(alert("errors", since=4)).at(2).says(acked(("errors", "P1"))).open == ["errors"], "here it is the life before"
    watch.says(AlertMoved(alert("errors", state="resolved"), "firing"), origin="bastion-2")
    assert watch.open == [], "that it is over there does not mean that it is here"


def test_a_desk_that_reads_the_record_again_says_the_same() -> None:
    watch = Watch(alert("errors", target="web")).at(10).says(acked(("errors", "P1")))
    first = watch.look()
    once_more = Watch(*watch.alerts).at(10).says(acked(("errors", "P1")))
    assert once_more.look() == first
    assert watch.desk.dress(first[0], (), START + 10) == first, "what was dressed before may be dressed again"


# --- silences and maintenance ---------------------------------------------------------------------------------------------


def test_a_silence_holds_for_its_time_then_the_alert_asks() -> None:
    watch = Watch(alert("errors")).at(10).says(silence(Matcher("alertname", "errors"), until=70))
    (shown,) = watch.look()[0]
    assert (shown.silenced, shown.state) == ("by anna until 03:13:22Z: deploy noise", "firing")
    assert watch.open == []
    assert watch.at(70).open == ["errors"]
    assert watch.look()[0][0].asked_at == START + 70, "its clock starts when it is quiet no longer"


def test_a_silence_that_ends_on_another_day_says_which() -> None:
    watch = Watch(alert("errors")).at(10).says(silence(Matcher("alertname", "errors"), until=86400))
    (shown,) = watch.look()[0]
    assert shown.silenced == "by anna until 22 Nov 03:12Z: deploy noise"


def test_a_silence_may_be_ended_and_says_what_it_hides() -> None:
    watch = Watch(alert("errors"), alert("slow", 500)).at(10).says(silence(Matcher("alertname", "errors"), until=3600))
    (held,) = watch.desk.quiet.silences(watch.alerts, START + 10)
    assert (held.id, held.hides, held.since, held.until, held.who) == ("s1", ("errors",), START + 10, START + 3600, "anna")
    (idle,) = watch.desk.quiet.silences([alert("errors", state="resolved")], START + 10)
    assert idle.hides == (), "it matches nothing any more"
    watch.at(20).says(SilenceEnded("s1"))
    assert watch.open == ["errors", "slow"]
    assert watch.desk.quiet.silences(watch.alerts, START + 20) == ()


def test_a_silence_that_alertmanager_holds_is_not_ours() -> None:
    watch = Watch(alert("errors")).at(10).says(silence(Matcher("alertname", "errors"), until=3600, at="alerts"))
    assert watch.open == ["errors"]
    assert watch.desk.quiet.silences(watch.alerts, START + 10) == ()


def test_what_another_system_silenced_is_quiet_here_and_stays_so_when_ours_ends() -> None:
    theirs = alert("am:1", source="alertmanager", silenced_there=Shown("silenced by kim"))
    watch = Watch(theirs).at(10).says(silence(Matcher("alertname", "am:1"), until=60))
    assert watch.look()[0][0].silenced.startswith("by anna")
    assert [each.silenced for each in watch.at(61).look()[0]] == ["silenced by kim"]


def test_maintenance_covers_panels_pages_nobody_and_is_shown_so() -> None:
    window = Window(("api",), START, START + 600, reason=Shown("backups"))
    watch = Watch(alert("errors"), alert("full", 500, panel="database"), windows=(window,))
    assert watch.at(10).open == ["full"]
    shown = next(each for each in watch.look()[0] if each.fingerprint == "errors")
    assert (shown.in_maintenance, shown.silenced) == (True, "maintenance until 03:22:12Z: backups")
    assert watch.desk.quiet.maintenance("api", START + 10) == "maintenance until 03:22:12Z: backups"
    assert watch.desk.quiet.maintenance("database", START + 10) == ""
    (held,) = watch.desk.quiet.silences(watch.alerts, START + 10)
    assert (held.kind, held.from_config, held.panels, held.hides) == ("maintenance", True, ("api",), ("errors",))


def test_after_the_configs_maintenance_an_alert_asks_from_its_end_on() -> None:
    """Nobody was told before: the backup is not due at once."""
    once = Window(("api",), START, START + 3600)
    watch = Watch(alert("errors", 600), windows=(once,))
    assert watch.at(3599).open == []
    assert watch.at(3600).open == ["errors"]
    assert watch.look()[0][0].asked_at == START + 3600
    assert watch.at(9000).look()[0][0].asked_at == START + 3600
    watch.alerts = [alert("errors", 4000)]
    assert watch.look()[0][0].asked_at == START + 4000, "it began when that was over"


def test_what_another_system_no_longer_silences_asks_from_then_on() -> None:
    watch = Watch(alert("am:1", source="alertmanager", loud_since=START + 500)).at(501)
    assert watch.look()[0][0].asked_at == START + 500


def test_maintenance_may_be_said_and_ended() -> None:
    watch = Watch(alert("errors")).at(10).says(Maintained("m1", (), START + 10, START + 600, "move"))
    assert watch.open == []
    assert [each.from_config for each in watch.desk.quiet.silences((), START + 10)] == [False]
    watch.at(20).says(SilenceEnded("m1"))
    assert watch.open == ["errors"]
    assert watch.look()[0][0].asked_at == START + 20


# --- paging, marks ----------------------------------------------------------------------------------------------------------


def test_a_page_is_of_this_life_and_of_the_answer_that_is_wanted_now() -> None:
    watch = Watch(alert("errors")).at(900).says(Paged("errors", "kim"))
    (shown,) = watch.look()[0]
    found = watch.desk.paged(shown)
    assert found is not None
    assert (found.at, found.whom) == (START + 900, "kim")
    watch.at(910).says(Paged("errors", "kim", reached=False, says="kim: NOT told by sms"))
    assert watch.desk.paged(shown) == found, "who was reached once, was"
    watch.at(1000).says(acked(("errors", "P1")))
    watch.at(2000).says(Unacknowledged(("errors",)))
    assert watch.desk.paged(watch.look()[0][0]) is None, "given back: its clock begins anew"
    assert watch.desk.paged(replace(shown, since=START + 3000, fired_at=START + 3000, asked_at=START + 3000)) is None


def test_a_page_that_reached_nobody_says_why() -> None:
    watch = Watch(alert("errors")).at(900).says(Paged("errors", "kim", reached=False, says="kim: NOT told by sms"))
    (shown,) = watch.look()[0]
    found = watch.desk.paged(shown)
    assert found is not None and found.unreached == "kim: NOT told by sms"
    watch.at(940).says(
        Paged("errors", "kim", False, False, "kim: told by pagerduty; NOT told by sms", ("pagerduty",), ("sms",))
    )
    found = watch.desk.paged(shown)
    assert found is not None and found.partly == "kim paged by pagerduty, NOT by sms"
    watch.at(950).says(Paged("errors", "kim"))
    found = watch.desk.paged(shown)
    assert found is not None and (found.at, found.unreached) == (START + 950, "")


def test_marks_are_changes() -> None:
    change = Change("m1", START, "mark", Shown("config pushed"))
    assert Watch().says(Marked(change)).desk.marks() == (change,)


@pytest.mark.parametrize("data", [{}, {"alerts": "nonsense"}])
def test_an_entry_that_cannot_be_read_says_nothing(data: dict[str, str]) -> None:
    desk = Desk()
    desk.apply(replace(entry(acked(("errors", "P1")), 0), data=data))
    assert [each.wants_answer for each in desk.dress([alert("errors")], (), START)[0]] == [True]


# --- what another host sends late ----------------------------------------------------------------------------------------


def test_what_was_said_before_it_and_arrives_after_it_undoes_nothing() -> None:
    """A host that was cut off from the team sends what it said meanwhile."""
    watch = Watch(alert("errors"))
    watch.at(200).says(acked(("errors", "P1")), "ben")
    watch.at(300).says(Unacknowledged(("errors",)), "ben")
    watch.at(100).says(acked(("errors", "P1")), "anna", "bastion-1")
    watch.at(400)
    assert watch.open == ["errors"], "given back since: so it stands on bastion-1, too, which read the three in another order"
    watch.at(500).says(acked(("errors", "P1")), "carl", "bastion-3")
    assert watch.open == []


def test_hosts_whose_clocks_differ_a_little_go_by_what_arrives() -> None:
    watch = Watch(alert("errors"))
    watch.at(200).says(Unacknowledged(("errors",)), "ben")
    watch.at(180).says(acked(("errors", "P1")), "anna", "bastion-1")
    assert watch.open == []


def test_a_clock_that_is_set_back_costs_no_acknowledgement_here() -> None:
    watch = Watch(alert("errors"))
    watch.at(600).says(Unacknowledged(("errors",)))
    watch.at(60).says(acked(("errors", "P1")))
    assert watch.open == []
