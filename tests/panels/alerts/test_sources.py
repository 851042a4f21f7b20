"""The panel against a real Alertmanager and a real Prometheus: what fires there, what is silenced, and what no answer means."""

from __future__ import annotations

import datetime
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from panels.alerts import CARD
from panels.alerts.check import check
from panels.alerts.config import AlertsConfig, sources
from panels.alerts.known import TOLD_AGAIN
from panels.alerts.probe import ask
from tests.clocks import DrivenClock
from tests.servers.alertmanager import Alertmanager, start_alertmanager
from tests.servers.http import Web, reply, web
from tests.servers.prometheus import serve_metrics, start_prometheus
from tests.waiting import LONG, looked, soon
from tui.engine.alert import Alert
from tui.engine.ask import Acknowledge, EndSilence, MakeSilence, Matcher, Unrecorded
from tui.engine.clock import Clock
from tui.engine.connections import Tools
from tui.engine.engine import Engine
from tui.engine.feed import Level
from tui.engine.journal import Journal
from tui.engine.panel import Target
from tui.engine.reading import Found, ProbeError, Status
from tui.engine.setup import PanelSetup, Setup
from tui.engine.units import show_duration

__all__ = ["web"]

ERRORS = {"alertname": "HighErrorRate", "severity": "critical", "instance": "web"}


@pytest.fixture(scope="module")
def running() -> Iterator[Alertmanager]:
    with start_alertmanager() as found:
        yield found


@pytest.fixture
def manager(running: Alertmanager) -> Iterator[Alertmanager]:
    """The module's Alertmanager, with nothing firing and nothing silenced."""
    yield running
    for each in running.alerts():
        running.over(time.time() - 3600, each["labels"])
    for each in running.silences():
        running.call("DELETE", f"/api/v2/silence/{each['id']}")


def config(**settings: Any) -> AlertsConfig:
    return AlertsConfig.model_validate({"kind": "alerts"} | settings)


async def look(settings: AlertsConfig, deadline: float = LONG) -> Found:
    """One poll."""
    tools = Tools("test")
    try:
        (wanted,) = sources(settings)
        return await ask(Target("alerts", wanted.name, settings, wanted.part, 10.0, deadline), tools, {})
    finally:
        await tools.close()


@asynccontextmanager
async def watching(settings: AlertsConfig, journal: Journal | None = None, clock: Clock | None = None) -> AsyncIterator[Engine]:
    """An engine with this one panel, polled when a test says so."""
    panel = PanelSetup("alerts", "alerts", CARD, settings)
    setup = Setup("shop", "test", False, "id", "anna", 0.2, LONG, (panel,))
    async with Engine(setup, Level.RESPOND, journal=journal, clock=clock).session() as engine:
        yield engine


async def polled(engine: Engine) -> tuple[Alert, ...]:
    await engine.watching.poller.once()
    return engine.judge_now().alerts


async def answered(engine: Engine, question: Any) -> Any:
    return await engine.questions.answer(question)


# --- an Alertmanager --------------------------------------------------------------------------------------------------------


async def test_what_fires_there_is_an_alert_here(manager: Alertmanager) -> None:
    notes = {
        "summary": "6.2 % of requests fail",
        "description": "Customers cannot pay.",
        "runbook_url": "https://runbooks.example/1",
    }
    began = time.time() - 600
    manager.fires(ERRORS, since=began, annotations=notes)
    found = await look(config(alertmanager=manager.url))
    (alert,) = found.alerts
    assert (found.status, alert.source) == (Status.OK, "alertmanager")
    assert (alert.name, alert.severity, alert.state) == ("HighErrorRate", "P1", "firing")
    assert (alert.says, alert.why) == ("6.2 % of requests fail", "Customers cannot pay.")
    assert alert.link == "https://runbooks.example/1"
    assert alert.since == pytest.approx(began, abs=0.01)
    assert dict(alert.labels) == ERRORS
    assert {each.name: each.value for each in found.signals} == {"firing": 1.0, "silenced": 0.0}


