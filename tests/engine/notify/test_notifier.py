"""The notifier as a whole, on a driven clock, with a real journal and real receivers: told once, in time, to the right ones."""

from __future__ import annotations

from msgspec.structs import replace

from tests.clocks import START
from tests.engine.notify.alerts import ERRORS, alert, fold, over
from tests.engine.notify.floor import SETUP, floor, kept, pagerduty, slow
from tests.servers.receivers import Mails, Receivers
from tests.waiting import LONG
from tui.engine.alert import single
from tui.engine.entries import AlertMoved
from tui.engine.notify.channel import Undelivered
from tui.engine.notify.gathering import GATHER, JOINERS
from tui.engine.notify.gone import GONE
from tui.engine.notify.mail import Mail
from tui.engine.notify.slack import Slack
from tui.engine.text import Shown


async def test_it_is_told_after_a_moment_once_and_so_is_its_end() -> None:
    chat = kept()
    async with floor(chat) as watch:
        await watch.sees(ERRORS, seconds=GATHER - 1)
        assert chat.said == [], "others of its fold may follow"
        await watch.passes(1)
        assert chat.said == ["P0 firing: HighErrorRate 6.2 % > 5 % (shop production)"]
        await watch.passes(120)
        assert len(chat.took) == 1
        await watch.sees(over(ERRORS, watch.clock.utc()))
        await watch.sees(seconds=GONE + 20)
        assert len(chat.took) == 2 and chat.took[1].transition == "resolved"
        assert watch.said() == [
            "claimed chat firing:P0",
            "told chat firing:P0",
            "claimed chat resolved:",
            "told chat resolved:",
        ]


async def test_it_is_claimed_on_the_disk_before_it_is_sent() -> None:
    chat = kept()
    async with floor(chat) as watch:
        seen: list[list[str]] = []
        chat.before.append(lambda: seen.append(watch.said()))
        await watch.sees(ERRORS)
        assert seen == [["claimed chat firing:P0"]]


async def test_what_is_over_within_the_moment_is_told_to_nobody() -> None:
    chat = kept()
    async with floor(chat) as watch:
        await watch.sees(ERRORS, seconds=2)
        await watch.sees(over(ERRORS, START + 2), seconds=60)
        assert chat.took == [] and watch.said() == []


async def test_an_acknowledgement_is_told_after_ten_seconds_unless_taken_back() -> None:
    chat = kept()
    async with floor(chat) as watch:
        await watch.sees(ERRORS)
        acked = replace(ERRORS, acked_by="anna", acked_at=watch.clock.utc())
        await watch.sees(acked, seconds=9)
        await watch.sees(ERRORS, seconds=30)
        assert len(chat.took) == 1, "taken back in time"
        acked = replace(ERRORS, acked_by="anna", acked_at=watch.clock.utc())
        await watch.sees(acked, seconds=9)
        assert len(chat.took) == 1
        await watch.passes(1)
        assert chat.said[1:] == ["P0 acknowledged by anna: HighErrorRate 6.2 % > 5 % (shop production)"]


async def test_alerts_of_one_fold_are_one_message_with_a_count() -> None:
    chat = kept()
    many = [alert("hot", "P1", labels={"oven": str(n)}) for n in range(12)]
    async with floor(chat) as watch:
        await watch.sees(fold(*many[:5]), seconds=3)
        await watch.sees(fold(*many), seconds=2)
        assert [each.count for each in chat.took] == [12]
        assert len([line for line in watch.said() if line.startswith("claimed")]) == 12
        await watch.sees(fold(*(over(each, watch.clock.utc()) for each in many)))
        assert [(each.transition, each.count) for each in chat.took[1:]] == [("resolved", 12)]


async def test_who_joins_a_fold_waits_for_others_but_not_if_worse() -> None:
    chat = kept()
    first, *more = (alert("hot", "P1", labels={"oven": str(n)}) for n in range(5))
    worse = alert("burnt", "P0")
    async with floor(chat) as watch:
        await watch.sees(fold(first))
        await watch.sees(fold(first, more[0]), seconds=20)
        await watch.sees(fold(first, *more), seconds=JOINERS - 21)
        assert [each.count for each in chat.took] == [1]
        await watch.passes(1)
        assert [each.count for each in chat.took] == [1, 4]
        await watch.sees(fold(first, *more, worse))
        assert [each.severity for each in chat.took] == ["P1", "P1", "P0"]


async def test_folds_stay_apart() -> None:
    chat = kept()
    async with floor(chat) as watch:
        await watch.sees(alert("hot"), alert("cold"))
        assert [each.count for each in chat.took] == [1, 1]


async def test_silenced_pending_and_in_maintenance_tell_nobody_and_then_they_do() -> None:
    chat = kept()
    async with floor(chat) as watch:
        await watch.sees(
            replace(ERRORS, silenced=Shown("by anna")),
            alert("hot", state="pending", fired_at=None),
            alert("cold", in_maintenance=True),
            seconds=60,
        )
        assert chat.took == []
        await watch.sees(ERRORS)
        assert len(chat.took) == 1


