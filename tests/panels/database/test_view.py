"""The view as a person reads it: quiet when all is well, the lock chain on top when not."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from panels.database.config import DatabaseConfig
from panels.database.statements import MISSING
from panels.database.view import view
from tests.clocks import START
from tests.printing import printed
from tui.engine.history import History
from tui.engine.layout import Room
from tui.engine.panel import Judged, Readings
from tui.engine.reading import Failure, Reading, Row, Signal, Status, Value, signal
from tui.engine.text import Shown

CONFIG = DatabaseConfig(dsn="postgresql://watch@db/shop")
WELL: dict[str, float] = {
    "connections_used": 23,
    "connections_max": 60,
    "active": 2,
    "idle_in_transaction": 0,
    "blocked": 0,
    "slow_queries": 0,
    "idle": 20,
    "longest": 0.01,
}


def session(pid: int, state: str, seconds: float, query: str, parent: str | None = None, **cells: Value) -> Row:
    given: dict[str, Value] = {
        "pid": Shown(str(pid)),
        "for": seconds,
        "state": Shown(state),
        "query": Shown(query),
        "application": Shown("web"),
        **cells,
    }
    return Row(f"{pid}@x", given, parent=parent, group="session")


CHAIN = (
    session(8121, "idle tx", 241, "UPDATE orders SET state = ? WHERE id = ?"),
    session(8140, "active", 58, "UPDATE orders SET paid = ? WHERE id = ?", "8121@x", waits=Shown("8121")),
    session(8152, "active", 51, "SELECT * FROM orders FOR UPDATE", "8121@x", waits=Shown("8121")),
)
IDLE = (session(9001, "idle", 5, "SELECT 1"), session(9002, "active", 0.01, "SELECT 2"))
APPLICATION = Row(
    "application:web",
    {"application": Shown("web"), "connections": 22, "active": 2, "idle": 20, "idle_in_transaction": 0},
    group="application",
)
STATEMENT = Row(
    "statement:1/2/1",
    {
        "share": Shown("41.2 %"),
        "mean": Shown("120 ms"),
        "calls": Shown("3.1 /s"),
        "over": Shown("last 15s"),
        "query": Shown("SELECT * FROM orders"),
        "numbers": (0.412, 0.12, 3.1, 1.0, 15.0),
    },
    group="statement",
)
TABLE = Row(
    "table:public.orders",
    {
        "table": Shown("public.orders"),
        "size": Shown("1.2 GB"),
        "an hour": Shown("+3.0 MB"),
        "rows ≈": Shown("2.4 M"),
        "numbers": (1.2e9, 3e6, 2.4e6, None),
    },
    group="table",
)


def reading(probe: str, values: Mapping[str, float], rows: tuple[Row, ...], *more: Signal) -> Reading:
    signals = tuple(signal(name, value) for name, value in values.items())
    return Reading("database", "database", probe, START, 0.01, Status.OK, (*signals, *more), rows)


def readings(values: Mapping[str, float], rows: tuple[Row, ...], judged: Mapping[str, Judged] | None = None) -> Readings:
    being = (signal("transactions", 182.0, "1/s"), signal("cache_hit", 0.992, "ratio"), signal("replication_lag", 0.0, "s"))
    growing = (signal("size", 4.1e9, "bytes"), signal("growth", 12e6, "bytes"))
    return Readings(
        "database",
        CONFIG,
        {
            "sessions": (reading("sessions", values, (*rows, APPLICATION), *being),),
            "statements": (reading("statements", {}, (STATEMENT,)),),
            "sizes": (reading("sizes", {}, (TABLE,), *growing),),
        },
        {"connections": Judged(Status.OK, Shown("limit 85.0 %")), **(judged or {})},
    )


def drawn(given: Readings, width: int, *, zoomed: bool = False) -> str:
    return printed(view(given, History(), Room(width, 18, START, zoomed)), width)


def test_well_at_58() -> None:
    assert (
        drawn(readings(WELL, IDLE), 58)
        == """\
[23 of 60 connections]
 connections  23 / 60                  limit 85.0 %
 active 2   idle tx 0   blocked 0   slow 0   idle 20
 tx 182 /s   cache 99.2 %   size 4.1 GB +12.0 MB/h
     share      mean      calls  statement, last 15s
    41.2 %    120 ms     3.1 /s  SELECT * FROM orders
      size   an hour     rows ≈  table
    1.2 GB   +3.0 MB      2.4 M  public.orders
     holds    active       idle  by application
        22         2         20  web
 2 sessions idle or quick: z lists them"""
    )


BLOCKED = {**WELL, "blocked": 2, "idle_in_transaction": 1, "active": 4, "longest": 58.0}
JUDGED = {"blocked": Judged(Status.DEGRADED), "longest_wait": Judged(Status.FAILING)}


def test_a_lock_chain_at_78() -> None:
    lines = drawn(readings(BLOCKED, CHAIN + IDLE, JUDGED), 78).splitlines()
    assert (
        "\n".join(lines[:8])
        == """\
