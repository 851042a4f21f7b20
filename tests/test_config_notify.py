"""`[[notify]]` in a config: what it may say, how mistakes are told, and how it is checked without telling anybody anything."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.running import Program
from tests.servers.receivers import ROUTING_KEY, start_receivers
from tests.servers.things import start_things
from tests.test_config import HEALTH, Folder, folder
from tui.config_schema import schema
from tui.engine.notify.channel import KINDS

__all__ = ["folder"]

SLACK = '[[notify]]\nkind = "slack"\nurl = "env:SLACK_WEBHOOK"\n'


@pytest.fixture(autouse=True)
def secrets_are_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_WEBHOOK", "https://hooks.slack.com/services/T/B/x")


def test_channels_are_read_in_order_by_their_kind(folder: Folder) -> None:
    text = HEALTH + SLACK + '[[notify]]\nkind = "terminal"\n[[notify]]\nkind = "command"\nname = "say"\nargv = ["say"]\n'
    setup = folder.load(text).setup
    assert [(each.title, type(each).__name__) for each in setup.channels] == [
        ("slack", "Slack"),
        ("terminal", "Terminal"),
        ("say", "Command"),
    ]
    assert not setup.warnings


def test_off_until_configured(folder: Folder) -> None:
    assert folder.load(HEALTH).setup.channels == ()


def test_every_mistake_is_told_at_once_with_its_place(folder: Folder) -> None:
    wrong = (
        HEALTH
        + '[[notify]]\nkind = "slak"\n'
        + '[[notify]]\nkind = "slack"\nurl = "https://hooks.slack.com/services/T/B/clear"\n'
        + SLACK
        + 'when = { severity = ["P9"], hours = "9-5" }\n'
        + SLACK
        + 'name = "b"\nwhen = { panels = ["helth"], rules = ["ServiceDwn"] }\n'
        + SLACK
        + 'name = "b"\non = []\n'
        + SLACK
        + 'name = "b"\n'
        + "[[notify]]\nname = 'x'\n"
    )
    said = "\n".join(folder.mistakes(wrong))
    for words in (
        "unknown kind 'slak', did you mean 'slack'?",
        "a secret never stands in the config",
        "expected 'P0', 'P1', 'P2' or 'P3'",
        'expected "always", "business", or hours such as',
        "'helth' is none of health, did you mean 'health'?",
        "'ServiceDwn' is none of ServiceDown, Uptime, did you mean 'ServiceDown'?",
        "what is it told of?",
        "two channels are called b",
        "which kind? one of slack, pagerduty, mail, command, http, terminal",
    ):
        assert words in said, said


def test_the_schema_knows_every_kind() -> None:
    kinds = {each["properties"]["kind"]["const"]: each for each in schema()["properties"]["notify"]["items"]["anyOf"]}
    assert set(kinds) == set(KINDS)
    for kind, model in kinds.items():
        without = [key for key, each in model["properties"].items() if not each.get("description")]
        assert not without, f"{kind}: a sentence to each setting"


def test_a_config_that_tells_nobody_loads_nothing_of_it() -> None:
    import subprocess
    import sys

    script = "import sys, tui.config, tui.engine.engine, tui.commands.dashboard; "
    script += "assert not [each for each in sys.modules if each.startswith('tui.engine.notify')]"
    subprocess.run([sys.executable, "-c", script], check=True, cwd=Path(__file__).parents[1])


def test_check_connect_reaches_every_channel_and_tells_nobody(tmp_path: Path) -> None:
    with start_things(a="well") as things, start_receivers() as there:
        more = {"SLACK_WEBHOOK": there.slack, "PAGERDUTY_KEY": ROUTING_KEY, "GONE": f"{there.url}/services/T/B/gone"}
        program = Program(tmp_path, more)
        config = program.config(
            f'[[panel]]\nkind = "health"\nendpoints = ["{things.url}/readyz"]\n'
            + SLACK
            + f'[[notify]]\nkind = "pagerduty"\nrouting_key = "env:PAGERDUTY_KEY"\nurl = "{there.url}/v2/enqueue"\n'
            + '[[notify]]\nkind = "command"\nargv = ["true"]\n[[notify]]\nkind = "terminal"\n'
            + '[[notify]]\nkind = "slack"\nname = "gone"\nurl = "env:GONE"\n'
        )
        done = program.call("config", "check", "--connect", "--config", config)
        assert done.returncode == 1
        lines = [line for line in done.stdout.splitlines() if "reached" in line]
        assert len(lines) == 5
        assert [line for line in lines if line.startswith("NOT")] == ["NOT reached  gone (Slack): HTTP 404: no_service"]
        assert "1 panel, 2 rules, 5 channels" in done.stdout
        assert not there.posted and not there.incidents
        shown = program.call("config", "show", "--config", config).stdout
        assert "env:SLACK_WEBHOOK" in shown and there.url + "/services/T1" not in shown
        json.loads(program.call("config", "schema").stdout)