async def test_its_silences_are_shown_with_what_they_keep_quiet(manager: Alertmanager) -> None:
    manager.fires(ERRORS)
    manager.fires({"alertname": "Slow", "severity": "warning", "instance": "web"})
    async with watching(config(alertmanager=manager.url)) as engine:
        await polled(engine)
        now = time.time()
        body = {
            "matchers": [{"name": "alertname", "value": "High.*", "isRegex": True, "isEqual": True}],
            "createdBy": "kim",
            "comment": "known",
        } | {"startsAt": _iso(now), "endsAt": _iso(now + 3600)}
        manager.call("POST", "/api/v2/silences", body)
        await soon(lambda: any(each["status"]["silencedBy"] for each in manager.alerts()))
        alerts = {each.rule: each for each in await polled(engine)}
        assert alerts["HighErrorRate"].silenced.startswith("by kim until ")
        assert alerts["HighErrorRate"].silenced.endswith(": known")
        assert not alerts["HighErrorRate"].wants_answer
        assert alerts["Slow"].wants_answer
        (silence,) = engine.feed.peek().silences
        assert (silence.at, silence.who, silence.reason) == ("alerts", "kim", "known")
        assert silence.hides == (alerts["HighErrorRate"].fingerprint,)


async def test_what_another_alert_inhibits_says_so(manager: Alertmanager) -> None:
    manager.fires({"alertname": "Slow", "severity": "warning"})
    manager.fires({"alertname": "Outage", "severity": "page"})
    await soon(lambda: any(each["status"]["inhibitedBy"] for each in manager.alerts()))
    found = {each.name: each.silenced for each in (await look(config(alertmanager=manager.url))).alerts}
    assert found == {"Outage": "", "Slow": "inhibited there by another alert"}


async def test_a_panel_is_as_bad_as_what_fires_there_and_resolves_with_it(manager: Alertmanager) -> None:
    began = time.time() - 60
    manager.fires(ERRORS, since=began)
    async with watching(config(alertmanager=manager.url)) as engine:
        (alert,) = await polled(engine)
        assert (alert.fingerprint.startswith("alerts:"), alert.target, alert.wants_answer) == (True, "web", True)
        assert engine.feed.peek().panels[0].status is Status.FAILING
        manager.over(began, ERRORS)
        await soon(lambda: not manager.alerts())
        (alert,) = await polled(engine)
        assert (alert.state, engine.feed.peek().panels[0].status) == ("resolved", Status.OK)
        assert alert.ended is not None


async def test_without_an_answer_nothing_is_resolved_and_the_panel_is_unknown(manager: Alertmanager) -> None:
    manager.fires(ERRORS)
    async with watching(config(alertmanager=manager.url)) as engine:
        await polled(engine)
        (job,) = engine.poller.jobs
        patient = job.target
        job.target = replace(patient, deadline=0.3)
        manager.pause()
        try:
            (alert,) = await polled(engine)
        finally:
            manager.resume()
            job.target = patient
        assert (alert.state, alert.unknown_since is not None) == ("firing", True)
        assert engine.feed.peek().panels[0].status is Status.FAILING, "it may be failing still"
        (reading,) = engine.feed.peek().panels[0].failures
        assert reading.status is Status.UNKNOWN
        (alert,) = await polled(engine)
        assert alert.unknown_since is None


async def test_an_acknowledgement_here_is_of_theirs_too(manager: Alertmanager, tmp_path: Path) -> None:
    manager.fires(ERRORS)
    async with watching(config(alertmanager=manager.url), Journal(tmp_path / "journal.sqlite")) as engine:
        (alert,) = await polled(engine)
        await answered(engine, Acknowledge((alert.fingerprint,)))
        assert [(each.acked_by, each.wants_answer) for each in await polled(engine)] == [("anna", False)]