[23 of 60 connections, 2 blocked]
 connections  23 / 60                  limit 85.0 %
 active 4   idle tx 1   blocked 2 ✖   slow 0   longest 58s   idle 20
 tx 182 /s   cache 99.2 %   size 4.1 GB +12.0 MB/h   lag 0s
 pid             for    state      waits for   query
 8121          4m01s ✖  idle tx                UPDATE orders SET state = ? WH…
 └ 8140          58s ✖  active     8121        UPDATE orders SET paid = ? WHE…
 └ 8152          51s ✖  active     8121        SELECT * FROM orders FOR UPDATE"""
    )


def test_at_98_the_application_stands_there_too() -> None:
    lines = drawn(readings(BLOCKED, CHAIN, JUDGED), 98).splitlines()
    assert lines[4:6] == [
        " pid             for    state      waits for   application       query",
        " 8121          4m01s ✖  idle tx                web               UPDATE orders SET state = ? WHER…",
    ]


def test_idle_sessions_are_listed_where_connections_run_short() -> None:
    crowded = {"connections": Judged(Status.FAILING, Shown("limit 95.0 %"))}
    text = drawn(readings({**WELL, "connections_used": 59}, (*CHAIN[:1], *IDLE), crowded), 58)
    assert " connections  59 / 60 ✖" in text
    order = [text.index(word) for word in ("8121", "by application", "9001", "statement, last 15s")]
    assert order == sorted(order)
    titles = text.splitlines()[next(at for at, line in enumerate(text.splitlines()) if "9001" in line) - 1]
    assert titles.split() == ["pid", "for", "state", "query"]  # not those of the applications above it
    assert "more" not in text


def test_zoomed_lists_every_session() -> None:
    assert "9001" in drawn(readings(WELL, IDLE), 78, zoomed=True)


def test_a_quota_and_a_pool_stand_beside_their_limits() -> None:
    given = replace(readings({**WELL, "pool": 0.5}, IDLE), settings=CONFIG.model_copy(update={"pool_size": 40}))
    assert " pool         20 / 40" in drawn(given, 58)


def test_calls_stand_in_one_unit_and_a_long_mean_is_not_cut() -> None:
    rows = statements((0.5, 360.0, 0.11, 1.0, 15.0), (0.3, 0.002, 10.2, 1.0, 15.0))
    given = readings(WELL, IDLE)
    text = drawn(replace(given, by_probe={**given.by_probe, "statements": (reading("statements", {}, rows),)}), 58)
    assert "    50.0 %     6m00s     0.1 /s  SELECT 1" in text and "    30.0 %      2 ms    10.2 /s  SELECT 1" in text


def statements(*numbers: tuple[float | None, ...]) -> tuple[Row, ...]:
    """Rows of statements with these figures; what else stands in their cells is for the opened row alone."""
    cells: dict[str, Value] = {"share": Shown("?"), "mean": Shown("?"), "calls": Shown("7 /week"), "query": Shown("SELECT 1")}
    return tuple(Row(f"statement:{at}", {**cells, "numbers": of}, group="statement") for at, of in enumerate(numbers))


def test_calls_since_the_last_reset_are_a_number() -> None:
    given = readings(WELL, IDLE)
    found = reading("statements", {}, statements((0.5, 0.1, 2400.0, 1.0, None)))
    assert "    50.0 %    100 ms      2,400  SELECT 1" in drawn(
        replace(given, by_probe={**given.by_probe, "statements": (found,)}), 58
    )


def test_sampled_statements_are_labelled() -> None:
    cells: dict[str, Value] = {
        "share": Shown("100 %"),
        "longest": Shown("12s"),
        "seen": Shown("7 ×"),
        "numbers": (1.0, 12.0, 7.0),
    }
    sampled = Row("sampled:x", {**cells, "query": Shown("SELECT pg_sleep(?)")}, group="sampled")
    missing = replace(reading("statements", {}, ()), notes=(Shown(MISSING),))
    given = readings(WELL, (*IDLE, sampled))
    text = drawn(replace(given, by_probe={**given.by_probe, "statements": (missing,)}), 58)
    assert text.startswith("[23 of 60 connections · sampled]")
    assert "     share   longest       seen  statement, sampled, last…" in text
    assert "     100 %       12s        7 ×  SELECT pg_sleep(?)" in text


def test_hidden_figures_are_not_zero() -> None:
    text = drawn(readings({"connections_used": 23, "connections_max": 60}, ()), 58)
    assert " active –   idle tx –   blocked –   slow –   idle –" in text


def test_no_answer_yet_draws_no_figures() -> None:
    failed = replace(reading("sessions", {}, ()), error=Failure("connect", Shown("it refuses connections")))
    assert drawn(Readings("database", CONFIG, {"sessions": (failed,)}), 58) == "[no answer]\n no answer yet"
