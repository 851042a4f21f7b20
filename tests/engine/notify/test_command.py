"""A command of one's own: what it gets, how it fails, and that nothing of it stays."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from tests.engine.notify.alerts import ERRORS
from tests.engine.notify.sending import said, undelivered
from tests.waiting import DEADLINES, Stopwatch, soon
from tui.engine.connections import Tools
from tui.engine.notify.command import Command

KEEPS = """
import json, os, sys
told = {"stdin": json.load(sys.stdin), "headline": os.environ["WATCHFLOOR_HEADLINE"], "argv": sys.argv[1:]}
open(sys.argv[1], "w").write(json.dumps(told))
"""


def command(*argv: str, **more: Any) -> Command:
    return Command.model_validate({"kind": "command", "argv": [sys.executable, "-c", *argv], **more})


async def test_a_command_gets_it_on_stdin_and_in_variables(tools: Tools, tmp_path: Path) -> None:
    bad = replace(ERRORS, rule="$(touch pwned); `id` '")
    await command(KEEPS, str(tmp_path / "told"), "$HOME").send(said(bad), tools)
    told = json.loads((tmp_path / "told").read_text())
    assert told["stdin"] == said(bad).fields
    assert told["headline"] == said(bad).headline
    assert told["argv"] == [str(tmp_path / "told"), "$HOME"], "no shell looks at it"


async def test_a_command_that_fails_says_its_last_line(tools: Tools) -> None:
    error = await undelivered(command("import sys; sys.exit('first\\nno credit left')"), said(), tools)
    assert error.says.endswith("ended with exit code 1: no credit left") and not error.final and not error.maybe


async def test_a_command_that_does_not_end_is_killed_with_all_it_started(tools: Tools, tmp_path: Path) -> None:
    script = "import subprocess, sys, time; p = subprocess.Popen(['sleep', '60']); "
    script += "open(sys.argv[1], 'w').write(str(p.pid)); time.sleep(60)"
    told = tmp_path / "pid"
    for deadline in DEADLINES[1:]:  # a program's start takes its time
        error = await undelivered(command(script, str(told), deadline=f"{deadline}s"), said(), tools)
        assert f"did not end within {deadline:g}s" in error.says and error.maybe
        if told.exists() and told.read_text():
            break
    pid = int(told.read_text())
    assert await soon(lambda: not running(pid)), "nothing of it goes on"


def running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] not in ("Z", "X")
    except OSError:
        return False


async def test_a_command_that_floods_or_reads_nothing_is_no_trouble(tools: Tools) -> None:
    await command("import sys; sys.stderr.write('x' * 20_000_000)", deadline="60s").send(said(), tools)
    await command("import os; os.close(0)").send(said(), tools)


async def test_a_command_that_is_not_there(tools: Tools) -> None:
    missing = Command(kind="command", argv=("/nowhere/at-all",))
    error = await undelivered(missing, said(), tools)
    assert error.final and "could not be started" in error.says
    assert not (await missing.check(tools)).reached
    assert (await command("1/0").check(tools)).reached, "looked for, not run"


async def test_what_a_command_leaves_running_holds_up_nobody(tools: Tools, tmp_path: Path) -> None:
    """Exit code 0 means that it was told, also where something in the background still holds its streams."""
    script = "import subprocess, sys; p = subprocess.Popen(['sleep', '60']); open(sys.argv[1], 'w').write(str(p.pid))"
    watch = Stopwatch()
    await command(script, str(tmp_path / "pid"), deadline="30s").send(said(), tools)
    assert watch.took < 20
    pid = int((tmp_path / "pid").read_text())
    assert running(pid), "it may go on: it was not late"
    os.kill(pid, signal.SIGKILL)


async def test_one_that_is_cancelled_is_killed_with_all_it_started(tools: Tools, tmp_path: Path) -> None:
    script = "import os, sys, time; open(sys.argv[1], 'w').write(str(os.getpid())); time.sleep(60)"
    sending = asyncio.ensure_future(command(script, str(tmp_path / "pid"), deadline="30s").send(said(), tools))
    assert await soon(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text())
    sending.cancel()
    await asyncio.wait([sending])
    assert await soon(lambda: not running(int((tmp_path / "pid").read_text())))
