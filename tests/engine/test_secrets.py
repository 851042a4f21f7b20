"""Secrets: named in the config, read when needed, read again after a refusal, shown nowhere."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError

from tests.waiting import GRACE, LONG, Stopwatch, soon
from tui.engine import secrets
from tui.engine.secrets import Dsn, Headers, Secret, SecretError, SecretText, SecretUrl, known_values, url_problem


class Model(BaseModel):
    """One of each kind."""

    model_config = ConfigDict(arbitrary_types_allowed=True)
    token: Secret | None = None
    url: SecretUrl | None = None
    dsn: Dsn | None = None
    headers: Headers | None = None


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRETS_TEST", "hunter2/& x")
    monkeypatch.setattr(secrets, "COMMAND_TIMEOUT", LONG)


def python(program: str) -> str:
    """A `cmd:` reference to a program of ours."""
    return f"cmd:{sys.executable} -c '{program}'"


# --- read -----------------------------------------------------------------------------------------------------------


async def test_from_the_environment() -> None:
    assert await SecretText("env:SECRETS_TEST").reveal() == "hunter2/& x"


async def test_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("hunter2\n")
    assert await SecretText(f"file:{tmp_path}/token").reveal() == "hunter2"


async def test_from_a_command_without_a_shell() -> None:
    assert await SecretText(python('import sys; print(sys.argv[1:], "$HOME")') + " a ';b'").reveal() == "['a', ';b'] $HOME"


async def test_the_line_break_that_storing_adds_is_no_part_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRETS_TEST", "hunter2\n")
    assert await SecretText("env:SECRETS_TEST").reveal() == "hunter2"


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("env:NOT_SET_ANYWHERE", "NOT_SET_ANYWHERE is not set"),
        ("file:/nowhere/token", "/nowhere/token could not be read: No such file"),
        ("file:/", "could not be read"),
        ("cmd:/nowhere/program", "/nowhere/program could not be started"),
        (python("import sys; print(1234); sys.exit(3)"), "ended with exit code 3"),
        (python("pass"), "is empty"),
    ],
)
async def test_one_that_cannot_be_read_says_why_and_never_what(source: str, says: str) -> None:
    with pytest.raises(SecretError, match=says) as caught:
        await SecretText(source).reveal()
    assert "1234" not in str(caught.value)


async def test_a_command_that_nobody_waits_for_any_more_is_ended(tmp_path: Path) -> None:
    """A poll's deadline is shorter than a password manager's patience: each would leave one behind."""
    program = 'import os, sys, time; open(sys.argv[1], "w").write(str(os.getpid())); time.sleep(60)'
    reading = asyncio.ensure_future(SecretText(f"{python(program)} {tmp_path}/pid").reveal())
    pid = await soon(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text())
    reading.cancel()
    await asyncio.wait([reading])
    assert await soon(lambda: not Path(f"/proc/{pid}").exists())


async def test_an_empty_one_is_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SECRETS_TEST", " ")
    (tmp_path / "empty").write_text("\n")
    for source in ("env:SECRETS_TEST", f"file:{tmp_path}/empty"):
        with pytest.raises(SecretError, match="is empty"):
            await SecretText(source).reveal()


async def test_a_command_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "COMMAND_TIMEOUT", 0.2)
    watch = Stopwatch()
    with pytest.raises(SecretError, match=r"did not answer within 0\.2s"):
        await SecretText(python("import time; time.sleep(60)")).reveal()
    assert watch.took < 0.2 + GRACE


async def test_a_command_delays_nobody_else(tmp_path: Path) -> None:
    """It waits for a word that others say meanwhile."""
    os.mkfifo(tmp_path / "word")
    slow = asyncio.ensure_future(SecretText(f"cmd:cat {tmp_path}/word").reveal())
    await asyncio.to_thread((tmp_path / "word").write_text, "swordfish")
    assert await slow == "swordfish"


async def test_it_is_read_once_and_again_when_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    text = SecretText("Bearer {env:SECRETS_TEST}")
    await text.reveal()
    monkeypatch.setenv("SECRETS_TEST", "rotated")
    assert await text.reveal() == "Bearer hunter2/& x"
    text.forget()
    assert await text.reveal() == "Bearer rotated"


# --- within other text ----------------------------------------------------------------------------------------------


async def test_within_a_url_it_is_encoded() -> None:
    text = SecretText("postgresql://app:{env:SECRETS_TEST}@db/shop", is_url=True)
    assert await text.reveal() == "postgresql://app:hunter2%2F%26%20x@db/shop"


async def test_a_whole_url_by_reference_is_taken_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRETS_TEST", "https://hooks.example/a?b=c")
    assert await SecretText("env:SECRETS_TEST", is_url=True).reveal() == "https://hooks.example/a?b=c"


async def test_text_without_secrets_is_itself() -> None:
    text = SecretText("https://shop.example/{id}")
    assert await text.reveal() == "https://shop.example/{id}"
    assert text.references == ()


# --- shown nowhere --------------------------------------------------------------------------------------------------


async def test_it_prints_as_its_reference() -> None:
    text = SecretText("Bearer {env:SECRETS_TEST}")
    await text.reveal()
    model = Model(token="env:SECRETS_TEST", headers={"Authorization": "Bearer {env:SECRETS_TEST}"})
    assert model.token is not None
    await model.token.reveal()
    for shown in (repr(text), str(text), text.masked, repr(model), model.model_dump_json(), str(model.model_dump())):
        assert "hunter2" not in shown
        assert "env:SECRETS_TEST" in shown


async def test_every_value_read_is_known_to_what_masks() -> None:
    await SecretText("env:SECRETS_TEST").reveal()
    assert "hunter2/& x" in known_values


def test_equal_by_what_is_written() -> None:
    assert SecretText("env:A") == SecretText("env:A") != SecretText("env:B")
    assert hash(SecretText("env:A")) == hash(SecretText("env:A"))


# --- the config's mistakes ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "settings",
    [
        {"token": "env:SECRETS_TEST"},
        {"token": "prefix-{env:SECRETS_TEST}"},
        {"url": "https://shop.example/x?key={env:SECRETS_TEST}"},
        {"url": "https://me:{env:SECRETS_TEST}@shop.example/"},
        {"url": "env:SECRETS_TEST"},
        {"dsn": "postgresql://watch:{env:SECRETS_TEST}@db/app"},
        {"dsn": "postgresql://watch@db/app"},
        {"dsn": "host=db dbname=app password={env:SECRETS_TEST}"},
        {"dsn": "service=shop"},
        {"headers": {"Authorization": "Bearer {env:SECRETS_TEST}", "Accept": "application/json"}},
    ],
)
def test_well_written(settings: dict[str, Any]) -> None:
    Model.model_validate(settings)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"token": "hunter2"}, 'write "env:NAME"'),
        ({"token": 7}, "expected"),
        ({"token": "env:NOT_SET_ANYWHERE"}, "NOT_SET_ANYWHERE is not set"),
        ({"token": "file:/nowhere/token"}, "no file /nowhere/token"),
        ({"url": "https://me:hunter2@shop.example/"}, "https://me:{env:NAME}@shop.example/"),
        ({"url": "shop.example"}, "https://"),
        ({"url": "https:///x"}, "not a URL with a host"),
        ({"url": "https://shop example/"}, "not a URL with a host"),
        ({"url": "https://shop:port/"}, "not a URL"),
        ({"dsn": "postgresql://watch:hunter2@db/app"}, "postgresql://watch:{env:NAME}@db/app"),
        ({"dsn": "host=db password=hunter2"}, "password={env:NAME}"),
        ({"dsn": "host=db password='hunter2 too'"}, "password={env:NAME}"),
        ({"dsn": "db"}, "postgresql://user@host/database"),
        ({"headers": {"Authorization": "Bearer hunter2"}}, "never stands in the config"),
        ({"headers": {"X-Api-Key": "hunter2"}}, "never stands in the config"),
        ({"headers": {"Accept": "a\r\nX: b"}}, "line break"),
        ({"headers": ["Accept"]}, "expected headers"),
    ],
)
def test_badly_written(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Model.model_validate(settings)
    (mistake,) = caught.value.errors()
    assert says in mistake["msg"]
    assert "hunter2" not in mistake["msg"], "the report of a mistake must not show the secret that stands in the file"


@pytest.mark.parametrize("url", ["http://a", "https://a:8443/x?y#z", "http://[::1]:80/", "https://münchen.example/"])
def test_good_urls(url: str) -> None:
    assert url_problem(url) is None


def test_the_schema_says_what_to_write() -> None:
    schema = Model.model_json_schema()
    assert "env:NAME" in str(schema["properties"]["token"])
