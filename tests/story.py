"""screens.md's story, scripted: what the shop's five panels show at any second of that night, without any source.

    03:01:40  deploy 9f3c2a1                           03:07:20  session 8121 opens its transaction
    03:03:00  errors pass 5 %; P0 fires at 03:08:00    03:11:32  P1 fires (connections passed 85 % at 03:06:32)
    03:06:32  connections pass 85 %                    03:12:12  now

`snapshot(at)` is what the engine would publish then; `history(at)` the hour before it. The cards' views are what a panel's
view is: pure functions of readings and history.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Literal

from msgspec.structs import replace

from panels.alerts import CARD as ALERTS_CARD
from panels.alerts.config import AlertsConfig
from tui.engine.actions import Action, Context, Effect, Item, Outcome, Plan, Proof, Result
from tui.engine.alert import Alert, Fold, by_badness, single
from tui.engine.clock import moment
from tui.engine.escalation import Escalation
from tui.engine.feed import Level, Offer, PanelState, ProbeState, Seat, Snapshot
from tui.engine.history import History
from tui.engine.layout import Cell, Column, DrawnRow, Fact, Facts, Gauge, Layout, Room
from tui.engine.panel import Card, Judged, PanelConfig, Probe, Readings, SignalSpec
from tui.engine.reading import Change, Link, Reading, Row, Signal, Status, Value, series_key, signal
from tui.engine.suspects import followed_by, with_suspects
from tui.engine.text import Shown, clean
from tui.engine.units import show, show_count, show_duration, show_latency, show_rate, show_ratio, show_size

NOW = 1_795_230_732.0
"""2026-11-21 03:12:12 UTC."""
MONOTONIC = 50_000.0
DEPLOYED, ERRORS, CONNECTIONS, OPENED = NOW - 632, NOW - 552, NOW - 340, NOW - 292
SEAT = Seat("leads", recorded=True)
DEPLOY = Change("9f3c2a1", DEPLOYED, "deployment", Shown("deploy 9f3c2a1"), Shown("main: checkout in one step"))


@dataclass(frozen=True)
class Night:
    """How the night goes: `broken` as in the pictures, or well."""

    broken: bool = True

    def rise(self, at: float, since: float, over: float) -> float:
        """0 before `since`, 1 after `over` seconds of it; always 0 on a good night."""
        return min(1.0, max(0.0, (at - since) / over)) if self.broken else 0.0


def wave(at: float, period: float, low: float, high: float) -> float:
    """A value that swings, the same at every run."""
    step = (at % period) / period
    return low + (high - low) * (1 - abs(2 * step - 1))


# --- what is measured -----------------------------------------------------------------------------------------------

ENDPOINTS = (("web /api/health", 0.041, 0.088), ("web /api/readyz", 0.055, 0.110), ("marketing", 0.032, 0.061))
ROUTES = (
    ("POST /api/checkout", 3.1, 0.412, 2.9), ("POST /api/orders", 8.8, 0.020, 1.1), ("GET  /api/orders", 61.0, 0.0, 0.21),
    ("GET  /api/products", 40.2, 0.0, 0.18), ("GET  /api/cart", 22.4, 0.0, 0.12), ("GET  /api/session", 9.6, 0.0, 0.04),
    ("POST /api/cart", 4.4, 0.0, 0.16), ("GET  /api/search", 2.1, 0.0, 0.34), ("GET  /", 0.4, 0.0, 0.09),
)  # fmt: skip


def health(at: float, night: Night) -> Reading:
    """Three endpoints, all up."""
    rows, signals = [], []
    for name, now, p95 in ENDPOINTS:
        value = wave(at, 97 + 13 * len(name), now * 0.96, now * 1.04)
        rows.append(Row(name, {"now": value, "p95": p95, "uptime": 0.9998 if "web" in name else 1.0}))
        signals.append(signal("latency", value, "s", endpoint=name))
    return Reading("health", "health", "endpoints", at, 0.06, Status.OK, tuple(signals), tuple(rows))


def metrics(at: float, night: Night) -> Reading:
    """Requests, errors, latencies and routes."""
    bad = night.rise(at, DEPLOYED + 30, 150)
    errors = 0.002 + 0.06 * bad
    values: dict[str, tuple[float, Any]] = {
        "requests": (wave(at, 1700, 128, 158), "1/s"),
        "error_rate": (errors, "ratio"),
        "p50": (0.080 + 0.004 * bad, "s"),
        "p95": (0.610 + 0.810 * bad, "s"),
        "p99": (1.050 + 2.050 * bad, "s"),
    }
    signals = [Signal(name, value, unit) for name, (value, unit) in values.items()]
    rows = []
    for route, rate, share, p95 in ROUTES:
        failing = share * bad
        status = Status.FAILING if failing > 0.05 else Status.OK
        rows.append(
            Row(route, {"route": clean(route), "rate": rate, "errors": failing, "p95": p95 * (0.3 + 0.7 * bad)}, status)
        )
        signals.append(signal("route_errors", failing, "ratio", route=route))
    return Reading("metrics", "metrics", "query", at, 0.03, Status.OK, tuple(signals), tuple(rows))


def database(at: float, night: Night) -> Reading:
    """Connections, and who waits for whom."""
    full = night.rise(at, ERRORS, 430)
    used = round(18 + 34 * full)
    rows = []
    if night.broken and at >= OPENED:
        rows = [session(8121, OPENED + 51, at, "idle in tx", "", "UPDATE orders SET state = $1 WHERE id = $2")]
        rows += [session(8140, NOW - 58, at, "active", "8121", "UPDATE orders SET paid_at = now() WHERE id = $1", 8121)]
        rows += [session(8152, NOW - 51, at, "active", "8121", "SELECT id, total FROM orders WHERE id = $1 FOR UPDATE", 8121)]
    signals = [
        Signal("connections_used", used / 60, "ratio"),
        Signal("active", 4 + round(5 * full)),
        Signal("idle_in_tx", len(rows) and 3),
        Signal("size", 4.1e9, "bytes"),
        Signal("cache_hit", 0.992, "ratio"),
        Signal("transactions", 182.0, "1/s"),
        Signal("lag", 0.0, "s"),
    ]
    return Reading("database", "database", "sessions", at, 0.004, Status.OK, tuple(signals), tuple(rows))


def session(pid: int, since: float, at: float, state: str, waits: str, query: str, parent: int | None = None) -> Row:
    """One session, keyed by pid and start."""
    cells: dict[str, Value] = {
        "pid": Shown(str(pid)), "for": max(0.0, at - since), "state": Shown(state), "waits": Shown(waits),
        "query": clean(query),
        "user": Shown("shop_app"), "application": Shown("web"),
    }  # fmt: skip
    above = f"{parent}@1" if parent else None
    long = {"statement": (clean(query), Shown("-- app=web route=/api/checkout"))}
    return Row(f"{pid}@1", cells, Status.DEGRADED if parent is None else Status.OK, above, (), long)


def jobs(at: float, night: Night) -> Reading:
    """A queue that is well."""
    rows = [
        Row("render", {"kind": Shown("render"), "queued": 9, "running": 4, "failed": 0.012}),
        Row("transcribe", {"kind": Shown("transcribe"), "queued": 4, "running": 2, "failed": 0.009}),
        Row("publish", {"kind": Shown("publish"), "queued": 1, "running": 0, "failed": 0.021}),
    ]
    signals = (Signal("queued", 14), Signal("running", 6), Signal("oldest_due", 8.0, "s"), Signal("throughput", 0.7, "1/s"))
    return Reading("jobs", "jobs", "queue", at, 0.01, Status.OK, signals, tuple(rows))


DEPLOYS = (
    ("9f3c2a1", DEPLOYED, "checkout in one step"),
    ("5be0d17", NOW - 95_000, "faster search"),
    ("77aa019", NOW - 210_000, "new footer"),
)


def deploys(at: float, night: Night) -> Reading:
    """The last deployments; each is a change."""
    seen = [each for each in DEPLOYS if night.broken or each[0] != "9f3c2a1"]
    rows = [
        Row(
            commit,
            {"commit": Shown(commit), "branch": Shown("main"), "state": Shown("ready"), "at": when, "says": Shown(says)},
            links=(Link(Shown("deployment"), f"https://vercel.example/shop/{commit}"),),
        )
        for commit, when, says in seen
    ]
    changes = (DEPLOY,) if night.broken and at >= DEPLOYED else ()
    return Reading("deploys", "deploys", "list", at, 0.2, Status.OK, (), tuple(rows), changes)


def listed(at: float, night: Night) -> Reading:
    """No other system's alerts: the panel lists ours."""
    return Reading("alerts", "alerts", "list", at, 0.0, Status.OK)


