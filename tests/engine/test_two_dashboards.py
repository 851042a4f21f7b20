"""Two dashboards on two hosts, one team's journal: each sees what the other says, and what was said while they were apart."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.commands.configs import health_only
from tests.servers.postgres import Server
from tests.servers.proxy import start_proxy
from tests.servers.things import Things, start_things
from tests.waiting import GRACE, LONG, eventually
from tui.config import load
from tui.engine.alert import Alert
from tui.engine.ask import Acknowledge, Mark, Unacknowledge
from tui.engine.engine import Engine
from tui.engine.feed import Level
from tui.engine.journal import Journal

NUMBERS = count()


@pytest.fixture
def things() -> Iterator[Things]:
    """A service that is down."""
    with start_things(a="broken") as service:
        service.ready = (503, {"ok": False})
        yield service


@contextmanager
def dashboard(things: Things, folder: Path, user: str, dsn: str) -> Iterator[Engine]:
    """Somebody's dashboard, on a host of its own: another config file, another state folder."""
    home = folder / user
    home.mkdir()
    at_once = '[[rule]]\nname = "ServiceDown"\nsignal = "health.up"\nbelow = 1\nseverity = "P1"\n'
    (home / "config.toml").write_text(health_only(things, f'{at_once}[journal]\nurl = "{dsn}"\n'))
    setup = replace(load(home / "config.toml").setup, user=user, interval=0.3)
    journal = Journal(home / "journal.sqlite")
    engine = Engine(setup, Level.RESPOND, journal=journal)
    engine.start()
    try:
        yield engine
    finally:
        engine.stop()
        journal.close()


def alert(engine: Engine) -> Alert | None:
    """The one that fires."""
    return next((each for each in engine.feed.peek().alerts if each.state == "firing"), None)


def acked_by(engine: Engine) -> str:
    found = alert(engine)
    return found.acked_by if found else "nothing fires"


def sees(engine: Engine, acked: str) -> None:
    """It sees in two seconds by whom the alert is acknowledged."""
    eventually(lambda: acked_by(engine) == acked, 2.0 + GRACE)


def test_an_acknowledgement_is_seen_on_the_other_host_within_two_seconds(
    postgres: Server, things: Things, tmp_path: Path
) -> None:
    dsn = postgres.new_database(f"dashboards_{next(NUMBERS)}")
    with dashboard(things, tmp_path, "anna", dsn) as anna, dashboard(things, tmp_path, "ben", dsn) as ben:
        fires = eventually(lambda: alert(anna) and alert(ben) and alert(anna))
        assert fires is not None
        eventually(lambda: not anna.feed.peek().alone and not ben.feed.peek().alone)
        for said, on, other, expected in (
            (Acknowledge((fires.fingerprint,)), anna, ben, "anna"),
            (Unacknowledge((fires.fingerprint,)), ben, anna, ""),
            (Acknowledge((fires.fingerprint,)), ben, anna, "ben"),
        ):
            on.feed.ask(said).result(LONG)
            sees(other, expected)
            assert acked_by(on) == expected


def test_apart_both_say_so_and_together_again_both_know_all(postgres: Server, things: Things, tmp_path: Path) -> None:
    dsn = postgres.new_database(f"dashboards_{next(NUMBERS)}")
    with start_proxy(postgres.port) as proxy:
        way = dsn.replace(f":{postgres.port}/", f":{proxy.port}/")
        with dashboard(things, tmp_path, "anna", way) as anna, dashboard(things, tmp_path, "ben", dsn) as ben:
            fires = eventually(lambda: alert(anna) and alert(ben) and alert(anna))
            assert fires is not None
            eventually(lambda: not anna.feed.peek().alone and not ben.feed.peek().alone)
            proxy.shut()
            seen = eventually(lambda: now if (now := anna.feed.peek()).alone else None)
            assert seen is not None
            assert "others cannot see this" in seen.alone
            assert seen.alone in seen.warnings, "it stands on the screen"
            eventually(lambda: ben.feed.peek().alone == "")
            anna.feed.ask(Acknowledge((fires.fingerprint,))).result(LONG)
            anna.feed.ask(Mark("took it by phone")).result(LONG)
            assert (acked_by(anna), acked_by(ben)) == ("anna", "")
            proxy.open()
            eventually(lambda: acked_by(ben) == "anna")
            eventually(lambda: not anna.feed.peek().alone)
            eventually(lambda: "took it by phone" in {each.title for each in ben.judge.newest.changes})
