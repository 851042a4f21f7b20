"""Several processes on one journal, one of them polling: people are told once, also when it is killed in the middle."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

from tests.running import Program
from tests.servers.receivers import ROUTING_KEY, start_receivers
from tests.servers.things import start_things
from tests.waiting import eventually

CONFIG = """
[watchfloor]
name = "shop"
environment = "demo"
interval = "300ms"
[[panel]]
kind = "health"
[[panel.endpoint]]
name = "readyz"
url = "{things}/readyz"
deadline = "10s"
[[rule]]
name = "ServiceDown"
signal = "health.up"
below = 1
severity = "P0"
[[notify]]
kind = "slack"
url = "env:SLACK_WEBHOOK"
[[notify]]
kind = "pagerduty"
routing_key = "env:PAGERDUTY_KEY"
url = "{there}/v2/enqueue"
"""


def test_three_pollers_and_a_kill_tell_once(tmp_path: Path) -> None:
    with start_things(a="well") as things, start_receivers() as there:
        program = Program(tmp_path, {"SLACK_WEBHOOK": there.slack, "PAGERDUTY_KEY": ROUTING_KEY})
        path = program.config(CONFIG.format(things=things.url, there=there.url))
        records = [program.start("record", "--config", path) for _ in range(3)]
        try:
            eventually(lambda: things.polled)
            things.ready = (503, {"ok": False, "checks": {"db": False}})
            eventually(lambda: there.posted and there.events)
            assert there.incidents and set(there.incidents.values()) == {"triggered"}
            claimed = journal(program, path, "claimed")
            assert len(claimed) == 2, "one a channel"
            records[0].send_signal(signal.SIGKILL)
            polled = len(things.polled)
            eventually(lambda: len(things.polled) > polled + 3, within=30, says="another one polls")
            things.ready = (200, {"ok": True})
            eventually(lambda: set(there.incidents.values()) == {"resolved"})
            eventually(lambda: len(there.posted) == 2)
            assert there.posted[0]["text"].startswith("<!channel> P0 firing: ServiceDown readyz")
            assert there.posted[1]["text"].startswith("P0 resolved after ")
            assert there.calls == 1
            eventually(lambda: len(journal(program, path, "told")) == 4, each=0.2)
        finally:
            for each in records:
                end(each)


def journal(program: Program, path: Path, kind: str) -> list[dict[str, object]]:
    """The entries of a kind."""
    lines = program.run("journal", "--json", "--config", path).stdout.splitlines()
    return [entry for line in lines if (entry := json.loads(line))["kind"] == kind]


def end(process: subprocess.Popen[str]) -> None:
    """Ends it, if it has not ended."""
    if process.poll() is None:
        os.kill(process.pid, signal.SIGTERM)
    process.communicate(timeout=90)
