"""What the config takes, and what `config check --connect` says of it."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from pydantic import ValidationError

from panels.jobs import CARD
from panels.jobs.check import check
from panels.jobs.config import JobsConfig
from tests.panels.jobs.admin_server import admin_server
from tests.panels.jobs.queue import Queue
from tests.servers.postgres import Server
from tui.engine.connections import Tools


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"dsn": "postgresql://watch:hunter2@db/app"}, "a password never stands in the config"),
        ({"dsn": "host=db", "token": "clear"}, "a secret never stands in the config"),
        ({"dsn": "host=db", "admin": "https://x/jobs?a=1"}, "without ? and #"),
        ({"dsn": "host=db", "columns": {"hartbeat": "x"}}, "hartbeat"),
        ({"dsn": "host=db", "stuck_after": 300}, 'write "300s"'),
        ({"dsn": "host=db", "token_header": "Bad Header"}, "no header's name"),
        ({"dsn": "host=db", "bulk": 0}, "greater than or equal to 1"),
    ],
)
def test_mistakes_are_named(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError) as error:
        JobsConfig.model_validate(settings)
    assert says in str(error.value)


def test_a_token_without_endpoints_is_a_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("T", "x")
    with pytest.raises(ValidationError, match="a token without the endpoints"):
        JobsConfig.model_validate({"dsn": "host=db", "token": "env:T"})


def test_the_cards_example_is_a_config(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "host=db")
    monkeypatch.setenv("ADMIN_TOKEN", "x")
    bare = "\n".join(line for line in CARD.example.splitlines() if not line.startswith("#"))
    full = "\n".join(line.removeprefix("# ") for line in CARD.example.splitlines() if not line.startswith("# What"))
    for text in (bare, full):
        (panel,) = tomllib.loads(text)["panel"]
        assert JobsConfig.model_validate(panel).kind == "jobs"


def test_rules_and_columns_of_the_card_name_what_there_is() -> None:
    signals = {spec.name for spec in CARD.signals}
    assert {rule.signal for rule in CARD.rules} <= signals
    assert CARD.load_view() and {action.verb: action.key for action in CARD.load_actions()} == {
        "retry": "R",
        "cancel": "X",
        "unlock": "U",
    }


async def test_check_says_who_we_are_and_that_nothing_is_missing(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("T", "x")
    async with admin_server(queue) as admin:
        tools = Tools("test")
        config = JobsConfig.model_validate({"dsn": queue.watch, "admin": admin.url, "token": "env:T"})
        database, endpoints = await check(config, tools)
        await tools.close()
    assert (database.reached, database.says, database.missing) == (True, "reads it as watch", ())
    assert endpoints.reached and "the token is tried by the first deed alone" in endpoints.says
    assert admin.requests == []


async def test_check_names_the_grant_and_the_indexes_that_are_missing(postgres: Server, queue: Queue) -> None:
    queue.run("DROP INDEX jobs_created_at_idx, jobs_status_run_after_idx")
    queue.run("ALTER TABLE jobs DROP COLUMN finished_at")
    tools = Tools("test")
    (stranger,) = await check(JobsConfig.model_validate({"dsn": postgres.dsn("nobody", queue.database)}), tools)
    (known,) = await check(JobsConfig.model_validate({"dsn": queue.watch}), tools)
    (away,) = await check(JobsConfig.model_validate({"dsn": "host=127.0.0.1 port=9 dbname=x"}), tools)
    await tools.close()
    assert (stranger.reached, stranger.missing) == (True, ('GRANT SELECT ON "jobs" TO "nobody";',))
    assert known.says == "reads it as watch; does without finished_at"
    assert known.missing == (
        "each poll would scan it: CREATE INDEX CONCURRENTLY ON jobs (created_at);",
        "each poll would scan it: CREATE INDEX CONCURRENTLY ON jobs (status, run_after) WHERE status = 'queued';",
    )
    assert not away.reached