async def test_a_silence_is_made_there_and_ended_there(manager: Alertmanager, tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.sqlite")
    manager.fires(ERRORS)
    async with watching(config(alertmanager=manager.url), journal) as engine:
        await polled(engine)
        mine = (Matcher("alertname", "HighErrorRate"), Matcher("instance", "db", is_equal=False))
        made = await answered(engine, MakeSilence(mine, 600, "deploy noise", at="alerts"))
        (there,) = manager.silences()
        assert (made, there["createdBy"], there["comment"]) == (f"alerts/{there['id']}", "anna", "deploy noise")
        assert [(each["name"], each["isEqual"], each["isRegex"]) for each in there["matchers"]] == [
            ("alertname", True, False),
            ("instance", False, False),
        ]
        await soon(lambda: manager.alerts()[0]["status"]["silencedBy"])
        (alert,) = await polled(engine)
        assert alert.silenced.startswith("by anna until ")
        await answered(engine, EndSilence(made))
        assert manager.silences() == []
        await soon(lambda: not manager.alerts()[0]["status"]["silencedBy"])
        (alert,) = await polled(engine)
        assert alert.wants_answer and alert.asked_at == alert.loud_since, "its clock runs from the end of the silence on"
        assert alert.asked_at is not None and alert.fired_at is not None and alert.asked_at > alert.fired_at
    made_here, ended = [each for each in journal.entries() if each.kind != "alert"]
    assert (made_here.kind, ended.kind) == ("silenced", "silence-ended")
    assert made_here.data["id"] == ended.data["id"], "so the handover does not list it any more"


async def test_one_that_is_over_already_ends_without_complaint(manager: Alertmanager, tmp_path: Path) -> None:
    async with watching(config(alertmanager=manager.url), Journal(tmp_path / "journal.sqlite")) as engine:
        made = await answered(engine, MakeSilence((Matcher("alertname", "x"),), 600, "why", at="alerts"))
        await polled(engine)
        manager.call("DELETE", f"/api/v2/silence/{made.partition('/')[2]}")
        await answered(engine, EndSilence(made))


async def test_a_silence_that_it_refuses_does_not_hold(manager: Alertmanager, tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.sqlite")
    async with watching(config(alertmanager=f"{manager.url}/nowhere"), journal) as engine:
        with pytest.raises(ProbeError, match="HTTP 404"):
            await answered(engine, MakeSilence((Matcher("alertname", "x"),), 600, "why", at="alerts"))
        assert engine.judge_now().silences == ()
    assert [each.kind for each in journal.entries()] == ["silenced", "silence-ended"]


async def test_without_an_alertmanager_there_is_nowhere_to_make_one(tmp_path: Path) -> None:
    async with watching(config(), Journal(tmp_path / "journal.sqlite")) as engine:
        with pytest.raises(Unrecorded, match="alerts holds no silences"):
            await answered(engine, MakeSilence((Matcher("alertname", "x"),), 600, "why", at="alerts"))


async def test_behind_a_prefix(manager: Alertmanager) -> None:
    with start_alertmanager("/am") as other:
        other.fires(ERRORS)
        assert len((await look(config(alertmanager=f"{other.url}/"))).alerts) == 1


async def test_only_what_is_wanted_and_as_bad_as_was_said(manager: Alertmanager) -> None:
    manager.fires({"alertname": "A", "cluster": "prod-1", "severity": "page"})
    manager.fires({"alertname": "B", "cluster": "test", "severity": "page"})
    manager.fires({"alertname": "C", "cluster": "prod-2", "severity": "whatever"})
    manager.fires({"alertname": "D", "cluster": "prod-2", "severity": "INFO"})
    found = await look(config(alertmanager=manager.url, only={"cluster": "prod-*"}, severities={"page": "P1"}))
    assert {each.name: each.severity for each in found.alerts} == {"A": "P1", "C": "P2", "D": "P3"}


async def test_config_check_says_what_it_found(manager: Alertmanager) -> None:
    manager.fires(ERRORS)
    tools = Tools("test")
    (checked,) = await check(config(alertmanager=manager.url), tools)
    assert (checked.reached, checked.says) == (True, "1 firing, 0 silences in force")
    (wrong,) = await check(config(alertmanager="http://127.0.0.1:9"), tools)
    assert (wrong.reached, wrong.says) == (False, "connect: connection refused")
    assert await check(config(), tools) == []
    await tools.close()


# --- what is no Alertmanager -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        (b"<html>", 200, "answers something else"),
        (b'{"status":"success"}', 200, "answers something else"),
        (b'[{"fingerprint":1}]', 200, "answers something else"),
        (b'"no rights here"', 500, "HTTP 500 for /api/v2/alerts: no rights here"),
        (b"", 403, "HTTP 403"),
        (b"slow down", 429, "HTTP 429 for /api/v2/alerts: slow down"),
    ],
)
async def test_another_answer_is_unknown_and_says_why(body: bytes, status: int, says: str, web: Web) -> None:
    web.answers["/api/v2/alerts"] = reply(body, status)
    with pytest.raises(ProbeError, match=says) as caught:
        await look(config(alertmanager=web.url))
    assert caught.value.status is Status.UNKNOWN
    assert caught.value.failure.refused is (status in (403, 429))


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b'{"status":"error","error":"no ruler here"}', "names no alerts: no ruler here"),
        (b'{"status":"success"}', "names no alerts: success"),
        (b'{"status":"success","data":{"groups":[]}}', "answers something else"),
        (b'{"status":"success","data":[]}', "answers something else"),
    ],
)
async def test_that_a_prometheus_names_no_alerts_is_not_that_none_fires(body: bytes, says: str, web: Web) -> None:
    web.answers["/api/v1/alerts"] = reply(body)
    with pytest.raises(ProbeError, match=says) as caught:
        await look(config(prometheus=web.url))
    assert caught.value.status is Status.UNKNOWN


