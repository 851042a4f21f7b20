"""Watchfloor's own figures for Prometheus, served on loopback while `record` runs."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from tui import __version__
from tui.config_models import LOOPBACK
from tui.engine.engine import Engine
from tui.engine.feed import PanelState, Snapshot
from tui.engine.journal import Journal
from tui.engine.reading import labels_of, series_key

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
PATIENCE = 5.0
"""Seconds that one who asks may take to say what."""


@contextlib.contextmanager
def serving(address: str, engine: Engine, journal: Journal) -> Iterator[int]:
    """Serves `/metrics` at a loopback address, nowhere where that is empty; gives the port.

    Raises OSError where it is taken.
    """
    if not address:
        yield 0
        return
    import socket
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    class Handler(BaseHTTPRequestHandler):
        timeout = PATIENCE

        def do_GET(self) -> None:
            host = urlsplit(f"//{self.headers.get('host') or 'localhost'}").hostname
            if host not in LOOPBACK or self.path.partition("?")[0] != "/metrics":
                # A page in somebody's browser may reach loopback too, under a name of its own.
                self.send_error(404 if host in LOOPBACK else 403)
                return
            body = page(engine.feed.peek(), _polls(engine), _size(journal), engine.clock.monotonic()).encode()
            self.send_response(200)
            self.send_header("Content-Type", CONTENT_TYPE)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            return

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            if not isinstance(sys.exception(), OSError):  # who asked has hung up: no news for `record`'s log
                super().handle_error(request, client_address)  # type: ignore[arg-type]  # as it was given

        address_family = socket.AF_INET6 if "[" in address else socket.AF_INET

    host, _, port = address.rpartition(":")
    server = Server((host.strip("[]"), int(port)), Handler)
    threading.Thread(target=server.serve_forever, name="watchfloor-metrics", daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


def page(snapshot: Snapshot, polls: Counter[str], journal_bytes: int | None, monotonic: float) -> str:
    """The figures in Prometheus's text format, as they stand at a moment: an engine that hangs is seen by its ages."""
    snapshot = snapshot.aged(monotonic)
    alerts = Counter((alert.severity, alert.state) for alert in snapshot.alerts)
    return "".join(
        (
            _family("info", "gauge", "Which version runs.", [({"version": __version__}, 1)]),
            _family("leads", "gauge", "Whether this process polls.", [({}, int(snapshot.seat.role != "follows"))]),
            _family(
                "panel_status",
                "gauge",
                "0 ok, 1 degraded, 2 unknown, 3 failing.",
                [({"panel": panel.name}, int(panel.status)) for panel in snapshot.panels],
            ),
            _family(
                "alerts",
                "gauge",
                "Alerts by severity and state.",
                [
                    ({"severity": severity, "state": state}, alerts[severity, state])
                    for severity in ("P0", "P1", "P2", "P3")
                    for state in ("pending", "firing")
                ],
            ),
            _family(
                "poll_age_seconds",
                "gauge",
                "Age of the oldest last good reading of a panel.",
                [({"panel": panel.name}, age) for panel in snapshot.panels if (age := _age(panel, monotonic)) is not None],
            ),
            _family(
                "polls_total",
                "counter",
                "Questions asked by this process.",
                [({"panel": panel.name}, polls[panel.name]) for panel in snapshot.panels],
            ),
            _family("warnings", "gauge", "What is wrong with Watchfloor itself.", [({}, len(snapshot.warnings))]),
            _family("open_intents", "gauge", "Deeds whose outcome is not known.", [({}, len(snapshot.open_intents))]),
            _family(
                "journal_bytes",
                "gauge",
                "Size of the journal with its log.",
                [] if journal_bytes is None else [({}, journal_bytes)],
            ),
        )
    )


def _family(name: str, kind: str, says: str, samples: Sequence[tuple[dict[str, str], float]]) -> str:
    full = f"watchfloor_{name}"
    lines = [f"{series_key(full, labels_of(labels))} {value}" for labels, value in samples]
    return "\n".join((f"# HELP {full} {says}", f"# TYPE {full} {kind}", *lines, ""))


def _age(panel: PanelState, monotonic: float) -> float | None:
    """The age of what is oldest of a panel; None before everything was measured once."""
    ages = [probe.age(monotonic) for probe in panel.probes]
    known = [age for age in ages if age is not None]
    return max(known) if known and len(known) == len(ages) else None


def _polls(engine: Engine) -> Counter[str]:
    asked: Counter[str] = Counter()
    for job in engine.poller.jobs:
        asked[job.target.panel] += job.polls
    return asked


def _size(journal: Journal) -> int | None:
    """Bytes of the journal's file and its write-ahead log; None where they cannot be seen."""
    if not isinstance(journal.path, Path):
        return None
    sizes = []
    for path in (journal.path, journal.path.with_name(f"{journal.path.name}-wal")):
        with contextlib.suppress(OSError):
            sizes.append(path.stat().st_size)
    return sum(sizes) if sizes else None
