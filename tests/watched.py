"""A service that is watched, without a network: readings as a health panel makes them, at any moment one asks for."""

from __future__ import annotations

import math
from pathlib import Path

from tui.engine.alert import Alert, single
from tui.engine.clock import Clock
from tui.engine.feed import ProbeState
from tui.engine.judge import Judgement, States
from tui.engine.panel import Judged
from tui.engine.reading import Change, Failure, Reading, Row, Signal, Status, Value, labels_of
from tui.engine.store import Store
from tui.engine.text import Shown

INTERVAL = 5.0


def reading(place: int, at: float, status: Status = Status.OK, panel: str = "health") -> Reading:
    """One endpoint's reading, as panels/health makes them; its latency is a sine, so that any moment's is known."""
    name = f"e{place}"
    took = latency(place, at)
    labels = labels_of({"endpoint": name})
    up = float(status is not Status.FAILING)
    signals = (
        Signal("up", up, "count", labels),
        Signal("latency", took, "s", labels),
        Signal("latency_p95", 0.25, "s", labels),
        Signal("uptime", 0.9987, "ratio", labels),
        Signal("certificate_left", 6_000_000.0 - at % 1000, "s", labels),
    )
    cells: dict[str, Value] = {
        "endpoint": Shown(name),
        "says": Shown("ok" if up else "HTTP 503 · database: connection refused"),
        "since": at % 86400,
        "uptime": 0.9987,
        "uptime_measured": 86400.0,
        "up": up,
        "latency": took,
        "latency_p95": 0.25,
        "certificate_left": 6_000_000.0 - at % 1000,
        "url": Shown(f"https://shop.example/{name}/api/health"),
        "method": Shown("GET"),
        "http_status": Shown("200"),
        "first_byte": took * 0.9,
        "bytes": 312,
        "release": Shown("9f3c2a1"),
        "environment": Shown("production"),
    }
    long = {"components": tuple(Shown(f"ok        component {each}") for each in range(4))}
    failure = None if up else Failure("status", Shown("HTTP 503"), Shown("look at database"))
    row = Row(name, cells, status, long=long)
    return Reading(panel, name, "endpoint", at, took, status, signals, (row,), (), failure)


def latency(place: int, at: float) -> float:
    """What endpoint `place` took at a moment, in seconds."""
    return 0.1 + 0.05 * math.sin(at / 60 + place)


def state(of: Reading, monotonic: float, interval: float = INTERVAL, good: Reading | None = None) -> ProbeState:
    """A probe's state with its newest reading; `good` is the last good one where that is another."""
    return ProbeState(of.target, of.probe, interval, interval, of, good or of, monotonic, read_at=monotonic)


class Service:
    """So many endpoints, each measured every five seconds, spread over them."""

    def __init__(self, endpoints: int, start: float) -> None:
        self.failing: frozenset[int] = frozenset()
        self.alerts: tuple[Alert, ...] = ()
        self.changes: tuple[Change, ...] = ()
        self._states = [state(reading(place, start), start) for place in range(endpoints)]
        self._start = start
        self._turn = 1

    def until(self, at: float) -> States:
        """Everything as it stands at a moment: the endpoints whose turn came since the last call are measured anew."""
        count = len(self._states)
        turns = math.floor((at - self._start) * count / INTERVAL) + 1
        for turn in range(max(self._turn, turns - count), turns):  # an earlier one of the same endpoint would be seen by nobody
            place = turn % count
            status = Status.FAILING if place in self.failing else Status.OK
            moment = self._start + turn * INTERVAL / count
            self._states[place] = state(reading(place, moment, status), moment)
        self._turn = max(self._turn, turns)
        return {"health": list(self._states)}

    def judgement(self, at: float) -> Judgement:
        """What the rules say: a limit on each latency, and the alerts and changes there are."""
        judged = {
            each.reading.signals[1].key: Judged(Status.OK, Shown("limit 500 ms")) for each in self._states if each.reading
        }
        return Judgement(at, {"health": judged}, self.alerts, single(self.alerts), {}, self.changes)


def record(store: Store, service: Service, start: float, end: float, every: float = 1.0) -> None:
    """Records from one moment to another, a row each `every` seconds."""
    at = start
    while at < end:
        store.write(service.until(at), service.judgement(at), at)
        at += every


def aged(store: Store, most: int = 100_000) -> None:
    """Ages until nothing is left to do."""
    for _ in range(most):
        if not store.age():
            return
    raise AssertionError("ageing does not come to an end")


def opened(path: Path, clock: Clock, size: int = 256_000_000) -> Store:
    """A store on a file."""
    return Store(path, clock, size)