async def test_a_clock_that_is_off_is_told_and_reckoned_with(web: Web) -> None:
    """Its hour of difference is no hour of the alert's age."""
    ahead = "Sat, 21 Nov 2099 03:12:12 GMT"
    its_now = datetime.datetime(2099, 11, 21, 3, 12, 12, tzinfo=datetime.UTC).timestamp()
    before = show_duration(its_now - time.time())
    alert = {"fingerprint": "1", "labels": ERRORS, "startsAt": "2099-11-21T03:02:12Z", "status": {"state": "active"}}
    web.answers["/api/v2/alerts"] = reply(json.dumps([alert]).encode(), Date=ahead)
    web.answers["/api/v2/silences"] = reply(b"[]", Date=ahead)
    found = await look(config(alertmanager=web.url))
    assert found.alerts[0].since == pytest.approx(time.time() - 600, abs=30)
    after = show_duration(its_now - time.time())  # another hour may have begun
    assert found.notes in tuple((f"its clock is {each} ahead of ours",) for each in (before, after))


async def test_what_comes_from_there_is_drawn_as_text(web: Web) -> None:
    labels = {"alertname": "\x1b[31mRed", "severity": "critical"}
    alert = {"fingerprint": "1", "labels": labels, "startsAt": "2026-11-21T03:02:12Z", "status": {"state": "active"}}
    alert["annotations"] = {"summary": "\u202eevil\nsecond line", "runbook_url": "javascript:alert(1)"}
    web.answers["/api/v2/alerts"] = reply(json.dumps([alert]).encode())
    web.answers["/api/v2/silences"] = reply(b"[]")
    (found,) = (await look(config(alertmanager=web.url))).alerts
    assert (found.says, found.link) == ("\ufffdevil second line", "")


def many(how_many: int, severity: str = "warning", since: str = "2026-11-21T03:00:00Z") -> list[dict[str, Any]]:
    """So many alerts as an Alertmanager lists them."""
    return [
        {
            "fingerprint": f"{severity}{number:04}",
            "labels": {"alertname": "Disk", "severity": severity, "instance": f"{severity}{number}"},
            "startsAt": since,
            "status": {"state": "active"},
        }
        for number in range(how_many)
    ]


def lists(web: Web, alerts: list[dict[str, Any]]) -> None:
    web.answers["/api/v2/alerts"] = reply(json.dumps(alerts).encode())
    web.answers["/api/v2/silences"] = reply(b"[]")