async def test_what_nobody_watches_any_more_is_told_to_be_over() -> None:
    chat = kept()
    async with floor(chat) as watch:
        watch.journal.say(START, "watchfloor", AlertMoved(ERRORS, "pending"))
        await watch.sees(ERRORS)
        await watch.sees(seconds=GONE + GATHER + 2)
        assert chat.said[1:] == [
            f"P0 resolved after {chat.said[1].split()[3]} HighErrorRate, no longer watched (shop production)"
        ]


async def test_what_another_config_may_watch_is_not_told_to_be_over() -> None:
    """Two configs on one journal: what one of them told to fire is absent from the other, and goes on."""
    chat, polled_elsewhere = kept(), True
    async with floor(chat) as watch:
        watch.notifier.elsewhere = lambda: polled_elsewhere
        await watch.sees(ERRORS)
        await watch.sees(seconds=GONE + GATHER + 2)
        assert len(chat.said) == 1
        polled_elsewhere = False
        await watch.sees(seconds=GONE - 5)
        assert len(chat.said) == 1, "it counts from when nobody else could see it"
        await watch.sees(seconds=GATHER + 10)
        assert len(chat.said) == 2


async def test_a_fold_is_one_incident_until_its_last_alert_is_over(there: Receivers) -> None:
    many = [alert("hot", "P1", labels={"oven": str(n)}, fingerprint=f"f{n}", since=START - n) for n in range(6)]
    async with floor(pagerduty(there)) as watch:
        await watch.sees(fold(*many))
        assert there.calls == 1 and there.incidents == {"f5": "triggered"}, "the longest of the worst stands for all"
        acked = [replace(each, acked_by="anna", acked_at=watch.clock.utc()) for each in many]
        await watch.sees(fold(*acked), seconds=11)
        assert there.incidents == {"f5": "acknowledged"}
        now = watch.clock.utc()
        await watch.sees(fold(*(over(each, now) for each in acked[3:]), *acked[:3]))
        assert there.incidents == {"f5": "acknowledged"}, "some of it goes on"
        await watch.sees(fold(*(over(each, now) for each in acked)))
        assert there.incidents == {"f5": "resolved"} and there.calls == 1


async def test_one_alert_through_every_real_channel(there: Receivers, mails: Mails) -> None:
    slack = Slack.model_validate({"kind": "slack", "url": "env:SLACK_WEBHOOK"})
    mail = Mail.model_validate(
        {
            "kind": "mail",
            "host": mails.host,
            "port": mails.port,
            "user": mails.user,
            "password": "env:SMTP_PASSWORD",
            "ca": mails.ca,
            "from": "watchfloor@shop.example",
            "to": ["oncall@shop.example"],
        }
    )
    there.behaves = [500, 429]
    async with floor(slack, mail, pagerduty(there)) as watch:
        await watch.sees(ERRORS, seconds=20)
        acked = replace(ERRORS, acked_by="anna", acked_at=watch.clock.utc())
        await watch.sees(acked, seconds=12)
        await watch.sees(over(acked, watch.clock.utc()))
        assert [each["text"].split(":")[0] for each in there.posted] == [
            "<!channel> P0 firing",
            "P0 acknowledged by anna",
            there.posted[2]["text"].split(":")[0],
        ]
        assert [each["event_action"] for each in there.events] == ["trigger", "acknowledge", "resolve"]
        assert [str(each["Subject"]).split(":")[0].split(" after")[0] for each in mails.took] == [
            "P0 firing",
            "P0 acknowledged by anna",
            "P0 resolved",
        ]
        assert watch.notifier.warnings == ()


async def test_a_config_that_is_read_again_takes_effect_and_keeps_what_waits() -> None:
    chat, other = kept(), kept("other")
    async with floor(chat) as watch:
        chat.fails.append(Undelivered("connect: connection refused", retry_after=20))
        await watch.sees(ERRORS)
        watch.notifier.use(replace(SETUP, channels=(chat, other)))
        await watch.passes(30)
        assert len(chat.took) == 1 and len(other.took) == 1
        watch.notifier.use(replace(SETUP, channels=(other,)))
        await watch.sees(over(ERRORS, watch.clock.utc()))
        assert len(chat.took) == 1 and len(other.took) == 2


async def test_what_is_under_way_may_arrive_when_it_ends() -> None:
    chat = slow()
    async with floor(chat) as watch:
        watch.notifier.take(single([ERRORS]), watch.clock.utc())
        await watch.clock.advance(GATHER)
        watch.notifier.take(single([ERRORS]), watch.clock.utc())
        await chat.under_way()
        await watch.notifier.finish(LONG)
        assert watch.said() == ["claimed chat firing:P0", "told chat firing:P0"]
