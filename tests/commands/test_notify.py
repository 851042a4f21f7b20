"""`watchfloor notify test`: marked messages arrive, each channel has its line, and the exit code says whether all did."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands.configs import health_only
from tests.running import Program
from tests.servers.receivers import ROUTING_KEY, Receivers, start_receivers
from tests.servers.things import Things

SLACK = '[[notify]]\nkind = "slack"\nurl = "env:SLACK_WEBHOOK"\n'


@pytest.fixture
def there() -> Iterator[Receivers]:
    with start_receivers() as receivers:
        yield receivers


@pytest.fixture
def program(tmp_path: Path, there: Receivers) -> Program:
    return Program(tmp_path, {"SLACK_WEBHOOK": there.slack, "PAGERDUTY_KEY": ROUTING_KEY})


def pager(there: Receivers, on: str = "") -> str:
    return f'[[notify]]\nkind = "pagerduty"\nrouting_key = "env:PAGERDUTY_KEY"\nurl = "{there.url}/v2/enqueue"\n{on}\n'


def test_every_channel_is_told_a_marked_test(program: Program, things: Things, there: Receivers) -> None:
    more = SLACK + pager(there) + '[[notify]]\nkind = "command"\nargv = ["cat"]\n[[notify]]\nkind = "terminal"\n'
    done = program.run("notify", "test", "--config", program.config(health_only(things, more)))
    assert done.returncode == 0, done.stderr
    assert sorted(line.split()[0] for line in done.stdout.splitlines()) == [
        "terminal",
        "told",
        "told",
        "told",
    ]
    text = there.posted[0]["text"]
    assert text.startswith("TEST from watchfloor, no action needed: P3 firing") and "<!" not in text
    assert [each["event_action"] for each in there.events] == ["trigger", "resolve"]
    assert there.events[0]["payload"]["severity"] == "info"


def test_one_by_name_and_one_that_is_not_there(program: Program, things: Things, there: Receivers) -> None:
    config = program.config(health_only(things, SLACK + pager(there)))
    assert program.call("notify", "test", "pagerduty", "--config", config).returncode == 0
    assert there.events and not there.posted
    done = program.call("notify", "test", "pagerdut", "--config", config)
    assert done.returncode == 64 and "did you mean 'pagerduty'?" in done.stderr


def test_an_escalation_goes_to_those_who_are_called_then(program: Program, things: Things, there: Receivers) -> None:
    config = program.config(health_only(things, SLACK + pager(there, 'on = ["escalated"]')))
    assert program.call("notify", "test", "--escalation", "--config", config).returncode == 0
    assert not there.posted
    assert "escalated to anna, as a test" in there.events[0]["payload"]["summary"]


def test_one_that_fails_is_said_with_exit_code_5(program: Program, things: Things, there: Receivers) -> None:
    there.behaves = [403]
    done = program.call("notify", "test", "--config", program.config(health_only(things, SLACK)))
    assert done.returncode == 5
    assert done.stdout == "NOT told   slack (slack): HTTP 403: no\n"
    assert there.slack not in done.stdout + done.stderr


def test_without_channels_nobody_is_told(program: Program, things: Things) -> None:
    done = program.call("notify", "test", "--config", program.config(health_only(things)))
    assert done.returncode == 5 and "[[notify]]" in done.stderr
