"""The config's file read again: what takes effect, what waits for a start, what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui.commands import rereading
from tui.commands.rereading import Look
from tui.config import load
from tui.engine.reread import Reread

BASE = """
[watchfloor]
name = "shop"
environment = "demo"
%s
[[panel]]
kind = "health"
endpoints = ["https://shop.example/readyz"]
%s
"""
TEAM = '[journal]\nurl = "postgresql://watch@%s/notes"'


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is still writing these files."""
    monkeypatch.setattr(rereading, "SETTLES", 0.0)


class File:
    """A config's file, and what looks at it."""

    def __init__(self, path: Path, general: str = "", more: str = "") -> None:
        self.path = path
        self.path.write_text(BASE % (general, more))
        self.look = Look(load(path))

    def says(self, general: str = "", more: str = "") -> Reread:
        """Somebody writes it anew."""
        self.path.write_text(BASE % (general, more))
        found = self.look(True)
        assert found is not None
        return found


def test_a_file_that_is_as_it_was_is_no_news(tmp_path: Path) -> None:
    file = File(tmp_path / "config.toml")
    assert file.look(False) is None
    file.path.write_text(BASE % ('interval = "7s"', ""))
    found = file.look(False)
    assert found is not None and found.setup is not None
    assert (found.setup.interval, found.says) == (7.0, "")
    assert file.look(False) is None


@pytest.mark.parametrize(
    ("general", "more", "named"),
    [
        ("", TEAM % "other.example", "[journal] url"),
        ("", "", "[journal] url"),
        ("", f'{TEAM % "notes.example"}\nsize = "300 MB"', "[journal] size"),
        ("", f'{TEAM % "notes.example"}\n[record]\nmetrics = "127.0.0.1:9464"', "[record] metrics"),
        ("", f'{TEAM % "notes.example"}\n[sentry]\ndsn = "env:HOME"', "[sentry] dsn"),
        ('theme = "day"', f'{TEAM % "notes.example"}\n[keys]\nzoom = "f2"', "theme, [keys]"),
    ],
)
def test_what_is_read_at_a_start_alone_is_named_as_long_as_it_differs(
    tmp_path: Path, general: str, more: str, named: str
) -> None:
    file = File(tmp_path / "config.toml", more=TEAM % "notes.example")
    for interval in ("6s", "7s"):
        found = file.says(f'{general}\ninterval = "{interval}"', more)
        assert found.setup is not None, "the rest of it is in force"
        assert found.says.startswith(f"the config was read again, but for {named}: start anew to use that")
    assert file.says("", TEAM % "notes.example").says == "", "it is as it was at the start"


def test_another_environment_is_another_journal_and_refused(tmp_path: Path) -> None:
    file = File(tmp_path / "config.toml")
    file.path.write_text((BASE % ("", "")).replace("demo", "staging"))
    found = file.look(True)
    assert found is not None and found.setup is None
    assert "start anew" in found.says