# --- how it is drawn ------------------------------------------------------------------------------------------------


def _spark(readings: Readings, history: History, key: str, width: int, room: Room) -> Any:
    return history.spark(readings.panel, key, width, room.now)


def health_view(readings: Readings, history: History, room: Room) -> Layout:
    """A row an endpoint."""
    rows = []
    for _, row in readings.rows("endpoints"):
        key = series_key("latency", (("endpoint", row.key),))
        cells = (
            Cell(Shown(row.key), row.status, order=row.key),
            Cell(show_latency(_number(row, "now")), order=_number(row, "now")),
            Cell(show_latency(_number(row, "p95")), dim=True, order=_number(row, "p95")),
            Cell(show_ratio(_number(row, "uptime"), 2), order=_number(row, "uptime")),
            Cell(spark=_spark(readings, history, key, 12, room)),
        )
        rows.append(DrawnRow(row.key, cells, row.status))
    return Layout(headline=Shown(f"{len(rows)} of {len(rows)} up"), columns=HEALTH.columns, rows=tuple(rows))


def metrics_view(readings: Readings, history: History, room: Room) -> Layout:
    """Gauges beside their limits, then the worst routes."""
    reading = readings.one("query")
    assert reading is not None
    width = min(28, max(12, room.width - 52))
    figures = []
    for name, label in (("requests", "requests"), ("error_rate", "errors"), ("p50", "p50"), ("p95", "p95"), ("p99", "p99")):
        judged = readings.judgement(name)
        value = next(each for each in reading.signals if each.key == name)
        since = Shown(f"{judged.limit}   since {moment(judged.since, room.now)}") if judged.since else judged.limit
        figures.append(
            Gauge(
                Shown(label),
                show(value.value, value.unit),
                judged.status,
                _spark(readings, history, name, width, room),
                since,
                name,
            )
        )
    rows = []
    for row in reading.rows:
        key = series_key("route_errors", (("route", row.key),))
        bad = row.status if row.status is not Status.OK else None
        cells = (
            Cell(Shown(row.key), order=row.key),
            Cell(Shown(f"{_number(row, 'rate'):.1f} /s"), order=_number(row, "rate")),
            Cell(show_ratio(_number(row, "errors")), bad, order=_number(row, "errors")),
            Cell(show_latency(_number(row, "p95")), order=_number(row, "p95")),
            Cell(spark=_spark(readings, history, key, 14, room)),
        )
        rows.append(DrawnRow(row.key, cells, row.status))
    return Layout(
        headline=Shown("152 /s, 6.2 % errors" if readings.judgement("error_rate").since else "152 /s"),
        source=Shown("prometheus"),
        figures=tuple(figures),
        columns=METRICS.columns,
        rows=tuple(sorted(rows, key=lambda row: -row.status)),
    )


