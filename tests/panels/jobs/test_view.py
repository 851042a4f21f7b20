"""The view as printed text: what a person sees of a queue that is well, and of each way in which it is not."""

from __future__ import annotations

from typing import Any

from panels.jobs import CARD
from panels.jobs.config import JobsConfig
from panels.jobs.view import view
from tests.panels.jobs.printed import printed
from tui.engine.history import History
from tui.engine.layout import Layout, Room
from tui.engine.panel import Judged, Readings
from tui.engine.reading import Reading, Row, Signal, Status, Value, signal
from tui.engine.text import Shown, clean

NOW = 1_800_000_000.0
CONFIG = JobsConfig.model_validate({"dsn": "host=localhost dbname=x"})
P1, P2 = Judged(Status.FAILING), Judged(Status.DEGRADED)


def kind(name: str, queued: int, running: int, rate: float | None, **more: Value) -> Row:
    cells: dict[str, Value] = {"kind": clean(name), "queued": queued, "due": queued, "running": running, "failure_rate": rate}
    cells |= {"oldest_due": 0.0, "stuck": 0, "failed_10m": 0, "failed_24h": 3, **more}
    return Row(f"kind:{name}", cells, group="kind")


def job(identity: str, of: str, why: str, **more: Value) -> Row:
    cells: dict[str, Value] = dict.fromkeys(("worker", "heartbeat", "due_since", "created", "attempts", "ended"))
    cells |= {
        "job": clean(identity),
        "kind": clean(of),
        "status": Shown("running"),
        "why": Shown(why),
        "error": Shown(""),
        **more,
    }
    return Row(identity, cells, parent=f"kind:{of}", group="job")


def failure(of: str, says: str, jobs: int, newest: float | None = None) -> Row:
    cells: dict[str, Value] = {"signature": clean(says), "kind": clean(of), "jobs": jobs, "newest": newest, "at_least": False}
    return Row(f"failure:{of}:{says}", cells, parent=f"kind:{of}", group="failure")


def schedule(identity: str, overdue: float, says: str) -> Row:
    cells: dict[str, Value] = {"schedule": clean(identity), "overdue": overdue, "job": clean(says)}
    return Row(f"schedule:{identity}", cells, group="schedule")


KINDS = (
    kind("CLIP_RENDER", 9, 4, 0.012, oldest_due=8.0),
    kind("PUBLISH_YOUTUBE", 1, 0, 0.021),
    kind("TRANSCRIBE", 4, 2, 0.009, oldest_due=2.0),
)
WELL = (
    signal("stuck", 0),
    signal("workers", 3),
    signal("worker_heartbeat", 2.0, "s"),
    signal("throughput", 0.7, "1/s"),
    signal("critical_failed_10m", 0),
)
CRON = (signal("overdue_schedules", 0), signal("oldest_overdue", 0.0, "s"), signal("cron_age", 41.0, "s"))


def draw(
    rows: tuple[Row, ...],
    width: int = 58,
    height: int = 12,
    *,
    signals: tuple[Signal, ...] = WELL,
    cron: tuple[Signal, ...] = CRON,
    schedules: tuple[Row, ...] = (),
    judged: dict[str, Judged] | None = None,
    zoomed: bool = False,
    **reading: Any,
) -> Layout:
    by_probe = {
        "queue": (Reading("jobs", "jobs", "queue", NOW, 0.01, Status.OK, signals, rows, **reading),),
        "schedules": (Reading("jobs", "jobs", "schedules", NOW, 0.01, Status.OK, cron, schedules),),
    }
    readings = Readings("jobs", CONFIG, by_probe, judged or {})
    return view(readings, History(), Room(width, height, NOW, zoomed))


def test_a_queue_that_is_well_is_quiet() -> None:
    layout = draw(KINDS)
    assert layout.headline == "queued 14"
    assert printed(layout, 58) == (
        "queued 14   running 6   oldest due 8s   stuck 0   42 /min\n"
        "workers 3, heard 2s ago   failed 10m 0   overdue 0   cron'\n"
        "kind                        queued   run  fail 24h     for\n"
        "CLIP_RENDER                      9     4     1.2 %      8s\n"
        "PUBLISH_YOUTUBE                  1     0     2.1 %\n"
        "TRANSCRIBE                       4     2     0.9 %      2s"
    )


def test_room_that_is_left_shows_the_days_failures_and_says_how_many_more_there_are() -> None:
    groups = tuple(failure("TRANSCRIBE", f"Deepgram {word}", jobs) for word, jobs in (("a", 9), ("b", 5), ("c", 1)))
    assert printed(draw((*KINDS, *groups), height=12), 58).splitlines()[6:] == [
        "failures, 24h",
        "9× Deepgram a",
        "5× Deepgram b",
        "…1 more of the failures in 24 h, by what they say",
    ]
    assert printed(draw((*KINDS, *groups), height=9), 58).splitlines()[6:] == ["…3 of the failures in 24 h, by what they say"]