async def test_what_worse_ones_push_off_the_list_is_not_resolved(web: Web, tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.sqlite")
    mild, worse = many(1412), many(5, "critical", "2026-11-21T03:10:00Z")
    lists(web, mild)
    async with watching(config(alertmanager=web.url), journal) as engine:
        first = await polled(engine)
        assert {each.fingerprint for each in first} == {f"alerts:warning{number:04}" for number in range(1000)}
        lists(web, [*reversed(mild), *worse])
        both = await polled(engine)
        assert {each.state for each in both} == {"firing"} and len(both) == 1005, "the order of their answer decides nothing"
        (reading,) = (each.reading for each in engine.feed.peek().panels[0].probes)
        assert reading is not None and [str(each) for each in reading.notes] == [
            "1,005 of 1,417 shown, the worst, then the oldest"
        ]
        lists(web, [*mild[:999], *mild[1000:], *worse])
        (over,) = (each for each in await polled(engine) if not each.open)
        assert over.fingerprint == "alerts:warning0999", "this one is gone from their answer"


async def test_who_polls_next_resolves_nothing_that_is_there(web: Web) -> None:
    """Neither one that never polled, nor one that did before another had its turn."""
    mild, worse = many(1001), many(1, "critical")
    async with watching(config(alertmanager=web.url)) as one, watching(config(alertmanager=web.url)) as other:
        lists(web, worse)
        await polled(other)
        lists(web, mild)
        await polled(one)
        (here,), (there,) = one.watching.poller.jobs, other.watching.poller.jobs
        there.take_over(here.state)
        other.judge.newest = one.judge.newest
        lists(web, [*worse, *mild])
        alerts = await polled(other)
        assert sum(each.open for each in alerts) == 1001 and all(each.open for each in alerts)


@pytest.mark.parametrize("source", ["alertmanager", "prometheus"])
async def test_what_a_source_forgot_by_a_restart_is_not_resolved_before_it_was_told_again(source: str, web: Web) -> None:
    def lists_one(*, there: bool) -> None:
        labels, at = {"alertname": "Disk", "instance": "web"}, "2026-11-21T03:00:00Z"
        mine = {"fingerprint": "1", "labels": labels, "startsAt": at, "status": {"state": "active"}}
        theirs = {"labels": labels, "state": "firing", "activeAt": at, "value": "1"}
        lists(web, [mine] if there else [])
        web.answers["/api/v1/alerts"] = reply(json.dumps({"status": "success", "data": {"alerts": [theirs] * there}}).encode())

    def began(at: float) -> None:
        web.answers["/api/v2/status"] = reply(json.dumps({"uptime": _iso(at)}).encode())
        web.answers["/api/v1/status/runtimeinfo"] = reply(json.dumps({"data": {"startTime": _iso(at)}}).encode())

    clock = DrivenClock()
    async with watching(config(**{source: web.url}), clock=clock) as engine:
        began(clock.utc() - 3600)
        lists_one(there=True)
        await polled(engine)
        clock.move(60)
        began(clock.utc() - 20)
        lists_one(there=False)
        (alert,) = await polled(engine)
        reading = engine.feed.peek().panels[0].probes[0].reading
        assert reading is not None and (alert.state, reading.status) == ("firing", Status.UNKNOWN)
        assert [str(each) for each in reading.notes] == [
            "it began anew 20s ago: whether what fired before is over is not known yet"
        ]
        lists_one(there=True)
        assert [each.state for each in await polled(engine)] == ["firing"]
        lists_one(there=False)
        assert [each.state for each in await polled(engine)] == ["resolved"], "it had it after it began"


async def test_what_was_not_told_again_in_time_is_over(web: Web) -> None:
    clock = DrivenClock()
    lists(web, many(1))
    async with watching(config(alertmanager=web.url), clock=clock) as engine:
        await polled(engine)
        clock.move(60)
        web.answers["/api/v2/status"] = reply(json.dumps({"uptime": _iso(clock.utc() - 20)}).encode())
        lists(web, [])
        assert [each.state for each in await polled(engine)] == ["firing"]
        clock.move(TOLD_AGAIN)
        assert [each.state for each in await polled(engine)] == ["resolved"]


# --- a Prometheus ------------------------------------------------------------------------------------------------------------

RULES = """\
groups:
- name: shop
  interval: 1s
  rules:
  - alert: TooManyRequests
    expr: sum(http_requests_total) > 5
    labels: {severity: warning, tenant: acme}
    annotations: {summary: "{{ $value }} requests"}
  - alert: StillWaiting
    expr: sum(http_requests_total) > 5
    for: 1h
    labels: {severity: critical}
"""


async def test_a_prometheus_rules_pending_and_firing(tmp_path: Path) -> None:
    with serve_metrics() as service, start_prometheus(service.port, rules=RULES) as prometheus:
        settings = config(prometheus=prometheus.url)
        assert (await look(settings)).alerts == ()
        service.observe("/", times=7)

        async def both() -> tuple[Any, ...]:
            found = (await look(settings)).alerts
            return found if len(found) == 2 else ()

        firing, pending = await looked(both, each=0.2)
        assert (firing.name, firing.state, firing.severity) == ("TooManyRequests", "firing", "P2")
        assert (firing.value, firing.says) == (7.0, "7 requests")
        assert (pending.name, pending.state, pending.severity) == ("StillWaiting", "pending", "P1")
        async with watching(settings) as engine:

            async def both_here() -> tuple[Alert, ...]:
                alerts = await polled(engine)  # a scrape that came late ends and begins them there
                return alerts if [each.state for each in alerts] == ["firing", "pending"] else ()

            one, two = await looked(both_here)
            assert (one.target, one.fired_at is not None, two.state, two.fired_at) == ("acme", True, "pending", None)
            service.restart()
            service.observe("/", times=1)
            await soon(lambda: prometheus.value("sum(http_requests_total)") == 1.0)

            async def resolved() -> tuple[Any, ...]:
                alerts = await polled(engine)
                return alerts if [each.state for each in alerts] == ["resolved"] else ()

            (one,) = await looked(resolved)
            assert one.rule == "TooManyRequests", "what was pending was nothing"


def _iso(at: float) -> str:
    return datetime.datetime.fromtimestamp(at, datetime.UTC).isoformat()