def database_view(readings: Readings, history: History, room: Room) -> Layout:
    """Facts, then the sessions as a tree."""
    reading = readings.one("sessions")
    assert reading is not None
    values = reading.series
    used = readings.judgement("connections_used")
    spark = _spark(readings, history, "connections_used", 16, room)
    share = values["connections_used"] or 0.0
    figures = (
        Gauge(Shown("connections"), Shown(f"{round(share * 60)} / 60"), used.status, spark, used.limit, "connections_used"),
        Facts(
            (
                Fact(Shown("active"), show_count(values["active"]), key="active"),
                Fact(Shown("idle tx"), show_count(values["idle_in_tx"]), key="idle_in_tx"),
                Fact(Shown("size"), show_size(values["size"]), key="size"),
                Fact(Shown("cache"), show_ratio(values["cache_hit"]), key="cache_hit"),
                Fact(Shown("tx"), show_rate(values["transactions"]), key="transactions"),
                Fact(Shown("lag"), show_duration(values["lag"]), key="lag"),
            )
        ),
    )
    rows = tuple(
        DrawnRow(
            row.key,
            (
                Cell(Shown(str(row.cells["pid"])), order=str(row.cells["pid"])),
                Cell(show_duration(_number(row, "for")), order=_number(row, "for")),
                Cell(Shown(str(row.cells["state"])), row.status if row.status is not Status.OK else None),
                Cell(Shown(str(row.cells["waits"]))),
                Cell(Shown(str(row.cells["query"])), dim=True),
            ),
            row.status,
            1 if row.parent else 0,
        )
        for row in reading.rows
    )
    return Layout(figures=figures, columns=DATABASE.columns, rows=rows, empty=Shown("no session waits or runs long"))


