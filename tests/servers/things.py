"""A small real service to act on: it keeps things, mends and ends them, and can be told to misbehave.

    with start_things(a="broken", b="broken") as service:
        service.behaves["b"] = "refuse"

`GET /readyz`, `GET /things`, `GET /things/KEY`, `POST /things/KEY/mend`, `POST /things/KEY/end`. Every POST that arrives is
kept in `received`, and `on_arrival` is called with it before anything is done or answered: it may wait, to hold the deed.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.servers.listening import Handler, listening
from tests.waiting import LONG


@dataclass(frozen=True)
class Received:
    """One POST as it arrived."""

    key: str
    deed: str
    idempotency_key: str


@dataclass
class Things:
    """What the service keeps, and how it behaves, by key."""

    states: dict[str, str]
    behaves: dict[str, str] = field(default_factory=dict)
    """`ok`, `refuse` (403), `gone` (409), `break` (500), `hang` (takes it, does it, never answers), `pretend` (says it did)."""
    received: list[Received] = field(default_factory=list)
    ready: tuple[int, object] = (200, {"ok": True, "checks": {"db": True}})
    """What `GET /readyz` answers."""
    polled: list[float] = field(default_factory=list)
    """Monotonic seconds of every `GET /readyz` and `GET /things`."""
    askers: list[int] = field(default_factory=list)
    """The client's port of every `GET /readyz`: a poller keeps its connection, so each is another one's."""
    takes: float = 0.0
    on_arrival: Callable[[Received], object] = lambda received: None
    url: str = ""
    ends: threading.Event = field(default_factory=threading.Event)

    def act(self, key: str, deed: str, idempotency_key: str) -> int:
        """Does what was asked, or not; the HTTP status to answer, 0 for none."""
        received = Received(key, deed, idempotency_key)
        self.received.append(received)
        self.on_arrival(received)
        self.ends.wait(self.takes)
        how = self.behaves.get(key, "ok")
        if how in ("ok", "hang"):
            self.states[key] = {"mend": "well", "end": "gone"}[deed]
        return {"ok": 200, "pretend": 200, "refuse": 403, "gone": 409, "break": 500, "hang": 0}[how]

    @contextmanager
    def held(self) -> Iterator[None]:
        """Every POST that arrives is under way until the end of the block."""
        go = threading.Event()
        self.on_arrival = lambda received: go.wait(LONG)
        try:
            yield
        finally:
            self.on_arrival = lambda received: None
            go.set()


@contextmanager
def start_things(**states: str) -> Iterator[Things]:
    """The service on a port of its own, until the end of the block."""
    things = Things(dict(states))

    class Asked(Handler):
        def do_GET(self) -> None:
            if self.path.partition("?")[0] == "/readyz":
                things.polled.append(time.monotonic())
                things.askers.append(self.client_address[1])
                self.answer(*things.ready)
                return
            key = self.path.removeprefix("/things").strip("/")
            if not key:
                things.polled.append(time.monotonic())
                self.answer(200, things.states)
                return
            found = things.states.get(key)
            self.answer(200 if found else 404, {"key": key, "state": found})

        def do_POST(self) -> None:
            _, _, key, deed = self.path.split("/")
            status = things.act(key, deed, self.headers.get("idempotency-key", ""))
            if status:
                self.answer(status, {"key": key})
                return
            things.ends.wait(30)
            self.close_connection = True

        def answer(self, status: int, content: object) -> None:
            self.reply(status, json.dumps(content).encode(), "application/json")

    try:
        with listening(Asked) as port:
            things.url = f"http://127.0.0.1:{port}"
            yield things
    finally:
        things.ends.set()