def test_stuck_jobs_stand_under_their_kind_which_comes_first() -> None:
    rows = (
        *KINDS[:2],
        kind("TRANSCRIBE", 4, 7, 0.009, stuck=5),
        *(
            job(f"{n}f2a91c0-50cc-4d31-b4b2-c9d2b32dd6e1", "TRANSCRIBE", "stuck", heartbeat=420.0, worker=Shown("w7"))
            for n in range(4)
        ),
        job("81bc09aa-50cc-4d31-b4b2-c9d2b32dd6e1", "TRANSCRIBE", "stuck"),
    )
    layout = draw(rows, 78, signals=(signal("stuck", 5), *WELL[1:]), judged={"stuck": P1})
    assert layout.headline == "5 stuck"
    assert printed(layout, 78).splitlines()[0] == "queued 14   running 11   oldest due 8s   stuck 5 ✖   42 /min"
    assert printed(layout, 78).splitlines()[2:] == [
        "kind                                            queued   run  fail 24h     for",
        "TRANSCRIBE · 5 stuck ✖                               4     7     0.9 %",
        "  0f2a91c0 stuck · w7 ✖                                                  7m00s",
        "  1f2a91c0 stuck · w7 ✖                                                  7m00s",
        "  2f2a91c0 stuck · w7 ✖                                                  7m00s",
        "  …2 more stuck",
        "CLIP_RENDER                                          9     4     1.2 %      8s",
        "PUBLISH_YOUTUBE                                      1     0     2.1 %",
    ]


def test_failures_stand_under_the_kind_they_make_ill_and_the_largest_is_said_in_full() -> None:
    rows = (
        *KINDS[:1],
        kind("PUBLISH_YOUTUBE", 1, 0, 0.182, failed_10m=31),
        failure("PUBLISH_YOUTUBE", "YouTube <n>: Invalid Credentials: the token of channel <n> has expired", 96, 12.0),
        failure("PUBLISH_YOUTUBE", "YouTube <n>: quota", 2, 7200.0),
    )
    judged = {'failure_rate{kind="PUBLISH_YOUTUBE"}': P2, "critical_failed_10m": P1}
    layout = draw(rows, signals=(*WELL[:4], signal("critical_failed_10m", 31)), judged=judged)
    assert printed(layout, 58).splitlines()[1:] == [
        "workers 3, heard 2s ago   failed 10m 31 ✖   overdue 0   cr",
        "! PUBLISH_YOUTUBE: YouTube <n>: Invalid Credentials: the t",
        "kind                      queued   run    fail 24h     for",
        "PUBLISH_YOUTUBE ✖              1     0    18.2 % ▲",
        "  96× YouTube <n>: Inva…                               12s",
        "  2× YouTube <n>: quota                              2h00m",
        "CLIP_RENDER                    9     4       1.2 %      8s",
    ]


def test_failures_that_make_nothing_ill_do_not_stand_above_what_does() -> None:
    rows = (
        kind("PUBLISH_TIKTOK", 0, 9, 0.035, stuck=1, failed_10m=1),
        job("165373e4-50cc-4d31-b4b2-c9d2b32dd6e1", "PUBLISH_TIKTOK", "stuck", heartbeat=420.0),
        failure("PUBLISH_TIKTOK", "TikTok <n>: rate_limit_exceeded", 25, 60.0),
    )
    lines = printed(draw(rows, signals=(signal("stuck", 1), *WELL[1:]), judged={"stuck": P1}), 58).splitlines()
    assert not [line for line in lines if "rate_limit" in line and line.startswith("!")]


def test_failures_of_a_kind_that_is_less_ill_take_no_line_from_the_worst() -> None:
    rows = (
        kind("HIGHLIGHT_DETECT", 0, 7, 0.014, stuck=1),
        job("52378826-50cc-4d31-b4b2-c9d2b32dd6e1", "HIGHLIGHT_DETECT", "stuck", heartbeat=420.0),
        kind("PUBLISH_YOUTUBE", 0, 0, 0.185),
        failure("PUBLISH_YOUTUBE", "YouTube <n>: Invalid Credentials", 203, 60.0),
    )
    judged = {"stuck": P1, 'failure_rate{kind="PUBLISH_YOUTUBE"}': P2}
    lines = printed(draw(rows, signals=(signal("stuck", 1), *WELL[1:]), judged=judged), 58).splitlines()
    assert not [line for line in lines if line.startswith("!")]