def jobs_view(readings: Readings, history: History, room: Room) -> Layout:
    """Facts, then the kinds."""
    facts = (("queued", "14"), ("running", "6"), ("oldest due", "8s"), ("", "42 /min"))
    names = ("queued", "running", "oldest_due", "throughput")
    figures = (Facts(tuple(Fact(Shown(label), Shown(text), key=key) for (label, text), key in zip(facts, names, strict=True))),)
    rows = tuple(
        DrawnRow(
            row.key,
            (
                Cell(Shown(row.key), order=row.key),
                Cell(show_count(_number(row, "queued")), order=_number(row, "queued")),
                Cell(show_count(_number(row, "running")), order=_number(row, "running")),
                Cell(show_ratio(_number(row, "failed")), order=_number(row, "failed")),
            ),
        )
        for _, row in readings.rows("queue")
    )
    return Layout(
        headline=Shown("queued 14"), figures=figures, columns=JOBS.columns, rows=rows, empty=Shown("nothing is queued")
    )


def deploys_view(readings: Readings, history: History, room: Room) -> Layout:
    """The newest first; the suspected one says so."""
    rows = []
    for _, row in readings.rows("list"):
        then = readings.suspected.get(row.key)
        says = Shown(f"◆ {then}") if then else Shown(str(row.cells["says"]))
        cells = (
            Cell(Shown(row.key)),
            Cell(Shown("main"), dim=True),
            Cell(Shown("ready"), dim=True),
            Cell(moment(_number(row, "at") or 0.0, room.now), order=_number(row, "at")),
            Cell(says, dim=not then),
        )
        rows.append(DrawnRow(row.key, cells, row.status))
    return Layout(source=Shown("vercel"), columns=DEPLOYS_CARD.columns, rows=tuple(rows))


def _number(row: Row, name: str) -> float | None:
    value = row.cells[name]
    return float(value) if isinstance(value, (int, float)) else None


# --- what can be done -----------------------------------------------------------------------------------------------


async def no_plan(keys: Any, context: Context) -> Plan:
    """The story's plans come from `plans`; its actions are never asked."""
    raise NotImplementedError


def only_roots(row: Row, settings: Any) -> Shown | None:
    """Cancelling an idle transaction has no effect."""
    return Shown("ends nothing: it is idle") if row.cells.get("state") == "idle in tx" else None


ACTIONS = (
    Action("cancel", "X", Shown("cancel"), Shown("cancel the running statement"), Effect.CHANGES, no_plan, only_roots),
    Action("terminate", "T", Shown("terminate"), Shown("end the session"), Effect.DESTROYS, no_plan),
)
HINT = (
    Action("rollback", "B", Shown("rollback hint"), Shown("the last good deployment"), Effect.SHOWS, no_plan, needs_row=False),
)

PLANS = {
    "database.terminate": Plan(
        "database.terminate", "database", Shown("terminate 1 session"), Effect.DESTROYS, Shown("ends session 8121"),
        (
            Item(
                "8121@1", Shown("ends session 8121"),
                (
                    (Shown("who"), Shown("shop_app, app web, idle in transaction for 4m01s")),
                    (Shown("last ran"), Shown("UPDATE orders SET state = … WHERE id = …")),
                    (Shown("blocks"), Shown("2 sessions; the oldest has waited 58s")),
                    (Shown("undone"), Shown("its open transaction (since 03:07:20Z) is rolled back")),
                ),
            ),
        ),
        (
            (Shown("acts if"), Shown("8121 still began 02:58:40.118Z, still idle in the same transaction")),
            (Shown("proof"), Shown("within 30s nobody waits for it")),
        ),
        tuple(map(Shown, ("SELECT pg_terminate_backend(pid)", "FROM pg_stat_activity",
                          "WHERE pid = 8121 AND backend_start = $2",
                          "  AND state = $3 AND xact_start = $4"))),
        "8121",
    ),
    "database.cancel": Plan(
        "database.cancel", "database", Shown("cancel 1 statement"), Effect.CHANGES,
        Shown("cancels the statement of session 8140"),
        (Item("8140@1", Shown("session 8140"), ((Shown("runs"), Shown("UPDATE orders SET paid_at = now() … for 58s")),)),),
        ((Shown("proof"), Shown("within 10s the statement has ended")),), (Shown("SELECT pg_cancel_backend(pid) …"),), "8140",
    ),
    "deploys.rollback": Plan(
        "deploys.rollback", "deploys", Shown("rollback hint"), Effect.SHOWS,
        Shown("5be0d17 was good for 1d2h; it ran before 9f3c2a1"), (), (), (), "", 30.0,
        "vercel rollback 5be0d17 --scope shop", "https://vercel.example/shop/5be0d17",
    ),
}  # fmt: skip


