"""A real Alertmanager for tests.

    with start_alertmanager() as alertmanager:
        alertmanager.fires(alertname="HighErrorRate", severity="critical", instance="web")

Debian's binary, loopback TCP, a temporary folder, gone with the test. Nobody is told of anything: its only receiver is empty.
"""

import datetime
import json
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.servers.prometheus import HOST, STARTS_WITHIN, _end_with_parent, _free_port

CONFIG = """\
route: {receiver: nobody, group_wait: 1s, group_interval: 1s}
receivers: [{name: nobody}]
inhibit_rules:
- source_matchers: [alertname="Outage"]
  target_matchers: [severity="warning"]
"""


@dataclass(frozen=True)
class Alertmanager:
    """One Alertmanager: where it is, what it is told, and the faults a test can put it through."""

    folder: Path
    port: int
    process: "subprocess.Popen[bytes]" = field(repr=False)
    prefix: str = ""

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}{self.prefix}"

    def call(self, method: str, path: str, body: object = None) -> Any:
        """One request, with nothing of ours in between."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}{path}", data, {"content-type": "application/json"}, method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            said = answer.read()
        return json.loads(said) if said else None

    def fires(self, *, since: float | None = None, annotations: dict[str, str] | None = None, **labels: str) -> None:
        """An alert fires (`since` in UTC seconds), until it is told to be over."""
        alert: dict[str, Any] = {"labels": labels, "annotations": annotations or {}}
        if since is not None:
            alert["startsAt"] = _written(since)
        self.call("POST", "/api/v2/alerts", [alert])

    def over(self, since: float, **labels: str) -> None:
        """It does not any more."""
        ended = {"labels": labels, "startsAt": _written(since), "endsAt": _written(time.time() - 1)}
        self.call("POST", "/api/v2/alerts", [ended])

    def silences(self, state: str = "active") -> list[dict[str, Any]]:
        """The silences in a state."""
        return [each for each in self.call("GET", "/api/v2/silences") if each["status"]["state"] == state]

    def alerts(self) -> list[dict[str, Any]]:
        """What it says of its alerts."""
        found: list[dict[str, Any]] = self.call("GET", "/api/v2/alerts")
        return found

    def pause(self) -> None:
        """It still holds its port and connections, and answers nothing, until `resume`."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def ready(self) -> bool:
        with suppress(OSError), urllib.request.urlopen(f"{self.url}/-/ready", timeout=2):
            return True
        return False


def _written(at: float) -> str:
    return datetime.datetime.fromtimestamp(at, datetime.UTC).isoformat()


@contextmanager
def start_alertmanager(prefix: str = "") -> Iterator[Alertmanager]:
    """A server of one's own, alone in its cluster, removed afterwards."""
    binary = find_alertmanager()
    folder = Path(tempfile.mkdtemp(prefix="wf-am-", dir="/tmp"))
    port = _free_port()
    (folder / "alertmanager.yml").write_text(CONFIG)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                *(binary, f"--config.file={folder}/alertmanager.yml", f"--storage.path={folder}/data"),
                *(f"--web.listen-address={HOST}:{port}", "--cluster.listen-address=", "--log.level=warn"),
                *([f"--web.route-prefix={prefix}"] if prefix else []),
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=folder,
            preexec_fn=_end_with_parent,
        )
    server = Alertmanager(folder, port, process, prefix)
    try:
        deadline = time.monotonic() + STARTS_WITHIN
        while not server.ready():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"Alertmanager did not start:\n{(folder / 'log').read_text(errors='replace')}")
            time.sleep(0.05)
        yield server
    finally:
        server.resume()
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(5)
        process.kill()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def find_alertmanager() -> str:
    """Debian's binary; without it the test is skipped, and says what to install."""
    found = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
    if found is None:
        pytest.skip("NO ALERTMANAGER: no such program in PATH. Install it: apt-get install prometheus-alertmanager")
    return found