def test_of_kinds_that_are_equally_ill_the_one_with_most_that_failed_comes_first() -> None:
    rows = (kind("PUBLISH_TIKTOK", 0, 0, 0.037, failed_10m=1), kind("PUBLISH_YOUTUBE", 1, 0, 0.04, failed_10m=48))
    lines = printed(draw(rows, judged={"critical_failed_10m": P1}), 58).splitlines()
    kinds = [line.split()[0] for line in lines if line.startswith("PUBLISH")]
    assert kinds == ["PUBLISH_YOUTUBE", "PUBLISH_TIKTOK"]


def test_overdue_schedules_stand_among_the_kinds_by_how_bad_they_are() -> None:
    cron = (signal("overdue_schedules", 2), signal("oldest_overdue", 400.0, "s"), signal("orphan_schedules", 1))
    late = (schedule("4be1c0de-50cc-4d31-b4b2-c9d2b32dd6e1", 400.0, "no job"), schedule("late", 300.0, "has a job"))
    layout = draw(KINDS, 78, cron=cron, schedules=late, judged={"oldest_overdue": P2})
    assert layout.headline == "2 schedules overdue"
    assert printed(layout, 78).splitlines()[1:6] == [
        "workers 3, heard 2s ago   failed 10m 0   overdue 2 ▲   cron's last job none se",
        "kind                                            queued   run  fail 24h     for",
        "overdue schedules · 1 without a job ▲                2                   6m40s",
        "  4be1c0de overdue · no job                                              6m40s",
        "  late overdue · has a job                                               5m00s",
    ]


def test_no_worker_at_all_is_a_fact_of_its_own() -> None:
    known = (signal("stuck", 0), signal("worker_heartbeat", None, "s"), signal("worker_silence", 130.0, "s"))
    signals = (*known, signal("workers", 0))
    layout = draw(KINDS, signals=signals, judged={"worker_silence": P1})
    assert layout.headline == "no worker for 2m10s"
    assert printed(layout, 58).splitlines()[1].startswith("no worker heartbeat at all ✖   failed 10m 0")
    unread = (signal("stuck", None), signal("worker_heartbeat", None, "s"), signal("workers", None))
    assert printed(draw(KINDS, signals=unread), 58).splitlines()[1].startswith("workers –   failed 10m 0")


def test_zoomed_shows_everything_once() -> None:
    group = failure("TRANSCRIBE", "Deepgram <n>", 1, 70.0)
    rows = (
        *KINDS,
        group,
        Row("f1", job("f1", "TRANSCRIBE", "failed", ended=70.0, attempts=3).cells, parent=group.key, group="job"),
        job("long", "CLIP_RENDER", "long", due_since=4000.0, worker=Shown("w1")),
        job("new", "CLIP_RENDER", "recent", created=3.0, status=Shown("succeeded")),
        Row("worker:w1", {"worker": Shown("w1"), "heartbeat": 2.0, "running": 4}, group="worker"),
    )
    judged = {'failure_rate{kind="TRANSCRIBE"}': P2}
    layout = draw(rows, 98, 40, zoomed=True, judged=judged)
    assert len({row.key for row in layout.rows}) == len(layout.rows)
    assert [row.cells[0].text for row in layout.rows][3:] == [
        "failures, 24h",
        "1× Deepgram <n>",
        "f1 failed",
        "running",
        "long running",
        "newest",
        "new succeeded",
        "workers",
        "w1",
    ]


def test_what_is_not_known_is_not_drawn_as_zero() -> None:
    rows = (kind("A", 1, 0, None, failed_10m=None, failed_24h=None),)
    signals = (signal("stuck", 0), signal("throughput", None, "1/s"))
    text = printed(draw(rows, signals=signals, notes=(Shown("still being read"),)), 58)
    assert (
        "! still being read" in text and "failed 10m –" in text and "A                                1     0         –" in text
    )


def test_an_empty_queue_says_what_that_means() -> None:
    assert printed(draw(()), 58).splitlines()[-1] == "no job was created in the last 24 h, and none waits"


def test_nothing_moves_while_nothing_changes() -> None:
    assert draw(KINDS) == draw(tuple(reversed(KINDS)))
    assert draw(KINDS, 98).columns == CARD.columns


def test_with_room_what_a_row_says_has_a_column_of_its_own() -> None:
    rows = (kind("TRANSCRIBE", 4, 7, 0.009, stuck=1), job("81bc09aa", "TRANSCRIBE", "stuck"))
    layout = draw(rows, 100, signals=(signal("stuck", 1), *WELL[1:]), judged={"stuck": P1})
    assert printed(layout, 100).splitlines()[2:] == [
        "kind                queued   run  fail 24h     for  says                                  due",
        "TRANSCRIBE ✖             4     7     0.9 %          1 stuck                               ··········",
        "  81bc09aa stuck ✖                                  never heard",
    ]