# --- the cards ------------------------------------------------------------------------------------------------------


async def never(*args: Any) -> Any:
    """No probe of the story is ever asked."""
    raise NotImplementedError


def _card(
    kind: str, title: str, view: str, signals: tuple[SignalSpec, ...], columns: tuple[Column, ...], actions: str = ""
) -> Card:
    return Card(kind, title, PanelConfig, (Probe("story", never),), signals, f"tests.story:{view}", columns, actions=actions)


HEALTH = _card(
    "health", "HTTP health endpoints", "health_view",
    (SignalSpec("latency", "s", "time to the whole answer", "higher", ("endpoint",)),),
    (
        Column("endpoint", Shown("endpoint"), 15, grows=True), Column("now", Shown("now"), 7, "s"),
        Column("p95", Shown("p95"), 7, "s", 1), Column("uptime", Shown("up 24h"), 9, "ratio", 2),
        Column("spark", Shown("latency"), 12, "spark", 3),
    ),
)  # fmt: skip
METRICS = _card(
    "metrics", "Requests, errors and latency", "metrics_view",
    (
        SignalSpec("requests", "1/s", "requests answered"),
        SignalSpec("error_rate", "ratio", "share of requests answered with a 5xx", "higher"),
        SignalSpec("p95", "s", "95 of 100 requests are answered within this time", "higher"),
    ),
    (
        Column("route", Shown("route"), 18, grows=True), Column("rate", Shown("rate"), 9, "1/s"),
        Column("errors", Shown("errors"), 7, "ratio"), Column("p95", Shown("p95"), 9, "s", 1),
        Column("spark", Shown("errors lately"), 14, "spark", 2),
    ),
)  # fmt: skip
DATABASE = _card(
    "database", "PostgreSQL", "database_view",
    (SignalSpec("connections_used", "ratio", "share of max_connections in use", "higher"),),
    (
        Column("pid", Shown("pid"), 7), Column("for", Shown("for"), 6, "s"), Column("state", Shown("state"), 12),
        Column("waits", Shown("waits for"), 9), Column("query", Shown("query"), 12, rank=1, grows=True),
    ),
    "tests.story:ACTIONS",
)  # fmt: skip
JOBS = _card(
    "jobs", "Job queue", "jobs_view", (SignalSpec("queued", "count", "jobs that are due", "higher"),),
    (
        Column("kind", Shown("kind"), 12, grows=True), Column("queued", Shown("queued"), 8, "count"),
        Column("running", Shown("running"), 8, "count"), Column("failed", Shown("failed 24h"), 11, "ratio", 1),
    ),
)  # fmt: skip
DEPLOYS_CARD = _card(
    "deploys", "Deployments", "deploys_view", (),
    (
        Column("commit", Shown("commit"), 8), Column("branch", Shown("branch"), 6, rank=1), Column("state", Shown("state"), 6),
        Column("at", Shown("at"), 9), Column("says", Shown("says"), 20, grows=True),
    ),
    "tests.story:HINT",
)  # fmt: skip

ALERTS = replace(ALERTS_CARD, probes=(Probe("story", never),))


PANELS = ((HEALTH, health), (METRICS, metrics), (DATABASE, database), (JOBS, jobs), (DEPLOYS_CARD, deploys),
          (ALERTS, listed))  # fmt: skip


# --- snapshots ------------------------------------------------------------------------------------------------------


def history(until: float = NOW, night: Night | None = None) -> History:
    """An hour of the story, a reading each 15 s."""
    night = night or Night()
    kept = History()
    for step in range(240, -1, -1):
        for _, measure in PANELS:
            kept.record(measure(until - 15 * step, night))
    return kept


