"""A real Alertmanager for tests.

    with start_alertmanager() as alertmanager:
        alertmanager.fires({"alertname": "HighErrorRate", "severity": "critical", "instance": "web"})

Debian's binary, loopback TCP, a temporary folder, gone with the test. Nobody is told of anything: its only receiver is empty.
"""

import datetime
import json
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.servers.children import HOST, Child, begin, find_program, own_folder, port_of_its_own, ready

CONFIG = """\
route: {receiver: nobody, group_wait: 1s, group_interval: 1s}
receivers: [{name: nobody}]
inhibit_rules:
- source_matchers: [alertname="Outage"]
  target_matchers: [severity="warning"]
"""


@dataclass(frozen=True)
class Alertmanager(Child):
    """One Alertmanager: what it is told, and what it says."""

    def call(self, method: str, path: str, body: object = None) -> Any:
        """One request, with nothing of ours in between."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}{path}", data, {"content-type": "application/json"}, method=method)
        with urllib.request.urlopen(request, timeout=90) as answer:
            said = answer.read()
        return json.loads(said) if said else None

    def fires(
        self, labels: Mapping[str, str], *, since: float | None = None, annotations: Mapping[str, str] | None = None
    ) -> None:
        """An alert fires (`since` in UTC seconds), until it is told to be over."""
        alert: dict[str, Any] = {"labels": labels, "annotations": annotations or {}}
        if since is not None:
            alert["startsAt"] = _written(since)
        self.call("POST", "/api/v2/alerts", [alert])

    def over(self, since: float, labels: Mapping[str, str]) -> None:
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


def _written(at: float) -> str:
    return datetime.datetime.fromtimestamp(at, datetime.UTC).isoformat()


@contextmanager
def start_alertmanager(prefix: str = "") -> Iterator[Alertmanager]:
    """A server of one's own, alone in its cluster, removed afterwards."""
    binary = find_alertmanager()
    port = port_of_its_own()
    with own_folder("am") as folder:
        (folder / "alertmanager.yml").write_text(CONFIG)
        argv = [
            *(binary, f"--config.file={folder}/alertmanager.yml", f"--storage.path={folder}/data"),
            *(f"--web.listen-address={HOST}:{port}", "--cluster.listen-address=", "--log.level=warn"),
            *([f"--web.route-prefix={prefix}"] if prefix else []),
        ]
        with ready(Alertmanager(folder, port, begin(argv, folder), prefix)) as server:
            yield server


def find_alertmanager() -> str:
    """Debian's binary; without it the test is skipped, and says what to install."""
    return find_program("prometheus-alertmanager", "alertmanager", package="prometheus-alertmanager")