def alerts(at: float, night: Night) -> tuple[Alert, ...]:
    """What is breached then."""
    if not night.broken:
        return ()
    found: list[Alert] = []
    state: Literal["pending", "firing"]
    if at >= ERRORS:
        state = "firing" if at >= ERRORS + 300 else "pending"
        value = metrics(at, night).series["error_rate"]
        found.append(
            Alert("a", "error rate", "metrics", "error_rate", (), "P0", state, value, 0.05, "ratio", "above", ERRORS,
                  ERRORS + 300 if state == "firing" else None, why=Shown("One request in twenty fails: users see it."),
                  link="https://shop.example/runbooks/errors")
        )  # fmt: skip
    if at >= CONNECTIONS:
        state = "firing" if at >= CONNECTIONS + 300 else "pending"
        acked = "kim" if at >= NOW - 22 else ""
        found.append(
            Alert("b", "connections", "database", "connections_used", (), "P1", state, 0.867, 0.85, "ratio", "above",
                  CONNECTIONS, CONNECTIONS + 300 if state == "firing" else None, acked_by=acked,
                  acked_at=NOW - 22 if acked else None)
        )  # fmt: skip
    return with_suspects(found, [DEPLOY] if at >= DEPLOYED else [])


def folds(found: Sequence[Alert]) -> tuple[Fold, ...]:
    """A line an alert: nothing holds these together."""
    return single(sorted(found, key=by_badness))


def escalations(found: Sequence[Alert]) -> tuple[Escalation, ...]:
    """The backup is due 7 minutes after it fired."""
    wanting = [each for each in found if each.wants_answer and each.fired_at is not None]
    by = (Shown("pagerduty"), Shown("sms"))
    return tuple(
        Escalation(each.fingerprint, Shown("backup"), by, (each.fired_at or 0.0) + 420, pages=True) for each in wanting
    )


def judged(panel: str, found: tuple[Alert, ...]) -> dict[str, Judged]:
    """How the rules see the panel's signals."""
    limits = {
        "metrics": {"error_rate": "limit 5 %", "p95": "limit 2,000 ms"},
        "database": {"connections_used": "limit 85 %"},
    }
    by_signal = {alert.signal: alert for alert in found if alert.panel == panel}
    return {
        name: Judged(by_signal[name].status if name in by_signal else Status.OK, Shown(limit), since_of(by_signal.get(name)))
        for name, limit in limits.get(panel, {}).items()
    }


def since_of(alert: Alert | None) -> float | None:
    """When a breach began."""
    return alert.since if alert else None


def offers(card: Card) -> tuple[Offer, ...]:
    """What a card's actions offer to the screen."""
    return tuple(
        Offer(f"{card.kind}.{each.verb}", each.key, each.title, each.help, str(each.effect), each.bulk, each.needs_row)
        for each in card.load_actions()
    )


def snapshot(at: float = NOW, night: Night | None = None, number: int = 1) -> Snapshot:
    """What the engine publishes at a moment of the story."""
    night = night or Night()
    found = alerts(at, night)
    changes = (DEPLOY,) if night.broken and at >= DEPLOYED else ()
    suspected = followed_by(found, changes)
    panels = []
    for place, (card, measure) in enumerate(PANELS):
        measured = at - (2, 3, 2, 1, 14, 1)[place]
        reading = measure(measured, night)
        interval = 30.0 if card is DEPLOYS_CARD else 5.0
        probe = ProbeState(card.kind, reading.probe, interval, 5.0, reading, reading, MONOTONIC + measured - NOW)
        marks = judged(card.kind, found)
        status = max([each.status for each in marks.values()], default=Status.OK)
        settings = AlertsConfig(kind="alerts") if card is ALERTS else SimpleNamespace()
        panels.append(
            PanelState(
                card.kind,
                card.kind,
                status,
                card,
                settings,
                (probe,),
                marks,
                offers(card),
                Shown(""),
                suspected,
                changes,
                folds(found),
                escalations(found),
            )
        )
    return Snapshot(
        number,
        at,
        MONOTONIC + at - NOW,
        Shown("shop"),
        Shown("production"),
        True,
        Level.ARMED,
        tuple(panels),
        found,
        folds(found),
        escalations(found),
        seat=SEAT,
        tells=True,
    )


def failed(state: PanelState, phase: str, says: str, hint: str) -> PanelState:
    """The panel as it stands after a poll without an answer."""
    from tui.engine.reading import Failure

    probe = state.probes[0]
    assert probe.good is not None
    reading = replace(probe.good, error=Failure(phase, clean(says), clean(hint)), rows=(), signals=(), status=Status.FAILING)
    return replace(state, status=Status.FAILING, probes=(replace(probe, reading=reading),))


DONE = Outcome(Result.DONE, Shown("pg_terminate_backend said true"))
PROVED = Proof(True, Shown("nobody waits for it"))
